/* CONFIG: see settings.h. */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/glob.h"
#include "kv/reply.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* The argument that asks for it; 0: none. */
static int asked_by(const struct call *call, const char *name)
{
	for (int i = 2; i < call->argc; i++)
		if (glob_match(call_arg(call, i), slice_of(name), true))
			return i;
	return 0;
}

/* Who calls a setting by its name sees it as it was written, who gives a pattern in our letters. */
static struct slice shown_name(const struct call *call, const char *name)
{
	struct slice asked = call_arg(call, asked_by(call, name));

	return asked.len == strlen(name) && strncasecmp(asked.data, name, asked.len) == 0
		       ? asked
		       : slice_of(name);
}

void cmd_config_get(struct call *call)
{
	char text[SETTINGS_VALUE_LEN];
	const char *name;
	size_t count = 0;

	for (unsigned i = 0; (name = settings_name_or_null(i)) != NULL; i++)
		count += asked_by(call, name) != 0;
	reply_map(call->out, count);
	for (unsigned i = 0; (name = settings_name_or_null(i)) != NULL; i++) {
		if (asked_by(call, name) == 0)
			continue;
		reply_bulk(call->out, shown_name(call, name));
		reply_bulk(call->out, settings_value(call->engine->settings, i, text));
	}
}

static bool fail(struct call *call, unsigned i, const char *why)
{
	reply_errorf(call->out, "ERR CONFIG SET failed (possibly related to argument '%s') - %s",
		     settings_name_or_null(i), why);
	return false;
}

/* Before any is parsed: all are known, may be set, and are named once. */
static bool check_names(struct call *call)
{
	for (int i = 2; i < call->argc; i += 2) {
		struct slice name = call_arg(call, i);
		int index = settings_index(name);
		const char *why;

		if (index < 0) {
			reply_errorf(call->out,
				     "ERR Unknown option or number of arguments for CONFIG SET - "
				     "'%.*s'",
				     (int)(name.len < 512 ? name.len : 512), name.data);
			return false;
		}
		why = settings_refusal_or_null((unsigned)index, SETTINGS_RUNNING);
		if (why != NULL)
			return fail(call, (unsigned)index, why);
		for (int j = 2; j < i; j += 2)
			if (settings_index(call_arg(call, j)) == index)
				return fail(call, (unsigned)index, "duplicate parameter");
	}
	return true;
}

/* All or nothing. Each shard does the same to its own copy, so each comes to the same answer. */
void cmd_config_set(struct call *call)
{
	struct engine *engine = call->engine;
	struct settings next = *engine->settings;
	char why[SETTINGS_ERROR_LEN];

	if (call->argc % 2 != 0) {
		reply_error(call->out, CALL_SYNTAX_ERROR);
		return;
	}
	if (!check_names(call))
		return;
	for (int i = 2; i < call->argc; i += 2) {
		struct slice name = call_arg(call, i);

		if (!settings_set(&next, name, call_arg(call, i + 1), SETTINGS_RUNNING, why)) {
			fail(call, (unsigned)settings_index(name), why);
			return;
		}
	}
	settings_share(&next, engine->shard_count);
	*engine->settings = next;
	store_configure(engine->store, &next.store);
	reply_status(call->out, "OK");
}

void cmd_config_rewrite(struct call *call)
{
	if (call->engine->settings->file[0] == 0)
		reply_error(call->out, "ERR The server is running without a config file");
	else
		reply_errorf(call->out, "ERR Rewriting config file: %s", strerror(EOPNOTSUPP));
}

void cmd_config_help(struct call *call)
{
	static const char *const lines[] = {
		"GET <pattern> ...",
		"    Settings whose names match, and their values.",
		"SET <name> <value> ...",
		"    Changes all of these settings, or none of them.",
		"RESETSTAT",
		"    Counters of INFO begin at 0 again.",
		"REWRITE",
		"    Not supported: the file is yours.",
		NULL,
	};

	call_help(call, "CONFIG", lines);
}
