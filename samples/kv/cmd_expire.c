/* EXPIRE and its like: when a key goes away. What is logged is a time, not a span. */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/number.h"
#include "kv/reply.h"

#include <limits.h>

enum expire_option { EXPIRE_NX = 1, EXPIRE_XX = 2, EXPIRE_GT = 4, EXPIRE_LT = 8 };

static bool parse_options(const struct call *call, unsigned *options)
{
	static const struct {
		const char *name;
		unsigned option;
	} names[] = {{"nx", EXPIRE_NX}, {"xx", EXPIRE_XX}, {"gt", EXPIRE_GT}, {"lt", EXPIRE_LT}};

	*options = 0;
	for (int i = 3; i < call->argc; i++) {
		unsigned option = 0;

		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			if (call_is(call, i, names[j].name))
				option = names[j].option;
		if (option == 0) {
			struct slice word = call_arg(call, i);

			reply_errorf(call->out, "ERR Unsupported option %.*s",
				     (int)(word.len < INT_MAX ? word.len : INT_MAX), word.data);
			return false;
		}
		*options |= option;
	}
	if ((*options & EXPIRE_NX) != 0 && *options != EXPIRE_NX) {
		reply_error(call->out,
			    "ERR NX and XX, GT or LT options at the same time are not compatible");
		return false;
	}
	if ((*options & EXPIRE_GT) != 0 && (*options & EXPIRE_LT) != 0) {
		reply_error(call->out, "ERR GT and LT options at the same time are not compatible");
		return false;
	}
	return true;
}

/* In milliseconds since 1970; negative: long ago. False: it does not fit, which the reply says. */
static bool parse_when(const struct call *call, bool seconds, bool from_now, int64_t *when_ms)
{
	int64_t now_ms = from_now ? (int64_t)call->engine->now_ms : 0;

	if (!call_integer(call, 2, when_ms))
		return false;
	if ((!seconds || !__builtin_mul_overflow(*when_ms, 1000, when_ms)) &&
	    !__builtin_add_overflow(*when_ms, now_ms, when_ms))
		return true;
	reply_errorf(call->out, "ERR invalid expire time in '%s' command", call->command->name);
	return false;
}

/* A key without an expiry lives forever, which is longer than anything. */
static bool wanted(unsigned options, uint64_t now_set_ms, int64_t when_ms)
{
	bool set = now_set_ms != STORE_NEVER;

	if ((options & EXPIRE_NX) != 0 && set)
		return false;
	if ((options & EXPIRE_XX) != 0 && !set)
		return false;
	if ((options & EXPIRE_GT) != 0 && (!set || when_ms <= (int64_t)now_set_ms))
		return false;
	return (options & EXPIRE_LT) == 0 || !set || when_ms < (int64_t)now_set_ms;
}

static void expire(struct call *call, bool seconds, bool from_now)
{
	const struct engine *engine = call->engine;
	struct slice key = call_arg(call, 1);
	struct entry *entry;
	unsigned options;
	int64_t when_ms;

	if (!parse_options(call, &options) || !parse_when(call, seconds, from_now, &when_ms))
		return;
	entry = store_seize_or_null(engine->store, call->db, key, engine->now_ms);
	if (entry == NULL || !wanted(options, entry_expire_ms(entry), when_ms)) {
		reply_integer(call->out, 0);
		return;
	}
	/* While the log is replayed a time that has passed stays: a later PERSIST may be in it. */
	if (when_ms <= (int64_t)engine->now_ms && !engine->loading) {
		store_remove(engine->store, call->db, entry);
		call_log(call, 2, (struct slice[]){SLICE("DEL"), key});
	} else {
		char digits[NUMBER_LEN_MAX];
		/* 0 would be never. */
		int64_t at_ms = when_ms < 1 ? 1 : when_ms;

		if (!store_expire(engine->store, call->db, entry, (uint64_t)at_ms)) {
			reply_error(call->out, CALL_NO_MEMORY);
			return;
		}
		call_log(call, 3,
			 (struct slice[]){
				 SLICE("PEXPIREAT"), key, {digits, number_print(digits, at_ms)}});
	}
	reply_integer(call->out, 1);
}

void cmd_expire(struct call *call)
{
	expire(call, true, true);
}

void cmd_pexpire(struct call *call)
{
	expire(call, false, true);
}

void cmd_expireat(struct call *call)
{
	expire(call, true, false);
}

void cmd_pexpireat(struct call *call)
{
	expire(call, false, false);
}

static void reply_expiry(struct call *call, bool seconds, bool from_now)
{
	const struct engine *engine = call->engine;
	const struct entry *entry =
		store_look_or_null(engine->store, call->db, call_arg(call, 1), engine->now_ms);
	uint64_t at_ms = entry == NULL ? 0 : entry_expire_ms(entry);

	if (entry == NULL || at_ms == STORE_NEVER) {
		reply_integer(call->out, entry == NULL ? -2 : -1);
		return;
	}
	if (from_now)
		at_ms -= at_ms > engine->now_ms ? engine->now_ms : at_ms;
	reply_integer(call->out, (int64_t)(seconds ? (at_ms + 500) / 1000 : at_ms));
}

void cmd_ttl(struct call *call)
{
	reply_expiry(call, true, true);
}

void cmd_pttl(struct call *call)
{
	reply_expiry(call, false, true);
}

void cmd_expiretime(struct call *call)
{
	reply_expiry(call, true, false);
}

void cmd_pexpiretime(struct call *call)
{
	reply_expiry(call, false, false);
}

void cmd_persist(struct call *call)
{
	const struct engine *engine = call->engine;
	struct entry *entry =
		store_seize_or_null(engine->store, call->db, call_arg(call, 1), engine->now_ms);

	if (entry == NULL || entry_expire_ms(entry) == STORE_NEVER) {
		reply_integer(call->out, 0);
		return;
	}
	if (!store_expire(engine->store, call->db, entry, STORE_NEVER)) {
		reply_error(call->out, CALL_NO_MEMORY);
		return;
	}
	call->changed = true;
	reply_integer(call->out, 1);
}
