#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load/keys.h"

#include <math.h>
#include <string.h>

enum { DRAW_COUNT = 400000, KEY_MAX = 1000 };

static uint64_t seen[KEY_MAX];
static struct keys keys;

static void draw_many(enum keys_kind kind, uint64_t count, double exponent)
{
	struct dice dice;

	dice_init(&dice, 7);
	memset(seen, 0, sizeof(seen));
	keys_init(&keys, kind, count, exponent);
	for (unsigned i = 0; i < DRAW_COUNT; i++) {
		const uint64_t key = keys_draw(&keys, &dice);

		assert_true(key < count);
		seen[key]++;
	}
}

/* The chi-squared sum against the weights 1 / k^exponent, as a number of its standard deviations.
 */
static double far_from_zipf(uint64_t count, double exponent)
{
	double all = 0, sum = 0;

	for (uint64_t k = 1; k <= count; k++)
		all += pow((double)k, -exponent);
	for (uint64_t k = 1; k <= count; k++) {
		const double expected = DRAW_COUNT * pow((double)k, -exponent) / all;

		sum += ((double)seen[k - 1] - expected) * ((double)seen[k - 1] - expected) /
		       expected;
	}
	return (sum - (double)(count - 1)) / sqrt(2.0 * (double)(count - 1));
}

static void zipf_draws_each_key_by_its_weight(void **state)
{
	static const double exponents[] = {0.5, 0.99, 1.0, 1.2};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		draw_many(KEYS_ZIPF, KEY_MAX, exponents[i]);
		assert_true(fabs(far_from_zipf(KEY_MAX, exponents[i])) < 4);
		/* The test can tell an exponent from its neighbour. */
		assert_true(far_from_zipf(KEY_MAX, exponents[i] + 0.03) > 8);
	}
}

static void zipf_of_few_keys_is_as_right(void **state)
{
	(void)state;
	draw_many(KEYS_ZIPF, 1, 0.99);
	assert_int_equal(seen[0], DRAW_COUNT);
	for (uint64_t count = 2; count < 6; count++) {
		draw_many(KEYS_ZIPF, count, 0.99);
		assert_true(fabs(far_from_zipf(count, 0.99)) < 4);
	}
}

/* Of 10^9 keys the first has the share 1 / sum of k^-0.99, which is 1 / 23.6. */
static void zipf_of_very_many_keys_needs_no_table(void **state)
{
	struct dice dice;
	unsigned first = 0;

	(void)state;
	dice_init(&dice, 9);
	keys_init(&keys, KEYS_ZIPF, 1000000000, 0.99);
	for (unsigned i = 0; i < DRAW_COUNT; i++)
		first += keys_draw(&keys, &dice) == 0;
	assert_in_range(first, 16500, 17500);
}

static void uniform_keys_are_alike(void **state)
{
	(void)state;
	draw_many(KEYS_UNIFORM, KEY_MAX, 1);
	assert_true(fabs(far_from_zipf(KEY_MAX, 0)) < 4);
}

static void one_hot_key_is_one(void **state)
{
	(void)state;
	draw_many(KEYS_HOT, KEY_MAX, 1);
	assert_int_equal(seen[0], DRAW_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zipf_draws_each_key_by_its_weight),
		cmocka_unit_test(zipf_of_few_keys_is_as_right),
		cmocka_unit_test(zipf_of_very_many_keys_needs_no_table),
		cmocka_unit_test(uniform_keys_are_alike),
		cmocka_unit_test(one_hot_key_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
