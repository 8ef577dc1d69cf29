/* One shard's log: what is appended is durable when it is said to be, and comes back. */
#include "frail_disk.h"
#include "log_place.h"

#include "kv/aof_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND_NS UINT64_C(1000000000)

void *__real_heap_alloc_or_null(size_t size);
void *__wrap_heap_alloc_or_null(size_t size);

static size_t refused_len; /* not 0: there is no memory for a value that is so long */

void *__wrap_heap_alloc_or_null(size_t size)
{
	if (refused_len && size >= refused_len && size < 3 * refused_len)
		return NULL;
	return __real_heap_alloc_or_null(size);
}

static void what_was_changed_comes_back(void **state)
{
	struct log_place *place = *state;
	uint64_t digest;

	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_string_equal(log_place_say(place, 0, "SET a 1"), "+OK\r\n");
	log_place_say(place, 15, "SET \"b\\x00\\r\\n\" \"*1\\r\\n$\\xff\"");
	log_place_say(place, 0, "SET c \"\" PXAT 99999999999999");
	log_place_say(place, 0, "SET c2 x EX 100");
	digest = log_place_digest(place);
	log_place_close(place);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), digest);
	log_place_say(place, 3, "SET d 4");
	digest = log_place_digest(place);
	log_place_close(place);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), digest);
	assert_int_equal(place->engine.now_ms, LOG_PLACE_NOW_MS);
	log_place_close(place);
}

static uint64_t clock_ns(void)
{
	static uint64_t now_ns;

	return now_ns += SECOND_NS;
}

static void what_comes_back_was_used_just_now_and_no_client_asked_for_it(void **state)
{
	struct log_place *place = *state;
	const struct engine_stats *stats = &place->engine.stats;
	struct store_figures figures;

	assert_int_equal(log_place_open(place, 0, 1), 0);
	log_place_say(place, 0, "SET a 1");
	log_place_say(place, 0, "SET b 1 PX 1");
	log_place_say(place, 0, "INCR b");
	log_place_say(place, 0, "GETSET c 1");
	log_place_close(place);
	place->clock_ns = clock_ns;
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(store_size(place->engine.store, 0), 3);
	store_figures(place->engine.store, &figures);
	assert_int_equal(figures.misses, stats->store.misses);
	assert_int_equal(figures.misses, 1);
	assert_int_equal(stats->commands, 0);
	assert_string_equal(log_place_say(place, 0, "SLOWLOG LEN"), ":0\r\n");
	assert_string_equal(log_place_say(place, 0, "OBJECT IDLETIME a"), ":0\r\n");
	place->engine.now_ms += 2;
	assert_string_equal(log_place_say(place, 0, "GET b"), "$-1\r\n");
	log_place_close(place);
	place->settings.store.policy = STORE_ALLKEYS_LFU;
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_string_equal(log_place_say(place, 0, "OBJECT FREQ a"), ":5\r\n");
	log_place_close(place);
}

static void a_value_of_many_chunks_comes_back(void **state)
{
	enum { LEN = 3000000 };
	struct log_place *place = *state;
	struct bytes *bytes = bytes_create_or_null(LEN, LEN);
	struct arg argv[] = {{.text = SLICE("SET")}, {.text = SLICE("k")}, {.text = {0}}};
	char *copy = malloc(LEN);
	struct out out;
	uint64_t digest;

	for (int i = 0; i < LEN; i++)
		bytes->data[i] = copy[i] = (char)(i * 7 + i / 1000);
	out_init(&out, 2);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	/* Once by reference, once as text. */
	for (int i = 0; i < 2; i++) {
		struct call call = {.engine = &place->engine, .argc = 3, .argv = argv, .out = &out};

		argv[1].text = i ? SLICE("copied") : SLICE("kept");
		argv[2].text = (struct slice){i ? copy : bytes->data, LEN};
		argv[2].bytes = i ? NULL : bytes;
		engine_run(&call);
		memset(copy, i, i ? LEN : 0); /* the caller's again */
	}
	bytes_put(bytes);
	out_fini(&out);
	digest = log_place_digest(place);
	log_place_close(place);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), digest);
	log_place_close(place);
	free(copy);
}

/* A disk whose syncs take as long as the test likes. */
static void with_always_nothing_is_durable_before_its_sync_has_ended(void **state)
{
	struct log_place *place = *state;
	struct aof *aof;
	uint64_t first;

	assert_int_equal(log_place_open(place, 0, 1), 0);
	log_place_close(place);
	frail_arm(1);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	frail.holds_syncs = true;
	log_place_say(place, 0, "SET a 1");
	first = aof_end(aof);
	assert_true(first > aof_durable(aof));
	for (int i = 0; i < 5; i++)
		assert_true(aof_turn(aof, 1) < 1000000); /* soon */
	assert_true(aof_durable(aof) < first);
	/* What comes meanwhile waits for a sync of its own. */
	log_place_say(place, 0, "SET a 2");
	aof_turn(aof, 2);
	frail.holds_syncs = false;
	disk_reap(aof->disk, false);
	assert_int_equal(aof_durable(aof), first);
	frail.holds_syncs = true;
	aof_turn(aof, 3);
	aof_turn(aof, 4);
	assert_int_equal(aof_durable(aof), first);
	frail.holds_syncs = false;
	aof_turn(aof, 5);
	assert_int_equal(aof_durable(aof), aof_end(aof));
	assert_int_equal(aof_turn(aof, 6), UINT64_MAX);
	assert_int_equal(frail.syncs_max, 1);
	log_place_close(place);
}

static void with_everysec_there_is_one_sync_a_second_and_never_two_at_a_time(void **state)
{
	struct log_place *place = *state;
	struct aof *aof;
	struct aof_figures figures;
	uint64_t due;

	place->settings.appendfsync = FSYNC_EVERYSEC;
	frail_arm(1);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	frail.syncs = frail.syncs_max = 0;
	for (uint64_t now = SECOND_NS; now < 11 * SECOND_NS; now += SECOND_NS / 100) {
		log_place_say(place, 0, "SET a 1");
		assert_int_equal(aof_durable(aof), aof_end(aof)); /* nobody waits */
		due = aof_turn(aof, now);
		assert_true(due > now);
	}
	assert_in_range(frail.syncs, 9, 11);
	frail.holds_syncs = true;
	frail.syncs_max = 0;
	for (uint64_t now = 11 * SECOND_NS; now < 15 * SECOND_NS; now += SECOND_NS / 100) {
		log_place_say(place, 0, "SET a 1");
		aof_turn(aof, now);
	}
	assert_int_equal(frail.syncs_max, 1);
	aof_figures(aof, &figures);
	assert_int_equal(figures.fsyncs_delayed, 1);
	assert_true(figures.pending_len < 100); /* writes went on */
	frail.holds_syncs = false;
	log_place_close(place);
}

static void what_is_synced_once_a_second_is_synced_when_nothing_comes_any_more(void **state)
{
	struct log_place *place = *state;
	struct aof *aof;
	uint64_t due;

	place->settings.appendfsync = FSYNC_EVERYSEC;
	frail_arm(1);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	log_place_say(place, 0, "SET a 1");
	aof_turn(aof, SECOND_NS); /* writes */
	aof_turn(aof, SECOND_NS); /* syncs */
	log_place_say(place, 0, "SET a 2");
	aof_turn(aof, SECOND_NS + 1);
	due = aof_turn(aof, SECOND_NS + 2);
	assert_int_equal(due, 2 * SECOND_NS);
	frail.syncs = 0;
	aof_turn(aof, due);
	aof_turn(aof, due + 1);
	assert_int_equal(frail.syncs, 1);
	assert_int_equal(aof_turn(aof, due + 2), UINT64_MAX);
	log_place_close(place);
}

static void a_full_disk_refuses_writes_and_loses_nothing(void **state)
{
	struct log_place *place = *state;
	struct rlimit limit, tight;
	struct aof *aof;
	uint64_t digest, now = 1;
	char line[64];

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	tight = limit;
	tight.rlim_cur = 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	for (int i = 0; i < 100; i++) {
		sprintf(line, "SET key-%d value", i);
		log_place_say(place, 0, line);
	}
	for (int i = 0; i < 1000 && !aof_refusal_or_null(aof); i++) {
		aof_turn(aof, now);
		disk_reap(aof->disk, true);
	}
	assert_non_null(aof_refusal_or_null(aof));
	assert_string_equal(log_place_say(place, 0, "SET a 1"),
			    "-MISCONF Errors writing to the AOF file: File too large\r\n");
	assert_string_equal(log_place_say(place, 0, "GET key-1"), "$5\r\nvalue\r\n");
	assert_true(aof_durable(aof) <= 1000);
	assert_true(aof_end(aof) > 1000);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(aof_turn(aof, now), aof->retry_ns);
	now = aof->retry_ns;
	for (int i = 0; i < 1000 && aof_durable(aof) < aof_end(aof); i++) {
		aof_turn(aof, now);
		disk_reap(aof->disk, true);
	}
	aof_turn(aof, now);
	assert_null(aof_refusal_or_null(aof));
	assert_string_equal(log_place_say(place, 0, "SET a 1"), "+OK\r\n");
	digest = log_place_digest(place);
	log_place_close(place);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), digest);
	log_place_close(place);
}

/* After a failed fsync nobody knows what is on the disk: only a new base does. */
static void after_a_sync_that_failed_nothing_is_durable_until_a_rewrite(void **state)
{
	struct log_place *place = *state;
	struct aof *aof;
	uint64_t before, now = 1, digest;

	frail_arm(1);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	log_place_say(place, 0, "SET a 1");
	log_place_settle(place);
	before = aof_durable(aof);
	assert_int_equal(before, aof_end(aof));
	frail.fail_sync = -EIO;
	log_place_say(place, 0, "SET a 2");
	for (int i = 0; i < 20; i++)
		aof_turn(aof, now++);
	assert_string_equal(log_place_say(place, 0, "SET a 3"),
			    "-MISCONF Errors writing to the AOF file: Input/output error\r\n");
	assert_int_equal(aof_durable(aof), before);
	frail.fail_sync = 0;
	for (int i = 0; i < 20; i++)
		aof_turn(aof, now++);
	assert_int_equal(aof_durable(aof), before); /* a sync that succeeds does not help */
	now += 2 * SECOND_NS;
	for (int i = 0; i < 100; i++)
		aof_turn(aof, now++);
	assert_null(aof_refusal_or_null(aof));
	assert_int_equal(aof_durable(aof), aof_end(aof));
	assert_int_equal(aof->manifest.count, 2);
	assert_true(aof->manifest.has_base);
	log_place_say(place, 0, "SET b 3");
	digest = log_place_digest(place);
	log_place_close(place);
	frail_disarm();
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), digest);
	log_place_close(place);
}

static unsigned fd_count(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* The first attempt to write it anew often fails as well: the disk is the same. */
static void after_a_sync_that_failed_rewrites_are_tried_until_one_succeeds(void **state)
{
	struct log_place *place = *state;
	struct aof *aof;
	uint64_t digest, len = 0;
	unsigned fds;

	frail_arm(1);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	log_place_say(place, 0, "SET a 1 PX 1000");
	log_place_settle(place);
	fds = fd_count();
	frail.fail_sync = -EIO;
	log_place_say(place, 0, "SET b 2");
	while (!aof->gap)
		aof_turn(aof, aof->now_ns + 1);
	frail.fail_sync = 0; /* Linux says it once */
	frail.fail_write = -ENOSPC;
	for (int i = 0; i < 20; i++)
		aof_turn(aof, aof->now_ns + SECOND_NS);
	assert_true(aof->figures.rewrites_failed >= 1);
	assert_non_null(aof_refusal_or_null(aof));
	frail.fail_write = 0;
	for (int i = 0; i < 1000 && aof_refusal_or_null(aof); i++)
		assert_true(aof_turn(aof, aof->now_ns + SECOND_NS) < UINT64_MAX);
	assert_null(aof_refusal_or_null(aof));
	log_place_settle(place);
	assert_int_equal(aof_durable(aof), aof_end(aof));
	assert_int_equal(fd_count(), fds);
	for (unsigned i = 0; i < aof->manifest.count; i++) {
		char name[DISK_NAME_LEN];

		manifest_file_name(0, aof->manifest.generations[i], name);
		len += log_place_file_len(place, name);
	}
	assert_int_equal(aof_len(aof), len);
	digest = log_place_digest(place);
	log_place_crash(place);
	frail_disarm();
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), digest);
	log_place_close(place);
}

static void a_disk_that_never_syncs_does_not_keep_it_from_ending(void **state)
{
	struct log_place *place = *state;

	frail_arm(1);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	log_place_say(place, 0, "SET a 1");
	frail.fail_sync = -EIO;
	alarm(20); /* otherwise it would not end */
	assert_int_not_equal(aof_close(place->engine.aof), 0);
	alarm(0);
	assert_null(place->engine.aof);
	log_place_close(place);
}

/* What could not be appended is in memory only, until a rewrite. */
static void what_there_was_no_memory_to_append_is_durable_after_a_rewrite(void **state)
{
	struct log_place *place = *state;
	struct aof *aof;
	uint64_t durable, digest;

	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	log_place_say(place, 0, "SET a 1");
	log_place_settle(place);
	durable = aof_durable(aof);
	aof_log(aof)->failed = true; /* as sink_add() finds it */
	log_place_say(place, 0, "SET b 2");
	assert_int_equal(aof_durable(aof), durable);
	assert_true(aof_end(aof) > durable);
	assert_string_equal(log_place_say(place, 0, "SET c 3"),
			    "-MISCONF Errors writing to the AOF file: Cannot allocate memory\r\n");
	digest = log_place_digest(place);
	log_place_settle(place);
	assert_int_equal(aof->figures.rewrites, 1);
	assert_int_equal(aof_durable(aof), aof_end(aof));
	assert_null(aof_refusal_or_null(aof));
	log_place_crash(place);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), digest);
	log_place_close(place);
}

/* What is missing would be missing in the next base, too, and that for ever. */
static void a_log_that_there_is_no_memory_for_is_not_served_in_part(void **state)
{
	struct log_place *place = *state;
	uint64_t digest;

	assert_int_equal(log_place_open(place, 0, 1), 0);
	log_place_say(place, 0, "SET a 1");
	log_place_say(place, 0, "SETRANGE b 20000 x");
	digest = log_place_digest(place);
	log_place_close(place);
	refused_len = 20000;
	assert_int_equal(log_place_open(place, 0, 1), -ENOMEM);
	refused_len = 0;
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), digest);
	log_place_close(place);
}

/* Killed when a rewrite had begun, and before the old file was synced: what is read from it is
 * shown to clients, and what comes after it goes to the next file. */
static void what_came_back_is_durable_in_every_file(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed < 20; seed++) {
		struct log_place place;
		struct aof *aof;
		uint64_t digest;

		log_place_make(&place);
		frail_arm(seed);
		assert_int_equal(log_place_open(&place, 0, 1), 0);
		aof = place.engine.aof;
		log_place_settle(&place);
		log_place_say(&place, 0, "SET a 1");
		frail.holds_syncs = true;
		frail.holds_fd = aof_log(aof)->fd;
		aof_rewrite(aof);
		while (!aof->next_ready)
			aof_turn(aof, aof->now_ns + 1);
		assert_true(aof_durable(aof) < aof_end(aof));
		log_place_crash(&place);
		frail.holds_syncs = false;
		assert_int_equal(log_place_open(&place, 0, 1), 0);
		log_place_say(&place, 0, "SET b 2");
		log_place_settle(&place);
		digest = log_place_digest(&place);
		log_place_crash(&place);
		frail_lose_power(place.fd);
		frail_disarm();
		assert_int_equal(log_place_open(&place, 0, 1), 0);
		assert_int_equal(log_place_digest(&place), digest);
		log_place_close(&place);
		log_place_remove(&place);
	}
}

/* A part of a request is the end of the log; what comes behind it would make it corrupt. */
static void nothing_comes_behind_what_there_was_no_memory_for(void **state)
{
	struct log_place *place = *state;
	struct aof *aof;

	frail_arm(1);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	log_place_say(place, 0, "SET a 1");
	log_place_say(place, 0, "SET b 2 PX 1000");
	sink_add(aof_log(aof), SLICE("*3\r\n$3\r\nSET\r\n$1\r\nc\r\n$100000\r\nccc"));
	aof_log(aof)->failed = true; /* as sink_add() finds it */
	frail.fail_open = -ENOSPC;   /* the rewrite fails, too */
	log_place_say(place, 0, "SET c 3");
	assert_true(aof->gap);
	aof_turn(aof, 1);
	assert_true(aof->has_next);
	place->engine.now_ms += 5000;
	while (store_turn(place->engine.store, place->engine.now_ms, 1000) <= place->engine.now_ms)
		;
	assert_true(sink_pending(aof_next(aof)) > 0); /* DEL b */
	for (int i = 0; i < 100; i++)
		aof_turn(aof, aof->now_ns + 1);
	assert_true(aof->figures.rewrites_failed > 0);
	log_place_crash(place);
	frail_disarm();
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_string_equal(log_place_say(place, 0, "GET a"), "$1\r\n1\r\n");
	log_place_close(place);
}

/* CONFIG SET appendfsync, back and forth. */
static void who_waits_for_the_log_may_change_at_any_time(void **state)
{
	static const enum appendfsync settings[] = {FSYNC_NO, FSYNC_ALWAYS, FSYNC_EVERYSEC,
						    FSYNC_ALWAYS};
	struct log_place *place = *state;
	struct aof *aof;

	frail_arm(1);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	for (unsigned i = 0; i < 4; i++) {
		place->settings.appendfsync = settings[i];
		log_place_say(place, 0, "SET a 1");
		assert_int_equal(aof_durable(aof) == aof_end(aof), settings[i] != FSYNC_ALWAYS);
		for (int turn = 0; turn < 5; turn++)
			aof_turn(aof, (i + 1) * 10 * SECOND_NS);
		assert_int_equal(aof_durable(aof), aof_end(aof));
		/* `no` leaves it to the kernel. */
		assert_int_equal(aof_log(aof)->synced == aof_log(aof)->added,
				 settings[i] != FSYNC_NO);
	}
	log_place_close(place);
}

static void when_the_disk_is_too_slow_writes_wait_and_are_then_refused(void **state)
{
	enum { LEN = 1 << 20 };
	struct log_place *place = *state;
	struct bytes *bytes = bytes_create_or_null(LEN, LEN);
	const struct arg argv[] = {{.text = SLICE("SET")},
				   {.text = SLICE("a")},
				   {.text = {bytes->data, LEN}, .bytes = bytes}};
	struct aof *aof;
	unsigned count = 0;

	memset(bytes->data, 'x', LEN);
	frail_arm(1);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	frail.swallows = true; /* it is much */
	for (; !aof_busy(aof); count++)
		aof_append(aof, 0, 3, argv);
	assert_int_equal(count, AOF_PENDING_LEN_MAX / LEN);
	assert_null(aof_refusal_or_null(aof));
	while (!aof_refusal_or_null(aof))
		aof_append(aof, 0, 3, argv);
	log_place_settle(place);
	assert_false(aof_busy(aof));
	assert_null(aof_refusal_or_null(aof));
	bytes_put(bytes);
	log_place_close(place);
}

/* Reads go on: whoever has filled the disk wants to see what is wrong. */
static void when_much_waits_for_a_disk_that_is_full_only_writes_are_refused(void **state)
{
	enum { LEN = 1 << 20 };
	struct log_place *place = *state;
	struct bytes *bytes = bytes_create_or_null(LEN, LEN);
	const struct arg argv[] = {{.text = SLICE("SET")},
				   {.text = SLICE("a")},
				   {.text = {bytes->data, LEN}, .bytes = bytes}};
	struct aof *aof;

	memset(bytes->data, 'x', LEN);
	frail_arm(1);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	while (!aof_busy(aof))
		aof_append(aof, 0, 3, argv);
	frail.fail_write = -ENOSPC;
	log_place_settle(place);
	assert_non_null(aof_refusal_or_null(aof));
	assert_false(aof_busy(aof));
	frail.fail_write = 0;
	frail.swallows = true; /* it is much */
	aof_turn(aof, aof->now_ns + SECOND_NS);
	log_place_settle(place);
	assert_null(aof_refusal_or_null(aof));
	assert_false(aof_busy(aof));
	bytes_put(bytes);
	log_place_close(place);
}

static void a_transaction_that_changed_nothing_is_not_in_the_log(void **state)
{
	struct log_place *place = *state;
	struct aof *aof;
	uint64_t end;

	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	aof_multi(aof);
	aof_exec(aof);
	assert_int_equal(aof_end(aof), 0);
	aof_multi(aof);
	aof_multi(aof);
	log_place_say(place, 0, "SET a 1");
	aof_exec(aof);
	end = aof_end(aof);
	log_place_say(place, 0, "SET b 1");
	aof_exec(aof);
	assert_true(aof_end(aof) > end);
	log_place_close(place);
	/* MULTI, SELECT, SET, SET, EXEC */
	assert_int_equal(log_place_file_len(place, "shard-0.1.aof"), 15 + 23 + 2 * 27 + 14);
}

/* Killed within: a transaction comes back as a whole or not at all. */
static void a_transaction_without_its_end_does_not_come_back(void **state)
{
	struct log_place *place = *state;
	uint64_t digest;

	assert_int_equal(log_place_open(place, 0, 1), 0);
	log_place_say(place, 0, "SET a 1");
	digest = log_place_digest(place);
	aof_multi(place->engine.aof);
	log_place_say(place, 0, "SET a 2");
	log_place_settle(place);
	log_place_say(place, 2, "SET b 2");
	log_place_settle(place);
	log_place_crash(place);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), digest);
	log_place_close(place);
}

/* Ended in order within, also while a rewrite has begun before: likewise, and nothing is torn. */
static void a_transaction_without_its_end_is_taken_back_at_the_end(void **state)
{
	struct log_place *place = *state;
	uint64_t digest;

	for (int turns = 0; turns < 12; turns++) {
		assert_int_equal(log_place_open(place, 0, 1), 0);
		place->settings.aof_load_truncated = false;
		log_place_say(place, 0, "SET a 1");
		digest = log_place_digest(place);
		log_place_settle(place);
		aof_rewrite(place->engine.aof);
		for (int i = 0; i < turns; i++)
			aof_turn(place->engine.aof, (uint64_t)i);
		aof_multi(place->engine.aof);
		log_place_say(place, 0, "SET a 2");
		log_place_say(place, 2, "SET b 2");
		for (int i = 0; i < turns; i++)
			aof_turn(place->engine.aof, (uint64_t)i);
		log_place_close(place);
		assert_int_equal(log_place_open(place, 0, 1), 0);
		assert_int_equal(log_place_digest(place), digest);
		log_place_say(place, 0, "SET a 3");
		log_place_close(place);
		assert_int_equal(log_place_open(place, 0, 1), 0);
		assert_string_equal(log_place_say(place, 0, "GET a"), "$1\r\n3\r\n");
		log_place_close(place);
	}
}

static void two_servers_do_not_share_a_directory(void **state)
{
	struct log_place *place = *state;

	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_null(aof_dir_open_or_null(&place->settings, 1));
	log_place_close(place);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	log_place_close(place);
}

/* Where io_uring is not allowed. */
static void a_thread_writes_the_same_log(void **state)
{
	struct log_place *place = *state;
	struct disk *disk = disk_thread_create_or_null();
	struct aof *aof;
	uint64_t digest;
	char line[64];

	assert_int_equal(log_place_open(place, 0, 1), 0);
	aof = place->engine.aof;
	disk_destroy(aof->disk);
	aof->disk = aof->sinks[0].disk = aof->sinks[1].disk = aof->rewrite.base.disk = disk;
	for (int i = 0; i < 1000; i++) {
		sprintf(line, "SET key-%d %d", i % 100, i);
		log_place_say(place, 0, line);
		aof_turn(aof, (uint64_t)i);
		if (i == 300)
			assert_int_equal(aof_rewrite(aof), AOF_REWRITE_STARTED);
	}
	log_place_settle(place);
	assert_int_equal(aof->figures.rewrites, 1);
	digest = log_place_digest(place);
	log_place_crash(place);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), digest);
	log_place_close(place);
}

static bool forbid_io_uring(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* As containers do. */
static void where_io_uring_is_forbidden_a_thread_takes_its_place(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct disk *disk = forbid_io_uring() ? disk_create_or_null() : NULL;

		_exit(disk ? strcmp(disk->class->name, "thread") != 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, log_place_setup, log_place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_changed_comes_back),
		TEST(what_comes_back_was_used_just_now_and_no_client_asked_for_it),
		TEST(a_value_of_many_chunks_comes_back),
		TEST(with_always_nothing_is_durable_before_its_sync_has_ended),
		TEST(with_everysec_there_is_one_sync_a_second_and_never_two_at_a_time),
		TEST(what_is_synced_once_a_second_is_synced_when_nothing_comes_any_more),
		TEST(a_full_disk_refuses_writes_and_loses_nothing),
		TEST(after_a_sync_that_failed_nothing_is_durable_until_a_rewrite),
		TEST(after_a_sync_that_failed_rewrites_are_tried_until_one_succeeds),
		TEST(a_disk_that_never_syncs_does_not_keep_it_from_ending),
		TEST(what_there_was_no_memory_to_append_is_durable_after_a_rewrite),
		TEST(a_log_that_there_is_no_memory_for_is_not_served_in_part),
		cmocka_unit_test(what_came_back_is_durable_in_every_file),
		TEST(nothing_comes_behind_what_there_was_no_memory_for),
		TEST(who_waits_for_the_log_may_change_at_any_time),
		TEST(when_the_disk_is_too_slow_writes_wait_and_are_then_refused),
		TEST(when_much_waits_for_a_disk_that_is_full_only_writes_are_refused),
		TEST(a_transaction_that_changed_nothing_is_not_in_the_log),
		TEST(a_transaction_without_its_end_does_not_come_back),
		TEST(a_transaction_without_its_end_is_taken_back_at_the_end),
		TEST(two_servers_do_not_share_a_directory),
		TEST(where_io_uring_is_forbidden_a_thread_takes_its_place),
		TEST(a_thread_writes_the_same_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
