/* The longest common subsequence; replies are those of Redis 7.0.15. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "talk.h"

static void the_subsequence_its_length_and_where_it_is(void **state)
{
	static const struct {
		const char *line, *reply;
	} cases[] = {
		{"LCS a b", "$6\r\nmytext\r\n"},
		{"LCS a b LEN", ":6\r\n"},
		{"LCS a none", "$0\r\n\r\n"},
		{"LCS none none LEN", ":0\r\n"},
		{"LCS a b IDX",
		 "*4\r\n$7\r\nmatches\r\n*2\r\n*2\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n"
		 "*2\r\n*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n$3\r\nlen\r\n:6\r\n"},
		{"LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN",
		 "*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n"
		 "$3\r\nlen\r\n:6\r\n"},
		{"LCS a none idx", "*4\r\n$7\r\nmatches\r\n*0\r\n$3\r\nlen\r\n:0\r\n"},
		{"LCS n m", "$2\r\n24\r\n"},
		{"LCS x y", "$1\r\nb\r\n"}, /* of two that are as long */
		{"LCS a b IDX LEN",
		 "-ERR If you want both the length and indexes, please just use IDX.\r\n"},
		{"LCS a b MINMATCHLEN", "-ERR syntax error\r\n"},
		{"LCS a b x", "-ERR syntax error\r\n"},
		{"LCS a b MINMATCHLEN x", "-ERR value is not an integer or out of range\r\n"},
	};
	struct talk *talk = *state;

	talk_say(talk, "MSET a ohmytext b mynewtext n 1234 m 524 x ab y ba");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_says(talk, cases[i].line, cases[i].reply);
	talk->resp = 3;
	assert_says(talk, "LCS a none IDX", "%2\r\n$7\r\nmatches\r\n*0\r\n$3\r\nlen\r\n:0\r\n");
}

static void what_takes_too_much_memory_is_refused(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "MSET a ohmytext b mynewtext");
	talk->settings.limits.bulk_len_max = 9 * 10 * 4;
	assert_says(talk, "LCS a b LEN", ":6\r\n");
	talk->settings.limits.bulk_len_max--;
	assert_says(talk, "LCS a b LEN",
		    "-ERR Insufficient memory, transient memory for LCS exceeds "
		    "proto-max-bulk-len\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALK_TEST(the_subsequence_its_length_and_where_it_is),
		TALK_TEST(what_takes_too_much_memory_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
