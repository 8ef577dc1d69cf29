/* DEBUG, as far as it does no harm: all shards do what is asked. */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/number.h"
#include "kv/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SLEEP_SECONDS_MAX = 10, SECONDS_LEN = 32 };

/* The shard does nothing else meanwhile, which is what it is for. */
static void debug_sleep(struct call *call)
{
	struct slice text = call_arg(call, 2);
	char word[SECONDS_LEN] = "";
	struct timespec span;
	double seconds;

	memcpy(word, text.data, text.len < SECONDS_LEN ? text.len : SECONDS_LEN - 1);
	seconds = strtod(word, NULL);
	if (!(seconds > 0))
		seconds = 0;
	if (seconds > SLEEP_SECONDS_MAX)
		seconds = SLEEP_SECONDS_MAX;
	span.tv_sec = (time_t)seconds;
	span.tv_nsec = (long)((seconds - (double)span.tv_sec) * 1e9);
	nanosleep(&span, NULL);
	reply_status(call->out, "OK");
}

/* On several shards one has the key: the others' answer is null. */
static void debug_object(struct call *call)
{
	static const char *const encodings[] = {
		[VALUE_INT] = "int", [VALUE_EMBSTR] = "embstr", [VALUE_RAW] = "raw"};
	const struct engine *engine = call->engine;
	const struct entry *entry =
		store_peek_or_null(engine->store, call->db, call_arg(call, 2), engine->now_ms);
	char scratch[ENTRY_SCRATCH_LEN], line[160];

	if (entry == NULL) {
		if (call->part)
			reply_null(call->out);
		else
			reply_error(call->out, "ERR no such key");
		return;
	}
	snprintf(line, sizeof(line),
		 "Value at:%p refcount:1 encoding:%s serializedlength:%zu lru:0 "
		 "lru_seconds_idle:%" PRIu64,
		 (const void *)entry, encodings[entry_encoding(entry)],
		 entry_string(entry, scratch).len,
		 entry_idle_s(engine->store, entry, engine->now_ms));
	reply_status(call->out, line);
}

/* One reply of each kind, for those who write clients. False: no such kind. */
static bool protocol_value(struct out *out, const struct call *call)
{
	if (call_is(call, 2, "string"))
		reply_text(out, "Hello World");
	else if (call_is(call, 2, "integer"))
		reply_integer(out, 12345);
	else if (call_is(call, 2, "double"))
		reply_double(out, 3.141);
	else if (call_is(call, 2, "null"))
		reply_null(out);
	else if (call_is(call, 2, "true") || call_is(call, 2, "false"))
		reply_boolean(out, call_is(call, 2, "true"));
	else if (call_is(call, 2, "verbatim"))
		reply_verbatim(out, SLICE("This is a verbatim\nstring"));
	else
		return false;
	return true;
}

static void debug_protocol(struct call *call)
{
	struct out *out = call->out;
	bool map = call_is(call, 2, "map");

	if (protocol_value(out, call))
		return;
	if (call_is(call, 2, "array"))
		reply_array(out, 3);
	else if (call_is(call, 2, "set"))
		reply_set(out, 3);
	else if (map)
		reply_map(out, 3);
	else {
		reply_error(out, "ERR Wrong protocol type name. Please use one of the following: "
				 "string|integer|double|null|array|set|map|verbatim|true|false");
		return;
	}
	for (int i = 0; i < 3; i++) {
		reply_integer(out, i);
		if (map)
			reply_boolean(out, i == 1);
	}
}

static void debug_help(struct call *call)
{
	static const char *const lines[] = {
		"OBJECT <key>",
		"    How the value is kept.",
		"PROTOCOL <type>",
		"    A reply of this type: string, integer, double, null, array, set, map,",
		"    verbatim, true or false.",
		"SET-ACTIVE-EXPIRE <0|1>",
		"    0: keys that have expired stay until somebody asks for them.",
		"SLEEP <seconds>",
		"    All shards do nothing for so long, ten seconds at most.",
		NULL,
	};

	call_help(call, "DEBUG", lines);
}

void cmd_debug(struct call *call)
{
	struct slice what = call_arg(call, 1);

	if (call_is(call, 1, "help") && call->argc == 2) {
		debug_help(call);
	} else if (call_is(call, 1, "sleep") && call->argc == 3) {
		debug_sleep(call);
	} else if (call_is(call, 1, "object") && call->argc >= 3) {
		debug_object(call);
	} else if (call_is(call, 1, "protocol") && call->argc == 3) {
		debug_protocol(call);
	} else if (call_is(call, 1, "set-active-expire") && call->argc == 3) {
		call->engine->settings->active_expire = !slice_equal(call_arg(call, 2), SLICE("0"));
		reply_status(call->out, "OK");
	} else if (call_is(call, 1, "reload") || call_is(call, 1, "loadaof")) {
		reply_error(call->out, "ERR This server reads its log at the start only");
	} else {
		reply_errorf(call->out,
			     "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try "
			     "DEBUG HELP.",
			     (int)(what.len < 128 ? what.len : 128), what.data);
	}
}
