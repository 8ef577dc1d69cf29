/*
 * Which element of an array does an offset fall on, without a division: multiplication by the
 * rounded-up reciprocal, exact while offset * len stays below 2^64 (Granlund & Montgomery,
 * "Division by invariant integers using multiplication").
 */
#ifndef MEM_STRIDE_H
#define MEM_STRIDE_H

#include <stdbool.h>
#include <stdint.h>

struct stride {
	uint64_t len;	     /* bytes from element to element, at least 2 */
	uint64_t reciprocal; /* 2^64 / len, rounded up */
};

static inline struct stride stride_make(uint64_t len)
{
	return (struct stride){.len = len, .reciprocal = UINT64_MAX / len + 1};
}

/* True if the offset is an element's beginning; *index is then the element. */
static inline bool stride_index(const struct stride *stride, uint64_t offset, uint64_t *index)
{
	*index = (uint64_t)(((unsigned __int128)offset * stride->reciprocal) >> 64);
	return *index * stride->len == offset;
}

#endif
