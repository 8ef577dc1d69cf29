/* Small questions about the server, and what a server without RDB files, replicas, modules and
 * lists of users has to say of them. */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/number.h"
#include "kv/reply.h"

static void reply_bulk_unsigned(struct out *out, uint64_t value)
{
	char digits[NUMBER_LEN_MAX];

	reply_bulk(out, (struct slice){digits, number_print_unsigned(digits, value)});
}

/* To the millisecond: the time is read once a turn. */
void cmd_time(struct call *call)
{
	uint64_t now_ms = call->engine->now_ms;

	reply_array(call->out, 2);
	reply_bulk_unsigned(call->out, now_ms / 1000);
	reply_bulk_unsigned(call->out, now_ms % 1000 * 1000);
}

/* As Redis before its first save: when the server was started. */
void cmd_lastsave(struct call *call)
{
	reply_integer(call->out, (int64_t)(call->engine->started_ms / 1000));
}

void cmd_save(struct call *call)
{
	reply_error(call->out,
		    "ERR This server writes no RDB files. Its log is kept with appendonly "
		    "yes, and written anew by BGREWRITEAOF");
}

void cmd_bgsave(struct call *call)
{
	if (call->argc == 1 || (call->argc == 2 && call_is(call, 1, "schedule")))
		cmd_save(call);
	else
		reply_error(call->out, CALL_SYNTAX_ERROR);
}

/* Each shard rewrites its own. */
void cmd_bgrewriteaof(struct call *call)
{
	struct engine *engine = call->engine;

	if (engine->aof == NULL || engine->log->rewrite == NULL)
		reply_error(call->out, "ERR This server keeps no log: it was started with "
				       "appendonly no");
	else if (!engine->log->rewrite(engine->aof))
		reply_error(call->out,
			    "ERR Background append only file rewriting already in progress");
	else
		reply_status(call->out, "Background append only file rewriting started");
}

/* There are no replicas: none has acknowledged anything, and none will. */
void cmd_wait(struct call *call)
{
	int64_t count, timeout_ms;

	if (!call_integer(call, 1, &count))
		return;
	if (!number_parse(call_arg(call, 2), &timeout_ms))
		reply_error(call->out, "ERR timeout is not an integer or out of range");
	else if (timeout_ms < 0)
		reply_error(call->out, "ERR timeout is negative");
	else
		reply_integer(call->out, 0);
}

void cmd_role(struct call *call)
{
	reply_array(call->out, 3);
	reply_text(call->out, "master");
	reply_integer(call->out, 0);
	reply_array(call->out, 0);
}

/* There is one user, who may do everything. */
void cmd_acl_whoami(struct call *call)
{
	reply_text(call->out, "default");
}

void cmd_acl_help(struct call *call)
{
	static const char *const lines[] = {
		"WHOAMI",
		"    Who you are: the one user there is.",
		NULL,
	};

	call_help(call, "ACL", lines);
}

void cmd_module_list(struct call *call)
{
	reply_array(call->out, 0);
}

void cmd_module_help(struct call *call)
{
	static const char *const lines[] = {
		"LIST",
		"    Nothing: there are no modules.",
		NULL,
	};

	call_help(call, "MODULE", lines);
}
