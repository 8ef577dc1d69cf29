#include "kv/session.h"

#include "kv/aof.h"
#include "kv/dispatch.h"
#include "kv/heap.h"
#include "kv/pubsub.h"
#include "kv/reply.h"
#include "kv/send.h"
#include "kv/server.h"

#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <string.h>

/* --- its life --- */

static uint64_t new_id(struct server *server)
{
	const struct engine *engine = &server->engine;

	/* No two shards give the same. */
	return server->next_id++ * (uint64_t)engine->shard_count + (uint64_t)engine->shard + 1;
}

static struct session *create_or_null(struct server *server, int qd)
{
	struct session *session = heap_alloc_or_null(sizeof(*session));
	socklen_t size = sizeof(session->local);

	if (!session)
		return NULL;
	*session = (struct session){.server = server, .qd = qd, .id = new_id(server)};
	demi_getsockname(qd, (struct sockaddr *)&session->local, &size);
	session->opened_ns = session->active_ns = server->engine.now_ns;
	out_init(&session->out, 2);
	out_init(&session->muted, 2);
	if (resp_in_init(&session->in, &server->settings.limits) == 0) {
		session_trust(session, server->settings.requirepass[0] == 0);
		if (qd_map_put(&server->map, qd, session) == 0)
			return session;
		resp_in_fini(&session->in);
	}
	heap_free(session);
	return NULL;
}

void session_open(struct server *server, int qd, struct sockaddr_in peer)
{
	struct session *session = NULL;
	unsigned max = server->settings.maxclients;

	server->engine.clients.received++;
	/* Some more, so that they can be told. */
	if (server->session_count < (uint64_t)max + SESSION_REFUSED_MAX)
		session = create_or_null(server, qd);
	if (!session) {
		server->engine.clients.rejected++;
		demi_close(qd);
		return;
	}
	session->peer = peer;
	TAILQ_INSERT_TAIL(&server->sessions, session, link);
	if (server->session_count++ >= max) {
		server->engine.clients.rejected++;
		reply_error(&session->out, "ERR max number of clients reached");
		session_finish(session);
	}
	server->engine.clients.connected = server->session_count;
	session_unsettle(session);
}

static void free_session(struct session *session)
{
	router_unwatch(session->server->router, &session->watches);
	transaction_clear(&session->transaction);
	resp_in_fini(&session->in);
	out_fini(&session->out);
	out_fini(&session->muted);
	heap_free(session->name);
	heap_free(session->lib_name);
	heap_free(session->lib_version);
	heap_free(session);
}

/* What it has of the network's; with what it owes to others it stays until they are home. */
static void close_session(struct session *session)
{
	struct server *server = session->server;

	if (session->fed)
		demi_sgafree(&session->popped_sga);
	if (session->held)
		demi_sgafree(&session->held_sga);
	pubsub_leave(&server->pubsub, session);
	qd_map_take_or_null(&server->map, session->qd);
	demi_close(session->qd);
	session->qd = -1;
	server->push_count -= session->push_count;
	TAILQ_REMOVE(&server->sessions, session, link);
	if (session->logging)
		STAILQ_REMOVE(&server->logging, session, session, logging_link);
	if (session->unsettled)
		STAILQ_REMOVE(&server->unsettled, session, session, unsettled_link);
	server->engine.clients.connected = --server->session_count;
	if (session->holds == 0)
		free_session(session);
}

void session_drop(struct session *session)
{
	close_session(session);
}

void session_finish(struct session *session)
{
	if (session->end != SESSION_GOES_ON)
		return;
	session->end = SESSION_ENDS;
	session->end_ns = session->server->engine.now_ns;
	pubsub_leave(&session->server->pubsub, session); /* more and more would be owed to it */
	session_unsettle(session);
}

void session_kill(struct session *session)
{
	session->end = SESSION_KILLED;
	session_unsettle(session);
}

void session_trust(struct session *session, bool authenticated)
{
	struct server *server = session->server;

	session->authenticated = authenticated;
	session->in.limits = authenticated ? &server->settings.limits : &server->limits_strange;
}

void session_cut_off(struct session *session)
{
	const struct linger at_once = {.l_onoff = 1};

	/* What was pushed is forgotten, else it would wait in the stack as long as it did here. */
	demi_setsockopt(session->qd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	session_kill(session);
}

/* --- results --- */

static void popped(struct session *session, demi_qresult_t *result)
{
	demi_sgarray_t *sga = &result->qr_value.sga;
	struct server *server = session->server;

	if (!session->popping || result->qr_qt != session->pop_qt) {
		demi_sgafree(sga); /* for who had the descriptor before */
		return;
	}
	session->popping = false;
	session->active_ns = server->engine.now_ns;
	server->engine.clients.received_bytes += sga->sga_segs[0].sgaseg_len;
	if (sga->sga_segs[0].sgaseg_len == 0) {
		demi_sgafree(sga);
		session_finish(session);
		return;
	}
	session->popped_sga = *sga;
	session->fed = true;
	resp_in_feed(&session->in,
		     (struct slice){sga->sga_segs[0].sgaseg_buf, sga->sga_segs[0].sgaseg_len});
	session_unsettle(session);
}

static void pushed(struct session *session, demi_qtoken_t qt)
{
	if (session->push_count == 0 || session->push_qts[session->push_first] != qt)
		return;
	session->push_len -= session->push_lens[session->push_first];
	session->push_first = (session->push_first + 1) % SESSION_PUSH_MAX;
	session->push_count--;
	session->server->push_count--;
	session->end_ns = session->active_ns = session->server->engine.now_ns;
	if (session->held || session->fed || session->out.len > 0 ||
	    session->end != SESSION_GOES_ON)
		session_unsettle(session);
}

static void failed(struct session *session, demi_qtoken_t qt)
{
	if (session->popping && qt == session->pop_qt)
		session->popping = false;
	else if (session->push_count == 0 || session->push_qts[session->push_first] != qt)
		return;
	session_kill(session);
}

void session_result(struct session *session, demi_qresult_t *result)
{
	if (result->qr_opcode == DEMI_OPC_POP)
		popped(session, result);
	else if (result->qr_opcode == DEMI_OPC_PUSH)
		pushed(session, result->qr_qt);
	else
		failed(session, result->qr_qt);
}

/* --- what it does next --- */

static bool may_run(const struct session *session)
{
	return session->fed && session->end == SESSION_GOES_ON && !session->stalled &&
	       !session->server->stuck && session->out.len < SESSION_OUT_HIGH &&
	       session->muted.len < SESSION_OUT_HIGH && session->holds < SESSION_HOLD_MAX &&
	       session->hold_len < SESSION_HOLD_LEN;
}

static void refuse(struct session *session, const char *error)
{
	reply_errorf(&session->out, "ERR %s", error);
	session_finish(session);
}

/* The next command is there; false: it is not whole yet, or there will be none. */
static bool parse(struct session *session)
{
	enum resp_status status;

	if (session->parsed)
		return true;
	status = resp_in_next(&session->in);
	if (status == RESP_MORE) {
		session->fed = false;
		demi_sgafree(&session->popped_sga);
	} else if (status == RESP_ERROR) {
		session->server->engine.clients.query_limit_drops += session->in.over_limit;
		refuse(session, session->in.error);
	} else {
		session->parsed = true;
		session->next =
			command_recall_or_null(&session->memo, session->in.argc, session->in.argv);
	}
	return session->parsed;
}

void session_foresee(struct session *session)
{
	struct server *server = session->server;
	const struct command *command;

	session->foreseen = false;
	if (!may_run(session) || !parse(session))
		return;
	command = session->next;
	if (!command || command->first_key == 0 || session->in.argc <= command->first_key ||
	    !router_keys_here(server->router))
		return;
	session->foreseen = true;
	session->next_hash = store_foresee(server->engine.store, session->db,
					   session->in.argv[command->first_key].text);
}

void session_fetch(const struct session *session)
{
	if (session->foreseen)
		store_fetch(session->server->engine.store, session->db, session->next_hash);
}

/* The key that was foreseen is the first of this command's. */
static bool dispatch_foreseen(struct session *session)
{
	struct store *store = session->server->engine.store;
	bool done;

	store_expect(store, session->in.argv[session->next->first_key].text, session->next_hash);
	done = dispatch(session);
	store_expect(store, (struct slice){0}, 0);
	session->foreseen = false;
	return done;
}

static void run(struct session *session)
{
	while (may_run(session) && parse(session)) {
		session->parsed =
			!(session->foreseen ? dispatch_foreseen(session) : dispatch(session));
		if (session->parsed)
			return;
		if (session->server->engine.aof)
			session->log_end = aof_end(session->server->engine.aof);
	}
}

static void pop_next(struct session *session)
{
	if (session->popping || session->fed || session->end != SESSION_GOES_ON ||
	    session->out.len >= SESSION_OUT_HIGH)
		return;
	session->popping = demi_pop(&session->pop_qt, session->qd) == 0;
	if (!session->popping)
		session_kill(session);
}

static bool all_sent(const struct session *session)
{
	return session->push_count == 0 && !session->held && session->holds == 0 &&
	       session->out.len == 0;
}

/* `always`: what is answered is on the disk. False: it will be settled when it is. */
static bool logged(struct session *session)
{
	struct server *server = session->server;
	const struct aof *aof = server->engine.aof;

	if (!aof || aof_durable(aof) >= session->log_end)
		return true;
	if (!session->logging)
		STAILQ_INSERT_TAIL(&server->logging, session, logging_link);
	session->logging = true;
	return false;
}

void session_settle(struct session *session)
{
	if (session->end != SESSION_KILLED) {
		run(session);
		if (logged(session))
			send_some(session);
		pop_next(session);
	}
	if (session->out.failed)
		session->end = SESSION_KILLED;
	if (session->end == SESSION_KILLED || (session->end == SESSION_ENDS && all_sent(session)))
		close_session(session);
	else if (!session->parsed && may_run(session))
		session_unsettle(session); /* what it waited for was sent just now */
}

void session_unsettle(struct session *session)
{
	if (session->unsettled || session->qd < 0)
		return;
	session->unsettled = true;
	STAILQ_INSERT_TAIL(&session->server->unsettled, session, unsettled_link);
}

/* --- answers from elsewhere --- */

void session_owe(struct session *session, size_t len)
{
	session->holds++;
	session->hold_len += len;
}

void session_home(struct session *session, size_t len)
{
	session->holds--;
	session->hold_len -= len;
	if (session->stalled && session->holds == 0) {
		session->stalled = false;
		transaction_clear(&session->transaction);
	}
	if (session->qd >= 0)
		session_unsettle(session);
	else if (session->holds == 0)
		free_session(session);
}

struct in_addr session_address(const struct session *session)
{
	return session->local.sin_addr;
}
