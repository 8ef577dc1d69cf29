#include "kv/bytes.h"

#include "kv/heap.h"

#include <errno.h>

struct bytes *bytes_create_or_null(size_t len, size_t cap)
{
	struct bytes *bytes;

	if (cap < len || cap > SIZE_MAX - sizeof(*bytes))
		return NULL;
	bytes = heap_alloc_or_null(sizeof(*bytes) + cap);
	if (bytes)
		*bytes = (struct bytes){.refs = 1, .len = len, .cap = cap};
	return bytes;
}

int bytes_reserve(struct bytes **bytes, size_t cap)
{
	struct bytes *grown;

	if (cap <= (*bytes)->cap)
		return 0;
	if (cap > SIZE_MAX - sizeof(*grown))
		return -ENOMEM;
	grown = heap_grow_or_null(*bytes, sizeof(*grown) + cap);
	if (!grown)
		return -ENOMEM;
	grown->cap = cap;
	*bytes = grown;
	return 0;
}

struct bytes *bytes_get(struct bytes *bytes)
{
	__atomic_fetch_add(&bytes->refs, 1, __ATOMIC_RELAXED);
	return bytes;
}

void bytes_put(struct bytes *bytes)
{
	/* Release: our reads are over; acquire: so are those of all others before it is freed. */
	if (bytes && __atomic_sub_fetch(&bytes->refs, 1, __ATOMIC_ACQ_REL) == 0)
		heap_free(bytes);
}

bool bytes_shared(const struct bytes *bytes)
{
	/* Acquire; pairs with the release in bytes_put(): who is alone may write. */
	return __atomic_load_n(&bytes->refs, __ATOMIC_ACQUIRE) > 1;
}
