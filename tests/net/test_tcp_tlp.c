/* Tail loss probes: RFC 8985 7. */
#include "sack_peer.h"

/* RFC 8985 7.3 */
static void a_lost_tail_is_repaired_by_a_probe_without_a_timeout(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);
	uint32_t cwnd;

	(void)state;
	peer_send(&p, ACK, 1, sack_peer_at(&p, 7), 0);
	cwnd = p.conn->cc.cwnd;
	peer_after(&p, 3 * RTT_MS * MS);
	sack_peer_expect(&p, 9);
	peer_expect_nothing(&p);
	assert_int_equal(p.h->counters.tcp_tail_probes, 1);
	peer_after(&p, RTT_MS * MS);
	acknowledge(&p, sack_peer_at(&p, 7), {sack_peer_at(&p, 9), sack_peer_at(&p, 10)});
	sack_peer_expect(&p, 7);
	acknowledge(&p, sack_peer_at(&p, 8), {sack_peer_at(&p, 9), sack_peer_at(&p, 10)});
	sack_peer_expect(&p, 8);
	peer_send(&p, ACK, 1, sack_peer_at(&p, 10), 0);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	assert_true(p.conn->cc.cwnd < cwnd);
	peer_end(&p);
}

/* RFC 8985 7.4 */
static void a_probe_that_repaired_the_only_loss_is_congestion_too(void **state)
{
	(void)state;
	for (unsigned lost = 0; lost < 2; lost++) {
		struct peer p = sack_peer_ten_in_flight(false);
		uint32_t cwnd;

		peer_send(&p, ACK, 1, sack_peer_at(&p, 9), 0);
		peer_after(&p, 250 * MS); /* one segment in flight: the peer may delay its ACK */
		sack_peer_expect(&p, 9);
		cwnd = p.conn->cc.cwnd;
		if (lost)
			peer_send(&p, ACK, 1, sack_peer_at(&p, 10), 0);
		else
			acknowledge(&p, sack_peer_at(&p, 10),
				    {sack_peer_at(&p, 9), sack_peer_at(&p, 10)});
		if (lost) {
			peer_push(&p, MSS);
			peer_expect(&p, ACK | PSH, sack_peer_at(&p, 10), 1, MSS);
			peer_send(&p, ACK, 1, sack_peer_at(&p, 11), 0);
			assert_true(p.conn->cc.cwnd < cwnd);
		} else {
			assert_true(p.conn->cc.cwnd >= cwnd);
		}
		peer_end(&p);
	}
}

/* RFC 8985 7.2: a recovery needs no probe, and what was armed for one is no timeout. */
static void a_probe_that_a_recovery_made_needless_is_no_timeout(void **state)
{
	struct peer p = sack_peer_ten_in_flight(false);

	(void)state;
	peer_send(&p, ACK, 1, sack_peer_at(&p, 1), 0);
	acknowledge(&p, sack_peer_at(&p, 1), {sack_peer_at(&p, 2), sack_peer_at(&p, 5)});
	sack_peer_expect(&p, 1);
	peer_after(&p, 4 * RTT_MS * MS);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	peer_expect_nothing(&p);
	peer_after(&p, 140 * MS);
	assert_int_equal(p.h->counters.tcp_timeouts, 1);
	peer_end(&p);
}

/* A segment of len bytes goes out and is acknowledged a round trip later. */
static void exchange(struct peer *p, uint32_t len, uint64_t rtt_ns)
{
	struct seg seg;

	peer_push(p, len);
	assert_true(peer_take(p, &seg));
	assert_int_equal(seg.len, len);
	peer_after(p, rtt_ns);
	peer_send(p, ACK, 1, seg.seq + len, 0);
}

/* RFC 8985 7.2: two round trips after what was sent last, not after what was sent first. */
static void the_probe_waits_anew_with_each_segment_sent(void **state)
{
	struct peer p = sack_peer_begin(false);
	uint32_t at = 1 + p.conn->snd_mss;

	(void)state;
	p.conn->options.nodelay = true;
	peer_push(&p, MSS);
	peer_expect(&p, ACK | PSH, at, 1, MSS);
	peer_push(&p, MSS);
	peer_expect(&p, ACK | PSH, at + MSS, 1, MSS);
	peer_after(&p, 35 * MS);
	peer_push(&p, 100);
	peer_expect(&p, ACK | PSH, at + 2 * MSS, 1, 100);
	peer_after(&p, 35 * MS);
	peer_expect_nothing(&p);
	peer_after(&p, 10 * MS);
	peer_expect(&p, ACK | PSH, at + 2 * MSS, 1, 100);
	assert_int_equal(p.h->counters.tcp_tail_probes, 1);
	peer_end(&p);
}

/* RFC 8985 7.2: never later than the timeout, however often something new goes out. */
static void the_probe_comes_when_the_timeout_would_at_the_latest(void **state)
{
	struct peer p = sack_peer_begin(false);
	uint64_t start_ns = p.h->now_ns;

	(void)state;
	p.conn->options.nodelay = true;
	while (p.h->counters.tcp_tail_probes == 0 && p.h->now_ns < start_ns + S) {
		peer_push(&p, 100);
		peer_drain(&p);
		peer_after(&p, 10 * MS);
	}
	assert_in_range(p.h->now_ns - start_ns, 200 * MS, 225 * MS);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	peer_end(&p);
}

/* A peer that is held up for some milliseconds on a path of microseconds was sent its last segment
 * twice, though nothing was lost. */
static void a_short_path_does_not_make_probes_hasty(void **state)
{
	struct peer p = sack_peer_begin(false);
	struct seg seg;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		exchange(&p, 100, MS);
	assert_true(p.conn->rtt.srtt_ns < 2 * MS);
	peer_push(&p, 3 * MSS);
	peer_drain(&p);
	peer_after(&p, 8 * MS);
	peer_expect_nothing(&p);
	peer_after(&p, 5 * MS);
	assert_true(peer_take(&p, &seg));
	assert_int_equal(p.h->counters.tcp_tail_probes, 1);
	peer_end(&p);
}

/* RFC 8985 7.2: with one segment in flight the peer may delay its ACK. */
static void a_lone_segment_is_given_the_time_of_a_delayed_ack(void **state)
{
	struct peer p = sack_peer_begin(false);
	uint32_t at = 1 + p.conn->snd_mss;

	(void)state;
	peer_push(&p, 100);
	peer_expect(&p, ACK | PSH, at, 1, 100);
	peer_after(&p, 190 * MS);
	peer_expect_nothing(&p);
	peer_after(&p, 15 * MS);
	peer_expect(&p, ACK | PSH, at, 1, 100);
	assert_int_equal(p.h->counters.tcp_tail_probes, 1);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	peer_end(&p);
}

/* RFC 8985 7.2, TLP.max_ack_delay as it was learnt: a lost request costs no 200 ms. */
static void a_lone_segment_waits_no_longer_than_this_peer_delays(void **state)
{
	struct peer p = sack_peer_begin(false);
	struct seg seg;

	(void)state;
	for (unsigned i = 0; i < 60; i++)
		exchange(&p, 100, RTT_MS * MS);
	peer_push(&p, 100);
	assert_true(peer_take(&p, &seg));
	peer_after(&p, 38 * MS);
	peer_expect_nothing(&p);
	peer_after(&p, 22 * MS);
	assert_true(peer_take(&p, &seg));
	assert_int_equal(p.h->counters.tcp_tail_probes, 1);
	/* It was only late, says the peer: more patience from now on. */
	acknowledge(&p, seg.seq + 100, {seg.seq, seg.seq + 100});
	peer_push(&p, 100);
	assert_true(peer_take(&p, &seg));
	peer_after(&p, 180 * MS);
	peer_expect_nothing(&p);
	peer_end(&p);
}

/* RFC 8985 7.2: one ACK that was delayed is remembered for a while. */
static void a_peer_that_delays_now_and_then_is_not_probed(void **state)
{
	struct peer p = sack_peer_begin(false);

	(void)state;
	for (unsigned i = 0; i < 400; i++)
		exchange(&p, 100, i % 20 == 19 ? (RTT_MS + 40) * MS : RTT_MS * MS);
	assert_true(p.h->counters.tcp_tail_probes <= 1);
	peer_end(&p);
}

/* RFC 8985 7.3 */
static void a_lost_fin_is_repaired_by_a_probe(void **state)
{
	struct peer p = sack_peer_begin(false);
	uint32_t at = 1 + p.conn->snd_mss;

	(void)state;
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), 0);
	peer_expect(&p, ACK | FIN, at, 1, 0);
	peer_after(&p, 205 * MS);
	peer_expect(&p, ACK | FIN, at, 1, 0);
	assert_int_equal(p.h->counters.tcp_tail_probes, 1);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	peer_send(&p, ACK, 1, at + 1, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_FIN_WAIT_2);
	peer_end(&p);
}

/* RFC 8985 7.3: what the program pushed meanwhile is a better probe than what was sent. */
static void a_probe_is_something_new_if_there_is_any(void **state)
{
	struct peer p = sack_peer_begin(false);
	uint32_t at = 1 + p.conn->snd_mss, cwnd;

	(void)state;
	peer_push(&p, 100);
	peer_expect(&p, ACK | PSH, at, 1, 100);
	peer_push(&p, 200); /* Nagle keeps it */
	peer_expect_nothing(&p);
	cwnd = p.conn->cc.cwnd;
	peer_after(&p, 205 * MS);
	peer_expect(&p, ACK | PSH, at + 100, 1, 200);
	assert_int_equal(p.h->counters.tcp_tail_probes, 1);
	acknowledge(&p, at, {at + 100, at + 300});
	peer_after(&p, 30 * MS);
	peer_expect(&p, ACK, at, 1, 100);
	peer_send(&p, ACK, 1, at + 300, 0);
	assert_int_equal(p.h->counters.tcp_timeouts, 0);
	assert_true(p.conn->cc.cwnd < cwnd);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(a_lost_tail_is_repaired_by_a_probe_without_a_timeout),
		host_test(a_probe_that_repaired_the_only_loss_is_congestion_too),
		host_test(a_probe_that_a_recovery_made_needless_is_no_timeout),
		host_test(the_probe_waits_anew_with_each_segment_sent),
		host_test(the_probe_comes_when_the_timeout_would_at_the_latest),
		host_test(a_short_path_does_not_make_probes_hasty),
		host_test(a_lone_segment_is_given_the_time_of_a_delayed_ack),
		host_test(a_lone_segment_waits_no_longer_than_this_peer_delays),
		host_test(a_peer_that_delays_now_and_then_is_not_probed),
		host_test(a_lost_fin_is_repaired_by_a_probe),
		host_test(a_probe_is_something_new_if_there_is_any),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
