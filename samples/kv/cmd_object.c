/* What is known of a value besides its content: OBJECT. */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/reply.h"

/* Looking at it is no access. NULL: there is none, which the reply says. */
static const struct entry *peek_or_null(struct call *call)
{
	const struct entry *entry = store_peek_or_null(call->engine->store, call->db,
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
	if (call->engine->settings->store.policy == STORE_ALLKEYS_LFU) {
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
	if (call->engine->settings->store.policy != STORE_ALLKEYS_LFU) {
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
		"    Return the kind of internal representation used in order to store the value",
		"    associated with a <key>.",
		"FREQ <key>",
		"    Return the access frequency index of the <key>. The returned integer is",
		"    proportional to the logarithm of the recent access frequency of the key.",
		"IDLETIME <key>",
		"    Return the idle time of the <key>, that is the approximated number of",
		"    seconds elapsed since the last access to the key.",
		"REFCOUNT <key>",
		"    Return the number of references of the value associated with the specified",
		"    <key>.",
		NULL,
	};

	call_help(call, "OBJECT", lines);
}
