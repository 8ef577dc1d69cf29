/* A client's side of publish and subscribe: what it has subscribed to. */
#ifndef KV_SUBSCRIBER_H
#define KV_SUBSCRIBER_H

enum topic_kind { TOPIC_CHANNEL, TOPIC_PATTERN, TOPIC_SHARD_CHANNEL };
enum { TOPIC_KIND_COUNT = 3 };

/* Zeros: nothing. */
struct subscriber {
	void *roots[TOPIC_KIND_COUNT]; /* pubsub.c's: search trees of subscriptions, by name */
	unsigned counts[TOPIC_KIND_COUNT];
	unsigned count; /* of all kinds */
};

#endif
