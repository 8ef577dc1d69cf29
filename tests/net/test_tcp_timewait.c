/* TIME-WAIT: what it answers, how long it lasts, who takes over from it. MUST-n and SHLD-n are the
 * ids of TCP.md. */
#include "tcp_peer.h"

static void time_wait_acknowledges_a_fin_again_and_starts_anew(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_close_actively(&p);
	peer_after(&p, 50 * S);
	peer_send(&p, ACK | FIN, 1, 2, 0);
	peer_expect(&p, ACK, 2, 2, 0);
	peer_after(&p, 50 * S);
	assert_int_equal(peer_use(&p).timewait, 1);
	peer_after(&p, 11 * S);
	assert_int_equal(peer_use(&p).timewait, 0);
	peer_end(&p);
}

/* RFC 1337 */
static void an_rst_does_not_end_time_wait(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_close_actively(&p);
	peer_send(&p, RST, 2, 0, 0);
	peer_expect_nothing(&p);
	assert_int_equal(peer_use(&p).timewait, 1);
	peer_end(&p);
}

static void a_new_syn_takes_over_from_time_wait_beyond_its_numbers(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	uint32_t old = p.irs;

	(void)state;
	peer_close_actively(&p);
	p.iss += 100000;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	assert_true(seq_gt(p.irs, old + 2));
	assert_int_equal(peer_use(&p).timewait, 0);
	peer_send(&p, ACK, 1, 1, 0);
	p.conn = tcp_accept_or_null(p.h->net, p.listener, &p);
	assert_non_null(p.conn);
	peer_push(&p, 10);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	peer_end(&p);
}

/* Another port's SYNs, which nobody follows up, fill the SYN queue. */
static void fill_syn_queue(struct peer *p, unsigned count)
{
	const struct peer saved = *p;

	for (unsigned i = 0; i < count; i++) {
		p->port = (uint16_t)(10000 + i);
		peer_send(p, SYN, 0, 0, 0);
		peer_drain(p);
	}
	*p = saved;
}

/* SHLD-4, RFC 6191: a cookie could not choose its number; the SYN queue's limit does not count. */
static void a_new_syn_takes_over_from_time_wait_without_a_cookie(void **state)
{
	static const enum tcp_syn_cookies modes[] = {TCP_SYN_COOKIES_AUTO, TCP_SYN_COOKIES_ALWAYS};

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(modes); i++) {
		struct tcp_config config = host_config();
		struct peer p = peer_established(&config);
		uint32_t old = p.irs;

		peer_close_actively(&p);
		fill_syn_queue(&p, 20);
		p.h->net->tcp.config.syn_cookies = modes[i];
		p.h->counters.tcp_cookies_sent = 0;
		p.iss += 100000;
		peer_send(&p, SYN, 0, 0, 0);
		peer_expect(&p, SYN | ACK, 0, 1, 0);
		assert_int_equal(p.h->counters.tcp_cookies_sent, 0);
		assert_true(seq_gt(p.irs, old + 2) && p.irs - old < 1u << 30);
		peer_send(&p, ACK, 1, 1, 0);
		assert_non_null(p.conn = tcp_accept_or_null(p.h->net, p.listener, &p));
		peer_end(&p);
	}
}

/* MUST-13: a SYN that cannot be served takes nothing away. */
static void time_wait_stays_where_there_is_no_room_for_a_new_connection(void **state)
{
	struct tcp_config config = host_config();
	struct peer p, full;

	(void)state;
	config.conn_max = 1;
	p = peer_established(&config);
	peer_close_actively(&p);
	full = p;
	full.port++;
	peer_handshake(&full, NULL, 0);
	p.iss += 100000;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect_nothing(&p);
	assert_int_equal(peer_drops(&p, DROP_tcp_conn_max), 1);
	assert_int_equal(peer_use(&p).timewait, 1);
	peer_send(&full, RST, 1, 0, 0);
	tcp_close(p.h->net, full.conn);
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	assert_int_equal(peer_use(&p).timewait, 0);
	peer_end(&p);
}

static void an_old_syn_does_not_take_over_from_time_wait(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_close_actively(&p);
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, ACK, 2, 2, 0);
	assert_int_equal(peer_use(&p).timewait, 1);
	peer_end(&p);
}

/* RFC 1337: of a port on which nobody listens no SYN ends it. */
static void without_a_listener_no_syn_takes_over(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_connected(&config);

	(void)state;
	peer_close_actively(&p);
	p.iss += 100000;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, ACK, 2, 2 - 100000, 0);
	assert_int_equal(peer_use(&p).timewait, 1);
	peer_end(&p);
}

/* SHLD-4, RFC 6191 2 */
static void a_newer_timestamp_makes_a_syn_new_whatever_its_number(void **state)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	struct tcp_config config = host_config();
	const struct seg syn = {.flags = SYN, .wnd = PEER_WND, .opts = mss, .opts_len = 4};
	struct peer p;

	(void)state;
	config.timestamps = true;
	p = peer_begin(&config);
	p.ts = true;
	peer_handshake(&p, mss, sizeof(mss));
	peer_close_actively(&p);
	p.iss -= 100000;
	peer_send_seg(&p, &syn);
	assert_int_equal(peer_use(&p).timewait, 1);
	peer_expect_at(&p, ACK, 2, 100002, 0, __FILE__, __LINE__);
	p.ts_val += 1000;
	peer_send_seg(&p, &syn);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	assert_int_equal(peer_use(&p).timewait, 0);
	peer_end(&p);
}

/* MUST-13, RFC 7323 5.3, RFC 1122 4.2.2.13: an old SYN, however large its number. */
static void a_syn_with_an_older_timestamp_is_old_whatever_its_number(void **state)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	struct tcp_config config = host_config();
	const struct seg syn = {.flags = SYN, .wnd = PEER_WND, .opts = mss, .opts_len = 4};
	struct peer p;

	(void)state;
	config.timestamps = true;
	p = peer_begin(&config);
	p.ts = true;
	peer_handshake(&p, mss, sizeof(mss));
	peer_close_actively(&p);
	p.iss += 100000;
	p.ts_val -= 1;
	peer_send_seg(&p, &syn);
	peer_expect(&p, ACK, 2, 2 - 100000, 0);
	assert_int_equal(peer_use(&p).timewait, 1);
	p.ts_val += 1; /* of the same millisecond: the number decides */
	peer_send_seg(&p, &syn);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	assert_int_equal(peer_use(&p).timewait, 0);
	peer_end(&p);
}

/* MUST-13: what is forged or old does not keep the entry for longer. */
static void only_the_peers_own_fin_starts_the_wait_anew(void **state)
{
	static const struct seg forged[] = {
		{.flags = ACK | FIN, .seq = 2, .ack = 2, .wnd = PEER_WND},
		{.flags = ACK | FIN, .seq = 0, .ack = 2, .wnd = PEER_WND},
		{.flags = ACK | FIN, .seq = 1, .ack = 2, .len = 1, .wnd = PEER_WND},
		{.flags = ACK | FIN, .seq = 1, .ack = 1, .wnd = PEER_WND},
		{.flags = FIN, .seq = 1, .wnd = PEER_WND},
		{.flags = SYN | FIN, .seq = 0, .wnd = PEER_WND},
		{.flags = ACK, .seq = 2, .ack = 2, .len = 10, .wnd = PEER_WND},
	};
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(forged); i++) {
		struct peer p = peer_established(&config);

		peer_close_actively(&p);
		peer_after(&p, 50 * S);
		peer_send_seg(&p, &forged[i]);
		peer_expect(&p, ACK, 2, 2, 0);
		peer_after(&p, 11 * S);
		assert_int_equal(peer_use(&p).timewait, 0);
		peer_end(&p);
	}
}

static void the_oldest_time_wait_makes_room_for_a_new_one(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.timewait_max = 2;
	p = peer_established(&config);
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0) {
			p.port++;
			peer_handshake(&p, NULL, 0);
		}
		peer_close_actively(&p);
		assert_int_equal(peer_use(&p).timewait, RTE_MIN(i + 1, 2u));
	}
	p.port = PEER_PORT;
	peer_send(&p, ACK | FIN, 1, 2, 0); /* the first is forgotten */
	peer_expect(&p, RST, 2, 0, 0);
	peer_end(&p);
}

static void a_foreign_flow_stays_in_the_listener_table_through_time_wait(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	const struct net_endpoint local = {host_addr(0), RTE_BE16(HOST_PORT)};
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};

	(void)state;
	p.h->away = true;
	assert_int_equal(tcp_connect(p.h->net, &local, &remote, &p, &p.conn), 0);
	p.h->away = false; /* so that packets are taken here */
	peer_expect(&p, SYN, 0, 0, 0);
	peer_send(&p, SYN | ACK, 0, 1, 0);
	peer_expect(&p, ACK, 1, 1, 0);
	peer_close_actively(&p);
	assert_int_equal(net_listen_foreign_rcu(p.h->tables, IPPROTO_TCP, local), 1);
	peer_after(&p, 61 * S);
	assert_int_equal(net_listen_foreign_rcu(p.h->tables, IPPROTO_TCP, local), 0);
	peer_end(&p);
}

/* RFC 5961 7 */
static void time_wait_answers_what_is_not_the_peers_fin_ten_times_a_second_at_most(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	unsigned count = 0;

	(void)state;
	peer_close_actively(&p);
	for (unsigned i = 0; i < 100; i++) {
		peer_send(&p, i % 3 ? ACK : ACK | FIN, 2, 2, i % 2 * 10);
		count += peer_drain(&p);
		peer_after(&p, 10 * MS);
	}
	assert_in_range(count, 5, 11);
	peer_end(&p);
}

static void the_acks_of_time_wait_carry_timestamps_and_the_window(void **state)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	struct tcp_config config = host_config();
	struct peer p;
	struct seg ack;

	(void)state;
	config.timestamps = true;
	p = peer_begin(&config);
	p.ts = true;
	peer_handshake(&p, mss, sizeof(mss));
	tcp_close(p.h->net, p.conn);
	peer_expect(&p, ACK | FIN, 1, 1, 0);
	p.ts_val += 7;
	peer_send(&p, ACK | FIN, 1, 2, 0);
	for (unsigned i = 0; i < 2; i++) {
		ack = peer_expect(&p, ACK, 2, 2, 0);
		assert_int_equal(ack.parsed.ts_ecr, p.ts_val);
		assert_true(ack.wnd > 0);
		peer_send(&p, ACK | FIN, 1, 2, 0);
	}
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(time_wait_acknowledges_a_fin_again_and_starts_anew),
		host_test(an_rst_does_not_end_time_wait),
		host_test(a_new_syn_takes_over_from_time_wait_beyond_its_numbers),
		host_test(a_new_syn_takes_over_from_time_wait_without_a_cookie),
		host_test(time_wait_stays_where_there_is_no_room_for_a_new_connection),
		host_test(an_old_syn_does_not_take_over_from_time_wait),
		host_test(without_a_listener_no_syn_takes_over),
		host_test(a_newer_timestamp_makes_a_syn_new_whatever_its_number),
		host_test(a_syn_with_an_older_timestamp_is_old_whatever_its_number),
		host_test(only_the_peers_own_fin_starts_the_wait_anew),
		host_test(the_oldest_time_wait_makes_room_for_a_new_one),
		host_test(a_foreign_flow_stays_in_the_listener_table_through_time_wait),
		host_test(time_wait_answers_what_is_not_the_peers_fin_ten_times_a_second_at_most),
		host_test(the_acks_of_time_wait_carry_timestamps_and_the_window),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
