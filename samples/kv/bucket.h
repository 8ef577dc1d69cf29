/*
 * What a hash table consists of: a bucket is a cache line, with seven entries and eight bits of
 * each one's hash. What does not fit goes into another one that is chained to it.
 */
#ifndef KV_BUCKET_H
#define KV_BUCKET_H

#include "kv/books.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct entry;

/*
 * In a chain all buckets but the last are full; the last place of one that is chained holds the
 * pointer to the next. Places are filled from the first on; tags of places without an entry are 0.
 */
enum { BUCKET_LEN = 7, BUCKET_LAST = BUCKET_LEN - 1 };

union place {
	struct entry *entry;
	struct bucket *next;
};

struct bucket {
	uint8_t tags[BUCKET_LEN]; /* not 0 */
	uint8_t chained;
	union place places[BUCKET_LEN];
};

/* Where chained buckets come from. */
struct bucket_source {
	struct books *books;
	struct bucket *spares; /* in the middle of something that must not fail */
};

/* The block, grown, with its size in the books; old may be NULL. NULL: it is as it was. */
void *book_grow_or_null(struct books *books, void *old, size_t size);
void book_free(struct books *books, void *block);

/* Enough for a chain that is to be len long, so that chain_add() cannot fail. 0 or -ENOMEM. */
int bucket_reserve(struct bucket_source *source, unsigned len);
/* What was reserved and is not used. */
void bucket_unreserve(struct bucket_source *source);

/* To the end of the chain. 0 or -ENOMEM. */
int chain_add(struct bucket_source *source, struct bucket *head, uint8_t tag, struct entry *entry);
/* The chain's last entry takes the place of the one at bucket's place i. */
void chain_remove(struct bucket_source *source, struct bucket *head, struct bucket *bucket,
		  unsigned i);
/* The head is empty then. */
void chain_free(struct bucket_source *source, struct bucket *head);
unsigned chain_len(const struct bucket *head);
/* The bucket and place of the chain's *i-th entry. */
struct bucket *chain_at(struct bucket *head, unsigned *i);
/* The bucket in the chain and the place in it; NULL: it is not there. */
struct bucket *chain_find_or_null(struct bucket *head, uint8_t tag, const struct entry *entry,
				  unsigned *place);

/* Of the bucket alone. */
static inline unsigned bucket_len(const struct bucket *bucket)
{
	uint64_t tags;

	if (bucket->chained)
		return BUCKET_LAST;
	memcpy(&tags, bucket, sizeof(tags));
	return tags ? (unsigned)(63 - __builtin_clzll(tags)) / 8 + 1 : 0;
}

/* NULL: it is the last. */
static inline struct bucket *bucket_next_or_null(const struct bucket *bucket)
{
	return bucket->chained ? bucket->places[BUCKET_LAST].next : NULL;
}

/* A bit at 8 * i + 7 for each place i with that tag; above a true one there may be false ones. */
static inline uint64_t bucket_matches(const struct bucket *bucket, uint8_t tag)
{
	uint64_t ones = UINT64_C(0x0101010101010101), tags;

	memcpy(&tags, bucket, sizeof(tags));
	tags ^= ones * tag;
	return (tags - ones) & ~tags & UINT64_C(0x0080808080808080);
}

#endif
