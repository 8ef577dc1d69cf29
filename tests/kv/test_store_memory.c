/*
 * The store without memory: whichever allocation fails, the call says so and nothing has changed.
 * The heap is the test's own: it fails when told, and knows what is in use, which the store's books
 * must agree with.
 */
#include "kv/heap.h"
#include "kv/store.h"
#include "store_test.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static struct {
	size_t used;
	int left; /* allocations that succeed; negative: all do */
} heap = {.left = -1};

static bool fails(void)
{
	if (heap.left == 0)
		return true;
	heap.left -= heap.left > 0;
	return false;
}

void *heap_alloc_or_null(size_t size)
{
	return heap_grow_or_null(NULL, size);
}

void *heap_grow_or_null(void *block, size_t size)
{
	size_t old = heap_size(block);
	void *grown = fails() ? NULL : realloc(block, size);

	if (grown)
		heap.used += heap_size(grown) - old;
	return grown;
}

void heap_free(void *block)
{
	heap.used -= heap_size(block);
	free(block);
}

size_t heap_size(const void *block)
{
	return block ? malloc_usable_size((void *)(uintptr_t)block) : 0;
}

static const struct store_config config = {.policy = STORE_NOEVICTION, .samples = 5};
static char large[20000];

/* True: it was done. */
typedef bool operation_fn(struct store *store);

static bool set_new(struct store *store)
{
	return store_set_or_null(store, 4, SLICE("new"), SLICE("value"), NOW + 5, NOW);
}

static bool set_large(struct store *store)
{
	return store_set_or_null(store, 0, SLICE("new"), (struct slice){large, sizeof(large)},
				 STORE_NEVER, NOW);
}

static bool set_again(struct store *store)
{
	return store_set_or_null(store, 0, name_of(3, &(struct name){""}),
				 (struct slice){large, 1000}, NOW + 5, NOW);
}

static bool set_bytes(struct store *store)
{
	struct bytes *bytes = bytes_create_or_null(sizeof(large), sizeof(large));

	if (!bytes)
		return false;
	memset(bytes->data, 'x', sizeof(large));
	return store_set_bytes_or_null(store, 0, name_of(3, &(struct name){""}), bytes, STORE_NEVER,
				       NOW);
}

static bool edit(struct store *store, unsigned key, size_t len)
{
	struct entry *entry = store_peek_or_null(store, 0, name_of(key, &(struct name){""}), NOW);

	return store_edit_or_null(store, 0, &entry, len);
}

static bool edit_inside(struct store *store)
{
	return edit(store, 3, 900);
}

static bool edit_out(struct store *store)
{
	return edit(store, 3, 9000);
}

static bool edit_outside(struct store *store)
{
	return edit(store, 7, 900000);
}

static bool edit_in(struct store *store)
{
	return edit(store, 7, 10);
}

static bool expire(struct store *store)
{
	return store_expire(store, 0,
			    store_peek_or_null(store, 0, name_of(3, &(struct name){""}), NOW),
			    NOW + 500);
}

static bool move(struct store *store)
{
	return store_move(store, 0,
			  store_peek_or_null(store, 0, name_of(5, &(struct name){""}), NOW), 9,
			  SLICE("elsewhere"), NOW);
}

static bool move_to_db(struct store *store)
{
	return store_move(store, 0,
			  store_peek_or_null(store, 0, name_of(5, &(struct name){""}), NOW), 9,
			  name_of(5, &(struct name){""}), NOW);
}

/* Keys enough that one more may split a bucket, or chain one. */
static struct store *filled(unsigned keys)
{
	struct store *store = store_new(&config, NULL);
	struct name name;

	for (unsigned i = 0; i < keys; i++)
		store_set_or_null(store, 0, name_of(i, &name), SLICE("value"),
				  i == 5 ? NOW + 100 : STORE_NEVER, NOW);
	store_set_or_null(store, 0, name_of(7, &name), (struct slice){large, sizeof(large)},
			  STORE_NEVER, NOW);
	return store;
}

static void assert_unchanged(struct store *store, unsigned keys)
{
	char scratch[ENTRY_SCRATCH_LEN];
	struct name name;

	assert_int_equal(figures_of(store).keys, keys);
	assert_int_equal(figures_of(store).volatile_keys, 1);
	for (unsigned i = 0; i < keys; i++) {
		struct entry *entry = store_peek_or_null(store, 0, name_of(i, &name), NOW);

		assert_non_null(entry);
		assert_int_equal(entry_expire_ms(entry), i == 5 ? NOW + 100 : STORE_NEVER);
		if (i == 7)
			assert_int_equal(entry_string(entry, scratch).len, sizeof(large));
		else
			assert_true(slice_equal(entry_string(entry, scratch), SLICE("value")));
	}
}

static void try_with_less_and_less(operation_fn *operation, unsigned keys)
{
	bool done = false;

	for (int allocations = 0; !done; allocations++) {
		struct store *store = filled(keys);

		heap.left = allocations;
		done = operation(store);
		heap.left = -1;
		assert_true(allocations < 20);
		assert_int_equal(figures_of(store).used_bytes, heap.used);
		if (!done)
			assert_unchanged(store, keys);
		store_destroy(store);
		assert_int_equal(heap.used, 0);
	}
}

static void what_fails_for_want_of_memory_has_changed_nothing(void **state)
{
	static operation_fn *const operations[] = {
		set_new,  set_large,	set_again, set_bytes, edit_inside, edit_out,
		edit_out, edit_outside, edit_in,   expire,    move,	   move_to_db,
	};

	(void)state;
	memset(large, 'x', sizeof(large));
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		for (unsigned keys = 8; keys < 60; keys++)
			try_with_less_and_less(operations[i], keys);
}

/* Growing fails now and then: then it is fuller, and catches up later. */
static void a_table_that_cannot_grow_goes_on(void **state)
{
	struct store *store = store_new(&config, NULL);
	unsigned refused = 0, i;
	struct name name;

	(void)state;
	for (i = 0; i < 3000; i++) {
		heap.left = (int)(i % 7);
		refused += !store_set_or_null(store, 0, name_of(i, &name), SLICE("v"), STORE_NEVER,
					      NOW);
		heap.left = -1;
	}
	assert_int_equal(store_size(store, 0), 3000 - refused);
	assert_int_equal(figures_of(store).used_bytes, heap.used);
	for (i = 0; i < 3000; i++) {
		struct entry *entry = store_peek_or_null(store, 0, name_of(i, &name), NOW);

		heap.left = (int)(i % 2);
		if (entry)
			store_remove(store, 0, entry);
		heap.left = -1;
	}
	assert_int_equal(store_size(store, 0), 0);
	assert_int_equal(figures_of(store).used_bytes, heap.used);
	store_destroy(store);
	assert_int_equal(heap.used, 0);
}

static void without_memory_there_is_no_store(void **state)
{
	(void)state;
	heap.left = 0;
	assert_null(store_new(&config, NULL));
	heap.left = -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fails_for_want_of_memory_has_changed_nothing),
		cmocka_unit_test(a_table_that_cannot_grow_goes_on),
		cmocka_unit_test(without_memory_there_is_no_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
