#include "histogram.h"

uint64_t histogram_bucket_end(unsigned bucket)
{
	unsigned shift;
	uint64_t part;

	if (bucket < 2 * HISTOGRAM_PART_COUNT)
		return bucket;
	shift = (bucket >> HISTOGRAM_PART_BITS) - 1;
	part = bucket - ((uint64_t)shift << HISTOGRAM_PART_BITS);
	return (part << shift) + ((UINT64_C(1) << shift) - 1);
}

void histogram_merge(struct histogram *h, const struct histogram *from)
{
	h->count += from->count;
	h->sum += from->sum;
	if (from->max > h->max)
		h->max = from->max;
	for (unsigned i = 0; i < HISTOGRAM_BUCKET_COUNT; i++)
		h->buckets[i] += from->buckets[i];
}

void histogram_merge_since(struct histogram *h, const struct histogram *from,
			   struct histogram *before)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKET_COUNT; i++) {
		uint64_t count = __atomic_load_n(&from->buckets[i], __ATOMIC_RELAXED);
		uint64_t more = count - before->buckets[i];

		if (!more)
			continue;
		before->buckets[i] = count;
		before->count += more;
		h->buckets[i] += more;
		h->count += more;
		if (histogram_bucket_end(i) > h->max)
			h->max = histogram_bucket_end(i);
	}
}

uint64_t histogram_quantile(const struct histogram *h, double share)
{
	double exact = share * (double)h->count;
	uint64_t rank = (uint64_t)exact, seen = 0;

	if (h->count == 0)
		return 0;
	if ((double)rank < exact || rank == 0)
		rank++;
	for (unsigned i = 0; i < HISTOGRAM_BUCKET_COUNT; i++) {
		seen += h->buckets[i];
		if (seen >= rank)
			return histogram_bucket_end(i) < h->max ? histogram_bucket_end(i) : h->max;
	}
	return h->max;
}
