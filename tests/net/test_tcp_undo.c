/* What was sent again though nothing was lost: the reduction is undone. RFC 3522 and 4015 with
 * timestamps, whether SACK was agreed upon or not; RFC 2883 without. */
#include "sack_peer.h"

/* Timestamps, no SACK; ten segments in flight for RTT_MS. */
static struct peer ten_in_flight_without_sack(void)
{
	static const uint8_t opts[] = {2, 4, MSS >> 8, MSS & 255};
	struct tcp_config config = host_config();
	struct peer p;
	struct seg seg;

	config.timestamps = true;
	p = peer_begin(&config);
	p.ts = true;
	peer_handshake(&p, opts, sizeof(opts));
	assert_false(p.conn->sack);
	peer_push(&p, p.conn->snd_mss);
	peer_expect(&p, ACK | PSH, 1, 1, p.conn->snd_mss);
	peer_after(&p, RTT_MS * MS);
	peer_send(&p, ACK, 1, 1 + p.conn->snd_mss, 0);
	peer_push(&p, 10u * p.conn->snd_mss);
	while (peer_take(&p, &seg))
		;
	peer_after(&p, RTT_MS * MS);
	return p;
}

static struct peer ten_in_flight(bool sack)
{
	return sack ? sack_peer_ten_in_flight(true) : ten_in_flight_without_sack();
}

/* RFC 5682 is told by RFC 3522 3 here: the first ACK after the timeout answers the original, which
 * was only late. Nothing more is sent again, and the window is as it was. */
static void a_timeout_that_was_only_delay_is_undone_by_the_echo(void **state)
{
	(void)state;
	for (unsigned sack = 0; sack < 2; sack++) {
		struct peer p = ten_in_flight(sack);
		uint32_t cwnd = p.conn->cc.cwnd, ssthresh = p.conn->cc.ssthresh, echo = p.ts_ecr;
		struct seg seg;

		p.conn->tlp.sent = true; /* no probe, so that it is a timeout */
		while (p.h->counters.tcp_timeouts == 0)
			peer_after(&p, 10 * MS);
		sack_peer_expect(&p, 0);
		peer_expect_nothing(&p);
		assert_true(p.conn->cc.cwnd < cwnd);
		p.ts_ecr = echo;
		peer_send(&p, ACK, 1, sack_peer_at(&p, 2), 0);
		assert_int_equal(p.h->counters.tcp_undos, 1);
		assert_int_equal(p.conn->recovery, TCP_RECOVERY_NONE);
		assert_true(p.conn->cc.cwnd >= cwnd);
		assert_int_equal(p.conn->cc.ssthresh, ssthresh);
		assert_false(peer_take(&p, &seg)); /* all the rest is in flight */
		p.ts_ecr = echo;
		peer_send(&p, ACK, 1, sack_peer_at(&p, 10), 0);
		peer_expect_nothing(&p);
		assert_int_equal(p.h->counters.tcp_retransmits, 1);
		peer_end(&p);
	}
}

/* RFC 3522 3: else it was lost. */
static void a_timeout_whose_retransmission_is_answered_stays(void **state)
{
	(void)state;
	for (unsigned sack = 0; sack < 2; sack++) {
		struct peer p = ten_in_flight(sack);

		p.conn->tlp.sent = true;
		while (p.h->counters.tcp_timeouts == 0)
			peer_after(&p, 10 * MS);
		sack_peer_expect(&p, 0); /* which p echoes from now on */
		peer_after(&p, RTT_MS * MS);
		peer_send(&p, ACK, 1, sack_peer_at(&p, 1), 0);
		assert_int_equal(p.h->counters.tcp_undos, 0);
		assert_int_equal(p.conn->recovery, TCP_RECOVERY_LOSS);
		assert_true(p.conn->cc.cwnd <= 3u * p.conn->snd_mss);
		peer_end(&p);
	}
}

/* RFC 4015 3.2: NewReno's fast retransmit because of reordering. */
static void a_fast_retransmit_without_sack_is_undone_by_the_echo(void **state)
{
	struct peer p = ten_in_flight_without_sack();
	uint32_t cwnd = p.conn->cc.cwnd, echo = p.ts_ecr;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		p.ts_ecr = echo;
		peer_send(&p, ACK, 1, sack_peer_at(&p, 0), 0);
	}
	sack_peer_expect(&p, 0);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_FAST);
	p.ts_ecr = echo;
	peer_send(&p, ACK, 1, sack_peer_at(&p, 4), 0);
	assert_int_equal(p.h->counters.tcp_undos, 1);
	assert_int_equal(p.conn->recovery, TCP_RECOVERY_NONE);
	assert_true(p.conn->cc.cwnd >= cwnd);
	peer_expect_nothing(&p);
	peer_end(&p);
}

/* RFC 2883 4, without timestamps: the copy arrives after the delayed original. */
static void a_timeout_that_was_only_delay_is_undone_by_a_d_sack(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);
	uint32_t cwnd = p.conn->cc.cwnd;

	(void)state;
	p.conn->tlp.sent = true;
	while (p.h->counters.tcp_timeouts == 0)
		peer_after(&p, 10 * MS);
	sack_peer_expect(&p, 0);
	acknowledge(&p, sack_peer_at(&p, 10), {sack_peer_at(&p, 0), sack_peer_at(&p, 1)});
	assert_int_equal(p.h->counters.tcp_undos, 1);
	assert_true(p.conn->cc.cwnd >= cwnd);
	peer_expect_nothing(&p);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(a_timeout_that_was_only_delay_is_undone_by_the_echo),
		host_test(a_timeout_whose_retransmission_is_answered_stays),
		host_test(a_fast_retransmit_without_sack_is_undone_by_the_echo),
		host_test(a_timeout_that_was_only_delay_is_undone_by_a_d_sack),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
