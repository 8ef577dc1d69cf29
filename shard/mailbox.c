#include "shard/mailbox.h"

#include "mem/check.h"

#include <errno.h>
#include <rte_ring.h>
#include <stdlib.h>

static struct rte_ring *make_or_null(uint32_t len, unsigned flags)
{
	ssize_t size = rte_ring_get_memsize(len);
	struct rte_ring *ring;

	if (size < 0)
		return NULL;
	ring = aligned_alloc(RTE_CACHE_LINE_SIZE,
			     RTE_ALIGN_CEIL((size_t)size, RTE_CACHE_LINE_SIZE));
	if (ring && rte_ring_init(ring, "", len, flags)) {
		free(ring);
		return NULL;
	}
	return ring;
}

int mailbox_init(struct mailbox *mailbox, uint32_t len)
{
	mailbox->ring = NULL;
	if (len < 2 || !rte_is_power_of_2(len) || len > RTE_RING_SZ_MASK)
		return -EINVAL;
	mailbox->ring = make_or_null(len, RING_F_SP_ENQ | RING_F_SC_DEQ);
	return mailbox->ring ? 0 : -ENOMEM;
}

void mailbox_fini(struct mailbox *mailbox)
{
	CHECK(!mailbox->ring || rte_ring_empty(mailbox->ring));
	free(mailbox->ring);
	mailbox->ring = NULL;
}

bool mailbox_post(struct mailbox *mailbox, struct letter letter)
{
	char *content = letter.content;

	DEBUG_CHECK(!((uintptr_t)content & LETTER_KIND_MASK));
	return rte_ring_sp_enqueue(mailbox->ring, content + letter.kind) == 0;
}

unsigned mailbox_take(struct mailbox *mailbox, struct letter *letters, unsigned n)
{
	void *words[LETTER_BURST_MAX];

	DEBUG_CHECK(n <= LETTER_BURST_MAX);
	n = rte_ring_sc_dequeue_burst(mailbox->ring, words, n, NULL);
	for (unsigned i = 0; i < n; i++) {
		letters[i].kind = (uintptr_t)words[i] & LETTER_KIND_MASK;
		letters[i].content = (char *)words[i] - letters[i].kind;
	}
	return n;
}

bool mailbox_empty(const struct mailbox *mailbox)
{
	return rte_ring_empty(mailbox->ring);
}

int collection_init(struct collection *collection, uint32_t len)
{
	collection->ring =
		make_or_null(rte_align32pow2(len + 1), RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
	return collection->ring ? 0 : -ENOMEM;
}

void collection_fini(struct collection *collection)
{
	CHECK(!collection->ring || rte_ring_empty(collection->ring));
	free(collection->ring);
	collection->ring = NULL;
}

void collection_post_mt(struct collection *collection, void *const *pointers, unsigned n)
{
	CHECK(rte_ring_enqueue_bulk(collection->ring, pointers, n, NULL) == n);
}

unsigned collection_take(struct collection *collection, void **pointers, unsigned n)
{
	return rte_ring_dequeue_burst(collection->ring, pointers, n, NULL);
}

bool collection_empty(const struct collection *collection)
{
	return rte_ring_empty(collection->ring);
}
