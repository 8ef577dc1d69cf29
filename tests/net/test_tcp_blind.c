/* Attackers off the path, who forge segments and ICMP errors without seeing the connection: what
 * they make this side send is bounded, and the connection goes on (RFC 5961, RFC 5927). */
#include "tcp_peer.h"

#include <errno.h>
#include <sys/socket.h>

enum { CONNS = 40 };

/* CONNS connections, from ports PEER_PORT on. */
static struct peer many_established(uint32_t per_second)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	struct tcp_config config = host_config();
	struct peer p;

	config.challenge_acks_per_second = per_second;
	p = peer_begin(&config);
	for (unsigned i = 0; i < CONNS; i++) {
		p.port = (uint16_t)(PEER_PORT + i);
		peer_handshake(&p, mss, sizeof(mss));
	}
	return p;
}

/* One forged RST in each connection's window; returns how many were answered. */
static unsigned rst_all(struct peer *p)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CONNS; i++) {
		p->port = (uint16_t)(PEER_PORT + i);
		peer_send(p, RST, 2, 0, 0);
		count += peer_drain(p);
	}
	return count;
}

/* --- challenge ACKs --- */

/* RFC 5961 7 */
static void the_challenges_of_all_connections_have_a_limit_that_nobody_can_count(void **state)
{
	unsigned counts[10], different = 0;
	struct peer p = many_established(20);

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(counts); i++) {
		peer_after(&p, 1 * S);
		counts[i] = rst_all(&p);
		assert_in_range(counts[i], 10, 29);
		different += counts[i] != counts[0];
	}
	assert_true(different >= RTE_DIM(counts) / 2);
	assert_int_equal(p.h->counters.tcp_challenges + p.h->counters.tcp_challenges_limited,
			 CONNS * RTE_DIM(counts));
	peer_end(&p);
}

/* RFC 5961 7 */
static void without_a_limit_each_connection_is_challenged(void **state)
{
	struct peer p = many_established(0);

	(void)state;
	assert_int_equal(rst_all(&p), CONNS);
	assert_int_equal(p.h->counters.tcp_challenges, CONNS);
	peer_end(&p);
}

/* RFC 5961 7 */
static void one_connection_under_attack_does_not_use_up_the_challenges_of_the_others(void **state)
{
	struct peer p = many_established(2 * CONNS);
	unsigned count = 0;

	(void)state;
	peer_after(&p, 1 * S);
	p.port = PEER_PORT;
	for (unsigned i = 0; i < 1000; i++) {
		peer_send(&p, RST, 2 + i, 0, 0);
		peer_send(&p, SYN, 2 + i, 0, 0);
		count += peer_drain(&p);
	}
	assert_int_equal(count, 1);
	assert_int_equal(rst_all(&p), CONNS - 1);
	peer_end(&p);
}

/* RFC 9293 3.8.4, MUST-36: a peer that asks whether we are still there, or how large our window is,
 * hears of it, whatever others made of the limit that all connections share. */
static void who_asks_by_an_empty_segment_is_answered_whatever_others_did(void **state)
{
	struct peer p = many_established(20);

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		struct tcp_conn *conn;
		unsigned count = 0;

		peer_after(&p, 200 * MS);
		rst_all(&p);
		peer_after(&p, 150 * MS);
		TAILQ_FOREACH (conn, &p.h->net->tcp.all, all_link) {
			p.port = rte_be_to_cpu_16(conn->flow.remote_port);
			p.irs = conn->iss;
			peer_send(&p, ACK, 0, 1, 0); /* keepalive */
			count += peer_drain(&p);
		}
		assert_int_equal(count, CONNS);
	}
	assert_true(p.h->counters.tcp_challenges_limited > 0);
	peer_end(&p);
}

/* RFC 5961 7, RFC 5961 5.2 */
static void acks_of_what_was_never_sent_are_answered_ten_times_a_second(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	unsigned count = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		peer_send(&p, ACK, 1, 2 + i, i % 2 * 100);
		count += peer_drain(&p);
		peer_after(&p, 1 * MS);
	}
	assert_in_range(count, 5, 11);
	assert_int_equal(peer_pop(&p), 0);
	peer_end(&p);
}

/* --- bytes outside the window --- */

/* RFC 5961 7 */
static void bytes_outside_the_window_are_answered_but_not_without_end(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	unsigned count = 0;

	(void)state;
	peer_send(&p, ACK | PSH, 1, 1, 100);
	peer_expect(&p, ACK, 1, 101, 0);
	for (unsigned i = 0; i < 1000; i++) {
		peer_send(&p, ACK, i % 2 ? 1 : 100000, 1, 100);
		count += peer_drain(&p);
	}
	assert_int_equal(count, TCP_TEXT_CHALLENGES_MAX);
	assert_int_equal(p.h->counters.tcp_challenges_limited, 1000 - count);
	peer_send(&p, ACK | PSH, 101, 1, 100); /* what is new is acknowledged all the same */
	peer_expect(&p, ACK, 1, 201, 0);
	peer_after(&p, 100 * MS);
	peer_send(&p, ACK, 1, 1, 100);
	peer_expect(&p, ACK, 1, 201, 0);
	assert_int_equal(peer_pop(&p), 200);
	peer_end(&p);
}

/* RFC 5961 7, RFC 7323 5.3 */
static void bytes_with_old_timestamps_are_answered_but_not_without_end(void **state)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	struct tcp_config config = host_config();
	unsigned count = 0;
	struct peer p;

	(void)state;
	config.timestamps = true;
	p = peer_begin(&config);
	p.ts = true;
	peer_handshake(&p, mss, sizeof(mss));
	p.ts_val -= 1000;
	for (unsigned i = 0; i < 1000; i++) {
		peer_send(&p, ACK, 1, 1, 100);
		count += peer_drain(&p);
	}
	assert_int_equal(count, TCP_TEXT_CHALLENGES_MAX);
	p.ts_val += 1000;
	peer_send(&p, ACK | PSH, 1, 1, 100);
	peer_expect(&p, ACK, 1, 101, 0);
	peer_end(&p);
}

/* RFC 5961 7 */
static void bytes_after_the_fin_are_answered_but_not_without_end(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	unsigned count = 0;

	(void)state;
	peer_send(&p, ACK | FIN, 1, 1, 0);
	peer_expect(&p, ACK, 1, 2, 0);
	for (unsigned i = 0; i < 1000; i++) {
		peer_send(&p, ACK, 2, 1, 100);
		count += peer_drain(&p);
	}
	assert_int_equal(count, TCP_TEXT_CHALLENGES_MAX);
	peer_after(&p, 200 * MS);
	peer_send(&p, ACK | FIN, 1, 1, 0);
	peer_expect(&p, ACK, 1, 2, 0);
	peer_end(&p);
}

/* MUST-36, RFC 5961 7: whatever the form of the probe. */
static void every_probe_of_a_shut_window_is_answered(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.rcvbuf_len = 4096;
	p = peer_established(&config);
	for (uint32_t at = 0; at < 4380; at += 1460)
		peer_send(&p, ACK, 1 + at, 1, RTE_MIN(1460u, 4096 - at));
	peer_drain(&p);
	for (unsigned i = 0; i < 20; i++) {
		peer_after(&p, 200 * MS);
		peer_send(&p, ACK, i % 2 ? 4097 : 4096, 1, i % 2);
		assert_int_equal(peer_expect(&p, ACK, 1, 4097, 0).wnd, 0);
	}
	assert_int_equal(peer_pop(&p), 4096);
	peer_end(&p);
}

/* --- ICMP errors --- */

static int so_error(const struct peer *p)
{
	uint32_t len = sizeof(int);
	int error = -1;

	assert_int_equal(tcp_option_get(p->h->net, p->conn, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	return error;
}

/* RFC 5927 4.1, MUST-54 */
static void an_icmp_error_about_no_byte_in_flight_is_not_believed(void **state)
{
	static const uint32_t before[] = {1, 2, 1000, 0x7fffffff}, after[] = {100, 101, 0x40000000};
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	uint16_t mss = p.conn->snd_mss;
	uint64_t count = 0;

	(void)state;
	for (int flying = 0; flying < 2; flying++) {
		uint32_t una = p.conn->snd_una;

		for (uint8_t code = 0; code < 6; code++) {
			for (unsigned i = 0; i < RTE_DIM(before); i++, count++)
				tcp_icmp_error(p.h->net, &p.conn->flow, una - before[i], 3, code,
					       600);
			for (unsigned i = 0; i < RTE_DIM(after); i++, count++)
				tcp_icmp_error(p.h->net, &p.conn->flow, una + after[i], 3, code,
					       600);
		}
		assert_int_equal(p.h->counters.tcp_icmp_unbelieved, count);
		assert_int_equal(so_error(&p), 0);
		assert_int_equal(p.conn->snd_mss, mss);
		assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
		peer_expect_nothing(&p);
		if (!flying) {
			peer_push(&p, 100);
			peer_expect(&p, ACK | PSH, 1, 1, 100);
		}
	}
	/* Of what is in flight it is. */
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->snd_una + 99, 3, 1, 0);
	assert_int_equal(so_error(&p), EHOSTUNREACH);
	assert_int_equal(p.h->counters.tcp_icmp_unbelieved, count);
	peer_end(&p);
}

/* RFC 5927 5.2: also of those that RFC 1122 calls hard. */
static void no_icmp_error_ends_an_open_connection(void **state)
{
	static const uint8_t errors[][2] = {{3, 2}, {3, 3}, {3, 9}, {3, 10}, {3, 13}, {12, 1}};
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(errors); i++) {
		peer_push(&p, 100);
		peer_expect(&p, ACK | PSH, 1 + 100 * i, 1, 100);
		tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->snd_una, errors[i][0], errors[i][1],
			       0);
		assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
		assert_int_equal(tcp_conn_error(p.conn), 0);
		peer_send(&p, ACK, 1, 101 + 100 * i, 0);
		assert_int_equal(so_error(&p), 0); /* the way is right after all */
	}
	peer_end(&p);
}

/* --- floods on the connection itself --- */

/* CVE-2019-11479 */
static void a_peer_cannot_ask_for_a_packet_of_every_few_bytes(void **state)
{
	static const uint8_t mss[][4] = {{2, 4, 0, 0}, {2, 4, 0, 1}, {2, 4, 0, 48}};
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(mss); i++) {
		struct peer p = peer_begin(&config);
		unsigned count = 0;
		uint32_t len = 0;
		struct seg seg;

		peer_handshake(&p, mss[i], sizeof(mss[i]));
		peer_push(&p, 10 * TCP_MSS_MIN);
		for (unsigned round = 0; round < 10 && len < 10 * TCP_MSS_MIN; round++) {
			while (peer_take(&p, &seg)) {
				len += seg.len;
				count++;
			}
			peer_send(&p, ACK, 1, 1 + len, 0);
		}
		assert_int_equal(len, 10 * TCP_MSS_MIN);
		assert_int_equal(count, 10);
		peer_end(&p);
	}
}

/* RFC 5961 3.2, RFC 5961 7 */
static void rsts_all_over_the_window_stop_nothing(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	uint32_t received = 0, challenges = 0;
	struct seg seg;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		for (uint32_t offset = 1; offset < 60000; offset += 5999)
			peer_send(&p, RST, 1 + received + offset, 0, 0);
		challenges += peer_drain(&p);
		peer_send(&p, ACK | PSH, 1 + received, 1, 10);
		received += 10;
		assert_int_equal(peer_pop(&p), 10);
		while (peer_take(&p, &seg))
			assert_int_equal(seg.ack, 1 + received);
		peer_after(&p, 1 * MS);
	}
	assert_in_range(challenges, 1, 11);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	peer_end(&p);
}

static void acks_that_say_nothing_are_not_answered(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		peer_send(&p, ACK, 1, 1, 0);
	peer_expect_nothing(&p);
	peer_push(&p, 100);
	peer_expect(&p, ACK | PSH, 1, 1, 100);
	peer_end(&p);
}

/* SHLD-14, MUST-34: what is in flight already is not sent again for it. */
static void a_window_that_shuts_and_opens_all_the_time_causes_no_flood(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	uint32_t first = 0, count = 0;
	struct seg seg;

	(void)state;
	peer_push(&p, 50000);
	while (peer_take(&p, &seg))
		first += seg.len;
	for (unsigned i = 0; i < 1000; i++) {
		p.wnd = i % 2 ? PEER_WND : 0;
		peer_send(&p, ACK, 1, 1, 0);
		count += peer_drain(&p);
	}
	assert_in_range(count, 0, 2);
	for (unsigned i = 0; i < 50 && first < 50000; i++) {
		peer_send(&p, ACK, 1, 1 + first, 0);
		while (peer_take(&p, &seg))
			first += seg.len;
	}
	assert_int_equal(first, 50000);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(the_challenges_of_all_connections_have_a_limit_that_nobody_can_count),
		host_test(without_a_limit_each_connection_is_challenged),
		host_test(one_connection_under_attack_does_not_use_up_the_challenges_of_the_others),
		host_test(who_asks_by_an_empty_segment_is_answered_whatever_others_did),
		host_test(acks_of_what_was_never_sent_are_answered_ten_times_a_second),
		host_test(bytes_outside_the_window_are_answered_but_not_without_end),
		host_test(bytes_with_old_timestamps_are_answered_but_not_without_end),
		host_test(bytes_after_the_fin_are_answered_but_not_without_end),
		host_test(every_probe_of_a_shut_window_is_answered),
		host_test(an_icmp_error_about_no_byte_in_flight_is_not_believed),
		host_test(no_icmp_error_ends_an_open_connection),
		host_test(a_peer_cannot_ask_for_a_packet_of_every_few_bytes),
		host_test(rsts_all_over_the_window_stop_nothing),
		host_test(acks_that_say_nothing_are_not_answered),
		host_test(a_window_that_shuts_and_opens_all_the_time_causes_no_flood),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
