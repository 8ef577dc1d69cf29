#include "net/tcp_cc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MSS = 1000 };

static struct tcp_cc fresh(void)
{
	struct tcp_cc cc;

	tcp_cc_init(&cc, &tcp_newreno, MSS, false);
	return cc;
}

/* RFC 6928: min(10 * MSS, max(2 * MSS, 14600)) */
static void the_initial_window_is_ten_segments(void **state)
{
	struct tcp_cc cc = fresh();

	(void)state;
	assert_int_equal(cc.cwnd, 10 * MSS);
	assert_int_equal(tcp_cc_initial_window(1460), 14600);
	assert_int_equal(tcp_cc_initial_window(536), 5360);
	assert_int_equal(tcp_cc_initial_window(2000), 14600);
	assert_int_equal(tcp_cc_initial_window(8960), 17920);
}

static void after_a_lost_syn_the_window_is_one_segment(void **state)
{
	struct tcp_cc cc;

	(void)state;
	tcp_cc_init(&cc, &tcp_newreno, MSS, true);
	assert_int_equal(cc.cwnd, MSS);
}

static void slow_start_doubles_in_a_round_trip(void **state)
{
	struct tcp_cc cc = fresh();

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		tcp_cc_on_ack(&cc, MSS, 10 * MSS, 0, 0);
	assert_int_equal(cc.cwnd, 20 * MSS);
}

/* RFC 3465: an ACK of two segments grows by two, a stretch ACK no more. */
static void bytes_are_counted_up_to_two_segments_an_ack(void **state)
{
	struct tcp_cc cc = fresh();

	(void)state;
	tcp_cc_on_ack(&cc, 2 * MSS, 10 * MSS, 0, 0);
	assert_int_equal(cc.cwnd, 12 * MSS);
	tcp_cc_on_ack(&cc, 9 * MSS, 12 * MSS, 0, 0);
	assert_int_equal(cc.cwnd, 14 * MSS);
	tcp_cc_on_ack(&cc, 1, 14 * MSS, 0, 0); /* many small ACKs win nothing */
	assert_int_equal(cc.cwnd, 14 * MSS + 1);
}

static void congestion_avoidance_adds_a_segment_in_a_round_trip(void **state)
{
	struct tcp_cc cc = fresh();

	(void)state;
	cc.ssthresh = 10 * MSS;
	for (unsigned i = 0; i < 9; i++)
		tcp_cc_on_ack(&cc, MSS, 10 * MSS, 0, 0);
	assert_int_equal(cc.cwnd, 10 * MSS);
	tcp_cc_on_ack(&cc, MSS, 10 * MSS, 0, 0);
	assert_int_equal(cc.cwnd, 11 * MSS);
	for (unsigned i = 0; i < 15; i++) /* one and a half segments each: 22.5 in 15 ACKs */
		tcp_cc_on_ack(&cc, MSS + MSS / 2, cc.cwnd, 0, 0);
	assert_int_equal(cc.cwnd, 12 * MSS);
	tcp_cc_on_ack(&cc, MSS, cc.cwnd, 0, 0); /* 23 = 11 + 12: what was over at 11 counts */
	assert_int_equal(cc.cwnd, 13 * MSS);
}

static void a_window_that_is_not_used_does_not_grow(void **state)
{
	struct tcp_cc cc = fresh();

	(void)state;
	tcp_cc_on_ack(&cc, MSS, 4 * MSS, 0, 0);
	assert_int_equal(cc.cwnd, 10 * MSS);
	cc.ssthresh = 10 * MSS;
	for (unsigned i = 0; i < 100; i++)
		tcp_cc_on_ack(&cc, MSS, 8 * MSS, 0, 0);
	assert_int_equal(cc.cwnd, 10 * MSS);
}

/* RFC 5681 3.1, equation 4. */
static void a_congestion_event_halves_what_was_in_flight(void **state)
{
	struct tcp_cc cc = fresh();

	(void)state;
	tcp_cc_on_congestion(&cc, 8 * MSS, 0);
	assert_int_equal(cc.ssthresh, 4 * MSS);
	assert_int_equal(cc.cwnd, 10 * MSS); /* recovery's business */
}

/* RFC 4015 3.3 */
static void what_was_no_loss_is_undone(void **state)
{
	struct tcp_cc cc = fresh();

	(void)state;
	cc.ssthresh = 9 * MSS;
	tcp_cc_on_timeout(&cc, 10 * MSS, true, 0);
	tcp_cc_on_timeout(&cc, MSS, false, 0);
	tcp_cc_on_undo(&cc);
	assert_int_equal(cc.cwnd, 10 * MSS);
	assert_int_equal(cc.ssthresh, 9 * MSS);
	cc.cwnd = 5 * MSS;
	tcp_cc_on_undo(&cc); /* once only */
	assert_int_equal(cc.cwnd, 5 * MSS);
	tcp_cc_on_congestion(&cc, 5 * MSS, 0);
	cc.cwnd = 7 * MSS;
	tcp_cc_on_undo(&cc);
	assert_int_equal(cc.cwnd, 7 * MSS);
}

static void the_threshold_is_at_least_two_segments(void **state)
{
	struct tcp_cc cc = fresh();

	(void)state;
	tcp_cc_on_timeout(&cc, MSS, true, 0);
	assert_int_equal(cc.ssthresh, 2 * MSS);
}

static void a_timeout_starts_slowly_again(void **state)
{
	struct tcp_cc cc = fresh();

	(void)state;
	tcp_cc_on_timeout(&cc, 10 * MSS, true, 0);
	assert_int_equal(cc.cwnd, MSS);
	assert_int_equal(cc.ssthresh, 5 * MSS);
	tcp_cc_on_timeout(&cc, MSS, false, 0); /* RFC 5681 3.1: held for the second one */
	assert_int_equal(cc.ssthresh, 5 * MSS);
	tcp_cc_on_ack(&cc, 2 * MSS, MSS, 0, 0); /* RFC 3465 2.3: L is 1 now */
	assert_int_equal(cc.cwnd, 2 * MSS);
	for (unsigned i = 0; i < 3; i++)
		tcp_cc_on_ack(&cc, MSS, cc.cwnd, 0, 0);
	assert_int_equal(cc.cwnd, 5 * MSS); /* from here on it avoids congestion */
	tcp_cc_on_ack(&cc, MSS, 5 * MSS, 0, 0);
	assert_int_equal(cc.cwnd, 5 * MSS);
}

/* RFC 5681 4.1 */
static void idleness_restarts_from_the_initial_window(void **state)
{
	struct tcp_cc cc = fresh();

	(void)state;
	cc.cwnd = 500 * MSS;
	tcp_cc_on_idle(&cc);
	assert_int_equal(cc.cwnd, 10 * MSS);
	cc.cwnd = 3 * MSS;
	tcp_cc_on_idle(&cc);
	assert_int_equal(cc.cwnd, 3 * MSS);
}

static void the_window_has_a_top(void **state)
{
	struct tcp_cc cc = fresh();

	(void)state;
	cc.cwnd = TCP_CC_CWND_MAX - 1;
	tcp_cc_on_ack(&cc, MSS, cc.cwnd, 0, 0);
	assert_int_equal(cc.cwnd, TCP_CC_CWND_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_initial_window_is_ten_segments),
		cmocka_unit_test(after_a_lost_syn_the_window_is_one_segment),
		cmocka_unit_test(slow_start_doubles_in_a_round_trip),
		cmocka_unit_test(bytes_are_counted_up_to_two_segments_an_ack),
		cmocka_unit_test(congestion_avoidance_adds_a_segment_in_a_round_trip),
		cmocka_unit_test(a_window_that_is_not_used_does_not_grow),
		cmocka_unit_test(a_congestion_event_halves_what_was_in_flight),
		cmocka_unit_test(what_was_no_loss_is_undone),
		cmocka_unit_test(the_threshold_is_at_least_two_segments),
		cmocka_unit_test(a_timeout_starts_slowly_again),
		cmocka_unit_test(idleness_restarts_from_the_initial_window),
		cmocka_unit_test(the_window_has_a_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
