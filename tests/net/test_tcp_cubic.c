/* CUBIC against RFC 9438's formulas in floating point. */
#include "net/tcp_cc.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS 1000000ull
#define S  (1000 * MS)

enum { MSS = 1000 };

static const double C = 0.4, BETA = 0.7;

static struct tcp_cc fresh(uint32_t segments)
{
	struct tcp_cc cc;

	tcp_cc_init(&cc, &tcp_cubic, MSS, false);
	cc.cwnd = segments * MSS;
	cc.ssthresh = cc.cwnd;
	return cc;
}

/* A loss and the recovery from it, by which cwnd comes to ssthresh. */
static void lose(struct tcp_cc *cc, uint64_t now_ns)
{
	tcp_cc_on_congestion(cc, cc->cwnd, now_ns);
	cc->cwnd = cc->ssthresh;
}

/* One round trip: every segment of the window acknowledged, evenly spread. */
static uint64_t round_trip(struct tcp_cc *cc, uint64_t rtt_ns, uint64_t now_ns)
{
	uint32_t acks = cc->cwnd / MSS;

	for (uint32_t i = 0; i < acks; i++)
		tcp_cc_on_ack(cc, MSS, cc->cwnd, rtt_ns, now_ns + rtt_ns * (i + 1) / acks);
	return now_ns + rtt_ns;
}

/* The RFC's window after a loss at w_max segments, t seconds into the epoch: figure 1. */
static double cubic_at(double w_max, double cwnd_epoch, double t)
{
	double k = cbrt((w_max - cwnd_epoch) / C);

	return C * pow(t - k, 3) + w_max;
}

/* RFC 9438 4.6 */
static void a_loss_leaves_seven_tenths_of_what_was_in_flight(void **state)
{
	struct tcp_cc cc = fresh(100);

	(void)state;
	tcp_cc_on_congestion(&cc, 100 * MSS, S);
	assert_int_equal(cc.ssthresh, 70 * MSS);
	assert_int_equal(cc.cwnd, 100 * MSS);
	tcp_cc_on_congestion(&cc, MSS, S);
	assert_int_equal(cc.ssthresh, 2 * MSS);
}

/* RFC 9438 4.2, 4.4, 4.5: concave up to W_max, then convex; within a segment and a half of the
 * formula or 0.4 %, as it is followed a round trip at a time. */
static void the_window_follows_the_cubic_function(void **state)
{
	static const uint32_t starts[] = {1000, 4000, 20000};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct tcp_cc cc = fresh(starts[i]);
		const uint64_t rtt_ns = 100 * MS, start_ns = 1000 * S;
		uint64_t now_ns = start_ns;
		double k = cbrt(starts[i] * (1 - BETA) / C);

		lose(&cc, now_ns);
		while ((double)(now_ns - start_ns) < 3 * k * 1e9) {
			double w, t;

			now_ns = round_trip(&cc, rtt_ns, now_ns);
			t = (double)(now_ns - start_ns) / 1e9;
			w = cubic_at(starts[i], starts[i] * BETA, t);
			assert_true(fabs(cc.cwnd / (double)MSS - w) < 1.5 + w / 250);
		}
		assert_true(cc.cwnd > starts[i] * MSS);
	}
}

/* RFC 9438 4.3: where Reno with the same average would have more, as on short round trips. */
static void small_windows_grow_as_renos_would(void **state)
{
	struct tcp_cc cc = fresh(20);
	const uint64_t rtt_ns = 10 * MS;
	uint64_t now_ns = S;
	double est = 14, alpha = 3 * (1 - BETA) / (1 + BETA);

	(void)state;
	lose(&cc, now_ns);
	for (unsigned i = 0; i < 100; i++) {
		now_ns = round_trip(&cc, rtt_ns, now_ns);
		est += est < 20 ? alpha : 1;
		assert_true(fabs(cc.cwnd / (double)MSS - est) < 1.5);
	}
	assert_true(cc.cwnd > 100 * MSS);
}

/* RFC 9438 4.7 */
static void a_flow_that_stays_below_its_maximum_makes_room(void **state)
{
	struct tcp_cc cc = fresh(100);

	(void)state;
	lose(&cc, S);
	assert_int_equal(cc.cubic.w_max, 100 * MSS);
	lose(&cc, 2 * S);
	assert_int_equal(cc.cubic.w_max, 70 * MSS * 17 / 20);
	cc.cwnd = 90 * MSS;
	lose(&cc, 3 * S);
	assert_int_equal(cc.cubic.w_max, 90 * MSS);
}

/* At most half a window more in a round trip, however long ago the loss was: 4.2, target. */
static void a_window_never_grows_by_more_than_half_in_a_round_trip(void **state)
{
	struct tcp_cc cc = fresh(100);

	(void)state;
	lose(&cc, S);
	round_trip(&cc, 100 * MS, S);
	for (unsigned i = 0; i < 5; i++) {
		uint32_t before = cc.cwnd;

		round_trip(&cc, 100 * MS, 1000 * S);
		assert_in_range(cc.cwnd, before + before * 2 / 5, before + before / 2 + MSS);
	}
}

/* RFC 9438 4.8 */
static void after_a_timeout_the_epoch_starts_flat(void **state)
{
	struct tcp_cc cc = fresh(1000);
	uint64_t now_ns = 2 * S;
	uint32_t at;

	(void)state;
	tcp_cc_on_timeout(&cc, 1000 * MSS, true, S);
	assert_int_equal(cc.cwnd, MSS);
	assert_int_equal(cc.ssthresh, 700 * MSS);
	tcp_cc_on_timeout(&cc, MSS, false, S + 200 * MS);
	assert_int_equal(cc.ssthresh, 700 * MSS);
	while (cc.cwnd < cc.ssthresh)
		now_ns = round_trip(&cc, 100 * MS, now_ns);
	at = cc.cwnd;
	now_ns = round_trip(&cc, 100 * MS, now_ns);
	assert_int_equal(cc.cubic.k, 0);
	assert_in_range(cc.cubic.w_max, at - MSS, at + MSS);
	assert_in_range(cc.cwnd, at, at + 2 * MSS);
}

/* RFC 9438 4.9 */
static void what_was_no_loss_is_undone(void **state)
{
	struct tcp_cc cc = fresh(1000), before;
	uint64_t now_ns = S;

	(void)state;
	lose(&cc, now_ns);
	for (unsigned i = 0; i < 20; i++)
		now_ns = round_trip(&cc, 100 * MS, now_ns);
	before = cc;
	tcp_cc_on_timeout(&cc, cc.cwnd, true, now_ns);
	tcp_cc_on_undo(&cc);
	assert_int_equal(cc.cwnd, before.cwnd);
	assert_int_equal(cc.ssthresh, before.ssthresh);
	assert_memory_equal(&cc.cubic, &before.cubic, sizeof(cc.cubic));
	round_trip(&cc, 100 * MS, now_ns);
	round_trip(&before, 100 * MS, now_ns);
	assert_int_equal(cc.cwnd, before.cwnd);
}

/* RFC 9438 4.2: time in which the program did not use the window is not counted. */
static void a_pause_of_the_program_is_not_time(void **state)
{
	struct tcp_cc cc = fresh(1000), paused;
	uint64_t now_ns = S;

	(void)state;
	lose(&cc, now_ns);
	now_ns = round_trip(&cc, 100 * MS, now_ns);
	paused = cc;
	for (unsigned i = 0; i < 100; i++)
		tcp_cc_on_ack(&paused, MSS, MSS, 100 * MS, now_ns + i * 100 * MS);
	assert_int_equal(paused.cwnd, cc.cwnd);
	round_trip(&cc, 100 * MS, now_ns);
	round_trip(&paused, 100 * MS, now_ns + 10 * S);
	assert_in_range(paused.cwnd, cc.cwnd - MSS, cc.cwnd + MSS);
}

static void idleness_restarts_from_the_initial_window(void **state)
{
	struct tcp_cc cc = fresh(1000);

	(void)state;
	round_trip(&cc, 100 * MS, S);
	tcp_cc_on_idle(&cc);
	assert_int_equal(cc.cwnd, 10 * MSS);
	assert_int_equal(cc.cubic.epoch_ns, 0);
}

/* RFC 9438 5.2: one loss in 1/p segments keeps the average at (C (3 + beta) / (4 (1 - beta)))^1/4
 * * RTT^3/4 / p^3/4. */
static void the_average_window_is_the_rfcs_response_function(void **state)
{
	const double p = 1e-5, rtt = 0.1;
	const double expected = pow(C * (3 + BETA) / (4 * (1 - BETA)), 0.25) * pow(rtt / p, 0.75);
	struct tcp_cc cc = fresh((uint32_t)expected);
	uint64_t now_ns = S, rounds = 0;
	double since_loss = 0, sum = 0;

	(void)state;
	for (unsigned losses = 0; losses < 60; now_ns += 100 * MS) {
		uint32_t segments = cc.cwnd / MSS;

		round_trip(&cc, 100 * MS, now_ns);
		since_loss += segments;
		if (losses >= 20) {
			sum += segments;
			rounds++;
		}
		if (since_loss < 1 / p)
			continue;
		since_loss = 0;
		losses++;
		lose(&cc, now_ns);
	}
	assert_true(fabs(sum / (double)rounds / expected - 1) < 0.05);
}

static void windows_of_every_size_have_no_overflow(void **state)
{
	static const uint32_t sizes[] = {88, 536, 1460, 8960, 65000};

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct tcp_cc cc;

		tcp_cc_init(&cc, &tcp_cubic, sizes[i], false);
		cc.cwnd = cc.ssthresh = TCP_CC_CWND_MAX;
		tcp_cc_on_congestion(&cc, cc.cwnd, S);
		cc.cwnd = cc.ssthresh;
		tcp_cc_on_ack(&cc, cc.cwnd, cc.cwnd, 100 * MS, S);
		assert_true(fabs(cc.cubic.k * 1.048576e-3 /
					 cbrt(TCP_CC_CWND_MAX * (1 - BETA) / sizes[i] / C) -
				 1) < 0.001);
		for (unsigned j = 0; j < 100; j++)
			tcp_cc_on_ack(&cc, cc.cwnd, cc.cwnd, 100 * MS, (10 + j * 1000) * S);
		assert_int_equal(cc.cwnd, TCP_CC_CWND_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loss_leaves_seven_tenths_of_what_was_in_flight),
		cmocka_unit_test(the_window_follows_the_cubic_function),
		cmocka_unit_test(small_windows_grow_as_renos_would),
		cmocka_unit_test(a_flow_that_stays_below_its_maximum_makes_room),
		cmocka_unit_test(a_window_never_grows_by_more_than_half_in_a_round_trip),
		cmocka_unit_test(after_a_timeout_the_epoch_starts_flat),
		cmocka_unit_test(what_was_no_loss_is_undone),
		cmocka_unit_test(a_pause_of_the_program_is_not_time),
		cmocka_unit_test(idleness_restarts_from_the_initial_window),
		cmocka_unit_test(the_average_window_is_the_rfcs_response_function),
		cmocka_unit_test(windows_of_every_size_have_no_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
