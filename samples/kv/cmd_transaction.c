/* MULTI EXEC DISCARD WATCH UNWATCH. */
#include "kv/commands.h"
#include "kv/reply.h"
#include "kv/server.h"

void cmd_multi(struct call *call)
{
	struct session *session = call->session;

	if (session->transaction.open) {
		reply_error(call->out, "ERR MULTI calls can not be nested");
		return;
	}
	transaction_open(&session->transaction, session->db);
	reply_status(call->out, "OK");
}

static void give_up(struct session *session)
{
	transaction_clear(&session->transaction);
	router_unwatch(session->server->router, &session->watches);
}

void cmd_exec(struct call *call)
{
	struct session *session = call->session;
	struct transaction *transaction = &session->transaction;

	if (!transaction->open) {
		reply_error(call->out, "ERR EXEC without MULTI");
		return;
	}
	if (transaction->failed) {
		give_up(session);
		reply_error(call->out,
			    "EXECABORT Transaction discarded because of previous errors.");
		return;
	}
	/* What is run now is not to be queued again. */
	transaction->open = false;
	session->stalled = router_exec(session->server->router, call, &session->watches,
				       transaction->steps, transaction->count) == ROUTER_STALL;
	if (!session->stalled)
		transaction_clear(transaction);
}

void cmd_discard(struct call *call)
{
	if (!call->session->transaction.open) {
		reply_error(call->out, "ERR DISCARD without MULTI");
		return;
	}
	give_up(call->session);
	reply_status(call->out, "OK");
}

void cmd_watch(struct call *call)
{
	struct session *session = call->session;

	if (session->transaction.open)
		reply_error(call->out, "ERR WATCH inside MULTI is not allowed");
	else if (router_watch(session->server->router, call, &session->watches) == ROUTER_STALL)
		session->stalled = true;
}

void cmd_unwatch(struct call *call)
{
	router_unwatch(call->session->server->router, &call->session->watches);
	reply_status(call->out, "OK");
}
