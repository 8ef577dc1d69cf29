/* What a synchronized connection makes of a segment: sequence number, RST, SYN, ACK, timestamps
 * (RFC 9293 3.10.7.4 steps one to five, RFC 5961, RFC 7323). MUST-n are the ids of TCP.md. */
#include "tcp_peer.h"

#include <errno.h>

/* --- sequence number --- */

static void a_segment_left_of_the_window_is_acknowledged_and_dropped(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK | PSH, 1, 1, 100);
	peer_expect(&p, ACK, 1, 101, 0);
	peer_send(&p, ACK | PSH, 1, 1, 50);
	peer_expect(&p, ACK, 1, 101, 0);
	assert_int_equal(peer_drops(&p, DROP_tcp_unacceptable), 1);
	assert_int_equal(peer_pop(&p), 100);
	peer_end(&p);
}

static void a_segment_right_of_the_window_is_acknowledged_and_dropped(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK | PSH, 1 + 70000, 1, 100);
	peer_expect(&p, ACK, 1, 1, 0);
	assert_int_equal(peer_drops(&p, DROP_tcp_unacceptable), 1);
	peer_end(&p);
}

static void a_segment_that_hangs_over_the_right_edge_is_cut(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.rcvbuf_len = 4096;
	p = peer_established(&config);
	for (uint32_t at = 0; at < 4380; at += 1460)
		peer_send(&p, ACK | PSH | (at == 2920 ? FIN : 0), 1 + at, 1, 1460);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	assert_int_equal(peer_pop(&p), 4096);
	peer_end(&p);
}

/* RFC 5961 7 */
static void segments_that_only_ask_are_answered_ten_times_a_second_at_most(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	unsigned count = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		peer_send(&p, ACK, 0, 1, 0); /* a keepalive's number */
		count += peer_drain(&p);
		peer_after(&p, 10 * MS);
	}
	assert_in_range(count, 5, 11);
	peer_end(&p);
}

/* --- RST --- */

/* MUST-12 */
static void an_rst_of_the_next_number_resets(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	int error = 0, end;

	(void)state;
	peer_push(&p, 3000);
	peer_push(&p, 3000);
	peer_send(&p, ACK | PSH, 1, 1, 100);
	peer_send(&p, RST, 101, 0, 0);
	assert_true(peer_ready(&p, tcp_conn_sock(p.conn)));
	assert_int_equal(tcp_conn_error(p.conn), ECONNRESET);
	assert_int_equal(peer_done(&p, &error), 2);
	assert_int_equal(error, -ECONNRESET);
	assert_int_equal(host_pop_all(p.h, p.conn, 0, &end), 0);
	assert_int_equal(end, -ECONNRESET);
	assert_int_equal(host_push(p.h, p.conn, 0, 1, 0), -ECONNRESET);
	assert_int_equal(p.h->counters.conn_reset, 1);
	peer_expect_nothing(&p);
	tcp_close(p.h->net, p.conn);
	peer_end(&p);
}

/* RFC 5961 3.2 */
static void an_rst_elsewhere_in_the_window_gets_a_challenge(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, RST, 2, 0, 0);
	peer_expect(&p, ACK, 1, 1, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	peer_send(&p, RST, 100000, 0, 0);
	peer_send(&p, RST, 0, 0, 0);
	peer_expect_nothing(&p);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	peer_end(&p);
}

/* MUST-66 */
static void an_rst_is_heard_with_a_shut_window(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.rcvbuf_len = 4096;
	p = peer_established(&config);
	for (uint32_t at = 0; at < 4380; at += 1460)
		peer_send(&p, ACK, 1 + at, 1, RTE_MIN(1460u, 4096 - at));
	assert_int_equal(p.conn->rcv_adv, p.conn->rxq.rcv_nxt);
	/* URG, and the ACK beside it, too; its byte is not taken. */
	peer_push(&p, 100);
	peer_drain(&p);
	peer_send(&p, ACK | URG | PSH, 4097, 101, 1);
	assert_int_equal(tcp_conn_flight(p.conn), 0);
	assert_int_equal(p.conn->rxq.rcv_nxt - p.iss, 4097);
	peer_send(&p, RST, 4097, 0, 0);
	assert_int_equal(tcp_conn_error(p.conn), ECONNRESET);
	peer_end(&p);
}

/* --- SYN --- */

/* RFC 5961 4.2 */
static void a_syn_on_an_open_connection_gets_a_challenge(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, SYN, 5, 0, 0);
	peer_expect(&p, ACK, 1, 1, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	peer_end(&p);
}

static void a_syn_ack_that_comes_again_is_acknowledged_again(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_connected(&config);

	(void)state;
	peer_send(&p, SYN | ACK, 0, 1, 0);
	peer_expect(&p, ACK, 1, 1, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	peer_end(&p);
}

/* --- ACK --- */

static void a_segment_without_ack_is_dropped(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, PSH, 1, 0, 100);
	peer_expect_nothing(&p);
	assert_int_equal(peer_pop(&p), 0);
	peer_end(&p);
}

static void an_ack_of_what_was_never_sent_is_challenged_and_its_text_dropped(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK | PSH, 1, 2, 100);
	peer_expect(&p, ACK, 1, 1, 0);
	assert_int_equal(peer_pop(&p), 0);
	peer_end(&p);
}

/* RFC 5961 5.2 */
static void an_ack_from_long_ago_is_challenged(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK | PSH, 1, 1u - 100000, 100);
	peer_expect(&p, ACK, 1, 1, 0);
	assert_int_equal(peer_pop(&p), 0);
	peer_end(&p);
}

static void acknowledged_pushes_are_done_in_order(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	uint64_t cookie;
	int error;

	(void)state;
	peer_push(&p, 100);
	peer_push(&p, 200);
	peer_push(&p, 300);
	peer_expect(&p, ACK | PSH, 1, 1, 600);
	assert_false(host_done(p.h, &cookie, &error));
	peer_send(&p, ACK, 1, 101, 0);
	assert_true(host_done(p.h, &cookie, &error));
	assert_int_equal(cookie, 0);
	assert_int_equal(error, 0);
	peer_send(&p, ACK, 1, 450, 0);
	assert_true(host_done(p.h, &cookie, &error));
	assert_int_equal(cookie, 100);
	assert_false(host_done(p.h, &cookie, &error));
	peer_send(&p, ACK, 1, 601, 0);
	assert_int_equal(peer_done(&p, &error), 1);
	peer_end(&p);
}

static void an_old_segment_does_not_change_the_window(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK | PSH, 11, 1, 10);
	peer_expect(&p, ACK, 1, 1, 0);
	p.wnd = 0;
	peer_send(&p, ACK | PSH, 1, 1, 10); /* sent before the one above */
	assert_int_equal(p.conn->snd_wnd, PEER_WND);
	peer_send(&p, ACK | PSH, 21, 1, 10);
	assert_int_equal(p.conn->snd_wnd, 0);
	peer_end(&p);
}

/* MUST-30, MUST-31, MUST-32, MUST-33, MUST-62: there is no signal, the bytes come in line. */
static void urgent_bytes_are_delivered_in_line(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK | URG | PSH, 1, 1, 10);
	assert_int_equal(peer_pop(&p), 10);
	peer_end(&p);
}

/* MUST-30, MUST-31, MUST-62: wherever the pointer points, with bytes or without, of old ones too.
 */
static void an_urgent_pointer_changes_nothing_wherever_it_points(void **state)
{
	static const uint16_t pointers[] = {0, 1, 9, 10, 11, 1000, 0x7fff, 0xffff};
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	uint32_t at = 1;
	struct seg seg;

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(pointers) * 4; i++) {
		const struct seg urgent = {.flags = ACK | PSH | (i % 2 ? URG : 0),
					   .seq = at,
					   .ack = 1,
					   .len = i % 4 < 2 ? 10 : 0,
					   .wnd = PEER_WND,
					   .urgent = pointers[i / 4]};

		peer_send_seg(&p, &urgent);
		at += urgent.len;
		assert_int_equal(peer_pop(&p), urgent.len);
		while (peer_take(&p, &seg))
			assert_int_equal(seg.ack, at);
	}
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	peer_end(&p);
}

/* MUST-5, MUST-6, MUST-64 */
static void unknown_options_at_odd_offsets_are_skipped_on_any_segment(void **state)
{
	static const uint8_t opts[] = {1, 253, 5, 1, 2, 3, 1, 0};
	const struct tcp_config config = host_config();
	const struct seg seg = {.flags = ACK | PSH,
				.seq = 1,
				.ack = 1,
				.len = 10,
				.wnd = PEER_WND,
				.opts = opts,
				.opts_len = sizeof(opts)};
	struct peer p = peer_established(&config);

	(void)state;
	peer_send_seg(&p, &seg);
	assert_int_equal(peer_pop(&p), 10);
	peer_end(&p);
}

/* MUST-68 */
static void an_option_without_length_makes_the_segment_malformed(void **state)
{
	static const uint8_t opts[] = {1, 1, 1, 8};
	const struct tcp_config config = host_config();
	const struct seg seg = {.flags = ACK | PSH,
				.seq = 1,
				.ack = 1,
				.len = 10,
				.wnd = PEER_WND,
				.opts = opts,
				.opts_len = sizeof(opts)};
	struct peer p = peer_established(&config);

	(void)state;
	peer_send_seg(&p, &seg);
	assert_int_equal(peer_pop(&p), 0);
	assert_int_equal(peer_drops(&p, DROP_tcp_bad), 1);
	peer_end(&p);
}

/* MUST-65 */
static void a_segment_that_is_no_syn_carries_no_mss(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_push(&p, 10);
	assert_int_equal(peer_expect(&p, ACK | PSH, 1, 1, 10).parsed.present, 0);
	peer_end(&p);
}

/* --- timestamps --- */

static struct peer established_with_timestamps(void)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	struct tcp_config config = host_config();
	struct peer p;

	config.timestamps = true;
	p = peer_begin(&config);
	p.ts = true;
	peer_handshake(&p, mss, sizeof(mss));
	return p;
}

/* RFC 7323 4.2 */
static void a_timestamp_is_echoed(void **state)
{
	struct peer p = established_with_timestamps();
	struct seg ack;

	(void)state;
	p.ts_val += 10;
	peer_send(&p, ACK | PSH, 1, 1, 10);
	ack = peer_expect(&p, ACK, 1, 11, 0);
	assert_int_equal(ack.parsed.present, TCP_OPT_TIMESTAMPS);
	assert_int_equal(ack.parsed.ts_ecr, p.ts_val);
	peer_end(&p);
}

/* RFC 7323 5.3 */
static void a_timestamp_from_before_is_rejected_and_acknowledged(void **state)
{
	struct peer p = established_with_timestamps();

	(void)state;
	p.ts_val -= 1;
	peer_send(&p, ACK | PSH, 1, 1, 10);
	peer_expect(&p, ACK, 1, 1, 0);
	assert_int_equal(peer_drops(&p, DROP_tcp_paws), 1);
	assert_int_equal(peer_pop(&p), 0);
	/* An RST is believed all the same. */
	peer_send(&p, RST, 1, 0, 0);
	assert_int_equal(tcp_conn_error(p.conn), ECONNRESET);
	peer_end(&p);
}

/* RFC 7323 5.5 */
static void after_24_idle_days_an_old_timestamp_is_believed(void **state)
{
	struct peer p = established_with_timestamps();

	(void)state;
	peer_after(&p, 25ull * 86400 * S);
	p.ts_val -= 1;
	peer_send(&p, ACK | PSH, 1, 1, 10);
	assert_int_equal(peer_pop(&p), 10);
	/* ... and is what counts from now on, else the peer would measure 25 days. */
	assert_int_equal(peer_expect(&p, ACK, 1, 11, 0).parsed.ts_ecr, p.ts_val);
	p.ts_val -= 1;
	peer_send(&p, ACK | PSH, 11, 1, 10);
	assert_int_equal(peer_drops(&p, DROP_tcp_paws), 1);
	peer_end(&p);
}

/* RFC 7323 4.3 */
static void the_timestamp_of_a_segment_beyond_a_gap_is_not_echoed(void **state)
{
	struct peer p = established_with_timestamps();

	(void)state;
	p.ts_val += 10;
	peer_send(&p, ACK | PSH, 11, 1, 10);
	assert_int_equal(peer_expect(&p, ACK, 1, 1, 0).parsed.ts_ecr, 5000);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(a_segment_left_of_the_window_is_acknowledged_and_dropped),
		host_test(a_segment_right_of_the_window_is_acknowledged_and_dropped),
		host_test(a_segment_that_hangs_over_the_right_edge_is_cut),
		host_test(segments_that_only_ask_are_answered_ten_times_a_second_at_most),
		host_test(an_rst_of_the_next_number_resets),
		host_test(an_rst_elsewhere_in_the_window_gets_a_challenge),
		host_test(an_rst_is_heard_with_a_shut_window),
		host_test(a_syn_on_an_open_connection_gets_a_challenge),
		host_test(a_syn_ack_that_comes_again_is_acknowledged_again),
		host_test(a_segment_without_ack_is_dropped),
		host_test(an_ack_of_what_was_never_sent_is_challenged_and_its_text_dropped),
		host_test(an_ack_from_long_ago_is_challenged),
		host_test(acknowledged_pushes_are_done_in_order),
		host_test(an_old_segment_does_not_change_the_window),
		host_test(an_urgent_pointer_changes_nothing_wherever_it_points),
		host_test(urgent_bytes_are_delivered_in_line),
		host_test(unknown_options_at_odd_offsets_are_skipped_on_any_segment),
		host_test(an_option_without_length_makes_the_segment_malformed),
		host_test(a_segment_that_is_no_syn_carries_no_mss),
		host_test(a_timestamp_is_echoed),
		host_test(a_timestamp_from_before_is_rejected_and_acknowledged),
		host_test(after_24_idle_days_an_old_timestamp_is_believed),
		host_test(the_timestamp_of_a_segment_beyond_a_gap_is_not_echoed),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
