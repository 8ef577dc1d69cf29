/* MEMORY: what keys take. What connections take is not counted. */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/reply.h"

void cmd_memory_usage(struct call *call)
{
	const struct entry *entry;
	int64_t samples;

	for (int i = 3; i < call->argc; i += 2) {
		if (!call_is(call, i, "samples") || i + 1 == call->argc) {
			reply_error(call->out, CALL_SYNTAX_ERROR);
			return;
		}
		if (!call_integer(call, i + 1, &samples))
			return;
		if (samples < 0) {
			reply_error(call->out, CALL_SYNTAX_ERROR);
			return;
		}
	}
	entry = store_peek_or_null(call->engine->store, call->db, call_arg(call, 2),
				   call->engine->now_ms);
	if (entry == NULL)
		reply_null(call->out);
	else
		reply_integer(call->out, (int64_t)entry_size(entry));
}

void cmd_memory_malloc_stats(struct call *call)
{
	reply_text(call->out, "Stats not supported for the current allocator");
}

/* The allocator gives back by itself what it does not need. */
void cmd_memory_purge(struct call *call)
{
	reply_status(call->out, "OK");
}

void cmd_memory_help(struct call *call)
{
	static const char *const lines[] = {
		"DOCTOR",
		"    What is remarkable about the use of memory.",
		"MALLOC-STATS",
		"    Not supported.",
		"PURGE",
		"    Nothing: the allocator does so by itself.",
		"STATS",
		"    What all keys take, and how much the process has.",
		"USAGE <key> [SAMPLES <count>]",
		"    How many bytes the key and its value take. SAMPLES makes no difference.",
		NULL,
	};

	call_help(call, "MEMORY", lines);
}
