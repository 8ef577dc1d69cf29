/* Commands about keys, whatever their values; each reply was asked of redis-server 7.0.15. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kv/watches.h"
#include "talk.h"

static void keys_are_deleted_counted_and_touched(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "DEL a", ":0\r\n");
	assert_string_equal(talk_log(talk), "");
	talk_say(talk, "SET a 1");
	talk_say(talk, "SET b 2");
	assert_says(talk, "EXISTS a b a c", ":3\r\n");
	assert_says(talk, "TOUCH a c", ":1\r\n");
	talk_log(talk);
	assert_says(talk, "DEL a a c", ":1\r\n");
	assert_string_equal(talk_log(talk), "DEL a a c|");
	assert_says(talk, "UNLINK b", ":1\r\n");
	assert_says(talk, "DBSIZE", ":0\r\n");
	assert_says(talk, "DEL", "-ERR wrong number of arguments for 'del' command\r\n");
}

static void del_tells_watchers_of_what_was_there_only(void **state)
{
	struct talk *talk = *state;
	struct watcher a = {0}, b = {0};

	talk_say(talk, "SET a 1");
	assert_int_equal(watches_add(talk->engine.watches, &a, 0, SLICE("a"), 0), 0);
	assert_int_equal(watches_add(talk->engine.watches, &b, 0, SLICE("b"), 0), 0);
	talk_say(talk, "DEL a b");
	assert_true(a.dirty);
	assert_false(b.dirty);
	watches_drop(talk->engine.watches, &a);
	watches_drop(talk->engine.watches, &b);
}

static void types_and_encodings_are_redis_own_words(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "TYPE a", "+none\r\n");
	talk_say(talk, "SET a 12");
	assert_says(talk, "TYPE a", "+string\r\n");
	assert_says(talk, "OBJECT ENCODING a", "$3\r\nint\r\n");
	talk_say(talk, "SET a text");
	assert_says(talk, "OBJECT ENCODING a", "$6\r\nembstr\r\n");
	talk_say(talk, "SET a 123456789012345678901234567890123456789012345");
	assert_says(talk, "OBJECT ENCODING a", "$3\r\nraw\r\n");
	assert_says(talk, "OBJECT REFCOUNT a", ":1\r\n");
	assert_says(talk, "OBJECT REFCOUNT b", "$-1\r\n");
	talk->engine.now_ms += 3000;
	assert_says(talk, "OBJECT IDLETIME a", ":3\r\n");
	assert_says(talk, "OBJECT FREQ a",
		    "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. "
		    "Please note that when switching between policies at runtime LRU and LFU data "
		    "will take some time to adjust.\r\n");
	talk_say(talk, "CONFIG SET maxmemory-policy allkeys-lfu");
	assert_int_equal(talk_say(talk, "OBJECT FREQ a")[0], ':');
	assert_int_equal(strncmp(talk_say(talk, "OBJECT IDLETIME a"), "-ERR An LFU", 11), 0);
	assert_says(talk, "OBJECT", "-ERR wrong number of arguments for 'object' command\r\n");
	assert_says(talk, "OBJECT FOO a", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP.\r\n");
}

static void renaming_takes_the_expiry_along(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "RENAME a b", "-ERR no such key\r\n");
	assert_says(talk, "RENAMENX a b", "-ERR no such key\r\n");
	talk_say(talk, "SET a 1 PX 5000");
	talk_say(talk, "SET b 2");
	assert_says(talk, "RENAMENX a b", ":0\r\n");
	assert_says(talk, "RENAMENX a a", ":0\r\n");
	talk_log(talk);
	assert_says(talk, "RENAME a a", "+OK\r\n");
	assert_string_equal(talk_log(talk), "");
	assert_says(talk, "RENAME a b", "+OK\r\n");
	assert_string_equal(talk_log(talk), "RENAME a b|");
	assert_says(talk, "PTTL b", ":5000\r\n");
	assert_says(talk, "GET b", "$1\r\n1\r\n");
	assert_says(talk, "EXISTS a", ":0\r\n");
	assert_says(talk, "RENAMENX b c", ":1\r\n");
}

static void copies_keep_value_and_expiry(void **state)
{
	struct talk *talk = *state;
	char value[6000];

	assert_says(talk, "COPY a b", ":0\r\n");
	assert_says(talk, "COPY a a", "-ERR source and destination objects are the same\r\n");
	talk_say(talk, "SET a 12 PX 5000");
	assert_says(talk, "COPY a b", ":1\r\n");
	assert_says(talk, "OBJECT ENCODING b", "$3\r\nint\r\n");
	assert_says(talk, "PTTL b", ":5000\r\n");
	talk_say(talk, "SET a text");
	assert_says(talk, "COPY a b", ":0\r\n");
	assert_says(talk, "COPY a b REPLACE", ":1\r\n");
	assert_says(talk, "PTTL b", ":-1\r\n");
	assert_says(talk, "GET b", "$4\r\ntext\r\n");
	assert_says(talk, "COPY a a DB 3", ":1\r\n");
	assert_says(talk, "COPY a b DB 16", "-ERR DB index is out of range\r\n");
	assert_says(talk, "COPY a b DB x", "-ERR value is not an integer or out of range\r\n");
	assert_says(
		talk, "COPY a b DB 99999999999",
		"-ERR value is out of range, value must between -2147483648 and 2147483647\r\n");
	assert_says(talk, "COPY a b DB", "-ERR syntax error\r\n");
	assert_says(talk, "COPY a b FOO", "-ERR syntax error\r\n");
	/* What was edited stays raw, however short. */
	talk_say(talk, "APPEND a x");
	assert_says(talk, "COPY a raw", ":1\r\n");
	assert_says(talk, "OBJECT ENCODING raw", "$3\r\nraw\r\n");
	assert_says(talk, "GET raw", "$5\r\ntextx\r\n");
	/* Long enough to be shared instead of copied. */
	memset(value, 'x', sizeof(value));
	talk_args(talk, 3,
		  (struct arg[]){{SLICE("SET"), NULL},
				 {SLICE("a"), NULL},
				 {{value, sizeof(value)}, NULL}});
	assert_says(talk, "COPY a long", ":1\r\n");
	talk_say(talk, "DEL a");
	assert_int_equal(strncmp(talk_say(talk, "GET long"), "$6000\r\nxxxx", 11), 0);
	talk->db = 3;
	assert_says(talk, "GET a", "$4\r\ntext\r\n");
}

static void a_copy_tells_those_who_watch_its_place_and_no_others(void **state)
{
	struct talk *talk = *state;
	struct watcher from = {0}, to = {0}, there = {0};

	talk_say(talk, "SET a 1");
	assert_int_equal(watches_add(talk->engine.watches, &from, 0, SLICE("a"), 0), 0);
	assert_int_equal(watches_add(talk->engine.watches, &to, 0, SLICE("b"), 0), 0);
	assert_int_equal(watches_add(talk->engine.watches, &there, 2, SLICE("b"), 0), 0);
	talk_say(talk, "COPY a b DB 2");
	assert_true(there.dirty);
	assert_false(to.dirty);
	talk_say(talk, "COPY a b");
	assert_true(to.dirty);
	assert_false(from.dirty);
	watches_drop(talk->engine.watches, &from);
	watches_drop(talk->engine.watches, &to);
	watches_drop(talk->engine.watches, &there);
}

static void a_key_moves_to_another_database(void **state)
{
	struct talk *talk = *state;
	struct watcher there = {0};

	assert_says(talk, "MOVE a 0", "-ERR source and destination objects are the same\r\n");
	assert_says(talk, "MOVE a 16", "-ERR DB index is out of range\r\n");
	assert_says(talk, "MOVE a 1", ":0\r\n");
	talk_say(talk, "SET a 1 PX 5000");
	assert_int_equal(watches_add(talk->engine.watches, &there, 1, SLICE("a"), 0), 0);
	assert_says(talk, "MOVE a 1", ":1\r\n");
	assert_true(there.dirty);
	watches_drop(talk->engine.watches, &there);
	assert_says(talk, "EXISTS a", ":0\r\n");
	talk_say(talk, "SET a 2");
	assert_says(talk, "MOVE a 1", ":0\r\n");
	talk->db = 1;
	assert_says(talk, "GET a", "$1\r\n1\r\n");
	assert_says(talk, "PTTL a", ":5000\r\n");
	talk->settings.mode = KV_CLUSTER;
	assert_says(talk, "MOVE a 0", "-ERR MOVE is not allowed in cluster mode\r\n");
	assert_says(talk, "SWAPDB 0 1", "-ERR SWAPDB is not allowed in cluster mode\r\n");
}

static void databases_are_emptied_and_exchanged(void **state)
{
	struct talk *talk = *state;
	const char *logged;

	talk_say(talk, "SET a 1");
	assert_says(talk, "SWAPDB 0 3", "+OK\r\n");
	assert_says(talk, "DBSIZE", ":0\r\n");
	assert_says(talk, "SWAPDB x 1", "-ERR invalid first DB index\r\n");
	assert_says(talk, "SWAPDB 99 x", "-ERR invalid second DB index\r\n");
	assert_says(talk, "SWAPDB 0 16", "-ERR DB index is out of range\r\n");
	talk_log(talk);
	assert_says(talk, "FLUSHDB", "+OK\r\n");
	talk->db = 3;
	assert_says(talk, "DBSIZE", ":1\r\n");
	assert_says(talk, "FLUSHALL FOO", "-ERR syntax error\r\n");
	assert_says(talk, "FLUSHDB ASYNC x", "-ERR syntax error\r\n");
	assert_says(talk, "FLUSHALL ASYNC", "+OK\r\n");
	assert_says(talk, "DBSIZE", ":0\r\n");
	logged = talk_log(talk);
	assert_non_null(strstr(logged, "|3 FLUSHALL ASYNC|"));
	assert_non_null(strstr(logged, "FLUSHDB|"));
}

static void keys_are_listed_by_pattern_and_not_when_they_have_expired(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "KEYS *", "*0\r\n");
	assert_says(talk, "RANDOMKEY", "$-1\r\n");
	talk_say(talk, "SET abc 1");
	talk_say(talk, "SET xyz 1 PX 10");
	assert_says(talk, "KEYS a*", "*1\r\n$3\r\nabc\r\n");
	assert_says(talk, "KEYS [^a]*", "*1\r\n$3\r\nxyz\r\n");
	talk->engine.now_ms += 11;
	assert_says(talk, "KEYS *", "*1\r\n$3\r\nabc\r\n");
	assert_says(talk, "RANDOMKEY", "$3\r\nabc\r\n");
	assert_says(talk, "SCAN 0 COUNT 100", "*2\r\n$1\r\n0\r\n*1\r\n$3\r\nabc\r\n");
}

static void the_empty_key_is_listed_by_a_lone_star(void **state)
{
	struct talk *talk = *state;
	const struct arg argv[] = {{SLICE("SET"), NULL}, {SLICE(""), NULL}, {SLICE("v"), NULL}};

	talk_args(talk, 3, argv);
	assert_says(talk, "KEYS *", "*1\r\n$0\r\n\r\n");
	assert_says(talk, "KEYS **", "*0\r\n");
}

/* Goes on from cursor to cursor; returns how many keys it met, each at least once. */
static int scan_all(struct talk *talk, const char *options, int key_count)
{
	static bool seen[3000];
	unsigned long cursor = 0;
	int met = 0;

	memset(seen, 0, sizeof(seen));
	do {
		char line[128];
		const char *at;

		snprintf(line, sizeof(line), "SCAN %lu %s", cursor, options);
		at = strchr(talk_say(talk, line), '\n');
		at = strchr(at + 1, '\n') + 1;
		cursor = strtoul(at, NULL, 10);
		while ((at = strstr(at, "\r\nkey:")) != NULL) {
			int i = atoi(at += 6);

			assert_true(i < key_count);
			met += !seen[i];
			seen[i] = true;
		}
	} while (cursor != 0);
	return met;
}

static void scan_visits_all_while_keys_come_and_go(void **state)
{
	struct talk *talk = *state;
	char line[64];

	for (int i = 0; i < 2000; i++) {
		snprintf(line, sizeof(line), "SET key:%d v", i);
		talk_say(talk, line);
	}
	assert_int_equal(scan_all(talk, "", 2000), 2000);
	assert_int_equal(scan_all(talk, "COUNT 100", 2000), 2000);
	assert_int_equal(scan_all(talk, "MATCH key:1??", 2000), 100);
	assert_int_equal(scan_all(talk, "TYPE string COUNT 50", 2000), 2000);
	assert_int_equal(scan_all(talk, "TYPE list", 2000), 0);
	assert_int_equal(scan_all(talk, "MATCH nokey*", 2000), 0);
}

static void scan_refuses_what_it_does_not_know(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "SCAN x", "-ERR invalid cursor\r\n");
	assert_says(talk, "SCAN 18446744073709551616", "-ERR invalid cursor\r\n");
	assert_says(talk, "SCAN 0x", "-ERR invalid cursor\r\n");
	assert_says(talk, "SCAN 18446744073709551615", "*2\r\n$1\r\n0\r\n*0\r\n");
	assert_says(talk, "SCAN -1", "*2\r\n$1\r\n0\r\n*0\r\n");
	assert_says(talk, "SCAN 0 COUNT", "-ERR syntax error\r\n");
	assert_says(talk, "SCAN 0 COUNT 0", "-ERR syntax error\r\n");
	assert_says(talk, "SCAN 0 COUNT x", "-ERR value is not an integer or out of range\r\n");
	assert_says(talk, "SCAN 0 FOO 1", "-ERR syntax error\r\n");
	assert_says(talk, "SCAN 0 MATCH a MATCH b TYPE x", "*2\r\n$1\r\n0\r\n*0\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALK_TEST(keys_are_deleted_counted_and_touched),
		TALK_TEST(del_tells_watchers_of_what_was_there_only),
		TALK_TEST(types_and_encodings_are_redis_own_words),
		TALK_TEST(renaming_takes_the_expiry_along),
		TALK_TEST(copies_keep_value_and_expiry),
		TALK_TEST(a_copy_tells_those_who_watch_its_place_and_no_others),
		TALK_TEST(a_key_moves_to_another_database),
		TALK_TEST(databases_are_emptied_and_exchanged),
		TALK_TEST(keys_are_listed_by_pattern_and_not_when_they_have_expired),
		TALK_TEST(the_empty_key_is_listed_by_a_lone_star),
		TALK_TEST(scan_visits_all_while_keys_come_and_go),
		TALK_TEST(scan_refuses_what_it_does_not_know),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
