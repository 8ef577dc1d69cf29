#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load/arrivals.h"

#include <math.h>
#include <stdlib.h>

enum { COUNT = 200000 };

static struct arrivals arrivals;

static void fixed_arrivals_are_even_and_those_of_two_shards_interleave(void **state)
{
	struct arrivals other;

	(void)state;
	arrivals_init(&arrivals, ARRIVALS_FIXED, 1000, 1, 0, 2, 5000000, 1);
	arrivals_init(&other, ARRIVALS_FIXED, 1000, 1, 1, 2, 5000000, 1);
	for (uint64_t i = 0; i < 1000; i++) {
		assert_int_equal(arrivals_next_ns(&arrivals), 5000000 + 250000 + i * 1000000);
		assert_int_equal(arrivals_next_ns(&other), 5000000 + 750000 + i * 1000000);
	}
}

/* A rate that is no whole number of nanoseconds: nothing adds up. */
static void fixed_arrivals_keep_their_rate_for_days(void **state)
{
	uint64_t last_ns = 0;

	(void)state;
	arrivals_init(&arrivals, ARRIVALS_FIXED, 3, 1, 0, 1, 0, 1);
	for (unsigned i = 0; i < 3 * 86400; i++)
		last_ns = arrivals_next_ns(&arrivals);
	assert_in_range(last_ns, UINT64_C(86399833333332), UINT64_C(86399833333334));
}

static void an_incast_is_due_at_one_moment_and_again_a_period_later(void **state)
{
	(void)state;
	arrivals_init(&arrivals, ARRIVALS_INCAST, 1000, 10, 1, 2, 7, 1);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(arrivals_next_ns(&arrivals), 7 + i / 10 * 10000000);
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov: the largest distance to the exponential distribution, at 1 in 1000. */
static void gaps_of_poisson_arrivals_are_exponential(void **state)
{
	double *gaps = malloc(COUNT * sizeof(*gaps)), far = 0;
	uint64_t last_ns = 0, ns;

	(void)state;
	assert_non_null(gaps);
	arrivals_init(&arrivals, ARRIVALS_POISSON, 10, 1, 0, 1, 0, 42);
	for (unsigned i = 0; i < COUNT; i++, last_ns = ns) {
		ns = arrivals_next_ns(&arrivals);
		assert_true(ns >= last_ns);
		gaps[i] = (double)(ns - last_ns) / 1e8;
	}
	qsort(gaps, COUNT, sizeof(*gaps), by_size);
	for (unsigned i = 0; i < COUNT; i++)
		far = fmax(far, fabs(1 - exp(-gaps[i]) - (i + 0.5) / COUNT));
	assert_true(far < 1.95 / sqrt(COUNT));
	free(gaps);
}

/* A gap says nothing about the next one. */
static void gaps_of_poisson_arrivals_are_independent(void **state)
{
	double before = 0, sum = 0;
	uint64_t last_ns = 0, ns;

	(void)state;
	arrivals_init(&arrivals, ARRIVALS_POISSON, 10, 1, 0, 1, 0, 43);
	for (unsigned i = 0; i < COUNT; i++, last_ns = ns) {
		const double gap = (double)((ns = arrivals_next_ns(&arrivals)) - last_ns) / 1e8 - 1;

		sum += gap * before;
		before = gap;
	}
	assert_true(fabs(sum / COUNT) < 3.3 / sqrt(COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_arrivals_are_even_and_those_of_two_shards_interleave),
		cmocka_unit_test(fixed_arrivals_keep_their_rate_for_days),
		cmocka_unit_test(an_incast_is_due_at_one_moment_and_again_a_period_later),
		cmocka_unit_test(gaps_of_poisson_arrivals_are_exponential),
		cmocka_unit_test(gaps_of_poisson_arrivals_are_independent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
