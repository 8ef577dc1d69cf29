#include "kv/call.h"

#include "kv/engine.h"
#include "kv/number.h"
#include "kv/reply.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool call_is(const struct call *call, int i, const char *word)
{
	struct slice text;

	if (i >= call->argc)
		return false;
	text = call_arg(call, i);
	return text.len == strlen(word) && strncasecmp(text.data, word, text.len) == 0;
}

bool call_integer(const struct call *call, int i, int64_t *out)
{
	if (number_parse(call_arg(call, i), out))
		return true;
	reply_error(call->out, CALL_NOT_AN_INTEGER);
	return false;
}

bool call_db(const struct call *call, int i, int *out)
{
	int64_t db;

	if (!call_integer(call, i, &db))
		return false;
	if (db < INT32_MIN || db > INT32_MAX) {
		reply_error(call->out, "ERR value is out of range, value must between -2147483648 "
				       "and 2147483647");
		return false;
	}
	if (db < 0 || db >= STORE_DB_COUNT) {
		reply_error(call->out, "ERR DB index is out of range");
		return false;
	}
	*out = (int)db;
	return true;
}

bool call_logged(const struct call *call)
{
	return call->engine->aof && !call->engine->loading;
}

void call_log(struct call *call, int count, const struct slice *words)
{
	call->changed = true;
	if (!call_logged(call))
		return;
	reply_array(call->log, (size_t)count);
	for (int i = 0; i < count; i++)
		reply_bulk(call->log, words[i]);
}

void call_help(struct call *call, const char *name, const char *const *lines)
{
	char headline[128];
	size_t count = 0;

	while (lines[count] != NULL)
		count++;
	reply_array(call->out, count + 3);
	snprintf(headline, sizeof(headline),
		 "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", name);
	reply_status(call->out, headline);
	for (size_t i = 0; i < count; i++)
		reply_status(call->out, lines[i]);
	reply_status(call->out, "HELP");
	reply_status(call->out, "    Prints this help.");
}
