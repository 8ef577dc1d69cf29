/* Whole databases: how many keys they have, emptied, exchanged. Each shard does so with its part.
 */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/number.h"
#include "kv/reply.h"

void cmd_dbsize(struct call *call)
{
	reply_integer(call->out, (int64_t)store_size(call->engine->store, call->db));
}

/* Nothing is freed in the background here, so ASYNC and SYNC are the same. */
static bool flush_mode_wrong(const struct call *call)
{
	if (call->argc == 1 ||
	    (call->argc == 2 && (call_is(call, 1, "sync") || call_is(call, 1, "async"))))
		return false;
	reply_error(call->out, CALL_SYNTAX_ERROR);
	return true;
}

void cmd_flushdb(struct call *call)
{
	if (flush_mode_wrong(call))
		return;
	store_clear(call->engine->store, call->db);
	call->changed = true;
	reply_status(call->out, "OK");
}

void cmd_flushall(struct call *call)
{
	if (flush_mode_wrong(call))
		return;
	for (int db = 0; db < STORE_DB_COUNT; db++)
		store_clear(call->engine->store, db);
	call->changed = true;
	reply_status(call->out, "OK");
}

void cmd_swapdb(struct call *call)
{
	static const char *const not_numbers[] = {"ERR invalid first DB index",
						  "ERR invalid second DB index"};
	int64_t dbs[2];

	if (call->engine->settings->mode == KV_CLUSTER) {
		reply_error(call->out, "ERR SWAPDB is not allowed in cluster mode");
		return;
	}
	for (int i = 0; i < 2; i++) {
		if (!number_parse(call_arg(call, i + 1), &dbs[i]) || dbs[i] < INT32_MIN ||
		    dbs[i] > INT32_MAX) {
			reply_error(call->out, not_numbers[i]);
			return;
		}
	}
	if (dbs[0] < 0 || dbs[0] >= STORE_DB_COUNT || dbs[1] < 0 || dbs[1] >= STORE_DB_COUNT) {
		reply_error(call->out, "ERR DB index is out of range");
		return;
	}
	if (dbs[0] != dbs[1])
		store_swap(call->engine->store, (int)dbs[0], (int)dbs[1]);
	call->changed = true;
	reply_status(call->out, "OK");
}
