/* What is lost is sent again: RTO (RFC 6298), fast retransmit and NewReno (RFC 5681, 6582), limited
 * transmit (RFC 3042), R1 and R2. MUST-n are the ids of TCP.md. */
#include "tcp_peer.h"

#include <errno.h>

/* Ten full segments are in flight, the first to come at 1. */
static struct peer ten_in_flight(const struct tcp_config *config)
{
	struct peer p = peer_established(config);

	peer_push(&p, 10 * MSS);
	for (uint32_t i = 0; i < 10; i++)
		peer_expect(&p, i == 9 ? ACK | PSH : ACK, 1 + i * MSS, 1, MSS);
	peer_expect_nothing(&p);
	return p;
}

static void duplicate_acks(struct peer *p, uint32_t ack, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		peer_send(p, ACK, 1, ack, 0);
}

/* --- timeout --- */

/* SHLD-28, RFC 6928 2 */
static void ten_segments_begin_a_connection(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_push(&p, 30 * MSS);
	for (uint32_t i = 0; i < 10; i++)
		peer_expect(&p, ACK, 1 + i * MSS, 1, MSS);
	peer_expect_nothing(&p);
	peer_end(&p);
}

/* MUST-18, MUST-19, RFC 6298 5.4 */
static void a_lost_segment_is_sent_again_after_an_rto_that_doubles(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	uint64_t sent_ns[6];

	(void)state;
	peer_push(&p, 100);
	for (unsigned i = 0; i < 6; i++) {
		struct seg seg;

		while (!peer_take(&p, &seg))
			peer_after(&p, 5 * MS);
		assert_int_equal(seg.len, 100);
		assert_int_equal(seg.seq, 1);
		assert_int_equal(seg.flags, ACK | PSH);
		sent_ns[i] = p.h->now_ns;
	}
	assert_in_range(sent_ns[1] - sent_ns[0], 200 * MS, 210 * MS);
	for (unsigned i = 2; i < 6; i++)
		assert_in_range(sent_ns[i] - sent_ns[i - 1],
				2 * (sent_ns[i - 1] - sent_ns[i - 2]) - 20 * MS,
				2 * (sent_ns[i - 1] - sent_ns[i - 2]) + 20 * MS);
	assert_int_equal(p.h->counters.tcp_timeouts, 5);
	assert_int_equal(p.h->counters.tcp_retransmits, 5);
	peer_end(&p);
}

static void a_slow_round_trip_makes_a_longer_rto(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	for (uint32_t i = 0; i < 20; i++) {

		peer_push(&p, 100);
		peer_expect(&p, ACK | PSH, 1 + i * 100, 1, 100);
		peer_after(&p, 150 * MS);
		peer_drain(&p);
		peer_send(&p, ACK, 1, 101 + i * 100, 0);
	}
	assert_in_range(p.conn->rtt.srtt_ns, 130 * MS, 160 * MS);
	assert_true(p.conn->rtt.rto_ns > 155 * MS);
	peer_end(&p);
}

static void after_a_timeout_all_that_was_in_flight_goes_again_in_slow_start(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = ten_in_flight(&config);

	(void)state;
	peer_after(&p, 220 * MS);
	peer_expect(&p, ACK, 1, 1, MSS);
	peer_expect_nothing(&p);
	peer_send(&p, ACK, 1, 1 + MSS, 0);
	peer_expect(&p, ACK, 1 + MSS, 1, MSS);
	peer_expect(&p, ACK, 1 + 2 * MSS, 1, MSS);
	peer_expect_nothing(&p);
	/* The rest was not lost after all. */
	peer_send(&p, ACK, 1, 1 + 10 * MSS, 0);
	peer_expect_nothing(&p);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_NONE);
	peer_end(&p);
}

static void a_lost_fin_is_sent_again(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_push(&p, 10);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), 0);
	peer_expect(&p, ACK | FIN, 11, 1, 0);
	peer_after(&p, 220 * MS);
	peer_expect(&p, ACK | PSH | FIN, 1, 1, 10);
	peer_send(&p, ACK, 1, 11, 0);
	peer_after(&p, 500 * MS);
	peer_expect(&p, ACK | FIN, 11, 1, 0);
	peer_send(&p, ACK, 1, 12, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_FIN_WAIT_2);
	peer_end(&p);
}

/* --- fast retransmit --- */

/* RFC 3042 2, RFC 5681 3.2 */
static void two_duplicate_acks_let_new_segments_out_and_the_third_sends_the_lost_one(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = ten_in_flight(&config);

	(void)state;
	peer_push(&p, 20 * MSS);
	peer_expect_nothing(&p);
	duplicate_acks(&p, 1, 1);
	peer_expect(&p, ACK, 1 + 10 * MSS, 1, MSS);
	duplicate_acks(&p, 1, 1);
	peer_expect(&p, ACK, 1 + 11 * MSS, 1, MSS);
	peer_expect_nothing(&p);
	duplicate_acks(&p, 1, 1);
	peer_expect(&p, ACK, 1, 1, MSS);
	peer_expect_nothing(&p);
	assert_int_equal(p.h->counters.tcp_fast_retransmits, 1);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	peer_end(&p);
}

/* RFC 6582 3.2 */
static void a_partial_ack_sends_the_next_hole_at_once(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = ten_in_flight(&config);

	(void)state;
	duplicate_acks(&p, 1, 3);
	peer_expect(&p, ACK, 1, 1, MSS);
	peer_send(&p, ACK, 1, 1 + 4 * MSS, 0);
	peer_expect(&p, ACK, 1 + 4 * MSS, 1, MSS);
	peer_expect_nothing(&p);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_FAST);
	peer_send(&p, ACK, 1, 1 + 10 * MSS, 0);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_NONE);
	assert_true(p.conn->cc.cwnd <= 5 * MSS);
	peer_end(&p);
}

static void duplicates_right_after_recovery_start_no_second_one(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = ten_in_flight(&config);

	(void)state;
	duplicate_acks(&p, 1, 3);
	peer_expect(&p, ACK, 1, 1, MSS);
	peer_send(&p, ACK, 1, 1 + 10 * MSS, 0);
	peer_push(&p, MSS);
	peer_expect(&p, ACK | PSH, 1 + 10 * MSS, 1, MSS);
	duplicate_acks(&p, 1 + 10 * MSS, 3);
	peer_expect_nothing(&p);
	assert_int_equal(p.h->counters.tcp_fast_retransmits, 1);
	peer_end(&p);
}

/* RFC 5681 2 */
static void what_carries_data_or_moves_the_window_is_no_duplicate_ack(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = ten_in_flight(&config);

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		peer_send(&p, ACK, 1 + i, 1, 1);
	for (unsigned i = 0; i < 3; i++) {
		p.wnd -= 1000;
		peer_send(&p, ACK, 4, 1, 0);
	}
	peer_send(&p, ACK | FIN, 4, 1, 0);
	assert_int_equal(p.conn->dup_acks, 0);
	peer_end(&p);
}

static void a_retransmission_that_finds_its_buffer_at_the_device_is_made_another_way(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	struct rte_mbuf *held;

	(void)state;
	peer_push(&p, 100);
	assert_int_equal(net_output(p.h->net, 0, &held, 1, p.h->now_ns), 1);
	peer_after(&p, 220 * MS);
	peer_expect(&p, ACK | PSH, 1, 1, 100);
	peer_send(&p, ACK, 1, 101, 0);
	rte_pktmbuf_free(held);
	peer_end(&p);
}

/* --- giving up --- */

/* MUST-20, MUST-21, SHLD-10, SHLD-11 */
static void unanswered_bytes_are_given_up_after_the_user_timeout(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	int error = 0;

	(void)state;
	peer_push(&p, 100);
	for (unsigned i = 0; i < 99; i++) {
		peer_drain(&p);
		peer_after(&p, 1 * S);
		assert_int_equal(tcp_conn_error(p.conn), 0);
	}
	peer_drain(&p);
	peer_after(&p, 2 * S);
	assert_int_equal(tcp_conn_error(p.conn), ETIMEDOUT);
	assert_int_equal(peer_done(&p, &error), 1);
	assert_int_equal(error, -ETIMEDOUT);
	peer_expect(&p, RST | ACK, 101, 1, 0);
	peer_end(&p);
}

/* MUST-21, RFC 5482 2 */
static void the_program_can_have_less_patience(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	const int ms = 3000;
	struct seg seg;

	(void)state;
	assert_int_equal(tcp_option_set(p.h->net, p.conn, IPPROTO_TCP, 18 /* TCP_USER_TIMEOUT */,
					&ms, sizeof(ms)),
			 0);
	peer_push(&p, 100);
	assert_true(peer_take(&p, &seg));
	peer_after(&p, 2900 * MS);
	assert_int_equal(tcp_conn_error(p.conn), 0);
	peer_after(&p, 200 * MS);
	assert_int_equal(tcp_conn_error(p.conn), ETIMEDOUT);
	peer_end(&p);
}

/* MUST-54, RFC 1191 6.3: the lost are sent again at once in smaller pieces; it was no congestion.
 */
static void a_lower_path_mtu_makes_smaller_segments_of_what_was_too_big(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	uint32_t cwnd;

	(void)state;
	config.pmtu_discovery = true;
	p = ten_in_flight(&config);
	cwnd = p.conn->cc.cwnd;
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->snd_una, 3, 4, 1040);
	assert_int_equal(p.conn->cc.cwnd, cwnd);
	for (uint32_t at = 1; at < 14001; at += 1000)
		peer_expect(&p, ACK, at, 1, 1000);
	peer_expect(&p, ACK | PSH, 14001, 1, 10 * MSS - 14000);
	peer_expect_nothing(&p);
	peer_send(&p, ACK, 1, 1 + 10 * MSS, 0);
	peer_push(&p, 2000);
	peer_expect(&p, ACK, 1 + 10 * MSS, 1, 1000);
	peer_expect(&p, ACK | PSH, 1001 + 10 * MSS, 1, 1000);
	peer_end(&p);
}

/* RFC 5927 7, RFC 1191 3: a router's word only lowers, not under the floor, and only in flight. */
static void a_path_mtu_is_not_believed_beyond_reason(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	p = ten_in_flight(&config); /* pmtu_discovery off */
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->snd_una, 3, 4, 1040);
	peer_expect_nothing(&p);
	peer_end(&p);
	config.pmtu_discovery = true;
	p = ten_in_flight(&config);
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->snd_una - 1, 3, 4, 1040);
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->snd_nxt, 3, 4, 1040);
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->snd_una, 3, 4, 1500);
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->snd_una, 3, 4, 9000);
	assert_int_equal(p.conn->snd_mss, MSS);
	peer_expect_nothing(&p);
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->snd_una, 3, 4, 0); /* the next plateau */
	assert_int_equal(p.conn->snd_mss, 1492 - 40);
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->snd_una, 3, 4, 68);
	assert_int_equal(p.conn->snd_mss, 552 - 40);
	peer_end(&p);
}

/* MUST-47, SHLD-25 */
static void what_icmp_said_is_what_the_timeout_reports(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_push(&p, 100);
	for (unsigned i = 0; i < 110; i++) {
		peer_drain(&p);
		tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->snd_una, 3, 3, 0);
		peer_after(&p, 1 * S);
	}
	assert_int_equal(tcp_conn_error(p.conn), EHOSTUNREACH);
	peer_end(&p);
}

/* --- congestion --- */

/* MUST-19, RFC 5681 3.1 */
static void slow_start_doubles_the_window_each_round(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	uint32_t at = 1, round = 10;
	struct seg seg;

	(void)state;
	p.wnd = 65535;
	peer_send(&p, ACK, 1, 1, 0);
	for (unsigned i = 0; i < 2; i++) {
		uint32_t count = 0;

		peer_push(&p, 40 * MSS);
		while (peer_take(&p, &seg))
			count += seg.len > 0;
		assert_int_equal(count, round);
		for (uint32_t n = 0; n < round; n++) {
			at += MSS;
			peer_send(&p, ACK, 1, at, 0);
		}
		round *= 2;
	}
	peer_end(&p);
}

/* RFC 5681 4.1 */
static void after_an_idle_rto_the_window_starts_anew(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	uint32_t count = 0;

	(void)state;
	peer_push(&p, 10 * MSS);
	peer_drain(&p);
	for (uint32_t n = 1; n <= 10; n++)
		peer_send(&p, ACK, 1, 1 + n * MSS, 0);
	assert_true(p.conn->cc.cwnd > 15 * MSS);
	peer_after(&p, 10 * S);
	peer_push(&p, 40 * MSS);
	count += peer_drain(&p);
	assert_int_equal(count, 10);
	peer_end(&p);
}

/* RFC 5681 3.1 */
static void a_timeout_halves_the_threshold_once(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = ten_in_flight(&config);

	(void)state;
	peer_after(&p, 220 * MS);
	assert_int_equal(p.conn->cc.ssthresh, 5 * MSS);
	assert_int_equal(p.conn->cc.cwnd, MSS);
	peer_expect(&p, ACK, 1, 1, MSS);
	peer_after(&p, 500 * MS);
	assert_int_equal(p.h->counters.tcp_timeouts, 2);
	assert_int_equal(p.conn->cc.ssthresh, 5 * MSS);
	peer_end(&p);
}

static void progress_between_duplicates_starts_the_count_anew(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = ten_in_flight(&config);

	(void)state;
	duplicate_acks(&p, 1, 2);
	peer_send(&p, ACK, 1, 1 + MSS, 0);
	duplicate_acks(&p, 1 + MSS, 2);
	assert_int_equal(p.h->counters.tcp_fast_retransmits, 0);
	duplicate_acks(&p, 1 + MSS, 1);
	assert_int_equal(p.h->counters.tcp_fast_retransmits, 1);
	peer_end(&p);
}

static void each_further_duplicate_in_recovery_lets_one_new_segment_out(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = ten_in_flight(&config);
	struct seg seg;
	unsigned count = 0;

	(void)state;
	duplicate_acks(&p, 1, 3);
	peer_expect(&p, ACK, 1, 1, MSS);
	peer_push(&p, 20 * MSS);
	duplicate_acks(&p, 1, 6); /* nine have left, one is lost: half of ten may be in flight */
	while (peer_take(&p, &seg)) {
		assert_int_equal(seg.seq, 1 + (10 + count) * MSS);
		count++;
	}
	assert_int_equal(count, 4);
	peer_end(&p);
}

static void the_window_of_a_connection_that_keeps_sending_stays(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = ten_in_flight(&config);
	unsigned count = 0;

	(void)state;
	for (uint32_t n = 1; n <= 10; n++)
		peer_send(&p, ACK, 1, 1 + n * MSS, 0);
	peer_after(&p, 100 * MS); /* less than an RTO */
	peer_push(&p, 40 * MSS);
	count += peer_drain(&p);
	assert_int_equal(count, 20);
	peer_end(&p);
}

/* Patience is counted from when the bytes in question began to wait. */
static void one_loss_after_a_long_silence_is_not_the_end(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_after(&p, 1000 * S);
	peer_push(&p, 10);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	peer_after(&p, 220 * MS);
	assert_int_equal(tcp_conn_error(p.conn), 0);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	peer_end(&p);
}

static void one_loss_after_a_long_transfer_is_not_the_end(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	uint32_t at = 1;

	(void)state;
	peer_push(&p, MSS);
	peer_expect(&p, ACK | PSH, at, 1, MSS);
	for (unsigned i = 0; i < 2000; i++) { /* two are in flight at any time, for 200 s */
		peer_push(&p, MSS);
		peer_expect(&p, ACK | PSH, at + MSS, 1, MSS);
		peer_after(&p, 100 * MS);
		at += MSS;
		peer_send(&p, ACK, 1, at, 0);
	}
	peer_after(&p, 1 * S);
	assert_true(p.h->counters.tcp_timeouts >= 1);
	assert_int_equal(tcp_conn_error(p.conn), 0);
	peer_end(&p);
}

static void a_peer_that_talks_and_never_acknowledges_is_given_up(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_push(&p, 100);
	for (unsigned i = 0; i < 110; i++) {
		peer_send(&p, ACK | PSH, 1 + i, 1, 1);
		peer_drain(&p);
		peer_after(&p, 1 * S);
	}
	assert_int_equal(tcp_conn_error(p.conn), ETIMEDOUT);
	peer_end(&p);
}

/* RFC 7323 4.1: the echo tells which transmission was answered. */
static void with_timestamps_a_retransmission_measures_and_ends_the_backoff(void **state)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.timestamps = true;
	p = peer_begin(&config);
	p.ts = true;
	peer_handshake(&p, mss, sizeof(mss));
	peer_push(&p, 10);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	peer_after(&p, 220 * MS);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	assert_int_equal(p.conn->rtt.backoff_count, 1);
	peer_after(&p, 50 * MS);
	peer_send(&p, ACK, 1, 11, 0);
	assert_int_equal(p.conn->rtt.backoff_count, 0);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_NONE);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(ten_segments_begin_a_connection),
		host_test(a_lost_segment_is_sent_again_after_an_rto_that_doubles),
		host_test(a_slow_round_trip_makes_a_longer_rto),
		host_test(after_a_timeout_all_that_was_in_flight_goes_again_in_slow_start),
		host_test(a_lost_fin_is_sent_again),
		host_test(two_duplicate_acks_let_new_segments_out_and_the_third_sends_the_lost_one),
		host_test(a_partial_ack_sends_the_next_hole_at_once),
		host_test(duplicates_right_after_recovery_start_no_second_one),
		host_test(what_carries_data_or_moves_the_window_is_no_duplicate_ack),
		host_test(a_retransmission_that_finds_its_buffer_at_the_device_is_made_another_way),
		host_test(unanswered_bytes_are_given_up_after_the_user_timeout),
		host_test(the_program_can_have_less_patience),
		host_test(a_lower_path_mtu_makes_smaller_segments_of_what_was_too_big),
		host_test(a_path_mtu_is_not_believed_beyond_reason),
		host_test(what_icmp_said_is_what_the_timeout_reports),
		host_test(slow_start_doubles_the_window_each_round),
		host_test(after_an_idle_rto_the_window_starts_anew),
		host_test(a_timeout_halves_the_threshold_once),
		host_test(progress_between_duplicates_starts_the_count_anew),
		host_test(each_further_duplicate_in_recovery_lets_one_new_segment_out),
		host_test(the_window_of_a_connection_that_keeps_sending_stays),
		host_test(one_loss_after_a_long_silence_is_not_the_end),
		host_test(one_loss_after_a_long_transfer_is_not_the_end),
		host_test(a_peer_that_talks_and_never_acknowledges_is_given_up),
		host_test(with_timestamps_a_retransmission_measures_and_ends_the_backoff),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
