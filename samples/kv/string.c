#include "kv/call.h"
#include "kv/cmd_string.h"
#include "kv/reply.h"

static bool is_string(struct call *call, const struct entry *entry)
{
	if (!entry || entry_type(entry) == VALUE_STRING)
		return true;
	reply_error(call->out, STRING_WRONG_TYPE);
	return false;
}

bool string_find(struct call *call, int i, struct entry **entry)
{
	const struct engine *engine = call->engine;

	*entry = store_find_or_null(engine->store, call->db, call_arg(call, i), engine->now_ms);
	return is_string(call, *entry);
}

bool string_seize(struct call *call, int i, struct entry **entry)
{
	const struct engine *engine = call->engine;

	*entry = store_seize_or_null(engine->store, call->db, call_arg(call, i), engine->now_ms);
	return is_string(call, *entry);
}

void string_reply(struct out *out, const struct entry *entry)
{
	char scratch[ENTRY_SCRATCH_LEN];
	struct bytes *bytes = entry ? entry_bytes_or_null(entry) : NULL;

	if (!entry)
		reply_null(out);
	else if (bytes)
		reply_bulk_bytes(out, bytes);
	else
		reply_bulk(out, entry_string(entry, scratch));
}

void string_fail(struct call *call)
{
	reply_error(call->out, CALL_NO_MEMORY);
}

bool string_set(struct call *call, int i, int j, uint64_t expire_ms)
{
	const struct engine *engine = call->engine;
	const struct arg *value = &call->argv[j];
	const struct entry *entry;

	if (value->bytes)
		entry = store_set_bytes_or_null(engine->store, call->db, call_arg(call, i),
						bytes_get(value->bytes), expire_ms, engine->now_ms);
	else
		entry = store_set_or_null(engine->store, call->db, call_arg(call, i), value->text,
					  expire_ms, engine->now_ms);
	if (entry)
		call->changed = true;
	else
		string_fail(call);
	return entry != NULL;
}

char *string_edit(struct call *call, int i, struct entry *entry, size_t len)
{
	const struct engine *engine = call->engine;
	const bool created = !entry;
	char *data = NULL;

	if (created)
		entry = store_set_or_null(engine->store, call->db, call_arg(call, i), SLICE(""),
					  STORE_NEVER, engine->now_ms);
	if (entry)
		data = store_edit_or_null(engine->store, call->db, &entry, len);
	if (!data && entry && created)
		store_remove(engine->store, call->db, entry);
	if (data)
		call->changed = true;
	else
		string_fail(call);
	return data;
}

bool string_too_long(struct call *call, uint64_t len, uint64_t more)
{
	const uint64_t max = call->engine->settings->limits.bulk_len_max;

	if (call->engine->loading || (len <= max && more <= max - len))
		return false;
	reply_error(call->out, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
	return true;
}

bool string_range(int64_t *first, int64_t *last, uint64_t len)
{
	const int64_t count = (int64_t)len;

	if (*first < 0)
		*first = *first < -count ? 0 : *first + count;
	if (*last < 0)
		*last = *last < -count ? 0 : *last + count;
	if (*last >= count)
		*last = count - 1;
	return *first <= *last;
}
