#include "server.h"

#include "datagram.h"
#include "stream.h"

#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/sim.h>
#include <demi/wait.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

enum { PAUSE_EVERY = 8 };

struct conn {
	int qd; /* 0: nobody; descriptors of connections are never 0 here */
	bool used, ended, dead, hangs_up;
	uint32_t number;
	uint8_t kind;
	uint64_t received;
	unsigned pushes;     /* outstanding */
	demi_sgarray_t held; /* to be sent back when there is room; sga_buf NULL: none */
};

struct shard {
	struct server *server;
	int listener;
	unsigned results;
	struct ledger ledger;
	struct datagram_server datagrams;
	struct conn conns[SERVER_CONN_MAX];
};

static void check(int error, const char *what)
{
	if (error)
		failed("server: %s: %s", what, demi_strerror(error));
}

static void start_accept(struct shard *s)
{
	demi_qtoken_t token;

	check(demi_accept(&token, s->listener), "accept");
	ledger_start(&s->ledger, token);
}

static void start(struct shard *s)
{
	const struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(SERVER_PORT)};
	const int on = 1;

	check(demi_socket(&s->listener, AF_INET, SOCK_STREAM, 0), "socket");
	check(demi_setsockopt(s->listener, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)), "keepalive");
	check(demi_bind(s->listener, (const struct sockaddr *)&addr, sizeof(addr)), "bind");
	check(demi_listen(s->listener, 64), "listen");
	start_accept(s);
	s->datagrams = (struct datagram_server){s->server->plan, s->server->deeds, &s->ledger,
						&s->server->seen, -1};
	if (s->server->plan->draw > 1)
		datagram_serve(&s->datagrams);
}

static struct conn *conn_of(struct shard *s, int qd)
{
	for (unsigned i = 0; i < SERVER_CONN_MAX; i++)
		if (s->conns[i].used && s->conns[i].qd == qd)
			return &s->conns[i];
	return NULL;
}

static void end_conn(struct conn *conn)
{
	const struct linger reset = {.l_onoff = 1};

	if (conn->hangs_up && conn->kind == PLAN_REFUSE)
		check(demi_setsockopt(conn->qd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)),
		      "linger");
	if (conn->held.sga_buf)
		check(demi_sgafree(&conn->held), "sgafree");
	check(demi_close(conn->qd), "close");
	conn->used = false;
}

/* An operation could not start: only because the connection died, which ends it here. */
static bool started(struct shard *s, struct conn *conn, int error, demi_qtoken_t token)
{
	if (error == 0) {
		ledger_start(&s->ledger, token);
		return true;
	}
	if (error != ECONNRESET && error != ETIMEDOUT && error != ENOTCONN && error != EPIPE)
		failed("server: an operation could not start: %s", demi_strerror(error));
	conn->dead = true;
	return false;
}

static void start_pop(struct shard *s, struct conn *conn)
{
	demi_qtoken_t token = 0;
	const int error = demi_pop(&token, conn->qd);

	started(s, conn, error, token);
}

static void send_back(struct shard *s, struct conn *conn)
{
	demi_qtoken_t token = 0;
	const int error = demi_push(&token, conn->qd, &conn->held);

	if (error == EAGAIN)
		return; /* again when a push has ended */
	if (started(s, conn, error, token))
		conn->pushes++;
	check(demi_sgafree(&conn->held), "sgafree");
	conn->held.sga_buf = NULL;
}

static void take_header(struct conn *conn, const uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len && conn->received + i < STREAM_HEADER_LEN; i++) {
		const uint64_t at = conn->received + i;

		if (at == 0)
			conn->kind = bytes[i];
		else if (at <= 4)
			conn->number |= (uint32_t)bytes[i] << 8 * (at - 1);
	}
}

static void take_bytes(struct shard *s, struct conn *conn, demi_sgarray_t *sga)
{
	const uint8_t *bytes = sga->sga_segs[0].sgaseg_buf;
	const uint32_t len = sga->sga_segs[0].sgaseg_len;

	take_header(conn, bytes, len);
	if (stream_compare(bytes, len, conn->number, conn->kind, conn->received) != len)
		failed("server: a byte of stream %u after %lu is wrong", conn->number,
		       (unsigned long)conn->received);
	conn->received += len;
	if (conn->kind == PLAN_BULK) {
		check(demi_sgafree(sga), "sgafree");
	} else {
		conn->hangs_up = conn->kind == PLAN_HANG_UP || conn->kind == PLAN_REFUSE;
		conn->held = *sga;
		send_back(s, conn);
	}
}

static void popped(struct shard *s, struct conn *conn, demi_qresult_t *result)
{
	demi_sgarray_t *sga = &result->qr_value.sga;

	if (sga->sga_segs[0].sgaseg_len == 0) {
		check(demi_sgafree(sga), "sgafree");
		conn->ended = true;
		return;
	}
	take_bytes(s, conn, sga);
	if (!conn->held.sga_buf && !conn->dead && !conn->hangs_up)
		start_pop(s, conn);
}

static void pushed(struct shard *s, struct conn *conn)
{
	conn->pushes--;
	if (!conn->held.sga_buf)
		return;
	send_back(s, conn);
	if (!conn->held.sga_buf && !conn->dead)
		start_pop(s, conn);
}

static void accepted(struct shard *s, const demi_qresult_t *result)
{
	struct conn *conn = s->conns;

	if (s->listener < 0) { /* accepted just before the listener was closed */
		check(demi_close(result->qr_value.ares.qd), "close");
		return;
	}
	while (conn->used)
		if (++conn == s->conns + SERVER_CONN_MAX)
			failed("server: too many connections");
	*conn = (struct conn){.qd = result->qr_value.ares.qd, .used = true};
	s->server->deeds->accepted++;
	start_pop(s, conn);
	start_accept(s);
}

static void take(struct shard *s, demi_qresult_t *result)
{
	struct conn *conn = conn_of(s, result->qr_qd);

	ledger_end(&s->ledger, result->qr_qt);
	s->server->deeds->tokens++;
	if (result->qr_opcode == DEMI_OPC_ACCEPT) {
		accepted(s, result);
		return;
	}
	if (result->qr_qd == s->datagrams.qd) {
		datagram_serve_take(&s->datagrams, result);
		return;
	}
	if (!conn) {
		if (result->qr_opcode == DEMI_OPC_POP)
			check(demi_sgafree(&result->qr_value.sga), "sgafree");
		return; /* of a connection that was closed */
	}
	if (result->qr_opcode == DEMI_OPC_FAILED)
		conn->dead = true;
	else if (result->qr_opcode == DEMI_OPC_POP)
		popped(s, conn, result);
	else
		pushed(s, conn);
	if (conn->dead || ((conn->ended || conn->hangs_up) && !conn->held.sga_buf))
		end_conn(conn);
}

/* Until timeout; false: it passed. */
static bool take_next(struct shard *s, long timeout_ns)
{
	const struct timespec timeout = {timeout_ns / 1000000000, timeout_ns % 1000000000};
	demi_qresult_t result;
	int count = 0;
	const int error = demi_wait_next_n(&result, 1, &count, &timeout);

	if (error && error != ETIMEDOUT)
		failed("server: wait: %s", demi_strerror(error));
	if (count == 1)
		take(s, &result);
	return count == 1;
}

/* What the clients closed ends here, too. Not what they reset, for an RST is sent once; nor a ghost
 * of a connection, made by a late SYN cookie. */
static const struct conn *left_or_null(const struct shard *s)
{
	for (const struct conn *conn = s->conns; conn < s->conns + SERVER_CONN_MAX; conn++)
		if (conn->used && conn->received > 0 && conn->kind != PLAN_RESET)
			return conn;
	return NULL;
}

static void wait_for_the_left(struct shard *s)
{
	const struct plan *plan = s->server->plan;
	const uint64_t begin_ns = demi_sim_now(s->server->sim);
	const uint64_t ns_max = plan_standstill_ns_max(plan);
	const struct conn *left;

	if (ns_max == UINT64_MAX || plan->ghosts)
		return;
	while ((left = left_or_null(s))) {
		if (demi_sim_now(s->server->sim) - begin_ns > ns_max)
			failed("server: stream %u of kind %u does not end", left->number,
			       left->kind);
		take_next(s, 100000000);
	}
}

int server_main(void *arg)
{
	struct shard *s = calloc(1, sizeof(*s));
	const uint64_t pause_ns = ((const struct server *)arg)->plan->serve_pause_ns;

	if (!s)
		failed("out of memory");
	s->server = arg;
	start(s);
	while (*s->server->clients_left > 0)
		if (take_next(s, 100000000) && pause_ns && ++s->results % PAUSE_EVERY == 0)
			stream_pause(pause_ns);
	wait_for_the_left(s);
	check(demi_close(s->listener), "close");
	s->listener = -1;
	if (s->datagrams.qd >= 0)
		check(demi_close(s->datagrams.qd), "close");
	s->datagrams.qd = -1;
	for (unsigned i = 0; i < SERVER_CONN_MAX; i++)
		if (s->conns[i].used)
			end_conn(&s->conns[i]);
	while (s->ledger.count > 0)
		if (!take_next(s, 1000000000))
			failed("server: %u tokens never completed", s->ledger.count);
	free(s);
	return 0;
}
