/* Who listens where: clashes, sets of shards, foreign flows. No EAL. */
#include "net/tables.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TCP IPPROTO_TCP
#define UDP IPPROTO_UDP

static const struct ip_addr ours = {RTE_BE32(0x0a000001)}, ours2 = {RTE_BE32(0x0b000001)};
static const struct ip_addr any;

static struct net_endpoint at(struct ip_addr addr, uint16_t port)
{
	return (struct net_endpoint){addr, rte_cpu_to_be_16(port)};
}

static int setup(void **state)
{
	const struct net_iface iface = {.addr = ours, .prefix_len = 8, .mtu = 1500};

	*state = net_tables_create(&iface, 1);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	net_tables_destroy(*state);
	return 0;
}

static void a_port_that_nobody_opened_has_no_shards(void **state)
{
	assert_int_equal(net_listen_shards_rcu(*state, TCP, at(ours, 80)), 0);
	assert_int_equal(net_listen_shard_rcu(*state, TCP, at(ours, 80), 1, 0), -1);
}

static void shards_share_a_port_and_each_gets_its_own_flows(void **state)
{
	for (uint16_t i = 0; i < 4; i++)
		assert_int_equal(net_listen_add_mt(*state, TCP, at(any, 80), i, false), 0);
	assert_int_equal(net_listen_shards_rcu(*state, TCP, at(ours, 80)), 0xf);
	for (uint16_t owner = 0; owner < 4; owner++)
		assert_int_equal(net_listen_shard_rcu(*state, TCP, at(ours, 80), 99, owner), owner);
	assert_int_equal(net_listen_shards_rcu(*state, UDP, at(ours, 80)), 0);
	assert_int_equal(net_listen_shards_rcu(*state, TCP, at(ours, 81)), 0);
}

static void flows_of_shards_that_do_not_listen_are_spread_over_those_that_do(void **state)
{
	unsigned count[8] = {0};

	net_listen_add_mt(*state, TCP, at(any, 80), 1, false);
	net_listen_add_mt(*state, TCP, at(any, 80), 5, false);
	net_listen_add_mt(*state, TCP, at(any, 80), 6, false);
	for (uint32_t i = 0; i < 3000; i++)
		count[net_listen_shard_rcu(*state, TCP, at(ours, 80), i * 0x9e3779b1u, 2)]++;
	assert_in_range(count[1], 900, 1100);
	assert_in_range(count[5], 900, 1100);
	assert_in_range(count[6], 900, 1100);
	assert_int_equal(net_listen_shard_rcu(*state, TCP, at(ours, 80), UINT32_MAX, 2), 6);
}

static void the_exact_address_goes_before_any(void **state)
{
	net_listen_add_mt(*state, TCP, at(any, 80), 0, false);
	net_listen_add_mt(*state, TCP, at(ours, 80), 1, false);
	assert_int_equal(net_listen_shards_rcu(*state, TCP, at(ours, 80)), 2);
	assert_int_equal(net_listen_shards_rcu(*state, TCP, at(ours2, 80)), 1);
	net_listen_remove_mt(*state, TCP, at(ours, 80), 1);
	assert_int_equal(net_listen_shards_rcu(*state, TCP, at(ours, 80)), 1);
}

static void one_shard_opens_an_address_once(void **state)
{
	assert_int_equal(net_listen_add_mt(*state, TCP, at(ours, 80), 3, false), 0);
	assert_int_equal(net_listen_add_mt(*state, TCP, at(ours, 80), 3, false), -EADDRINUSE);
	assert_int_equal(net_listen_add_mt(*state, TCP, at(any, 80), 3, false), -EADDRINUSE);
	assert_int_equal(net_listen_add_mt(*state, TCP, at(ours2, 80), 3, false), 0);
	assert_int_equal(net_listen_add_mt(*state, UDP, at(ours, 80), 3, false), 0);
}

static void an_exclusive_one_refuses_and_is_refused(void **state)
{
	assert_int_equal(net_listen_add_mt(*state, UDP, at(ours, 53), 0, false), 0);
	assert_int_equal(net_listen_add_mt(*state, UDP, at(any, 53), 1, true), -EADDRINUSE);
	assert_int_equal(net_listen_add_mt(*state, UDP, at(ours2, 53), 1, true), 0);
	assert_int_equal(net_listen_add_mt(*state, UDP, at(ours2, 53), 2, false), -EADDRINUSE);
	net_listen_remove_mt(*state, UDP, at(ours2, 53), 1);
	assert_int_equal(net_listen_add_mt(*state, UDP, at(ours2, 53), 2, false), 0);
}

static void a_removed_port_can_be_opened_again(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(net_listen_add_mt(*state, TCP, at(any, 80), 0, true), 0);
		net_listen_remove_mt(*state, TCP, at(any, 80), 0);
		assert_int_equal(net_listen_shards_rcu(*state, TCP, at(ours, 80)), 0);
	}
}

static void foreign_flows_are_known_until_the_last_is_gone(void **state)
{
	net_listen_add_mt(*state, TCP, at(any, 80), 2, false);
	assert_int_equal(net_listen_foreign_mt(*state, TCP, at(ours, 80), 2, 1), 0);
	assert_int_equal(net_listen_foreign_mt(*state, TCP, at(ours2, 80), 2, 1), 0);
	assert_int_equal(net_listen_foreign_rcu(*state, TCP, at(ours, 80)), 4);
	net_listen_remove_mt(*state, TCP, at(any, 80), 2);
	assert_int_equal(net_listen_shards_rcu(*state, TCP, at(ours, 80)), 0);
	assert_int_equal(net_listen_foreign_rcu(*state, TCP, at(ours, 80)), 4);
	net_listen_foreign_mt(*state, TCP, at(ours, 80), 2, -1);
	assert_int_equal(net_listen_foreign_rcu(*state, TCP, at(ours, 80)), 4);
	net_listen_foreign_mt(*state, TCP, at(ours2, 80), 2, -1);
	assert_int_equal(net_listen_foreign_rcu(*state, TCP, at(ours, 80)), 0);
}

static void a_foreign_flow_needs_no_listener(void **state)
{
	assert_int_equal(net_listen_foreign_mt(*state, TCP, at(ours, 999), 1, 1), 0);
	assert_int_equal(net_listen_foreign_rcu(*state, TCP, at(ours, 999)), 2);
	/* It does not stand in a listener's way, and the listener's end does not end it. */
	assert_int_equal(net_listen_add_mt(*state, TCP, at(ours, 999), 0, true), 0);
	net_listen_remove_mt(*state, TCP, at(ours, 999), 0);
	assert_int_equal(net_listen_foreign_rcu(*state, TCP, at(ours, 999)), 2);
	net_listen_foreign_mt(*state, TCP, at(ours, 999), 1, -1);
	assert_int_equal(net_listen_foreign_rcu(*state, TCP, at(ours, 999)), 0);
}

static void counts_stay_right_when_entries_come_between(void **state)
{
	net_listen_add_mt(*state, TCP, at(any, 80), 2, false);
	net_listen_foreign_mt(*state, TCP, at(ours, 80), 2, 1);
	net_listen_remove_mt(*state, TCP, at(any, 80), 2);
	net_listen_add_mt(*state, TCP, at(ours, 80), 2, false);
	net_listen_foreign_mt(*state, TCP, at(ours, 80), 2, 1);
	net_listen_foreign_mt(*state, TCP, at(ours, 80), 2, -1);
	net_listen_foreign_mt(*state, TCP, at(ours, 80), 2, -1);
	assert_int_equal(net_listen_foreign_rcu(*state, TCP, at(ours, 80)), 0);
}

static void the_table_says_when_it_is_full_and_forgets_what_is_over(void **state)
{
	for (unsigned i = 0; i < NET_LISTEN_MAX; i++)
		assert_int_equal(net_listen_add_mt(*state, TCP, at(any, 1 + i), 0, false), 0);
	assert_int_equal(net_listen_add_mt(*state, TCP, at(any, 60000), 0, false), -ENOSPC);
	assert_int_equal(net_listen_foreign_mt(*state, TCP, at(any, 60000), 0, 1), -ENOSPC);
	assert_int_equal(net_listen_add_mt(*state, TCP, at(any, 1), 1, false), 0);
	assert_int_equal(net_listen_foreign_mt(*state, TCP, at(any, 2), 0, 1), 0);
	net_listen_remove_mt(*state, TCP, at(any, 2), 0);
	assert_int_equal(net_listen_add_mt(*state, TCP, at(any, 60000), 0, false), -ENOSPC);
	net_listen_foreign_mt(*state, TCP, at(any, 2), 0, -1);
	assert_int_equal(net_listen_add_mt(*state, TCP, at(any, 60000), 0, false), 0);
	for (unsigned i = 2; i < NET_LISTEN_MAX; i++)
		assert_int_equal(net_listen_shards_rcu(*state, TCP, at(ours, 1 + i)), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_port_that_nobody_opened_has_no_shards),
		T(shards_share_a_port_and_each_gets_its_own_flows),
		T(flows_of_shards_that_do_not_listen_are_spread_over_those_that_do),
		T(the_exact_address_goes_before_any),
		T(one_shard_opens_an_address_once),
		T(an_exclusive_one_refuses_and_is_refused),
		T(a_removed_port_can_be_opened_again),
		T(foreign_flows_are_known_until_the_last_is_gone),
		T(a_foreign_flow_needs_no_listener),
		T(counts_stay_right_when_entries_come_between),
		T(the_table_says_when_it_is_full_and_forgets_what_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
