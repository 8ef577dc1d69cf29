#include "kv/bucket.h"

#include "kv/heap.h"

#include <errno.h>

void *book_grow_or_null(struct books *books, void *old, size_t size)
{
	size_t old_size = heap_size(old);
	void *block = heap_grow_or_null(old, size);

	if (block) {
		books_sub(books, old_size);
		books_add(books, heap_size(block));
	}
	return block;
}

void book_free(struct books *books, void *block)
{
	books_sub(books, heap_size(block));
	heap_free(block);
}

static struct bucket *spare_or_null(struct bucket_source *source)
{
	struct bucket *spare = source->spares;

	if (!spare)
		return book_grow_or_null(source->books, NULL, sizeof(*spare));
	source->spares = spare->places[BUCKET_LAST].next;
	return spare;
}

int bucket_reserve(struct bucket_source *source, unsigned len)
{
	unsigned need = len > BUCKET_LEN ? (len - BUCKET_LEN + BUCKET_LAST - 1) / BUCKET_LAST : 0;

	while (need--) {
		struct bucket *spare = book_grow_or_null(source->books, NULL, sizeof(*spare));

		if (!spare)
			return -ENOMEM;
		spare->places[BUCKET_LAST].next = source->spares;
		source->spares = spare;
	}
	return 0;
}

void bucket_unreserve(struct bucket_source *source)
{
	while (source->spares)
		book_free(source->books, spare_or_null(source));
}

static void set(struct bucket *bucket, unsigned i, uint8_t tag, struct entry *entry)
{
	bucket->tags[i] = tag;
	bucket->places[i].entry = entry;
}

/* A full one gets another behind it, which its last entry moves to. */
static struct bucket *extend_or_null(struct bucket_source *source, struct bucket *full)
{
	struct bucket *next = spare_or_null(source);

	if (!next)
		return NULL;
	*next = (struct bucket){0};
	set(next, 0, full->tags[BUCKET_LAST], full->places[BUCKET_LAST].entry);
	full->tags[BUCKET_LAST] = 0;
	full->chained = true;
	full->places[BUCKET_LAST].next = next;
	return next;
}

int chain_add(struct bucket_source *source, struct bucket *head, uint8_t tag, struct entry *entry)
{
	struct bucket *last = head;
	unsigned len;

	while (last->chained)
		last = last->places[BUCKET_LAST].next;
	len = bucket_len(last);
	if (len >= BUCKET_LEN) {
		last = extend_or_null(source, last);
		len = 1;
	}
	if (!last)
		return -ENOMEM;
	set(last, len, tag, entry);
	return 0;
}

void chain_remove(struct bucket_source *source, struct bucket *head, struct bucket *bucket,
		  unsigned i)
{
	struct bucket *before = NULL, *last = head;
	unsigned end;

	for (; last->chained; last = last->places[BUCKET_LAST].next)
		before = last;
	end = bucket_len(last);
	if (end-- == 0) /* an empty chain has nothing to remove */
		return;
	set(bucket, i, last->tags[end], last->places[end].entry);
	set(last, end, 0, NULL);
	if (!before || end > 1)
		return;
	/* One is left in the last bucket: there is room for it in the one before. */
	before->chained = false;
	set(before, BUCKET_LAST, last->tags[0], last->places[0].entry);
	book_free(source->books, last);
}

void chain_free(struct bucket_source *source, struct bucket *head)
{
	struct bucket *next, *bucket = bucket_next_or_null(head);

	for (; bucket; bucket = next) {
		next = bucket_next_or_null(bucket);
		book_free(source->books, bucket);
	}
	*head = (struct bucket){0};
}

unsigned chain_len(const struct bucket *head)
{
	unsigned len = 0;

	for (; head->chained; head = head->places[BUCKET_LAST].next)
		len += BUCKET_LAST;
	return len + bucket_len(head);
}

struct bucket *chain_at(struct bucket *head, unsigned *i)
{
	while (head->chained && *i >= BUCKET_LAST) {
		head = head->places[BUCKET_LAST].next;
		*i -= BUCKET_LAST;
	}
	return head;
}

struct bucket *chain_find_or_null(struct bucket *head, uint8_t tag, const struct entry *entry,
				  unsigned *place)
{
	for (struct bucket *bucket = head; bucket; bucket = bucket_next_or_null(bucket)) {
		for (uint64_t found = bucket_matches(bucket, tag); found; found &= found - 1) {
			*place = (unsigned)__builtin_ctzll(found) / 8;
			if (bucket->places[*place].entry == entry)
				return bucket;
		}
	}
	return NULL;
}
