/* Numbers as Redis reads and writes them. */
#include "kv/number.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void only_the_shortest_form_is_an_integer(void **state)
{
	static const char *const wrong[] = {
		"",
		"-",
		"+1",
		"01",
		"-0",
		"-01",
		" 1",
		"1 ",
		"1.0",
		"0x1",
		"1e3",
		"--1",
		"00",
		"a",
		"1a",
		"9223372036854775808",
		"-9223372036854775809",
		"18446744073709551616",
		"99999999999999999999",
	};
	int64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (number_parse(slice_of(wrong[i]), &value))
			fail_msg("'%s' was taken for %ld", wrong[i], (long)value);
}

static void integers_come_back_from_their_text(void **state)
{
	static const int64_t values[] = {0,  1,	  -1,	     9,		10,	   -10,
					 99, 100, 123456789, INT64_MAX, INT64_MIN, INT64_MIN + 1};
	char text[NUMBER_LEN_MAX];
	int64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		const size_t len = number_print(text, values[i]);

		assert_true(number_parse((struct slice){text, len}, &value));
		assert_true(value == values[i]);
	}
	assert_int_equal(number_print_unsigned(text, UINT64_MAX), 20);
	assert_memory_equal(text, "18446744073709551615", 20);
	assert_int_equal(number_print(text, INT64_MIN), 20);
	assert_memory_equal(text, "-9223372036854775808", 20);
}

static void a_float_has_17_places_at_most_and_no_zeros_behind(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{"10.5", "10.5"},
		{"5.0e3", "5000"},
		{"-0.0", "0"},
		{"0.1", "0.1"},
		{"1e-20", "0"},
		{"3", "3"},
		{"-1e-17", "-0.00000000000000001"},
		{"100", "100"},
		{"1e18", "1000000000000000000"},
		{"0x10", "16"},
	};
	char text[NUMBER_LONG_DOUBLE_LEN_MAX];
	long double value;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(number_parse_long_double(slice_of(cases[i].from), &value));
		text[number_print_long_double(text, value)] = 0;
		assert_string_equal(text, cases[i].to);
	}
}

static void what_is_no_float_is_refused(void **state)
{
	static const char *const wrong[] = {"",	   "a",	  " 1",	    "1 ",      "1.0a",
					    "nan", "NaN", "1e9999", "1e-9999", "--1"};
	long double value;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (number_parse_long_double(slice_of(wrong[i]), &value))
			fail_msg("'%s' was taken for %Lf", wrong[i], value);
	assert_false(number_parse_long_double((struct slice){"1\0", 2}, &value));
	assert_true(number_parse_long_double(SLICE("-inf"), &value));
	assert_true(isinf(value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_shortest_form_is_an_integer),
		cmocka_unit_test(integers_come_back_from_their_text),
		cmocka_unit_test(a_float_has_17_places_at_most_and_no_zeros_behind),
		cmocka_unit_test(what_is_no_float_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
