/* BITOP: a string made of others, bit by bit; where one is at its end zeros follow. */
#include "kv/call.h"
#include "kv/cmd_string.h"
#include "kv/commands.h"
#include "kv/reply.h"

enum operation { AND, OR, XOR, NOT };

static bool parse_operation(struct call *call, enum operation *operation)
{
	static const char *const names[] = {"and", "or", "xor", "not"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (call_is(call, 1, names[i])) {
			*operation = (enum operation)i;
			return true;
		}
	reply_error(call->out, CALL_SYNTAX_ERROR);
	return false;
}

/* The longest source's length. False: one is no string, which is the reply. */
static bool longest(struct call *call, size_t *len)
{
	char scratch[ENTRY_SCRATCH_LEN];
	struct entry *entry;

	*len = 0;
	for (int i = 3; i < call->argc; i++) {
		if (!string_find(call, i, &entry))
			return false;
		if (entry && entry_string(entry, scratch).len > *len)
			*len = entry_string(entry, scratch).len;
	}
	return true;
}

static void combine(char *to, size_t to_len, struct slice from, enum operation operation)
{
	const size_t len = from.len;

	switch (operation) {
	case AND:
		for (size_t i = 0; i < len; i++)
			to[i] &= from.data[i];
		memset(to + len, 0, to_len - len);
		break;
	case OR:
		for (size_t i = 0; i < len; i++)
			to[i] |= from.data[i];
		break;
	case XOR:
		for (size_t i = 0; i < len; i++)
			to[i] ^= from.data[i];
		break;
	case NOT:
		for (size_t i = 0; i < to_len; i++)
			to[i] = (char)~to[i];
		break;
	}
}

/* The result, with one reference; NULL: no memory. */
static struct bytes *operate_or_null(struct call *call, enum operation operation, size_t len)
{
	const struct engine *engine = call->engine;
	struct bytes *result = bytes_create_or_null(len, len);
	char scratch[ENTRY_SCRATCH_LEN];

	if (!result)
		return NULL;
	memset(result->data, 0, len);
	for (int i = 3; i < call->argc; i++) {
		const struct entry *entry = store_peek_or_null(engine->store, call->db,
							       call_arg(call, i), engine->now_ms);
		const struct slice text = entry ? entry_string(entry, scratch) : SLICE("");

		combine(result->data, len, text, i == 3 ? OR : operation);
	}
	if (operation == NOT)
		combine(result->data, len, SLICE(""), NOT);
	return result;
}

static void put(struct call *call, struct bytes *result)
{
	const struct engine *engine = call->engine;
	const size_t len = result->len;

	if (store_set_bytes_or_null(engine->store, call->db, call_arg(call, 2), result, STORE_NEVER,
				    engine->now_ms)) {
		call->changed = true;
		engine_touched(call, call->db, call_arg(call, 2));
		reply_integer(call->out, (int64_t)len);
	} else {
		string_fail(call);
	}
}

void cmd_bitop(struct call *call)
{
	const struct engine *engine = call->engine;
	enum operation operation;
	struct bytes *result;
	struct entry *entry;
	size_t len;

	if (!parse_operation(call, &operation))
		return;
	if (operation == NOT && call->argc != 4) {
		reply_error(call->out, "ERR BITOP NOT must be called with a single source key.");
		return;
	}
	if (!longest(call, &len))
		return;
	if (len > 0) {
		result = operate_or_null(call, operation, len);
		if (result)
			put(call, result);
		else
			string_fail(call);
		return;
	}
	entry = store_peek_or_null(engine->store, call->db, call_arg(call, 2), engine->now_ms);
	if (entry) {
		store_remove(engine->store, call->db, entry);
		call->changed = true;
		engine_touched(call, call->db, call_arg(call, 2));
	}
	reply_integer(call->out, 0);
}
