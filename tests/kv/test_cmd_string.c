/* Strings that are set and told as a whole; replies are those of Redis 7.0.15. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "talk.h"

#define SYNTAX		 "-ERR syntax error\r\n"
#define NO_TIME(command) "-ERR invalid expire time in '" command "' command\r\n"

static void set_and_get(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "GET k", "$-1\r\n");
	assert_says(talk, "SET k value", "+OK\r\n");
	assert_says(talk, "GET k", "$5\r\nvalue\r\n");
	assert_says(talk, "SET k 12", "+OK\r\n");
	assert_says(talk, "GET k", "$2\r\n12\r\n");
	assert_says(talk, "SET k \"\"", "+OK\r\n");
	assert_says(talk, "GET k", "$0\r\n\r\n");
	assert_says(talk, "SET \"\" \"\\x00\\r\\n\"", "+OK\r\n");
	talk_say(talk, "GET \"\"");
	assert_memory_equal(talk->reply, "$3\r\n\0\r\n\r\n", 9);
	talk->resp = 3;
	assert_says(talk, "GET none", "_\r\n");
}

static void set_is_conditional(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "SET k v XX", "$-1\r\n");
	assert_says(talk, "SET k v nx", "+OK\r\n");
	assert_says(talk, "SET k w NX", "$-1\r\n");
	assert_says(talk, "SET k w XX", "+OK\r\n");
	assert_says(talk, "SET k x GET", "$1\r\nw\r\n");
	assert_says(talk, "SET k y NX GET", "$1\r\nx\r\n");
	assert_says(talk, "GET k", "$1\r\nx\r\n");
	assert_says(talk, "SET new y XX GET", "$-1\r\n");
	assert_says(talk, "SET new y NX GET", "$-1\r\n");
	assert_says(talk, "GET new", "$1\r\ny\r\n");
	assert_says(talk, "SETNX new z", ":0\r\n");
	assert_says(talk, "SETNX newer z", ":1\r\n");
	assert_says(talk, "GETSET newer a", "$1\r\nz\r\n");
	assert_says(talk, "GETSET newest a", "$-1\r\n");
}

static void options_that_contradict_are_an_error(void **state)
{
	static const char *const lines[] = {
		"SET k v NX XX",   "SET k v EX",	   "SET k v EX 1 PX 1",
		"SET k v foo",	   "SET k v KEEPTTL EX 1", "SET k v EXAT 1 KEEPTTL",
		"SET k v PERSIST", "GETEX k NX",	   "GETEX k EX 1 PERSIST",
		"GETEX k KEEPTTL", "GETEX k PX",
	};
	struct talk *talk = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_says(talk, lines[i], SYNTAX);
	assert_string_equal(talk_log(talk), "");
	assert_says(talk, "SET k v EX 1 EX 2 NX NX", "+OK\r\n");
}

static void times_that_cannot_be_are_an_error(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "SET k v EX 0", NO_TIME("set"));
	assert_says(talk, "SET k v PX -1", NO_TIME("set"));
	assert_says(talk, "SET k v EX 9223372036854775807", NO_TIME("set"));
	assert_says(talk, "SET k v PX 9223372036854775807", NO_TIME("set"));
	assert_says(talk, "SET k v EXAT 9223372036854775", "+OK\r\n");
	assert_says(talk, "SET k v EXAT 9223372036854776", NO_TIME("set"));
	assert_says(talk, "SET k v EX 1.5", "-ERR value is not an integer or out of range\r\n");
	assert_says(talk, "SETEX k 0 v", NO_TIME("setex"));
	assert_says(talk, "PSETEX k -5 v", NO_TIME("psetex"));
	assert_says(talk, "GETEX k PXAT 0", NO_TIME("getex"));
	assert_says(talk, "GETEX none PXAT 0", "$-1\r\n");
}

static void what_expires_is_gone_then_and_logged_with_the_time(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "SET k v EX 5", "+OK\r\n");
	assert_says(talk, "SETEX l 5 v", "+OK\r\n");
	assert_says(talk, "PSETEX m 5000 v", "+OK\r\n");
	assert_says(talk, "SET n v EXAT 1005", "+OK\r\n");
	assert_string_equal(talk_log(talk), "SET k v PXAT 1005000|SET l v PXAT 1005000|"
					    "SET m v PXAT 1005000|SET n v PXAT 1005000|");
	talk->engine.now_ms += 4999;
	assert_says(talk, "MGET k l m n", "*4\r\n$1\r\nv\r\n$1\r\nv\r\n$1\r\nv\r\n$1\r\nv\r\n");
	talk->engine.now_ms += 2;
	assert_says(talk, "MGET k l m n", "*4\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n");
	assert_string_equal(talk_log(talk), "LOST k|LOST l|LOST m|LOST n|");
}

static void set_forgets_when_a_key_expires_unless_told_to_keep_it(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "SET k v PX 100");
	talk_say(talk, "SET l v PX 100");
	talk_log(talk);
	assert_says(talk, "SET k w KEEPTTL", "+OK\r\n");
	assert_says(talk, "SET l w", "+OK\r\n");
	assert_says(talk, "SET l w GET", "$1\r\nw\r\n");
	assert_string_equal(talk_log(talk), "SET k w KEEPTTL|SET l w|SET l w|");
	talk->engine.now_ms += 101;
	assert_says(talk, "MGET k l", "*2\r\n$-1\r\n$1\r\nw\r\n");
}

static void getex_changes_when_a_key_expires(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "MSET k v l v");
	talk_log(talk);
	assert_says(talk, "GETEX k", "$1\r\nv\r\n");
	assert_says(talk, "GETEX k PERSIST", "$1\r\nv\r\n");
	assert_says(talk, "GETEX none EX 5", "$-1\r\n");
	assert_string_equal(talk_log(talk), "");
	assert_says(talk, "GETEX k EX 5", "$1\r\nv\r\n");
	assert_string_equal(talk_log(talk), "PEXPIREAT k 1005000|");
	assert_says(talk, "GETEX k PERSIST", "$1\r\nv\r\n");
	assert_string_equal(talk_log(talk), "PERSIST k|");
	assert_says(talk, "GETEX k PXAT 1000000", "$1\r\nv\r\n");
	assert_string_equal(talk_log(talk), "DEL k|");
	assert_says(talk, "GET k", "$-1\r\n");
	assert_says(talk, "GETEX l PX 1", "$1\r\nv\r\n");
	talk->engine.now_ms += 2;
	assert_says(talk, "GETDEL l", "$-1\r\n");
}

static void getdel_tells_and_removes(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "SET k 5");
	talk_log(talk);
	assert_says(talk, "GETDEL k", "$1\r\n5\r\n");
	assert_says(talk, "GETDEL k", "$-1\r\n");
	assert_string_equal(talk_log(talk), "DEL k|");
}

static void several_keys_at_once(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "MSET a 1 b 2 a 3", "+OK\r\n");
	assert_says(talk, "MGET a none b a", "*4\r\n$1\r\n3\r\n$-1\r\n$1\r\n2\r\n$1\r\n3\r\n");
	assert_says(talk, "MSETNX c 1 b 3", ":0\r\n");
	assert_says(talk, "GET c", "$-1\r\n");
	assert_says(talk, "MSETNX c 1 c 2", ":1\r\n");
	assert_says(talk, "GET c", "$1\r\n2\r\n");
	assert_says(talk, "MSET a 1 b", "-ERR wrong number of arguments for 'mset' command\r\n");
	assert_says(talk, "MSETNX a 1 b",
		    "-ERR wrong number of arguments for 'msetnx' command\r\n");
	assert_string_equal(talk_log(talk), "MSET a 1 b 2 a 3|MSETNX c 1 c 2|");
}

static void a_long_value_is_kept_and_told_without_a_copy(void **state)
{
	struct talk *talk = *state;
	struct bytes *bytes = bytes_create_or_null(100000, 100000);
	struct arg argv[] = {{.text = SLICE("SET")}, {.text = SLICE("k")}, {.bytes = bytes}};
	struct entry *entry;
	struct out out;
	struct call call = {.engine = &talk->engine, .argc = 2, .argv = argv, .out = &out};

	memset(bytes->data, 'v', bytes->len);
	argv[2].text = (struct slice){bytes->data, bytes->len};
	talk->engine.aof = NULL;
	assert_string_equal(talk_args(talk, 3, argv), "+OK\r\n");
	entry = store_find_or_null(talk->engine.store, 0, SLICE("k"), 0);
	assert_ptr_equal(entry_bytes_or_null(entry), bytes);
	bytes_put(bytes);
	assert_false(bytes_shared(bytes));
	argv[0].text = SLICE("GET");
	out_init(&out, 2);
	engine_run(&call);
	assert_true(bytes_shared(bytes));
	assert_int_equal(out.len, 100000 + 11);
	out_fini(&out);
	assert_false(bytes_shared(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALK_TEST(set_and_get),
		TALK_TEST(set_is_conditional),
		TALK_TEST(options_that_contradict_are_an_error),
		TALK_TEST(times_that_cannot_be_are_an_error),
		TALK_TEST(what_expires_is_gone_then_and_logged_with_the_time),
		TALK_TEST(set_forgets_when_a_key_expires_unless_told_to_keep_it),
		TALK_TEST(getex_changes_when_a_key_expires),
		TALK_TEST(getdel_tells_and_removes),
		TALK_TEST(several_keys_at_once),
		TALK_TEST(a_long_value_is_kept_and_told_without_a_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
