/* Bits of strings; replies are those of Redis 7.0.15. */
#include "kv/watches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "talk.h"

static void bits_are_set_and_told(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "GETBIT k 7", ":0\r\n");
	assert_says(talk, "SETBIT k 7 1", ":0\r\n");
	assert_says(talk, "SETBIT k 7 1", ":1\r\n");
	assert_says(talk, "GETBIT k 7", ":1\r\n");
	assert_says(talk, "GETBIT k 4294967295", ":0\r\n");
	assert_says(talk, "SETBIT k 16 0", ":0\r\n");
	talk_say(talk, "GET k");
	assert_memory_equal(talk->reply, "$3\r\n\1\0\0\r\n", 9);
	/* What changed nothing is not logged. */
	assert_string_equal(talk_log(talk), "SETBIT k 7 1|SETBIT k 16 0|");
	/* The first byte behind the end, too, if it is zero. */
	assert_says(talk, "SETBIT k 24 0", ":0\r\n");
	assert_says(talk, "STRLEN k", ":4\r\n");
	talk_say(talk, "SET n 1");
	assert_says(talk, "SETBIT n 6 1", ":0\r\n");
	assert_says(talk, "GET n", "$1\r\n3\r\n");
}

static void offsets_and_bits_that_cannot_be_are_refused(void **state)
{
	static const char *const offsets[] = {
		"SETBIT k -1 1", "SETBIT k 4294967296 1", "SETBIT k x 1",
		"GETBIT k -1",	 "GETBIT k 4294967296",	  "GETBIT k 9223372036854775807",
	};
	struct talk *talk = *state;

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		assert_says(talk, offsets[i],
			    "-ERR bit offset is not an integer or out of range\r\n");
	assert_says(talk, "SETBIT k 1 2", "-ERR bit is not an integer or out of range\r\n");
	assert_says(talk, "SETBIT k 1 -1", "-ERR bit is not an integer or out of range\r\n");
	assert_says(talk, "SETBIT k 1 x", "-ERR bit is not an integer or out of range\r\n");
}

struct line {
	const char *line, *reply;
};

static void say_all(struct talk *talk, const struct line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *reply = talk_say(talk, lines[i].line);

		if (strcmp(reply, lines[i].reply) != 0)
			fail_msg("%s: %s", lines[i].line, reply);
	}
}

static void bitcount_counts_a_range(void **state)
{
	static const struct line lines[] = {
		{"BITCOUNT k", ":26\r\n"},
		{"BITCOUNT none", ":0\r\n"},
		{"BITCOUNT none x", ":0\r\n"},
		{"BITCOUNT empty", ":0\r\n"},
		{"BITCOUNT k 0 0", ":4\r\n"},
		{"BITCOUNT k 1 1", ":6\r\n"},
		{"BITCOUNT k 0 -1", ":26\r\n"},
		{"BITCOUNT k -2 -1 BYTE", ":7\r\n"},
		{"BITCOUNT k 5 30 bit", ":17\r\n"},
		{"BITCOUNT k 3 3 BIT", ":0\r\n"},
		{"BITCOUNT k 1 1 BIT", ":1\r\n"},
		{"BITCOUNT k 0 -1 BIT", ":26\r\n"},
		{"BITCOUNT k 3 1", ":0\r\n"},
		{"BITCOUNT k -1 -3 x", ":0\r\n"},
		{"BITCOUNT ones 3 98 BIT", ":96\r\n"},
		{"BITCOUNT k 1", "-ERR syntax error\r\n"},
		{"BITCOUNT k 1 2 x", "-ERR syntax error\r\n"},
		{"BITCOUNT k 1 2 BIT x", "-ERR syntax error\r\n"},
		{"BITCOUNT k a 2", "-ERR value is not an integer or out of range\r\n"},
	};
	struct talk *talk = *state;

	talk_say(talk, "MSET k foobar empty \"\"");
	for (int i = 0; i < 20; i++)
		talk_say(talk, "APPEND ones \"\\xff\"");
	say_all(talk, lines, sizeof(lines) / sizeof(lines[0]));
}

static void bitpos_finds_the_first(void **state)
{
	static const struct line lines[] = {
		{"BITPOS k 0", ":12\r\n"},
		{"BITPOS k 1", ":0\r\n"},
		{"BITPOS k 1 2", ":-1\r\n"},
		{"BITPOS none 1", ":-1\r\n"},
		{"BITPOS none 0", ":0\r\n"},
		{"BITPOS empty 0", ":-1\r\n"},
		{"BITPOS empty 1", ":-1\r\n"},
		{"BITPOS k 1 1 1", ":8\r\n"},
		{"BITPOS ones 0", ":160\r\n"},
		{"BITPOS ones 0 3", ":160\r\n"},
		{"BITPOS ones 0 3 -1", ":-1\r\n"},
		{"BITPOS ones 1 3", ":24\r\n"},
		{"BITPOS zeros 1", ":-1\r\n"},
		{"BITPOS zeros 0 5", ":40\r\n"},
		{"BITPOS last 1", ":159\r\n"},
		{"BITPOS k 0 8 11 BIT", ":-1\r\n"},
		{"BITPOS k 0 8 12 BIT", ":12\r\n"},
		{"BITPOS k 1 9 -1 BIT", ":9\r\n"},
		{"BITPOS k 1 -1 -3", ":-1\r\n"},
		{"BITPOS k 1 -100 -200", ":0\r\n"},
		{"BITPOS k 2", "-ERR The bit argument must be 1 or 0.\r\n"},
		{"BITPOS k x", "-ERR value is not an integer or out of range\r\n"},
		{"BITPOS k 1 0 1 x", "-ERR syntax error\r\n"},
		{"BITPOS k 1 0 1 BIT x", "-ERR syntax error\r\n"},
	};
	struct talk *talk = *state;

	talk_say(talk, "MSET k \"\\xff\\xf0\\x00\" empty \"\"");
	for (int i = 0; i < 20; i++)
		talk_say(talk, "APPEND ones \"\\xff\"");
	talk_say(talk, "SETRANGE zeros 19 \"\\x00\"");
	talk_say(talk, "SETBIT last 159 1");
	say_all(talk, lines, sizeof(lines) / sizeof(lines[0]));
}

static void bitop_makes_one_of_several(void **state)
{
	static const struct line lines[] = {
		{"BITOP AND to a b", ":3\r\n"},
		{"GET to", "$3\r\n`bc\r\n"},
		{"BITOP or to a b", ":3\r\n"},
		{"GET to", "$3\r\ngoo\r\n"},
		{"BITOP XOR to a b a", ":3\r\n"},
		{"GET to", "$3\r\nabc\r\n"},
		{"BITOP NOT to n", ":2\r\n"},
		{"GET to", "$2\r\n\xce\xcd\r\n"},
		{"BITOP OR to none", ":0\r\n"},
		{"GET to", "$-1\r\n"},
		{"BITOP OR a a one", ":3\r\n"},
		{"GET a", "$3\r\nwoo\r\n"},
		{"BITOP NAND to a b", "-ERR syntax error\r\n"},
		{"BITOP NOT to a b", "-ERR BITOP NOT must be called with a single source key.\r\n"},
	};
	struct talk *talk = *state;

	talk_say(talk, "MSET a foo b abc n 12 one 1");
	talk_log(talk);
	talk_say(talk, "BITOP AND to a short");
	assert_memory_equal(talk->reply, ":3\r\n", 4);
	talk_say(talk, "GET to");
	assert_memory_equal(talk->reply, "$3\r\n\0\0\0\r\n", 9);
	say_all(talk, lines, sizeof(lines) / sizeof(lines[0]));
	assert_string_equal(talk_log(talk),
			    "BITOP AND to a short|BITOP AND to a b|BITOP or to a b|"
			    "BITOP XOR to a b a|BITOP NOT to n|BITOP OR to none|BITOP OR a a one|");
}

static void bitop_tells_only_those_who_watch_where_it_goes(void **state)
{
	struct talk *talk = *state;
	struct watcher from = {0}, to = {0};

	talk_say(talk, "SET a foo");
	watches_add(talk->engine.watches, &from, 0, SLICE("a"), 0);
	watches_add(talk->engine.watches, &to, 0, SLICE("to"), 0);
	talk_say(talk, "BITOP NOT to a");
	assert_false(from.dirty);
	assert_true(to.dirty);
	watches_drop(talk->engine.watches, &from);
	watches_drop(talk->engine.watches, &to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALK_TEST(bits_are_set_and_told),
		TALK_TEST(offsets_and_bits_that_cannot_be_are_refused),
		TALK_TEST(bitcount_counts_a_range),
		TALK_TEST(bitpos_finds_the_first),
		TALK_TEST(bitop_makes_one_of_several),
		TALK_TEST(bitop_tells_only_those_who_watch_where_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
