#include "mem/rcu.h"

#include "mem/check.h"
#include "tests/mem/cmocka_all.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static void what_was_retired_is_freed_once_by_the_next_reclaim(void **state)
{
	struct rcu_retired *list = rcu_retired_create();

	(void)state;
	assert_non_null(list);
	assert_int_equal(rcu_reclaim(list), 0);
	for (int i = 0; i < 10; i++)
		rcu_retire_mt(list, rcu_alloc_or_null(100));
	rcu_retire_mt(list, NULL);
	assert_int_equal(rcu_reclaim(list), 10);
	assert_int_equal(rcu_reclaim(list), 0);
	rcu_retired_destroy(list);
}

static void destroying_a_list_frees_what_is_left(void **state)
{
	struct rcu_retired *list = rcu_retired_create();

	(void)state;
	rcu_retire_mt(list, rcu_alloc_or_null(100)); /* the leak checker would tell */
	rcu_retired_destroy(list);
	rcu_retired_destroy(NULL);
}

enum { PUBLICATIONS = 2000 };

/* A table of one row, whose two halves agree. */
struct row {
	uint64_t value, complement;
};

static struct row *published;
static atomic_bool over;

static void *read_rows(void *arg)
{
	uint64_t seen = 0;

	(void)arg;
	rcu_register_thread();
	while (!atomic_load_explicit(&over, memory_order_relaxed)) {
		const struct row *row = rcu_dereference(published);

		CHECK(row->value == ~row->complement);
		CHECK(row->value >= seen);
		seen = row->value;
		rcu_quiescent_state();
	}
	rcu_unregister_thread();
	return NULL;
}

/* Under ASan a row freed too early is a use after free. */
static void a_reader_never_sees_a_reclaimed_row(void **state)
{
	struct rcu_retired *list = rcu_retired_create();
	unsigned reclaimed = 0;
	pthread_t readers[2];

	(void)state;
	published = rcu_alloc_or_null(sizeof(*published));
	*published = (struct row){0, ~(uint64_t)0};
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_rows, NULL), 0);
	for (uint64_t i = 1; i <= PUBLICATIONS; i++) {
		struct row *row = rcu_alloc_or_null(sizeof(*row));

		*row = (struct row){i, ~i};
		rcu_retire_mt(list, rcu_xchg_pointer(&published, row));
		if (i % 100 == 0)
			reclaimed += rcu_reclaim(list);
	}
	atomic_store(&over, true);
	for (int i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(reclaimed, PUBLICATIONS);
	rcu_free(published);
	rcu_retired_destroy(list);
}

/* It is called with a lock held that readers may want: it can neither fail nor wait. */
static void retiring_needs_no_memory(void **state)
{
	struct rcu_retired *list = rcu_retired_create();
	void *ptr = rcu_alloc_or_null(100);
	size_t used = mallinfo2().uordblks;

	(void)state;
	rcu_retire_mt(list, ptr);
	assert_int_equal(mallinfo2().uordblks, used);
	rcu_retired_destroy(list);
}

static void *retire_many(void *arg)
{
	for (int i = 0; i < 10000; i++)
		rcu_retire_mt(arg, rcu_alloc_or_null(8));
	return NULL;
}

static void many_threads_retire_at_once_and_nothing_is_lost(void **state)
{
	struct rcu_retired *list = rcu_retired_create();
	unsigned reclaimed = 0;
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, retire_many, list), 0);
	for (int i = 0; i < 10; i++)
		reclaimed += rcu_reclaim(list);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	reclaimed += rcu_reclaim(list);
	assert_int_equal(reclaimed, 40000);
	rcu_retired_destroy(list);
}

static void a_registered_reader_may_reclaim_itself(void **state)
{
	struct rcu_retired *list = rcu_retired_create();

	(void)state;
	rcu_register_thread();
	rcu_retire_mt(list, rcu_alloc_or_null(1));
	assert_int_equal(rcu_reclaim(list), 1);
	rcu_unregister_thread();
	rcu_retired_destroy(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_retired_is_freed_once_by_the_next_reclaim),
		cmocka_unit_test(retiring_needs_no_memory),
		cmocka_unit_test(destroying_a_list_frees_what_is_left),
		cmocka_unit_test(a_reader_never_sees_a_reclaimed_row),
		cmocka_unit_test(many_threads_retire_at_once_and_nothing_is_lost),
		cmocka_unit_test(a_registered_reader_may_reclaim_itself),
	};

	return cmocka_run_group_tests_name("rcu", tests, NULL, NULL);
}
