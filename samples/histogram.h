/*
 * A log-linear histogram of durations: every power of two is cut into 1024 equal parts, so a figure
 * read back is less than 0.1 % too large, whatever its size: three significant digits. Adding costs
 * a few instructions; no memory is allocated. One writer; others may read what it writes meanwhile,
 * and see each number as it was a moment ago.
 */
#ifndef SAMPLES_HISTOGRAM_H
#define SAMPLES_HISTOGRAM_H

#include <stdint.h>

enum {
	HISTOGRAM_PART_BITS = 10,
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

/* Not torn for a reader on another thread; there is one writer. */
static inline void histogram_grow(uint64_t *number, uint64_t by)
{
	__atomic_store_n(number, *number + by, __ATOMIC_RELAXED);
}

static inline void histogram_add(struct histogram *h, uint64_t value)
{
	histogram_grow(&h->count, 1);
	histogram_grow(&h->sum, value);
	if (value > h->max)
		__atomic_store_n(&h->max, value, __ATOMIC_RELAXED);
	histogram_grow(&h->buckets[histogram_bucket(value)], 1);
}

/* Adds all of from to h. */
void histogram_merge(struct histogram *h, const struct histogram *from);
/* Adds what from has more than before, an earlier copy of it, and makes before equal to from: the
 * last interval of a histogram that grows meanwhile. The largest value is then the end of its
 * bucket. */
void histogram_merge_since(struct histogram *h, const struct histogram *from,
			   struct histogram *before);
/* The last value that falls into the bucket. */
uint64_t histogram_bucket_end(unsigned bucket);
/* The smallest value that at least this share of the values does not exceed, 0 < share <= 1,
 * rounded up to the end of its bucket but never above the largest; 0 when empty. */
uint64_t histogram_quantile(const struct histogram *h, double share);

#endif
