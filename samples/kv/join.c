#include "kv/join.h"

#include "kv/call.h"
#include "kv/cmd_info.h"
#include "kv/dice.h"
#include "kv/engine.h"
#include "kv/heap.h"
#include "kv/info.h"
#include "kv/join_clients.h"
#include "kv/join_log.h"
#include "kv/number.h"
#include "kv/reply.h"
#include "kv/scan.h"

#include <string.h>

enum { HEAD_LEN = NUMBER_LEN_MAX + 4 };

struct joiner {
	const char *name;
	void (*join)(struct call *call, struct out *answers, int count);
};

/* "*5\r\n" and its like: takes it, and returns the number. -1: a null, or there is none. */
static int64_t take_head(struct out *answer)
{
	char text[HEAD_LEN];
	size_t len = 0;
	int64_t value;

	while (len < sizeof(text) && out_take(answer, &text[len], 1) == 1 && text[len] != '\n')
		len++;
	if (len < 3 || len == sizeof(text) ||
	    !number_parse((struct slice){text + 1, len - 2}, &value))
		return -1;
	return value;
}

/* The answer's byte i, of its first piece: what kind it is of, whether it is null. 0: none. */
static char peek(const struct out *answer, size_t i)
{
	const struct out_node *node;

	STAILQ_FOREACH (node, &answer->nodes, link)
		if (node->kind == OUT_TEXT && node->taken < node->len)
			return node->taken + i < node->len ? node->text[node->taken + i] : 0;
	return 0;
}

static void join_first(struct call *call, struct out *answers, int count)
{
	(void)count;
	out_move(call->out, &answers[0]);
}

static void join_sum(struct call *call, struct out *answers, int count)
{
	int64_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += take_head(&answers[i]);
	reply_integer(call->out, sum);
}

static void join_largest(struct call *call, struct out *answers, int count)
{
	int64_t largest = 0;

	for (int i = 0; i < count; i++) {
		int64_t value = take_head(&answers[i]);

		largest = value > largest ? value : largest;
	}
	reply_integer(call->out, largest);
}

/* Arrays, one behind the other. */
static void join_append(struct call *call, struct out *answers, int count)
{
	int64_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += take_head(&answers[i]);
	reply_array(call->out, (size_t)sum);
	for (int i = 0; i < count; i++)
		out_move(call->out, &answers[i]);
}

/* RANDOMKEY: each shard says how many keys it has, and one of them. Going through the shards, each
 * takes the place of those before it as often as its part of the keys seen so far is. */
static void join_pick(struct call *call, struct out *answers, int count)
{
	struct dice dice = {call->engine->random[0]};
	uint64_t seen = 0;
	int picked = -1;

	for (int i = 0; i < count; i++) {
		int64_t keys;

		take_head(&answers[i]);
		keys = take_head(&answers[i]);
		if (keys <= 0)
			continue;
		seen += (uint64_t)keys;
		if (dice_roll(&dice) % seen < (uint64_t)keys)
			picked = i;
	}
	call->engine->random[0] = dice.state;
	if (picked < 0)
		reply_null(call->out);
	else
		out_move(call->out, &answers[picked]);
}

/* DEBUG: the answer that is not null. */
static void join_some(struct call *call, struct out *answers, int count)
{
	for (int i = 0; i < count; i++) {
		if (peek(&answers[i], 0) != '_' && peek(&answers[i], 1) != '-') {
			out_move(call->out, &answers[i]);
			return;
		}
	}
	if (call_is(call, 1, "object"))
		reply_error(call->out, "ERR no such key");
	else
		join_first(call, answers, count);
}

/* INFO and its like: the shards' counters, summed up. */
static void join_info(struct call *call, struct out *answers, int count)
{
	struct info sum = {0}, part = {0};
	char *raw = heap_alloc_or_null(info_size());
	bool good = info_init(&sum) && info_init(&part) && raw != NULL;

	for (int i = 0; i < count && good; i++) {
		good = take_head(&answers[i]) == (int64_t)info_size() &&
		       out_take(&answers[i], raw, info_size()) == info_size();
		if (good) {
			info_load(&part, raw);
			info_add(&sum, &part);
		}
	}
	if (good)
		cmd_info_join(call, &sum);
	else
		call->out->failed = true;
	heap_free(raw);
	info_fini(&sum);
	info_fini(&part);
}

static const struct joiner joiners[] = {
	{"dbsize", join_sum},
	{"keys", join_append},
	{"randomkey", join_pick},
	{"debug", join_some},
	{"info", join_info},
	{"memory|stats", join_info},
	{"memory|doctor", join_info},
	{"slowlog|len", join_sum},
	{"slowlog|get", join_slowlog},
	{"latency|reset", join_largest},
	{"latency|latest", join_latency_latest},
	{"latency|doctor", join_latency_latest},
	{"latency|history", join_latency_history},
	{"client|kill", join_client_kill},
	{"client|list", join_client_list},
	{"publish", join_sum},
	{"spublish", join_sum},
	{"pubsub|channels", join_pubsub_names},
	{"pubsub|numpat", join_pubsub_numpat},
	{"pubsub|numsub", join_pubsub_numsub},
	{"pubsub|shardchannels", join_pubsub_names},
	{"pubsub|shardnumsub", join_pubsub_numsub},
};

int join_shard(const struct call *call, int shard_count)
{
	return strcmp(call->command->name, "scan") == 0 ? scan_shard(call, shard_count) : -1;
}

void join_answers(struct call *call, struct out *answers, int count)
{
	for (int i = 0; i < count; i++) {
		if (answers[i].failed) { /* what it announces is not there */
			call->out->failed = true;
			return;
		}
		if (peek(&answers[i], 0) == '-') {
			out_move(call->out, &answers[i]);
			return;
		}
	}
	for (size_t i = 0; i < sizeof(joiners) / sizeof(joiners[0]); i++) {
		if (strcmp(joiners[i].name, call->command->name) == 0) {
			joiners[i].join(call, answers, count);
			return;
		}
	}
	/* The others do the same everywhere, and say so: FLUSHALL, CONFIG SET. */
	join_first(call, answers, count);
}
