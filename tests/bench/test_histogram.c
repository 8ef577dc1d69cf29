#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "histogram.h"

#include <string.h>

static struct histogram h;

static int setup(void **state)
{
	(void)state;
	memset(&h, 0, sizeof(h));
	return 0;
}

static void an_empty_histogram_has_no_quantiles(void **state)
{
	(void)state;
	assert_int_equal(histogram_quantile(&h, 0.5), 0);
	assert_int_equal(histogram_quantile(&h, 1.0), 0);
}

static void small_values_are_exact(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 100; i++)
		histogram_add(&h, i);
	assert_int_equal(histogram_quantile(&h, 0.01), 1);
	assert_int_equal(histogram_quantile(&h, 0.50), 50);
	assert_int_equal(histogram_quantile(&h, 0.99), 99);
	assert_int_equal(histogram_quantile(&h, 1.0), 100);
	assert_int_equal(h.count, 100);
	assert_int_equal(h.sum, 5050);
}

/* One value below, one above: the quantile is the one below, rounded up within its bucket. */
static void every_value_comes_back_less_than_a_thousandth_too_large(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		for (int step = -1; step <= 1; step++) {
			uint64_t value = (UINT64_C(1) << bit) + (uint64_t)(int64_t)step, got;

			memset(&h, 0, sizeof(h));
			histogram_add(&h, value);
			histogram_add(&h, UINT64_MAX);
			got = histogram_quantile(&h, 0.5);
			assert_true(got >= value);
			assert_true(got - value <= value / 1000);
		}
	}
}

static void no_quantile_is_above_the_largest_value(void **state)
{
	(void)state;
	histogram_add(&h, 1000003);
	assert_int_equal(histogram_quantile(&h, 1.0), 1000003);
}

static void two_histograms_merge_into_one(void **state)
{
	static struct histogram other;

	(void)state;
	for (uint64_t i = 1; i <= 50; i++) {
		histogram_add(&h, i);
		histogram_add(&other, i + 50);
	}
	histogram_merge(&h, &other);
	assert_int_equal(h.count, 100);
	assert_int_equal(h.sum, 5050);
	assert_int_equal(h.max, 100);
	assert_int_equal(histogram_quantile(&h, 0.5), 50);
	assert_int_equal(histogram_quantile(&h, 0.75), 75);
}

static void what_came_since_the_last_look_is_told_apart(void **state)
{
	static struct histogram before, last;

	(void)state;
	histogram_add(&h, 5);
	histogram_merge_since(&last, &h, &before);
	assert_int_equal(last.count, 1);
	memset(&last, 0, sizeof(last));
	histogram_add(&h, 7);
	histogram_add(&h, 9);
	histogram_merge_since(&last, &h, &before);
	assert_int_equal(last.count, 2);
	assert_int_equal(histogram_quantile(&last, 0.5), 7);
	assert_int_equal(histogram_quantile(&last, 1.0), 9);
	memset(&last, 0, sizeof(last));
	histogram_merge_since(&last, &h, &before);
	assert_int_equal(last.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_histogram_has_no_quantiles, setup),
		cmocka_unit_test_setup(small_values_are_exact, setup),
		cmocka_unit_test_setup(every_value_comes_back_less_than_a_thousandth_too_large,
				       setup),
		cmocka_unit_test_setup(no_quantile_is_above_the_largest_value, setup),
		cmocka_unit_test_setup(two_histograms_merge_into_one, setup),
		cmocka_unit_test_setup(what_came_since_the_last_look_is_told_apart, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
