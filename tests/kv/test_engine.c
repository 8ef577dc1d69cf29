/* What happens to every command: whether it may run, what is logged, counted, and told. */
#include "kv/watches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "talk.h"

static void what_cannot_run_says_why_and_changes_nothing(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "NOSUCH a",
		    "-ERR unknown command 'NOSUCH', with args beginning with: "
		    "'a' \r\n");
	assert_says(talk, "GET", "-ERR wrong number of arguments for 'get' command\r\n");
	talk->refusal = "MISCONF the disk is full";
	assert_says(talk, "SET k v", "-MISCONF the disk is full\r\n");
	assert_says(talk, "GET k", "$-1\r\n");
	talk->engine.loading = true;
	assert_says(talk, "SET k v", "+OK\r\n");
	assert_string_equal(talk_log(talk), "");
	assert_int_equal(talk->engine.stats.errors, 3);
}

static void when_there_is_no_room_only_what_grows_is_refused(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "SET k v", "+OK\r\n");
	talk->settings.store.maxmemory = 1;
	store_configure(talk->engine.store, &talk->settings.store);
	assert_says(talk, "SET k w",
		    "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
	assert_says(talk, "GET k", "$1\r\nv\r\n");
}

static void commands_and_errors_are_counted(void **state)
{
	struct talk *talk = *state;
	const unsigned get = command_index(command_by_name_or_null(SLICE("get")));

	talk_say(talk, "GET a");
	talk_say(talk, "GET b");
	talk_say(talk, "GET");
	assert_int_equal(talk->engine.stats.commands, 3);
	assert_int_equal(talk->engine.stats.calls[get], 2);
	assert_int_equal(talk->engine.stats.failed[get], 1);
	assert_int_equal(talk->engine.stats.errors, 1);
}

static uint64_t tick(void)
{
	static uint64_t now_ns;

	return now_ns += 1000;
}

static void commands_are_timed_and_brief_ones_by_samples(void **state)
{
	struct talk *talk = *state;
	const unsigned get = command_index(command_by_name_or_null(SLICE("get")));
	const unsigned lcs = command_index(command_by_name_or_null(SLICE("lcs")));

	talk->engine.clock_ns = tick;
	for (int i = 0; i < 65; i++) {
		talk_say(talk, "GET a");
		talk_say(talk, "LCS a b");
	}
	assert_int_equal(talk->engine.stats.ns[lcs], 65 * 1000);
	/* The first and the last were timed, which stands for those between. */
	assert_int_equal(talk->engine.stats.ns[get], 65 * 1000);
}

static void who_asks_for_every_command_gets_every_command(void **state)
{
	struct talk *talk = *state;

	talk->engine.clock_ns = tick;
	for (int i = 0; i < 10; i++)
		talk_say(talk, "GET a");
	assert_says(talk, "SLOWLOG LEN", ":0\r\n");
	talk->settings.slowlog_slower_us = 1;
	for (int i = 0; i < 10; i++)
		talk_say(talk, "GET a");
	/* And SLOWLOG LEN itself before it. */
	assert_says(talk, "SLOWLOG LEN", ":10\r\n");
	talk->settings.slowlog_slower_us = 10000;
	/* Many keys are not brief. */
	talk_say(talk, "MGET a");
	talk_say(talk, "MGET 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16");
	assert_int_equal(
		talk->engine.stats.ns[command_index(command_by_name_or_null(SLICE("mget")))], 2000);
}

static void what_was_granted_is_not_asked_for_again(void **state)
{
	const struct arg argv[] = {
		{.text = SLICE("SET")}, {.text = SLICE("k")}, {.text = SLICE("v")}};
	struct talk *talk = *state;
	struct out out;
	struct call call = {
		.engine = &talk->engine, .argc = 3, .argv = argv, .out = &out, .granted = true};

	talk->refusal = "MISCONF the disk is full";
	out_init(&out, 2);
	engine_run(&call);
	assert_int_equal(out.errors, 0);
	out_fini(&out);
	assert_says(talk, "GET k", "$1\r\nv\r\n");
}

static void watchers_are_dirty_when_their_keys_change(void **state)
{
	struct talk *talk = *state;
	struct watches *watches = talk->engine.watches;
	struct watcher a = {0}, b = {0};

	assert_int_equal(watches_add(watches, &a, 0, SLICE("k"), 0), 0);
	assert_int_equal(watches_add(watches, &a, 0, SLICE("k"), 0), 0);
	assert_int_equal(watches_add(watches, &b, 1, SLICE("k"), 0), 0);
	talk_say(talk, "SET other v");
	talk_say(talk, "GET k");
	talk_say(talk, "SET k v XX");
	assert_false(a.dirty);
	talk_say(talk, "SET k v");
	assert_true(a.dirty);
	assert_false(b.dirty);
	watches_drop(watches, &a);
	assert_false(a.dirty);
	talk_say(talk, "SET k v");
	assert_false(a.dirty);
	talk->db = 1;
	talk_say(talk, "SET k v");
	assert_true(b.dirty);
	watches_drop(watches, &b);
}

static void a_watched_key_that_expires_is_a_change_but_not_one_that_had(void **state)
{
	struct talk *talk = *state;
	struct watches *watches = talk->engine.watches;
	struct watcher a = {0}, b = {0};

	talk_say(talk, "SET k v PX 10");
	assert_int_equal(watches_add(watches, &a, 0, SLICE("k"), talk->engine.now_ms), 0);
	assert_false(watches_dirty(watches, &a, talk->engine.now_ms));
	talk->engine.now_ms += 11;
	assert_int_equal(watches_add(watches, &b, 0, SLICE("k"), talk->engine.now_ms), 0);
	assert_true(watches_dirty(watches, &a, talk->engine.now_ms));
	assert_false(watches_dirty(watches, &b, talk->engine.now_ms));
	watches_drop(watches, &a);
	talk_say(talk, "SET k v PX 10");
	watches_drop(watches, &b);
	assert_int_equal(watches_add(watches, &b, 0, SLICE("k"), talk->engine.now_ms), 0);
	/* Nobody looks at it but EXEC. */
	talk->engine.now_ms += 11;
	assert_true(watches_dirty(watches, &b, talk->engine.now_ms));
	watches_drop(watches, &b);
}

static void databases_that_are_cleared_or_swapped_change_what_is_in_them(void **state)
{
	struct talk *talk = *state;
	struct watches *watches = talk->engine.watches;
	struct watcher there = {0}, missing = {0};
	static struct watcher swapped;

	talk_say(talk, "SET k v");
	watches_add(watches, &there, 0, SLICE("k"), 0);
	watches_add(watches, &missing, 0, SLICE("none"), 0);
	watches_add(watches, &swapped, 2, SLICE("k"), 0);
	store_swap(talk->engine.store, 2, 3);
	assert_false(swapped.dirty);
	store_swap(talk->engine.store, 0, 2);
	assert_true(swapped.dirty);
	assert_true(there.dirty);
	assert_false(missing.dirty);
	store_swap(talk->engine.store, 0, 2);
	watches_drop(watches, &there);
	watches_add(watches, &there, 0, SLICE("k"), 0);
	store_clear(talk->engine.store, 0);
	assert_true(there.dirty);
	assert_false(missing.dirty);
	watches_drop(watches, &there);
	watches_drop(watches, &missing);
	/* swapped is left to the end of the engine. */
}

static void who_watches_the_same_key_is_told_likewise(void **state)
{
	struct talk *talk = *state;
	struct watches *watches = talk->engine.watches;
	struct watcher a = {0}, b = {0};

	assert_int_equal(watches_add(watches, &a, 0, SLICE("k"), 0), 0);
	assert_int_equal(watches_add(watches, &b, 0, SLICE("k"), 0), 0);
	talk_say(talk, "SET k v");
	assert_true(a.dirty && b.dirty);
	watches_drop(watches, &a);
	watches_drop(watches, &b);
}

static void many_watches_are_found_again(void **state)
{
	struct talk *talk = *state;
	struct watcher watchers[100] = {0};
	char key[16];

	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(
			watches_add(talk->engine.watches, &watchers[i], 0, slice_of(key), 0), 0);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "SET k%d v", i);
		assert_false(watchers[i].dirty);
		talk_say(talk, key);
		assert_true(watchers[i].dirty);
	}
	for (int i = 0; i < 100; i++)
		watches_drop(talk->engine.watches, &watchers[i]);
}

static void a_key_that_goes_by_itself_is_logged_before_what_found_it_gone(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "SET k v PX 10");
	talk->engine.now_ms += 11;
	talk_log(talk);
	talk_say(talk, "SET k w NX");
	assert_string_equal(talk_log(talk), "LOST k|SET k w|");
	talk->db = 3;
	talk_say(talk, "SET k w");
	assert_string_equal(talk_log(talk), "3 SET k w|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALK_TEST(what_cannot_run_says_why_and_changes_nothing),
		TALK_TEST(when_there_is_no_room_only_what_grows_is_refused),
		TALK_TEST(commands_and_errors_are_counted),
		TALK_TEST(commands_are_timed_and_brief_ones_by_samples),
		TALK_TEST(who_asks_for_every_command_gets_every_command),
		TALK_TEST(what_was_granted_is_not_asked_for_again),
		TALK_TEST(watchers_are_dirty_when_their_keys_change),
		TALK_TEST(a_watched_key_that_expires_is_a_change_but_not_one_that_had),
		TALK_TEST(databases_that_are_cleared_or_swapped_change_what_is_in_them),
		TALK_TEST(who_watches_the_same_key_is_told_likewise),
		TALK_TEST(many_watches_are_found_again),
		TALK_TEST(a_key_that_goes_by_itself_is_logged_before_what_found_it_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
