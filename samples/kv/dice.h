/* Chance for what needs no secrecy (which entry to look at): splitmix64, by Steele and others. */
#ifndef KV_DICE_H
#define KV_DICE_H

#include <stdint.h>

struct dice {
	uint64_t state; /* any seed */
};

static inline uint64_t dice_roll(struct dice *dice)
{
	uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Less than limit, all nearly alike; limit at most 2^32. */
static inline uint64_t dice_below(struct dice *dice, uint64_t limit)
{
	return (dice_roll(dice) >> 32) * limit >> 32;
}

#endif
