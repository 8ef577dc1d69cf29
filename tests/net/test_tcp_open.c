/* How connections begin that come to us: CLOSED, LISTEN, SYN-RECEIVED (RFC 9293 3.10.7.1, .2, .4),
 * backlog, options of the SYN. MUST-n are the ids of TCP.md. */
#include "tcp_peer.h"

#include <errno.h>
#include <rte_common.h>
#include <sys/socket.h>

/* --- no listener: CLOSED --- */

/* RFC 9293 3.10.7.1, 3.5.2 */
static void a_syn_to_a_closed_port_is_refused(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	p.host_port = 8;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, RST | ACK, 0, 1, 0);
	assert_int_equal(peer_drops(&p, DROP_tcp_no_port), 1);
	assert_int_equal(p.h->counters.tcp_rsts_sent, 1);
	peer_end(&p);
}

/* RFC 9293 3.10.7.1, 3.5.2 */
static void a_stray_ack_gets_an_rst_of_its_number_and_a_stray_rst_nothing(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	peer_send(&p, ACK, 1, 77, 10);
	peer_expect(&p, RST, 77, 0, 0);
	peer_send(&p, RST, 1, 0, 0);
	peer_send(&p, RST | ACK, 1, 77, 0);
	peer_expect_nothing(&p);
	peer_end(&p);
}

/* MUST-57 */
static void a_syn_to_everyone_is_dropped_in_silence(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	p.multicast = true;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect_nothing(&p);
	assert_int_equal(peer_drops(&p, DROP_tcp_not_unicast), 1);
	peer_end(&p);
}

/* --- LISTEN --- */

static void a_handshake_makes_an_accepted_connection(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	peer_send(&p, SYN, 0, 0, 0);
	assert_null(tcp_accept_or_null(p.h->net, p.listener, &p));
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	assert_false(peer_ready(&p, tcp_listener_sock(p.listener)));
	peer_send(&p, ACK, 1, 1, 0);
	assert_true(peer_ready(&p, tcp_listener_sock(p.listener)));
	p.conn = tcp_accept_or_null(p.h->net, p.listener, &p);
	assert_non_null(p.conn);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	assert_int_equal(tcp_conn_remote(p.conn).port, RTE_BE16(PEER_PORT));
	assert_int_equal(p.h->counters.conn_accepted, 1);
	peer_expect_nothing(&p);
	peer_end(&p);
}

/* MUST-14, MUST-67, SHLD-5, SHLD-6; the order is Linux's without SACK. */
static void a_syn_ack_offers_what_the_syn_offered(void **state)
{
	static const uint8_t opts[] = {2, 4, 5, 180, 8, 10, 0, 0, 19, 136, 0, 0, 0, 0, 1, 3, 3, 7};
	struct tcp_config config = host_config();
	struct seg syn = {.flags = SYN, .wnd = PEER_WND, .opts = opts, .opts_len = sizeof(opts)};
	struct peer p;
	struct seg answer;

	(void)state;
	config.timestamps = config.window_scale = true;
	config.rcvbuf_len = 1 << 20;
	p = peer_begin(&config);
	peer_send_seg(&p, &syn);
	answer = peer_expect(&p, SYN | ACK, 0, 1, 0);
	assert_int_equal(answer.parsed.present, TCP_OPT_MSS | TCP_OPT_TIMESTAMPS | TCP_OPT_WSCALE);
	assert_int_equal(answer.parsed.mss, 1460);
	assert_int_equal(answer.parsed.wscale, 5);
	assert_int_equal(answer.parsed.ts_ecr, 5000);
	assert_int_equal(answer.wnd, 65535);
	peer_end(&p);
}

static void a_syn_ack_offers_nothing_that_the_syn_did_not(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	struct seg answer;

	(void)state;
	config.timestamps = config.window_scale = true;
	p = peer_begin(&config);
	peer_send(&p, SYN, 0, 0, 0);
	answer = peer_expect(&p, SYN | ACK, 0, 1, 0);
	assert_int_equal(answer.parsed.present, TCP_OPT_MSS);
	peer_end(&p);
}

/* MUST-15 */
static void without_an_mss_option_segments_carry_536_bytes(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	peer_handshake(&p, NULL, 0);
	peer_push(&p, 1000);
	peer_expect(&p, ACK, 1, 1, 536);
	peer_end(&p);
}

/* MUST-16 */
static void timestamps_take_their_room_from_the_segment(void **state)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.timestamps = true;
	p = peer_begin(&config);
	p.ts = true;
	peer_handshake(&p, mss, sizeof(mss));
	peer_push(&p, 4000);
	peer_expect(&p, ACK, 1, 1, MSS - 12);
	peer_end(&p);
}

/* MUST-7 */
static void a_syn_with_an_impossible_option_is_dropped(void **state)
{
	static const uint8_t opts[] = {2, 0, 1, 1};
	const struct tcp_config config = host_config();
	const struct seg syn = {.flags = SYN, .wnd = PEER_WND, .opts = opts, .opts_len = 4};
	struct peer p = peer_begin(&config);

	(void)state;
	peer_send_seg(&p, &syn);
	peer_expect_nothing(&p);
	assert_int_equal(peer_drops(&p, DROP_tcp_bad), 1);
	peer_end(&p);
}

/* RFC 9293 3.10.7.2 */
static void a_listener_answers_an_ack_with_an_rst_and_an_rst_with_nothing(void **state)
{
	static const struct {
		uint8_t flags, answer;
		uint32_t len;
	} segments[] = {
		{ACK, RST, 0}, {ACK, RST, 10},	  {ACK | FIN, RST, 0}, {SYN | ACK, RST, 0},
		{RST, 0, 0},   {RST | ACK, 0, 0}, {RST | SYN, 0, 0},
	};
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(segments); i++) {
		peer_send(&p, segments[i].flags, 1, 77, segments[i].len);
		if (segments[i].answer)
			peer_expect(&p, RST, 77, 0, 0);
		peer_expect_nothing(&p);
		assert_null(tcp_accept_or_null(p.h->net, p.listener, &p));
	}
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_end(&p);
}

static void a_syn_with_fin_is_dropped(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	peer_send(&p, SYN | FIN, 0, 0, 0);
	peer_expect_nothing(&p);
	peer_end(&p);
}

static void data_on_a_syn_is_not_acknowledged(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	peer_send(&p, SYN, 0, 0, 100);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_end(&p);
}

/* --- backlog and limits --- */

static void the_backlog_bounds_half_open_connections_and_those_that_wait(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config); /* backlog 4 */

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		p.port = PEER_PORT + i;
		peer_send(&p, SYN, 0, 0, 0);
		if (i == 4)
			break;
		peer_expect(&p, SYN | ACK, 0, 1, 0);
		peer_send(&p, ACK, 1, 1, 0);
	}
	peer_expect_nothing(&p);
	assert_int_equal(peer_drops(&p, DROP_tcp_backlog_full), 1);
	assert_non_null(tcp_accept_or_null(p.h->net, p.listener, &p));
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_end(&p);
}

static void an_ack_that_finds_the_accept_queue_full_may_come_again(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	uint32_t irs[5] = {0};

	(void)state;
	/* Four that wait, a fifth that was half-open before they came. */
	for (int i = 3; i >= 0; i--) {
		p.port = PEER_PORT + i;
		peer_send(&p, SYN, 0, 0, 0);
		peer_expect(&p, SYN | ACK, 0, 1, 0);
		irs[i] = p.irs;
		if (i < 3)
			peer_send(&p, ACK, 1, 1, 0);
	}
	p.port = PEER_PORT + 4;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, ACK, 1, 1, 0);

	p.port = PEER_PORT + 3;
	p.irs = irs[3];
	peer_send(&p, ACK, 1, 1, 0);
	assert_int_equal(peer_drops(&p, DROP_tcp_backlog_full), 1);
	for (unsigned i = 0; i < 4; i++)
		assert_non_null(tcp_accept_or_null(p.h->net, p.listener, &p));
	assert_null(tcp_accept_or_null(p.h->net, p.listener, &p));
	peer_send(&p, ACK, 1, 1, 10);
	p.conn = tcp_accept_or_null(p.h->net, p.listener, &p);
	assert_non_null(p.conn);
	assert_int_equal(peer_pop(&p), 10);
	peer_end(&p);
}

static void beyond_conn_max_a_syn_is_refused_or_ignored_as_configured(void **state)
{
	struct tcp_config config = host_config();

	(void)state;
	config.conn_max = 1;
	for (unsigned rst = 0; rst < 2; rst++) {
		struct peer p;

		config.refuse_with_rst = rst;
		p = peer_established(&config);
		p.port++;
		peer_send(&p, SYN, 0, 0, 0);
		assert_int_equal(peer_drops(&p, DROP_tcp_conn_max), 1);
		if (rst)
			peer_expect(&p, RST | ACK, 0u - p.irs, 1, 0);
		else
			peer_expect_nothing(&p);
		peer_end(&p);
	}
}

static void a_connection_that_dies_before_accept_leaves_the_queue(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, ACK, 1, 1, 0);
	peer_send(&p, RST, 1, 0, 0);
	assert_null(tcp_accept_or_null(p.h->net, p.listener, &p));
	peer_end(&p);
}

static void closing_a_listener_resets_those_that_wait(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, ACK, 1, 1, 0);
	tcp_unlisten(p.h->net, p.listener);
	peer_expect(&p, RST | ACK, 1, 1, 0);
	peer_send(&p, SYN, 0, 0, 0);
	p.irs = 0;
	peer_expect(&p, RST | ACK, 0, 1, 0);
	host_listen(p.h, HOST_PORT, 1); /* the port is free again */
	peer_end(&p);
}

/* RFC 9293 3.10.5: SND.NXT. The peer believes to be connected, and takes no other number for a
 * reset (RFC 5961 3.2). */
static void closing_a_listener_resets_those_that_are_half_open(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	tcp_unlisten(p.h->net, p.listener);
	peer_expect(&p, RST | ACK, 1, 1, 0);
	assert_int_equal(peer_use(&p).conns, 0);
	peer_end(&p);
}

static void a_second_listener_on_the_port_is_refused_and_one_on_the_address_is_not(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	struct net_endpoint local = {.port = RTE_BE16(HOST_PORT)};
	struct tcp_listener *listener;

	(void)state;
	assert_int_equal(tcp_listen(p.h->net, &local, 1, &p, &listener), -EADDRINUSE);
	local.addr = host_addr(3);
	assert_int_equal(tcp_listen(p.h->net, &local, 1, &p, &listener), -EADDRNOTAVAIL);
	local = (struct net_endpoint){0};
	assert_int_equal(tcp_listen(p.h->net, &local, 1, &p, &listener), 0);
	assert_in_range(rte_be_to_cpu_16(tcp_listener_local(listener).port), 40000, 40099);
	peer_end(&p);
}

/* --- SYN-RECEIVED --- */

static void a_syn_that_comes_again_is_answered_again(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_expect_nothing(&p);
	peer_end(&p);
}

static void a_syn_ack_is_sent_again_and_given_up_in_the_end(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	struct tcp_use use;

	(void)state;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	for (unsigned i = 0; i < TCP_SYN_ACK_RETRIES_MAX; i++) {
		peer_after(&p, (1 << i) * S + 10 * MS);
		peer_expect(&p, SYN | ACK, 0, 1, 0);
		peer_expect_nothing(&p);
	}
	peer_after(&p, 33 * S);
	peer_expect_nothing(&p); /* no RST: the peer may be still trying, or may never have asked */
	tcp_use_mt(p.h->net, &use);
	assert_int_equal(use.conns, 0);
	assert_int_equal(use.syn_received, 0);
	peer_end(&p);
}

static void an_ack_of_what_was_not_sent_gets_an_rst_before_the_connection_is_open(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, ACK, 1, 2, 0);
	peer_expect(&p, RST, 2, 0, 0);
	peer_send(&p, ACK, 1, 1, 0);
	assert_non_null(tcp_accept_or_null(p.h->net, p.listener, &p));
	peer_end(&p);
}

/* MUST-11 */
static void an_rst_to_a_half_open_connection_leaves_the_listener_alone(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	struct tcp_use use;

	(void)state;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, RST, 1, 0, 0);
	tcp_use_mt(p.h->net, &use);
	assert_int_equal(use.conns, 0);
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_end(&p);
}

/* RFC 9293 3.10.7.2 */
static void a_listener_does_not_answer_what_is_neither_syn_nor_ack(void **state)
{
	const uint8_t flags[] = {0, FIN, PSH, FIN | PSH};
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	for (unsigned i = 0; i < sizeof(flags); i++) {
		peer_send(&p, flags[i], 0, 0, i % 2 * 10);
		peer_expect_nothing(&p);
	}
	assert_int_equal(p.h->net->counters->drop[DROP_tcp_unacceptable], sizeof(flags));
	peer_end(&p);
}

static void the_last_ack_of_the_handshake_may_carry_data_and_fin(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, ACK | FIN | PSH, 1, 1, 100);
	p.conn = tcp_accept_or_null(p.h->net, p.listener, &p);
	assert_non_null(p.conn);
	assert_int_equal(tcp_conn_state(p.conn), TCP_CLOSE_WAIT);
	assert_true(peer_ready(&p, tcp_conn_sock(p.conn)));
	assert_int_equal(peer_pop(&p), 100);
	peer_expect(&p, ACK, 1, 102, 0);
	peer_end(&p);
}

/* MUST-8, MUST-9, SHLD-1 */
static void initial_sequence_numbers_differ_by_flow_and_grow_with_time(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	uint32_t first;

	(void)state;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	first = p.irs;
	peer_send(&p, RST, 1, 0, 0);
	peer_after(&p, 1 * S);
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	assert_in_range(p.irs - first, 240000, 260000); /* 4 us each */
	p.port++;
	peer_send(&p, SYN, 0, 0, 0);
	first = p.irs;
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	assert_true(p.irs - first > 1000000 && first - p.irs > 1000000);
	peer_end(&p);
}

static void half_open_connections_that_end_make_room_for_others(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config); /* backlog 4 */

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		p.port++;
		peer_send(&p, SYN, 0, 0, 0);
		peer_expect(&p, SYN | ACK, 0, 1, 0);
		peer_send(&p, RST, 1, 0, 0);
	}
	assert_int_equal(peer_drops(&p, DROP_tcp_backlog_full), 0);
	peer_end(&p);
}

/* RFC 7323 5.4 */
static void timestamps_of_two_flows_tell_nothing_of_each_other(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	uint32_t first;

	(void)state;
	config.timestamps = true;
	p = peer_begin(&config);
	p.ts = true;
	peer_send(&p, SYN, 0, 0, 0);
	first = peer_expect(&p, SYN | ACK, 0, 1, 0).parsed.ts_val;
	p.port++;
	peer_send(&p, SYN, 0, 0, 0);
	assert_int_not_equal(peer_expect(&p, SYN | ACK, 0, 1, 0).parsed.ts_val, first);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(a_syn_to_a_closed_port_is_refused),
		host_test(a_stray_ack_gets_an_rst_of_its_number_and_a_stray_rst_nothing),
		host_test(a_syn_to_everyone_is_dropped_in_silence),
		host_test(a_handshake_makes_an_accepted_connection),
		host_test(a_syn_ack_offers_what_the_syn_offered),
		host_test(a_syn_ack_offers_nothing_that_the_syn_did_not),
		host_test(without_an_mss_option_segments_carry_536_bytes),
		host_test(timestamps_take_their_room_from_the_segment),
		host_test(a_syn_with_an_impossible_option_is_dropped),
		host_test(a_listener_answers_an_ack_with_an_rst_and_an_rst_with_nothing),
		host_test(a_syn_with_fin_is_dropped),
		host_test(data_on_a_syn_is_not_acknowledged),
		host_test(the_backlog_bounds_half_open_connections_and_those_that_wait),
		host_test(an_ack_that_finds_the_accept_queue_full_may_come_again),
		host_test(beyond_conn_max_a_syn_is_refused_or_ignored_as_configured),
		host_test(a_connection_that_dies_before_accept_leaves_the_queue),
		host_test(closing_a_listener_resets_those_that_wait),
		host_test(closing_a_listener_resets_those_that_are_half_open),
		host_test(a_second_listener_on_the_port_is_refused_and_one_on_the_address_is_not),
		host_test(a_syn_that_comes_again_is_answered_again),
		host_test(a_syn_ack_is_sent_again_and_given_up_in_the_end),
		host_test(an_ack_of_what_was_not_sent_gets_an_rst_before_the_connection_is_open),
		host_test(an_rst_to_a_half_open_connection_leaves_the_listener_alone),
		host_test(a_listener_does_not_answer_what_is_neither_syn_nor_ack),
		host_test(the_last_ack_of_the_handshake_may_carry_data_and_fin),
		host_test(initial_sequence_numbers_differ_by_flow_and_grow_with_time),
		host_test(half_open_connections_that_end_make_room_for_others),
		host_test(timestamps_of_two_flows_tell_nothing_of_each_other),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
