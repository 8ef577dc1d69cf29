#include "kv/table.h"

#include "kv/entry.h"

#include <errno.h>
#include <sodium.h>

enum {
	SEGMENT_BUCKETS_LOG2 = 11, /* 128 KiB */
	SEGMENT_BUCKETS = 1 << SEGMENT_BUCKETS_LOG2,
	FIRST_CAP_MIN = 16, /* of the first segment, so that a small database is small */
	SEGMENT_CAP_MIN = 8,
	LOAD_MAX = 5,	 /* entries per bucket: above it is split */
	FETCH_LEN = 128, /* of an entry: its header, key and a short value */
	LOAD_MIN = 3,	 /* and below joined */
};

uint64_t table_hash(const uint8_t hash_key[16], struct slice key)
{
	uint8_t out[crypto_shorthash_siphash24_BYTES];
	uint64_t hash;

	crypto_shorthash_siphash24(out, (const uint8_t *)key.data, key.len, hash_key);
	memcpy(&hash, out, sizeof(hash));
	return hash;
}

static uint8_t tag_of(uint64_t hash)
{
	uint8_t tag = hash >> 56;

	return tag ? tag : 1;
}

void table_init(struct table *table, struct books *books, const uint8_t hash_key[16])
{
	*table = (struct table){.hash_key = hash_key, .source.books = books, .high = 1};
}

/* --- segments --- */

static struct bucket *bucket_at(const struct table *table, uint64_t i)
{
	return &table->segments[i >> SEGMENT_BUCKETS_LOG2][i & (SEGMENT_BUCKETS - 1)];
}

static int reserve_first(struct table *table)
{
	size_t cap = table->first_cap ? table->first_cap * 2 : FIRST_CAP_MIN;
	struct bucket *grown = book_grow_or_null(table->source.books, table->segments[0],
						 cap * sizeof(struct bucket));

	if (!grown)
		return -ENOMEM;
	table->segments[0] = grown;
	table->first_cap = cap;
	return 0;
}

static int reserve_directory(struct table *table)
{
	size_t cap = table->segment_cap ? table->segment_cap * 2 : SEGMENT_CAP_MIN;
	struct bucket **grown =
		book_grow_or_null(table->source.books, table->segments, cap * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	memset(grown + table->segment_cap, 0, (cap - table->segment_cap) * sizeof(*grown));
	table->segments = grown;
	table->segment_cap = cap;
	return 0;
}

/* Room for bucket number bucket_count, which is empty then. */
static int reserve_bucket(struct table *table)
{
	uint64_t i = table->bucket_count, segment = i >> SEGMENT_BUCKETS_LOG2;

	if (segment >= table->segment_cap && reserve_directory(table))
		return -ENOMEM;
	if (segment == 0) {
		if (i >= table->first_cap && reserve_first(table))
			return -ENOMEM;
	} else if (!table->segments[segment]) {
		table->segments[segment] = book_grow_or_null(
			table->source.books, NULL, SEGMENT_BUCKETS * sizeof(struct bucket));
		if (!table->segments[segment])
			return -ENOMEM;
	}
	/* Here and not with the segment: that would touch all its pages at once. */
	*bucket_at(table, i) = (struct bucket){0};
	return 0;
}

/* Bucket number bucket_count is not needed any more. */
static void release_bucket(struct table *table)
{
	uint64_t segment = table->bucket_count >> SEGMENT_BUCKETS_LOG2;

	if (segment && (table->bucket_count & (SEGMENT_BUCKETS - 1)) == 0) {
		book_free(table->source.books, table->segments[segment]);
		table->segments[segment] = NULL;
	}
}

/* --- growing and shrinking --- */

static uint64_t index_of(const struct table *table, uint64_t hash)
{
	uint64_t i = hash & table->high;

	return i < table->bucket_count ? i : hash & table->low;
}

static void set_bucket_count(struct table *table, uint64_t count)
{
	table->bucket_count = count;
	if (count > table->high) {
		table->low = table->high;
		table->high = table->high * 2 + 1;
	} else if (count <= table->low) {
		table->high = table->low;
		table->low /= 2;
	}
}

static void move_upper_half(struct table *table, struct bucket *from, struct bucket *to)
{
	for (unsigned i = chain_len(from); i-- > 0;) {
		unsigned place = i;
		struct bucket *at = chain_at(from, &place);
		struct entry *entry = at->places[place].entry;

		if (!(table_hash(table->hash_key, entry_name(entry)) & (table->low + 1)))
			continue;
		chain_add(&table->source, to, at->tags[place], entry);
		chain_remove(&table->source, from, at, place);
	}
}

/*
 * Bucket bucket_count - (low + 1) gives those that belong there to the new bucket at the end.
 * Without memory it stays as it is, only fuller.
 */
static void split(struct table *table)
{
	struct bucket *from;

	if (reserve_bucket(table))
		return;
	from = bucket_at(table, table->bucket_count - (table->low + 1));
	for (struct bucket *at = from; at; at = bucket_next_or_null(at))
		for (unsigned i = 0; i < bucket_len(at); i++)
			__builtin_prefetch(at->places[i].entry);
	if (bucket_reserve(&table->source, chain_len(from)) == 0) {
		move_upper_half(table, from, bucket_at(table, table->bucket_count));
		set_bucket_count(table, table->bucket_count + 1);
	}
	bucket_unreserve(&table->source);
}

/* The last bucket's entries go back to where they came from: its number without the highest bit. */
static void join(struct table *table)
{
	uint64_t last = table->bucket_count - 1;
	struct bucket *from = bucket_at(table, last), *at = from;
	struct bucket *to = bucket_at(table, last ^ UINT64_C(1) << (63 - __builtin_clzll(last)));

	if (bucket_reserve(&table->source, chain_len(from) + chain_len(to)) == 0) {
		for (; at; at = bucket_next_or_null(at))
			for (unsigned i = 0; i < bucket_len(at); i++)
				chain_add(&table->source, to, at->tags[i], at->places[i].entry);
		chain_free(&table->source, from);
		set_bucket_count(table, last);
		release_bucket(table);
	}
	bucket_unreserve(&table->source);
}

static void shrink(struct table *table)
{
	if (!table->paused && table->bucket_count > 1 &&
	    table->count < table->bucket_count * LOAD_MIN)
		join(table);
}

void table_fini(struct table *table)
{
	for (size_t i = 0; i < table->segment_cap; i++)
		book_free(table->source.books, table->segments[i]);
	book_free(table->source.books, table->segments);
}

/* --- entries --- */

static bool has_key(const struct entry *entry, struct slice key)
{
	return slice_equal(entry_name(entry), key);
}

struct entry **table_find_or_null(const struct table *table, uint64_t hash, struct slice key)
{
	struct bucket *bucket;
	uint8_t tag = tag_of(hash);

	if (table->count == 0)
		return NULL;
	for (bucket = bucket_at(table, index_of(table, hash)); bucket;
	     bucket = bucket_next_or_null(bucket)) {
		for (uint64_t found = bucket_matches(bucket, tag); found; found &= found - 1) {
			unsigned i = (unsigned)__builtin_ctzll(found) / 8;

			if (bucket->tags[i] == tag && has_key(bucket->places[i].entry, key))
				return &bucket->places[i].entry;
		}
	}
	return NULL;
}

void table_foresee(const struct table *table, uint64_t hash)
{
	if (table->count > 0)
		__builtin_prefetch(bucket_at(table, index_of(table, hash)));
}

/* Of the first bucket of the chain, and of those with the same tag the first: nearly always it. */
void table_fetch(const struct table *table, uint64_t hash)
{
	const struct bucket *bucket;
	uint64_t found;
	const char *entry;

	if (table->count == 0)
		return;
	bucket = bucket_at(table, index_of(table, hash));
	found = bucket_matches(bucket, tag_of(hash));
	if (!found)
		return;
	entry = (const char *)bucket->places[(unsigned)__builtin_ctzll(found) / 8].entry;
	for (unsigned at = 0; at < FETCH_LEN; at += 64)
		__builtin_prefetch(entry + at);
}

struct entry *table_find_hash_or_null(const struct table *table, uint64_t hash)
{
	struct bucket *bucket;

	if (table->count == 0)
		return NULL;
	for (bucket = bucket_at(table, index_of(table, hash)); bucket;
	     bucket = bucket_next_or_null(bucket)) {
		for (unsigned i = 0; i < bucket_len(bucket); i++) {
			struct entry *entry = bucket->places[i].entry;

			if (bucket->tags[i] == tag_of(hash) &&
			    table_hash(table->hash_key, entry_name(entry)) == hash)
				return entry;
		}
	}
	return NULL;
}

struct entry **table_place_or_null(const struct table *table, uint64_t hash,
				   const struct entry *entry)
{
	struct bucket *bucket = NULL;
	unsigned place;

	if (table->count)
		bucket = chain_find_or_null(bucket_at(table, index_of(table, hash)), tag_of(hash),
					    entry, &place);
	return bucket ? &bucket->places[place].entry : NULL;
}

int table_add(struct table *table, uint64_t hash, struct entry *entry)
{
	if (table->bucket_count == 0) {
		if (reserve_bucket(table))
			return -ENOMEM;
		set_bucket_count(table, 1);
	}
	if (chain_add(&table->source, bucket_at(table, index_of(table, hash)), tag_of(hash), entry))
		return -ENOMEM;
	if (++table->count > table->bucket_count * LOAD_MAX)
		split(table);
	return 0;
}

bool table_remove(struct table *table, uint64_t hash, const struct entry *entry)
{
	struct bucket *head, *bucket;
	unsigned place;

	if (table->count == 0)
		return false;
	head = bucket_at(table, index_of(table, hash));
	bucket = chain_find_or_null(head, tag_of(hash), entry, &place);
	if (!bucket)
		return false;
	chain_remove(&table->source, head, bucket, place);
	table->count--;
	shrink(table);
	return true;
}

/* --- many entries --- */

static uint64_t reverse(uint64_t v)
{
	v = (v >> 1 & UINT64_C(0x5555555555555555)) | (v & UINT64_C(0x5555555555555555)) << 1;
	v = (v >> 2 & UINT64_C(0x3333333333333333)) | (v & UINT64_C(0x3333333333333333)) << 2;
	v = (v >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (v & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4;
	return __builtin_bswap64(v);
}

/* Which low bits of a hash bring it to bucket i. */
static uint64_t mask_of(const struct table *table, uint64_t i)
{
	bool is_split = i > table->low || i + table->low + 1 < table->bucket_count;

	return is_split ? table->high : table->low;
}

/*
 * Seen from their lowest bit on, the hashes of one bucket are an interval, which splitting halves
 * and joining restores. The cursor is where an interval begins: all that lies before has been
 * visited, whatever the buckets were then. Removal moves the last of a chain into the gap, so
 * chains are visited from behind.
 */
uint64_t table_scan(struct table *table, uint64_t cursor,
		    void (*visit)(void *arg, struct entry *entry), void *arg)
{
	uint64_t i = index_of(table, cursor), count = table->count, mask = mask_of(table, i);
	struct bucket *head;

	if (count == 0)
		return 0;
	head = bucket_at(table, i);
	table->paused = true;
	for (unsigned n = chain_len(head); n-- > 0;) {
		unsigned place = n;
		struct bucket *bucket = chain_at(head, &place);

		visit(arg, bucket->places[place].entry);
	}
	table->paused = false;
	for (; count > table->count; count--)
		shrink(table);
	return reverse(reverse(cursor | ~mask) + 1);
}

/* A bucket's number and a place in it, each with the same odds. There is an entry at all. */
static uint64_t random_place(const struct table *table, struct dice *dice, unsigned *place)
{
	enum { CHAIN_LEN_LIKELY = 16 }; /* more are in hardly any chain: those have less */

	for (;;) {
		uint64_t i = dice_below(dice, table->bucket_count);
		unsigned len = chain_len(bucket_at(table, i));

		*place =
			(unsigned)dice_below(dice, len > CHAIN_LEN_LIKELY ? len : CHAIN_LEN_LIKELY);
		if (*place < len)
			return i;
	}
}

struct entry *table_random_or_null(const struct table *table, struct dice *dice)
{
	struct bucket *bucket;
	unsigned place;

	if (table->count == 0)
		return NULL;
	bucket = bucket_at(table, random_place(table, dice, &place));
	bucket = chain_at(bucket, &place);
	return bucket->places[place].entry;
}

/*
 * From an entry by chance on, so that each is in as many samples as any other, whatever stands
 * before it. From buckets on it would not be so, and what is evicted most would be.
 */
unsigned table_sample(const struct table *table, struct dice *dice, struct entry **out,
		      unsigned max)
{
	unsigned found = 0, at;
	uint64_t i, left = table->bucket_count + 1; /* the first again, for what is before at */

	if (table->count == 0)
		return 0;
	i = random_place(table, dice, &at);
	for (; left && found < max; left--) {
		struct bucket *head = bucket_at(table, i);

		for (unsigned len = chain_len(head); at < len && found < max; at++) {
			unsigned place = at;
			struct bucket *bucket = chain_at(head, &place);

			out[found++] = bucket->places[place].entry;
		}
		at = 0;
		i = i + 1 == table->bucket_count ? 0 : i + 1;
	}
	return found;
}

unsigned table_drop_bucket(struct table *table, void (*drop)(void *arg, struct entry *entry),
			   void *arg)
{
	struct bucket *head;
	unsigned len;

	if (table->bucket_count == 0)
		return 0;
	head = bucket_at(table, table->bucket_count - 1);
	len = chain_len(head);
	for (unsigned i = 0; i < len; i++) {
		unsigned place = i;
		struct bucket *bucket = chain_at(head, &place);

		drop(arg, bucket->places[place].entry);
		table->count--;
	}
	chain_free(&table->source, head);
	table->bucket_count--;
	release_bucket(table);
	return len + 1;
}
