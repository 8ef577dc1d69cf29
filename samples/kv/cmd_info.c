/* INFO, MEMORY STATS and DOCTOR, CONFIG RESETSTAT: what is counted, of one shard or of all. */
#include "kv/cmd_info.h"

#include "kv/call.h"
#include "kv/commands.h"
#include "kv/heap.h"
#include "kv/info.h"
#include "kv/reply.h"

#include <stdlib.h>
#include <string.h>

static void reply_info(struct call *call, const struct info *info)
{
	char *text = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);

	if (file == NULL) {
		call->out->failed = true;
		return;
	}
	info_print(file, call, info);
	if (fclose(file) == 0)
		reply_verbatim(call->out, (struct slice){text, len});
	else
		call->out->failed = true;
	free(text);
}

static void reply_stats(struct call *call, const struct info *info)
{
	const struct info_part *part = &info->part;
	uint64_t keys = 0, rss = info_rss_bytes();
	double used = (double)part->used_bytes;

	for (int db = 0; db < STORE_DB_COUNT; db++)
		keys += part->keys[db];
	reply_map(call->out, 7);
	reply_text(call->out, "peak.allocated");
	reply_integer(call->out, (int64_t)part->used_bytes_peak);
	reply_text(call->out, "total.allocated");
	reply_integer(call->out, (int64_t)part->used_bytes);
	reply_text(call->out, "aof.buffer");
	reply_integer(call->out, (int64_t)part->log_pending_len);
	reply_text(call->out, "keys.count");
	reply_integer(call->out, (int64_t)keys);
	reply_text(call->out, "keys.bytes-per-key");
	reply_integer(call->out, keys == 0 ? 0 : (int64_t)(part->used_bytes / keys));
	reply_text(call->out, "peak.percentage");
	reply_double(call->out,
		     part->used_bytes_peak == 0 ? 0 : used * 100 / (double)part->used_bytes_peak);
	reply_text(call->out, "fragmentation");
	reply_double(call->out, part->used_bytes == 0 ? 0 : (double)rss / used);
}

static void reply_doctor(struct call *call, const struct info *info)
{
	enum { LITTLE = 5 << 20 };
	double used = (double)info->part.used_bytes;

	if (info->part.used_bytes < LITTLE)
		reply_verbatim(call->out,
			       SLICE("This instance is empty or is using very little memory: there "
				     "is nothing that could be said of it yet.\n"));
	else if ((double)info->part.used_bytes_peak > used * 1.5)
		reply_verbatim(call->out,
			       SLICE("The peak was more than half again of what is in use now: the "
				     "process may hold more memory than its keys need.\n"));
	else if ((double)info_rss_bytes() > used * 2)
		reply_verbatim(call->out, SLICE("The process takes more than twice what its keys "
						"do: buffers of connections and of devices, or "
						"fragments of memory.\n"));
	else
		reply_verbatim(call->out, SLICE("There is no memory issue to be seen.\n"));
}

/* This shard's own, as an answer or as a part of one. */
static void answer(struct call *call, void (*reply)(struct call *call, const struct info *info))
{
	struct info info;
	char *raw;

	if (!info_init(&info)) {
		call->out->failed = true;
		return;
	}
	info_collect(&info, call->engine);
	raw = call->part ? heap_alloc_or_null(info_size()) : NULL;
	if (!call->part) {
		reply(call, &info);
	} else if (raw == NULL) {
		call->out->failed = true;
	} else {
		info_store(&info, raw);
		reply_bulk(call->out, (struct slice){raw, info_size()});
	}
	heap_free(raw);
	info_fini(&info);
}

void cmd_info_join(struct call *call, const struct info *sum)
{
	if (call_is(call, 1, "stats") && call_is(call, 0, "memory"))
		reply_stats(call, sum);
	else if (call_is(call, 0, "memory"))
		reply_doctor(call, sum);
	else
		reply_info(call, sum);
}

void cmd_info(struct call *call)
{
	answer(call, reply_info);
}

void cmd_memory_stats(struct call *call)
{
	answer(call, reply_stats);
}

void cmd_memory_doctor(struct call *call)
{
	answer(call, reply_doctor);
}

void cmd_config_resetstat(struct call *call)
{
	struct engine_clients *clients = &call->engine->clients;

	engine_reset_stats(call->engine);
	clients->received = 0;
	clients->rejected = 0;
	clients->received_bytes = 0;
	clients->sent_bytes = 0;
	clients->out_limit_drops = 0;
	clients->query_limit_drops = 0;
	reply_status(call->out, "OK");
}
