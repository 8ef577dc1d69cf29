/* The neighbour table: whose news are believed, versions, its size. No EAL. */
#include "net/neigh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S ((uint64_t)1000 * 1000 * 1000)

static const struct rte_ether_addr mac_a = {{2, 0, 0, 0, 0, 0xa}}, mac_b = {{2, 0, 0, 0, 0, 0xb}};
static const struct ip_addr addr = {RTE_BE32(0x0a000002)};

static int setup(void **state)
{
	const struct net_iface ifaces[2] = {
		{.addr = {RTE_BE32(0x0a000001)}, .prefix_len = 8, .mtu = 1500},
		{.addr = {RTE_BE32(0x0b000001)}, .prefix_len = 8, .mtu = 1500},
	};

	*state = net_tables_create(ifaces, 2);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	net_tables_destroy(*state);
	return 0;
}

static void tell(struct net_tables *tables, struct ip_addr who, struct rte_ether_addr mac,
		 enum net_neigh_news news, uint64_t when_ns)
{
	const struct net_neigh_event event = {
		.neigh = {.addr = who, .mac = mac, .confirmed_ns = when_ns}, .news = news};

	net_neigh_apply_mt(tables, &event, 1);
}

static void assert_mac(struct net_tables *tables, struct rte_ether_addr mac)
{
	const struct net_neigh *neigh = net_neigh_lookup_rcu(tables, 0, addr);

	assert_non_null(neigh);
	assert_memory_equal(&neigh->mac, &mac, sizeof(mac));
}

static void an_empty_table_knows_nobody_and_has_a_version(void **state)
{
	assert_null(net_neigh_lookup_rcu(*state, 0, addr));
	assert_true(net_neigh_version_rcu(*state) > 0);
}

static void what_was_seen_fills_a_gap(void **state)
{
	uint64_t version = net_neigh_version_rcu(*state);

	tell(*state, addr, mac_a, NEIGH_SEEN, 1 * S);
	assert_mac(*state, mac_a);
	assert_true(net_neigh_version_rcu(*state) > version);
	assert_null(net_neigh_lookup_rcu(*state, 1, addr));
}

static void what_was_seen_does_not_displace_a_fresh_entry(void **state)
{
	tell(*state, addr, mac_a, NEIGH_ANSWERED, 1 * S);
	tell(*state, addr, mac_b, NEIGH_SEEN, 1 * S + NEIGH_FRESH_NS - 1);
	assert_mac(*state, mac_a);
	tell(*state, addr, mac_b, NEIGH_SEEN, 1 * S + NEIGH_FRESH_NS);
	assert_mac(*state, mac_b);
}

static void an_answer_displaces_a_fresh_entry(void **state)
{
	tell(*state, addr, mac_a, NEIGH_ANSWERED, 1 * S);
	tell(*state, addr, mac_b, NEIGH_ANSWERED, 2 * S);
	assert_mac(*state, mac_b);
}

static void a_configured_entry_is_never_displaced_nor_gone(void **state)
{
	tell(*state, addr, mac_a, NEIGH_FIXED, 0);
	tell(*state, addr, mac_b, NEIGH_ANSWERED, 1000 * S);
	tell(*state, addr, mac_b, NEIGH_SEEN, 1000 * S);
	tell(*state, addr, mac_a, NEIGH_GONE, 1000 * S);
	assert_mac(*state, mac_a);
	assert_true(net_neigh_lookup_rcu(*state, 0, addr)->fixed);
}

static void a_configured_entry_displaces_a_learned_one(void **state)
{
	tell(*state, addr, mac_a, NEIGH_ANSWERED, 1 * S);
	tell(*state, addr, mac_b, NEIGH_FIXED, 0);
	assert_mac(*state, mac_b);
}

static void a_confirmation_moves_the_time_and_not_the_version(void **state)
{
	uint64_t version;

	tell(*state, addr, mac_a, NEIGH_ANSWERED, 1 * S);
	version = net_neigh_version_rcu(*state);
	tell(*state, addr, mac_a, NEIGH_ANSWERED, 9 * S);
	assert_int_equal(neigh_confirmed_ns(net_neigh_lookup_rcu(*state, 0, addr)), 9 * S);
	assert_int_equal(net_neigh_version_rcu(*state), version);
}

static void news_that_are_older_than_the_entry_change_nothing(void **state)
{
	tell(*state, addr, mac_a, NEIGH_ANSWERED, 9 * S);
	tell(*state, addr, mac_b, NEIGH_ANSWERED, 8 * S);
	assert_mac(*state, mac_a);
}

static void one_that_was_confirmed_after_the_probe_began_is_not_gone(void **state)
{
	tell(*state, addr, mac_a, NEIGH_ANSWERED, 9 * S);
	tell(*state, addr, mac_a, NEIGH_GONE, 8 * S);
	assert_mac(*state, mac_a);
	tell(*state, addr, mac_a, NEIGH_GONE, 9 * S);
	assert_null(net_neigh_lookup_rcu(*state, 0, addr));
}

static void news_about_impossible_neighbours_are_ignored(void **state)
{
	const struct rte_ether_addr group = {{1, 0, 0, 0, 0, 1}}, zero = {0};
	const struct net_neigh_event far = {.neigh = {.addr = addr, .iface = 2, .mac = mac_a},
					    .news = NEIGH_ANSWERED};
	uint64_t version = net_neigh_version_rcu(*state);

	tell(*state, addr, group, NEIGH_ANSWERED, 1 * S);
	tell(*state, addr, zero, NEIGH_ANSWERED, 1 * S);
	tell(*state, (struct ip_addr){0}, mac_a, NEIGH_ANSWERED, 1 * S);
	net_neigh_apply_mt(*state, &far, 1);
	assert_int_equal(net_neigh_version_rcu(*state), version);
}

static void a_batch_is_applied_in_order_and_published_once(void **state)
{
	const struct net_neigh_event events[] = {
		{.neigh = {.addr = addr, .mac = mac_a, .confirmed_ns = 1}, .news = NEIGH_SEEN},
		{.neigh = {.addr = addr, .mac = mac_b, .confirmed_ns = 2}, .news = NEIGH_ANSWERED},
		{.neigh = {.addr = addr, .mac = mac_b, .confirmed_ns = 7}, .news = NEIGH_SEEN},
	};
	uint64_t version = net_neigh_version_rcu(*state);

	net_neigh_apply_mt(*state, events, 3);
	assert_mac(*state, mac_b);
	assert_int_equal(neigh_confirmed_ns(net_neigh_lookup_rcu(*state, 0, addr)), 7);
	assert_int_equal(net_neigh_version_rcu(*state), version + 1);
}

static struct ip_addr nth(uint32_t n)
{
	return (struct ip_addr){rte_cpu_to_be_32(0x0a010000 + n)};
}

static void count_one(const struct net_neigh *neigh, void *arg)
{
	assert_true(neigh->iface < 2);
	++*(unsigned *)arg;
}

static void a_full_table_forgets_the_oldest_but_no_configured_one(void **state)
{
	unsigned count = 0;

	tell(*state, addr, mac_a, NEIGH_FIXED, 0);
	for (uint32_t i = 0; i < NET_NEIGH_MAX; i++)
		tell(*state, nth(i), mac_b, NEIGH_SEEN, 100 + i);
	net_neigh_each_mt(*state, count_one, &count);
	assert_int_equal(count, NET_NEIGH_MAX);
	assert_mac(*state, mac_a);
	assert_null(net_neigh_lookup_rcu(*state, 0, nth(0)));
	assert_non_null(net_neigh_lookup_rcu(*state, 0, nth(1)));
	assert_non_null(net_neigh_lookup_rcu(*state, 0, nth(NET_NEIGH_MAX - 1)));
}

/* Deleting from open addressing is where such tables go wrong: compare with a plain array. */
static void the_table_agrees_with_an_array_over_random_news(void **state)
{
	enum { HOSTS = 300, STEPS = 20000 };
	bool known[HOSTS] = {false};

	srand(1);
	for (unsigned step = 1; step <= STEPS; step++) {
		unsigned i = (unsigned)rand() % HOSTS;

		if (rand() % 2) {
			tell(*state, nth(i), mac_a, NEIGH_SEEN, step);
			known[i] = true;
		} else {
			tell(*state, nth(i), mac_a, NEIGH_GONE, step);
			known[i] = false;
		}
		if (step % 50)
			continue;
		for (unsigned j = 0; j < HOSTS; j++)
			assert_int_equal(!!net_neigh_lookup_rcu(*state, 0, nth(j)), known[j]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(an_empty_table_knows_nobody_and_has_a_version),
		T(what_was_seen_fills_a_gap),
		T(what_was_seen_does_not_displace_a_fresh_entry),
		T(an_answer_displaces_a_fresh_entry),
		T(a_configured_entry_is_never_displaced_nor_gone),
		T(a_configured_entry_displaces_a_learned_one),
		T(a_confirmation_moves_the_time_and_not_the_version),
		T(news_that_are_older_than_the_entry_change_nothing),
		T(one_that_was_confirmed_after_the_probe_began_is_not_gone),
		T(news_about_impossible_neighbours_are_ignored),
		T(a_batch_is_applied_in_order_and_published_once),
		T(a_full_table_forgets_the_oldest_but_no_configured_one),
		T(the_table_agrees_with_an_array_over_random_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
