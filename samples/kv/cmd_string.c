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

	if (!call_logged(call))
		return;
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
	if (call->changed && call->argc > 3)
		log_set(call, 1, 2, expire_ms);
}

static void set_expiring(struct call *call, unsigned unit)
{
	uint64_t expire_ms;

	if (!string_expiry(call, 2, unit, &expire_ms) || !string_set(call, 1, 3, expire_ms))
		return;
	log_set(call, 1, 3, expire_ms);
	reply_status(call->out, "OK");
}

void cmd_setex(struct call *call)
{
	set_expiring(call, STRING_EX);
}

void cmd_psetex(struct call *call)
{
	set_expiring(call, STRING_PX);
}

void cmd_setnx(struct call *call)
{
	const bool exists = key_exists(call, 1);

	if (exists || string_set(call, 1, 2, STORE_NEVER))
		reply_integer(call->out, !exists);
}

void cmd_getset(struct call *call)
{
	struct entry *entry;

	if (string_find(call, 1, &entry))
		get_and_set(call, 2, entry, STORE_NEVER);
}

static void log_key(struct call *call, const char *command)
{
	call_log(call, 2, (struct slice[]){slice_of(command), call_arg(call, 1)});
}

void cmd_getdel(struct call *call)
{
	struct entry *entry;

	if (!string_find(call, 1, &entry))
		return;
	string_reply(call->out, entry);
	if (!entry)
		return;
	store_remove(call->engine->store, call->db, entry);
	log_key(call, "DEL");
}

/* Its expiry as GETEX asks for it. False: no memory. */
static bool set_expiry(struct call *call, struct entry *entry, unsigned options, uint64_t expire_ms)
{
	struct store *store = call->engine->store;
	char when[NUMBER_LEN_MAX];

	if (options & (STRING_EXAT | STRING_PXAT) && expire_ms <= call->engine->now_ms) {
		store_remove(store, call->db, entry);
		log_key(call, "DEL");
		return true;
	}
	if (!store_expire(store, call->db, entry, expire_ms))
		return false;
	if (options & STRING_PERSIST)
		log_key(call, "PERSIST");
	else
		call_log(call, 3,
			 (struct slice[]){
				 SLICE("PEXPIREAT"),
				 call_arg(call, 1),
				 {when, number_print_unsigned(when, expire_ms)},
			 });
	return true;
}

void cmd_getex(struct call *call)
{
	struct string_options options;
	uint64_t expire_ms = STORE_NEVER;
	struct entry *entry;
	struct out value;

	if (!string_options(call, 2, STRING_PERSIST | STRING_EXPIRY, &options) ||
	    !string_find(call, 1, &entry))
		return;
	if (entry && options.expiry &&
	    !string_expiry(call, options.expiry, options.set & STRING_EXPIRY, &expire_ms))
		return;
	if (!entry || !options.set ||
	    (options.set & STRING_PERSIST && entry_expire_ms(entry) == STORE_NEVER)) {
		string_reply(call->out, entry);
		return;
	}
	out_init(&value, call->out->resp);
	string_reply(&value, entry);
	if (set_expiry(call, entry, options.set, expire_ms))
		out_move(call->out, &value);
	else
		string_fail(call);
	out_fini(&value);
}

void cmd_mget(struct call *call)
{
	const struct engine *engine = call->engine;

	reply_array(call->out, (size_t)call->argc - 1);
	for (int i = 1; i < call->argc; i++) {
		const struct entry *entry = store_find_or_null(engine->store, call->db,
							       call_arg(call, i), engine->now_ms);

		string_reply(call->out, entry && entry_type(entry) == VALUE_STRING ? entry : NULL);
	}
}

static bool pairs_wrong(struct call *call)
{
	if (call->argc % 2 == 1)
		return false;
	reply_errorf(call->out, "ERR wrong number of arguments for '%s' command",
		     call->command->name);
	return true;
}

/* What there was memory for is set, and logged. */
static bool set_pairs(struct call *call)
{
	int i = 1;

	while (i < call->argc && string_set(call, i, i + 1, STORE_NEVER))
		i += 2;
	if (i == call->argc)
		return true;
	for (int done = 1; done < i; done += 2)
		log_set(call, done, done + 1, STORE_NEVER);
	return false;
}

void cmd_mset(struct call *call)
{
	if (!pairs_wrong(call) && set_pairs(call))
		reply_status(call->out, "OK");
}

void cmd_msetnx(struct call *call)
{
	if (pairs_wrong(call))
		return;
	for (int i = 1; i < call->argc; i += 2)
		if (key_exists(call, i)) {
			reply_integer(call->out, 0);
			return;
		}
	if (set_pairs(call))
		reply_integer(call->out, 1);
}
