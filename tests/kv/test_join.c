/* What two shards answer becomes one answer. */
#include "kv/join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "talk.h"

enum { SHARDS = 2, ARGS = 8 };

struct pair {
	struct talk shards[SHARDS];
};

static uint64_t fake_now_ns, fake_step_ns;

static uint64_t fake_clock(void)
{
	return fake_now_ns += fake_step_ns;
}

static int open_pair(void **state)
{
	struct pair *pair = malloc(sizeof(*pair));

	assert_non_null(pair);
	for (int i = 0; i < SHARDS; i++) {
		talk_open(&pair->shards[i]);
		pair->shards[i].engine.shard = i;
		pair->shards[i].engine.shard_count = SHARDS;
		pair->shards[i].engine.clock_ns = fake_clock;
	}
	fake_now_ns = 0;
	fake_step_ns = 0;
	*state = pair;
	return 0;
}

static int close_pair(void **state)
{
	struct pair *pair = *state;

	for (int i = 0; i < SHARDS; i++)
		talk_close(&pair->shards[i]);
	free(pair);
	return 0;
}

static int split_words(char *words, struct arg argv[ARGS])
{
	int argc = 0;

	for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
		argv[argc++] = (struct arg){slice_of(word), NULL};
	return argc;
}

/* Asks both, and joins; the reply is shard 0's talk's. */
static const char *ask_both(struct pair *pair, const char *line)
{
	struct talk *talk = &pair->shards[0];
	struct out answers[SHARDS], out;
	struct arg argv[ARGS];
	char words[256];
	struct call call = {.engine = &talk->engine, .argv = argv, .out = &out};

	snprintf(words, sizeof(words), "%s", line);
	call.argc = split_words(words, argv);
	call.command = command_find_or_null(call.argc, argv);
	assert_non_null(call.command);
	assert_int_equal(call.command->spread, SPREAD_ALL);
	out_init(&out, talk->resp);
	for (int i = 0; i < SHARDS; i++) {
		struct call part = call;

		out_init(&answers[i], talk->resp);
		part.engine = &pair->shards[i].engine;
		part.out = &answers[i];
		part.part = true;
		engine_run(&part);
	}
	join_answers(&call, answers, SHARDS);
	for (int i = 0; i < SHARDS; i++)
		out_fini(&answers[i]);
	talk->reply_len = out_take(&out, talk->reply, sizeof(talk->reply) - 1);
	talk->reply[talk->reply_len] = 0;
	assert_false(out.failed);
	out_fini(&out);
	return talk->reply;
}

#define assert_joined(pair, line, expected) assert_string_equal(ask_both(pair, line), expected)

static void numbers_are_added_and_lists_are_appended(void **state)
{
	struct pair *pair = *state;

	assert_joined(pair, "KEYS *", "*0\r\n");
	talk_say(&pair->shards[0], "SET a 1");
	talk_say(&pair->shards[1], "SET b 1");
	talk_say(&pair->shards[1], "SET c 1");
	assert_joined(pair, "DBSIZE", ":3\r\n");
	assert_joined(pair, "KEYS a*", "*1\r\n$1\r\na\r\n");
	assert_joined(pair, "KEYS [ab]", "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
}

static void what_all_do_is_answered_once_and_an_error_of_any_is_the_answer(void **state)
{
	struct pair *pair = *state;

	talk_say(&pair->shards[1], "SET b 1");
	assert_joined(pair, "FLUSHALL", "+OK\r\n");
	assert_joined(pair, "DBSIZE", ":0\r\n");
	assert_joined(pair, "FLUSHALL now", "-ERR syntax error\r\n");
	assert_joined(pair, "CONFIG SET maxmemory 1mb", "+OK\r\n");
	assert_int_equal(pair->shards[1].settings.maxmemory, 1 << 20);
	assert_int_equal(pair->shards[1].settings.store.maxmemory, 1 << 19);
	pair->shards[1].refusal = "MISCONF disk full";
	assert_joined(pair, "FLUSHALL", "-MISCONF disk full\r\n");
}

static void a_random_key_is_each_one_as_likely(void **state)
{
	struct pair *pair = *state;
	int first = 0;

	assert_joined(pair, "RANDOMKEY", "$-1\r\n");
	talk_say(&pair->shards[0], "SET a 1");
	assert_joined(pair, "RANDOMKEY", "$1\r\na\r\n");
	for (int i = 0; i < 3; i++) {
		char line[32];

		snprintf(line, sizeof(line), "SET b%d 1", i);
		talk_say(&pair->shards[1], line);
	}
	for (int i = 0; i < 4000; i++)
		first += strcmp(ask_both(pair, "RANDOMKEY"), "$1\r\na\r\n") == 0;
	/* A quarter: 1000, with a deviation of 27. */
	assert_in_range(first, 850, 1150);
}

static void scan_goes_from_shard_to_shard(void **state)
{
	struct pair *pair = *state;
	unsigned long cursor = 0;
	int met = 0;

	for (int i = 0; i < 1000; i++) {
		char line[32];

		snprintf(line, sizeof(line), "SET k%d 1", i);
		talk_say(&pair->shards[i % SHARDS], line);
	}
	do {
		char line[64], words[64];
		struct arg argv[ARGS];
		struct call call = {.argv = argv,
				    .command = command_by_name_or_null(SLICE("scan"))};
		const char *at;
		int shard;

		snprintf(line, sizeof(line), "SCAN %lu", cursor);
		snprintf(words, sizeof(words), "%s", line);
		call.argc = split_words(words, argv);
		shard = join_shard(&call, SHARDS);
		assert_in_range(shard, 0, SHARDS - 1);
		at = strchr(talk_say(&pair->shards[shard], line), '\n');
		at = strchr(at + 1, '\n') + 1;
		cursor = strtoul(at, NULL, 10);
		while ((at = strstr(at, "\r\nk")) != NULL) {
			met++;
			at += 3;
		}
	} while (cursor != 0);
	assert_in_range(met, 1000, 1100);
}

static void other_commands_ask_all_shards(void **state)
{
	struct arg argv[ARGS];
	char words[] = "DBSIZE";
	struct call call = {.argv = argv, .command = command_by_name_or_null(SLICE("dbsize"))};

	(void)state;
	call.argc = split_words(words, argv);
	assert_int_equal(join_shard(&call, SHARDS), -1);
}

static void info_tells_of_all_together(void **state)
{
	struct pair *pair = *state;

	talk_say(&pair->shards[0], "SET a 1");
	talk_say(&pair->shards[1], "SET b 1 EX 100");
	talk_say(&pair->shards[1], "SET c 1");
	assert_non_null(strstr(ask_both(pair, "INFO keyspace"), "db0:keys=3,expires=1,avg_ttl=0"));
	assert_non_null(strstr(ask_both(pair, "INFO commandstats"), "cmdstat_set:calls=3,"));
	talk_say(&pair->shards[0], "GET");
	talk_say(&pair->shards[1], "GET");
	assert_non_null(strstr(ask_both(pair, "INFO errorstats"), "errorstat_ERR:count=2\r\n"));
	assert_non_null(strstr(ask_both(pair, "INFO server"), "redis_version:7.0.15\r\n"));
	assert_non_null(strstr(ask_both(pair, "MEMORY STATS"), "$10\r\nkeys.count\r\n:3\r\n"));
}

static void debug_object_is_answered_by_who_has_the_key(void **state)
{
	struct pair *pair = *state;

	talk_say(&pair->shards[1], "SET b 17");
	assert_non_null(strstr(ask_both(pair, "DEBUG OBJECT b"), "encoding:int"));
	assert_joined(pair, "DEBUG OBJECT c", "-ERR no such key\r\n");
	assert_joined(pair, "DEBUG PROTOCOL string", "$11\r\nHello World\r\n");
	assert_joined(pair, "DEBUG PROTOCOL null", "$-1\r\n");
	assert_joined(pair, "DEBUG SET-ACTIVE-EXPIRE 0", "+OK\r\n");
	assert_false(pair->shards[1].settings.active_expire);
	pair->shards[0].resp = 3;
	assert_joined(pair, "DEBUG OBJECT c", "-ERR no such key\r\n");
}

static void the_slowlog_is_in_the_order_of_time(void **state)
{
	struct pair *pair = *state;
	const char *reply;

	fake_step_ns = 20000000;
	for (int i = 0; i < 6; i++) {
		struct talk *talk = &pair->shards[i % SHARDS];

		talk->engine.now_ms = 1000000 + 1000 * (uint64_t)i;
		talk_say(talk, i % 2 == 0 ? "KEYS even" : "KEYS odd");
	}
	fake_step_ns = 0;
	assert_joined(pair, "SLOWLOG LEN", ":6\r\n");
	reply = ask_both(pair, "SLOWLOG GET 3");
	assert_string_equal(reply,
			    "*3\r\n"
			    "*6\r\n:5\r\n:1005\r\n:20000\r\n*2\r\n$4\r\nKEYS\r\n$3\r\nodd\r\n"
			    "$0\r\n\r\n$0\r\n\r\n"
			    "*6\r\n:4\r\n:1004\r\n:20000\r\n*2\r\n$4\r\nKEYS\r\n$4\r\neven\r\n"
			    "$0\r\n\r\n$0\r\n\r\n"
			    "*6\r\n:3\r\n:1003\r\n:20000\r\n*2\r\n$4\r\nKEYS\r\n$3\r\nodd\r\n"
			    "$0\r\n\r\n$0\r\n\r\n");
	assert_int_equal(strncmp(ask_both(pair, "SLOWLOG GET -1"), "*6\r\n", 4), 0);
	assert_joined(pair, "SLOWLOG RESET", "+OK\r\n");
	assert_joined(pair, "SLOWLOG GET", "*0\r\n");
}

static void latencies_of_all_shards_are_one_history(void **state)
{
	struct pair *pair = *state;

	ask_both(pair, "CONFIG SET latency-monitor-threshold 10");
	assert_joined(pair, "LATENCY LATEST", "*0\r\n");
	fake_step_ns = 30000000;
	pair->shards[1].engine.now_ms = 2000000;
	talk_say(&pair->shards[1], "KEYS a");
	fake_step_ns = 50000000;
	pair->shards[0].engine.now_ms = 1999000;
	talk_say(&pair->shards[0], "KEYS a");
	fake_step_ns = 0;
	assert_joined(pair, "LATENCY LATEST",
		      "*1\r\n*4\r\n$7\r\ncommand\r\n:2000\r\n:30\r\n:50\r\n");
	assert_joined(pair, "LATENCY HISTORY command",
		      "*2\r\n*2\r\n:1999\r\n:50\r\n*2\r\n:2000\r\n:30\r\n");
	assert_joined(pair, "LATENCY HISTORY other", "*0\r\n");
	assert_non_null(strstr(ask_both(pair, "LATENCY DOCTOR"), "the slowest 50 ms"));
	assert_joined(pair, "LATENCY RESET other", ":0\r\n");
	assert_joined(pair, "LATENCY RESET", ":1\r\n");
	assert_joined(pair, "LATENCY RESET", ":0\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)
		TEST(numbers_are_added_and_lists_are_appended),
		TEST(what_all_do_is_answered_once_and_an_error_of_any_is_the_answer),
		TEST(a_random_key_is_each_one_as_likely),
		TEST(scan_goes_from_shard_to_shard),
		TEST(other_commands_ask_all_shards),
		TEST(info_tells_of_all_together),
		TEST(debug_object_is_answered_by_who_has_the_key),
		TEST(the_slowlog_is_in_the_order_of_time),
		TEST(latencies_of_all_shards_are_one_history),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
