/* When, and how often, an entry was used. */
#include "kv/access.h"
#include "kv/store.h"
#include "store_test.h"

#include <setjmp.h>

#include <cmocka.h>

static const struct store_config lru_config = {.policy = STORE_ALLKEYS_LRU, .samples = 5};
static const struct store_config lfu_config = {
	.policy = STORE_ALLKEYS_LFU,
	.samples = 5,
	.lfu_log_factor = 10,
	.lfu_decay_minutes = 1,
};

static void idle_time_counts_from_the_last_access(void **state)
{
	struct store *store = store_new(&lru_config, NULL);
	struct entry *entry = set(store, "k", "v");

	(void)state;
	assert_int_equal(entry_idle_s(store, entry, NOW + 25000), 25);
	store_peek_or_null(store, 0, SLICE("k"), NOW + 25000);
	store_look_or_null(store, 0, SLICE("k"), NOW + 25000);
	assert_int_equal(entry_idle_s(store, entry, NOW + 30000), 30);
	store_find_or_null(store, 0, SLICE("k"), NOW + 30000);
	assert_int_equal(entry_idle_s(store, entry, NOW + 30999), 0);
	store_seize_or_null(store, 0, SLICE("k"), NOW + 40000);
	assert_int_equal(entry_idle_s(store, entry, NOW + 41000), 1);
	entry_touch(store, entry, NOW + 60000);
	assert_int_equal(entry_idle_s(store, entry, NOW + 61000), 1);
	assert_int_equal(entry_idle_s(store, entry, NOW), 0); /* the clock went back */
	store_destroy(store);
}

/* Redis's table for a factor of 10: 100 hits 10, 1000 hits 18, 100,000 hits 142, a million 255. */
static void the_lfu_counter_is_redis_s(void **state)
{
	static const struct {
		unsigned hits, low, high;
	} cases[] = {
		{0, 5, 5}, {100, 8, 13}, {1000, 16, 22}, {100000, 130, 155}, {2000000, 255, 255}};
	struct store_config config = lfu_config;
	struct dice dice = {.state = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint32_t access = access_first(&config, NOW);

		for (unsigned n = 0; n < cases[i].hits; n++)
			access = access_next(&config, &dice, access, NOW);
		assert_in_range(access_freq(&config, access, NOW), cases[i].low, cases[i].high);
	}
}

static void the_lfu_counter_decays_with_the_minutes(void **state)
{
	struct store_config config = lfu_config;
	struct store *store = store_new(&config, NULL);
	struct entry *entry = set(store, "k", "v");

	(void)state;
	assert_int_equal(entry_freq(store, entry, NOW), 5);
	assert_int_equal(entry_freq(store, entry, NOW + 3 * 60000), 2);
	assert_int_equal(entry_freq(store, entry, NOW + 100 * 60000), 0);
	config.lfu_decay_minutes = 0;
	store_configure(store, &config);
	assert_int_equal(entry_freq(store, entry, NOW + 100 * 60000), 5);
	store_destroy(store);
}

static void the_lfu_counter_survives_what_changes_the_entry(void **state)
{
	struct store_config config = lfu_config;
	struct store *store = store_new(&config, NULL);
	struct entry *entry = set(store, "k", "v");
	unsigned freq;

	(void)state;
	for (unsigned n = 0; n < 1000; n++)
		store_find_or_null(store, 0, SLICE("k"), NOW);
	freq = entry_freq(store, entry, NOW);
	assert_true(freq > 10);
	assert_non_null(store_edit_or_null(store, 0, &entry, 500));
	assert_true(store_expire(store, 0, entry, NOW + 1000));
	entry = store_peek_or_null(store, 0, SLICE("k"), NOW);
	assert_true(store_move(store, 0, entry, 2, SLICE("another name"), NOW));
	entry = store_peek_or_null(store, 2, SLICE("another name"), NOW);
	assert_int_equal(entry_freq(store, entry, NOW), freq);
	entry = store_set_or_null(store, 2, SLICE("another name"), SLICE("1"), STORE_NEVER, NOW);
	assert_in_range(entry_freq(store, entry, NOW), freq, freq + 1);
	store_destroy(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_time_counts_from_the_last_access),
		cmocka_unit_test(the_lfu_counter_is_redis_s),
		cmocka_unit_test(the_lfu_counter_decays_with_the_minutes),
		cmocka_unit_test(the_lfu_counter_survives_what_changes_the_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
