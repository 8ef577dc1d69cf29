/*
 * The channels to the other shards. A message is an array of pointers to errands: those that go to
 * be answered, and those that come home answered; they are gathered during a turn and sent together
 * at its end. Order is kept between two shards. A channel that is full, or a shard without buffers,
 * makes them wait here; nothing is lost. One thread, but for init and fini.
 */
#ifndef KV_PEERS_H
#define KV_PEERS_H

#include "kv/errand.h"

#include <demi/types.h>
#include <stdbool.h>

enum {
	PEERS_BATCH = 128,   /* errands in one message */
	PEERS_PUSH_MAX = 8,  /* messages to one peer that it has not taken yet */
	PEERS_POP_COUNT = 2, /* pops outstanding on each channel */
};

TAILQ_HEAD(errand_list, errand);

struct peer {
	int qd;
	bool open;	     /* the channel is; false also when the other shard has ended */
	unsigned push_count; /* outstanding */
	demi_qtoken_t pop_qts[PEERS_POP_COUNT];
	struct errand_queue outbox; /* to be sent, in order */
	struct errand_list away;    /* ours that are there, or on the way there or back */
};

/* Whose business errands are. They may send others. An errand that came home is the taker's to
 * destroy, unless it is lost and peers are closed. */
struct peers_events {
	void (*arrived)(void *arg, struct errand *errand); /* another shard's, to be answered */
	void (*home)(void *arg, struct errand *errand);	   /* ours is back, or is lost */
	void (*ended)(void *arg, int peer); /* the shard has; ours there come home as lost */
	void *arg;
};

struct peers {
	int self, count;
	struct peers_events events;
	struct peer *of;	      /* of each shard, our own unused */
	struct errand_queue lost;     /* to be told */
	struct errand_list abandoned; /* told, but perhaps still read by another shard */
	bool closed;
	int qd_first, qd_last; /* the channels are among these */
};

/* 0 or -ENOMEM. */
int peers_init(struct peers *peers, int self, int count, const struct peers_events *events);
/* On the shard: opens the channels. 0 or a positive errno. */
int peers_open(struct peers *peers);
/*
 * On the shard: closes the channels. Ours that are away, and what is sent from now on, are lost:
 * that is told by peers_turn(), but their memory stays until peers_fini().
 */
void peers_close(struct peers *peers);
/* When no shard runs any more: frees what did not come home. */
void peers_fini(struct peers *peers);

/* Ours, to another shard. */
void peers_send(struct peers *peers, struct errand *errand, int to);
/* Ours, which nobody else has, will not be answered. */
void peers_lose(struct peers *peers, struct errand *errand);
/* Another's, answered. */
void peers_answer(struct peers *peers, struct errand *errand);
/* True: the result was a channel's, and is dealt with. */
bool peers_result(struct peers *peers, demi_qresult_t *result);
/* Sends off what was gathered, tells what was lost. True: some could not be sent for want of
 * buffers or tokens, and no event will come of it. */
bool peers_turn(struct peers *peers);

#endif
