#include "net/tcp_rtt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS 1000000ull
#define S  1000000000ull

static const struct tcp_rtt_limits limits = {
	.rto_ns_min = 200 * MS,
	.rto_ns_max = 60 * S,
	.rto_ns_initial = 1 * S,
};

static struct tcp_rtt fresh(void)
{
	struct tcp_rtt rtt;

	tcp_rtt_init(&rtt, &limits);
	return rtt;
}

static void without_a_sample_the_initial_rto_holds(void **state)
{
	struct tcp_rtt rtt = fresh();

	(void)state;
	assert_int_equal(rtt.rto_ns, 1 * S);
	assert_int_equal(rtt.srtt_ns, 0);
}

/* RFC 6298 2.2, 2.3 with numbers by hand. */
static void samples_are_smoothed_as_rfc_6298_says(void **state)
{
	struct tcp_rtt rtt = fresh();

	(void)state;
	tcp_rtt_sample(&rtt, &limits, 400 * MS);
	assert_int_equal(rtt.srtt_ns, 400 * MS);
	assert_int_equal(rtt.rttvar_ns, 200 * MS);
	assert_int_equal(rtt.rto_ns, 1200 * MS);
	tcp_rtt_sample(&rtt, &limits, 480 * MS);
	assert_int_equal(rtt.rttvar_ns, 170 * MS); /* 3/4 * 200 + 1/4 * 80 */
	assert_int_equal(rtt.srtt_ns, 410 * MS);   /* 7/8 * 400 + 1/8 * 480 */
	assert_int_equal(rtt.rto_ns, 1090 * MS);
}

static void the_rto_stays_between_its_limits(void **state)
{
	struct tcp_rtt rtt = fresh();

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		tcp_rtt_sample(&rtt, &limits, 10000);
	assert_int_equal(rtt.rto_ns, limits.rto_ns_min);
	tcp_rtt_sample(&rtt, &limits, 200 * S);
	assert_int_equal(rtt.rto_ns, limits.rto_ns_max);
}

static void a_steady_round_trip_leaves_no_less_than_the_granularity(void **state)
{
	struct tcp_rtt rtt = fresh();

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		tcp_rtt_sample(&rtt, &limits, 300 * MS);
	assert_int_equal(rtt.rto_ns, 301 * MS);
}

static void no_round_trip_at_all_is_still_a_sample(void **state)
{
	struct tcp_rtt rtt = fresh();

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		tcp_rtt_sample(&rtt, &limits, 0);
	assert_int_not_equal(rtt.srtt_ns, 0);
	assert_int_equal(rtt.rto_ns, limits.rto_ns_min);
}

static void one_segment_at_a_time_is_timed(void **state)
{
	struct tcp_rtt rtt = fresh();

	(void)state;
	tcp_rtt_sent(&rtt, 1000, 5 * S);
	tcp_rtt_sent(&rtt, 2000, 6 * S);
	assert_false(tcp_rtt_acked(&rtt, &limits, 999, 7 * S));
	assert_true(tcp_rtt_acked(&rtt, &limits, 1000, 8 * S));
	assert_int_equal(rtt.srtt_ns, 3 * S);
	assert_false(tcp_rtt_acked(&rtt, &limits, 2000, 9 * S));
}

static void timing_works_across_the_wrap_of_sequence_numbers(void **state)
{
	struct tcp_rtt rtt = fresh();

	(void)state;
	tcp_rtt_sent(&rtt, 10, 1 * S);
	assert_false(tcp_rtt_acked(&rtt, &limits, 0xfffffff0, 2 * S));
	assert_true(tcp_rtt_acked(&rtt, &limits, 11, 2 * S));
}

/* MUST-18, Karn's algorithm */
static void must_18_what_was_sent_again_is_not_timed(void **state)
{
	struct tcp_rtt rtt = fresh();

	(void)state;
	tcp_rtt_sent(&rtt, 1000, 1 * S);
	tcp_rtt_resent(&rtt);
	assert_false(tcp_rtt_acked(&rtt, &limits, 1000, 2 * S));
	tcp_rtt_sent(&rtt, 2000, 3 * S);
	tcp_rtt_timed_out(&rtt, &limits);
	assert_false(tcp_rtt_acked(&rtt, &limits, 2000, 4 * S));
	assert_int_equal(rtt.srtt_ns, 0);
}

/* MUST-19, RFC 6298 5.5, 2.5 */
static void must_19_timeouts_back_off_until_a_sample_comes(void **state)
{
	struct tcp_rtt rtt = fresh();

	(void)state;
	for (unsigned i = 1; i <= 5; i++) {
		tcp_rtt_timed_out(&rtt, &limits);
		assert_int_equal(rtt.rto_ns, (1ull << i) * S);
		assert_int_equal(rtt.backoff_count, i);
	}
	for (unsigned i = 0; i < 1000; i++)
		tcp_rtt_timed_out(&rtt, &limits);
	assert_int_equal(rtt.rto_ns, limits.rto_ns_max);
	assert_int_equal(rtt.backoff_count, 255);
	tcp_rtt_sample(&rtt, &limits, 100 * MS);
	assert_int_equal(rtt.rto_ns, 300 * MS);
	assert_int_equal(rtt.backoff_count, 0);
}

static void an_echoed_timestamp_is_a_sample_in_milliseconds(void **state)
{
	struct tcp_rtt rtt = fresh();

	(void)state;
	assert_true(tcp_rtt_sample_ts(&rtt, &limits, 20, 0xfffffff0));
	assert_int_equal(rtt.srtt_ns, 36 * MS);
	rtt = fresh();
	assert_true(tcp_rtt_sample_ts(&rtt, &limits, 7, 7));
	assert_int_equal(rtt.srtt_ns, MS / 2);
}

static void a_timestamp_that_cannot_be_an_echo_is_no_sample(void **state)
{
	struct tcp_rtt rtt = fresh();

	(void)state;
	assert_false(tcp_rtt_sample_ts(&rtt, &limits, 1000, 1001));
	assert_false(tcp_rtt_sample_ts(&rtt, &limits, 100000, 100000 - 60001));
	assert_int_equal(rtt.srtt_ns, 0);
}

/* RFC 6298 5.7 */
static void after_a_syn_timeout_data_starts_at_three_seconds(void **state)
{
	struct tcp_rtt rtt = fresh();

	(void)state;
	tcp_rtt_syn_timed_out(&rtt, &limits);
	assert_int_equal(rtt.rto_ns, 2 * S);
	tcp_rtt_established(&rtt, &limits);
	assert_int_equal(rtt.rto_ns, 3 * S);
	assert_int_equal(rtt.backoff_count, 0);
}

static void a_measured_handshake_needs_no_fallback(void **state)
{
	struct tcp_rtt rtt = fresh();

	(void)state;
	tcp_rtt_established(&rtt, &limits);
	assert_int_equal(rtt.rto_ns, 1 * S);
	rtt = fresh();
	tcp_rtt_syn_timed_out(&rtt, &limits);
	assert_true(tcp_rtt_sample_ts(&rtt, &limits, 150, 50));
	tcp_rtt_established(&rtt, &limits);
	assert_int_equal(rtt.rto_ns, 300 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_sample_the_initial_rto_holds),
		cmocka_unit_test(samples_are_smoothed_as_rfc_6298_says),
		cmocka_unit_test(the_rto_stays_between_its_limits),
		cmocka_unit_test(a_steady_round_trip_leaves_no_less_than_the_granularity),
		cmocka_unit_test(no_round_trip_at_all_is_still_a_sample),
		cmocka_unit_test(one_segment_at_a_time_is_timed),
		cmocka_unit_test(timing_works_across_the_wrap_of_sequence_numbers),
		cmocka_unit_test(must_18_what_was_sent_again_is_not_timed),
		cmocka_unit_test(must_19_timeouts_back_off_until_a_sample_comes),
		cmocka_unit_test(an_echoed_timestamp_is_a_sample_in_milliseconds),
		cmocka_unit_test(a_timestamp_that_cannot_be_an_echo_is_no_sample),
		cmocka_unit_test(after_a_syn_timeout_data_starts_at_three_seconds),
		cmocka_unit_test(a_measured_handshake_needs_no_fallback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
