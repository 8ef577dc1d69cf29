/* ARP: asking, waiting, giving up, probing, learning, answering. */
#include "below_tcp.h"

#include "net/arp.h"
#include "net/dst.h"
#include "net/neigh.h"

#include <errno.h>
#include <rte_arp.h>

enum { REQUEST = RTE_ARP_OP_REQUEST, REPLY = RTE_ARP_OP_REPLY };

static int setup(void **state)
{
	*state = world_begin(1);
	return 0;
}

static int teardown(void **state)
{
	world_end(*state);
	return 0;
}

static struct rte_arp_hdr *arp_of(struct frame *f)
{
	return (struct rte_arp_hdr *)(f->bytes + 14);
}

static struct rte_ether_addr to_of(const struct frame *f)
{
	return ((const struct rte_ether_hdr *)f->bytes)->dst_addr;
}

static void assert_mac(struct rte_ether_addr a, struct rte_ether_addr b)
{
	assert_memory_equal(&a, &b, sizeof(a));
}

/* The next frame is a request of ours for addr, to everybody or to one. */
static void assert_asks(struct world *w, uint16_t shard, struct ip_addr addr,
			struct rte_ether_addr to)
{
	struct frame f;

	assert_true(world_output(w, shard, 0, &f));
	assert_int_equal(f.len, 42);
	assert_mac(to_of(&f), to);
	assert_int_equal(arp_of(&f)->arp_hardware, RTE_BE16(1));
	assert_int_equal(arp_of(&f)->arp_protocol, RTE_BE16(0x0800));
	assert_int_equal(arp_of(&f)->arp_hlen, 6);
	assert_int_equal(arp_of(&f)->arp_plen, 4);
	assert_int_equal(arp_of(&f)->arp_opcode, RTE_BE16(REQUEST));
	assert_mac(arp_of(&f)->arp_data.arp_sha, OUR_MAC);
	assert_int_equal(arp_of(&f)->arp_data.arp_sip, OUR_IP.v4);
	assert_int_equal(arp_of(&f)->arp_data.arp_tip, addr.v4);
	assert_false(world_output(w, shard, 0, &f));
}

static void assert_silent(struct world *w, uint16_t shard)
{
	struct frame f;

	assert_false(world_output(w, shard, 0, &f));
}

static void hear(struct world *w, uint16_t shard, uint16_t op, struct rte_ether_addr mac,
		 struct ip_addr from, struct ip_addr target)
{
	struct frame f = frame_arp(op, mac, from, target);

	world_input(w, shard, &f);
	world_deliver(w);
}

static const struct net_neigh *peer(struct world *w)
{
	return net_neigh_lookup_rcu(w->tables, 0, PEER_IP);
}

/* RFC 826 */
static void a_next_hop_is_asked_for_once_and_then_known(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct net_dst dst;

	assert_int_equal(net_dst_init(net, &dst, PEER_IP), 0);
	assert_int_equal(net_dst_resolve(net, &dst), -EAGAIN);
	assert_int_equal(net_dst_resolve(net, &dst), -EAGAIN);
	assert_asks(w, 0, PEER_IP, ALL_MAC);
	hear(w, 0, REPLY, PEER_MAC, PEER_IP, OUR_IP);
	assert_int_equal(w->news_count, 1);
	assert_int_equal(w->news[0].news, NEIGH_ANSWERED);
	assert_int_equal(net_dst_resolve(net, &dst), -EAGAIN);
	world_apply_news(w);
	assert_int_equal(fake_tcp.neigh_changed_count, 0);
	world_poll(w, 1);
	assert_int_equal(fake_tcp.neigh_changed_count, 1);
	assert_int_equal(net_dst_resolve(net, &dst), 0);
	assert_mac(dst.mac, PEER_MAC);
	assert_true(ip_addr_eq(dst.source, OUR_IP));
	assert_int_equal(dst.mtu, 1500);
	world_poll(w, 5 * S);
	assert_silent(w, 0);
}

static void a_next_hop_that_never_answers_is_asked_three_times_a_second_apart(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct net_dst dst;

	net_dst_init(net, &dst, PEER_IP);
	assert_int_equal(net_dst_resolve(net, &dst), -EAGAIN);
	for (unsigned i = 0; i < 2; i++) {
		assert_asks(w, 0, PEER_IP, ALL_MAC);
		assert_int_equal(net_poll(net, w->now_ns), w->now_ns + S);
		world_poll(w, S - 1);
		assert_silent(w, 0);
		world_poll(w, 1);
	}
	assert_asks(w, 0, PEER_IP, ALL_MAC);
	assert_int_equal(net_dst_resolve(net, &dst), -EAGAIN);
	world_poll(w, S);
	assert_silent(w, 0);
	assert_int_equal(fake_tcp.neigh_changed_count, 1);
	assert_int_equal(net_dst_resolve(net, &dst), -EHOSTUNREACH);
	/* After a while it is asked again. */
	world_poll(w, 3 * S - 1);
	assert_int_equal(net_dst_resolve(net, &dst), -EHOSTUNREACH);
	world_poll(w, 1);
	assert_int_equal(net_dst_resolve(net, &dst), -EAGAIN);
	assert_asks(w, 0, PEER_IP, ALL_MAC);
}

static void a_late_answer_is_still_good(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct net_dst dst;
	struct frame f;

	net_dst_init(net, &dst, PEER_IP);
	assert_int_equal(net_dst_resolve(net, &dst), -EAGAIN);
	for (unsigned i = 0; i < 3; i++)
		world_poll(w, S);
	while (world_output(w, 0, 0, &f))
		;
	assert_int_equal(net_dst_resolve(net, &dst), -EHOSTUNREACH);
	hear(w, 0, REPLY, PEER_MAC, PEER_IP, OUR_IP);
	world_apply_news(w);
	world_poll(w, 1);
	assert_int_equal(net_dst_resolve(net, &dst), 0);
}

static void the_gateway_is_asked_for_what_is_far_away(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	const struct net_route route = {.dst = IP(0, 0, 0, 0), .gateway = GATEWAY_IP};
	struct net_dst dst;

	assert_int_equal(net_dst_init(net, &dst, IP(8, 8, 8, 8)), -EHOSTUNREACH);
	assert_int_equal(net_route_add_mt(w->tables, &route), 0);
	assert_int_equal(net_dst_init(net, &dst, IP(8, 8, 8, 8)), 0);
	assert_int_equal(net_dst_resolve(net, &dst), -EAGAIN);
	assert_asks(w, 0, GATEWAY_IP, ALL_MAC);
}

static void there_is_no_way_to_what_is_no_host(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct net_dst dst;

	assert_int_equal(net_dst_init(net, &dst, IP(0, 0, 0, 0)), -EINVAL);
	assert_int_equal(net_dst_init(net, &dst, IP(255, 255, 255, 255)), -EINVAL);
	assert_int_equal(net_dst_init(net, &dst, IP(10, 0, 0, 255)), -EINVAL);
	assert_int_equal(net_dst_init(net, &dst, IP(224, 1, 1, 1)), -EINVAL);
	assert_int_equal(net_dst_init(net, &dst, IP(127, 0, 0, 1)), -EINVAL);
	assert_int_equal(net_dst_init(net, &dst, OUR_IP), -EHOSTUNREACH);
	assert_int_equal(net_dst_init(net, &dst, OUR_IP_2), -EHOSTUNREACH);
}

static void a_configured_neighbour_is_never_asked(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct net_dst dst;

	world_know(w, PEER_IP, PEER_MAC, NEIGH_FIXED);
	net_dst_init(net, &dst, PEER_IP);
	for (unsigned i = 0; i < 10; i++) {
		world_poll(w, 100 * S);
		assert_int_equal(net_dst_resolve(net, &dst), 0);
		assert_silent(w, 0);
	}
	hear(w, 0, REQUEST, OTHER_MAC, PEER_IP, IP(10, 0, 0, 9));
	assert_int_equal(w->news_count, 0);
}

/* Uses the neighbour until it is probed. */
static void age(struct world *w, struct net_dst *dst)
{
	struct net *net = world_net(w, 0);

	world_know(w, PEER_IP, PEER_MAC, NEIGH_ANSWERED);
	world_poll(w, 0);
	net_dst_init(net, dst, PEER_IP);
	assert_int_equal(net_dst_resolve(net, dst), 0);
	world_poll(w, NEIGH_FRESH_NS - 1);
	assert_int_equal(net_dst_resolve(net, dst), 0);
	assert_silent(w, 0);
	world_poll(w, NEIGH_FRESH_NS / 2 + 1);
	assert_int_equal(net_dst_resolve(net, dst), 0);
	assert_asks(w, 0, PEER_IP, PEER_MAC);
}

static void an_old_neighbour_is_probed_and_confirmed_while_it_is_used(void **state)
{
	struct world *w = *state;
	struct net_dst dst;

	age(w, &dst);
	hear(w, 0, REPLY, PEER_MAC, PEER_IP, OUR_IP);
	assert_int_equal(w->news[0].news, NEIGH_ANSWERED);
	world_apply_news(w);
	assert_int_equal(neigh_confirmed_ns(peer(w)), w->now_ns);
	for (unsigned i = 0; i < 5; i++) {
		world_poll(w, S);
		assert_int_equal(net_dst_resolve(world_net(w, 0), &dst), 0);
		assert_silent(w, 0);
	}
	assert_int_equal(w->news_count, 0);
}

static void an_old_neighbour_that_does_not_answer_probes_is_gone(void **state)
{
	struct world *w = *state;
	struct net_dst dst;

	age(w, &dst);
	for (unsigned i = 0; i < 2; i++) {
		world_poll(w, S);
		assert_int_equal(net_dst_resolve(world_net(w, 0), &dst), 0);
		assert_asks(w, 0, PEER_IP, PEER_MAC);
	}
	assert_int_equal(w->news_count, 0);
	world_poll(w, S);
	assert_int_equal(w->news_count, 1);
	assert_int_equal(w->news[0].news, NEIGH_GONE);
	world_apply_news(w);
	world_poll(w, 1);
	assert_int_equal(net_dst_resolve(world_net(w, 0), &dst), -EAGAIN);
	assert_asks(w, 0, PEER_IP, ALL_MAC);
}

/* Another shard found out first. */
static void a_neighbour_that_goes_while_it_is_probed_is_asked_for_anew(void **state)
{
	struct world *w = *state;
	struct net_dst dst;

	age(w, &dst);
	{
		const struct net_neigh_event gone = {.neigh = *peer(w), .news = NEIGH_GONE};

		net_neigh_apply_mt(w->tables, &gone, 1);
	}
	world_poll(w, 1);
	assert_int_equal(net_dst_resolve(world_net(w, 0), &dst), -EAGAIN);
	assert_asks(w, 0, PEER_IP, ALL_MAC);
	world_poll(w, S);
	assert_asks(w, 0, PEER_IP, ALL_MAC);
}

static void a_neighbour_that_nobody_uses_is_not_probed(void **state)
{
	struct world *w = *state;

	world_know(w, PEER_IP, PEER_MAC, NEIGH_ANSWERED);
	for (unsigned i = 0; i < 100; i++)
		world_poll(w, S);
	assert_silent(w, 0);
}

/* RFC 826 */
static void a_request_for_our_address_is_answered_and_remembered(void **state)
{
	struct world *w = *state;
	struct frame f;

	hear(w, 0, REQUEST, PEER_MAC, PEER_IP, OUR_IP);
	assert_true(world_output(w, 0, 0, &f));
	assert_int_equal(f.len, 42);
	assert_mac(to_of(&f), PEER_MAC);
	assert_mac(((struct rte_ether_hdr *)f.bytes)->src_addr, OUR_MAC);
	assert_int_equal(arp_of(&f)->arp_opcode, RTE_BE16(REPLY));
	assert_mac(arp_of(&f)->arp_data.arp_sha, OUR_MAC);
	assert_int_equal(arp_of(&f)->arp_data.arp_sip, OUR_IP.v4);
	assert_mac(arp_of(&f)->arp_data.arp_tha, PEER_MAC);
	assert_int_equal(arp_of(&f)->arp_data.arp_tip, PEER_IP.v4);
	world_apply_news(w);
	assert_mac(peer(w)->mac, PEER_MAC);
}

static void requests_for_others_are_ignored_and_teach_nothing_new(void **state)
{
	struct world *w = *state;

	hear(w, 0, REQUEST, PEER_MAC, PEER_IP, IP(10, 0, 0, 9));
	hear(w, 0, REQUEST, PEER_MAC, PEER_IP, OUR_IP_2); /* ours, but not on this link */
	hear(w, 0, REQUEST, PEER_MAC, PEER_IP, PEER_IP);
	assert_silent(w, 0);
	assert_int_equal(w->news_count, 0);
	assert_int_equal(world_drops(w, DROP_arp_ignored), 3);
}

static void a_gratuitous_request_updates_an_old_entry_only(void **state)
{
	struct world *w = *state;

	world_know(w, PEER_IP, PEER_MAC, NEIGH_ANSWERED);
	world_poll(w, NEIGH_FRESH_NS);
	hear(w, 0, REQUEST, OTHER_MAC, PEER_IP, PEER_IP);
	world_apply_news(w);
	assert_mac(peer(w)->mac, OTHER_MAC);
	/* The entry is fresh now: the next one only makes us ask whether it still lives. */
	world_poll(w, S);
	hear(w, 0, REQUEST, PEER_MAC, PEER_IP, PEER_IP);
	assert_int_equal(w->news_count, 0);
	assert_mac(peer(w)->mac, OTHER_MAC);
	assert_asks(w, 0, PEER_IP, OTHER_MAC);
}

/* RFC 1122 2.3.2 */
static void an_answer_that_nobody_asked_for_is_not_believed(void **state)
{
	struct world *w = *state;

	hear(w, 0, REPLY, PEER_MAC, PEER_IP, OUR_IP);
	assert_int_equal(w->news_count, 0);
	world_know(w, PEER_IP, PEER_MAC, NEIGH_ANSWERED);
	hear(w, 0, REPLY, OTHER_MAC, PEER_IP, OUR_IP);
	world_apply_news(w);
	assert_mac(peer(w)->mac, PEER_MAC);
}

static void an_answer_to_somebody_else_is_no_answer_to_us(void **state)
{
	struct world *w = *state;
	struct net_dst dst;

	net_dst_init(world_net(w, 0), &dst, PEER_IP);
	net_dst_resolve(world_net(w, 0), &dst);
	hear(w, 0, REPLY, PEER_MAC, PEER_IP, IP(10, 0, 0, 9));
	assert_int_equal(w->news_count, 0);
	assert_asks(w, 0, PEER_IP, ALL_MAC);
}

static void addresses_that_are_no_neighbours_are_not_learned(void **state)
{
	const struct ip_addr from[] = {IP(10, 0, 1, 2), IP(10, 0, 0, 0), IP(10, 0, 0, 255),
				       IP(224, 0, 0, 1)};
	struct world *w = *state;
	struct frame f;

	for (unsigned i = 0; i < 4; i++)
		hear(w, 0, REQUEST, PEER_MAC, from[i], OUR_IP);
	assert_int_equal(w->news_count, 0);
	for (unsigned i = 0; i < 4; i++)
		assert_true(world_output(w, 0, 0, &f));
}

/* RFC 5227: somebody asks whether the address is free, without giving one of his own. */
static void a_probe_for_our_address_is_answered_and_not_learned(void **state)
{
	struct world *w = *state;
	struct frame f;

	hear(w, 0, REQUEST, PEER_MAC, IP(0, 0, 0, 0), OUR_IP);
	assert_int_equal(w->news_count, 0);
	assert_true(world_output(w, 0, 0, &f));
	assert_int_equal(arp_of(&f)->arp_opcode, RTE_BE16(REPLY));
	assert_int_equal(arp_of(&f)->arp_data.arp_tip, 0);
}

/* RFC 5227 2.4 */
static void our_address_is_defended_once_in_ten_seconds(void **state)
{
	struct world *w = *state;

	hear(w, 0, REQUEST, OTHER_MAC, OUR_IP, OUR_IP);
	/* An announcement: the address is ours. And an answer, as it asked for it. */
	{
		struct frame f;

		assert_true(world_output(w, 0, 0, &f));
		assert_int_equal(arp_of(&f)->arp_data.arp_tip, OUR_IP.v4);
		assert_int_equal(arp_of(&f)->arp_opcode, RTE_BE16(REQUEST));
		assert_true(world_output(w, 0, 0, &f));
		assert_int_equal(arp_of(&f)->arp_opcode, RTE_BE16(REPLY));
	}
	hear(w, 0, REPLY, OTHER_MAC, OUR_IP, PEER_IP);
	assert_silent(w, 0);
	world_poll(w, 10 * S);
	hear(w, 0, REPLY, OTHER_MAC, OUR_IP, PEER_IP);
	assert_asks(w, 0, OUR_IP, ALL_MAC);
	/* All are counted; what was defended is told, and teaches nothing. */
	assert_int_equal(w->shards[0].counters.arp_conflicts, 3);
	assert_int_equal(w->news_count, 2);
	assert_int_equal(w->news[1].news, NEIGH_CONFLICT);
	assert_mac(w->news[1].neigh.mac, OTHER_MAC);
	world_apply_news(w);
	assert_null(net_neigh_lookup_rcu(w->tables, 0, OUR_IP));
}

/* Each would cost a new version of the table, and displace whom we talk to. */
static void a_flood_of_askers_is_answered_but_not_remembered(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < 200; i++) {
		struct frame f;

		hear(w, 0, REQUEST, OTHER_MAC, IP(10, 0, 0, 10 + i), OUR_IP);
		assert_true(world_output(w, 0, 0, &f));
	}
	assert_int_equal(w->news_count, 100);
	assert_int_equal(w->shards[0].counters.arp_unlearned, 100);
	world_poll(w, S / 2);
	hear(w, 0, REQUEST, PEER_MAC, PEER_IP, OUR_IP);
	assert_int_equal(w->news_count, 101);
}

/* Else a liar could keep us from asking for anybody new. */
static void claims_of_others_leave_room_to_ask(void **state)
{
	struct world *w = *state;
	struct net_dst dst;

	for (unsigned i = 0; i < ARP_WAIT_MAX; i++)
		world_know(w, IP(10, 0, 0, 10 + i), PEER_MAC, NEIGH_ANSWERED);
	for (unsigned i = 0; i < ARP_WAIT_MAX; i++)
		hear(w, 0, REQUEST, OTHER_MAC, IP(10, 0, 0, 10 + i), OUR_IP);
	assert_int_equal(net_dst_init(world_net(w, 0), &dst, PEER_IP), 0);
	assert_int_equal(net_dst_resolve(world_net(w, 0), &dst), -EAGAIN);
}

/* RFC 1122 2.3.2.1 */
static void progress_of_a_flow_keeps_its_next_hop_fresh_without_probes(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct net_dst first, second;

	world_know(w, PEER_IP, PEER_MAC, NEIGH_ANSWERED);
	world_poll(w, 1);
	assert_int_equal(net_dst_init(net, &first, PEER_IP), 0);
	assert_int_equal(net_dst_resolve(net, &first), 0);
	second = first;
	for (unsigned i = 0; i < 200; i++) {
		world_poll(w, S);
		net_dst_confirm(net, &first);
		net_dst_confirm(net, &second);
		world_apply_news(w);
		assert_int_equal(net_dst_resolve(net, &first), 0);
		assert_int_equal(net_dst_resolve(net, &second), 0);
	}
	assert_silent(w, 0);
	/* Once in half of the time that an entry is fresh, for both. */
	assert_true(w->shards[0].counters.arp_confirmed >= 200 / 45);
	assert_true(w->shards[0].counters.arp_confirmed <= 200 / 15);
	/* Without progress we ask, as ever. */
	world_poll(w, 46 * S);
	assert_int_equal(net_dst_resolve(net, &first), 0);
	assert_asks(w, 0, PEER_IP, PEER_MAC);
}

static void a_next_hop_that_changed_is_not_confirmed_by_what_the_old_one_carried(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct net_dst dst;

	world_know(w, PEER_IP, PEER_MAC, NEIGH_ANSWERED);
	world_poll(w, 1);
	assert_int_equal(net_dst_init(net, &dst, PEER_IP), 0);
	assert_int_equal(net_dst_resolve(net, &dst), 0);
	world_poll(w, 20 * S);
	world_know(w, PEER_IP, OTHER_MAC, NEIGH_ANSWERED);
	world_poll(w, 20 * S);
	net_dst_confirm(net, &dst);
	assert_int_equal(w->news_count, 0);
	assert_int_equal(w->shards[0].counters.arp_confirmed, 0);
}

static void malformed_arp_is_dropped(void **state)
{
	const unsigned offsets[] = {14, 15, 16, 17, 18, 19, 20, 21};
	struct frame good = frame_arp(REQUEST, PEER_MAC, PEER_IP, OUR_IP), f;
	struct world *w = *state;
	unsigned drops = 0;

	for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		f = good;
		f.bytes[offsets[i]] ^= 0x40;
		world_input(w, 0, &f);
		drops++;
	}
	f = good;
	f.bytes[22] |= 1; /* the sender is a group */
	world_input(w, 0, &f);
	drops++;
	for (f = good, f.len = 41; f.len >= 14; f.len--, drops++)
		world_input(w, 0, &f);
	assert_int_equal(world_drops(w, DROP_arp_bad), drops);
	assert_silent(w, 0);
	assert_int_equal(w->news_count, 0);
}

/* How many packets a new shard sends by itself in ten seconds. */
static unsigned announcements(struct world *w, uint16_t shard)
{
	const struct net_config config = {.shard = shard,
					  .shard_count = 2,
					  .udp_max = 1,
					  .udp_queue_len = 1,
					  .icmp_per_second = 1};
	struct counters counters = {0};
	uint64_t at_ns = w->now_ns;
	struct rte_mbuf *pkts[8];
	unsigned sent = 0;
	struct net *net;

	assert_int_equal(net_create(&net, &config, &world_net(w, 0)->env, w->tables, &w->mem,
				    &counters, w->now_ns),
			 0);
	for (; at_ns < w->now_ns + 10 * S; at_ns += S / 2) {
		net_poll(net, at_ns);
		for (uint16_t iface = 0; iface < 2; iface++) {
			unsigned n = net_output(net, iface, pkts, 8, at_ns);

			rte_pktmbuf_free_bulk(pkts, n);
			sent += n;
		}
	}
	net_destroy(net);
	return sent;
}

/* RFC 5227 2.3 */
static void shard_0_alone_announces_our_addresses_twice(void **state)
{
	assert_int_equal(announcements(*state, 0), 2 * 2);
	assert_int_equal(announcements(*state, 1), 0);
}

static void an_answer_finds_the_shard_that_asked(void **state)
{
	struct world *w = world_begin(4);
	struct net_dst dst;

	(void)state;
	net_dst_init(world_net(w, 3), &dst, PEER_IP);
	assert_int_equal(net_dst_resolve(world_net(w, 3), &dst), -EAGAIN);
	hear(w, 1, REPLY, PEER_MAC, PEER_IP, OUR_IP);
	assert_int_equal(w->news_count, 1);
	assert_int_equal(w->news[0].news, NEIGH_ANSWERED);
	world_apply_news(w);
	world_poll(w, 1);
	assert_int_equal(net_dst_resolve(world_net(w, 3), &dst), 0);
	world_end(w);
}

static void an_answer_that_no_shard_asked_for_goes_round_once(void **state)
{
	struct world *w = world_begin(4);
	struct frame f = frame_arp(REPLY, PEER_MAC, PEER_IP, OUR_IP);
	unsigned hops = 0;

	(void)state;
	world_input(w, 2, &f);
	while (w->handed_count) {
		struct handed first = w->handed[0];

		assert_int_equal(w->handed_count, 1);
		assert_int_equal(first.to, (first.from + 1) % 4);
		w->handed_count = 0;
		net_input(world_net(w, first.to), &first.m, 1, NET_FROM_SHARD, w->now_ns);
		hops++;
	}
	assert_int_equal(hops, 3);
	assert_int_equal(w->news_count, 0);
	world_end(w);
}

static void too_many_next_hops_at_once_are_unreachable_not_forgotten(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	unsigned asked = 0, refused = 0;

	for (uint32_t i = 2; i < 202; i++) {
		struct net_dst dst;
		int err;

		assert_int_equal(net_dst_init(net, &dst, IP(10, 0, 0, i)), 0);
		err = net_dst_resolve(net, &dst);
		asked += err == -EAGAIN;
		refused += err == -EHOSTUNREACH;
	}
	assert_int_equal(asked, 128);
	assert_int_equal(refused, 72);
	for (unsigned i = 0; i < 8; i++)
		world_poll(w, S);
	{
		struct net_dst dst;

		net_dst_init(net, &dst, IP(10, 0, 0, 201));
		assert_int_equal(net_dst_resolve(net, &dst), -EAGAIN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_next_hop_is_asked_for_once_and_then_known),
		T(a_next_hop_that_never_answers_is_asked_three_times_a_second_apart),
		T(a_late_answer_is_still_good),
		T(the_gateway_is_asked_for_what_is_far_away),
		T(there_is_no_way_to_what_is_no_host),
		T(a_configured_neighbour_is_never_asked),
		T(an_old_neighbour_is_probed_and_confirmed_while_it_is_used),
		T(an_old_neighbour_that_does_not_answer_probes_is_gone),
		T(a_neighbour_that_goes_while_it_is_probed_is_asked_for_anew),
		T(a_neighbour_that_nobody_uses_is_not_probed),
		T(a_request_for_our_address_is_answered_and_remembered),
		T(requests_for_others_are_ignored_and_teach_nothing_new),
		T(a_gratuitous_request_updates_an_old_entry_only),
		T(an_answer_that_nobody_asked_for_is_not_believed),
		T(an_answer_to_somebody_else_is_no_answer_to_us),
		T(addresses_that_are_no_neighbours_are_not_learned),
		T(a_probe_for_our_address_is_answered_and_not_learned),
		T(our_address_is_defended_once_in_ten_seconds),
		T(a_flood_of_askers_is_answered_but_not_remembered),
		T(claims_of_others_leave_room_to_ask),
		T(progress_of_a_flow_keeps_its_next_hop_fresh_without_probes),
		T(a_next_hop_that_changed_is_not_confirmed_by_what_the_old_one_carried),
		T(malformed_arp_is_dropped),
		T(shard_0_alone_announces_our_addresses_twice),
		cmocka_unit_test(an_answer_finds_the_shard_that_asked),
		cmocka_unit_test(an_answer_that_no_shard_asked_for_goes_round_once),
		T(too_many_next_hops_at_once_are_unreachable_not_forgotten),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
