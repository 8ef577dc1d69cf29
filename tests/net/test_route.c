/* The route table: longest prefix, on-link, gateways, what is refused. No EAL. */
#include "net/tables.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define IP(a, b, c, d)                                                                             \
	((struct ip_addr){RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))})

static const struct net_iface ifaces[] = {
	{.addr = IP(10, 0, 0, 1), .prefix_len = 24, .mtu = 1500},
	{.addr = IP(192, 168, 5, 1), .prefix_len = 16, .mtu = 1400},
	{.addr = IP(0, 0, 0, 0), .prefix_len = 0, .mtu = 1500},
	{.addr = IP(10, 9, 9, 1), .prefix_len = 31, .mtu = 1500},
};

static int setup(void **state)
{
	*state = net_tables_create(ifaces, 4);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	net_tables_destroy(*state);
	return 0;
}

static void an_address_on_the_link_is_its_own_next_hop(void **state)
{
	struct net_hop hop;

	assert_int_equal(net_route_lookup_rcu(*state, IP(10, 0, 0, 77), &hop), 0);
	assert_int_equal(hop.iface, 0);
	assert_true(ip_addr_eq(hop.next, IP(10, 0, 0, 77)));
	assert_true(ip_addr_eq(hop.source, IP(10, 0, 0, 1)));
	assert_int_equal(net_route_lookup_rcu(*state, IP(192, 168, 200, 9), &hop), 0);
	assert_int_equal(hop.iface, 1);
	assert_true(ip_addr_eq(hop.source, IP(192, 168, 5, 1)));
}

static void an_address_off_every_link_is_unreachable_without_a_route(void **state)
{
	struct net_hop hop;

	assert_int_equal(net_route_lookup_rcu(*state, IP(8, 8, 8, 8), &hop), -EHOSTUNREACH);
	/* An interface without an address is no route to everywhere. */
	assert_int_equal(net_route_lookup_rcu(*state, IP(10, 0, 1, 1), &hop), -EHOSTUNREACH);
}

static void the_longest_prefix_wins_in_whatever_order_routes_came(void **state)
{
	const struct net_route routes[] = {
		{.dst = IP(172, 16, 3, 0),
		 .prefix_len = 24,
		 .iface = 0,
		 .gateway = IP(10, 0, 0, 3)},
		{.dst = IP(0, 0, 0, 0), .prefix_len = 0, .iface = 0, .gateway = IP(10, 0, 0, 254)},
		{.dst = IP(172, 16, 0, 0),
		 .prefix_len = 12,
		 .iface = 1,
		 .gateway = IP(192, 168, 0, 2)},
		{.dst = IP(172, 16, 3, 4),
		 .prefix_len = 32,
		 .iface = 0,
		 .gateway = IP(10, 0, 0, 4)},
	};
	const struct {
		struct ip_addr dst, next;
		uint16_t iface;
	} expected[] = {
		{IP(172, 16, 3, 4), IP(10, 0, 0, 4), 0},
		{IP(172, 16, 3, 5), IP(10, 0, 0, 3), 0},
		{IP(172, 31, 0, 1), IP(192, 168, 0, 2), 1},
		{IP(172, 32, 0, 1), IP(10, 0, 0, 254), 0},
		{IP(10, 0, 0, 9), IP(10, 0, 0, 9), 0},
	};
	struct net_hop hop;

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(net_route_add_mt(*state, &routes[i]), 0);
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_int_equal(net_route_lookup_rcu(*state, expected[i].dst, &hop), 0);
		assert_true(ip_addr_eq(hop.next, expected[i].next));
		assert_int_equal(hop.iface, expected[i].iface);
	}
}

static void bits_behind_the_prefix_do_not_matter(void **state)
{
	const struct net_route route = {
		.dst = IP(172, 16, 3, 99), .prefix_len = 16, .gateway = IP(10, 0, 0, 3)};
	const struct net_route same = {
		.dst = IP(172, 16, 200, 1), .prefix_len = 16, .gateway = IP(10, 0, 0, 4)};
	struct net_hop hop;

	assert_int_equal(net_route_add_mt(*state, &route), 0);
	assert_int_equal(net_route_lookup_rcu(*state, IP(172, 16, 250, 1), &hop), 0);
	assert_int_equal(net_route_add_mt(*state, &same), -EEXIST);
}

static void a_route_that_cannot_work_is_refused(void **state)
{
	const struct net_route bad[] = {
		{.dst = IP(172, 16, 0, 0), .prefix_len = 33, .gateway = IP(10, 0, 0, 3)},
		{.dst = IP(172, 16, 0, 0), .prefix_len = 12, .iface = 4},
		{.dst = IP(172, 16, 0, 0), .prefix_len = 12, .iface = 2},
		{.dst = IP(172, 16, 0, 0), .prefix_len = 12, .gateway = IP(10, 0, 1, 3)},
		{.dst = IP(172, 16, 0, 0), .prefix_len = 12, .gateway = IP(10, 0, 0, 1)},
		{.dst = IP(172, 16, 0, 0), .prefix_len = 12, .gateway = IP(10, 0, 0, 255)},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(net_route_add_mt(*state, &bad[i]), -EINVAL);
}

static void the_table_says_when_it_is_full(void **state)
{
	unsigned added = 0;
	int err;

	do {
		struct net_route route = {.dst = {rte_cpu_to_be_32(0xac100000u + added)},
					  .prefix_len = 32,
					  .gateway = IP(10, 0, 0, 3)};

		err = net_route_add_mt(*state, &route);
		added++;
	} while (err == 0 && added <= NET_ROUTE_MAX);
	assert_int_equal(err, -ENOSPC);
	assert_in_range(added, NET_ROUTE_MAX - 4, NET_ROUTE_MAX);
}

static void addresses_of_interfaces_are_ours_and_nothing_is_nobodys(void **state)
{
	assert_int_equal(net_iface_of(*state, IP(10, 0, 0, 1)), 0);
	assert_int_equal(net_iface_of(*state, IP(192, 168, 5, 1)), 1);
	assert_int_equal(net_iface_of(*state, IP(10, 0, 0, 2)), -1);
	assert_int_equal(net_iface_of(*state, IP(0, 0, 0, 0)), -1);
}

static void broadcasts_are_those_of_the_links(void **state)
{
	assert_true(net_addr_is_broadcast(*state, IP(255, 255, 255, 255)));
	assert_true(net_addr_is_broadcast(*state, IP(10, 0, 0, 255)));
	assert_true(net_addr_is_broadcast(*state, IP(192, 168, 255, 255)));
	assert_false(net_addr_is_broadcast(*state, IP(192, 168, 5, 255)));
	assert_false(net_addr_is_broadcast(*state, IP(10, 9, 9, 1))); /* RFC 3021 */
	assert_false(net_addr_is_broadcast(*state, IP(10, 0, 0, 0)));
}

static void a_route_may_be_narrower_than_its_link(void **state)
{
	const struct net_route narrow = {.dst = IP(172, 16, 0, 0),
					 .prefix_len = 12,
					 .gateway = IP(10, 0, 0, 9),
					 .mtu = 1300,
					 .mss = 1200};
	const struct net_route wide = {.dst = IP(172, 32, 0, 0),
				       .prefix_len = 12,
				       .gateway = IP(10, 0, 0, 9),
				       .mtu = 9000};
	struct net_hop hop;

	assert_int_equal(net_route_add_mt(*state, &narrow), 0);
	assert_int_equal(net_route_add_mt(*state, &wide), 0);
	assert_int_equal(net_route_lookup_rcu(*state, IP(172, 16, 0, 1), &hop), 0);
	assert_int_equal(hop.mtu, 1300);
	assert_int_equal(hop.mss, 1200);
	assert_int_equal(net_route_lookup_rcu(*state, IP(172, 32, 0, 1), &hop), 0);
	assert_int_equal(hop.mtu, 1500);
	assert_int_equal(hop.mss, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(an_address_on_the_link_is_its_own_next_hop),
		T(an_address_off_every_link_is_unreachable_without_a_route),
		T(the_longest_prefix_wins_in_whatever_order_routes_came),
		T(bits_behind_the_prefix_do_not_matter),
		T(a_route_may_be_narrower_than_its_link),
		T(a_route_that_cannot_work_is_refused),
		T(the_table_says_when_it_is_full),
		T(addresses_of_interfaces_are_ours_and_nothing_is_nobodys),
		T(broadcasts_are_those_of_the_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
