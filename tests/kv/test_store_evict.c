/* What goes when there is no more room: the right ones, told, and no more than needed. */
#include "kv/store.h"
#include "store_test.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAXMEMORY = 2 * 1024 * 1024 };

static struct store_config config_of(enum store_policy policy)
{
	return (struct store_config){
		.maxmemory = MAXMEMORY,
		.policy = policy,
		.samples = 5,
		.lfu_log_factor = 10,
		.lfu_decay_minutes = 1,
	};
}

static struct entry *add(struct store *store, unsigned i, uint64_t expire_ms, uint64_t now_ms)
{
	struct name name;

	return store_set_or_null(store, 0, name_of(i, &name),
				 SLICE("thirty-two bytes of some value.."), expire_ms, now_ms);
}

static bool has(struct store *store, unsigned i, uint64_t now_ms)
{
	struct name name;

	return store_peek_or_null(store, 0, name_of(i, &name), now_ms);
}

static void use(struct store *store, unsigned i, uint64_t now_ms)
{
	struct name name;

	store_find_or_null(store, 0, name_of(i, &name), now_ms);
}

struct losses {
	struct store *store;
	uint64_t count;
};

static void on_loss(void *arg, int db, struct slice key, enum store_loss loss)
{
	struct losses *losses = arg;

	assert_int_equal(loss, STORE_EVICTED);
	assert_null(store_peek_or_null(losses->store, db, key, NOW));
	losses->count++;
}

/* The hot keys are used every second, of the others each one once. */
static void lru_keeps_what_is_used(void **state)
{
	enum { HOT = 5000, ALL = 100000 };
	struct store_config config = config_of(STORE_ALLKEYS_LRU);
	struct losses losses = {0};
	struct store_events events = {.lost = on_loss, .arg = &losses};
	struct store *store = store_new(&config, &events);
	uint64_t now_ms = NOW;
	unsigned kept = 0;

	(void)state;
	losses.store = store;
	for (unsigned i = 0; i < ALL; i++) {
		if (i % 5000 == 0) {
			now_ms += 1000;
			for (unsigned hot = 0; hot < HOT; hot++)
				use(store, hot, now_ms);
		}
		assert_true(store_make_room(store, now_ms));
		/* A segment of the table costs as much as more entries than go at once. */
		assert_true(figures_of(store).used_bytes <= MAXMEMORY + 128 * 1024);
		assert_non_null(add(store, i, STORE_NEVER, now_ms));
	}
	for (unsigned hot = 0; hot < HOT; hot++)
		kept += has(store, hot, now_ms);
	assert_true(kept >= HOT * 99 / 100);
	assert_int_equal(losses.count, figures_of(store).evicted);
	assert_int_equal(losses.count, ALL - store_size(store, 0));
	/* What is left is what fits. */
	assert_true(figures_of(store).used_bytes > MAXMEMORY * 9 / 10);
	store_destroy(store);
}

/* Of cold keys the latest are there: five samples and a pool come near to the true order. */
static void lru_prefers_the_oldest(void **state)
{
	enum { ALL = 100000 };
	struct store_config config = config_of(STORE_ALLKEYS_LRU);
	struct store *store = store_new(&config, NULL);
	uint64_t left, newest = 0;

	(void)state;
	for (unsigned i = 0; i < ALL; i++) {
		store_make_room(store, NOW + i * 10);
		add(store, i, STORE_NEVER, NOW + i * 10);
	}
	left = store_size(store, 0);
	for (unsigned i = ALL - left; i < ALL; i++)
		newest += has(store, i, NOW + ALL * 10);
	/* The true order would be 100 %, chance 63 %. */
	assert_true(newest >= left * 85 / 100);
	store_destroy(store);
}

/* Those that were looked at and not taken are remembered; what is used since is spared. */
static void what_is_used_after_it_was_looked_at_stays(void **state)
{
	enum { ALL = 4000, LATER_MS = 1000000, BEFORE = 20, AFTER = 15 };
	struct store_config config = config_of(STORE_ALLKEYS_LRU);
	struct store *store = store_new(&config, NULL);
	unsigned there = 0, left = 0;

	(void)state;
	for (unsigned i = 0; i < ALL; i++)
		add(store, i, STORE_NEVER, NOW);
	config.maxmemory = figures_of(store).used_bytes;
	store_configure(store, &config);
	for (unsigned i = 0; i < BEFORE + AFTER; i++) {
		add(store, ALL + i, STORE_NEVER, NOW + LATER_MS);
		assert_true(store_make_room(store, NOW + LATER_MS));
		if (i != BEFORE)
			continue;
		for (unsigned used = 0; used < ALL; used += 2) {
			use(store, used, NOW + LATER_MS);
			there += has(store, used, NOW + LATER_MS);
		}
	}
	for (unsigned used = 0; used < ALL; used += 2)
		left += has(store, used, NOW + LATER_MS);
	/* Among the five of a sample there may be nothing else. */
	assert_in_range(left, there - 2, there);
	store_destroy(store);
}

static void lfu_keeps_what_is_used_often(void **state)
{
	enum { HOT = 2000, ALL = 100000 };
	struct store_config config = config_of(STORE_ALLKEYS_LFU);
	struct store *store = store_new(&config, NULL);
	unsigned kept = 0;

	(void)state;
	for (unsigned i = 0; i < ALL; i++) {
		assert_true(store_make_room(store, NOW + i));
		add(store, i, STORE_NEVER, NOW + i);
		if (i == HOT)
			for (unsigned n = 0; n < HOT * 50; n++)
				use(store, n % HOT, NOW + i);
	}
	for (unsigned hot = 0; hot < HOT; hot++)
		kept += has(store, hot, NOW + ALL);
	assert_true(kept >= HOT * 99 / 100);
	store_destroy(store);
}

static void volatile_ttl_takes_the_shortest_to_live_and_only_these(void **state)
{
	enum { ALL = 10000 };
	struct store_config config = config_of(STORE_VOLATILE_TTL);
	struct store *store = store_new(&config, NULL);
	unsigned left = 0, wrong = 0;

	(void)state;
	store_turn(store, NOW, 1);
	config.maxmemory = 0;
	store_configure(store, &config);
	for (unsigned i = 0; i < ALL; i++)
		add(store, i, i % 2 ? NOW + 1000 + i * 100 : STORE_NEVER, NOW);
	config.maxmemory = figures_of(store).used_bytes * 7 / 10;
	store_configure(store, &config);
	while (figures_of(store).used_bytes > config.maxmemory)
		assert_true(store_make_room(store, NOW));
	left = (unsigned)store_volatile_size(store, 0);
	for (unsigned i = 0; i < ALL; i++) {
		if (i % 2 == 0)
			assert_true(has(store, i, NOW));
		else if (i >= ALL - 2 * left)
			wrong += !has(store, i, NOW);
	}
	assert_true(left > 500);
	assert_true(wrong <= left / 20);
	config.maxmemory = 1;
	store_configure(store, &config);
	while (store_make_room(store, NOW))
		;
	assert_int_equal(store_volatile_size(store, 0), 0);
	assert_int_equal(store_size(store, 0), ALL / 2);
	store_destroy(store);
}

/* Of every ten keys one may go, or of every thousand: those that may not never do. */
static void volatile_policies_leave_all_others_alone(void **state)
{
	static const enum store_policy policies[] = {STORE_VOLATILE_LRU, STORE_VOLATILE_LFU,
						     STORE_VOLATILE_RANDOM, STORE_VOLATILE_TTL};
	static const unsigned every[] = {2, 10, 1000};
	enum { ALL = 6000 };

	(void)state;
	for (unsigned n = 0; n < 12; n++) {
		struct store_config config = config_of(policies[n % 4]);
		struct store *store = store_new(&config, NULL);
		unsigned step = every[n / 4];

		for (unsigned i = 0; i < ALL; i++)
			add(store, i, i % step ? STORE_NEVER : NOW + 100000 + i, NOW);
		config.maxmemory = 1;
		store_configure(store, &config);
		while (store_make_room(store, NOW))
			;
		assert_int_equal(store_volatile_size(store, 0), 0);
		assert_int_equal(store_size(store, 0), ALL - ALL / step);
		assert_int_equal(figures_of(store).evicted, ALL / step);
		store_destroy(store);
	}
}

static void volatile_lru_keeps_what_is_used(void **state)
{
	enum { ALL = 9000 };
	struct store_config config = config_of(STORE_VOLATILE_LRU);
	struct store *store = store_new(&config, NULL);
	unsigned kept = 0;

	(void)state;
	for (unsigned i = 0; i < ALL; i++) /* a third for ever, a third used, a third not */
		add(store, i, i % 3 ? NOW + 1000000 + i : STORE_NEVER, NOW);
	for (unsigned i = 1; i < ALL; i += 3)
		use(store, i, NOW + 500000);
	config.maxmemory = figures_of(store).used_bytes;
	store_configure(store, &config);
	for (unsigned i = 0; i < ALL / 4; i++) {
		add(store, ALL + i, STORE_NEVER, NOW + 500000);
		assert_true(store_make_room(store, NOW + 500000));
	}
	for (unsigned i = 1; i < ALL; i += 3)
		kept += has(store, i, NOW + 500000);
	assert_true(kept >= ALL / 3 * 90 / 100);
	assert_true(figures_of(store).evicted >= ALL / 8);
	store_destroy(store);
}

/* One that was to expire when it was looked at, and is to stay since. */
static void what_was_made_persistent_stays(void **state)
{
	enum { ALL = 100 };
	struct store_config config = config_of(STORE_VOLATILE_RANDOM);
	struct store *store = store_new(&config, NULL);
	struct name name;
	uint64_t evicted;

	(void)state;
	for (unsigned i = 0; i < ALL; i++)
		add(store, i, NOW + 1000, NOW);
	config.maxmemory = figures_of(store).used_bytes;
	store_configure(store, &config);
	for (unsigned i = 0; i < 5; i++) {
		add(store, ALL + i, STORE_NEVER, NOW);
		assert_true(store_make_room(store, NOW));
	}
	for (unsigned i = 0; i < ALL; i++) {
		struct entry *entry = store_peek_or_null(store, 0, name_of(i, &name), NOW);

		if (entry)
			assert_true(store_expire(store, 0, entry, STORE_NEVER));
	}
	evicted = figures_of(store).evicted;
	for (unsigned i = 5; store_make_room(store, NOW); i++)
		add(store, ALL + i, STORE_NEVER, NOW);
	assert_true(evicted > 0);
	assert_int_equal(figures_of(store).evicted, evicted);
	store_destroy(store);
}

static void allkeys_random_spares_nobody(void **state)
{
	struct store_config config = config_of(STORE_ALLKEYS_RANDOM);
	struct store *store = store_new(&config, NULL);
	unsigned early = 0;

	(void)state;
	for (unsigned i = 0; i < 60000; i++) {
		assert_true(store_make_room(store, NOW + i));
		add(store, i, STORE_NEVER, NOW + i);
	}
	/* Of the first half some are left yet, as chance would have it. */
	for (unsigned i = 0; i < 30000; i++)
		early += has(store, i, NOW + 60000);
	assert_in_range(early, store_size(store, 0) / 10, store_size(store, 0) / 2);
	store_destroy(store);
}

static void without_eviction_there_is_no_room(void **state)
{
	struct store_config config = config_of(STORE_NOEVICTION);
	struct store *store = store_new(&config, NULL);
	unsigned i = 0;

	(void)state;
	for (; store_make_room(store, NOW); i++)
		add(store, i, STORE_NEVER, NOW);
	assert_int_equal(store_size(store, 0), i);
	assert_true(figures_of(store).used_bytes > MAXMEMORY);
	assert_int_equal(figures_of(store).evicted, 0);
	store_remove(store, 0, add(store, 1, STORE_NEVER, NOW));
	config.maxmemory = 0;
	store_configure(store, &config);
	assert_true(store_make_room(store, NOW));
	store_destroy(store);
}

static void count_visit(void *arg, struct entry *entry)
{
	(void)entry;
	++*(unsigned *)arg;
}

/*
 * Where all are worth the same it is chance that chooses, and it must be fair to all places of the
 * table: if it began anywhere and went on to the next entry, then empty stretches would grow, as
 * they lead to whoever comes behind them.
 */
static void eviction_leaves_the_table_in_shape(void **state)
{
	struct store_config config = config_of(STORE_ALLKEYS_LFU);
	struct store *store = store_new(&config, NULL);
	unsigned longest = 0, buckets = 0, empty = 0;
	uint64_t cursor = 0;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		store_make_room(store, NOW);
		add(store, i, STORE_NEVER, NOW);
	}
	do {
		unsigned visited = 0;

		cursor = store_scan(store, 0, cursor, count_visit, &visited);
		longest = visited > longest ? visited : longest;
		empty += visited == 0;
		buckets++;
	} while (cursor);
	assert_true(longest < 32);
	assert_true(empty < buckets / 20);
	store_destroy(store);
}

static void a_lower_limit_is_reached_in_bounded_steps(void **state)
{
	struct store_config config = config_of(STORE_ALLKEYS_LRU);
	struct store *store = store_new(&config, NULL);
	uint64_t evicted;

	(void)state;
	for (unsigned i = 0; i < 15000; i++)
		add(store, i, STORE_NEVER, NOW);
	config.maxmemory = MAXMEMORY / 8;
	store_configure(store, &config);
	assert_int_equal(figures_of(store).evicted, 0);
	assert_true(store_make_room(store, NOW));
	evicted = figures_of(store).evicted;
	assert_in_range(evicted, 1, 2000);
	assert_true(figures_of(store).used_bytes > config.maxmemory);
	assert_int_equal(store_turn(store, NOW, 10), NOW);
	assert_int_equal(figures_of(store).evicted, evicted + 10);
	while (store_turn(store, NOW, 500) == NOW)
		;
	assert_true(figures_of(store).used_bytes <= config.maxmemory);
	assert_true(figures_of(store).used_bytes > config.maxmemory / 2);
	store_destroy(store);
}

static void what_was_cleared_goes_before_anything_is_evicted(void **state)
{
	struct store_config config = config_of(STORE_ALLKEYS_LRU);
	struct store *store = store_new(&config, NULL);

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		add(store, i, STORE_NEVER, NOW);
	store_clear(store, 0);
	for (unsigned i = 0; i < 10000; i++) {
		store_make_room(store, NOW);
		add(store, i, STORE_NEVER, NOW);
	}
	assert_int_equal(figures_of(store).evicted, 0);
	assert_int_equal(store_size(store, 0), 10000);
	store_destroy(store);
}

static void all_databases_give(void **state)
{
	struct store_config config = config_of(STORE_ALLKEYS_LRU);
	struct store *store = store_new(&config, NULL);
	struct name name;

	(void)state;
	for (unsigned i = 0; i < 60000; i++) {
		store_make_room(store, NOW + i);
		store_set_or_null(store, (int)(i % 3), name_of(i, &name),
				  SLICE("thirty-two bytes of some value.."), STORE_NEVER, NOW + i);
	}
	for (int db = 0; db < 3; db++)
		assert_in_range(store_size(store, db), 1000, 19000);
	store_clear(store, 1);
	store_swap(store, 0, 2);
	for (unsigned i = 0; i < 60000; i++) {
		assert_true(store_make_room(store, NOW + 60000 + i));
		store_set_or_null(store, 1, name_of(i, &name), SLICE("v"), STORE_NEVER,
				  NOW + 60000 + i);
	}
	store_destroy(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lru_keeps_what_is_used),
		cmocka_unit_test(lru_prefers_the_oldest),
		cmocka_unit_test(what_is_used_after_it_was_looked_at_stays),
		cmocka_unit_test(lfu_keeps_what_is_used_often),
		cmocka_unit_test(volatile_ttl_takes_the_shortest_to_live_and_only_these),
		cmocka_unit_test(volatile_policies_leave_all_others_alone),
		cmocka_unit_test(volatile_lru_keeps_what_is_used),
		cmocka_unit_test(what_was_made_persistent_stays),
		cmocka_unit_test(allkeys_random_spares_nobody),
		cmocka_unit_test(without_eviction_there_is_no_room),
		cmocka_unit_test(eviction_leaves_the_table_in_shape),
		cmocka_unit_test(a_lower_limit_is_reached_in_bounded_steps),
		cmocka_unit_test(what_was_cleared_goes_before_anything_is_evicted),
		cmocka_unit_test(all_databases_give),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
