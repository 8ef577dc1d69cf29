/* Loss recovery with SACK: RACK-TLP (RFC 8985), PRR (RFC 6937), undo (RFC 2883, 3522), reneging
 * (RFC 2018 8), and blocks that lie. */
#include "net/tcp_pmtu.h"
#include "tcp_peer.h"

#include <linux/tcp.h>

enum { RTT_MS = 20 };

/* A connection that knows its round trip, 20 ms, and has ten segments in flight, the first at 1 +
 * MSS. */
static struct peer ten_in_flight(bool timestamps)
{
	static const uint8_t opts[] = {2, 4, MSS >> 8, MSS & 255, 1, 1, 4, 2};
	struct tcp_config config = host_config();
	struct peer p;
	struct seg seg;
	unsigned count = 0;

	config.sack = config.pmtu_discovery = true;
	config.timestamps = timestamps;
	p = peer_begin(&config);
	p.ts = timestamps;
	peer_handshake(&p, opts, sizeof(opts));
	peer_push(&p, p.conn->snd_mss);
	peer_expect(&p, ACK | PSH, 1, 1, p.conn->snd_mss);
	peer_after(&p, RTT_MS * MS);
	peer_send(&p, ACK, 1, 1 + p.conn->snd_mss, 0);
	peer_push(&p, 10u * p.conn->snd_mss);
	while (peer_take(&p, &seg)) {
		assert_int_equal(seg.seq, 1 + (1 + count) * p.conn->snd_mss);
		count++;
	}
	assert_int_equal(count, 10);
	peer_after(&p, RTT_MS * MS);
	return p;
}

/* The number of segment i of the ten. */
static uint32_t at(const struct peer *p, uint32_t i)
{
	return 1 + (1 + i) * p->conn->snd_mss;
}

static void put(uint8_t *bytes, uint32_t value)
{
	const rte_be32_t wire = rte_cpu_to_be_32(value);

	memcpy(bytes, &wire, sizeof(wire));
}

/* An ACK with blocks, numbered as the host's stream. */
static void acknowledge_blocks(struct peer *p, uint32_t ack, const struct tcp_range *blocks,
			       unsigned count)
{
	uint8_t opts[4 + 4 * 8] = {1, 1, 5, (uint8_t)(2 + 8 * count)};
	const struct seg seg = {.flags = ACK,
				.seq = 1,
				.ack = ack,
				.wnd = p->wnd,
				.opts = opts,
				.opts_len = 4 + 8 * count};

	for (unsigned i = 0; i < count; i++) {
		put(opts + 4 + 8 * i, p->irs + blocks[i].start);
		put(opts + 8 + 8 * i, p->irs + blocks[i].end);
	}
	peer_send_seg(p, &seg);
}

#define acknowledge(p, ack, ...)                                                                   \
	acknowledge_blocks(p, ack, (const struct tcp_range[]){__VA_ARGS__},                        \
			   sizeof((const struct tcp_range[]){__VA_ARGS__}) /                       \
				   sizeof(struct tcp_range))

static void expect_again(struct peer *p, uint32_t i)
{
	struct seg seg;

	assert_true(peer_take(p, &seg));
	assert_int_equal(seg.seq, at(p, i));
	assert_int_equal(seg.len, p->conn->snd_mss);
	assert_true(seg.pattern_ok);
}

/* RFC 8985 6.2 */
static void three_segments_sacked_make_the_hole_lost_at_once(void **state)
{
	struct peer p = ten_in_flight(false);

	(void)state;
	acknowledge(&p, at(&p, 0), {at(&p, 1), at(&p, 2)});
	peer_expect_nothing(&p);
	acknowledge(&p, at(&p, 0), {at(&p, 1), at(&p, 3)});
	peer_expect_nothing(&p);
	acknowledge(&p, at(&p, 0), {at(&p, 1), at(&p, 4)});
	expect_again(&p, 0);
	peer_expect_nothing(&p);
	assert_int_equal(p.h->counters.tcp_fast_retransmits, 1);
	peer_send(&p, ACK, 1, at(&p, 10), 0);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_NONE);
	assert_int_equal(p.conn->cc.cwnd, p.conn->cc.ssthresh);
	peer_end(&p);
}

/* RFC 8985 6.2 */
static void one_segment_sacked_makes_the_hole_lost_when_the_reordering_window_is_over(void **state)
{
	struct peer p = ten_in_flight(false);

	(void)state;
	acknowledge(&p, at(&p, 0), {at(&p, 1), at(&p, 2)});
	peer_expect_nothing(&p);
	peer_after(&p, RTT_MS * MS / 4 + 3 * MS);
	expect_again(&p, 0);
	peer_expect_nothing(&p);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	peer_end(&p);
}

/* RFC 8985 3.1 */
static void a_lost_retransmission_is_repaired_without_a_timeout(void **state)
{
	struct peer p = ten_in_flight(false);
	struct seg seg;

	(void)state;
	peer_push(&p, 10 * MSS);
	acknowledge(&p, at(&p, 0), {at(&p, 1), at(&p, 6)});
	expect_again(&p, 0); /* lost too */
	peer_after(&p, RTT_MS * MS / 2);
	acknowledge(&p, at(&p, 0), {at(&p, 1), at(&p, 9)});
	peer_expect(&p, ACK, at(&p, 10), 1, MSS);
	while (peer_take(&p, &seg))
		;
	peer_after(&p, RTT_MS * MS + MS);
	acknowledge(&p, at(&p, 0), {at(&p, 1), at(&p, 11)});
	expect_again(&p, 0);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	peer_end(&p);
}

/* RFC 8985 7.3 */
static void a_lost_tail_is_repaired_by_a_probe_without_a_timeout(void **state)
{
	struct peer p = ten_in_flight(false);
	uint32_t cwnd;

	(void)state;
	peer_send(&p, ACK, 1, at(&p, 7), 0);
	cwnd = p.conn->cc.cwnd;
	peer_after(&p, 3 * RTT_MS * MS);
	expect_again(&p, 9);
	peer_expect_nothing(&p);
	assert_int_equal(p.h->counters.tcp_tail_probes, 1);
	peer_after(&p, RTT_MS * MS);
	acknowledge(&p, at(&p, 7), {at(&p, 9), at(&p, 10)});
	expect_again(&p, 7);
	acknowledge(&p, at(&p, 8), {at(&p, 9), at(&p, 10)});
	expect_again(&p, 8);
	peer_send(&p, ACK, 1, at(&p, 10), 0);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	assert_true(p.conn->cc.cwnd < cwnd);
	peer_end(&p);
}

/* RFC 8985 7.4 */
static void a_probe_that_repaired_the_only_loss_is_congestion_too(void **state)
{
	(void)state;
	for (unsigned lost = 0; lost < 2; lost++) {
		struct peer p = ten_in_flight(false);
		uint32_t cwnd;

		peer_send(&p, ACK, 1, at(&p, 9), 0);
		peer_after(&p, 250 * MS); /* one segment in flight: the peer may delay its ACK */
		expect_again(&p, 9);
		cwnd = p.conn->cc.cwnd;
		if (lost)
			peer_send(&p, ACK, 1, at(&p, 10), 0);
		else
			acknowledge(&p, at(&p, 10), {at(&p, 9), at(&p, 10)});
		if (lost) {
			peer_push(&p, MSS);
			peer_expect(&p, ACK | PSH, at(&p, 10), 1, MSS);
			peer_send(&p, ACK, 1, at(&p, 11), 0);
			assert_true(p.conn->cc.cwnd < cwnd);
		} else {
			assert_true(p.conn->cc.cwnd >= cwnd);
		}
		peer_end(&p);
	}
}

/* RFC 8985 6.2, step 4 */
static void reordering_without_loss_sends_nothing_again_once_it_is_known(void **state)
{
	struct peer p = ten_in_flight(false);
	uint64_t resent;

	(void)state;
	acknowledge(&p, at(&p, 0), {at(&p, 1), at(&p, 2)});
	peer_send(&p, ACK, 1, at(&p, 2), 0); /* it was only late */
	assert_true(p.conn->rack.reordering_seen);
	resent = p.h->counters.tcp_retransmits;
	acknowledge(&p, at(&p, 2), {at(&p, 3), at(&p, 8)});
	peer_after(&p, 2 * MS);
	peer_send(&p, ACK, 1, at(&p, 10), 0);
	peer_after(&p, 50 * MS);
	peer_expect_nothing(&p);
	assert_int_equal(p.h->counters.tcp_retransmits, resent);
	peer_end(&p);
}

/* RFC 2883, RFC 3708 */
static void d_sacks_of_all_that_was_sent_again_restore_the_window(void **state)
{
	struct peer p = ten_in_flight(false);
	uint32_t cwnd = p.conn->cc.cwnd;

	(void)state;
	acknowledge(&p, at(&p, 0), {at(&p, 1), at(&p, 4)});
	expect_again(&p, 0);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_FAST);
	peer_send(&p, ACK, 1, at(&p, 6), 0);
	acknowledge(&p, at(&p, 6), {at(&p, 0), at(&p, 1)});
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
	struct peer p = ten_in_flight(true);
	uint32_t cwnd = p.conn->cc.cwnd, echo = p.ts_ecr;

	(void)state;
	acknowledge(&p, at(&p, 0), {at(&p, 1), at(&p, 4)});
	expect_again(&p, 0);
	p.ts_ecr = echo;
	peer_send(&p, ACK, 1, at(&p, 4), 0);
	assert_int_equal(p.h->counters.tcp_undos, 1);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_NONE);
	assert_true(p.conn->cc.cwnd >= cwnd);
	peer_end(&p);
}

/* RFC 2018 8 */
static void what_a_peer_reneged_is_sent_again_after_a_timeout(void **state)
{
	struct peer p = ten_in_flight(false);
	uint32_t ack = at(&p, 0);
	struct seg seg;

	(void)state;
	acknowledge(&p, ack, {at(&p, 1), at(&p, 10)});
	expect_again(&p, 0);
	peer_send(&p, ACK, 1, at(&p, 1), 0); /* the rest is gone */
	for (unsigned i = 0; i < 40 && ack != at(&p, 10); i++) {
		peer_after(&p, 50 * MS);
		while (peer_take(&p, &seg))
			if (seg.seq == ack || (ack == at(&p, 0) && seg.seq == at(&p, 1)))
				ack = seg.seq + seg.len;
		peer_send(&p, ACK, 1, RTE_MAX(ack, at(&p, 1)), 0);
	}
	assert_int_equal(ack, at(&p, 10));
	assert_int_equal(p.h->counters.tcp_timeouts, 1);
	peer_end(&p);
}

static void blocks_that_lie_do_no_harm(void **state)
{
	struct peer p = ten_in_flight(false);
	uint32_t first = at(&p, 0), end = at(&p, 10);

	(void)state;
	acknowledge(&p, first, {end, end + 1000});
	acknowledge(&p, first, {first + 300, first + 200});
	acknowledge(&p, first, {first, first}, {first + 5, end + 1});
	acknowledge(&p, first, {first + 0x7fffffff, first + 0x80000000u});
	acknowledge(&p, first, {first - 0x40000000, end});
	assert_int_equal(p.conn->rack.sent.sacked_len, 0);
	assert_int_equal(p.h->counters.tcp_sack_bad, 6);
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
	struct peer p = ten_in_flight(false);
	unsigned count = 0;
	struct seg seg;

	(void)state;
	peer_push(&p, 20 * MSS);
	acknowledge(&p, at(&p, 0), {at(&p, 1), at(&p, 4)});
	for (uint32_t i = 4; i < 10; i++) {
		acknowledge(&p, at(&p, 0), {at(&p, 1), at(&p, i + 1)});
		while (peer_take(&p, &seg))
			count++;
		assert_true(tcp_sent_flight(&p.conn->rack.sent) <= 7 * MSS);
	}
	assert_in_range(count, 5, 8);
	peer_end(&p);
}

/* RFC 1191 6.4 */
static void what_was_too_large_for_the_path_is_sent_again_with_the_same_window(void **state)
{
	struct peer p = ten_in_flight(false);
	uint32_t cwnd = p.conn->cc.cwnd, first = at(&p, 0), sacked = at(&p, 2), end = at(&p, 10);
	uint32_t hole_end = at(&p, 1), ack = first;
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

/* RFC 8985 7.2: a recovery needs no probe, and what was armed for one is no timeout. */
static void a_probe_that_a_recovery_made_needless_is_no_timeout(void **state)
{
	struct peer p = ten_in_flight(false);

	(void)state;
	peer_send(&p, ACK, 1, at(&p, 1), 0);
	acknowledge(&p, at(&p, 1), {at(&p, 2), at(&p, 5)});
	expect_again(&p, 1);
	peer_after(&p, 4 * RTT_MS * MS);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	peer_expect_nothing(&p);
	peer_after(&p, 140 * MS);
	assert_int_equal(p.h->counters.tcp_timeouts, 1);
	peer_end(&p);
}

static void tcp_info_tells_what_is_sacked_and_what_is_lost(void **state)
{
	struct peer p = ten_in_flight(false);
	struct tcp_info info = {0};

	(void)state;
	acknowledge(&p, at(&p, 0), {at(&p, 2), at(&p, 7)});
	tcp_info_fill(p.h->net, p.conn, &info);
	assert_int_equal(info.tcpi_unacked, 10);
	assert_int_equal(info.tcpi_sacked, 5);
	assert_int_equal(info.tcpi_lost, 2);
	peer_send(&p, ACK, 1, at(&p, 10), 0);
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
		host_test(a_lost_tail_is_repaired_by_a_probe_without_a_timeout),
		host_test(a_probe_that_repaired_the_only_loss_is_congestion_too),
		host_test(reordering_without_loss_sends_nothing_again_once_it_is_known),
		host_test(d_sacks_of_all_that_was_sent_again_restore_the_window),
		host_test(an_echo_from_before_the_retransmission_restores_the_window),
		host_test(what_a_peer_reneged_is_sent_again_after_a_timeout),
		host_test(blocks_that_lie_do_no_harm),
		host_test(recovery_sends_in_proportion_to_what_arrives),
		host_test(tcp_info_tells_what_is_sacked_and_what_is_lost),
		host_test(what_was_too_large_for_the_path_is_sent_again_with_the_same_window),
		host_test(a_probe_that_a_recovery_made_needless_is_no_timeout),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
