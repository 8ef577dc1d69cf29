/* A log is rewritten while it is written: what is in which file, and what comes back. */
#include "frail_disk.h"
#include "log_place.h"

#include "kv/aof_inside.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Keys enough that a turn scans only a part of them. */
static void begin_long_rewrite(struct log_place *place)
{
	struct aof *aof = place->engine.aof;
	char line[64];

	for (int i = 0; i < 2000; i++) {
		sprintf(line, "SET key-%d value-%d", i, i);
		log_place_say(place, 0, line);
	}
	log_place_settle(place);
	assert_int_equal(aof_rewrite(aof), AOF_REWRITE_STARTED);
	while (aof->rewrite.state != REWRITE_SCAN) {
		aof_turn(aof, aof->now_ns + 1);
		disk_reap(aof->disk, true);
	}
	assert_int_equal(aof_rewrite(aof), AOF_REWRITE_UNDER_WAY);
}

static void check_rewritten(struct log_place *place)
{
	struct aof *aof = place->engine.aof;
	uint64_t digest = log_place_digest(place);

	assert_true(aof->rewrite.scanning);
	log_place_settle(place);
	assert_int_equal(aof->figures.rewrites, 1);
	assert_int_equal(aof->manifest.count, 2);
	log_place_crash(place);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), digest);
	assert_int_equal(log_place_file_len(place, "shard-0.1.aof"), -1);
	log_place_close(place);
}

/* None of them is written yet when its database goes; the copies have to be there nevertheless. */
static void copies_made_during_a_rewrite_survive_that_what_was_copied_is_flushed(void **state)
{
	struct log_place *place = *state;
	char line[64];

	assert_int_equal(log_place_open(place, 0, 1), 0);
	begin_long_rewrite(place);
	for (int i = 0; i < 2000; i += 50) {
		sprintf(line, "COPY key-%d copy-%d DB 1", i, i);
		assert_string_equal(log_place_say(place, 0, line), ":1\r\n");
	}
	assert_string_equal(log_place_say(place, 0, "FLUSHDB"), "+OK\r\n");
	log_place_say(place, 0, "SET a 1");
	check_rewritten(place);
}

static void databases_may_be_swapped_during_a_rewrite(void **state)
{
	struct log_place *place = *state;

	assert_int_equal(log_place_open(place, 0, 1), 0);
	begin_long_rewrite(place);
	log_place_say(place, 0, "SWAPDB 0 1");
	log_place_say(place, 1, "APPEND key-7 more");
	log_place_say(place, 0, "SET key-7 new");
	log_place_say(place, 0, "SWAPDB 1 2");
	log_place_say(place, 2, "DEL key-8");
	check_rewritten(place);
}

static void what_a_rewrite_fails_at_leaves_the_log_as_it_was(void **state)
{
	struct log_place *place = *state;
	struct aof *aof;
	uint64_t digest;

	frail_arm(1);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	log_place_say(place, 0, "SET a 1");
	log_place_settle(place);
	frail.fail_open = -ENOSPC;
	aof_rewrite(aof);
	for (int i = 0; i < 50; i++) {
		log_place_say(place, 3, "APPEND a 2");
		aof_turn(aof, aof->now_ns + 1);
	}
	frail.fail_open = 0;
	assert_int_equal(aof->figures.rewrites_failed, 1);
	assert_int_equal(aof->manifest.count, 1);
	log_place_settle(place);
	assert_int_equal(aof_durable(aof), aof_end(aof));
	digest = log_place_digest(place);
	aof_rewrite(aof);
	log_place_settle(place);
	assert_int_equal(aof->figures.rewrites, 1);
	log_place_crash(place);
	frail_disarm();
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), digest);
	log_place_close(place);
}

/* On a full disk it takes the room that the log itself needs. */
static void a_base_that_could_not_be_written_is_removed(void **state)
{
	struct log_place *place = *state;
	struct aof *aof;

	frail_arm(1);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	begin_long_rewrite(place);
	assert_int_not_equal(log_place_file_len(place, "shard-0.2.aof"), -1);
	frail.fail_write = -ENOSPC;
	for (int i = 0; i < 100 && aof->rewrite.state != REWRITE_NONE; i++)
		aof_turn(aof, aof->now_ns + 1);
	assert_int_equal(aof->figures.rewrites_failed, 1);
	assert_int_equal(log_place_file_len(place, "shard-0.2.aof"), -1);
	frail.fail_write = 0;
	aof_rewrite(aof);
	log_place_settle(place);
	assert_int_equal(aof->figures.rewrites, 1);
	log_place_close(place);
}

/* Each leaves one more file in the manifest, which has room for so many. */
static void fail_as_often_as_may_be(struct log_place *place)
{
	struct aof *aof = place->engine.aof;

	while (aof->manifest.count < MANIFEST_FILE_COUNT_MAX) {
		log_place_say(place, 0, "APPEND a 2");
		log_place_settle(place);
		assert_int_equal(aof_rewrite(aof), AOF_REWRITE_STARTED);
		while (aof->rewrite.state != REWRITE_SCAN && aof->rewrite.state != REWRITE_FINISH)
			aof_turn(aof, aof->now_ns + 1);
		log_place_say(place, 1, "INCR b");
		aof_rewrite_cancel(aof);
		log_place_settle(place);
		assert_int_equal(aof_durable(aof), aof_end(aof));
	}
	assert_int_equal(aof->figures.rewrites_failed, MANIFEST_FILE_COUNT_MAX - 1);
}

static void after_rewrites_that_failed_too_often_the_next_start_writes_it_anew(void **state)
{
	struct log_place *place = *state;
	uint64_t digest;

	frail_arm(1);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	fail_as_often_as_may_be(place);
	assert_int_equal(aof_rewrite(place->engine.aof), AOF_REWRITE_STARTED);
	log_place_settle(place);
	assert_int_equal(place->engine.aof->figures.rewrites_failed, MANIFEST_FILE_COUNT_MAX);
	assert_false(place->engine.aof->rewrite.asked);
	log_place_say(place, 1, "INCR b");
	log_place_settle(place);
	digest = log_place_digest(place);
	log_place_crash(place);
	/* Without room for that it starts nevertheless. */
	frail.fail_write = -ENOSPC;
	assert_int_equal(log_place_open(place, 0, 1), 0);
	frail.fail_write = 0;
	assert_int_equal(place->engine.aof->manifest.count, MANIFEST_FILE_COUNT_MAX);
	assert_int_equal(log_place_digest(place), digest);
	log_place_crash(place);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(place->engine.aof->manifest.count, 2);
	assert_int_equal(log_place_digest(place), digest);
	assert_int_equal(aof_rewrite(place->engine.aof), AOF_REWRITE_STARTED);
	log_place_settle(place);
	assert_int_equal(place->engine.aof->figures.rewrites, 1);
	log_place_close(place);
}

static void a_crash_while_it_is_written_anew_loses_nothing(void **state)
{
	bool over = false;

	(void)state;
	for (unsigned dies_at = 1; !over; dies_at++) {
		for (unsigned power = 0; power < 2; power++) {
			struct log_place place;
			uint64_t digest;

			log_place_make(&place);
			frail_arm(dies_at * 2 + power);
			assert_int_equal(log_place_open(&place, 0, 1), 0);
			fail_as_often_as_may_be(&place);
			log_place_settle(&place);
			digest = log_place_digest(&place);
			log_place_crash(&place);
			frail_arm(dies_at * 2 + power);
			frail.tears = true;
			frail.dies_at = dies_at;
			if (log_place_open(&place, 0, 1) == 0)
				log_place_crash(&place);
			over = !frail.dead;
			if (power)
				frail_lose_power(place.fd);
			frail_disarm();
			assert_int_equal(log_place_open(&place, 0, 1), 0);
			assert_int_equal(log_place_digest(&place), digest);
			log_place_close(&place);
			log_place_remove(&place);
		}
	}
}

static void a_log_that_has_grown_enough_is_rewritten_by_itself(void **state)
{
	struct log_place *place = *state;
	char line[64];

	place->settings.rewrite_percentage = 100;
	place->settings.rewrite_len_min = 10000;
	assert_int_equal(log_place_open(place, 0, 1), 0);
	for (int i = 0; i < 1000; i++) {
		sprintf(line, "SET key-%d value", i % 10);
		log_place_say(place, 0, line);
		log_place_settle(place);
	}
	/* 38,000 bytes: at 10,000, and each time it has as much again. */
	assert_in_range(place->engine.aof->figures.rewrites, 3, 4);
	log_place_close(place);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, log_place_setup, log_place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(copies_made_during_a_rewrite_survive_that_what_was_copied_is_flushed),
		TEST(databases_may_be_swapped_during_a_rewrite),
		TEST(what_a_rewrite_fails_at_leaves_the_log_as_it_was),
		TEST(a_base_that_could_not_be_written_is_removed),
		TEST(after_rewrites_that_failed_too_often_the_next_start_writes_it_anew),
		cmocka_unit_test(a_crash_while_it_is_written_anew_loses_nothing),
		TEST(a_log_that_has_grown_enough_is_rewritten_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
