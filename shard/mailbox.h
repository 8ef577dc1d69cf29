/*
 * A mailbox carries letters from one shard to another: one single-producer single-consumer ring per
 * ordered pair, in order, never blocking. What a letter is stands in the low bits of the pointer;
 * what does not fit stays the sender's, who drops it (a steered packet) or keeps it (the rest).
 *
 * A collection box takes the envelopes of channel messages back to the shard they came from, from
 * any thread: a chain to which posters prepend, and which the owner takes away as a whole. It has
 * no limit and posting cannot fail.
 */
#ifndef SHARD_MAILBOX_H
#define SHARD_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

struct rte_ring;

enum letter_kind {
	LETTER_PACKET,	 /* an mbuf: a received packet for its owner */
	LETTER_TRANSMIT, /* an mbuf to transmit on iface m->port */
	LETTER_MESSAGE,	 /* an envelope, see channel.h */
	LETTER_FIN,	 /* no pointer: the sender closed its end of the channel */
	LETTER_KIND_MASK = 7,
	LETTER_BURST_MAX = 64,
};

struct letter {
	enum letter_kind kind;
	void *content; /* aligned to 8 at least */
};

struct mailbox {
	struct rte_ring *ring;
};

/* len: a power of two, at least 2; holds len - 1 letters. 0, -EINVAL, -ENOMEM. No EAL needed. */
int mailbox_init(struct mailbox *mailbox, uint32_t len);
/* Must be empty (CHECK). */
void mailbox_fini(struct mailbox *mailbox);
/* The sender's; false: full, the content stays its own. */
bool mailbox_post(struct mailbox *mailbox, struct letter letter);
/* The sender's: the next letter will be taken. */
bool mailbox_has_room(const struct mailbox *mailbox);
/* The receiver's; up to n <= LETTER_BURST_MAX, oldest first; returns how many. */
unsigned mailbox_take(struct mailbox *mailbox, struct letter *letters, unsigned n);

/* Inside what is collected. */
struct collected {
	struct collected *next;
};

struct collection {
	struct collected *newest; /* mt, atomic */
};

/* Posts the chain newest .. oldest. Any thread; waits for nobody. */
void collection_post_mt(struct collection *collection, struct collected *newest,
			struct collected *oldest);
/* The owner's: everything, oldest first; NULL: nothing. */
struct collected *collection_take(struct collection *collection);

#endif
