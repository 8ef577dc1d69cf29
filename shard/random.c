#include "shard/random.h"

#include "mem/check.h"

#include <errno.h>
#include <sys/random.h>

/* SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators". */
static uint64_t split_mix(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void refill(struct random *random)
{
	uint8_t *at = (uint8_t *)random->words;
	size_t left = sizeof(random->words);

	while (left) {
		ssize_t n = getrandom(at, left, 0);

		CHECK(n > 0 || errno == EINTR);
		if (n > 0) {
			at += n;
			left -= (size_t)n;
		}
	}
	random->left = sizeof(random->words) / sizeof(random->words[0]);
}

void random_init(struct random *random, uint64_t seed, uint64_t stream)
{
	random->seed = seed;
	random->left = 0;
	if (!seed)
		return;
	random->seed ^= stream << 32;
	random->seed = split_mix(&random->seed) | 1; /* never 0: that means the system */
}

uint64_t random_next(struct random *random)
{
	if (random->seed)
		return split_mix(&random->seed);
	if (!random->left)
		refill(random);
	return random->words[--random->left];
}
