/* Commands that count: INCR and its like. */
#include "kv/call.h"
#include "kv/cmd_string.h"
#include "kv/commands.h"
#include "kv/number.h"
#include "kv/reply.h"

#include <math.h>

static bool is_integer(const struct entry *entry, int64_t *value)
{
	char scratch[ENTRY_SCRATCH_LEN];

	return entry_integer(entry, value) || number_parse(entry_string(entry, scratch), value);
}

static void add(struct call *call, int64_t more)
{
	const struct engine *engine = call->engine;
	struct entry *entry;
	int64_t value = 0;

	if (!string_seize(call, 1, &entry))
		return;
	if (entry && !is_integer(entry, &value)) {
		reply_error(call->out, CALL_NOT_AN_INTEGER);
		return;
	}
	if (__builtin_add_overflow(value, more, &value)) {
		reply_error(call->out, "ERR increment or decrement would overflow");
		return;
	}
	if (!store_set_integer_or_null(engine->store, call->db, call_arg(call, 1), value,
				       STORE_KEEP_EXPIRY, engine->now_ms)) {
		string_fail(call);
		return;
	}
	call->changed = true;
	reply_integer(call->out, value);
}

void cmd_incr(struct call *call)
{
	add(call, 1);
}

void cmd_decr(struct call *call)
{
	add(call, -1);
}

void cmd_incrby(struct call *call)
{
	int64_t more;

	if (call_integer(call, 2, &more))
		add(call, more);
}

void cmd_decrby(struct call *call)
{
	int64_t less;

	if (!call_integer(call, 2, &less))
		return;
	if (less == INT64_MIN)
		reply_error(call->out, "ERR decrement would overflow");
	else
		add(call, -less);
}

/* The sum as it is kept; false: it is none, which is the reply. */
static bool sum(struct call *call, const struct entry *entry, char *to, size_t *len)
{
	char scratch[ENTRY_SCRATCH_LEN];
	long double value = 0, more;

	if ((entry && !number_parse_long_double(entry_string(entry, scratch), &value)) ||
	    !number_parse_long_double(call_arg(call, 2), &more)) {
		reply_error(call->out, "ERR value is not a valid float");
		return false;
	}
	value += more;
	if (isnan(value) || isinf(value)) {
		reply_error(call->out, "ERR increment would produce NaN or Infinity");
		return false;
	}
	*len = number_print_long_double(to, value);
	return true;
}

/* What is logged is the sum: another machine might add another way. */
void cmd_incrbyfloat(struct call *call)
{
	const struct engine *engine = call->engine;
	char text[NUMBER_LONG_DOUBLE_LEN_MAX];
	struct entry *entry;
	struct slice value = {text, 0};

	if (!string_seize(call, 1, &entry) || !sum(call, entry, text, &value.len))
		return;
	if (!store_set_or_null(engine->store, call->db, call_arg(call, 1), value, STORE_KEEP_EXPIRY,
			       engine->now_ms)) {
		string_fail(call);
		return;
	}
	call_log(call, 4,
		 (struct slice[]){SLICE("SET"), call_arg(call, 1), value, SLICE("KEEPTTL")});
	reply_bulk(call->out, value);
}
