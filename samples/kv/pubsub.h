/*
 * Publish and subscribe among one shard's clients: channels, patterns, and shard channels
 * (SPUBLISH), and who has subscribed to them. What is published goes to all shards, each of which
 * asks its own.
 */
#ifndef KV_PUBSUB_H
#define KV_PUBSUB_H

#include "kv/resp_in.h"
#include "kv/slice.h"
#include "kv/subscriber.h"

#include <stdbool.h>
#include <stdint.h>

struct session;

/* Zeros: nobody has subscribed to anything. */
struct pubsub {
	void *roots[TOPIC_KIND_COUNT]; /* search trees of topics, by name */
	unsigned counts[TOPIC_KIND_COUNT];
};

/* When no session is left. */
void pubsub_fini(struct pubsub *pubsub);
/* 0, also if it had before; -ENOMEM. */
int pubsub_subscribe(struct pubsub *pubsub, enum topic_kind kind, struct session *session,
		     struct slice name);
/* Also if it had not. */
void pubsub_unsubscribe(struct pubsub *pubsub, enum topic_kind kind, struct session *session,
			struct slice name);
/* One of what the session has subscribed to; false: nothing any more. Valid until it unsubscribes.
 */
bool pubsub_any(const struct session *session, enum topic_kind kind, struct slice *name);
/* The session ends: from everything. */
void pubsub_leave(struct pubsub *pubsub, struct session *session);

/* kind: TOPIC_CHANNEL, and then patterns too, or TOPIC_SHARD_CHANNEL. Returns to how many it goes.
 */
uint64_t pubsub_publish(struct pubsub *pubsub, enum topic_kind kind, const struct arg *channel,
			const struct arg *message);

/* Who has subscribed by exactly this name. */
unsigned pubsub_count(const struct pubsub *pubsub, enum topic_kind kind, struct slice name);
/* All that somebody has subscribed to. */
void pubsub_each(const struct pubsub *pubsub, enum topic_kind kind,
		 void (*visit)(struct slice name, void *arg), void *arg);

#endif
