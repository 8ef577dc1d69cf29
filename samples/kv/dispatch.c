#include "kv/dispatch.h"

#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/number.h"
#include "kv/reply.h"
#include "kv/server.h"

#include <string.h>
#include <strings.h>

enum { REFUSAL_LEN = 256 };

/* They end a transaction, which is never refused. */
static bool ends_multi(const struct command *command)
{
	return command->run == cmd_exec || command->run == cmd_discard ||
	       command->run == cmd_quit || command->run == cmd_reset;
}

/* Not queued by MULTI: they are about the transaction, or the connection's end. */
static bool at_once(const struct command *command)
{
	return ends_multi(command) || command->run == cmd_multi || command->run == cmd_watch;
}

/* With RESP2 what a subscriber is told cannot be told from a reply. */
static bool for_subscribers(const struct command *command)
{
	return command->run == cmd_subscribe || command->run == cmd_unsubscribe ||
	       command->run == cmd_psubscribe || command->run == cmd_punsubscribe ||
	       command->run == cmd_ssubscribe || command->run == cmd_sunsubscribe ||
	       command->run == cmd_ping || command->run == cmd_quit || command->run == cmd_reset;
}

/* A browser that was talked into writing to us: it is cut off without a word, as Redis does. */
static bool is_http(const struct call *call)
{
	const struct slice name = call->argv[0].text;

	return (name.len == 4 && strncasecmp(name.data, "post", 4) == 0) ||
	       (name.len == 5 && strncasecmp(name.data, "host:", 5) == 0);
}

/* In the order in which Redis asks; false: with the error. */
static bool accepted(struct call *call)
{
	const struct session *session = call->session;
	const struct command *command = call->command;

	if (!command && is_http(call)) {
		session_kill(call->session);
		return false;
	}
	if (!command) {
		command_unknown(call->argc, call->argv, call->out);
		return false;
	}
	if (command_arity_wrong(command, call->argc, call->out))
		return false;
	if (!session->authenticated && !(command->flags & COMMAND_NO_AUTH)) {
		reply_error(call->out, "NOAUTH Authentication required.");
		return false;
	}
	if (session->transaction.open && (command->flags & COMMAND_NO_MULTI)) {
		reply_error(call->out, "ERR Command not allowed inside a transaction");
		return false;
	}
	if (session->transaction.open && !ends_multi(command) &&
	    !router_may_queue(session->server->router, call))
		return false;
	if (session->subscriber.count > 0 && session->out.resp == 2 && !for_subscribers(command)) {
		reply_errorf(call->out,
			     "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / "
			     "PING / QUIT / RESET are allowed in this context",
			     command->name);
		return false;
	}
	return true;
}

/* An EXEC that is refused ends its transaction, too, and says why in words of its own. */
static bool exec_accepted(struct call *call)
{
	struct session *session = call->session;
	struct out *out = call->out, refusal;
	char text[REFUSAL_LEN];
	const char *why = text;
	bool good;

	out_init(&refusal, out->resp);
	call->out = &refusal;
	good = accepted(call);
	call->out = out;
	text[out_take(&refusal, text, sizeof(text) - 1)] = 0;
	out_fini(&refusal);
	if (good)
		return true;
	transaction_clear(&session->transaction);
	router_unwatch(session->server->router, &session->watches);
	why += *why == '-';
	why += strncmp(why, "ERR ", 4) == 0 ? 4 : 0;
	reply_errorf(out, "EXECABORT Transaction discarded because of: %s", why);
	return false;
}

static bool changes_data(const struct call *call)
{
	const struct transaction *transaction = &call->session->transaction;

	if (call->command->run == cmd_exec) {
		for (int i = 0; i < transaction->count; i++) {
			if (transaction->steps[i].command->flags & COMMAND_WRITE)
				return true;
		}
	}
	return (call->command->flags & COMMAND_WRITE) || call->command->run == cmd_publish;
}

/* CLIENT PAUSE */
static bool paused(const struct call *call)
{
	const struct server *server = call->session->server;

	return server->engine.now_ms < server->pause_end_ms && call->command &&
	       (!server->pause_writes_only || changes_data(call));
}

/* What a SELECT among them leads to; one that EXEC will refuse leaves all where it was. */
static void follow_select(const struct call *call, struct transaction *transaction)
{
	int64_t db;

	if (call->engine->settings->mode == KV_FORWARD && number_parse(call->argv[1].text, &db) &&
	    db >= 0 && db < STORE_DB_COUNT)
		transaction->db = (int)db;
}

static void queue(struct call *call)
{
	struct transaction *transaction = &call->session->transaction;

	if (call->command->run == cmd_select)
		follow_select(call, transaction);
	if (transaction->len > call->engine->settings->limits.query_len_max ||
	    !transaction_add(transaction, call->command, call->argc, call->argv)) {
		transaction->failed = true;
		reply_error(call->out, "ERR no memory for a transaction of this length");
		return;
	}
	reply_status(call->out, "QUEUED");
}

void dispatch_here(struct call *call)
{
	/* EXEC goes on when its client has gone meanwhile, who must not be subscribed any more. */
	if (call->session->qd >= 0)
		engine_run(call);
}

static void run(struct call *call)
{
	struct session *session = call->session;

	if (call->command->flags & COMMAND_SESSION)
		dispatch_here(call);
	else if (router_run(session->server->router, call) == ROUTER_STALL)
		session->stalled = true;
}

/* CLIENT REPLY: where this command's answer goes. */
static struct out *audience(struct session *session)
{
	if (session->reply == REPLY_ON)
		return &session->out;
	if (session->reply == REPLY_SKIP)
		session->reply = REPLY_ON;
	else if (session->reply == REPLY_SKIP_NEXT)
		session->reply = REPLY_SKIP;
	return session->reply == REPLY_ON ? &session->out : &session->muted;
}

bool dispatch(struct session *session)
{
	struct call call = {
		.engine = &session->server->engine,
		.session = session,
		.command = session->next,
		.argc = session->in.argc,
		.argv = session->in.argv,
		.db = session->db,
	};
	const bool is_exec = call.command && call.command->run == cmd_exec;

	if (paused(&call))
		return false;
	call.out = audience(session);
	session->last = call.command;
	if (!(is_exec ? exec_accepted(&call) : accepted(&call))) {
		session->transaction.failed |= session->transaction.open;
		engine_failed(call.engine, call.out);
	} else if (session->transaction.open && !at_once(call.command)) {
		queue(&call);
	} else {
		run(&call);
	}
	return true;
}
