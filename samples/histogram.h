/*
 * A log-linear histogram of durations: every power of two is cut into 64 equal parts, so a figure
 * read back is at most 1.6 % too large, whatever its size. Adding costs a few instructions; no
 * memory is allocated. One writer.
 */
#ifndef SAMPLES_HISTOGRAM_H
#define SAMPLES_HISTOGRAM_H

#include <stdint.h>

enum {
	HISTOGRAM_PART_BITS = 6,
	HISTOGRAM_PART_COUNT = 1 << HISTOGRAM_PART_BITS,
	HISTOGRAM_BUCKET_COUNT = (64 - HISTOGRAM_PART_BITS + 1) * HISTOGRAM_PART_COUNT,
};

/* All zero: empty. */
struct histogram {
	uint64_t count, sum, max;
	uint64_t buckets[HISTOGRAM_BUCKET_COUNT];
};

static inline unsigned histogram_bucket(uint64_t value)
{
	unsigned shift;

	if (value < HISTOGRAM_PART_COUNT)
		return (unsigned)value;
	shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_PART_BITS;
	return (shift << HISTOGRAM_PART_BITS) + (unsigned)(value >> shift);
}

static inline void histogram_add(struct histogram *h, uint64_t value)
{
	h->count++;
	h->sum += value;
	if (value > h->max)
		h->max = value;
	h->buckets[histogram_bucket(value)]++;
}

/* Adds all of from to h. */
void histogram_merge(struct histogram *h, const struct histogram *from);
/* The smallest value that at least this share of the values does not exceed, 0 < share <= 1,
 * rounded up to the end of its bucket but never above the largest; 0 when empty. */
uint64_t histogram_quantile(const struct histogram *h, double share);

#endif
