/* What each call of the store promises. The model test has all of them together. */
#include "kv/heap.h"
#include "kv/store.h"
#include "store_test.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct store_config config = {.policy = STORE_NOEVICTION, .samples = 5};

static void assert_value(const struct entry *entry, const char *expected)
{
	char scratch[ENTRY_SCRATCH_LEN];

	assert_non_null(entry);
	assert_true(slice_equal(entry_string(entry, scratch), slice_of(expected)));
}

static void an_empty_store_has_nothing(void **state)
{
	struct store *store = store_new(&config, NULL);
	struct store_figures figures = figures_of(store);

	(void)state;
	assert_int_equal(figures.keys, 0);
	assert_null(peek(store, "a"));
	assert_null(store_random_or_null(store, 3, NOW));
	assert_int_equal(store_scan(store, 0, 12345, NULL, NULL), 0);
	assert_int_equal(store_turn(store, NOW, 100), UINT64_MAX);
	assert_true(store_make_room(store, NOW));
	store_clear(store, 0);
	store_swap(store, 0, 15);
	store_destroy(store);
	store_destroy(NULL);
}

static void the_shortest_form_of_an_integer_is_kept_as_one(void **state)
{
	static const struct {
		const char *text;
		bool integer;
	} cases[] = {
		{"0", true},
		{"-1", true},
		{"9223372036854775807", true},
		{"-9223372036854775808", true},
		{"9223372036854775808", false},
		{"-9223372036854775809", false},
		{"00", false},
		{"01", false},
		{"-0", false},
		{"+1", false},
		{" 1", false},
		{"1 ", false},
		{"-", false},
		{"", false},
		{"1e3", false},
	};
	struct store *store = store_new(&config, NULL);
	int64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct entry *entry = set(store, "k", cases[i].text);

		assert_value(entry, cases[i].text);
		assert_int_equal(entry_integer(entry, &value), cases[i].integer);
		assert_int_equal(entry_encoding(entry),
				 cases[i].integer ? VALUE_INT : VALUE_EMBSTR);
		if (cases[i].integer)
			assert_int_equal(value, strtoll(cases[i].text, NULL, 10));
	}
	store_destroy(store);
}

static void encodings_are_those_of_redis(void **state)
{
	struct store *store = store_new(&config, NULL);
	char text[46];
	struct entry *entry;

	(void)state;
	memset(text, 'x', sizeof(text));
	entry = store_set_or_null(store, 0, SLICE("k"), (struct slice){text, 44}, STORE_NEVER, NOW);
	assert_int_equal(entry_encoding(entry), VALUE_EMBSTR);
	entry = store_set_or_null(store, 0, SLICE("k"), (struct slice){text, 45}, STORE_NEVER, NOW);
	assert_int_equal(entry_encoding(entry), VALUE_RAW);
	entry = set(store, "k", "12");
	assert_non_null(store_edit_or_null(store, 0, &entry, 3));
	assert_int_equal(entry_encoding(entry), VALUE_RAW);
	assert_false(entry_integer(entry, &(int64_t){0}));
	entry = set(store, "k", "short again");
	assert_int_equal(entry_encoding(entry), VALUE_EMBSTR);
	assert_int_equal(entry_type(entry), VALUE_STRING);
	store_destroy(store);
}

static void a_large_value_is_kept_by_reference(void **state)
{
	struct store *store = store_new(&config, NULL);
	struct bytes *bytes = bytes_create_or_null(BYTES_LEN_MIN, BYTES_LEN_MIN);
	struct entry *entry;

	(void)state;
	memset(bytes->data, 'x', bytes->len);
	bytes_get(bytes);
	entry = store_set_bytes_or_null(store, 0, SLICE("k"), bytes, STORE_NEVER, NOW);
	assert_ptr_equal(entry_bytes_or_null(entry), bytes);
	assert_true(bytes_shared(bytes));
	assert_true(entry_size(entry) > BYTES_LEN_MIN);
	store_remove(store, 0, entry);
	assert_false(bytes_shared(bytes));
	bytes_put(bytes);
	store_destroy(store);
}

static void a_short_value_in_bytes_is_copied_and_let_go(void **state)
{
	struct store *store = store_new(&config, NULL);
	struct bytes *bytes = bytes_create_or_null(2, 2);
	struct entry *entry;

	(void)state;
	memcpy(bytes->data, "42", 2);
	bytes_get(bytes);
	entry = store_set_bytes_or_null(store, 0, SLICE("k"), bytes, STORE_NEVER, NOW);
	assert_null(entry_bytes_or_null(entry));
	assert_int_equal(entry_encoding(entry), VALUE_INT);
	assert_false(bytes_shared(bytes));
	bytes_put(bytes);
	store_destroy(store);
}

/* SET k (the value of k): what is set may be what is there. */
static void a_value_may_be_set_to_its_own(void **state)
{
	struct store *store = store_new(&config, NULL);
	struct entry *entry = set(store, "k", "some text");
	char large[5000], scratch[ENTRY_SCRATCH_LEN];

	(void)state;
	entry = store_set_or_null(store, 0, entry_key(entry), entry_string(entry, scratch), NOW + 5,
				  NOW);
	assert_value(entry, "some text");
	entry = store_set_or_null(store, 0, entry_key(entry),
				  (struct slice){entry_string(entry, scratch).data + 5, 4},
				  STORE_NEVER, NOW);
	assert_value(entry, "text");
	memset(large, 'x', sizeof(large));
	entry = store_set_or_null(store, 0, SLICE("k"), (struct slice){large, sizeof(large)},
				  STORE_NEVER, NOW);
	entry = store_set_or_null(store, 0, entry_key(entry), entry_string(entry, scratch),
				  STORE_NEVER, NOW);
	assert_true(slice_equal(entry_string(entry, scratch), (struct slice){large, 5000}));
	entry = store_set_or_null(store, 0, entry_key(entry),
				  (struct slice){entry_string(entry, scratch).data, 3}, STORE_NEVER,
				  NOW);
	assert_value(entry, "xxx");
	store_destroy(store);
}

static void keys_are_any_bytes_of_any_length(void **state)
{
	static const size_t lens[] = {0, 1, 7, 65533, 65534, 65535, 65536, 200000};
	struct store *store = store_new(&config, NULL);
	char *data = calloc(1, 200000);

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		struct entry *entry = store_set_or_null(store, 0, (struct slice){data, lens[i]},
							SLICE("v"), NOW + 100, NOW);

		assert_int_equal(entry_key(entry).len, lens[i]);
	}
	for (size_t i = 0; i < 8; i++) {
		struct entry *entry =
			store_find_or_null(store, 0, (struct slice){data, lens[i]}, NOW);

		assert_value(entry, "v");
		assert_memory_equal(entry_key(entry).data, data, lens[i]);
		assert_int_equal(entry_expire_ms(entry), NOW + 100);
	}
	assert_int_equal(store_size(store, 0), 8);
	free(data);
	store_destroy(store);
}

/* Full buckets, chained ones, and keys, databases and tables that are not there. */
static void a_key_can_be_foreseen_whether_it_is_there_or_not(void **state)
{
	struct store *store = store_new(&(struct store_config){0}, NULL);
	struct name name;

	(void)state;
	for (unsigned count = 0; count < 3000; count++) {
		const struct slice key = name_of(count, &name);
		const uint64_t hash = store_foresee(store, 0, key);

		store_fetch(store, 0, hash);
		assert_null(store_peek_or_null(store, 0, key, NOW));
		assert_non_null(store_set_or_null(store, 0, key, key, STORE_NEVER, NOW));
		assert_int_equal(store_foresee(store, 0, key), hash);
		assert_int_equal(store_foresee(store, 1, key), hash);
		store_fetch(store, 0, hash);
		store_fetch(store, 1, hash);
		assert_non_null(store_peek_or_null(store, 0, key, NOW));
	}
	assert_int_equal(store_size(store, 0), 3000);
	assert_int_equal(store_size(store, 1), 0);
	store_destroy(store);
}

/* The hash stands for that place alone, not for the same bytes elsewhere, nor for an empty key. */
static void an_expected_key_is_not_hashed_again(void **state)
{
	struct store *store = store_new(&(struct store_config){0}, NULL);
	const char text[] = "one", same[] = "one";
	const struct slice one = slice_of(text);

	(void)state;
	assert_non_null(set(store, "one", "1"));
	assert_non_null(set(store, "", "2"));
	store_expect(store, one, store_foresee(store, 0, one));
	assert_non_null(store_peek_or_null(store, 0, one, NOW));
	store_expect(store, one, ~store_foresee(store, 0, one));
	assert_null(store_peek_or_null(store, 0, one, NOW));
	assert_non_null(peek(store, same));
	store_expect(store, (struct slice){0}, 0);
	assert_non_null(store_peek_or_null(store, 0, one, NOW));
	assert_non_null(store_peek_or_null(store, 0, (struct slice){0}, NOW));
	store_destroy(store);
}

static void databases_are_apart(void **state)
{
	struct store *store = store_new(&config, NULL);

	(void)state;
	for (int db = 0; db < STORE_DB_COUNT; db++)
		store_set_integer_or_null(store, db, SLICE("k"), db, STORE_NEVER, NOW);
	store_swap(store, 0, 5);
	store_clear(store, 1);
	for (int db = 0; db < STORE_DB_COUNT; db++) {
		struct entry *entry = store_peek_or_null(store, db, SLICE("k"), NOW);
		int64_t value = -1;

		assert_int_equal(entry != NULL, db != 1);
		if (entry)
			assert_true(entry_integer(entry, &value));
		assert_int_equal(value, db == 0 ? 5 : db == 5 ? 0 : db == 1 ? -1 : db);
	}
	store_destroy(store);
}

static void an_edited_value_grows_with_zeros_and_shrinks(void **state)
{
	static const size_t lens[] = {3, 10, 200, 4095, 4096, 100000, 5000, 4095, 4, 0, 9000};
	struct store *store = store_new(&config, NULL);
	struct entry *entry = set(store, "k", "abc");
	char scratch[ENTRY_SCRATCH_LEN], *data;

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		size_t had = entry_string(entry, scratch).len;

		data = store_edit_or_null(store, 0, &entry, lens[i]);
		assert_non_null(data);
		assert_ptr_equal(data, entry_string(entry, scratch).data);
		assert_int_equal(entry_string(entry, scratch).len, lens[i]);
		assert_ptr_equal(entry, peek(store, "k"));
		for (size_t at = had; at < lens[i]; at++)
			assert_int_equal(data[at], 0);
		if (lens[i] >= 3 && i < 9)
			assert_memory_equal(data, "abc", 3);
	}
	store_destroy(store);
}

/* A reply under way: what it holds stays as it was. */
static void editing_leaves_shared_bytes_alone(void **state)
{
	struct store *store = store_new(&config, NULL);
	struct bytes *bytes = bytes_create_or_null(5000, 5000);
	struct entry *entry;
	char *data;

	(void)state;
	memset(bytes->data, 'x', 5000);
	entry = store_set_bytes_or_null(store, 0, SLICE("k"), bytes_get(bytes), STORE_NEVER, NOW);
	data = store_edit_or_null(store, 0, &entry, 5001);
	data[0] = 'y';
	assert_int_equal(bytes->data[0], 'x');
	assert_int_equal(bytes->len, 5000);
	assert_ptr_not_equal(entry_bytes_or_null(entry), bytes);
	assert_int_equal(data[4999], 'x');
	bytes_put(bytes);
	store_destroy(store);
}

static void a_move_takes_value_expiry_and_mark_along(void **state)
{
	struct store *store = store_new(&config, NULL);
	struct entry *entry =
		store_set_or_null(store, 0, SLICE("from"), SLICE("value"), NOW + 9, NOW);

	(void)state;
	entry_set_mark(entry, true);
	store_set_or_null(store, 7, SLICE("to"), SLICE("what was there"), STORE_NEVER, NOW);
	assert_true(store_move(store, 0, entry, 7, SLICE("to"), NOW));
	entry = store_peek_or_null(store, 7, SLICE("to"), NOW);
	assert_value(entry, "value");
	assert_int_equal(entry_expire_ms(entry), NOW + 9);
	assert_true(entry_mark(entry));
	assert_int_equal(store_size(store, 0), 0);
	assert_int_equal(store_size(store, 7), 1);
	assert_true(store_move(store, 7, entry, 7, SLICE("to"), NOW));
	assert_true(store_move(store, 7, entry, 0, entry_key(entry), NOW));
	assert_value(store_peek_or_null(store, 0, SLICE("to"), NOW), "value");
	assert_int_equal(store_volatile_size(store, 0), 1);
	assert_int_equal(store_volatile_size(store, 7), 0);
	store_destroy(store);
}

static void new_entries_have_the_mark_that_was_said(void **state)
{
	struct store *store = store_new(&config, NULL);
	struct entry *entry;

	(void)state;
	assert_false(entry_mark(set(store, "old", "1")));
	store_mark_new(store, true);
	assert_true(entry_mark(set(store, "new", "1")));
	assert_false(entry_mark(set(store, "old", "a value that needs more room than a number")));
	entry = peek(store, "old");
	store_edit_or_null(store, 0, &entry, 6000);
	assert_false(entry_mark(entry));
	assert_true(store_expire(store, 0, entry, NOW + 5));
	assert_false(entry_mark(peek(store, "old")));
	store_destroy(store);
}

static void a_random_key_may_be_any(void **state)
{
	enum { KEYS = 300 };
	struct store *store = store_new(&config, NULL);
	unsigned seen[KEYS] = {0};
	struct name name;

	(void)state;
	for (unsigned i = 0; i < KEYS; i++)
		store_set_or_null(store, 0, name_of(i, &name), SLICE("v"), STORE_NEVER, NOW);
	for (unsigned i = 0; i < KEYS * 100; i++)
		seen[number_of(entry_key(store_random_or_null(store, 0, NOW)))]++;
	/* 100 each, with a standard deviation of 10. */
	for (unsigned i = 0; i < KEYS; i++)
		assert_in_range(seen[i], 50, 160);
	store_destroy(store);
}

static void a_random_key_is_never_one_that_has_expired(void **state)
{
	struct store *store = store_new(&config, NULL);
	struct name name;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		store_set_or_null(store, 0, name_of(i, &name), SLICE("v"), i ? NOW + 1 : NOW + 9,
				  NOW);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(number_of(entry_key(store_random_or_null(store, 0, NOW + 5))), 0);
	assert_null(store_random_or_null(store, 0, NOW + 9));
	assert_int_equal(figures_of(store).expired, 200);
	store_destroy(store);
}

static void hits_and_misses_are_counted_by_who_looks_for_a_value(void **state)
{
	struct store *store = store_new(&config, NULL);

	(void)state;
	set(store, "k", "v");
	peek(store, "k");
	peek(store, "none");
	store_find_or_null(store, 0, SLICE("k"), NOW);
	store_find_or_null(store, 0, SLICE("none"), NOW);
	store_find_or_null(store, 1, SLICE("none"), NOW);
	assert_int_equal(figures_of(store).hits, 1);
	assert_int_equal(figures_of(store).misses, 2);
	store_look_or_null(store, 0, SLICE("k"), NOW);
	store_look_or_null(store, 0, SLICE("none"), NOW);
	store_seize_or_null(store, 0, SLICE("k"), NOW);
	store_seize_or_null(store, 0, SLICE("none"), NOW);
	assert_int_equal(figures_of(store).hits, 2);
	assert_int_equal(figures_of(store).misses, 3);
	store_destroy(store);
}

struct seen_clears {
	int cleared, a, b;
};

static void on_clear(void *arg, int db)
{
	((struct seen_clears *)arg)->cleared = db;
}

static void on_swap(void *arg, int db_a, int db_b)
{
	((struct seen_clears *)arg)->a = db_a;
	((struct seen_clears *)arg)->b = db_b;
}

static void clearing_and_swapping_are_told(void **state)
{
	struct seen_clears seen = {-1, -1, -1};
	struct store_events events = {.clears = on_clear, .swaps = on_swap, .arg = &seen};
	struct store *store = store_new(&config, &events);

	(void)state;
	store_clear(store, 3);
	store_swap(store, 4, 5);
	assert_int_equal(seen.cleared, 3);
	assert_int_equal(seen.a, 4);
	assert_int_equal(seen.b, 5);
	store_destroy(store);
}

/* FLUSHALL takes no time; what was there is freed in turns, and new keys do not wait for it. */
static void what_was_cleared_is_freed_bit_by_bit(void **state)
{
	struct store *store = store_new(&config, NULL);
	uint64_t empty = figures_of(store).used_bytes, full, before;
	struct name name;

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		store_set_or_null(store, 2, name_of(i, &name), SLICE("v"), NOW + i, NOW);
	full = figures_of(store).used_bytes;
	store_clear(store, 2);
	assert_int_equal(figures_of(store).keys, 0);
	assert_int_equal(figures_of(store).volatile_keys, 0);
	assert_int_equal(figures_of(store).used_bytes, full);
	assert_null(store_peek_or_null(store, 2, name_of(1, &name), NOW));
	store_set_or_null(store, 2, name_of(1, &name), SLICE("new"), STORE_NEVER, NOW);
	for (unsigned turns = 0; store_turn(store, NOW + 100000, 100) != UINT64_MAX; turns++) {
		before = figures_of(store).used_bytes;
		assert_true(turns < 200);
		store_turn(store, NOW + 100000, 100);
		assert_true(figures_of(store).used_bytes <= before);
	}
	assert_value(store_peek_or_null(store, 2, name_of(1, &name), NOW), "new");
	store_clear(store, 2);
	while (store_turn(store, NOW, 100) != UINT64_MAX)
		;
	assert_int_equal(figures_of(store).used_bytes, empty);
	assert_int_equal(figures_of(store).expired, 0);
	store_destroy(store);
}

static void tidying_frees_what_was_cleared_and_leaves_what_has_expired(void **state)
{
	struct store *store = store_new(&config, NULL);
	uint64_t empty = figures_of(store).used_bytes;
	struct name name;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		store_set_or_null(store, 2, name_of(i, &name), SLICE("v"), NOW + i, NOW);
	assert_int_equal(store_tidy(store, NOW + 5000, 10000), UINT64_MAX);
	assert_int_equal(store_size(store, 2), 1000);
	store_clear(store, 2);
	assert_int_equal(store_tidy(store, NOW + 5000, 10), NOW + 5000);
	assert_int_equal(store_tidy(store, NOW + 5000, 10000), UINT64_MAX);
	assert_int_equal(figures_of(store).used_bytes, empty);
	assert_int_equal(figures_of(store).expired, 0);
	store_destroy(store);
}

/* As a client does who sends SETEX and FLUSHALL in one long pipeline. */
static void who_clears_again_and_again_leaves_no_heap_of_it(void **state)
{
	struct store *store = store_new(&config, NULL);
	uint64_t once;
	struct name name;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		for (unsigned k = 0; k < 10; k++)
			store_set_or_null(store, 2, name_of(k, &name), SLICE("v"), NOW + k, NOW);
		if (i == 0)
			once = figures_of(store).used_bytes;
		store_clear(store, 2);
	}
	assert_in_range(figures_of(store).used_bytes_peak, once, 2 * once);
	store_destroy(store);
}

/* So many that the table has several segments, and its directory grows. */
static void many_keys_are_all_found_and_give_their_memory_back(void **state)
{
	enum { KEYS = 120000 };
	struct store *store = store_new(&config, NULL);
	uint64_t small = 0;
	struct name name;

	(void)state;
	for (unsigned i = 0; i < KEYS; i++) {
		store_set_integer_or_null(store, 0, name_of(i, &name), i, STORE_NEVER, NOW);
		if (i == 0)
			small = figures_of(store).used_bytes;
	}
	assert_true(figures_of(store).used_bytes > KEYS * 30);
	for (unsigned i = 0; i < KEYS; i++) {
		struct entry *entry = store_peek_or_null(store, 0, name_of(i, &name), NOW);
		int64_t value = -1;

		assert_true(entry && entry_integer(entry, &value));
		assert_int_equal(value, i);
		store_remove(store, 0, entry);
		assert_null(store_peek_or_null(store, 0, name_of(i, &name), NOW));
	}
	assert_int_equal(store_size(store, 0), 0);
	/* But for the first segment of the table, which stays. */
	assert_true(figures_of(store).used_bytes < small + 150000);
	store_destroy(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_store_has_nothing),
		cmocka_unit_test(the_shortest_form_of_an_integer_is_kept_as_one),
		cmocka_unit_test(encodings_are_those_of_redis),
		cmocka_unit_test(a_large_value_is_kept_by_reference),
		cmocka_unit_test(a_short_value_in_bytes_is_copied_and_let_go),
		cmocka_unit_test(a_value_may_be_set_to_its_own),
		cmocka_unit_test(keys_are_any_bytes_of_any_length),
		cmocka_unit_test(a_key_can_be_foreseen_whether_it_is_there_or_not),
		cmocka_unit_test(an_expected_key_is_not_hashed_again),
		cmocka_unit_test(databases_are_apart),
		cmocka_unit_test(an_edited_value_grows_with_zeros_and_shrinks),
		cmocka_unit_test(editing_leaves_shared_bytes_alone),
		cmocka_unit_test(a_move_takes_value_expiry_and_mark_along),
		cmocka_unit_test(new_entries_have_the_mark_that_was_said),
		cmocka_unit_test(a_random_key_may_be_any),
		cmocka_unit_test(a_random_key_is_never_one_that_has_expired),
		cmocka_unit_test(hits_and_misses_are_counted_by_who_looks_for_a_value),
		cmocka_unit_test(clearing_and_swapping_are_told),
		cmocka_unit_test(what_was_cleared_is_freed_bit_by_bit),
		cmocka_unit_test(tidying_frees_what_was_cleared_and_leaves_what_has_expired),
		cmocka_unit_test(who_clears_again_and_again_leaves_no_heap_of_it),
		cmocka_unit_test(many_keys_are_all_found_and_give_their_memory_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
