/* When keys expire, as it is asked for, told and logged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "talk.h"

static void all_forms_set_one_time_and_are_logged_as_it(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "SET k v");
	talk_log(talk);
	assert_says(talk, "EXPIRE k 10", ":1\r\n");
	assert_says(talk, "TTL k", ":10\r\n");
	assert_says(talk, "PTTL k", ":10000\r\n");
	assert_says(talk, "EXPIRETIME k", ":1010\r\n");
	assert_says(talk, "PEXPIRETIME k", ":1010000\r\n");
	assert_says(talk, "PEXPIRE k 1500", ":1\r\n");
	assert_says(talk, "TTL k", ":2\r\n");
	assert_says(talk, "PEXPIRE k 1499", ":1\r\n");
	assert_says(talk, "TTL k", ":1\r\n");
	assert_says(talk, "EXPIREAT k 2000", ":1\r\n");
	assert_says(talk, "PEXPIREAT k 2000001", ":1\r\n");
	assert_says(talk, "PTTL k", ":1000001\r\n");
	assert_string_equal(talk_log(talk),
			    "PEXPIREAT k 1010000|PEXPIREAT k 1001500|PEXPIREAT k 1001499|"
			    "PEXPIREAT k 2000000|PEXPIREAT k 2000001|");
	assert_says(talk, "PERSIST k", ":1\r\n");
	assert_says(talk, "PERSIST k", ":0\r\n");
	assert_string_equal(talk_log(talk), "PERSIST k|");
	assert_says(talk, "TTL k", ":-1\r\n");
	assert_says(talk, "EXPIRETIME k", ":-1\r\n");
}

static void what_is_not_there_has_no_time(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "EXPIRE k 10", ":0\r\n");
	assert_says(talk, "PERSIST k", ":0\r\n");
	assert_says(talk, "TTL k", ":-2\r\n");
	assert_says(talk, "PTTL k", ":-2\r\n");
	assert_says(talk, "EXPIRETIME k", ":-2\r\n");
	assert_says(talk, "PEXPIRETIME k", ":-2\r\n");
	assert_string_equal(talk_log(talk), "");
}

static void a_time_that_has_passed_deletes(void **state)
{
	struct talk *talk = *state;
	static const char *const lines[] = {"EXPIRE k 0", "EXPIRE k -1", "PEXPIREAT k 1000000",
					    "EXPIREAT k 5", "PEXPIREAT k -5"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		talk_say(talk, "SET k v");
		talk_log(talk);
		assert_says(talk, lines[i], ":1\r\n");
		assert_string_equal(talk_log(talk), "DEL k|");
		assert_says(talk, "EXISTS k", ":0\r\n");
	}
}

static void a_replayed_time_that_has_passed_waits_for_what_follows(void **state)
{
	struct talk *talk = *state;

	talk->engine.loading = true;
	talk->engine.now_ms = 0;
	talk_say(talk, "SET k v");
	assert_says(talk, "PEXPIREAT k 500", ":1\r\n");
	assert_says(talk, "PERSIST k", ":1\r\n");
	assert_says(talk, "PEXPIREAT k 600", ":1\r\n");
	talk->engine.loading = false;
	talk->engine.now_ms = 1000000;
	assert_says(talk, "GET k", "$-1\r\n");
}

static void options_ask_what_was_set_before(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "SET k v");
	assert_says(talk, "EXPIRE k 10 XX", ":0\r\n");
	assert_says(talk, "EXPIRE k 10 GT", ":0\r\n");
	assert_says(talk, "EXPIRE k 10 nx", ":1\r\n");
	assert_says(talk, "EXPIRE k 20 NX", ":0\r\n");
	assert_says(talk, "EXPIRE k 10 GT", ":0\r\n");
	assert_says(talk, "EXPIRE k 11 GT", ":1\r\n");
	assert_says(talk, "EXPIRE k 11 LT", ":0\r\n");
	assert_says(talk, "EXPIRE k 10 LT XX", ":1\r\n");
	talk_say(talk, "PERSIST k");
	assert_says(talk, "EXPIRE k 99 LT", ":1\r\n");
	assert_says(talk, "TTL k", ":99\r\n");
}

static void what_does_not_go_together_is_refused(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "EXPIRE k 10 NX XX",
		    "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n");
	assert_says(talk, "EXPIRE k 10 GT LT",
		    "-ERR GT and LT options at the same time are not compatible\r\n");
	assert_says(talk, "EXPIRE k x FOO", "-ERR Unsupported option FOO\r\n");
	assert_says(talk, "EXPIRE k x", "-ERR value is not an integer or out of range\r\n");
	assert_says(talk, "EXPIRE k 9223372036854775807",
		    "-ERR invalid expire time in 'expire' command\r\n");
	assert_says(talk, "EXPIRE k -9223372036854775808",
		    "-ERR invalid expire time in 'expire' command\r\n");
	assert_says(talk, "PEXPIRE k 9223372036854775807",
		    "-ERR invalid expire time in 'pexpire' command\r\n");
	assert_says(talk, "EXPIREAT k 9223372036854775807",
		    "-ERR invalid expire time in 'expireat' command\r\n");
	talk_say(talk, "SET k v");
	assert_says(talk, "PEXPIREAT k 9223372036854775807", ":1\r\n");
	assert_says(talk, "PEXPIRETIME k", ":9223372036854775807\r\n");
	assert_says(talk, "EXPIRETIME k", ":9223372036854776\r\n");
}

static void a_key_is_there_to_the_last_millisecond(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "SET k v");
	talk_say(talk, "PEXPIRE k 10");
	talk_log(talk);
	talk->engine.now_ms += 9;
	assert_says(talk, "EXISTS k", ":1\r\n");
	assert_says(talk, "PTTL k", ":1\r\n");
	talk->engine.now_ms++;
	assert_says(talk, "EXISTS k", ":0\r\n");
	assert_string_equal(talk_log(talk), "LOST k|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALK_TEST(all_forms_set_one_time_and_are_logged_as_it),
		TALK_TEST(what_is_not_there_has_no_time),
		TALK_TEST(a_time_that_has_passed_deletes),
		TALK_TEST(a_replayed_time_that_has_passed_waits_for_what_follows),
		TALK_TEST(options_ask_what_was_set_before),
		TALK_TEST(what_does_not_go_together_is_refused),
		TALK_TEST(a_key_is_there_to_the_last_millisecond),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
