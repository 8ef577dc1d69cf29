/* Parts of strings; replies are those of Redis 7.0.15. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "talk.h"

#define TOO_LONG "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"

static void append_makes_strings_longer(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "APPEND k 12", ":2\r\n");
	assert_says(talk, "APPEND k 3", ":3\r\n");
	assert_says(talk, "GET k", "$3\r\n123\r\n");
	assert_says(talk, "INCR k", ":124\r\n");
	assert_says(talk, "APPEND k \"\"", ":3\r\n");
	assert_says(talk, "STRLEN k", ":3\r\n");
	assert_says(talk, "STRLEN none", ":0\r\n");
	assert_says(talk, "APPEND new \"\"", ":0\r\n");
	assert_says(talk, "GET new", "$0\r\n\r\n");
}

static void setrange_overwrites_and_fills_with_zeros(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "SETRANGE k 2 \"\"", ":0\r\n");
	assert_says(talk, "GET k", "$-1\r\n");
	assert_says(talk, "SETRANGE k 2 ab", ":4\r\n");
	talk_say(talk, "GET k");
	assert_memory_equal(talk->reply, "$4\r\n\0\0ab\r\n", 10);
	assert_says(talk, "SET k 12345", "+OK\r\n");
	assert_says(talk, "SETRANGE k 1 xy", ":5\r\n");
	assert_says(talk, "GET k", "$5\r\n1xy45\r\n");
	assert_says(talk, "SETRANGE k 9 \"\"", ":5\r\n");
	assert_says(talk, "SETRANGE k -1 a", "-ERR offset is out of range\r\n");
	assert_says(talk, "SETRANGE k x a", "-ERR value is not an integer or out of range\r\n");
}

static void what_would_be_too_long_is_refused(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "SETRANGE k 536870912 a", TOO_LONG);
	assert_says(talk, "SETRANGE k 9223372036854775807 a", TOO_LONG);
	talk->settings.limits.bulk_len_max = 5;
	assert_says(talk, "SETRANGE k 4 a", ":5\r\n");
	assert_says(talk, "SETRANGE k 4 ab", TOO_LONG);
	assert_says(talk, "APPEND k a", TOO_LONG);
	assert_says(talk, "APPEND k \"\"", ":5\r\n");
}

static void getrange_counts_from_both_ends(void **state)
{
	static const struct {
		const char *line, *reply;
	} cases[] = {
		{"GETRANGE k 0 -1", "$5\r\nhello\r\n"},
		{"GETRANGE k 1 3", "$3\r\nell\r\n"},
		{"GETRANGE k -3 -2", "$2\r\nll\r\n"},
		{"GETRANGE k -100 100", "$5\r\nhello\r\n"},
		{"GETRANGE k 3 1", "$0\r\n\r\n"},
		{"GETRANGE k 5 9", "$0\r\n\r\n"},
		{"GETRANGE k -1 -3", "$0\r\n\r\n"},
		{"GETRANGE k -100 -99", "$1\r\nh\r\n"},
		{"GETRANGE k 0 -100", "$1\r\nh\r\n"},
		{"SUBSTR k 1 1", "$1\r\ne\r\n"},
		{"GETRANGE none 0 -1", "$0\r\n\r\n"},
		{"GETRANGE n 1 -1", "$2\r\n23\r\n"},
		{"GETRANGE empty 0 -1", "$0\r\n\r\n"},
		{"GETRANGE k a 1", "-ERR value is not an integer or out of range\r\n"},
		{"GETRANGE k -9223372036854775808 9223372036854775807", "$5\r\nhello\r\n"},
	};
	struct talk *talk = *state;

	talk_say(talk, "MSET k hello n 123 empty \"\"");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_says(talk, cases[i].line, cases[i].reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALK_TEST(append_makes_strings_longer),
		TALK_TEST(setrange_overwrites_and_fills_with_zeros),
		TALK_TEST(what_would_be_too_long_is_refused),
		TALK_TEST(getrange_counts_from_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
