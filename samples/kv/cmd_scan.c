/* Keys by going through them: KEYS, SCAN, RANDOMKEY. */
#include "kv/scan.h"

#include "kv/call.h"
#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/glob.h"
#include "kv/number.h"
#include "kv/reply.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

enum { SCAN_COUNT = 10, CURSOR_LEN = 32 };

/* What a walk is looking for, and what it has found. */
struct walk {
	uint64_t now_ms;
	struct slice pattern; /* NULL: any key */
	bool type_unknown;    /* of a type that no key has */
	size_t seen, found;
	struct out keys;
};

static void walk_init(struct walk *walk, const struct call *call)
{
	*walk = (struct walk){.now_ms = call->engine->now_ms};
	out_init(&walk->keys, call->out->resp);
}

static void set_pattern(struct walk *walk, struct slice pattern)
{
	/* It matches the empty key, too, which glob_match() would not. */
	walk->pattern = slice_equal(pattern, SLICE("*")) ? (struct slice){NULL, 0} : pattern;
}

static void visit(void *arg, struct entry *entry)
{
	struct walk *walk = arg;
	uint64_t expire_ms = entry_expire_ms(entry);
	struct slice key = entry_key(entry);

	walk->seen++;
	if (walk->type_unknown || (expire_ms != STORE_NEVER && expire_ms <= walk->now_ms))
		return;
	if (walk->pattern.data != NULL && !glob_match(walk->pattern, key, false))
		return;
	walk->found++;
	reply_bulk(&walk->keys, key);
}

static void reply_keys(struct call *call, struct walk *walk)
{
	reply_array(call->out, walk->found);
	out_move(call->out, &walk->keys);
	out_fini(&walk->keys);
}

void cmd_keys(struct call *call)
{
	struct walk walk;
	uint64_t cursor = 0;

	walk_init(&walk, call);
	set_pattern(&walk, call_arg(call, 1));
	do {
		cursor = store_scan(call->engine->store, call->db, cursor, visit, &walk);
	} while (cursor != 0);
	reply_keys(call, &walk);
}

/* As strtoul() takes it, which is what Redis calls. */
static bool parse_cursor(struct slice text, uint64_t *cursor)
{
	char digits[CURSOR_LEN], *end;

	if (text.len >= CURSOR_LEN || (text.len > 0 && isspace((unsigned char)text.data[0])))
		return false;
	memcpy(digits, text.data, text.len);
	digits[text.len] = 0;
	errno = 0;
	*cursor = strtoul(digits, &end, 10);
	return errno == 0 && *end == 0;
}

static bool parse_scan(const struct call *call, struct walk *walk, int64_t *count)
{
	*count = SCAN_COUNT;
	for (int i = 2; i < call->argc; i += 2) {
		bool last = i + 1 == call->argc;

		if (!last && call_is(call, i, "count")) {
			if (!call_integer(call, i + 1, count))
				return false;
			if (*count < 1)
				break;
		} else if (!last && call_is(call, i, "match")) {
			set_pattern(walk, call_arg(call, i + 1));
		} else if (!last && call_is(call, i, "type")) {
			walk->type_unknown = !call_is(call, i + 1, "string");
		} else {
			*count = 0;
			break;
		}
	}
	if (*count < 1)
		reply_error(call->out, CALL_SYNTAX_ERROR);
	return *count >= 1;
}

static int cursor_shards(const struct engine *engine)
{
	return engine->settings->mode == KV_CLUSTER ? 1 : engine->shard_count;
}

int scan_shard(const struct call *call, int shard_count)
{
	uint64_t cursor;

	if (call->argc < 2 || !parse_cursor(call_arg(call, 1), &cursor))
		return 0;
	return (int)(cursor % (uint64_t)shard_count);
}

/*
 * The client's cursor is the store's, times the number of shards, plus the shard's number. The
 * store's has no more bits than its table's size has, so there is room.
 */
void cmd_scan(struct call *call)
{
	uint64_t shards = (uint64_t)cursor_shards(call->engine), cursor, shard;
	char digits[NUMBER_LEN_MAX];
	struct walk walk;
	int64_t count;
	uint64_t steps = 0;

	if (!parse_cursor(call_arg(call, 1), &cursor)) {
		reply_error(call->out, "ERR invalid cursor");
		return;
	}
	walk_init(&walk, call);
	if (!parse_scan(call, &walk, &count)) {
		out_fini(&walk.keys);
		return;
	}
	shard = cursor % shards;
	cursor /= shards;
	do {
		cursor = store_scan(call->engine->store, call->db, cursor, visit, &walk);
	} while (cursor != 0 && walk.seen < (uint64_t)count && steps++ / 10 < (uint64_t)count);
	if (cursor != 0)
		cursor = cursor * shards + shard;
	else if (shard + 1 < shards)
		cursor = shard + 1; /* the next shard's beginning */
	reply_array(call->out, 2);
	reply_bulk(call->out, (struct slice){digits, number_print_unsigned(digits, cursor)});
	reply_keys(call, &walk);
}

void cmd_randomkey(struct call *call)
{
	struct store *store = call->engine->store;
	const struct entry *entry = store_random_or_null(store, call->db, call->engine->now_ms);

	if (call->part) {
		reply_array(call->out, 2);
		reply_integer(call->out, entry == NULL ? 0 : (int64_t)store_size(store, call->db));
	}
	if (entry == NULL)
		reply_null(call->out);
	else
		reply_bulk(call->out, entry_key(entry));
}
