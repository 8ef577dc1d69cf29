/* Seeded random numbers: xoshiro256** by Blackman and Vigna, begun with splitmix64. */
#ifndef LOAD_DICE_H
#define LOAD_DICE_H

#include <stdint.h>

struct dice {
	uint64_t s[4];
};

/* A step of splitmix64's finaliser: a bijection that leaves no trace of its argument's order. */
static inline uint64_t dice_mix(uint64_t z)
{
	z += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline void dice_init(struct dice *dice, uint64_t seed)
{
	for (unsigned i = 0; i < 4; i++)
		dice->s[i] = seed = dice_mix(seed + i);
}

static inline uint64_t dice_rotate(uint64_t x, int by)
{
	return (x << by) | (x >> (64 - by));
}

static inline uint64_t dice_next(struct dice *dice)
{
	uint64_t *s = dice->s, out = dice_rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = dice_rotate(s[3], 45);
	return out;
}

/* Evenly in (0, 1]: its logarithm is finite. */
static inline double dice_unit(struct dice *dice)
{
	return (double)((dice_next(dice) >> 11) + 1) * 0x1p-53;
}

/* Evenly in 0 .. count - 1, count not 0: the upper half of a product, so that nothing is divided.
 * The error is below count / 2^64. */
static inline uint64_t dice_below(struct dice *dice, uint64_t count)
{
	return (uint64_t)(((unsigned __int128)dice_next(dice) * count) >> 64);
}

#endif
