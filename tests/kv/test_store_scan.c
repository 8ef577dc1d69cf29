/* SCAN's promise: what is there from beginning to end is visited, whatever the table does. */
#include "kv/dice.h"
#include "kv/store.h"
#include "store_test.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct store_config config = {.policy = STORE_NOEVICTION, .samples = 5};

enum { KEYS = 40000 };

struct scan {
	struct store *store;
	unsigned char seen[KEYS];
	unsigned visits, at_once;
};

static void visit(void *arg, struct entry *entry)
{
	struct scan *scan = arg;

	scan->seen[number_of(entry_key(entry))] = 1;
	scan->visits++;
	scan->at_once++;
}

static void add(struct store *store, unsigned from, unsigned to)
{
	struct name name;

	for (unsigned i = from; i < to; i++)
		assert_non_null(store_set_or_null(store, 0, name_of(i, &name), SLICE("v"),
						  STORE_NEVER, NOW));
}

static void take(struct store *store, unsigned from, unsigned to)
{
	struct name name;

	for (unsigned i = from; i < to; i++)
		store_remove(store, 0, store_peek_or_null(store, 0, name_of(i, &name), NOW));
}

static void assert_seen(const struct scan *scan, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		assert_true(scan->seen[i]);
}

static struct scan *scan_new(void)
{
	struct scan *scan = calloc(1, sizeof(*scan));

	scan->store = store_new(&config, NULL);
	return scan;
}

static void scan_free(struct scan *scan)
{
	store_destroy(scan->store);
	free(scan);
}

static void at_rest_each_is_visited_once(void **state)
{
	static const unsigned counts[] = {1, 5, 6, 7, 8, 39, 40, 1000, 5120, 5121, KEYS};
	uint64_t cursor, last;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct scan *scan = scan_new();

		add(scan->store, 0, counts[i]);
		cursor = 0;
		do {
			last = cursor;
			scan->at_once = 0;
			cursor = store_scan(scan->store, 0, cursor, visit, scan);
			assert_int_not_equal(cursor, last ? last : UINT64_MAX);
			assert_true(scan->at_once < 64);
		} while (cursor);
		assert_int_equal(scan->visits, counts[i]);
		assert_seen(scan, 0, counts[i]);
		scan_free(scan);
	}
}

/* Between any two steps of the scan the table grows by a few buckets. */
static void all_is_visited_while_the_table_grows(void **state)
{
	struct scan *scan = scan_new();
	uint64_t cursor = 0;
	unsigned end = 700;

	(void)state;
	add(scan->store, 0, end);
	do {
		cursor = store_scan(scan->store, 0, cursor, visit, scan);
		if (end + 40 <= KEYS) {
			add(scan->store, end, end + 40);
			end += 40;
		}
	} while (cursor);
	assert_true(end > 5000);
	assert_seen(scan, 0, 700);
	scan_free(scan);
}

static void all_is_visited_while_the_table_shrinks(void **state)
{
	struct scan *scan = scan_new();
	uint64_t cursor = 0;
	unsigned end = KEYS;

	(void)state;
	add(scan->store, 0, end);
	do {
		cursor = store_scan(scan->store, 0, cursor, visit, scan);
		if (end >= 700 + 40) {
			take(scan->store, end - 40, end);
			end -= 40;
		}
	} while (cursor);
	assert_int_equal(end, 720);
	assert_seen(scan, 0, 700);
	scan_free(scan);
}

static void all_is_visited_while_it_does_both(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct dice dice = {.state = seed};
		struct scan *scan = scan_new();
		unsigned stay = 50 + (unsigned)dice_below(&dice, 500), end = stay;
		uint64_t cursor = 0, steps = 0;

		add(scan->store, 0, end);
		do {
			unsigned to = stay + (unsigned)dice_below(&dice, 4000);

			cursor = store_scan(scan->store, 0, cursor, visit, scan);
			if (dice_below(&dice, 8) == 0 && to > end)
				add(scan->store, end, to);
			else if (dice_below(&dice, 8) == 0 && to < end)
				take(scan->store, to, end);
			else
				continue;
			end = to;
		} while (cursor && ++steps < 100000);
		assert_int_equal(cursor, 0);
		assert_seen(scan, 0, stay);
		scan_free(scan);
	}
}

static void visit_and_remove(void *arg, struct entry *entry)
{
	struct scan *scan = arg;

	visit(arg, entry);
	if (number_of(entry_key(entry)) % 3)
		store_remove(scan->store, 0, entry);
}

static void who_visits_may_remove_what_is_visited(void **state)
{
	struct scan *scan = scan_new();
	uint64_t cursor = 0;

	(void)state;
	add(scan->store, 0, 9000);
	do
		cursor = store_scan(scan->store, 0, cursor, visit_and_remove, scan);
	while (cursor);
	assert_seen(scan, 0, 9000);
	/* What stayed may be visited again, when its bucket is joined to one that is to come. */
	assert_in_range(scan->visits, 9000, 9100);
	assert_int_equal(store_size(scan->store, 0), 3000);
	scan->visits = 0;
	do
		cursor = store_scan(scan->store, 0, cursor, visit, scan);
	while (cursor);
	assert_int_equal(scan->visits, 3000);
	scan_free(scan);
}

/* A client may send any number. */
static void any_cursor_is_good_and_comes_to_an_end(void **state)
{
	struct scan *scan = scan_new();
	struct dice dice = {.state = 4};

	(void)state;
	add(scan->store, 0, 3000);
	for (unsigned n = 0; n < 200; n++) {
		uint64_t cursor = n ? dice_roll(&dice) : UINT64_MAX;
		unsigned steps = 0;

		do
			cursor = store_scan(scan->store, 0, cursor, visit, scan);
		while (cursor && ++steps < 2000);
		assert_int_equal(cursor, 0);
	}
	scan_free(scan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_rest_each_is_visited_once),
		cmocka_unit_test(all_is_visited_while_the_table_grows),
		cmocka_unit_test(all_is_visited_while_the_table_shrinks),
		cmocka_unit_test(all_is_visited_while_it_does_both),
		cmocka_unit_test(who_visits_may_remove_what_is_visited),
		cmocka_unit_test(any_cursor_is_good_and_comes_to_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
