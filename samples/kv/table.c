#include "kv/table.h"

#include "kv/entry.h"
#include "kv/heap.h"

#include <errno.h>
#include <sodium/crypto_shorthash_siphash24.h>

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
	uint8_t tags[BUCKET_LEN];
	uint8_t chained;
	union place places[BUCKET_LEN];
};

enum {
	SEGMENT_BUCKETS_LOG2 = 11, /* 128 KiB */
	SEGMENT_BUCKETS = 1 << SEGMENT_BUCKETS_LOG2,
	FIRST_CAP_MIN = 16, /* of the first segment, so that a small database is small */
	SEGMENT_CAP_MIN = 8,
	LOAD_MAX = 5, /* entries per bucket: above it is split */
	LOAD_MIN = 3, /* and below joined */
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
	*table = (struct table){.hash_key = hash_key, .books = books, .high = 1};
}

/* --- segments --- */

static struct bucket *bucket_at(const struct table *table, uint64_t i)
{
	return &table->segments[i >> SEGMENT_BUCKETS_LOG2][i & (SEGMENT_BUCKETS - 1)];
}

static void *book_alloc_or_null(struct table *table, void *old, size_t size)
{
	size_t old_size = heap_size(old);
	void *block = heap_grow_or_null(old, size);

	if (block) {
		books_sub(table->books, old_size);
		books_add(table->books, heap_size(block));
	}
	return block;
}

static void book_free(struct table *table, void *block)
{
	books_sub(table->books, heap_size(block));
	heap_free(block);
}

static int reserve_first(struct table *table)
{
	size_t cap = table->first_cap ? table->first_cap * 2 : FIRST_CAP_MIN;
	struct bucket *grown =
		book_alloc_or_null(table, table->segments[0], cap * sizeof(struct bucket));

	if (!grown)
		return -ENOMEM;
	table->segments[0] = grown;
	table->first_cap = cap;
	return 0;
}

static int reserve_directory(struct table *table)
{
	size_t cap = table->segment_cap ? table->segment_cap * 2 : SEGMENT_CAP_MIN;
	struct bucket **grown = book_alloc_or_null(table, table->segments, cap * sizeof(*grown));

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
		table->segments[segment] =
			book_alloc_or_null(table, NULL, SEGMENT_BUCKETS * sizeof(struct bucket));
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
		book_free(table, table->segments[segment]);
		table->segments[segment] = NULL;
	}
}

/* --- chains --- */

static unsigned bucket_len(const struct bucket *bucket)
{
	uint64_t tags;

	if (bucket->chained)
		return BUCKET_LAST;
	memcpy(&tags, bucket, sizeof(tags));
	return tags ? (unsigned)(63 - __builtin_clzll(tags)) / 8 + 1 : 0;
}

static void bucket_set(struct bucket *bucket, unsigned i, uint8_t tag, struct entry *entry)
{
	bucket->tags[i] = tag;
	bucket->places[i].entry = entry;
}

static struct bucket *chain_last(struct bucket *bucket)
{
	while (bucket->chained)
		bucket = bucket->places[BUCKET_LAST].next;
	return bucket;
}

static struct bucket *spare_or_null(struct table *table)
{
	struct bucket *spare = table->spare;

	if (!spare)
		return book_alloc_or_null(table, NULL, sizeof(*spare));
	table->spare = spare->places[BUCKET_LAST].next;
	return spare;
}

/* Enough for a chain of len, so that chain_add() cannot fail in the middle of something. */
static int reserve_spares(struct table *table, unsigned len)
{
	unsigned need = len > BUCKET_LEN ? (len - BUCKET_LEN + BUCKET_LAST - 1) / BUCKET_LAST : 0;

	while (need--) {
		struct bucket *spare = book_alloc_or_null(table, NULL, sizeof(*spare));

		if (!spare)
			return -ENOMEM;
		spare->places[BUCKET_LAST].next = table->spare;
		table->spare = spare;
	}
	return 0;
}

static void free_spares(struct table *table)
{
	while (table->spare)
		book_free(table, spare_or_null(table));
}

/* A full one gets another behind it, which its last entry moves to. */
static struct bucket *chain_or_null(struct table *table, struct bucket *full)
{
	struct bucket *next = spare_or_null(table);

	if (!next)
		return NULL;
	*next = (struct bucket){0};
	bucket_set(next, 0, full->tags[BUCKET_LAST], full->places[BUCKET_LAST].entry);
	full->tags[BUCKET_LAST] = 0;
	full->chained = true;
	full->places[BUCKET_LAST].next = next;
	return next;
}

static int chain_add(struct table *table, struct bucket *bucket, uint8_t tag, struct entry *entry)
{
	bucket = chain_last(bucket);
	if (bucket_len(bucket) == BUCKET_LEN)
		bucket = chain_or_null(table, bucket);
	if (!bucket)
		return -ENOMEM;
	bucket_set(bucket, bucket_len(bucket), tag, entry);
	return 0;
}

/* The chain's last entry fills the gap, and a last bucket of one entry moves into the one before.
 */
static void chain_remove(struct table *table, struct bucket *head, struct bucket *bucket,
			 unsigned i)
{
	struct bucket *before = NULL, *last = head;
	unsigned end;

	for (; last->chained; last = last->places[BUCKET_LAST].next)
		before = last;
	end = bucket_len(last) - 1;
	bucket_set(bucket, i, last->tags[end], last->places[end].entry);
	bucket_set(last, end, 0, NULL);
	if (!before || end > 1)
		return;
	before->chained = false;
	bucket_set(before, BUCKET_LAST, last->tags[0], last->places[0].entry);
	book_free(table, last);
}

static unsigned chain_len(const struct bucket *bucket)
{
	unsigned len = 0;

	for (; bucket->chained; bucket = bucket->places[BUCKET_LAST].next)
		len += BUCKET_LAST;
	return len + bucket_len(bucket);
}

/* The bucket and place of the chain's i-th entry. */
static struct bucket *chain_at(struct bucket *bucket, unsigned *i)
{
	while (bucket->chained && *i >= BUCKET_LAST) {
		bucket = bucket->places[BUCKET_LAST].next;
		*i -= BUCKET_LAST;
	}
	return bucket;
}

static void chain_free(struct table *table, struct bucket *head)
{
	struct bucket *next, *bucket = head->chained ? head->places[BUCKET_LAST].next : NULL;

	for (; bucket; bucket = next) {
		next = bucket->chained ? bucket->places[BUCKET_LAST].next : NULL;
		book_free(table, bucket);
	}
	*head = (struct bucket){0};
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
		chain_add(table, to, at->tags[place], entry);
		chain_remove(table, from, at, place);
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
	for (struct bucket *at = from;; at = at->places[BUCKET_LAST].next) {
		for (unsigned i = 0; i < bucket_len(at); i++)
			__builtin_prefetch(at->places[i].entry);
		if (!at->chained)
			break;
	}
	if (reserve_spares(table, chain_len(from)) == 0) {
		move_upper_half(table, from, bucket_at(table, table->bucket_count));
		set_bucket_count(table, table->bucket_count + 1);
	}
	free_spares(table);
}

/* The last bucket's entries go back to where they came from: its number without the highest bit. */
static void join(struct table *table)
{
	uint64_t last = table->bucket_count - 1;
	struct bucket *from = bucket_at(table, last), *at = from;
	struct bucket *to = bucket_at(table, last ^ UINT64_C(1) << (63 - __builtin_clzll(last)));

	if (reserve_spares(table, chain_len(from) + chain_len(to)) == 0) {
		for (;; at = at->places[BUCKET_LAST].next) {
			for (unsigned i = 0; i < bucket_len(at); i++)
				chain_add(table, to, at->tags[i], at->places[i].entry);
			if (!at->chained)
				break;
		}
		chain_free(table, from);
		set_bucket_count(table, last);
		release_bucket(table);
	}
	free_spares(table);
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
		book_free(table, table->segments[i]);
	book_free(table, table->segments);
}

/* --- entries --- */

/* A bit at 8 * i + 7 for each place i with that tag; above a true one there may be false ones. */
static uint64_t matches(const struct bucket *bucket, uint8_t tag)
{
	uint64_t ones = UINT64_C(0x0101010101010101), tags;

	memcpy(&tags, bucket, sizeof(tags));
	tags ^= ones * tag;
	return (tags - ones) & ~tags & UINT64_C(0x0080808080808080);
}

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
	for (bucket = bucket_at(table, index_of(table, hash));;
	     bucket = bucket->places[BUCKET_LAST].next) {
		for (uint64_t found = matches(bucket, tag); found; found &= found - 1) {
			unsigned i = (unsigned)__builtin_ctzll(found) / 8;

			if (bucket->tags[i] == tag && has_key(bucket->places[i].entry, key))
				return &bucket->places[i].entry;
		}
		if (!bucket->chained)
			return NULL;
	}
}

struct entry *table_find_hash_or_null(const struct table *table, uint64_t hash)
{
	struct bucket *bucket;

	if (table->count == 0)
		return NULL;
	for (bucket = bucket_at(table, index_of(table, hash));;
	     bucket = bucket->places[BUCKET_LAST].next) {
		for (unsigned i = 0; i < bucket_len(bucket); i++) {
			struct entry *entry = bucket->places[i].entry;

			if (bucket->tags[i] == tag_of(hash) &&
			    table_hash(table->hash_key, entry_name(entry)) == hash)
				return entry;
		}
		if (!bucket->chained)
			return NULL;
	}
}

/* The bucket in the chain and the place in it. */
static struct bucket *find_entry_or_null(struct bucket *bucket, const struct entry *entry,
					 unsigned *place)
{
	for (;; bucket = bucket->places[BUCKET_LAST].next) {
		for (*place = 0; *place < bucket_len(bucket); ++*place)
			if (bucket->places[*place].entry == entry)
				return bucket;
		if (!bucket->chained)
			return NULL;
	}
}

struct entry **table_place_or_null(const struct table *table, uint64_t hash,
				   const struct entry *entry)
{
	struct bucket *bucket = NULL;
	unsigned place;

	if (table->count)
		bucket = find_entry_or_null(bucket_at(table, index_of(table, hash)), entry, &place);
	return bucket ? &bucket->places[place].entry : NULL;
}

int table_add(struct table *table, uint64_t hash, struct entry *entry)
{
	if (table->bucket_count == 0) {
		if (reserve_bucket(table))
			return -ENOMEM;
		set_bucket_count(table, 1);
	}
	if (chain_add(table, bucket_at(table, index_of(table, hash)), tag_of(hash), entry))
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
	bucket = find_entry_or_null(head, entry, &place);
	if (!bucket)
		return false;
	chain_remove(table, head, bucket, place);
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

struct entry *table_random_or_null(const struct table *table, struct dice *dice)
{
	/* More are in hardly any chain; fewer would favour those in short ones. */
	enum { CHAIN_LEN_LIKELY = 16 };

	while (table->count) {
		struct bucket *bucket = bucket_at(table, dice_below(dice, table->bucket_count));
		unsigned len = chain_len(bucket), limit = len;
		unsigned place;

		if (limit < CHAIN_LEN_LIKELY)
			limit = CHAIN_LEN_LIKELY;
		place = (unsigned)dice_below(dice, limit);
		if (place >= len)
			continue;
		bucket = chain_at(bucket, &place);
		return bucket->places[place].entry;
	}
	return NULL;
}

unsigned table_sample(const struct table *table, struct dice *dice, struct entry **out,
		      unsigned max)
{
	uint64_t i = table->count ? dice_below(dice, table->bucket_count) : 0;
	unsigned found = 0;

	for (uint64_t left = table->count ? table->bucket_count : 0; left && found < max; left--) {
		struct bucket *head = bucket_at(table, i);

		for (unsigned n = chain_len(head); n-- > 0 && found < max;) {
			unsigned place = n;
			struct bucket *bucket = chain_at(head, &place);

			out[found++] = bucket->places[place].entry;
		}
		if (++i == table->bucket_count)
			i = 0;
	}
	return found;
}

bool table_drop_bucket(struct table *table, void (*drop)(void *arg, struct entry *entry), void *arg)
{
	struct bucket *head;

	if (table->bucket_count == 0)
		return false;
	head = bucket_at(table, table->bucket_count - 1);
	for (unsigned n = chain_len(head); n-- > 0;) {
		unsigned place = n;
		struct bucket *bucket = chain_at(head, &place);

		drop(arg, bucket->places[place].entry);
		table->count--;
	}
	chain_free(table, head);
	table->bucket_count--;
	release_bucket(table);
	return true;
}
