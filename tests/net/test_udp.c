/* UDP: ports, queues, sending, and who gets a datagram. */
#include "below_tcp.h"
#include "net/arp.h"

#include "net/udp.h"

#include <errno.h>
#include <rte_arp.h>
#include <rte_ip.h>

static int setup(void **state)
{
	struct world *w = world_begin(1);

	world_know(w, PEER_IP, PEER_MAC, NEIGH_FIXED);
	world_poll(w, 1);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_end(*state);
	return 0;
}

static struct net_endpoint at(struct ip_addr addr, uint16_t port)
{
	return (struct net_endpoint){addr, rte_cpu_to_be_16(port)};
}

static const struct ip_addr any;
static int user; /* somebody */

static struct udp_sock *opened(struct world *w, uint16_t shard, struct ip_addr addr, uint16_t port)
{
	const struct net_endpoint local = at(addr, port);
	struct udp_sock *us = NULL;

	assert_int_equal(udp_open(world_net(w, shard), &local, &user, &us), 0);
	return us;
}

static void send_in(struct world *w, uint16_t shard, uint16_t from, uint16_t to, uint16_t len)
{
	struct frame f = frame_udp(from, to, len);

	world_input(w, shard, &f);
}

static void a_datagram_comes_out_as_it_was_sent(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct udp_sock *us = opened(w, 0, any, 53);
	struct net_endpoint from;
	struct rte_mbuf *m;

	assert_null(udp_pop_or_null(net, us, &from));
	send_in(w, 0, 40001, 53, 200);
	assert_ptr_equal(net_ready_take(net), us);
	assert_null(net_ready_take(net));
	m = udp_pop_or_null(net, us, &from);
	assert_non_null(m);
	assert_int_equal(m->data_len, 200);
	assert_int_equal(m->pkt_len, 200);
	assert_int_equal(m->nb_segs, 1);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[i], i);
	assert_true(ip_addr_eq(from.addr, PEER_IP));
	assert_int_equal(from.port, rte_cpu_to_be_16(40001));
	assert_null(udp_pop_or_null(net, us, &from));
	rte_pktmbuf_free(m);
	udp_close(net, us);
	assert_int_equal(w->shards[0].counters.udp_rx_datagrams, 1);
}

static void an_empty_datagram_is_one_too(void **state)
{
	struct world *w = *state;
	struct udp_sock *us = opened(w, 0, OUR_IP, 53);
	struct net_endpoint from;
	struct rte_mbuf *m;

	send_in(w, 0, 40001, 53, 0);
	m = udp_pop_or_null(world_net(w, 0), us, &from);
	assert_non_null(m);
	assert_int_equal(m->data_len, 0);
	rte_pktmbuf_free(m);
	udp_close(world_net(w, 0), us);
}

static void datagrams_keep_their_order_and_the_queue_its_bound(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct udp_sock *us = opened(w, 0, any, 53);
	struct net_endpoint from;
	struct rte_mbuf *m;

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 6; i++)
			send_in(w, 0, 40000 + i, 53, i);
		assert_int_equal(world_drops(w, DROP_udp_queue_full), 2 * (round + 1));
		for (unsigned i = 0; i < 4; i++) {
			m = udp_pop_or_null(net, us, &from);
			assert_int_equal(m->data_len, i);
			assert_int_equal(from.port, rte_cpu_to_be_16(40000 + i));
			rte_pktmbuf_free(m);
		}
		assert_null(udp_pop_or_null(net, us, &from));
	}
	udp_close(net, us);
}

static void closing_frees_what_nobody_popped(void **state)
{
	struct world *w = *state;
	struct udp_sock *us = opened(w, 0, any, 53);

	for (unsigned i = 0; i < 4; i++)
		send_in(w, 0, 40001, 53, 100);
	udp_close(world_net(w, 0), us);
	assert_null(net_ready_take(world_net(w, 0)));
}

static void the_stack_closes_what_was_left_open(void **state)
{
	struct world *w = *state;

	opened(w, 0, any, 53);
	opened(w, 0, OUR_IP, 54);
	send_in(w, 0, 40001, 53, 100);
}

static void the_exact_address_gets_the_datagram(void **state)
{
	struct world *w = world_begin(1);
	struct net *net = world_net(w, 0);
	const struct net_endpoint local = at(OUR_IP_2, 53);
	struct udp_sock *wide, *exact;
	struct net_endpoint from;
	struct frame f = frame_udp(40001, 53, 4);

	(void)state;
	exact = opened(w, 0, OUR_IP, 53);
	assert_int_equal(udp_open(net, &local, &user, &wide), 0);
	world_input(w, 0, &f);
	assert_null(udp_pop_or_null(net, wide, &from));
	rte_pktmbuf_free(udp_pop_or_null(net, exact, &from));
	frame_ip(&f)->dst_addr = OUR_IP_2.v4;
	frame_seal(&f);
	world_input(w, 0, &f);
	assert_null(udp_pop_or_null(net, exact, &from));
	rte_pktmbuf_free(udp_pop_or_null(net, wide, &from));
	world_end(w);
}

static void a_broadcast_reaches_who_listens_on_any_address(void **state)
{
	struct world *w = *state;
	struct udp_sock *us = opened(w, 0, any, 67);
	struct frame f = frame_udp(68, 67, 4);
	struct net_endpoint from;
	struct rte_mbuf *m;

	frame_ip(&f)->dst_addr = UINT32_MAX;
	((struct rte_ether_hdr *)f.bytes)->dst_addr = ALL_MAC;
	frame_seal(&f);
	world_input(w, 0, &f);
	m = udp_pop_or_null(world_net(w, 0), us, &from);
	assert_non_null(m);
	rte_pktmbuf_free(m);
	udp_close(world_net(w, 0), us);
}

static void ports_are_opened_once_and_addresses_must_be_ours(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	const struct net_endpoint taken = at(OUR_IP, 53), foreign = at(PEER_IP, 53);
	struct udp_sock *us = opened(w, 0, any, 53), *other;

	assert_int_equal(udp_open(net, &taken, &user, &other), -EADDRINUSE);
	assert_int_equal(udp_open(net, &foreign, &user, &other), -EADDRNOTAVAIL);
	udp_close(net, us);
	assert_int_equal(udp_open(net, &taken, &user, &other), 0);
	udp_close(net, other);
}

static void port_0_gives_free_ports_until_there_are_none(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	const struct net_endpoint local = at(any, 0);
	struct udp_sock *socks[8], *one_more;
	uint32_t seen = 0;

	for (unsigned i = 0; i < 8; i++) {
		uint16_t port;

		assert_int_equal(udp_open(net, &local, &user, &socks[i]), 0);
		port = rte_be_to_cpu_16(udp_local(socks[i]).port);
		assert_in_range(port, 49152, 49159);
		assert_false(seen >> (port - 49152) & 1);
		seen |= 1u << (port - 49152);
	}
	assert_int_equal(udp_open(net, &local, &user, &one_more), -ENOBUFS); /* udp_max */
	udp_close(net, socks[3]);
	assert_int_equal(net_listen_add_mt(w->tables, IPPROTO_UDP, udp_local(socks[0]), 0, false),
			 -EADDRINUSE);
	assert_int_equal(udp_open(net, &local, &user, &one_more), 0);
	udp_close(net, one_more);
	for (uint16_t port = 49152; port < 49160; port++)
		net_listen_add_mt(w->tables, IPPROTO_UDP, at(any, port), 1, false);
	assert_int_equal(udp_open(net, &local, &user, &one_more), -EADDRINUSE);
}

static void a_pushed_datagram_leaves_whole_and_valid(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct udp_sock *us = opened(w, 0, any, 5353);
	const struct net_endpoint dest = at(PEER_IP, 40001);
	struct rte_udp_hdr *udp;
	uint8_t data[1472];
	struct frame f;

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = i * 7;
	for (unsigned len = 0; len <= sizeof(data); len += len < 4 ? 1 : 367) {
		assert_int_equal(udp_push(net, us, data, len, &dest), 0);
		assert_true(world_output(w, 0, 0, &f));
		assert_int_equal(f.len, 42 + len);
		assert_true(frame_ip_valid(&f));
		udp = frame_l4(&f);
		assert_int_equal(udp->src_port, rte_cpu_to_be_16(5353));
		assert_int_equal(udp->dst_port, rte_cpu_to_be_16(40001));
		assert_int_equal(udp->dgram_len, rte_cpu_to_be_16(8 + len));
		assert_memory_equal(udp + 1, data, len);
		assert_int_equal(frame_ip(&f)->src_addr, OUR_IP.v4);
		assert_int_equal(frame_ip(&f)->dst_addr, PEER_IP.v4);
	}
	assert_int_equal(udp_push(net, us, data, 1472, &dest), 0);
	assert_int_equal(udp_push(net, us, data, 1473, &dest), -EMSGSIZE);
	assert_int_equal(udp_push(net, us, data, UINT32_MAX, &dest), -EMSGSIZE);
	udp_close(net, us);
}

/* "Fragmentation needed", 1300 bytes, about a datagram of ours from port 5353 to the peer. */
static struct frame too_big(void)
{
	uint8_t quoted[28] = {0x45, [8] = 64, IPPROTO_UDP};

	memcpy(quoted + 12, &OUR_IP, 4);
	memcpy(quoted + 16, &PEER_IP, 4);
	quoted[20] = 5353 >> 8;
	quoted[21] = 5353 & 255;
	return frame_icmp(3, 4, 1300, quoted, sizeof(quoted));
}

/* RFC 1191 3, of UDP: 5. We do not fragment; who sends learns what fits. */
static void a_router_says_what_a_datagram_may_have(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct udp_sock *us = opened(w, 0, any, 5353);
	const struct net_endpoint dest = at(PEER_IP, 40001), other = at(IP(10, 0, 0, 9), 40001);
	uint8_t data[1472] = {0};

	struct frame f;

	net->config.tcp.pmtu_discovery = true;
	f = too_big();
	assert_true(udp_push(net, us, data, 1472, &other) != -EMSGSIZE);
	world_input(w, 0, &f); /* not to where it was sent last: no word of ours */
	assert_true(udp_push(net, us, data, 1472, &other) != -EMSGSIZE);
	assert_int_equal(udp_push(net, us, data, 1472, &dest), 0);
	net->config.tcp.pmtu_discovery = false;
	world_input(w, 0, &f);
	assert_int_equal(udp_push(net, us, data, 1472, &dest), 0);
	net->config.tcp.pmtu_discovery = true;
	world_input(w, 0, &f);
	assert_int_equal(udp_push(net, us, data, 1273, &dest), -EMSGSIZE);
	assert_int_equal(udp_push(net, us, data, 1272, &dest), 0);
	w->now_ns += PATH_LIFE_NS;
	while (world_output(w, 0, 0, &f))
		;
	assert_int_equal(udp_push(net, us, data, 1472, &dest), 0);
	assert_true(udp_push(net, us, data, 1472, &other) != -EMSGSIZE);
	udp_close(net, us);
}

static void a_router_is_heard_by_the_shard_that_has_the_socket(void **state)
{
	struct world *w = world_begin(4);
	const struct net_endpoint dest = at(PEER_IP, 40001);
	struct udp_sock *us = opened(w, 2, any, 5353);
	struct net *net = world_net(w, 2);
	const struct frame f = too_big();
	uint8_t data[1472] = {0};

	(void)state;
	net->config.tcp.pmtu_discovery = true;
	assert_int_equal(udp_push(net, us, data, 1472, &dest), 0);
	for (uint16_t i = 0; i < 4; i++)
		world_input(w, i, &f);
	world_deliver(w);
	assert_int_equal(udp_push(net, us, data, 1472, &dest), -EMSGSIZE);
	udp_close(net, us);
	world_end(w);
}

static void impossible_destinations_are_refused(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct udp_sock *us = opened(w, 0, any, 5353);
	const struct net_endpoint no_port = at(PEER_IP, 0), group = at(IP(224, 0, 0, 1), 1),
				  all = at(IP(255, 255, 255, 255), 1), far = at(IP(8, 8, 8, 8), 1);

	assert_int_equal(udp_push(net, us, "x", 1, &no_port), -EINVAL);
	assert_int_equal(udp_push(net, us, "x", 1, &group), -EINVAL);
	assert_int_equal(udp_push(net, us, "x", 1, &all), -EINVAL);
	assert_int_equal(udp_push(net, us, "x", 1, &far), -EHOSTUNREACH);
	udp_close(net, us);
}

static void a_full_output_queue_says_come_again(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct udp_sock *us = opened(w, 0, any, 5353);
	const struct net_endpoint dest = at(PEER_IP, 40001);
	struct frame f;

	for (unsigned i = 0; i < NET_REPLY_MAX; i++)
		assert_int_equal(udp_push(net, us, "x", 1, &dest), 0);
	assert_int_equal(udp_push(net, us, "x", 1, &dest), -EAGAIN);
	assert_false(net_idle(net));
	assert_true(world_output(w, 0, 0, &f));
	assert_int_equal(udp_push(net, us, "x", 1, &dest), 0);
	assert_int_equal(world_drops_all(w), 0);
	udp_close(net, us);
}

static void datagrams_wait_for_arp_and_the_oldest_gives_way(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct udp_sock *us = opened(w, 0, any, 5353);
	const struct net_endpoint dest = at(IP(10, 0, 0, 7), 40001);
	struct frame f;

	for (unsigned i = 0; i < ARP_QUEUE_MAX + 2; i++) {
		uint8_t byte = i;

		assert_int_equal(udp_push(net, us, &byte, 1, &dest), 0);
	}
	assert_int_equal(world_drops(w, DROP_arp_queue_full), 2);
	assert_true(world_output(w, 0, 0, &f)); /* the request */
	assert_false(world_output(w, 0, 0, &f));
	assert_false(net_idle(net));
	f = frame_arp(RTE_ARP_OP_REPLY, OTHER_MAC, IP(10, 0, 0, 7), OUR_IP);
	world_input(w, 0, &f);
	world_apply_news(w);
	for (unsigned i = 2; i < ARP_QUEUE_MAX + 2; i++) {
		assert_true(world_output(w, 0, 0, &f));
		assert_true(frame_ip_valid(&f));
		assert_memory_equal(f.bytes, &OTHER_MAC, 6);
		assert_int_equal(((uint8_t *)frame_l4(&f))[8], i);
	}
	assert_true(net_idle(net));
	udp_close(net, us);
}

/* The whole shard's packets that wait are bounded, and no neighbour takes all the room. */
static void a_silent_neighbour_leaves_room_for_what_waits_for_others(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct udp_sock *us = opened(w, 0, any, 5353);
	const unsigned others = ARP_HELD_MAX - ARP_QUEUE_MAX;
	struct frame f;
	unsigned sent = 0;

	for (unsigned i = 0; i < 1000; i++) {
		const struct net_endpoint silent = at(IP(10, 0, 0, 7), 40001);

		assert_int_equal(udp_push(net, us, "x", 1, &silent), 0);
	}
	for (unsigned i = 0; i < others + 1; i++) {
		const struct net_endpoint dest = at(IP(10, 0, 0, 8), 40001);

		assert_int_equal(udp_push(net, us, "y", 1, &dest), 0);
	}
	assert_int_equal(world_drops(w, DROP_arp_queue_full), 1000 - ARP_QUEUE_MAX + 1);
	while (world_output(w, 0, 0, &f))
		sent++;
	assert_int_equal(sent, 2); /* the requests */
	f = frame_arp(RTE_ARP_OP_REPLY, OTHER_MAC, IP(10, 0, 0, 8), OUR_IP);
	world_input(w, 0, &f);
	world_apply_news(w);
	for (sent = 0; world_output(w, 0, 0, &f); sent++)
		assert_int_equal(((uint8_t *)frame_l4(&f))[8], 'y');
	assert_int_equal(sent, others + 1);
	udp_close(net, us); /* what still waits is freed with the stack */
}

static void datagrams_that_waited_in_vain_are_counted(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct udp_sock *us = opened(w, 0, any, 5353);
	const struct net_endpoint dest = at(IP(10, 0, 0, 7), 40001);

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(udp_push(net, us, "x", 1, &dest), 0);
	for (unsigned i = 0; i < 3; i++)
		world_poll(w, S);
	assert_int_equal(world_drops(w, DROP_arp_unresolved), 3);
	assert_int_equal(udp_push(net, us, "x", 1, &dest), -EHOSTUNREACH);
	udp_close(net, us);
}

static void when_memory_is_scarce_input_is_dropped_and_output_waits(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct udp_sock *us = opened(w, 0, any, 53);
	const struct net_endpoint dest = at(PEER_IP, 40001);
	struct net_endpoint from;

	w->mem.level = MEM_SCARCE;
	send_in(w, 0, 40001, 53, 4);
	assert_int_equal(world_drops(w, DROP_mem_low_input), 1);
	assert_int_equal(udp_push(net, us, "x", 1, &dest), -EAGAIN);
	w->mem.level = MEM_LOW;
	send_in(w, 0, 40001, 53, 4);
	rte_pktmbuf_free(udp_pop_or_null(net, us, &from));
	udp_close(net, us);
}

static void with_no_buffer_left_a_push_says_come_again(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct udp_sock *us = opened(w, 0, any, 53);
	const struct net_endpoint dest = at(PEER_IP, 40001);
	struct rte_mbuf *hoard[1024];
	unsigned count = 0;

	while ((hoard[count] = mem_data_or_null(&w->mem)))
		count++;
	assert_int_equal(udp_push(net, us, "x", 1, &dest), -EAGAIN);
	rte_pktmbuf_free_bulk(hoard, count);
	assert_int_equal(udp_push(net, us, "x", 1, &dest), 0);
	udp_close(net, us);
}

static void a_socket_of_one_shard_gets_datagrams_that_others_own(void **state)
{
	struct world *w = world_begin(4);
	struct udp_sock *us = opened(w, 2, any, 53);
	struct net_endpoint from;
	unsigned popped = 0;
	struct rte_mbuf *m;

	(void)state;
	for (uint16_t port = 40000; port < 40004; port++) {
		send_in(w, 0, port, 53, 4);
		world_deliver(w);
	}
	while ((m = udp_pop_or_null(world_net(w, 2), us, &from))) {
		rte_pktmbuf_free(m);
		popped++;
	}
	assert_int_equal(popped, 4);
	assert_int_equal(world_drops_all(w), 0);
	world_end(w);
}

static void sockets_of_all_shards_get_the_flows_that_they_own(void **state)
{
	struct world *w = world_begin(4);
	struct udp_sock *socks[4];
	struct net_endpoint from;

	(void)state;
	for (uint16_t i = 0; i < 4; i++)
		socks[i] = opened(w, i, any, 53);
	for (uint16_t port = 40000; port < 40004; port++)
		send_in(w, 1, port, 53, 4);
	world_deliver(w);
	for (uint16_t i = 0; i < 4; i++) {
		struct rte_mbuf *m = udp_pop_or_null(world_net(w, i), socks[i], &from);

		assert_non_null(m);
		assert_int_equal(from.port, rte_cpu_to_be_16(40000 + i));
		rte_pktmbuf_free(m);
	}
	world_end(w);
}

static void a_source_address_follows_the_socket_else_the_route(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct udp_sock *bound = opened(w, 0, OUR_IP_2, 5353);
	const struct net_endpoint dest = at(PEER_IP, 40001);
	struct frame f;

	assert_int_equal(udp_push(net, bound, "x", 1, &dest), 0);
	assert_true(world_output(w, 0, 0, &f));
	assert_int_equal(frame_ip(&f)->src_addr, OUR_IP_2.v4);
	assert_true(frame_ip_valid(&f));
	udp_close(net, bound);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_datagram_comes_out_as_it_was_sent),
		T(an_empty_datagram_is_one_too),
		T(datagrams_keep_their_order_and_the_queue_its_bound),
		T(closing_frees_what_nobody_popped),
		T(the_stack_closes_what_was_left_open),
		cmocka_unit_test(the_exact_address_gets_the_datagram),
		T(a_broadcast_reaches_who_listens_on_any_address),
		T(ports_are_opened_once_and_addresses_must_be_ours),
		T(port_0_gives_free_ports_until_there_are_none),
		T(a_pushed_datagram_leaves_whole_and_valid),
		T(a_router_says_what_a_datagram_may_have),
		cmocka_unit_test(a_router_is_heard_by_the_shard_that_has_the_socket),
		T(impossible_destinations_are_refused),
		T(a_full_output_queue_says_come_again),
		T(datagrams_wait_for_arp_and_the_oldest_gives_way),
		T(a_silent_neighbour_leaves_room_for_what_waits_for_others),
		T(datagrams_that_waited_in_vain_are_counted),
		T(when_memory_is_scarce_input_is_dropped_and_output_waits),
		T(with_no_buffer_left_a_push_says_come_again),
		cmocka_unit_test(a_socket_of_one_shard_gets_datagrams_that_others_own),
		cmocka_unit_test(sockets_of_all_shards_get_the_flows_that_they_own),
		T(a_source_address_follows_the_socket_else_the_route),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
