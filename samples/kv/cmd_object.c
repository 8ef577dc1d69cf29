/* What is known of a value besides its content: OBJECT. */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/reply.h"

/* Looking at it is no access. NULL: there is none, which the reply says. */
static const struct entry *peek_or_null(struct call *call)
{
	const struct entry *entry = store_look_or_null(call->engine->store, call->db,
						       call_arg(call, 2), call->engine->now_ms);

	if (entry == NULL)
		reply_null(call->out);
	return entry;
}

void cmd_object_encoding(struct call *call)
{
	static const char *const names[] = {
		[VALUE_INT] = "int", [VALUE_EMBSTR] = "embstr", [VALUE_RAW] = "raw"};
	const struct entry *entry = peek_or_null(call);

	if (entry != NULL)
		reply_text(call->out, names[entry_encoding(entry)]);
}

/* A value belongs to its key alone. (Redis says 2147483647 of the small integers that it shares.)
 */
void cmd_object_refcount(struct call *call)
{
	if (peek_or_null(call) != NULL)
		reply_integer(call->out, 1);
}

void cmd_object_idletime(struct call *call)
{
	const struct entry *entry = peek_or_null(call);

	if (entry == NULL)
		return;
	if (store_policy_is_lfu(call->engine->settings->store.policy)) {
		reply_error(
			call->out,
			"ERR An LFU maxmemory policy is selected, idle time not tracked. Please "
			"note that when switching between policies at runtime LRU and LFU data "
			"will take some time to adjust.");
		return;
	}
	reply_integer(call->out,
		      (int64_t)entry_idle_s(call->engine->store, entry, call->engine->now_ms));
}

void cmd_object_freq(struct call *call)
{
	const struct entry *entry = peek_or_null(call);

	if (entry == NULL)
		return;
	if (!store_policy_is_lfu(call->engine->settings->store.policy)) {
		reply_error(call->out,
			    "ERR An LFU maxmemory policy is not selected, access frequency not "
			    "tracked. Please note that when switching between policies at runtime "
			    "LRU and LFU data will take some time to adjust.");
		return;
	}
	reply_integer(call->out, entry_freq(call->engine->store, entry, call->engine->now_ms));
}

void cmd_object_help(struct call *call)
{
	static const char *const lines[] = {
		"ENCODING <key>",
		"    How the value is kept: int, embstr or raw.",
		"FREQ <key>",
		"    How often it is used, on a logarithmic scale (policy allkeys-lfu).",
		"IDLETIME <key>",
		"    How many seconds ago it was used.",
		"REFCOUNT <key>",
		"    Always 1: values are not shared between keys.",
		NULL,
	};

	call_help(call, "OBJECT", lines);
}
