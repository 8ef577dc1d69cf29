#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load/sweep.h"

#include <math.h>
#include <string.h>

static struct sweep sweep;
static double luck = 1; /* how many are due, as chance has it, of how many on average */

/* A server that answers up to capacity, and whose p99 grows as that of one queue does. */
static void answer(const struct step *step, double capacity)
{
	struct summary *summary = &sweep.steps[sweep.step_count++];
	const bool closed = step->arrivals == ARRIVALS_CLOSED;
	const double due = step->rate * luck;
	const double rate = closed ? capacity : fmin(due, capacity);
	const double load = rate / capacity;

	memset(summary, 0, sizeof(*summary));
	summary->offered = closed ? 0 : step->rate;
	summary->seconds = 10;
	summary->total.due = closed ? 0 : (uint64_t)(due * summary->seconds);
	summary->total.rate = rate;
	summary->total.percentile_ns[PERCENTILE_P99] =
		load < 0.999 ? (uint64_t)(10000 / (1 - load)) : UINT64_C(1000000000);
}

static void run(double capacity)
{
	struct step step;

	while (sweep_next(&sweep, &step))
		answer(&step, capacity);
}

static void one_step_is_one_step(void **state)
{
	struct step step;

	(void)state;
	sweep = (struct sweep){.single = true, .arrivals = ARRIVALS_FIXED, .rate = 5};
	assert_true(sweep_next(&sweep, &step));
	assert_int_equal(step.arrivals, ARRIVALS_FIXED);
	assert_true(step.rate == 5);
	answer(&step, 100);
	assert_false(sweep_next(&sweep, &step));
}

static void a_step_that_was_cut_short_is_not_the_best(void **state)
{
	struct step step;

	(void)state;
	sweep = (struct sweep){
		.arrivals = ARRIVALS_POISSON, .rate_max = 1000, .p99_limit_ns = 101000};
	for (int i = 0; i < 2; i++) {
		assert_true(sweep_next(&sweep, &step));
		answer(&step, 1000);
	}
	sweep.steps[1].cut_short = true;
	assert_ptr_equal(sweep_best_or_null(&sweep), &sweep.steps[0]);
}

/* p99 is 100 us at nine tenths of the capacity. */
static void a_sweep_closes_in_on_the_highest_rate_within_the_limit(void **state)
{
	const struct summary *best;

	(void)state;
	for (double capacity = 1000; capacity < 1e7; capacity *= 7) {
		sweep = (struct sweep){.arrivals = ARRIVALS_POISSON, .p99_limit_ns = 101000};
		run(capacity);
		best = sweep_best_or_null(&sweep);
		assert_non_null(best);
		assert_true(fabs(best->offered / capacity - 0.901) < 0.01);
		assert_true(sweep.steps[0].offered == 0);
	}
}

static void a_limit_that_no_rate_keeps_is_said_so(void **state)
{
	(void)state;
	sweep = (struct sweep){.arrivals = ARRIVALS_POISSON, .p99_limit_ns = 100};
	run(1000);
	assert_null(sweep_best_or_null(&sweep));
}

static void a_sweep_ends_beyond_saturation(void **state)
{
	(void)state;
	sweep = (struct sweep){
		.arrivals = ARRIVALS_POISSON, .p99_limit_ns = 1000000, .rate_max = 10000};
	run(1000);
	/* 1,000 is kept up with, 2,000 is not, and nothing higher is tried. */
	for (unsigned i = 0; i < sweep.step_count; i++)
		assert_true(sweep.steps[i].offered <= 2000);
	assert_true(sweep.step_count <= 2 + 5);
}

/* Few requests at random: of 80 a fifth more or less are due. */
static void a_sweep_asks_for_what_was_due_and_not_for_the_mean(void **state)
{
	(void)state;
	for (luck = 0.8; luck < 1.3; luck += 0.1) {
		sweep = (struct sweep){
			.arrivals = ARRIVALS_POISSON, .p99_limit_ns = 1000000, .rate_max = 1000};
		run(10000);
		assert_int_equal(sweep.step_count, 12);
		assert_ptr_equal(sweep_best_or_null(&sweep), &sweep.steps[11]);
	}
	luck = 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_step_is_one_step),
		cmocka_unit_test(a_step_that_was_cut_short_is_not_the_best),
		cmocka_unit_test(a_sweep_closes_in_on_the_highest_rate_within_the_limit),
		cmocka_unit_test(a_limit_that_no_rate_keeps_is_said_so),
		cmocka_unit_test(a_sweep_ends_beyond_saturation),
		cmocka_unit_test(a_sweep_asks_for_what_was_due_and_not_for_the_mean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
