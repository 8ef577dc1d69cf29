/* Scripts and functions: there are none, and what is asked of none is answered so. */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/glob.h"
#include "kv/reply.h"

/* Of FLUSH: a mode, which makes no difference. */
static bool mode_good(const struct call *call)
{
	return call->argc == 2 ||
	       (call->argc == 3 && (call_is(call, 2, "sync") || call_is(call, 2, "async")));
}

void cmd_function_flush(struct call *call)
{
	if (mode_good(call))
		reply_status(call->out, "OK");
	else
		reply_error(call->out, "ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
}

void cmd_function_kill(struct call *call)
{
	reply_error(call->out, "NOTBUSY No scripts in execution right now.");
}

void cmd_function_list(struct call *call)
{
	for (int i = 2; i < call->argc; i++) {
		if (call_is(call, i, "withcode"))
			continue;
		if (!call_is(call, i, "libraryname")) {
			struct slice word = call_arg(call, i);

			reply_errorf(call->out, "ERR Unknown argument %.*s",
				     (int)(word.len < 512 ? word.len : 512), word.data);
			return;
		}
		if (++i == call->argc) {
			reply_error(call->out, "ERR library name argument was not given");
			return;
		}
	}
	reply_array(call->out, 0);
}

void cmd_function_stats(struct call *call)
{
	reply_map(call->out, 2);
	reply_text(call->out, "running_script");
	reply_null(call->out);
	reply_text(call->out, "engines");
	reply_map(call->out, 0);
}

void cmd_function_help(struct call *call)
{
	static const char *const lines[] = {
		"LIST [LIBRARYNAME <pattern>] [WITHCODE]",
		"    Nothing: there are no libraries.",
		"STATS",
		"    That no function runs.",
		"KILL",
		"    An error: no function runs.",
		"FLUSH [ASYNC|SYNC]",
		"    Nothing is there to be deleted.",
		NULL,
	};

	call_help(call, "FUNCTION", lines);
}

void cmd_script_exists(struct call *call)
{
	reply_array(call->out, (size_t)call->argc - 2);
	for (int i = 2; i < call->argc; i++)
		reply_integer(call->out, 0);
}

void cmd_script_flush(struct call *call)
{
	if (mode_good(call))
		reply_status(call->out, "OK");
	else
		reply_error(call->out, "ERR SCRIPT FLUSH only support SYNC|ASYNC option");
}

void cmd_script_kill(struct call *call)
{
	reply_error(call->out, "NOTBUSY No scripts in execution right now.");
}

void cmd_script_help(struct call *call)
{
	static const char *const lines[] = {
		"EXISTS <sha1> ...",
		"    0 for each: no script is ever known.",
		"FLUSH [ASYNC|SYNC]",
		"    Nothing is there to be deleted.",
		"KILL",
		"    An error: no script runs.",
		NULL,
	};

	call_help(call, "SCRIPT", lines);
}
