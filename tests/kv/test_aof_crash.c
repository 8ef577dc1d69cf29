/*
 * A log under random commands and rewrites, killed or without power at each operation of its disk
 * in turn: what comes back is what the store held at some moment, not before the last change that
 * was said to be durable.
 */
#include "frail_disk.h"
#include "log_place.h"

#include "kv/aof_inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 90, PREFILL = 150, MOMENTS_MAX = 4096 };

/* What the store held, and where its log ended then. */
struct moments {
	unsigned count;
	uint64_t ends[MOMENTS_MAX];
	uint64_t digests[MOMENTS_MAX];
	unsigned digest_count; /* the same in each run of a seed: made in the first */
};

static struct moments moments;

struct dice {
	uint64_t state;
};

static unsigned roll(struct dice *dice, unsigned sides)
{
	dice->state = dice->state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice->state >> 33) % sides;
}

static void note(struct log_place *place)
{
	assert_true(moments.count < MOMENTS_MAX);
	if (moments.count == moments.digest_count)
		moments.digests[moments.digest_count++] = log_place_digest(place);
	moments.ends[moments.count++] = aof_end(place->engine.aof);
}

static const char *const commands[] = {
	"SET k%u %u",
	"SET k%u %u PX 2000",
	"INCR n%u",
	"INCR n%u",
	"APPEND k%u x%u",
	"SETRANGE k%u 3 y%u",
	"INCRBYFLOAT f%u 0.5",
	"DEL k%u p%u",
	"DEL p%u",
	"PEXPIRE k%u 1%u00",
	"PEXPIRE p%u 1%u00",
	"PERSIST k%u",
	"RENAME k%u k%u",
	"RENAME p%u k%u",
	"COPY p%u k%u DB 1 REPLACE",
	"COPY k%u n%u REPLACE",
	"MOVE p%u 1",
	"MSET k%u 7 n%u 8",
	"MSETNX k%u 7 n%u 8",
	"GETDEL k%u",
	"GETEX p%u PX 5%u0",
	"SETNX k%u %u",
	"SETBIT k%u 3%u 1",
	"SWAPDB 0 1",
	"SWAPDB 1 2",
	"FLUSHDB",
	"FLUSHALL",
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void command(struct log_place *place, struct dice *dice)
{
	char line[128];
	unsigned which = roll(dice, COMMAND_COUNT);
	unsigned key = roll(dice, 2) ? roll(dice, 8) : roll(dice, PREFILL);

	if (which >= COMMAND_COUNT - 2 && roll(dice, 3)) /* not so often */
		which = 0;
	snprintf(line, sizeof(line), commands[which], key, roll(dice, 8));
	log_place_say(place, (int)roll(dice, 3), line);
}

/* Keys go by themselves one at a time: each is a moment. */
static void let_expire(struct log_place *place, unsigned ms)
{
	struct engine *engine = &place->engine;

	engine->now_ms += ms;
	for (int i = 0; i < 1000; i++) {
		uint64_t end = aof_end(engine->aof);
		bool more = store_turn(engine->store, engine->now_ms, 1) <= engine->now_ms;

		if (aof_end(engine->aof) != end)
			note(place);
		if (!more)
			return;
	}
}

static void prefill(struct log_place *place)
{
	char line[64];

	aof_multi(place->engine.aof);
	for (int i = 0; i < PREFILL; i++) {
		sprintf(line, "SET p%d v%d%s", i, i, i % 5 ? "" : " PX 3000");
		log_place_say(place, i % 3 ? 0 : 1, line);
	}
	aof_exec(place->engine.aof);
	note(place);
}

static void step(struct log_place *place, struct dice *dice)
{
	struct aof *aof = place->engine.aof;
	unsigned count = roll(dice, 8) ? 1 : 4;

	let_expire(place, roll(dice, 60));
	if (count > 1)
		aof_multi(aof);
	for (unsigned i = 0; i < count; i++)
		command(place, dice);
	if (count > 1)
		aof_exec(aof);
	note(place);
	if (roll(dice, 12) == 0)
		aof_rewrite(aof);
	for (unsigned i = roll(dice, 3); i > 0 && !frail.dead; i--)
		aof_turn(aof, aof->now_ns + 1000000);
}

/* How many moments were said to be durable. */
static unsigned durable_count(const struct log_place *place)
{
	unsigned count = 0;

	while (count < moments.count && moments.ends[count] <= aof_durable(place->engine.aof))
		count++;
	return count;
}

/* Stderr is not seen. */
#define FAIL(...) (printf(__VA_ARGS__), printf("\n"), fail())

static void check_what_came_back(struct log_place *place, unsigned durable, const char *where)
{
	uint64_t digest;

	if (log_place_open(place, 0, 1))
		FAIL("%s: it does not open", where);
	digest = log_place_digest(place);
	for (unsigned i = durable ? durable - 1 : 0; i < moments.count; i++)
		if (moments.digests[i] == digest)
			digest = 0;
	if (digest)
		FAIL("%s: what came back never was (%u of %u moments were durable)", where, durable,
		     moments.count);
	/* It goes on from there. */
	log_place_say(place, 0, "SET went on");
	digest = log_place_digest(place);
	log_place_close(place);
	assert_int_equal(log_place_open(place, 0, 1), 0);
	assert_int_equal(log_place_digest(place), digest);
	log_place_close(place);
}

/* Returns how many operations of the disk there were. */
static unsigned run(struct log_place *place, unsigned seed, unsigned dies_at, bool power)
{
	struct dice dice = {seed};
	unsigned durable = 0, done;
	char where[64];

	log_place_make(place);
	frail_arm(seed + dies_at * 7919);
	frail.lazy = true;
	frail.tears = true;
	frail.dies_at = dies_at;
	moments.count = 0;
	if (log_place_open(place, 0, 1) == 0) {
		note(place); /* nothing */
		prefill(place);
		for (int i = 0; i < STEPS && !frail.dead; i++)
			step(place, &dice);
		durable = durable_count(place);
		log_place_crash(place);
	}
	done = frail.done;
	if (power)
		frail_lose_power(place->fd);
	frail_disarm();
	if (moments.count == 0)
		moments.count = 1; /* nothing, which the first run has seen */
	snprintf(where, sizeof(where), "seed %u, operation %u%s", seed, dies_at,
		 power ? ", power" : "");
	check_what_came_back(place, durable, where);
	log_place_remove(place);
	return done;
}

static void every_operation(unsigned seed, bool power)
{
	static struct log_place place;
	unsigned count;

	moments.digest_count = 0;
	count = run(&place, seed, 0, power);
	assert_true(count > 60);
	for (unsigned dies_at = 1; dies_at <= count; dies_at++)
		run(&place, seed, dies_at, power);
}

static unsigned seed_first = 1, seed_count = 2;

static void killed_at_any_operation_it_comes_back_as_it_was_at_some_moment(void **state)
{
	(void)state;
	for (unsigned seed = seed_first; seed < seed_first + seed_count; seed++)
		every_operation(seed, false);
}

static void what_was_durable_survives_the_loss_of_power_at_any_operation(void **state)
{
	(void)state;
	for (unsigned seed = seed_first; seed < seed_first + seed_count; seed++)
		every_operation(seed + 1000, true);
}

/* Without faults, on the real disk: many rewrites under random changes. */
static void a_rewrite_under_random_changes_keeps_all_of_them(void **state)
{
	static struct log_place place;

	(void)state;
	for (unsigned seed = seed_first; seed < seed_first + 10 * seed_count; seed++) {
		struct dice dice = {seed + 2000};
		uint64_t digest;

		frail_disarm();
		log_place_make(&place);
		moments.count = moments.digest_count = 0;
		assert_int_equal(log_place_open(&place, 0, 1), 0);
		prefill(&place);
		for (int i = 0; i < 3 * STEPS; i++)
			step(&place, &dice);
		log_place_settle(&place);
		assert_true(place.engine.aof->figures.rewrites > 0);
		assert_int_equal(place.engine.aof->figures.rewrites_failed, 0);
		digest = log_place_digest(&place);
		log_place_crash(&place);
		assert_int_equal(log_place_open(&place, 0, 1), 0);
		assert_int_equal(log_place_digest(&place), digest);
		log_place_close(&place);
		log_place_remove(&place);
	}
}

/* test_aof_crash [first seed] [count]: more of them, by hand. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_any_operation_it_comes_back_as_it_was_at_some_moment),
		cmocka_unit_test(what_was_durable_survives_the_loss_of_power_at_any_operation),
		cmocka_unit_test(a_rewrite_under_random_changes_keeps_all_of_them),
	};

	if (argc > 1)
		seed_first = (unsigned)atoi(argv[1]);
	if (argc > 2)
		seed_count = (unsigned)atoi(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
