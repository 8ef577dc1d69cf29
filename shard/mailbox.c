#include "shard/mailbox.h"

#include "mem/check.h"

#include <errno.h>
#include <rte_ring.h>
#include <stdlib.h>

int mailbox_init(struct mailbox *mailbox, uint32_t len)
{
	ssize_t size;

	mailbox->ring = NULL;
	if (len < 2 || !rte_is_power_of_2(len) || len > RTE_RING_SZ_MASK)
		return -EINVAL;
	size = rte_ring_get_memsize(len);
	mailbox->ring = aligned_alloc(RTE_CACHE_LINE_SIZE,
				      RTE_ALIGN_CEIL((size_t)size, RTE_CACHE_LINE_SIZE));
	if (!mailbox->ring)
		return -ENOMEM;
	return rte_ring_init(mailbox->ring, "", len, RING_F_SP_ENQ | RING_F_SC_DEQ);
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

bool mailbox_has_room(const struct mailbox *mailbox)
{
	const struct rte_ring *ring = mailbox->ring;

	/* The receiver moves its tail meanwhile, and rte_ring_full() reads it as if nobody did. */
	return ring->prod.tail - __atomic_load_n(&ring->cons.tail, __ATOMIC_ACQUIRE) <
	       ring->capacity;
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

void collection_post_mt(struct collection *collection, struct collected *newest,
			struct collected *oldest)
{
	struct collected *before = __atomic_load_n(&collection->newest, __ATOMIC_RELAXED);

	do {
		oldest->next = before;
		/* release; pairs with the acquire in collection_take() */
	} while (!__atomic_compare_exchange_n(&collection->newest, &before, newest, true,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

struct collected *collection_take(struct collection *collection)
{
	struct collected *newest, *next, *oldest = NULL;

	if (!__atomic_load_n(&collection->newest, __ATOMIC_RELAXED))
		return NULL;
	/* acquire; pairs with the release in collection_post_mt() */
	newest = __atomic_exchange_n(&collection->newest, NULL, __ATOMIC_ACQUIRE);
	for (; newest; newest = next) { /* turn the chain around */
		next = newest->next;
		newest->next = oldest;
		oldest = newest;
	}
	return oldest;
}
