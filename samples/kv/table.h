/*
 * A hash table of entries by their keys, with a keyed hash (SipHash-2-4: who does not know the key
 * cannot make keys collide). It grows and shrinks by one bucket at a time, as linear hashing does
 * (Litwin, VLDB 1980): no operation touches more than three buckets, there is never a second table,
 * and the load is the same at all sizes. One thread.
 */
#ifndef KV_TABLE_H
#define KV_TABLE_H

#include "kv/bucket.h"
#include "kv/dice.h"
#include "kv/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct entry;

struct table {
	struct bucket **segments; /* of which the first may be short */
	size_t segment_cap, first_cap;
	uint64_t bucket_count; /* low < bucket_count <= high: buckets above low are split off */
	uint64_t low, high;    /* masks: 2^n - 1, 2^(n+1) - 1 */
	uint64_t count;	       /* entries */
	const uint8_t *hash_key;
	struct bucket_source source;
	bool paused; /* does not shrink */
};

void table_init(struct table *table, struct books *books, const uint8_t hash_key[16]);
/* The tables only; entries are the caller's. */
void table_fini(struct table *table);
uint64_t table_hash(const uint8_t hash_key[16], struct slice key);
/* Where the entry's pointer is, until the next change. */
struct entry **table_find_or_null(const struct table *table, uint64_t hash, struct slice key);
/* Begins to fetch from memory the bucket, and of a bucket that is there the entry. */
void table_foresee(const struct table *table, uint64_t hash);
void table_fetch(const struct table *table, uint64_t hash);
/* An entry whose key has that hash: it is one, since they are 64 bits. */
struct entry *table_find_hash_or_null(const struct table *table, uint64_t hash);
/* Where the pointer of an entry is that is in the table. */
struct entry **table_place_or_null(const struct table *table, uint64_t hash,
				   const struct entry *entry);
/* Its key is not in the table. 0 or -ENOMEM. */
int table_add(struct table *table, uint64_t hash, struct entry *entry);
/* False: it was not there. */
bool table_remove(struct table *table, uint64_t hash, const struct entry *entry);
/* See store_scan(). */
uint64_t table_scan(struct table *table, uint64_t cursor,
		    void (*visit)(void *arg, struct entry *entry), void *arg);
/* All with nearly the same odds; NULL: there are none. */
struct entry *table_random_or_null(const struct table *table, struct dice *dice);
/* Up to max entries that chance put beside each other; at least one if there are any. One may be
 * there twice if they are few. */
unsigned table_sample(const struct table *table, struct dice *dice, struct entry **out,
		      unsigned max);
/* Takes a bucket away with all that is in it. How many things that were; 0: the table is empty. */
unsigned table_drop_bucket(struct table *table, void (*drop)(void *arg, struct entry *entry),
			   void *arg);

#endif
