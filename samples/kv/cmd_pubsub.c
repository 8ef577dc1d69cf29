/* SUBSCRIBE and its kin, PUBLISH, PUBSUB. */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/glob.h"
#include "kv/reply.h"
#include "kv/server.h"

/* --- subscribing --- */

static const char *const begin_words[TOPIC_KIND_COUNT] = {"subscribe", "psubscribe", "ssubscribe"};
static const char *const end_words[TOPIC_KIND_COUNT] = {"unsubscribe", "punsubscribe",
							"sunsubscribe"};

/* What subscribers are told is not kept back by CLIENT REPLY. */
static struct out *audience(struct call *call)
{
	return call->session->reply == REPLY_ON ? call->out : &call->session->out;
}

/* The count is told by tell_count(), after the change, when the name may be gone. */
static void tell_name(struct call *call, const char *word, struct slice name)
{
	struct out *out = audience(call);

	reply_push(out, 3);
	reply_text(out, word);
	reply_bulk(out, name);
}

static void tell_count(struct call *call, enum topic_kind kind)
{
	const unsigned *counts = call->session->subscriber.counts;

	reply_integer(audience(call), kind == TOPIC_SHARD_CHANNEL
					      ? counts[TOPIC_SHARD_CHANNEL]
					      : counts[TOPIC_CHANNEL] + counts[TOPIC_PATTERN]);
}

static void subscribe(struct call *call, enum topic_kind kind)
{
	struct session *session = call->session;

	for (int i = 1; i < call->argc; i++) {
		const struct slice name = call->argv[i].text;

		if (pubsub_subscribe(&session->server->pubsub, kind, session, name)) {
			reply_error(call->out, "ERR no memory for a subscription");
			continue;
		}
		tell_name(call, begin_words[kind], name);
		tell_count(call, kind);
	}
}

static void unsubscribe_one(struct call *call, enum topic_kind kind, struct slice name)
{
	struct session *session = call->session;

	tell_name(call, end_words[kind], name);
	pubsub_unsubscribe(&session->server->pubsub, kind, session, name);
	tell_count(call, kind);
}

static void unsubscribe(struct call *call, enum topic_kind kind)
{
	struct slice name;

	for (int i = 1; i < call->argc; i++)
		unsubscribe_one(call, kind, call->argv[i].text);
	if (call->argc > 1)
		return;
	if (!pubsub_any(call->session, kind, &name)) {
		reply_push(audience(call), 3);
		reply_text(audience(call), end_words[kind]);
		reply_null(audience(call));
		tell_count(call, kind);
		return;
	}
	do {
		unsubscribe_one(call, kind, name);
	} while (pubsub_any(call->session, kind, &name));
}

void cmd_subscribe(struct call *call)
{
	subscribe(call, TOPIC_CHANNEL);
}

void cmd_unsubscribe(struct call *call)
{
	unsubscribe(call, TOPIC_CHANNEL);
}

void cmd_psubscribe(struct call *call)
{
	subscribe(call, TOPIC_PATTERN);
}

void cmd_punsubscribe(struct call *call)
{
	unsubscribe(call, TOPIC_PATTERN);
}

/* In cluster mode a shard channel belongs to the node of its slot. */
void cmd_ssubscribe(struct call *call)
{
	if (router_check(call->session->server->router, call))
		subscribe(call, TOPIC_SHARD_CHANNEL);
}

void cmd_sunsubscribe(struct call *call)
{
	unsubscribe(call, TOPIC_SHARD_CHANNEL);
}

/* --- publishing: on every shard --- */

static void publish(struct call *call, enum topic_kind kind)
{
	struct server *server = call->engine->server;

	reply_integer(call->out, server ? (int64_t)pubsub_publish(&server->pubsub, kind,
								  &call->argv[1], &call->argv[2])
					: 0);
}

void cmd_publish(struct call *call)
{
	publish(call, TOPIC_CHANNEL);
}

void cmd_spublish(struct call *call)
{
	publish(call, TOPIC_SHARD_CHANNEL);
}

/* --- PUBSUB, likewise --- */

struct listing {
	struct out *out;
	const struct slice *pattern; /* NULL: all */
	size_t count;
};

static void count_name(struct slice name, void *arg)
{
	struct listing *listing = arg;

	listing->count += !listing->pattern || glob_match(*listing->pattern, name, false);
}

static void list_name(struct slice name, void *arg)
{
	struct listing *listing = arg;

	if (!listing->pattern || glob_match(*listing->pattern, name, false))
		reply_bulk(listing->out, name);
}

static void list(struct call *call, enum topic_kind kind)
{
	const struct pubsub *pubsub = &call->engine->server->pubsub;
	struct listing listing = {.out = call->out,
				  .pattern = call->argc > 2 ? &call->argv[2].text : NULL};

	pubsub_each(pubsub, kind, count_name, &listing);
	reply_array(call->out, listing.count);
	pubsub_each(pubsub, kind, list_name, &listing);
}

static void count(struct call *call, enum topic_kind kind)
{
	const struct pubsub *pubsub = &call->engine->server->pubsub;

	reply_array(call->out, 2 * (size_t)(call->argc - 2));
	for (int i = 2; i < call->argc; i++) {
		reply_bulk(call->out, call->argv[i].text);
		reply_integer(call->out, pubsub_count(pubsub, kind, call->argv[i].text));
	}
}

void cmd_pubsub_channels(struct call *call)
{
	list(call, TOPIC_CHANNEL);
}

void cmd_pubsub_shardchannels(struct call *call)
{
	list(call, TOPIC_SHARD_CHANNEL);
}

void cmd_pubsub_numsub(struct call *call)
{
	count(call, TOPIC_CHANNEL);
}

void cmd_pubsub_shardnumsub(struct call *call)
{
	count(call, TOPIC_SHARD_CHANNEL);
}

/* A part: the patterns themselves, of which the join counts the different ones. */
void cmd_pubsub_numpat(struct call *call)
{
	if (call->part)
		list(call, TOPIC_PATTERN);
	else
		reply_integer(call->out, call->engine->server->pubsub.counts[TOPIC_PATTERN]);
}

void cmd_pubsub_help(struct call *call)
{
	static const char *const lines[] = {
		"CHANNELS [<pattern>]",
		"    Channels that somebody is subscribed to, all or those that match.",
		"NUMPAT",
		"    How many different patterns somebody is subscribed to.",
		"NUMSUB [<channel> ...]",
		"    How many are subscribed to each of these channels by its name.",
		"SHARDCHANNELS [<pattern>]",
		"    Sharded channels that somebody is subscribed to, all or those that match.",
		"SHARDNUMSUB [<shardchannel> ...]",
		"    How many are subscribed to each of these sharded channels.",
		NULL,
	};

	call_help(call, "PUBSUB", lines);
}
