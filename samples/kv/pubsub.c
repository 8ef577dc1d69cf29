#include "kv/pubsub.h"

#include "kv/glob.h"
#include "kv/heap.h"
#include "kv/reply.h"
#include "kv/session.h"

#include <errno.h>
#include <search.h>
#include <string.h>

/* The name is first in both, for they are compared by it. */
struct topic {
	struct slice name;
	LIST_HEAD(, subscription) subscriptions;
	unsigned count;
	char text[];
};

struct subscription {
	struct slice name; /* the topic's */
	struct topic *topic;
	struct session *session;
	LIST_ENTRY(subscription) link; /* of the topic */
};

static int compare(const void *a, const void *b)
{
	const struct slice *left = a, *right = b;

	if (left->len != right->len)
		return left->len < right->len ? -1 : 1;
	return left->len ? memcmp(left->data, right->data, left->len) : 0;
}

static void *find_or_null(void *const *root, struct slice name)
{
	void *const *node = tfind(&name, root, compare);

	return node ? *node : NULL;
}

/* --- topics --- */

static struct topic *topic_or_null(struct pubsub *pubsub, enum topic_kind kind, struct slice name)
{
	struct topic *topic = find_or_null(&pubsub->roots[kind], name);

	if (topic)
		return topic;
	topic = heap_alloc_or_null(sizeof(*topic) + name.len);
	if (!topic)
		return NULL;
	*topic = (struct topic){.name = {topic->text, name.len}};
	if (name.len)
		memcpy(topic->text, name.data, name.len);
	if (!tsearch(topic, &pubsub->roots[kind], compare)) {
		heap_free(topic);
		return NULL;
	}
	pubsub->counts[kind]++;
	return topic;
}

static void forget_if_unused(struct pubsub *pubsub, enum topic_kind kind, struct topic *topic)
{
	if (topic->count > 0)
		return;
	tdelete(topic, &pubsub->roots[kind], compare);
	pubsub->counts[kind]--;
	heap_free(topic);
}

void pubsub_fini(struct pubsub *pubsub)
{
	*pubsub = (struct pubsub){0};
}

/* --- subscriptions --- */

int pubsub_subscribe(struct pubsub *pubsub, enum topic_kind kind, struct session *session,
		     struct slice name)
{
	struct subscriber *subscriber = &session->subscriber;
	struct subscription *subscription;
	struct topic *topic;

	if (find_or_null(&subscriber->roots[kind], name))
		return 0;
	topic = topic_or_null(pubsub, kind, name);
	if (!topic)
		return -ENOMEM;
	subscription = heap_alloc_or_null(sizeof(*subscription));
	if (subscription)
		*subscription = (struct subscription){
			.name = topic->name, .topic = topic, .session = session};
	if (!subscription || !tsearch(subscription, &subscriber->roots[kind], compare)) {
		heap_free(subscription);
		forget_if_unused(pubsub, kind, topic);
		return -ENOMEM;
	}
	LIST_INSERT_HEAD(&topic->subscriptions, subscription, link);
	topic->count++;
	subscriber->counts[kind]++;
	subscriber->count++;
	return 0;
}

void pubsub_unsubscribe(struct pubsub *pubsub, enum topic_kind kind, struct session *session,
			struct slice name)
{
	struct subscriber *subscriber = &session->subscriber;
	struct subscription *subscription = find_or_null(&subscriber->roots[kind], name);

	if (!subscription)
		return;
	tdelete(subscription, &subscriber->roots[kind], compare);
	subscriber->counts[kind]--;
	subscriber->count--;
	LIST_REMOVE(subscription, link);
	subscription->topic->count--;
	forget_if_unused(pubsub, kind, subscription->topic);
	heap_free(subscription);
}

bool pubsub_any(const struct session *session, enum topic_kind kind, struct slice *name)
{
	/* A node of a search tree begins with its item: so tfind() and POSIX have it. */
	struct subscription *const *node = session->subscriber.roots[kind];

	if (!node)
		return false;
	*name = (*node)->name;
	return true;
}

void pubsub_leave(struct pubsub *pubsub, struct session *session)
{
	struct slice name;

	for (int kind = 0; kind < TOPIC_KIND_COUNT; kind++) {
		while (pubsub_any(session, kind, &name))
			pubsub_unsubscribe(pubsub, kind, session, name);
	}
}

/* --- messages --- */

struct letter {
	const struct arg *channel, *message;
	struct bytes *bytes; /* of the message, if it is long */
	uint64_t count;
};

static void deliver(struct letter *letter, const struct topic *topic, enum topic_kind kind)
{
	static const char *const words[TOPIC_KIND_COUNT] = {"message", "pmessage", "smessage"};
	const bool by_pattern = kind == TOPIC_PATTERN;
	const struct subscription *subscription;
	struct out *out;

	LIST_FOREACH (subscription, &topic->subscriptions, link) {
		out = &subscription->session->out;
		reply_push(out, by_pattern ? 4 : 3);
		reply_text(out, words[kind]);
		if (by_pattern)
			reply_bulk(out, topic->name);
		reply_bulk(out, letter->channel->text);
		if (letter->bytes)
			reply_bulk_bytes(out, letter->bytes);
		else
			reply_bulk(out, letter->message->text);
		session_told(subscription->session);
		letter->count++;
	}
}

static void deliver_if_matching(const void *node, VISIT visit, void *arg)
{
	const struct topic *topic = *(const struct topic *const *)node;
	struct letter *letter = arg;

	if ((visit == postorder || visit == leaf) &&
	    glob_match(topic->name, letter->channel->text, false))
		deliver(letter, topic, TOPIC_PATTERN);
}

uint64_t pubsub_publish(struct pubsub *pubsub, enum topic_kind kind, const struct arg *channel,
			const struct arg *message)
{
	struct letter letter = {.channel = channel, .message = message, .bytes = message->bytes};
	const struct topic *topic = find_or_null(&pubsub->roots[kind], channel->text);

	/* One copy for all who are to get it. Without memory for that, one for each. */
	if (!letter.bytes && message->text.len >= BYTES_LEN_MIN && pubsub->roots[kind]) {
		letter.bytes = bytes_create_or_null(message->text.len, message->text.len);
		if (letter.bytes)
			memcpy(letter.bytes->data, message->text.data, message->text.len);
	} else if (letter.bytes) {
		bytes_get(letter.bytes);
	}
	if (topic)
		deliver(&letter, topic, kind);
	if (kind == TOPIC_CHANNEL)
		twalk_r(pubsub->roots[TOPIC_PATTERN], deliver_if_matching, &letter);
	bytes_put(letter.bytes);
	return letter.count;
}

/* --- what there is --- */

unsigned pubsub_count(const struct pubsub *pubsub, enum topic_kind kind, struct slice name)
{
	const struct topic *topic = find_or_null(&pubsub->roots[kind], name);

	return topic ? topic->count : 0;
}

struct walk {
	void (*visit)(struct slice name, void *arg);
	void *arg;
};

static void visit_topic(const void *node, VISIT visit, void *arg)
{
	const struct topic *topic = *(const struct topic *const *)node;
	const struct walk *walk = arg;

	if (visit == postorder || visit == leaf)
		walk->visit(topic->name, walk->arg);
}

void pubsub_each(const struct pubsub *pubsub, enum topic_kind kind,
		 void (*visit)(struct slice name, void *arg), void *arg)
{
	struct walk walk = {.visit = visit, .arg = arg};

	twalk_r(pubsub->roots[kind], visit_topic, &walk);
}
