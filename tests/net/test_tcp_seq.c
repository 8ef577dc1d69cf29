#include "net/tcp_seq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint32_t places[] = {0, 1, 0x7fffffff, 0x80000000, 0x80000001, 0xffffff00, 0xffffffff};
enum { PLACES = sizeof(places) / sizeof(places[0]) };

static void what_is_ahead_is_greater_also_across_the_wrap(void **state)
{
	static const uint32_t steps[] = {1, 2, 1000, 0x10000, 0x7fffffff};

	(void)state;
	for (unsigned i = 0; i < PLACES; i++) {
		for (unsigned j = 0; j < sizeof(steps) / sizeof(steps[0]); j++) {
			uint32_t a = places[i], b = a + steps[j];

			assert_true(seq_lt(a, b) && seq_leq(a, b));
			assert_false(seq_gt(a, b) || seq_geq(a, b));
			assert_true(seq_gt(b, a) && seq_geq(b, a));
			assert_false(seq_lt(b, a) || seq_leq(b, a));
			assert_int_equal(seq_diff(b, a), steps[j]);
			assert_int_equal(seq_diff(a, b), -(int64_t)steps[j]);
			assert_int_equal(seq_max(a, b), b);
			assert_int_equal(seq_max(b, a), b);
			assert_int_equal(seq_min(a, b), a);
			assert_int_equal(seq_min(b, a), a);
		}
	}
}

static void a_number_equals_itself(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PLACES; i++) {
		uint32_t a = places[i];

		assert_true(seq_leq(a, a) && seq_geq(a, a));
		assert_false(seq_lt(a, a) || seq_gt(a, a));
		assert_int_equal(seq_diff(a, a), 0);
	}
}

static void a_range_across_the_wrap_has_its_start_and_not_its_end(void **state)
{
	(void)state;
	assert_true(seq_within(0xfffffff0, 0xfffffff0, 0x20));
	assert_true(seq_within(0xf, 0xfffffff0, 0x20));
	assert_false(seq_within(0x10, 0xfffffff0, 0x20));
	assert_false(seq_within(0xffffffef, 0xfffffff0, 0x20));
	assert_false(seq_within(5, 5, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_ahead_is_greater_also_across_the_wrap),
		cmocka_unit_test(a_number_equals_itself),
		cmocka_unit_test(a_range_across_the_wrap_has_its_start_and_not_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
