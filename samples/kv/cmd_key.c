/* Keys by name, whatever their values: DEL, EXISTS, TYPE, RENAME, COPY, MOVE and their like. */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/reply.h"

static struct entry *find_or_null(const struct call *call, int i)
{
	return store_find_or_null(call->engine->store, call->db, call_arg(call, i),
				  call->engine->now_ms);
}

static struct entry *seize_or_null(const struct call *call, int i)
{
	return store_seize_or_null(call->engine->store, call->db, call_arg(call, i),
				   call->engine->now_ms);
}

/* DEL, UNLINK. Keys that were not there are logged, too: that is no change. */
void cmd_del(struct call *call)
{
	int removed = 0;

	for (int i = 1; i < call->argc; i++) {
		struct entry *entry = store_peek_or_null(call->engine->store, call->db,
							 call_arg(call, i), call->engine->now_ms);

		if (entry == NULL)
			continue;
		store_remove(call->engine->store, call->db, entry);
		engine_touched(call, call->db, call_arg(call, i));
		removed++;
	}
	call->changed = removed > 0;
	reply_integer(call->out, removed);
}

void cmd_exists(struct call *call)
{
	int count = 0;

	for (int i = 1; i < call->argc; i++)
		count += store_look_or_null(call->engine->store, call->db, call_arg(call, i),
					    call->engine->now_ms) != NULL;
	reply_integer(call->out, count);
}

void cmd_touch(struct call *call)
{
	int count = 0;

	for (int i = 1; i < call->argc; i++)
		count += find_or_null(call, i) != NULL;
	reply_integer(call->out, count);
}

void cmd_type(struct call *call)
{
	const struct entry *entry = store_look_or_null(call->engine->store, call->db,
						       call_arg(call, 1), call->engine->now_ms);

	if (entry == NULL) {
		reply_status(call->out, "none");
		return;
	}
	switch (entry_type(entry)) {
	case VALUE_STRING:
		reply_status(call->out, "string");
		break;
	}
}

/* Both keys are on this shard. The router puts it together from other commands where they are not.
 */
static void rename_key(struct call *call, bool only_new)
{
	struct slice from = call_arg(call, 1), to = call_arg(call, 2);
	struct entry *entry = seize_or_null(call, 1);

	if (entry == NULL) {
		reply_error(call->out, "ERR no such key");
		return;
	}
	if (slice_equal(from, to) || (only_new && seize_or_null(call, 2) != NULL)) {
		if (only_new)
			reply_integer(call->out, 0);
		else
			reply_status(call->out, "OK");
		return;
	}
	/* The second look may have moved what the first one found. */
	entry = seize_or_null(call, 1);
	if (entry == NULL ||
	    !store_move(call->engine->store, call->db, entry, call->db, to, call->engine->now_ms)) {
		reply_error(call->out, CALL_NO_MEMORY);
		return;
	}
	call->changed = true;
	if (only_new)
		reply_integer(call->out, 1);
	else
		reply_status(call->out, "OK");
}

void cmd_rename(struct call *call)
{
	rename_key(call, false);
}

void cmd_renamenx(struct call *call)
{
	rename_key(call, true);
}

void cmd_move(struct call *call)
{
	const struct engine *engine = call->engine;
	struct slice key = call_arg(call, 1);
	struct entry *entry;
	int to_db;

	if (engine->settings->mode == KV_CLUSTER) {
		reply_error(call->out, "ERR MOVE is not allowed in cluster mode");
		return;
	}
	if (!call_db(call, 2, &to_db))
		return;
	if (to_db == call->db) {
		reply_error(call->out, "ERR source and destination objects are the same");
		return;
	}
	if (store_seize_or_null(engine->store, to_db, key, engine->now_ms) != NULL ||
	    (entry = seize_or_null(call, 1)) == NULL) {
		reply_integer(call->out, 0);
		return;
	}
	if (!store_move(engine->store, call->db, entry, to_db, key, engine->now_ms)) {
		reply_error(call->out, CALL_NO_MEMORY);
		return;
	}
	engine_touched(call, call->db, key);
	engine_touched(call, to_db, key);
	call->changed = true;
	reply_integer(call->out, 1);
}

/* The value's own bytes, which are shared if they lie outside of the entry; its encoding, too. */
static bool copy_value(const struct call *call, const struct entry *entry, int to_db)
{
	struct store *store = call->engine->store;
	struct slice key = call_arg(call, 2);
	struct bytes *bytes = entry_bytes_or_null(entry);
	bool raw = entry_encoding(entry) == VALUE_RAW;
	uint64_t now_ms = call->engine->now_ms, expire_ms = entry_expire_ms(entry);
	int64_t integer;
	char scratch[ENTRY_SCRATCH_LEN];
	struct slice text;
	struct entry *copy;

	if (bytes != NULL)
		return store_set_bytes_or_null(store, to_db, key, bytes_get(bytes), expire_ms,
					       now_ms) != NULL;
	if (entry_integer(entry, &integer))
		return store_set_integer_or_null(store, to_db, key, integer, expire_ms, now_ms) !=
		       NULL;
	text = entry_string(entry, scratch);
	copy = store_set_or_null(store, to_db, key, text, expire_ms, now_ms);
	/* A short one is raw because it was edited, and so is its copy, if there is room. */
	if (copy != NULL && raw && entry_encoding(copy) != VALUE_RAW)
		(void)store_edit_or_null(store, to_db, &copy, text.len);
	return copy != NULL;
}

static bool parse_copy(const struct call *call, int *to_db, bool *replace)
{
	*to_db = call->db;
	*replace = false;
	for (int i = 3; i < call->argc; i++) {
		if (call_is(call, i, "replace")) {
			*replace = true;
		} else if (call_is(call, i, "db") && i + 1 < call->argc) {
			if (!call_db(call, ++i, to_db))
				return false;
		} else {
			reply_error(call->out, CALL_SYNTAX_ERROR);
			return false;
		}
	}
	if (call->engine->settings->mode == KV_CLUSTER && (call->db != 0 || *to_db != 0)) {
		reply_error(call->out, "ERR Copying to another database is not allowed in "
				       "cluster mode");
		return false;
	}
	return true;
}

void cmd_copy(struct call *call)
{
	const struct engine *engine = call->engine;
	struct slice from = call_arg(call, 1), to = call_arg(call, 2);
	const struct entry *entry;
	int to_db;
	bool replace;

	if (!parse_copy(call, &to_db, &replace))
		return;
	if (to_db == call->db && slice_equal(from, to)) {
		reply_error(call->out, "ERR source and destination objects are the same");
		return;
	}
	if (find_or_null(call, 1) == NULL ||
	    (!replace && store_seize_or_null(engine->store, to_db, to, engine->now_ms) != NULL)) {
		reply_integer(call->out, 0);
		return;
	}
	/* The second look may have moved what the first one found. */
	entry = store_peek_or_null(engine->store, call->db, from, engine->now_ms);
	if (entry == NULL) {
		reply_integer(call->out, 0);
		return;
	}
	if (!copy_value(call, entry, to_db)) {
		reply_error(call->out, CALL_NO_MEMORY);
		return;
	}
	engine_touched(call, to_db, to);
	call->changed = true;
	reply_integer(call->out, 1);
}
