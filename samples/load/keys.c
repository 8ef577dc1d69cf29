#include "load/keys.h"

#include <math.h>

/* expm1(x) / x and log1p(x) / x, with their limits where x is next to nothing. */
static double expm1_over(double x)
{
	return fabs(x) > 1e-8 ? expm1(x) / x : 1 + x / 2;
}

static double log1p_over(double x)
{
	return fabs(x) > 1e-8 ? log1p(x) / x : 1 - x / 2;
}

/* The hat 1 / x^exponent, its integral from 1, and the inverse of that. */
static double hat(const struct keys *keys, double x)
{
	return exp(-keys->exponent * log(x));
}

static double area(const struct keys *keys, double x)
{
	const double l = log(x);

	return l * expm1_over((1 - keys->exponent) * l);
}

static double area_inverse(const struct keys *keys, double a)
{
	const double t = fmax(a * (1 - keys->exponent), -1);

	return exp(a * log1p_over(t));
}

void keys_init(struct keys *keys, enum keys_kind kind, uint64_t count, double exponent)
{
	*keys = (struct keys){.kind = kind, .count = count, .exponent = exponent};
	keys->area_begin = area(keys, 1.5) - 1;
	keys->area_end = area(keys, (double)count + 0.5);
	keys->shortcut = 2 - area_inverse(keys, area(keys, 2.5) - hat(keys, 2));
}

/* A point under the hat is drawn by its area, and rounded to the bar that stands there; it is
 * thrown away where the hat is above the bar. */
static uint64_t draw_zipf(const struct keys *keys, struct dice *dice)
{
	for (;;) {
		const double a =
			keys->area_end + dice_unit(dice) * (keys->area_begin - keys->area_end);
		const double x = area_inverse(keys, a);
		double k = floor(x + 0.5);

		k = fmin(fmax(k, 1), (double)keys->count);
		if (k - x <= keys->shortcut || a >= area(keys, k + 0.5) - hat(keys, k))
			return (uint64_t)k - 1;
	}
}

uint64_t keys_draw(const struct keys *keys, struct dice *dice)
{
	if (keys->kind == KEYS_UNIFORM)
		return dice_below(dice, keys->count);
	return keys->kind == KEYS_ZIPF ? draw_zipf(keys, dice) : 0;
}
