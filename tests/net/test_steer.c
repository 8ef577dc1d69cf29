/* Whose flow is it: owners by hash, shards that hold foreign flows, listeners, races. */
#include "below_tcp.h"

#include "net/steer.h"

#include <rte_ip.h>

enum { SYN = RTE_TCP_SYN_FLAG, ACK = RTE_TCP_ACK_FLAG, RST = RTE_TCP_RST_FLAG, PORT = 8080 };

static const struct net_endpoint any_local = {{0}, RTE_BE16(PORT)};

static int setup(void **state)
{
	struct world *w = world_begin(4);

	fake_tcp.knows = 0;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_end(*state);
	return 0;
}

static struct net_endpoint local(void)
{
	return (struct net_endpoint){OUR_IP, RTE_BE16(PORT)};
}

static void listen_on(struct world *w, uint64_t shards)
{
	for (uint16_t i = 0; i < 4; i++)
		if (shards >> i & 1)
			assert_int_equal(
				net_listen_add_mt(w->tables, IPPROTO_TCP, any_local, i, false), 0);
	fake_tcp.listens = shards;
}

static void come_in(struct world *w, uint16_t shard, uint16_t remote_port, uint8_t flags)
{
	struct frame f = frame_tcp(remote_port, PORT, flags, 0);

	world_input(w, shard, &f);
}

/* Lets one hand-over arrive, which must be this one. */
static void assert_hop(struct world *w, uint16_t from, uint16_t to)
{
	struct handed handed = w->handed[0];

	assert_int_equal(w->handed_count, 1);
	assert_int_equal(handed.from, from);
	assert_int_equal(handed.to, to);
	w->handed_count = 0;
	net_input(world_net(w, to), &handed.m, 1, NET_FROM_SHARD, w->now_ns);
}

static void a_known_flow_is_served_by_its_owner_wherever_it_arrives(void **state)
{
	struct world *w = *state;

	fake_tcp.knows = 1 << 2;
	come_in(w, 2, 40002, ACK);
	assert_int_equal(w->handed_count, 0);
	assert_int_equal(fake_tcp.input_count, 1);
	come_in(w, 0, 40002, ACK);
	assert_hop(w, 0, 2);
	assert_int_equal(fake_tcp.input_count, 2);
	assert_int_equal(fake_tcp.last_shard, 2);
	assert_int_equal(fake_tcp.last.owner, 2);
	assert_int_equal(fake_tcp.last.seq, 0x01020304);
	assert_int_equal(world_drops_all(w), 0);
}

static void a_burst_is_split_by_owner_and_keeps_its_order(void **state)
{
	struct world *w = *state;
	struct rte_mbuf *pkts[NET_BURST_MAX];

	fake_tcp.knows = UINT64_MAX;
	for (unsigned i = 0; i < NET_BURST_MAX; i++) {
		const struct frame f = frame_tcp(40000 + i, PORT, ACK, 0);

		pkts[i] = frame_to_mbuf(w, &f);
	}
	net_input(world_net(w, 1), pkts, NET_BURST_MAX, NET_FROM_WIRE, w->now_ns);
	assert_int_equal(fake_tcp.input_count, NET_BURST_MAX / 4);
	assert_int_equal(fake_tcp.last.flow.remote_port, rte_cpu_to_be_16(40000 + 61));
	assert_int_equal(w->handed_count, NET_BURST_MAX * 3 / 4);
	for (unsigned i = 1; i < w->handed_count; i++)
		assert_true(rte_be_to_cpu_16(net_pkt_of(w->handed[i].m)->flow.remote_port) >
			    rte_be_to_cpu_16(net_pkt_of(w->handed[i - 1].m)->flow.remote_port));
	world_deliver(w);
	assert_int_equal(fake_tcp.input_count, NET_BURST_MAX);
}

static void the_hash_travels_with_the_packet(void **state)
{
	struct world *w = *state;

	come_in(w, 0, 40003, SYN);
	assert_int_equal(w->handed_count, 1);
	assert_int_equal(w->handed[0].m->hash.rss, 40003 * 0x9e3779b1u);
	world_deliver(w);
}

static void a_syn_for_nobody_is_refused_by_the_owner(void **state)
{
	struct world *w = *state;

	come_in(w, 0, 40002, SYN);
	assert_hop(w, 0, 2);
	assert_int_equal(w->handed_count, 0);
	assert_int_equal(fake_tcp.refused_count, 1);
	assert_int_equal(world_drops(w, DROP_tcp_no_port), 1);
}

static void with_all_shards_listening_the_owner_accepts(void **state)
{
	struct world *w = *state;

	listen_on(w, 0xf);
	come_in(w, 0, 40002, SYN);
	assert_hop(w, 0, 2);
	assert_int_equal(fake_tcp.input_count, 1);
	assert_int_equal(fake_tcp.last_shard, 2);
}

static void a_lone_listener_gets_the_syns_of_all_owners(void **state)
{
	struct world *w = *state;

	listen_on(w, 1 << 1);
	for (uint16_t port = 40000; port < 40004; port++) {
		come_in(w, 3, port, SYN);
		world_deliver(w);
		assert_int_equal(fake_tcp.last_shard, 1);
	}
	assert_int_equal(fake_tcp.input_count, 4);
	assert_int_equal(world_drops_all(w), 0);
}

/* RFC 4987 3.6: it may bring back the cookie of a listener that did not keep the SYN. */
static void an_ack_of_no_flow_finds_the_listener_that_its_syn_found(void **state)
{
	struct world *w = *state;

	listen_on(w, 1 << 1 | 1 << 3);
	come_in(w, 2, 40002, SYN);
	world_deliver(w);
	come_in(w, 2, 40002, ACK);
	assert_hop(w, 2, fake_tcp.last_shard);
	assert_int_equal(fake_tcp.input_count, 2);
	assert_int_equal(fake_tcp.refused_count, 0);
}

static void only_a_syn_or_an_ack_opens_a_flow(void **state)
{
	const uint8_t flags[] = {SYN | ACK, RST, SYN | RST, 0};
	struct world *w = *state;

	listen_on(w, 1 << 1);
	for (unsigned i = 0; i < sizeof(flags); i++) {
		come_in(w, 2, 40002, flags[i]);
		assert_int_equal(w->handed_count, 0);
	}
	assert_int_equal(fake_tcp.refused_count, sizeof(flags));
}

static void segments_of_a_foreign_flow_find_the_shard_that_holds_it(void **state)
{
	struct world *w = *state;

	listen_on(w, 1 << 1);
	net_listen_foreign_mt(w->tables, IPPROTO_TCP, local(), 1, 1);
	fake_tcp.knows = 1 << 1;
	come_in(w, 2, 40002, ACK);
	assert_hop(w, 2, 1);
	assert_int_equal(fake_tcp.last_shard, 1);
	/* Also when the listener is gone. */
	net_listen_remove_mt(w->tables, IPPROTO_TCP, any_local, 1);
	come_in(w, 2, 40002, ACK);
	assert_hop(w, 2, 1);
	assert_int_equal(fake_tcp.input_count, 2);
	net_listen_foreign_mt(w->tables, IPPROTO_TCP, local(), 1, -1);
}

static void candidates_are_asked_in_ascending_order_from_the_owner_once_each(void **state)
{
	struct world *w = *state;

	for (uint16_t i = 0; i < 4; i++)
		net_listen_foreign_mt(w->tables, IPPROTO_TCP, local(), i, 1);
	come_in(w, 0, 40002, ACK);
	assert_hop(w, 0, 2);
	assert_hop(w, 2, 3);
	assert_hop(w, 3, 0);
	assert_hop(w, 0, 1);
	assert_int_equal(w->handed_count, 0);
	assert_int_equal(fake_tcp.refused_count, 1);
}

static void a_syn_asks_the_holders_first_and_then_the_listener(void **state)
{
	struct world *w = *state;

	listen_on(w, 1 << 3);
	net_listen_foreign_mt(w->tables, IPPROTO_TCP, local(), 0, 1);
	net_listen_foreign_mt(w->tables, IPPROTO_TCP, local(), 1, 1);
	come_in(w, 2, 40002, SYN);
	assert_hop(w, 2, 0);
	assert_hop(w, 0, 1);
	assert_hop(w, 1, 3);
	assert_int_equal(w->handed_count, 0);
	assert_int_equal(fake_tcp.last_shard, 3);
	assert_int_equal(fake_tcp.input_count, 1);
}

static void a_holder_that_also_listens_takes_the_syn_at_once(void **state)
{
	struct world *w = *state;

	listen_on(w, 1 << 0);
	net_listen_foreign_mt(w->tables, IPPROTO_TCP, local(), 0, 1);
	come_in(w, 2, 40002, SYN);
	assert_hop(w, 2, 0);
	assert_int_equal(fake_tcp.input_count, 1);
	assert_int_equal(w->handed_count, 0);
}

/* The listener closes while the SYN is on its way: another one may take it, else it is refused. */
static void a_listener_that_closed_meanwhile_does_not_end_the_search(void **state)
{
	struct world *w = *state;

	listen_on(w, 1 << 1);
	come_in(w, 2, 40002, SYN);
	net_listen_remove_mt(w->tables, IPPROTO_TCP, any_local, 1);
	listen_on(w, 1 << 3);
	assert_hop(w, 2, 1);
	assert_hop(w, 1, 3);
	assert_int_equal(fake_tcp.input_count, 1);
	assert_int_equal(fake_tcp.last_shard, 3);

	come_in(w, 2, 40002, SYN);
	net_listen_remove_mt(w->tables, IPPROTO_TCP, any_local, 3);
	assert_hop(w, 2, 3);
	assert_int_equal(w->handed_count, 0);
	assert_int_equal(fake_tcp.refused_count, 1);
}

static void a_packet_that_is_sent_round_and_round_is_dropped(void **state)
{
	struct world *w = *state;
	uint16_t listener = 1;
	unsigned hops = 0;

	listen_on(w, 1 << listener);
	come_in(w, 2, 40002, SYN);
	while (w->handed_count) { /* the listener flees before the packet */
		uint16_t next = listener == 1 ? 3 : 1;

		net_listen_remove_mt(w->tables, IPPROTO_TCP, any_local, listener);
		listen_on(w, 1 << next);
		assert_hop(w, hops ? next : 2, listener);
		listener = next;
		assert_true(++hops < 10);
	}
	assert_int_equal(fake_tcp.loop_count, 1);
	assert_int_equal(world_drops(w, DROP_steer_loop), 1);
}

static void a_flow_knows_its_home(void **state)
{
	struct world *w = *state;
	const struct net_flow flow = {OUR_IP, PEER_IP, RTE_BE16(PORT), rte_cpu_to_be_16(40002)};
	uint32_t hash;

	assert_true(net_flow_is_home(world_net(w, 2), &flow, &hash));
	assert_int_equal(hash, 40002 * 0x9e3779b1u);
	assert_false(net_flow_is_home(world_net(w, 1), &flow, &hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_known_flow_is_served_by_its_owner_wherever_it_arrives),
		T(a_burst_is_split_by_owner_and_keeps_its_order),
		T(the_hash_travels_with_the_packet),
		T(a_syn_for_nobody_is_refused_by_the_owner),
		T(with_all_shards_listening_the_owner_accepts),
		T(a_lone_listener_gets_the_syns_of_all_owners),
		T(an_ack_of_no_flow_finds_the_listener_that_its_syn_found),
		T(only_a_syn_or_an_ack_opens_a_flow),
		T(segments_of_a_foreign_flow_find_the_shard_that_holds_it),
		T(candidates_are_asked_in_ascending_order_from_the_owner_once_each),
		T(a_syn_asks_the_holders_first_and_then_the_listener),
		T(a_holder_that_also_listens_takes_the_syn_at_once),
		T(a_listener_that_closed_meanwhile_does_not_end_the_search),
		T(a_packet_that_is_sent_round_and_round_is_dropped),
		T(a_flow_knows_its_home),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
