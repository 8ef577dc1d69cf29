/* NX, EX and the like: as many as Redis takes together. */
#include "kv/call.h"
#include "kv/cmd_string.h"
#include "kv/reply.h"

static const struct {
	const char *name;
	unsigned option, excludes;
	bool has_value;
} known[] = {
	{"nx", STRING_NX, STRING_XX, false},
	{"xx", STRING_XX, STRING_NX, false},
	{"get", STRING_GET, 0, false},
	{"keepttl", STRING_KEEPTTL, STRING_EXPIRY | STRING_PERSIST, false},
	{"persist", STRING_PERSIST, STRING_EXPIRY | STRING_KEEPTTL, false},
	{"ex", STRING_EX, STRING_EXPIRY | STRING_KEEPTTL | STRING_PERSIST, true},
	{"px", STRING_PX, STRING_EXPIRY | STRING_KEEPTTL | STRING_PERSIST, true},
	{"exat", STRING_EXAT, STRING_EXPIRY | STRING_KEEPTTL | STRING_PERSIST, true},
	{"pxat", STRING_PXAT, STRING_EXPIRY | STRING_KEEPTTL | STRING_PERSIST, true},
};

enum { KNOWN_COUNT = sizeof(known) / sizeof(known[0]) };

bool string_options(struct call *call, int first, unsigned allowed, struct string_options *options)
{
	*options = (struct string_options){0};
	for (int i = first; i < call->argc; i++) {
		unsigned k = 0;

		while (k < KNOWN_COUNT && !call_is(call, i, known[k].name))
			k++;
		/* The same again is no contradiction; the last one counts. */
		if (k == KNOWN_COUNT || !(known[k].option & allowed) ||
		    (options->set & known[k].excludes & ~known[k].option) ||
		    (known[k].has_value && i + 1 == call->argc)) {
			reply_error(call->out, CALL_SYNTAX_ERROR);
			return false;
		}
		options->set |= known[k].option;
		if (known[k].has_value)
			options->expiry = ++i;
	}
	return true;
}

bool string_expiry(struct call *call, int i, unsigned unit, uint64_t *expire_ms)
{
	const bool seconds = unit & (STRING_EX | STRING_EXAT);
	const bool from_now = unit & (STRING_EX | STRING_PX);
	int64_t when_ms;

	if (!call_integer(call, i, &when_ms))
		return false;
	if (when_ms <= 0 || (seconds && __builtin_mul_overflow(when_ms, INT64_C(1000), &when_ms)) ||
	    (from_now &&
	     __builtin_add_overflow(when_ms, (int64_t)call->engine->now_ms, &when_ms))) {
		reply_errorf(call->out, "ERR invalid expire time in '%s' command",
			     call->command->name);
		return false;
	}
	*expire_ms = (uint64_t)when_ms;
	return true;
}
