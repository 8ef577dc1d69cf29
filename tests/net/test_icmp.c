/* ICMP: echo, unreachable ports, errors about flows, and when to be silent. */
#include "below_tcp.h"

#include "net/icmp.h"

#include <rte_ip.h>

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

static void an_echo_request_comes_back_whatever_its_size(void **state)
{
	const uint16_t lens[] = {0, 1, 56, 57, 1000, 1472};
	struct world *w = *state;

	for (unsigned i = 0; i < 6; i++) {
		struct frame ping = frame_icmp(8, 0, 0x12345678, NULL, lens[i]), pong;
		uint8_t *icmp;

		world_input(w, 0, &ping);
		assert_true(world_output(w, 0, 0, &pong));
		assert_int_equal(pong.len, ping.len);
		assert_true(frame_ip_valid(&pong));
		assert_memory_equal(pong.bytes, &PEER_MAC, 6);
		assert_memory_equal(pong.bytes + 6, &OUR_MAC, 6);
		assert_int_equal(frame_ip(&pong)->src_addr, OUR_IP.v4);
		assert_int_equal(frame_ip(&pong)->dst_addr, PEER_IP.v4);
		assert_int_equal(frame_ip(&pong)->time_to_live, 64);
		icmp = frame_l4(&pong);
		assert_int_equal(icmp[0], 0);
		assert_int_equal(icmp[1], 0);
		assert_memory_equal(icmp + 4, (uint8_t *)frame_l4(&ping) + 4, 4 + lens[i]);
	}
	assert_int_equal(w->shards[0].counters.icmp_echo_replies, 6);
	assert_int_equal(world_drops_all(w), 0);
}

static void an_echo_request_to_our_other_address_is_answered_from_it(void **state)
{
	struct frame ping = frame_icmp(8, 0, 1, NULL, 8), pong;

	frame_ip(&ping)->dst_addr = OUR_IP_2.v4;
	frame_seal(&ping);
	world_input(*state, 0, &ping);
	assert_true(world_output(*state, 0, 0, &pong));
	assert_int_equal(frame_ip(&pong)->src_addr, OUR_IP_2.v4);
}

static void options_of_an_echo_request_do_not_come_back(void **state)
{
	const uint8_t options[] = {7, 7, 4, 0, 0, 0, 0, 0};
	struct frame ping = frame_icmp(8, 0, 1, NULL, 100), pong;

	frame_add_options(&ping, options, sizeof(options));
	world_input(*state, 0, &ping);
	assert_true(world_output(*state, 0, 0, &pong));
	assert_true(frame_ip_valid(&pong));
	assert_int_equal(pong.len, 14 + 20 + 8 + 100);
}

static void what_asks_nothing_is_ignored(void **state)
{
	const uint8_t types[] = {0, 4, 5, 9, 10, 13, 15, 17, 40};
	struct world *w = *state;
	struct frame f;

	for (unsigned i = 0; i < sizeof(types); i++) {
		f = frame_icmp(types[i], 0, 0, NULL, 28);
		world_input(w, 0, &f);
	}
	f = frame_icmp(8, 1, 0, NULL, 28);
	world_input(w, 0, &f);
	assert_int_equal(world_drops(w, DROP_icmp_ignored), sizeof(types) + 1);
	assert_false(world_output(w, 0, 0, &f));
}

static void a_broadcast_echo_request_is_not_answered(void **state)
{
	struct world *w = *state;
	struct frame f = frame_icmp(8, 0, 1, NULL, 8);

	frame_ip(&f)->dst_addr = IP(10, 0, 0, 255).v4;
	((struct rte_ether_hdr *)f.bytes)->dst_addr = ALL_MAC;
	frame_seal(&f);
	world_input(w, 0, &f);
	assert_int_equal(world_drops(w, DROP_icmp_ignored), 1);
	assert_false(world_output(w, 0, 0, &f));
}

static unsigned answers(struct world *w, unsigned requests)
{
	const struct frame ping = frame_icmp(8, 0, 1, NULL, 8);
	struct frame f;
	unsigned count = 0;

	for (unsigned i = 0; i < requests; i++)
		world_input(w, 0, &ping);
	while (world_output(w, 0, 0, &f))
		count++;
	return count;
}

static void replies_are_limited_per_second(void **state)
{
	struct world *w = *state;

	assert_int_equal(answers(w, 100), 10);
	assert_int_equal(world_drops(w, DROP_icmp_rate), 90);
	world_poll(w, S / 10);
	assert_int_equal(answers(w, 100), 1);
	world_poll(w, S / 2);
	assert_int_equal(answers(w, 100), 5);
	world_poll(w, 1000 * S);
	assert_int_equal(answers(w, 100), 10);
}

static void a_rate_of_zero_means_silence(void **state)
{
	struct net_rate rate;

	(void)state;
	net_rate_init(&rate, 0, 5);
	assert_false(net_rate_take(&rate, 5));
	assert_false(net_rate_take(&rate, UINT64_MAX));
}

static void nothing_is_answered_when_memory_is_scarce(void **state)
{
	struct world *w = *state;

	w->mem.level = MEM_SCARCE;
	assert_int_equal(answers(w, 3), 0);
	assert_int_equal(world_drops(w, DROP_mem_low_input), 3);
}

static void a_closed_udp_port_is_unreachable(void **state)
{
	const uint16_t lens[] = {0, 1, 100, 1400};
	struct world *w = *state;

	for (unsigned i = 0; i < 4; i++) {
		struct frame in = frame_udp(40001, 9, lens[i]), out;
		unsigned quoted = RTE_MIN(in.len - 14, 576u - 28);
		uint8_t *icmp;

		world_input(w, 0, &in);
		assert_true(world_output(w, 0, 0, &out));
		assert_true(frame_ip_valid(&out));
		assert_int_equal(frame_ip(&out)->next_proto_id, IPPROTO_ICMP);
		assert_int_equal(frame_ip(&out)->dst_addr, PEER_IP.v4);
		icmp = frame_l4(&out);
		assert_int_equal(icmp[0], 3);
		assert_int_equal(icmp[1], 3);
		assert_int_equal(out.len, 14 + 28 + quoted);
		assert_memory_equal(icmp + 8, in.bytes + 14, quoted);
	}
	assert_int_equal(world_drops(w, DROP_udp_no_port), 4);
	assert_int_equal(world_drops_all(w), 4);
}

static void a_broadcast_to_a_closed_port_is_not_answered(void **state)
{
	struct world *w = *state;
	struct frame f = frame_udp(40001, 9, 10);

	frame_ip(&f)->dst_addr = UINT32_MAX;
	((struct rte_ether_hdr *)f.bytes)->dst_addr = ALL_MAC;
	frame_seal(&f);
	world_input(w, 0, &f);
	assert_int_equal(world_drops(w, DROP_udp_no_port), 1);
	assert_false(world_output(w, 0, 0, &f));
}

static void unreachables_are_under_the_same_limit(void **state)
{
	const struct frame in = frame_udp(40001, 9, 10);
	struct world *w = *state;
	struct frame out;
	unsigned count = 0;

	for (unsigned i = 0; i < 30; i++)
		world_input(w, 0, &in);
	while (world_output(w, 0, 0, &out))
		count++;
	assert_int_equal(count, 10);
	assert_int_equal(world_drops(w, DROP_icmp_rate), 20);
	assert_int_equal(world_drops(w, DROP_udp_no_port), 30);
}

static void a_buffer_without_headroom_gets_no_answer(void **state)
{
	struct world *w = *state;
	const struct frame in = frame_udp(40001, 9, 10);
	struct rte_mbuf *m = frame_to_mbuf(w, &in);
	struct frame out;

	memmove((char *)m->buf_addr + 26, rte_pktmbuf_mtod(m, void *), in.len);
	m->data_off = 26;
	net_input(world_net(w, 0), &m, 1, NET_FROM_WIRE, w->now_ns);
	assert_int_equal(world_drops(w, DROP_mem_none), 1);
	assert_false(world_output(w, 0, 0, &out));
	m = frame_to_mbuf(w, &in);
	memmove((char *)m->buf_addr + 28, rte_pktmbuf_mtod(m, void *), in.len);
	m->data_off = 28;
	net_input(world_net(w, 0), &m, 1, NET_FROM_WIRE, w->now_ns);
	assert_true(world_output(w, 0, 0, &out));
	assert_true(frame_ip_valid(&out));
}

/* About a segment from us:8080 to peer:port. */
static struct frame error_about(uint8_t type, uint8_t code, uint32_t rest, uint8_t proto,
				uint16_t port)
{
	uint8_t quoted[28] = {0x45, 0,	  0,	     60,   0,	 0,    0x40, 0,	  64, proto,
			      0,    0,	  10,	     0,	   0,	 1,    10,   0,	  0,  2,
			      0x1f, 0x90, port >> 8, port, 0xde, 0xad, 0xbe, 0xef};

	return frame_icmp(type, code, rest, quoted, sizeof(quoted));
}

/* MUST-54. */
static void must_54_errors_reach_tcp_with_all_they_say(void **state)
{
	struct world *w = *state;
	struct frame f = error_about(3, 4, 1300, IPPROTO_TCP, 40001);

	world_input(w, 0, &f);
	assert_int_equal(fake_tcp.error_count, 1);
	assert_int_equal(fake_tcp.error_type, 3);
	assert_int_equal(fake_tcp.error_code, 4);
	assert_int_equal(fake_tcp.error_mtu, 1300);
	assert_int_equal(fake_tcp.error_seq, 0xdeadbeef);
	assert_int_equal(fake_tcp.error_flow.local_port, rte_cpu_to_be_16(8080));
	assert_int_equal(fake_tcp.error_flow.remote_port, rte_cpu_to_be_16(40001));
	f = error_about(11, 0, 0, IPPROTO_TCP, 40001);
	world_input(w, 0, &f);
	assert_int_equal(fake_tcp.error_type, 11);
	f = error_about(12, 0, 0, IPPROTO_TCP, 40001);
	world_input(w, 0, &f);
	assert_int_equal(fake_tcp.error_type, 12);
	f = error_about(3, 1, 1300, IPPROTO_TCP, 40001);
	world_input(w, 0, &f);
	assert_int_equal(fake_tcp.error_mtu, 0);
	assert_int_equal(fake_tcp.error_count, 4);
	assert_int_equal(world_drops_all(w), 0);
}

static void errors_about_udp_are_ignored(void **state)
{
	struct world *w = *state;
	struct frame f = error_about(3, 3, 0, IPPROTO_UDP, 40001);

	world_input(w, 0, &f);
	assert_int_equal(fake_tcp.error_count, 0);
	assert_int_equal(world_drops(w, DROP_icmp_ignored), 1);
}

/* MUST-54 */
static void an_error_goes_to_the_owner_of_its_flow(void **state)
{
	struct world *w = world_begin(4);
	struct frame f = error_about(3, 1, 0, IPPROTO_TCP, 40002);

	(void)state;
	world_input(w, 1, &f);
	assert_int_equal(fake_tcp.error_count, 0);
	world_deliver(w);
	assert_int_equal(fake_tcp.error_count, 1);
	assert_int_equal(fake_tcp.errors_at, 1 << 2);
	world_end(w);
}

static void an_error_visits_the_shards_that_hold_foreign_flows(void **state)
{
	struct world *w = world_begin(4);
	const struct net_endpoint local = {OUR_IP, rte_cpu_to_be_16(8080)};
	struct frame f = error_about(3, 1, 0, IPPROTO_TCP, 40002);

	(void)state;
	net_listen_foreign_mt(w->tables, IPPROTO_TCP, local, 0, 1);
	net_listen_foreign_mt(w->tables, IPPROTO_TCP, local, 3, 1);
	world_input(w, 2, &f);
	world_deliver(w);
	assert_int_equal(fake_tcp.errors_at, 1 << 2 | 1 << 3 | 1 << 0);
	assert_int_equal(fake_tcp.error_count, 3);
	world_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(an_echo_request_comes_back_whatever_its_size),
		T(an_echo_request_to_our_other_address_is_answered_from_it),
		T(options_of_an_echo_request_do_not_come_back),
		T(what_asks_nothing_is_ignored),
		T(a_broadcast_echo_request_is_not_answered),
		T(replies_are_limited_per_second),
		cmocka_unit_test(a_rate_of_zero_means_silence),
		T(nothing_is_answered_when_memory_is_scarce),
		T(a_closed_udp_port_is_unreachable),
		T(a_broadcast_to_a_closed_port_is_not_answered),
		T(unreachables_are_under_the_same_limit),
		T(a_buffer_without_headroom_gets_no_answer),
		T(must_54_errors_reach_tcp_with_all_they_say),
		T(errors_about_udp_are_ignored),
		cmocka_unit_test(an_error_goes_to_the_owner_of_its_flow),
		cmocka_unit_test(an_error_visits_the_shards_that_hold_foreign_flows),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
