/* Commands that get and set strings as a whole. */
#include "kv/cmd_string.h"

#include "kv/call.h"
#include "kv/commands.h"
#include "kv/number.h"
#include "kv/reply.h"

void cmd_get(struct call *call)
{
	struct entry *entry;

	if (string_find(call, 1, &entry))
		string_reply(call->out, entry);
}

static bool key_exists(struct call *call, int i)
{
	const struct engine *engine = call->engine;

	return store_peek_or_null(engine->store, call->db, call_arg(call, i), engine->now_ms);
}

/* A key that expires is logged with the time when it does, and what is logged answers nothing. */
static void log_set(struct call *call, int i, int j, uint64_t expire_ms)
{
	const bool keep = expire_ms == STORE_KEEP_EXPIRY,
		   expires = expire_ms != STORE_NEVER && !keep;
	char when[NUMBER_LEN_MAX];

	reply_array(call->log, 3 + 2 * expires + keep);
	reply_bulk(call->log, SLICE("SET"));
	reply_bulk(call->log, call_arg(call, i));
	if (call->argv[j].bytes)
		reply_bulk_bytes(call->log, call->argv[j].bytes);
	else
		reply_bulk(call->log, call_arg(call, j));
	if (expires) {
		reply_bulk(call->log, SLICE("PXAT"));
		reply_bulk(call->log, (struct slice){when, number_print_unsigned(when, expire_ms)});
	} else if (keep) {
		reply_bulk(call->log, SLICE("KEEPTTL"));
	}
}

/* The old value, then the new one is set: if that fails, only this is said. */
static void get_and_set(struct call *call, int j, const struct entry *entry, uint64_t expire_ms)
{
	struct out old;

	out_init(&old, call->out->resp);
	string_reply(&old, entry);
	if (string_set(call, 1, j, expire_ms))
		out_move(call->out, &old);
	out_fini(&old);
}

void cmd_set(struct call *call)
{
	struct string_options options = {0};
	uint64_t expire_ms = STORE_NEVER;
	struct entry *entry = NULL;
	bool keep, wanted = true;

	if (call->argc > 3 &&
	    !string_options(call, 3,
			    STRING_NX | STRING_XX | STRING_GET | STRING_KEEPTTL | STRING_EXPIRY,
			    &options))
		return;
	keep = options.set & STRING_KEEPTTL;
	if (options.expiry &&
	    !string_expiry(call, options.expiry, options.set & STRING_EXPIRY, &expire_ms))
		return;
	if (options.set & STRING_GET && !string_find(call, 1, &entry))
		return;
	if (options.set & (STRING_NX | STRING_XX))
		wanted = key_exists(call, 1) == !(options.set & STRING_NX);
	if (keep)
		expire_ms = STORE_KEEP_EXPIRY;
	if (!wanted) {
		string_reply(call->out, options.set & STRING_GET ? entry : NULL);
	} else if (options.set & STRING_GET) {
		get_and_set(call, 2, entry, expire_ms);
	} else if (string_set(call, 1, 2, expire_ms)) {
		reply_status(call->out, "OK");
	}
	if (call->changed && call->argc > 3 && call->engine->aof)
		log_set(call, 1, 2, expire_ms);
}
