/* Commands that read and change parts of strings. */
#include "kv/call.h"
#include "kv/cmd_string.h"
#include "kv/commands.h"
#include "kv/reply.h"

static size_t len_of(const struct entry *entry)
{
	char scratch[ENTRY_SCRATCH_LEN];

	return entry ? entry_string(entry, scratch).len : 0;
}

void cmd_strlen(struct call *call)
{
	struct entry *entry;

	if (string_find(call, 1, &entry))
		reply_integer(call->out, (int64_t)len_of(entry));
}

void cmd_append(struct call *call)
{
	const struct slice more = call_arg(call, 2);
	struct entry *entry;
	size_t len;
	char *data;

	if (!string_seize(call, 1, &entry))
		return;
	if (!entry) {
		if (string_set(call, 1, 2, STORE_NEVER))
			reply_integer(call->out, (int64_t)more.len);
		return;
	}
	len = len_of(entry);
	if (string_too_long(call, len, more.len))
		return;
	data = string_edit(call, 1, entry, len + more.len);
	if (!data)
		return;
	if (more.len > 0)
		memcpy(data + len, more.data, more.len);
	reply_integer(call->out, (int64_t)(len + more.len));
}

void cmd_setrange(struct call *call)
{
	const struct slice part = call_arg(call, 3);
	struct entry *entry;
	int64_t offset;
	size_t len;
	char *data;

	if (!call_integer(call, 2, &offset))
		return;
	if (offset < 0) {
		reply_error(call->out, "ERR offset is out of range");
		return;
	}
	if (!string_seize(call, 1, &entry))
		return;
	len = len_of(entry);
	if (part.len == 0) {
		reply_integer(call->out, (int64_t)len);
		return;
	}
	if (string_too_long(call, (uint64_t)offset, part.len))
		return;
	if (len < (size_t)offset + part.len)
		len = (size_t)offset + part.len;
	data = string_edit(call, 1, entry, len);
	if (!data)
		return;
	memcpy(data + offset, part.data, part.len);
	reply_integer(call->out, (int64_t)len);
}

static void get_range(struct call *call)
{
	char scratch[ENTRY_SCRATCH_LEN];
	struct slice text = SLICE("");
	struct entry *entry;
	int64_t first, last;

	if (!call_integer(call, 2, &first) || !call_integer(call, 3, &last) ||
	    !string_find(call, 1, &entry))
		return;
	if (entry)
		text = entry_string(entry, scratch);
	if (!string_range_inverted(first, last) && string_range(&first, &last, text.len))
		text = (struct slice){text.data + first, (size_t)(last - first + 1)};
	else
		text.len = 0;
	reply_bulk(call->out, text);
}

void cmd_getrange(struct call *call)
{
	get_range(call);
}

void cmd_substr(struct call *call)
{
	get_range(call);
}
