/* What a store takes, by true size, and the most that it ever took. */
#ifndef KV_BOOKS_H
#define KV_BOOKS_H

#include <stdint.h>

struct books {
	uint64_t used, peak; /* bytes */
};

static inline void books_add(struct books *books, uint64_t size)
{
	books->used += size;
	if (books->used > books->peak)
		books->peak = books->used;
}

static inline void books_sub(struct books *books, uint64_t size)
{
	books->used -= size;
}

#endif
