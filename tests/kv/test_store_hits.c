/*
 * How good eviction is where it counts: the share of hits of a cache that holds an eighth of the
 * keys, whose popularity is Zipf's (1 / rank), beside a list that is true LRU, of as many keys.
 */
#include "kv/dice.h"
#include "kv/store.h"
#include "store_test.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
	KEYS = 100000,
	OPERATIONS = 600000, /* of which the second half is counted */
	MAXMEMORY = 1024 * 1024,
	OPERATIONS_PER_MS = 10,
};

struct workload {
	double sums[KEYS]; /* the odds of a rank up to this one */
	unsigned keys[OPERATIONS];
};

static void make(struct workload *workload)
{
	struct dice dice = {.state = 42};
	double sum = 0;

	for (unsigned i = 0; i < KEYS; i++)
		workload->sums[i] = sum += 1.0 / (i + 1);
	for (unsigned n = 0; n < OPERATIONS; n++) {
		double at = (double)dice_below(&dice, UINT32_MAX) / UINT32_MAX * sum;
		unsigned low = 0, high = KEYS - 1;

		while (low < high) {
			unsigned middle = (low + high) / 2;

			if (workload->sums[middle] < at)
				low = middle + 1;
			else
				high = middle;
		}
		workload->keys[n] = low;
	}
}

/* In percent; and how many keys there was room for. */
static double hits_of_store(const struct workload *workload, enum store_policy policy,
			    uint64_t *size)
{
	struct store_config config = {.maxmemory = MAXMEMORY,
				      .policy = policy,
				      .samples = 5,
				      .lfu_log_factor = 10,
				      .lfu_decay_minutes = 1};
	struct store *store = store_new(&config, NULL);
	unsigned hits = 0;
	struct name name;

	for (unsigned n = 0; n < OPERATIONS; n++) {
		struct slice key = name_of(workload->keys[n], &name);
		uint64_t now_ms = NOW + n / OPERATIONS_PER_MS;

		if (store_find_or_null(store, 0, key, now_ms)) {
			hits += n >= OPERATIONS / 2;
			continue;
		}
		assert_true(store_make_room(store, now_ms));
		store_set_or_null(store, 0, key, SLICE("thirty-two bytes of some value.."),
				  STORE_NEVER, now_ms);
	}
	*size = store_size(store, 0);
	store_destroy(store);
	return 100.0 * hits / (OPERATIONS / 2);
}

struct lru {
	unsigned next[KEYS + 1], before[KEYS + 1]; /* the last is the list's head */
	bool there[KEYS];
};

static void lru_unlink(struct lru *lru, unsigned key)
{
	lru->next[lru->before[key]] = lru->next[key];
	lru->before[lru->next[key]] = lru->before[key];
}

static double hits_of_list(const struct workload *workload, uint64_t size)
{
	struct lru *lru = calloc(1, sizeof(*lru));
	uint64_t count = 0;
	unsigned hits = 0;

	lru->next[KEYS] = lru->before[KEYS] = KEYS;
	for (unsigned n = 0; n < OPERATIONS; n++) {
		unsigned key = workload->keys[n], oldest = lru->before[KEYS];

		if (lru->there[key]) {
			hits += n >= OPERATIONS / 2;
			lru_unlink(lru, key);
		} else if (count++ >= size) {
			lru_unlink(lru, oldest);
			lru->there[oldest] = false;
		}
		lru->there[key] = true;
		lru->next[key] = lru->next[KEYS];
		lru->before[key] = KEYS;
		lru->before[lru->next[KEYS]] = key;
		lru->next[KEYS] = key;
	}
	free(lru);
	return 100.0 * hits / (OPERATIONS / 2);
}

static void sampling_hits_about_as_often_as_true_lru(void **state)
{
	struct workload *workload = malloc(sizeof(*workload));
	double lru, lfu, chance, list;
	uint64_t size;

	(void)state;
	make(workload);
	lfu = hits_of_store(workload, STORE_ALLKEYS_LFU, &size);
	chance = hits_of_store(workload, STORE_ALLKEYS_RANDOM, &size);
	lru = hits_of_store(workload, STORE_ALLKEYS_LRU, &size);
	list = hits_of_list(workload, size);
	print_message("%% of hits with %u of %u keys: LFU %.2f, LRU %.2f, true LRU %.2f, by chance "
		      "%.2f\n",
		      (unsigned)size, KEYS, lfu, lru, list, chance);
	assert_true(lru > list - 0.5);
	assert_true(lfu > lru);
	assert_true(chance < lru - 1);
	free(workload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sampling_hits_about_as_often_as_true_lru),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
