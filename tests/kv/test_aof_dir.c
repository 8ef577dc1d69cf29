/* The directory of the logs: another number of shards, crashes in the midst of that, what is
 * missing. */
#include "frail_disk.h"
#include "log_place.h"

#include "kv/manifest.h"
#include "kv/slot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void say_if_owner(struct log_place *place, int db, const char *format, unsigned i)
{
	char line[128], key[32];
	int shard = place->engine.shard, count = place->engine.shard_count;

	snprintf(key, sizeof(key), "key-%u", i);
	snprintf(line, sizeof(line), format, i, i, i);
	if (slot_owner(slot_of(slice_of(key)), count) == shard)
		log_place_say(place, db, line);
}

/* Keys of all shards, with a history that means something within each shard only. */
static uint64_t fill(struct log_place *place, int shard_count)
{
	uint64_t sum = 0;

	for (int shard = 0; shard < shard_count; shard++) {
		assert_int_equal(log_place_open(place, shard, shard_count), 0);
		for (unsigned i = 0; i < 20; i++)
			say_if_owner(place, 1, "SET key-%u gone", i);
		log_place_say(place, 1, "FLUSHALL");
		for (unsigned i = 0; i < 60; i++)
			say_if_owner(place, (int)i % 3, "SET key-%u value-%u PXAT 99999999999", i);
		for (unsigned i = 0; i < 60; i += 7)
			say_if_owner(place, (int)i % 3, "SET key-%u{key-%u}old moves", i);
		for (unsigned i = 0; i < 60; i += 7)
			say_if_owner(place, (int)i % 3, "RENAME key-%u{key-%u}old key-%u", i);
		log_place_say(place, 0, "SWAPDB 0 5");
		sum += log_place_digest(place);
		log_place_close(place);
	}
	return sum;
}

static void check_owner(void *arg, struct entry *entry)
{
	struct log_place *place = arg;

	assert_int_equal(slot_owner(slot_of(entry_key(entry)), place->engine.shard_count),
			 place->engine.shard);
}

/* All keys, each on the shard that owns it now. */
static uint64_t sum_of(struct log_place *place, int shard_count)
{
	uint64_t sum = 0;

	for (int shard = 0; shard < shard_count; shard++) {
		assert_int_equal(log_place_open(place, shard, shard_count), 0);
		for (int db = 0; db < STORE_DB_COUNT; db++) {
			uint64_t cursor = 0;

			do
				cursor = store_scan(place->engine.store, db, cursor, check_owner,
						    place);
			while (cursor);
		}
		sum += log_place_digest(place);
		log_place_close(place);
	}
	return sum;
}

static unsigned file_count(struct log_place *place)
{
	DIR *names = opendir(place->path);
	unsigned count = 0;

	while (readdir(names))
		count++;
	closedir(names);
	return count - 3; /* ., .., kv.lock */
}

static void keys_go_to_their_new_owners_when_the_number_of_shards_changes(void **state)
{
	static const int counts[] = {3, 1, 7, 2, 2, 20, 1};
	struct log_place *place = *state;
	uint64_t sum = fill(place, 2);

	for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		assert_int_equal(sum_of(place, counts[i]), sum);
		/* A manifest, a base and a log each, and nothing of those before. */
		assert_int_equal(file_count(place), counts[i] * 3);
	}
}

static void what_is_appended_after_a_change_of_shards_comes_back(void **state)
{
	struct log_place *place = *state;
	uint64_t sum = fill(place, 3);

	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), sum);
	log_place_say(place, 4, "SET key-1 new");
	sum = log_place_digest(place);
	log_place_settle(place);
	log_place_crash(place);
	assert_int_equal(sum_of(place, 2), sum);
}

static void put(struct log_place *place, const char *name, const char *text)
{
	int fd = openat(place->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Killed, or without power, at each operation; then it starts with the old number, or the new. */
static void crash_at_each_operation(unsigned from, unsigned to)
{
	bool over = false;
	unsigned dies_at;

	for (dies_at = 1; !over; dies_at++) {
		for (unsigned variant = 0; variant < 4; variant++) {
			struct log_place place;
			uint64_t sum;

			frail_disarm();
			log_place_make(&place);
			sum = fill(&place, (int)from);
			frail_arm(dies_at * 4 + variant);
			frail.tears = true;
			frail.dies_at = dies_at;
			place.dir = aof_dir_open_or_null(&place.settings, (int)to);
			over = !frail.dead;
			assert_true(place.dir || !over);
			aof_dir_close(place.dir);
			if (variant & 1)
				frail_lose_power(place.fd);
			frail_disarm();
			assert_int_equal(sum_of(&place, (int)(variant & 2 ? to : from)), sum);
			assert_int_equal(file_count(&place), variant & 2 ? to * 3
							     : over	 ? from * 3
									 : file_count(&place));
			log_place_remove(&place);
		}
	}
	assert_true(dies_at > 30);
}

static void a_crash_while_logs_are_written_for_other_shards_loses_nothing(void **state)
{
	(void)state;
	crash_at_each_operation(2, 3);
	crash_at_each_operation(5, 2);
}

/* What it leaves is as large as all logs: it would be once more, each time that is tried again. */
static void what_there_was_no_room_for_is_not_there_twice_after_the_next_attempt(void **state)
{
	struct log_place *place = *state;
	uint64_t sum = fill(place, 2);
	unsigned count;

	frail_arm(1);
	frail.fail_write = -ENOSPC;
	assert_null(aof_dir_open_or_null(&place->settings, 3));
	count = file_count(place);
	assert_null(aof_dir_open_or_null(&place->settings, 3));
	assert_int_equal(file_count(place), count);
	frail_disarm();
	assert_int_equal(sum_of(place, 3), sum);
}

static void a_journal_that_is_damaged_changes_nothing(void **state)
{
	static const char first[] = "file shard-0.7.aof seq 7 type i shard 0 shards 2\n",
			  second[] = "file shard-1.7.aof seq 7 type i shard 1 shards 2\n",
			  third[] = "file shard-1.7.aof seq 7 type i shard 1 shards 3\n";
	struct log_place *place = *state;
	const char *const texts[][2] = {{"", ""},     {first, ""},    {first, "file"},
					{second, ""}, {first, third}, {first, first}};
	uint64_t sum = fill(place, 3);

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "%s%s", texts[i][0], texts[i][1]);
		put(place, "shards.journal", text);
		assert_null(aof_dir_open_or_null(&place->settings, 3));
		assert_int_equal(unlinkat(place->fd, "shards.journal", 0), 0);
		assert_int_equal(sum_of(place, 3), sum);
	}
}

static void a_crash_at_the_very_first_start_is_no_obstacle(void **state)
{
	bool over = false;

	(void)state;
	for (unsigned dies_at = 1; !over; dies_at++) {
		struct log_place place;

		log_place_make(&place);
		frail_arm(dies_at);
		frail.tears = true;
		frail.dies_at = dies_at;
		place.dir = aof_dir_open_or_null(&place.settings, 2);
		over = !frail.dead;
		aof_dir_close(place.dir);
		frail_lose_power(place.fd);
		frail_disarm();
		assert_int_equal(sum_of(&place, 2), 0);
		log_place_remove(&place);
	}
}

static void a_missing_manifest_is_told_and_nothing_is_removed(void **state)
{
	struct log_place *place = *state;
	unsigned count;

	fill(place, 3);
	count = file_count(place);
	for (int shard = 2; shard >= 0; shard--) {
		char name[DISK_NAME_LEN];

		manifest_name(shard, name);
		unlinkat(place->fd, name, 0);
		count--;
		assert_null(aof_dir_open_or_null(&place->settings, 3));
		assert_null(aof_dir_open_or_null(&place->settings, 1));
		assert_int_equal(file_count(place), count);
	}
}

static void a_manifest_too_many_is_told(void **state)
{
	struct log_place *place = *state;

	fill(place, 2);
	linkat(place->fd, "shard-1.manifest", place->fd, "shard-2.manifest", 0);
	assert_null(aof_dir_open_or_null(&place->settings, 2));
}

static void a_manifest_that_is_not_as_it_was_written_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"file shard-0.2.aof seq 2 type b shard 0 shards 1",
		"file shard-0.2.aof seq 1 type b shard 0 shards 1\n",
		"file ../shard-0.2.aof seq 2 type b shard 0 shards 1\n",
		"file shard-1.2.aof seq 2 type b shard 1 shards 1\n",
		"file shard-0.2.aof seq 2 type i shard 0 shards 1\n"
		"file shard-0.1.aof seq 1 type i shard 0 shards 1\n",
		"file shard-0.2.aof seq 2 type i shard 0 shards 1\n"
		"file shard-0.3.aof seq 3 type b shard 0 shards 1\n",
		"file shard-0.2.aof seq 2 type i shard 0 shards 1\nmore\n",
	};
	struct log_place *place = *state;

	fill(place, 1);
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put(place, "shard-0.manifest", texts[i]);
		assert_null(aof_dir_open_or_null(&place->settings, 1));
	}
	put(place, "shard-0.manifest", "file shard-0.1.aof seq 1 type i shard 0 shards 1\n");
	assert_int_equal(log_place_open(place, 0, 1), 0);
	log_place_close(place);
}

static void what_belongs_to_nobody_is_removed_and_the_rest_is_left(void **state)
{
	struct log_place *place = *state;
	uint64_t sum = fill(place, 1);

	put(place, "shard-0.77.aof", "*1\r\n$8\r\nFLUSHALL\r\n");
	put(place, "shard-9.77.aof", "");
	put(place, "shard-0.manifest.tmp", "file");
	put(place, "shards.journal.tmp", "file");
	put(place, "dump.rdb", "REDIS");
	put(place, "shard-0.x.aof", "somebody's");
	put(place, "x.tmp", "somebody's");
	put(place, "shard--9999999.1.aof", "somebody's");
	assert_int_equal(sum_of(place, 1), sum);
	assert_int_equal(file_count(place), 2 + 4);
	/* Its number is not used again. */
	put(place, "shard-0.77.aof", "");
	assert_int_equal(sum_of(place, 2), sum);
	assert_int_equal(log_place_file_len(place, "shard-0.79.aof"), 0);
}

static void a_log_that_is_corrupt_is_not_written_anew(void **state)
{
	struct log_place *place = *state;
	unsigned count;
	int fd;

	fill(place, 2);
	count = file_count(place);
	fd = openat(place->fd, "shard-1.1.aof", O_WRONLY);
	assert_int_equal(pwrite(fd, "?", 1, 36), 1); /* where an argument begins */
	close(fd);
	assert_null(aof_dir_open_or_null(&place->settings, 3));
	assert_int_equal(log_place_open(place, 1, 2), -EBADMSG);
	assert_int_equal(log_place_open(place, 0, 2), 0);
	log_place_close(place);
	assert_int_equal(file_count(place), count);
}

static void a_directory_that_is_not_there_is_told(void **state)
{
	struct log_place *place = *state;

	strcat(place->settings.dir, "/none");
	assert_null(aof_dir_open_or_null(&place->settings, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, log_place_setup, log_place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_go_to_their_new_owners_when_the_number_of_shards_changes),
		TEST(what_is_appended_after_a_change_of_shards_comes_back),
		cmocka_unit_test(a_crash_while_logs_are_written_for_other_shards_loses_nothing),
		cmocka_unit_test(a_crash_at_the_very_first_start_is_no_obstacle),
		TEST(what_there_was_no_room_for_is_not_there_twice_after_the_next_attempt),
		TEST(a_journal_that_is_damaged_changes_nothing),
		TEST(a_missing_manifest_is_told_and_nothing_is_removed),
		TEST(a_manifest_too_many_is_told),
		TEST(a_manifest_that_is_not_as_it_was_written_is_refused),
		TEST(what_belongs_to_nobody_is_removed_and_the_rest_is_left),
		TEST(a_log_that_is_corrupt_is_not_written_anew),
		TEST(a_directory_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
