/*
 * A shard's randomness. Without a seed it comes from the system's generator, a page at a time; with
 * one it is repeatable, for tests and simulations only.
 */
#ifndef SHARD_RANDOM_H
#define SHARD_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t seed; /* 0: the system's */
	uint64_t words[64];
	unsigned left;
};

/* stream tells the generators of one seed apart. */
void random_init(struct random *random, uint64_t seed, uint64_t stream);
uint64_t random_next(struct random *random);

#endif
