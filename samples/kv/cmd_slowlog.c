/* SLOWLOG: see slowlog.h. */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/heap.h"
#include "kv/join_log.h"
#include "kv/number.h"
#include "kv/reply.h"
#include "kv/skim.h"

enum { COUNT_DEFAULT = 10 };

static void reply_entry(struct out *out, const struct slowlog_entry *entry)
{
	reply_array(out, 6);
	reply_integer(out, (int64_t)entry->id);
	reply_integer(out, (int64_t)(entry->when_ms / 1000));
	reply_integer(out, (int64_t)entry->us);
	reply_array(out, (size_t)entry->argc);
	for (int i = 0; i < entry->argc; i++)
		reply_bulk(out, entry->argv[i]);
	reply_text(out, entry->peer);
	reply_text(out, entry->name);
}

/* How many are asked for: UINT64_MAX for all. False: it is no number, which the reply says. */
static bool parse_count(const struct call *call, uint64_t *count)
{
	int64_t value = COUNT_DEFAULT;

	if (call->argc > 2 && (!number_parse(call_arg(call, 2), &value) || value < -1)) {
		reply_error(call->out, "ERR count should be greater than or equal to -1");
		return false;
	}
	*count = value < 0 ? UINT64_MAX : (uint64_t)value;
	return true;
}

void cmd_slowlog_get(struct call *call)
{
	const struct slowlog *slowlog = &call->engine->slowlog;
	const struct slowlog_entry *entry;
	uint64_t count;

	if (call->argc > 3) {
		struct slice word = call_arg(call, 1);

		reply_errorf(call->out,
			     "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try "
			     "SLOWLOG HELP.",
			     (int)word.len, word.data);
		return;
	}
	if (!parse_count(call, &count))
		return;
	if (count > slowlog->count)
		count = slowlog->count;
	reply_array(call->out, count);
	TAILQ_FOREACH (entry, &slowlog->entries, link) {
		if (count-- == 0)
			break;
		reply_entry(call->out, entry);
	}
}

/* Of each shard's entries, newest first, the newest of all. */
struct slow {
	struct slice left, entry; /* entry: the next one; empty: there is none */
	int64_t count, id, when_s;
	char *block;
};

static void slow_next(struct slow *slow)
{
	struct slice head;

	slow->entry = (struct slice){NULL, 0};
	if (slow->count-- <= 0)
		return;
	slow->entry = skim_whole(&slow->left);
	head = slow->entry;
	skim_head(&head);
	slow->id = skim_head(&head);
	slow->when_s = skim_head(&head);
}

static struct slow *newest_or_null(struct slow *slows, int count)
{
	struct slow *newest = NULL;

	for (int i = 0; i < count; i++) {
		struct slow *slow = &slows[i];

		if (slow->entry.len > 0 &&
		    (newest == NULL || slow->when_s > newest->when_s ||
		     (slow->when_s == newest->when_s && slow->id > newest->id)))
			newest = slow;
	}
	return newest;
}

void join_slowlog(struct call *call, struct out *answers, int count)
{
	struct slow *slows = heap_alloc_or_null((size_t)count * sizeof(*slows));
	uint64_t wanted = 0, sum = 0;

	call->out->failed = call->out->failed || slows == NULL || !parse_count(call, &wanted);
	for (int i = 0; i < count && slows != NULL; i++) {
		slows[i] = (struct slow){0};
		slows[i].block = skim_take_or_null(&answers[i], &slows[i].left);
		if (slows[i].block == NULL)
			call->out->failed = true;
		slows[i].count = skim_head(&slows[i].left);
		sum += slows[i].count < 0 ? 0 : (uint64_t)slows[i].count;
		slow_next(&slows[i]);
	}
	if (sum < wanted)
		wanted = sum;
	reply_array(call->out, wanted);
	for (; wanted > 0 && slows != NULL; wanted--) {
		struct slow *slow = newest_or_null(slows, count);

		if (slow == NULL)
			break;
		out_add(call->out, slow->entry);
		slow_next(slow);
	}
	for (int i = 0; i < count && slows != NULL; i++)
		heap_free(slows[i].block);
	heap_free(slows);
}

void cmd_slowlog_len(struct call *call)
{
	reply_integer(call->out, (int64_t)call->engine->slowlog.count);
}

void cmd_slowlog_reset(struct call *call)
{
	slowlog_clear(&call->engine->slowlog);
	reply_status(call->out, "OK");
}

void cmd_slowlog_help(struct call *call)
{
	static const char *const lines[] = {
		"GET [<count>]",
		"    The newest of the commands that took long: 10, or as many as are asked for, "
		"-1 for all.",
		"    Of each: id, time, microseconds, arguments, address and name of the client "
		"(empty if",
		"    another shard forwarded it).",
		"LEN",
		"    How many are kept.",
		"RESET",
		"    Forgets them.",
		NULL,
	};

	call_help(call, "SLOWLOG", lines);
}
