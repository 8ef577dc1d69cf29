#include "kv/server.h"

#include "kv/aof.h"
#include "kv/client_line.h"
#include "kv/clock.h"
#include "kv/dispatch.h"

#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <time.h>

enum {
	BACKLOG = 1024,
	ACCEPT_COUNT = 16, /* accepts outstanding */
	RESULT_COUNT = 16, /* taken from the shard at once, few as sessions fill the first cache */
	GROUP_COUNT = 16,  /* sessions settled together */
	STORE_WORK = 64,   /* steps of the store's own work in a turn */
	LOOK_MS = 100,	   /* between two looks at sessions, */
	LOOK_PARTS = 10,   /* each at so small a part of them, */
	LOOK_COUNT_MIN = 16,
	STARVED_MS = 1,
	WALL_NS = 250000, /* the wall's milliseconds are read no more often */
};

static void complain(const struct server *server, const char *what, int error)
{
	fprintf(stderr, "kv: shard %d: %s: %s\n", server->engine.shard, what, demi_strerror(error));
}

static void read_clock(struct server *server)
{
	server->engine.now_ns = clock_monotonic_ns();
	if (server->engine.now_ns >= server->wall_due_ns) {
		server->engine.now_ms = clock_wall_ms();
		server->wall_due_ns = server->engine.now_ns + WALL_NS;
	}
	if (!server->engine.started_ms)
		server->engine.started_ms = server->engine.now_ms;
}

/* --- results --- */

/* What cannot be begun now is tried again at the next look. */
static int accept_more(struct server *server)
{
	demi_qtoken_t qt;
	int error = 0;

	while (server->accept_count < ACCEPT_COUNT && !error) {
		error = demi_accept(&qt, server->listen_qd);
		server->accept_count += !error;
	}
	return error;
}

static void accept_result(struct server *server, const demi_qresult_t *result)
{
	server->accept_count--;
	if (result->qr_opcode == DEMI_OPC_ACCEPT)
		session_open(server, result->qr_value.ares.qd, result->qr_value.ares.addr);
	accept_more(server);
}

static void handle(struct server *server, demi_qresult_t *result)
{
	struct session *session = qd_map_get_or_null(&server->map, result->qr_qd);

	if (session)
		session_result(session, result);
	else if (result->qr_qd == server->listen_qd)
		accept_result(server, result);
	else if (!router_result(server->router, result) && result->qr_opcode == DEMI_OPC_POP)
		demi_sgafree(&result->qr_value.sga); /* of a connection that was closed */
}

/* The first of those that are unsettled, which are not any more. */
static unsigned take_group(struct server *server, struct session *group[GROUP_COUNT])
{
	struct session *session;
	unsigned count = 0;

	while (count < GROUP_COUNT && (session = STAILQ_FIRST(&server->unsettled))) {
		STAILQ_REMOVE_HEAD(&server->unsettled, unsettled_link);
		session->unsettled = false;
		group[count++] = session;
	}
	return count;
}

/* Some at a time, so that what they wait for from memory, they wait for together. */
static void settle_all(struct server *server)
{
	struct session *group[GROUP_COUNT];
	unsigned count;

	while ((count = take_group(server, group)) > 0) {
		for (unsigned i = 0; i < count; i++)
			session_foresee(group[i]);
		for (unsigned i = 0; i < count; i++)
			session_fetch(group[i]);
		for (unsigned i = 0; i < count; i++)
			session_settle(group[i]);
	}
}

/* --- what is to be done now and then --- */

/* All of them: something that any of them may have waited for is there. */
static void wake_all(struct server *server)
{
	struct session *session;

	TAILQ_FOREACH (session, &server->sessions, link)
		session_look(session);
}

/* A part of them each time, so that nobody waits for a look at thousands. */
static void look_at_some(struct server *server)
{
	unsigned count = server->session_count / LOOK_PARTS + LOOK_COUNT_MIN;
	struct session *session;

	if (count > server->session_count)
		count = server->session_count;
	for (; count > 0; count--) {
		session = TAILQ_FIRST(&server->sessions);
		TAILQ_REMOVE(&server->sessions, session, link);
		TAILQ_INSERT_TAIL(&server->sessions, session, link);
		session_look(session);
	}
}

static void look(struct server *server)
{
	struct engine *engine = &server->engine;
	const bool pause_ended = server->pause_end_ms && engine->now_ms >= server->pause_end_ms;

	if (pause_ended)
		server->pause_end_ms = 0;
	if (pause_ended || server->starved) {
		server->starved = false;
		wake_all(server);
	}
	if (engine->now_ns < server->look_due_ns)
		return;
	server->look_due_ns = engine->now_ns + LOOK_MS * UINT64_C(1000000);
	server->limits_strange = server->settings.limits;
	server->limits_strange.unauthenticated = true;
	accept_more(server);
	look_at_some(server);
}

/* Once a millisecond at most: what has changed since is not so urgent. */
static void turn_store(struct server *server)
{
	struct engine *engine = &server->engine;

	if (engine->now_ms == server->store_turn_ms && engine->now_ms < server->store_due_ms)
		return;
	server->store_turn_ms = engine->now_ms;
	if (engine->settings->active_expire)
		server->store_due_ms = store_turn(engine->store, engine->now_ms, STORE_WORK);
	else
		server->store_due_ms = store_tidy(engine->store, engine->now_ms, STORE_WORK);
}

/* Those whose answers the log has by now; the others come into the list again. */
static void settle_logged(struct server *server)
{
	struct session_queue waiting = STAILQ_HEAD_INITIALIZER(waiting);
	struct session *session;

	STAILQ_CONCAT(&waiting, &server->logging);
	while ((session = STAILQ_FIRST(&waiting))) {
		STAILQ_REMOVE_HEAD(&waiting, logging_link);
		session->logging = false;
		session_unsettle(session);
	}
}

static void turn_log(struct server *server)
{
	struct aof *aof = server->engine.aof;
	const uint64_t durable = aof_durable(aof);
	const bool stuck = server->stuck;

	server->log_due_ns = aof_turn(aof, server->engine.now_ns);
	server->stuck = aof_busy(aof);
	if (stuck && !server->stuck)
		wake_all(server);
	if (aof_durable(aof) != durable)
		settle_logged(server);
}

static void note_rates(struct engine *engine)
{
	rates_note(&engine->stats.rates,
		   &(struct rates_look){engine->now_ms, engine->stats.commands,
					engine->clients.received_bytes,
					engine->clients.sent_bytes});
}

/* How long nothing is to be done unless something happens. */
static struct timespec idle_time(const struct server *server)
{
	const struct engine *engine = &server->engine;
	uint64_t due_ns = server->look_due_ns, store_ns;

	if (server->starved || server->hurry)
		due_ns = engine->now_ns + STARVED_MS * 1000000;
	if (server->log_due_ns < due_ns)
		due_ns = server->log_due_ns;
	store_ns = server->store_due_ms <= engine->now_ms
			   ? 0
			   : (server->store_due_ms - engine->now_ms) * 1000000;
	if (server->store_due_ms < engine->now_ms + LOOK_MS && engine->now_ns + store_ns < due_ns)
		due_ns = engine->now_ns + store_ns;
	due_ns = due_ns > engine->now_ns ? due_ns - engine->now_ns : 0;
	return (struct timespec){.tv_sec = (time_t)(due_ns / 1000000000),
				 .tv_nsec = (long)(due_ns % 1000000000)};
}

void server_pause(struct server *server, uint64_t length_ms, bool writes_only)
{
	const uint64_t end_ms = server->engine.now_ms + length_ms;

	if (server->engine.now_ms >= server->pause_end_ms) {
		server->pause_end_ms = end_ms;
		server->pause_writes_only = writes_only;
		return;
	}
	if (server->pause_end_ms < end_ms)
		server->pause_end_ms = end_ms;
	server->pause_writes_only &= writes_only;
}

void server_unpause(struct server *server)
{
	server->pause_end_ms = server->engine.now_ms;
}

/* --- a shard's life --- */

/* What is there already, else the next result alone: so nobody waits for a batch to fill up. */
static int wait_some(demi_qresult_t results[RESULT_COUNT], int *n, const struct timespec *timeout)
{
	static const struct timespec none;
	int error = demi_wait_next_n(results, RESULT_COUNT, n, &none);

	if (error == ETIMEDOUT && *n == 0 && (timeout->tv_sec || timeout->tv_nsec))
		error = demi_wait_next_n(results, 1, n, timeout);
	return error == ETIMEDOUT ? 0 : error;
}

static void serve(struct server *server)
{
	demi_qresult_t results[RESULT_COUNT];
	struct timespec timeout;
	int error, n;

	do {
		timeout = idle_time(server);
		error = wait_some(results, &n, &timeout);
		read_clock(server);
		for (int i = 0; i < n; i++)
			handle(server, &results[i]);
		turn_store(server);
		note_rates(&server->engine);
		look(server);
		do {
			settle_all(server);
			if (server->engine.aof)
				turn_log(server);
			server->hurry = router_turn(server->router);
		} while (!STAILQ_EMPTY(&server->unsettled));
	} while (!error);
	if (error != ECANCELED)
		complain(server, "wait", error);
}

/* Clients begin with those of the listener. Who answers nothing for ten minutes is forgotten, with
 * the times of Redis's tcp-keepalive 300. */
static int set_options(int qd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},	  {SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, 300}, {IPPROTO_TCP, TCP_KEEPINTVL, 100},
		{IPPROTO_TCP, TCP_KEEPCNT, 3},
	};
	int error = 0;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && !error; i++)
		error = demi_setsockopt(qd, options[i].level, options[i].name, &options[i].value,
					sizeof(options[i].value));
	return error;
}

static int open_listener(struct server *server)
{
	const struct settings *settings = &server->settings;
	unsigned port = settings->port;
	struct sockaddr_in local = {.sin_family = AF_INET};
	int error;

	if (settings->mode == KV_CLUSTER)
		port += (unsigned)server->engine.shard;
	local.sin_port = htons((uint16_t)port);
	error = port > UINT16_MAX ? EADDRNOTAVAIL
				  : demi_socket(&server->listen_qd, AF_INET, SOCK_STREAM, 0);
	if (!error)
		error = demi_bind(server->listen_qd, (struct sockaddr *)&local, sizeof(local));
	if (!error)
		error = set_options(server->listen_qd);
	if (!error)
		error = demi_listen(server->listen_qd, BACKLOG);
	if (!error)
		error = accept_more(server);
	if (error)
		complain(server, "listen", error);
	return error;
}

static void describe(const struct session *session, char peer[SLOWLOG_PEER_LEN],
		     char name[SLOWLOG_NAME_LEN])
{
	client_address(&session->peer, peer);
	snprintf(name, SLOWLOG_NAME_LEN, "%s", session->name ? session->name : "");
}

static int open_all(struct server *server)
{
	static const struct router_hooks hooks = {
		.owe = session_owe,
		.home = session_home,
		.run = dispatch_here,
		.address = session_address,
	};
	int error = -engine_init(&server->engine, &server->settings, demi_shard_self(),
				 demi_shard_count());

	if (error) {
		complain(server, "engine", error);
		return error;
	}
	read_clock(server);
	server->engine.describe = describe;
	if (server->settings.appendonly) {
		error = -aof_open(&server->engine);
		if (error) {
			complain(server, "log", error);
			return error;
		}
	}
	read_clock(server);
	server->engine.started_ms = server->engine.now_ms;
	server->engine.clock_ns = clock_monotonic_ns;
	server->engine.server = server;
	server->router = router_create_or_null(&server->engine, &hooks);
	error = server->router ? router_open(server->router) : ENOMEM;
	if (error)
		complain(server, "router", error);
	return error ? error : open_listener(server);
}

/* False: what was answered may not be on the disk. */
static bool close_all(struct server *server)
{
	if (server->router)
		router_close(server->router);
	while (!TAILQ_EMPTY(&server->sessions))
		session_drop(TAILQ_FIRST(&server->sessions));
	qd_map_fini(&server->map);
	return aof_close(server->engine.aof) == 0;
}

/* What it leaves open the SDK closes, and sees the FINs through. */
int server_run(struct server *server, const struct settings *settings,
	       const struct server_hooks *hooks)
{
	int error;

	*server = (struct server){.settings = *settings, .hooks = hooks, .listen_qd = -1};
	TAILQ_INIT(&server->sessions);
	STAILQ_INIT(&server->unsettled);
	STAILQ_INIT(&server->logging);
	server->log_due_ns = server->store_due_ms = UINT64_MAX;
	error = open_all(server);
	if (error) {
		demi_shard_stop();
	} else {
		hooks->ready(server);
		serve(server);
	}
	if (!close_all(server) && !error)
		error = EIO;
	return error;
}

void server_fini(struct server *server)
{
	router_destroy(server->router);
	engine_fini(&server->engine);
}
