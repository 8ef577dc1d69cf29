/* Loss recovery with SACK: RACK (RFC 8985), PRR (RFC 6937), undo (RFC 2883, 3522), reneging
 * (RFC 2018 8), and blocks that lie. */
#include "net/tcp_pmtu.h"
#include "sack_peer.h"

#include <linux/tcp.h>

/* RFC 8985 6.2 */
static void three_segments_sacked_make_the_hole_lost_at_once(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);

	(void)state;
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 2)});
	peer_expect_nothing(&p);
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 3)});
	peer_expect_nothing(&p);
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 4)});
	sack_peer_expect(&p, 0);
	peer_expect_nothing(&p);
	assert_int_equal(p.h->counters.tcp_fast_retransmits, 1);
	peer_send(&p, ACK, 1, sack_peer_at(&p, 10), 0);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_NONE);
	assert_int_equal(p.conn->cc.cwnd, p.conn->cc.ssthresh);
	peer_end(&p);
}

/* RFC 8985 6.2 */
static void one_segment_sacked_makes_the_hole_lost_when_the_reordering_window_is_over(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);

	(void)state;
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 2)});
	peer_expect_nothing(&p);
	peer_after(&p, RTT_MS * MS / 4 + 3 * MS);
	sack_peer_expect(&p, 0);
	peer_expect_nothing(&p);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	peer_end(&p);
}

/* RFC 8985 3.1 */
static void a_lost_retransmission_is_repaired_without_a_timeout(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);

	(void)state;
	peer_push(&p, 10 * MSS);
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 6)});
	sack_peer_expect(&p, 0); /* lost too */
	peer_after(&p, RTT_MS * MS / 2);
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 9)});
	peer_expect(&p, ACK, sack_peer_at(&p, 10), 1, MSS);
	peer_drain(&p);
	peer_after(&p, RTT_MS * MS + MS);
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 11)});
	sack_peer_expect(&p, 0);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	peer_end(&p);
}

/* RFC 9937 6.2: found by the goodput table's witness. What recovery had sent was more than what had
 * arrived, so that the lost retransmission had no room in the window, and a timeout was to come. */
static void a_lost_retransmission_goes_out_again_however_much_went_out_before(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);
	struct seg seg;

	(void)state;
	peer_push(&p, 10 * MSS);
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 6)});
	sack_peer_expect(&p, 0); /* lost too */
	while (peer_take(&p, &seg))
		;
	peer_after(&p, RTT_MS * MS / 2);
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 9)});
	while (peer_take(&p, &seg))
		;
	peer_after(&p, RTT_MS * MS + MS);
	p.conn->rack.prr_out = p.conn->rack.prr_delivered + 10 * MSS;
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 11)});
	sack_peer_expect(&p, 0);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	peer_end(&p);
}

/* RFC 8985 6.2, step 4 */
static void reordering_without_loss_sends_nothing_again_once_it_is_known(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);
	uint64_t resent;

	(void)state;
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 2)});
	peer_send(&p, ACK, 1, sack_peer_at(&p, 2), 0); /* it was only late */
	assert_true(p.conn->rack.reordering_seen);
	resent = p.h->counters.tcp_retransmits;
	acknowledge(&p, sack_peer_at(&p, 2), {sack_peer_at(&p, 3), sack_peer_at(&p, 8)});
	peer_after(&p, 2 * MS);
	peer_send(&p, ACK, 1, sack_peer_at(&p, 10), 0);
	peer_after(&p, 50 * MS);
	peer_expect_nothing(&p);
	assert_int_equal(p.h->counters.tcp_retransmits, resent);
	peer_end(&p);
}

/* RFC 2883, RFC 3708 */
static void d_sacks_of_all_that_was_sent_again_restore_the_window(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);
	uint32_t cwnd = p.conn->cc.cwnd;

	(void)state;
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 4)});
	sack_peer_expect(&p, 0);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_FAST);
	peer_send(&p, ACK, 1, sack_peer_at(&p, 6), 0);
	acknowledge(&p, sack_peer_at(&p, 6), {sack_peer_at(&p, 0), sack_peer_at(&p, 1)});
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_NONE);
	assert_true(p.conn->cc.cwnd >= cwnd);
	assert_int_equal(p.h->counters.tcp_undos, 1);
	assert_int_equal(p.h->counters.tcp_dsacks, 1);
	assert_int_equal(p.conn->rack.reo_wnd_mult, 2);
	peer_end(&p);
}

/* RFC 3522 3 */
static void an_echo_from_before_the_retransmission_restores_the_window(void **state)
{
	struct peer p = sack_peer_ten_in_flight(true);
	uint32_t cwnd = p.conn->cc.cwnd, echo = p.ts_ecr;

	(void)state;
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 4)});
	sack_peer_expect(&p, 0);
	p.ts_ecr = echo;
	peer_send(&p, ACK, 1, sack_peer_at(&p, 4), 0);
	assert_int_equal(p.h->counters.tcp_undos, 1);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_NONE);
	assert_true(p.conn->cc.cwnd >= cwnd);
	peer_end(&p);
}

/* RFC 8985 6.3: the first is lost, and what is old enough; what went out just now is not. */
static void after_a_timeout_what_was_sent_just_now_is_not_sent_again(void **state)
{
	struct peer p = sack_peer_begin(false);
	uint32_t at = 1 + MSS;

	(void)state;
	p.conn->tlp.sent = true; /* no probe, so that the timeout comes when it should */
	peer_push(&p, MSS);
	peer_expect(&p, ACK | PSH, at, 1, MSS);
	peer_after(&p, p.conn->deadline_ns[TCP_TIMER_RETRANSMIT] - p.h->now_ns - 5 * MS);
	peer_push(&p, MSS);
	peer_expect(&p, ACK | PSH, at + MSS, 1, MSS);
	peer_after(&p, 10 * MS);
	assert_int_equal(p.h->counters.tcp_timeouts, 1);
	assert_int_equal(p.conn->rack.sent.lost_len, MSS);
	peer_expect(&p, ACK, at, 1, MSS);
	peer_send(&p, ACK, 1, at + MSS, 0);
	peer_expect_nothing(&p);
	peer_send(&p, ACK, 1, at + 2 * MSS, 0);
	peer_expect_nothing(&p);
	peer_end(&p);
}

/* Takes all that goes out; returns the index after the last of it, at least `end`. */
static uint32_t take_all(struct peer *p, uint32_t end)
{
	struct seg seg;

	while (peer_take(p, &seg))
		end = RTE_MAX(end, (seg.seq + seg.len - 1) / p->conn->snd_mss - 1);
	return end;
}

/* RFC 3522 3: the ACK of what was sent again, but in the recovery before, is older than this one's
 * first retransmission, and tells nothing of it. Found by the goodput table: half of the recoveries
 * at 5 % and 100 ms were undone. */
static void what_an_earlier_recovery_sent_again_undoes_nothing(void **state)
{
	struct peer p = sack_peer_ten_in_flight(true);
	uint32_t at[40], first_end, second_end, echo;

	(void)state;
	for (uint32_t i = 0; i < RTE_DIM(at); i++)
		at[i] = sack_peer_at(&p, i);
	peer_push(&p, 30u * p.conn->snd_mss);
	acknowledge(&p, at[0], {at[1], at[9]}); /* 0 is lost, and 9, and 10, which goes out now */
	p.conn->cc.ssthresh = 20u * p.conn->snd_mss; /* so that PRR has room for what follows */
	first_end = take_all(&p, 10);
	assert_true(first_end >= 12);
	peer_after(&p, RTT_MS * MS);
	peer_send(&p, ACK, 1, at[9], 0);
	second_end = take_all(&p, first_end); /* 9 again, and something new, the first of it lost */
	assert_true(second_end >= first_end + 2);
	peer_after(&p, 2 * MS);
	acknowledge(&p, at[9], {at[11], at[first_end]});
	take_all(&p, 0); /* 10 again */
	echo = p.ts_ecr;
	peer_after(&p, (RTT_MS - 2) * MS);
	acknowledge(&p, at[10], {at[first_end + 1], at[second_end]}, {at[11], at[first_end]});
	assert_int_equal(p.h->counters.tcp_fast_retransmits, 2);
	take_all(&p, 0);
	peer_after(&p, 2 * MS);
	p.ts_ecr = echo;
	acknowledge(&p, at[first_end], {at[first_end + 1], at[second_end]});
	assert_int_equal(p.h->counters.tcp_undos, 0);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_FAST);
	peer_end(&p);
}

/* RFC 2018 8 */
static void what_a_peer_reneged_is_sent_again_after_a_timeout(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);
	uint32_t ack = sack_peer_at(&p, 0);
	struct seg seg;

	(void)state;
	acknowledge(&p, ack, {sack_peer_at(&p, 1), sack_peer_at(&p, 10)});
	sack_peer_expect(&p, 0);
	peer_send(&p, ACK, 1, sack_peer_at(&p, 1), 0); /* the rest is gone */
	for (unsigned i = 0; i < 40 && ack != sack_peer_at(&p, 10); i++) {
		peer_after(&p, 50 * MS);
		while (peer_take(&p, &seg))
			if (seg.seq == ack ||
			    (ack == sack_peer_at(&p, 0) && seg.seq == sack_peer_at(&p, 1)))
				ack = seg.seq + seg.len;
		peer_send(&p, ACK, 1, RTE_MAX(ack, sack_peer_at(&p, 1)), 0);
	}
	assert_int_equal(ack, sack_peer_at(&p, 10));
	assert_int_equal(p.h->counters.tcp_timeouts, 1);
	peer_end(&p);
}

static void blocks_that_lie_do_no_harm(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);
	uint32_t first = sack_peer_at(&p, 0), end = sack_peer_at(&p, 10);

	(void)state;
	acknowledge(&p, first, {end, end + 1000});
	acknowledge(&p, first, {first + 300, first + 200});
	acknowledge(&p, first, {first, first}, {first + 5, end + 1});
	acknowledge(&p, first, {first + 0x7fffffff, first + 0x80000000u});
	acknowledge(&p, first, {first - 0x40000000, end});
	assert_int_equal(p.conn->rack.sent.sacked_len, 0);
	acknowledge(&p, first, {first - 100000, first - 99000}); /* no D-SACK, either */
	assert_int_equal(p.h->counters.tcp_dsacks, 0);
	assert_int_equal(p.h->counters.tcp_sack_bad, 7);
	peer_expect_nothing(&p);
	acknowledge(&p, first, {first + 1, first + 7}, {first + 3, first + 900},
		    {first + 2, first + 3}, {first, end});
	assert_int_equal(p.conn->rack.sent.sacked_len, end - first);
	peer_send(&p, ACK, 1, end, 0);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_NONE);
	peer_end(&p);
}

/* RFC 6937 3 */
static void recovery_sends_in_proportion_to_what_arrives(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);
	unsigned count = 0;

	(void)state;
	peer_push(&p, 20 * MSS);
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 4)});
	for (uint32_t i = 4; i < 10; i++) {
		acknowledge(&p, sack_peer_at(&p, 0),
			    {sack_peer_at(&p, 1), sack_peer_at(&p, i + 1)});
		count += peer_drain(&p);
		assert_true(tcp_sent_flight(&p.conn->rack.sent) <= 7 * MSS);
	}
	assert_in_range(count, 5, 8);
	peer_end(&p);
}

/* RFC 1191 6.4 */
static void what_was_too_large_for_the_path_is_sent_again_with_the_same_window(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);
	uint32_t cwnd = p.conn->cc.cwnd, first = sack_peer_at(&p, 0), sacked = sack_peer_at(&p, 2),
		 end = sack_peer_at(&p, 10);
	uint32_t hole_end = sack_peer_at(&p, 1), ack = first;
	struct seg seg;

	(void)state;
	acknowledge(&p, first, {hole_end, sacked});
	tcp_pmtu_lower(p.h->net, p.conn, 700);
	for (unsigned i = 0; i < 40 && ack != end; i++) {
		while (peer_take(&p, &seg)) {
			assert_true(seg.len <= 700 - 40);
			assert_true(seg.pattern_ok);
			if (seg.seq == ack)
				ack += seg.len;
			if (ack == hole_end)
				ack = sacked;
		}
		assert_true(p.conn->cc.cwnd >= cwnd);
		peer_send(&p, ACK, 1, ack, 0);
	}
	assert_int_equal(ack, end);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_NONE);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	assert_int_equal(p.h->counters.tcp_undos, 0);
	peer_end(&p);
}

/* RFC 6675 2, RFC 8985 6.2: where SACK was agreed upon an ACK without blocks tells of nothing that
 * arrived, however often it comes; a peer that means more by it is repaired by the probe. */
static void duplicate_acks_without_blocks_tell_nothing(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);
	uint32_t cwnd = p.conn->cc.cwnd;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		peer_send(&p, ACK, 1, sack_peer_at(&p, 0), 0);
	peer_expect_nothing(&p);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_NONE);
	assert_int_equal(p.conn->cc.cwnd, cwnd);
	assert_int_equal(p.h->counters.tcp_fast_retransmits, 0);
	peer_after(&p, 2 * RTT_MS * MS);
	sack_peer_expect(&p, 9);
	assert_int_equal(p.h->counters.tcp_tail_probes, 1);
	peer_end(&p);
}

static void tcp_info_tells_of_reordering_and_of_what_came_twice(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);
	struct tcp_info info = {0};

	(void)state;
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 1), sack_peer_at(&p, 2)});
	peer_send(&p, ACK, 1, sack_peer_at(&p, 2), 0);
	acknowledge(&p, sack_peer_at(&p, 2), {sack_peer_at(&p, 0), sack_peer_at(&p, 1)});
	acknowledge(&p, sack_peer_at(&p, 2), {sack_peer_at(&p, 4), sack_peer_at(&p, 5)});
	tcp_info_fill(p.h->net, p.conn, &info);
	assert_int_equal(info.tcpi_reord_seen, 1);
	assert_int_equal(info.tcpi_dsack_dups, 1);
	assert_int_equal(info.tcpi_delivered, 1 + 2 + 1);
	assert_int_equal(info.tcpi_options & TCPI_OPT_SACK, TCPI_OPT_SACK);
	peer_end(&p);
}

static void tcp_info_tells_what_is_sacked_and_what_is_lost(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);
	struct tcp_info info = {0};

	(void)state;
	acknowledge(&p, sack_peer_at(&p, 0), {sack_peer_at(&p, 2), sack_peer_at(&p, 7)});
	tcp_info_fill(p.h->net, p.conn, &info);
	assert_int_equal(info.tcpi_unacked, 10);
	assert_int_equal(info.tcpi_sacked, 5);
	assert_int_equal(info.tcpi_lost, 2);
	peer_send(&p, ACK, 1, sack_peer_at(&p, 10), 0);
	tcp_info_fill(p.h->net, p.conn, &info);
	assert_int_equal(info.tcpi_sacked, 0);
	assert_int_equal(info.tcpi_lost, 0);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(three_segments_sacked_make_the_hole_lost_at_once),
		host_test(
			one_segment_sacked_makes_the_hole_lost_when_the_reordering_window_is_over),
		host_test(a_lost_retransmission_is_repaired_without_a_timeout),
		host_test(a_lost_retransmission_goes_out_again_however_much_went_out_before),
		host_test(reordering_without_loss_sends_nothing_again_once_it_is_known),
		host_test(d_sacks_of_all_that_was_sent_again_restore_the_window),
		host_test(an_echo_from_before_the_retransmission_restores_the_window),
		host_test(after_a_timeout_what_was_sent_just_now_is_not_sent_again),
		host_test(what_an_earlier_recovery_sent_again_undoes_nothing),
		host_test(what_a_peer_reneged_is_sent_again_after_a_timeout),
		host_test(blocks_that_lie_do_no_harm),
		host_test(recovery_sends_in_proportion_to_what_arrives),
		host_test(duplicate_acks_without_blocks_tell_nothing),
		host_test(tcp_info_tells_of_reordering_and_of_what_came_twice),
		host_test(tcp_info_tells_what_is_sacked_and_what_is_lost),
		host_test(what_was_too_large_for_the_path_is_sent_again_with_the_same_window),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
