/*
 * Channels: one between any two shards, with an end on each side. A message is an envelope: an mbuf
 * of the sender's small pool, attached to the pushed bytes, so that it holds them. It goes to the
 * reader by mailbox; what the reader's program gets is an mbuf of the reader's small pool with the
 * same bytes as external buffer. Freeing that sends the envelope home, where the bytes are let go
 * and the push completes.
 *
 *      sender                                     reader
 *      push: envelope -> bytes --- mailbox --->   inbox -> pop: mbuf -> bytes
 *      done <------------------- collection ---   sga freed, by whatever thread
 *
 * A session lasts until both ends were closed; each end may be opened once in it. The last one ends
 * when the program on one of the two shards returns.
 */
#ifndef SHARD_CHANNEL_H
#define SHARD_CHANNEL_H

#include "shard/mailbox.h"
#include "shard/token.h"

struct queue;
struct rte_mbuf;
struct runtime;
struct shard;

struct channel_end {
	struct queue *queue;			   /* the program has it open */
	struct queue *leaving;			   /* closed, and its pushes still wait */
	bool closed;				   /* the program closed it in this session */
	bool fin_waiting;			   /* the peer does not know that yet */
	bool fin_received;			   /* the peer closed its end, or returned */
	bool peer_gone;				   /* its program has returned: for good */
	struct op_list waiting;			   /* pushes that the mailbox had no room for */
	struct rte_mbuf *inbox_first, *inbox_last; /* envelopes that nobody has popped */
	/* Envelopes of the peer that go home at the end of the turn. */
	struct collected *home_newest, *home_oldest;
};

/* One end per shard of the runtime, this shard's own unused. 0 or -ENOMEM. */
int channels_init(struct shard *shard, uint16_t shard_count);
void channels_fini(struct shard *shard);

/* -EINVAL, -EADDRINUSE: open already, or closed and the peer has not closed its end yet. */
int channel_open(struct shard *shard, uint16_t peer, struct queue *queue);
/* Pushes that wait are still delivered, then the peer sees the end. leaving: the queue, if it lives
 * on until they were; NULL: their tokens end here. */
void channel_close(struct shard *shard, uint16_t peer, struct queue *leaving);
/* Whether pushes of a queue that was closed still wait. */
bool channel_leaving(const struct shard *shard, uint16_t peer, const struct queue *queue);
/* Nobody asks any more. */
void channel_forget(struct shard *shard, uint16_t peer, const struct queue *queue);
/* Sends, or lets the push wait on the end's list; true: it was sent. -ECONNRESET: nobody will read
 * it; -EAGAIN: too many wait with this buffer. */
int channel_push(struct shard *shard, uint16_t peer, struct op *op, bool *sent);
/* Completes op with the oldest message or the end of the stream; false: there is none yet. */
bool channel_pop(struct shard *shard, uint16_t peer, struct op *op);
/* Takes over the letter, LETTER_MESSAGE or LETTER_FIN. */
void channel_take(struct shard *shard, uint16_t peer, struct letter letter);
/* Once a turn: envelopes that came home, and what waits for room. Returns how much was done. */
unsigned channels_turn(struct shard *shard);
/* The peer's program has returned, and everything that it said was taken. */
void channel_peer_returned(struct shard *shard, uint16_t peer);
/* The peer takes no letter any more. */
void channel_peer_left(struct shard *shard, uint16_t peer);
/* Our own program has returned: what nobody popped, and what still comes, is refused. */
void channels_end(struct shard *shard);
/* Before the shard leaves: sends home what nobody will pop. */
void channels_leave(struct shard *shard);
/* All shards have left: frees what is in inboxes, mailboxes and collections. */
void channels_drain(struct runtime *runtime);

#endif
