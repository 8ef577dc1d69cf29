#include "net/flow_table.h"
#include "tests/net/eal_group.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FLOWS = 32768 }; /* a power of two: every place of the table is taken */

static const uint64_t seed[2] = {0x0123456789abcdef, 0xfedcba9876543210};
static char values[FLOWS];

/* As a client with one address opens them: consecutive ports, and hosts next to each other. */
static struct net_flow flow_of(uint32_t i)
{
	return (struct net_flow){
		.local.v4 = RTE_BE32(0x0a000001),
		.remote.v4 = rte_cpu_to_be_32(0x0a000100 + i / 1000),
		.local_port = RTE_BE16(80),
		.remote_port = rte_cpu_to_be_16((uint16_t)(1024 + i % 1000)),
	};
}

static void a_flow_is_found_until_it_is_removed(void **state)
{
	struct flow_table *table = flow_table_create("one", 10, -1, seed);
	struct net_flow flow = flow_of(1), other = flow_of(2);

	(void)state;
	assert_non_null(table);
	assert_null(flow_table_find_or_null(table, &flow));
	assert_int_equal(flow_table_insert(table, &flow, &values[1]), 0);
	assert_ptr_equal(flow_table_find_or_null(table, &flow), &values[1]);
	assert_null(flow_table_find_or_null(table, &other));
	assert_int_equal(flow_table_count(table), 1);
	assert_ptr_equal(flow_table_remove_or_null(table, &flow), &values[1]);
	assert_null(flow_table_find_or_null(table, &flow));
	assert_null(flow_table_remove_or_null(table, &flow));
	assert_int_equal(flow_table_count(table), 0);
	flow_table_destroy(table);
}

static void a_flow_is_inserted_once(void **state)
{
	struct flow_table *table = flow_table_create("once", 10, -1, seed);
	struct net_flow flow = flow_of(1);

	(void)state;
	assert_int_equal(flow_table_insert(table, &flow, &values[1]), 0);
	assert_int_equal(flow_table_insert(table, &flow, &values[2]), -EEXIST);
	assert_ptr_equal(flow_table_find_or_null(table, &flow), &values[1]);
	flow_table_destroy(table);
}

static void both_directions_of_a_flow_are_different_flows(void **state)
{
	struct flow_table *table = flow_table_create("both", 10, -1, seed);
	struct net_flow flow = flow_of(1);
	struct net_flow back = {flow.remote, flow.local, flow.remote_port, flow.local_port};

	(void)state;
	assert_int_equal(flow_table_insert(table, &flow, &values[1]), 0);
	assert_null(flow_table_find_or_null(table, &back));
	assert_int_equal(flow_table_insert(table, &back, &values[2]), 0);
	assert_ptr_equal(flow_table_find_or_null(table, &flow), &values[1]);
	assert_ptr_equal(flow_table_find_or_null(table, &back), &values[2]);
	flow_table_destroy(table);
}

/* Twice, so that what removal gives back is what insertion takes. */
static void as_many_flows_as_promised_fit_and_no_more(void **state)
{
	struct flow_table *table = flow_table_create("many", FLOWS, -1, seed);
	struct net_flow flow = flow_of(FLOWS);

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < FLOWS; i++) {
			struct net_flow f = flow_of(i);

			assert_int_equal(flow_table_insert(table, &f, &values[i]), 0);
		}
		assert_int_equal(flow_table_insert(table, &flow, &values[0]), -ENOSPC);
		assert_int_equal(flow_table_count(table), FLOWS);
		for (uint32_t i = 0; i < FLOWS; i++) {
			struct net_flow f = flow_of(i);

			assert_ptr_equal(flow_table_find_or_null(table, &f), &values[i]);
		}
		for (uint32_t i = 0; i < FLOWS; i++) {
			struct net_flow f = flow_of(i);

			assert_ptr_equal(flow_table_remove_or_null(table, &f), &values[i]);
		}
	}
	flow_table_destroy(table);
}

static void a_bulk_lookup_answers_for_each_flow(void **state)
{
	struct flow_table *table = flow_table_create("bulk", 1000, -1, seed);
	struct net_flow flows[FLOW_TABLE_BULK_MAX];
	const struct net_flow *keys[FLOW_TABLE_BULK_MAX];
	void *found[FLOW_TABLE_BULK_MAX];

	(void)state;
	for (uint32_t i = 0; i < FLOW_TABLE_BULK_MAX; i++) {
		flows[i] = flow_of(i);
		keys[i] = &flows[i];
		if (i % 3)
			assert_int_equal(flow_table_insert(table, &flows[i], &values[i]), 0);
	}
	for (unsigned n = 0; n <= FLOW_TABLE_BULK_MAX; n++) {
		for (unsigned i = 0; i < FLOW_TABLE_BULK_MAX; i++)
			found[i] = table;
		flow_table_find_bulk(table, keys, n, found);
		for (unsigned i = 0; i < n; i++)
			assert_ptr_equal(found[i], i % 3 ? &values[i] : NULL);
		for (unsigned i = n; i < FLOW_TABLE_BULK_MAX; i++)
			assert_ptr_equal(found[i], table);
	}
	flow_table_destroy(table);
}

static void *find_in_bulk(struct flow_table *table, const struct net_flow *flow)
{
	void *found;

	flow_table_find_bulk(table, &flow, 1, &found);
	return found;
}

/* Those that were looked up of late are kept apart. Many flows share one place there. */
static void what_bulk_lookups_remember_ends_with_the_flow(void **state)
{
	enum { MANY = 4096 };
	struct flow_table *table = flow_table_create("recent", MANY, -1, seed);

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		struct net_flow flow = flow_of(i);

		assert_null(find_in_bulk(table, &flow));
		assert_int_equal(flow_table_insert(table, &flow, &values[i]), 0);
		assert_ptr_equal(find_in_bulk(table, &flow), &values[i]);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		struct net_flow flow = flow_of(i);

		assert_ptr_equal(find_in_bulk(table, &flow), &values[i]);
		assert_ptr_equal(flow_table_remove_or_null(table, &flow), &values[i]);
		assert_null(find_in_bulk(table, &flow));
		assert_int_equal(flow_table_insert(table, &flow, &values[i + 1]), 0);
		assert_ptr_equal(find_in_bulk(table, &flow), &values[i + 1]);
	}
	flow_table_destroy(table);
}

static void the_version_changes_when_a_bulk_result_may_be_stale(void **state)
{
	struct flow_table *table = flow_table_create("version", 10, -1, seed);
	struct net_flow flow = flow_of(1);
	uint64_t before = flow_table_version(table), after;

	(void)state;
	flow_table_find_or_null(table, &flow);
	assert_null(flow_table_remove_or_null(table, &flow));
	assert_int_equal(flow_table_version(table), before);
	flow_table_insert(table, &flow, &values[1]);
	after = flow_table_version(table);
	assert_int_not_equal(after, before);
	flow_table_remove_or_null(table, &flow);
	assert_int_not_equal(flow_table_version(table), after);
	flow_table_destroy(table);
}

static void the_hash_depends_on_the_seed(void **state)
{
	static const uint64_t other[2] = {1, 2};
	struct flow_table *a = flow_table_create("seed_a", 10, -1, seed);
	struct flow_table *b = flow_table_create("seed_b", 10, -1, other);
	unsigned same = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct net_flow flow = flow_of(i);

		same += flow_table_hash(a, &flow) == flow_table_hash(b, &flow);
	}
	assert_true(same < 3);
	flow_table_destroy(a);
	flow_table_destroy(b);
}

/* 32 flows in each of 1,024 cells; five standard deviations are 28. Both halves are looked at,
 * since one chooses the bucket and the other one the alternative. */
static void similar_flows_spread_evenly(void **state)
{
	struct flow_table *table = flow_table_create("spread", 10, -1, seed);
	static unsigned low[1024], high[1024];

	(void)state;
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct net_flow flow = flow_of(i);
		uint32_t hash = flow_table_hash(table, &flow);

		low[hash % 1024]++;
		high[hash >> 22]++;
	}
	for (unsigned i = 0; i < 1024; i++) {
		assert_in_range(low[i], 4, 60);
		assert_in_range(high[i], 4, 60);
	}
	flow_table_destroy(table);
}

static void a_name_is_taken_once_and_is_short(void **state)
{
	struct flow_table *table = flow_table_create("taken", 10, -1, seed);

	(void)state;
	assert_non_null(table);
	assert_null(flow_table_create("taken", 10, -1, seed));
	assert_null(flow_table_create("a_name_that_is_too_long", 10, -1, seed));
	flow_table_destroy(table);
	flow_table_destroy(NULL);
	table = flow_table_create("taken", 10, -1, seed);
	assert_non_null(table);
	flow_table_destroy(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_is_found_until_it_is_removed),
		cmocka_unit_test(a_flow_is_inserted_once),
		cmocka_unit_test(both_directions_of_a_flow_are_different_flows),
		cmocka_unit_test(as_many_flows_as_promised_fit_and_no_more),
		cmocka_unit_test(a_bulk_lookup_answers_for_each_flow),
		cmocka_unit_test(what_bulk_lookups_remember_ends_with_the_flow),
		cmocka_unit_test(the_version_changes_when_a_bulk_result_may_be_stale),
		cmocka_unit_test(the_hash_depends_on_the_seed),
		cmocka_unit_test(similar_flows_spread_evenly),
		cmocka_unit_test(a_name_is_taken_once_and_is_short),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
