#include "load/conn.h"

#include "load/generator.h"
#include "load/schedule.h"

#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	REOPEN_NS = 20000000, /* a connection that failed rests that long */
	CHUNK_LEN = 1400,     /* what a packet holds, where nothing larger is to be had */
	SGA_LEN_MAX = 65535,
};

int conn_init(struct conn *conn, unsigned number, uint32_t depth)
{
	uint32_t slot_count = 1;

	while (slot_count < depth)
		slot_count *= 2;
	*conn = (struct conn){.number = number, .request_mask = slot_count - 1};
	conn->requests = calloc(slot_count, sizeof(*conn->requests));
	return conn->requests ? 0 : ENOMEM;
}

void conn_fini(struct conn *conn)
{
	free(conn->requests);
}

static struct request *request_at(const struct conn *conn, uint64_t number)
{
	return &conn->requests[number & conn->request_mask];
}

static enum fault fault_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return FAULT_REFUSED;
	case EHOSTUNREACH:
	case ENETUNREACH:
		return FAULT_UNREACHABLE;
	case ECONNRESET:
	case ECONNABORTED:
		return FAULT_RESET;
	case EPIPE:
		return FAULT_CLOSED;
	case ETIMEDOUT:
		return FAULT_TIMEOUT;
	default:
		return FAULT_LOCAL;
	}
}

/* --- its end --- */

/* Nothing is outstanding any more: the descriptor may be forgotten. */
static void left(struct generator *g, struct conn *conn)
{
	qd_map_take_or_null(&g->map, conn->qd);
	conn->state = CONN_CLOSED;
	schedule_offer(g, conn);
}

void conn_leave(struct generator *g, struct conn *conn)
{
	const struct linger none = {.l_onoff = 1};

	g->connecting -= conn->state == CONN_CONNECTING;
	conn->state = CONN_LEAVING;
	if (g->plan->reset && g->plan->workload->conn_per_request)
		demi_setsockopt(conn->qd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	demi_close(conn->qd);
	if (conn->token_count == 0)
		left(g, conn);
}

/* What is in flight goes down with the connection. */
static void drop_requests(struct generator *g, struct conn *conn, bool timed_out)
{
	for (; conn->answered < conn->asked; conn->answered++) {
		const struct request *request = request_at(conn, conn->answered);

		g->in_flight--;
		if (!request->counted)
			continue;
		results_count(&g->results->lost, 1);
		if (timed_out && g->now_ns > request->due_ns)
			histogram_add(&g->results->latency, g->now_ns - request->due_ns);
	}
	conn->sent = conn->asked;
	conn->sent_len = conn->got_len = 0;
	conn->unsent_len = 0;
}

void conn_fail(struct generator *g, struct conn *conn, enum fault fault, const char *text)
{
	results_count(&g->results->faults[fault], 1);
	if (!g->results->fault_text[0])
		strncpy(g->results->fault_text, text ? text : fault_text(fault),
			sizeof(g->results->fault_text) - 1);
	if (conn->idle) {
		results_count(&g->results->idle_conns_lost, 1);
		g->probes_left -= g->phase == PHASE_PROBE && conn_in_flight(conn) > 0;
	}
	drop_requests(g, conn, fault == FAULT_TIMEOUT);
	conn->reopen_ns = g->now_ns + REOPEN_NS;
	if (conn->state == CONN_OPEN || conn->state == CONN_CONNECTING)
		conn_leave(g, conn);
}

/* --- its beginning --- */

void conn_open(struct generator *g, struct conn *conn)
{
	const struct sockaddr_in *to = &g->servers[conn->server];
	const int on = 1;
	demi_qtoken_t qt;
	int error = demi_socket(&conn->qd, AF_INET, SOCK_STREAM, 0);

	conn->open_count++;
	conn->seed = dice_mix(g->plan->seed ^ dice_mix(conn->number) ^ conn->open_count << 40);
	conn->since_ns = g->now_ns;
	conn->reply = (struct reply){0};
	conn->blocked = false;
	if (!error) {
		/* A request that waits for an ACK of the one before it is not what is measured. */
		demi_setsockopt(conn->qd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on));
		error = demi_connect(&qt, conn->qd, (const struct sockaddr *)to, sizeof(*to));
		if (error || qd_map_put(&g->map, conn->qd, conn)) {
			demi_close(conn->qd);
			error = error ? error : ENOMEM;
		}
	}
	if (error) {
		conn_fail(g, conn, fault_of(error), demi_strerror(error));
		return;
	}
	conn->token_count = 1;
	conn->state = CONN_CONNECTING;
	g->connecting++;
}

static void pop(struct generator *g, struct conn *conn)
{
	demi_qtoken_t qt;
	int error = demi_pop(&qt, conn->qd);

	if (error)
		conn_fail(g, conn, fault_of(error), demi_strerror(error));
	else
		conn->token_count++;
}

static void connected(struct generator *g, struct conn *conn)
{
	g->connecting--;
	conn->state = CONN_OPEN;
	if (conn_in_flight(conn) > 0 && request_at(conn, conn->answered)->counted)
		histogram_add(&g->results->connect,
			      g->now_ns - request_at(conn, conn->answered)->due_ns);
	pop(g, conn);
	if (conn->state != CONN_OPEN)
		return;
	conn_flush(g, conn);
	schedule_offer(g, conn);
}

/* --- asking --- */

struct request *conn_next_request(struct generator *g, struct conn *conn)
{
	struct request *request = request_at(conn, conn->asked);

	*request = (struct request){.number = conn->asked, .asked_ns = g->now_ns};
	return request;
}

void conn_ask(struct generator *g, struct conn *conn)
{
	const struct request *request = request_at(conn, conn->asked);

	conn->asked++;
	conn->unsent_len += request->len;
	g->in_flight++;
	results_count(&g->results->asked, 1);
	if (!conn->unflushed) {
		conn->unflushed = true;
		g->unflushed[g->unflushed_count++] = conn;
	}
	if (conn->state == CONN_CLOSED)
		conn_open(g, conn);
}

static demi_sgarray_t buffer_or_empty(uint64_t len)
{
	demi_sgarray_t sga = demi_sgaalloc(len < SGA_LEN_MAX ? len : SGA_LEN_MAX);

	if (!sga.sga_buf && len > CHUNK_LEN)
		sga = demi_sgaalloc(CHUNK_LEN);
	return sga;
}

/* Writes what comes next into the buffer; how much it is. */
static uint32_t write_some(const struct generator *g, struct conn *conn, uint8_t *out,
			   uint32_t room)
{
	const struct request *request;
	uint32_t len = 0, n;

	while (len < room && conn->sent < conn->asked) {
		request = request_at(conn, conn->sent);
		n = g->plan->workload->write(g, conn, request, conn->sent_len, out + len,
					     room - len);
		len += n;
		conn->sent_len += n;
		if (conn->sent_len == request->len) {
			conn->sent++;
			conn->sent_len = 0;
		}
	}
	return len;
}

void conn_flush(struct generator *g, struct conn *conn)
{
	while (conn->state == CONN_OPEN && conn->unsent_len > 0) {
		const uint64_t sent = conn->sent;
		const uint32_t sent_len = conn->sent_len;
		demi_sgarray_t sga = buffer_or_empty(conn->unsent_len);
		demi_sgaseg_t *seg = &sga.sga_segs[0];
		demi_qtoken_t qt;
		int error = sga.sga_buf ? 0 : EAGAIN;

		if (!error) {
			seg->sgaseg_len = write_some(g, conn, seg->sgaseg_buf, seg->sgaseg_len);
			error = demi_push(&qt, conn->qd, &sga);
			demi_sgafree(&sga); /* the push has a reference of its own */
		}
		if (!error) {
			conn->token_count++;
			conn->unsent_len -= seg->sgaseg_len;
			continue;
		}
		conn->sent = sent;
		conn->sent_len = sent_len;
		if (error != EAGAIN) {
			conn_fail(g, conn, fault_of(error), demi_strerror(error));
			return;
		}
		conn->blocked = true;
		g->starved |= conn->token_count <= 1; /* the pop alone: no push will end */
		return;
	}
}

/* --- answers --- */

static void answered(struct generator *g, struct conn *conn)
{
	const struct request *request = request_at(conn, conn->answered);
	struct results *results = g->results;

	if (request->counted)
		histogram_add(&results->latency,
			      g->now_ns > request->due_ns ? g->now_ns - request->due_ns : 0);
	if (g->phase == PHASE_STEP && g->now_ns >= g->step.warm_end_ns &&
	    g->now_ns < g->step.end_ns)
		results_count(&results->completed_counted, 1);
	results_count(&results->answered, 1);
	conn->answered++;
	conn->got_len = 0;
	g->in_flight--;
	g->probes_left -= g->phase == PHASE_PROBE && conn->idle;
}

/* Compares what came with what should. */
static void take(struct generator *g, struct conn *conn, const uint8_t *data, uint32_t len)
{
	const struct workload *workload = g->plan->workload;
	const char *text = NULL;
	enum fault fault = FAULT_PROTOCOL;
	uint32_t n;
	bool done;

	while (len > 0) {
		if (conn->answered == conn->sent && conn->sent_len == 0) {
			conn_fail(g, conn, FAULT_PROTOCOL, "bytes came that nobody had asked for");
			return;
		}
		done = false;
		n = workload->read(g, conn, request_at(conn, conn->answered), data, len, &done,
				   &fault, &text);
		if (n == 0) {
			conn_fail(g, conn, fault, text);
			return;
		}
		data += n;
		len -= n;
		conn->got_len += n;
		if (done && conn->answered == conn->sent) {
			conn_fail(g, conn, FAULT_PROTOCOL, "an answer came before all was sent");
			return;
		}
		if (done)
			answered(g, conn);
	}
}

static void popped(struct generator *g, struct conn *conn, const demi_sgaseg_t *seg)
{
	if (seg->sgaseg_len == 0) {
		conn_fail(g, conn, FAULT_CLOSED, NULL);
		return;
	}
	take(g, conn, seg->sgaseg_buf, seg->sgaseg_len);
	if (conn->state != CONN_OPEN)
		return;
	if (g->plan->workload->conn_per_request && conn_in_flight(conn) == 0 && !conn->idle) {
		conn_leave(g, conn);
		return;
	}
	pop(g, conn);
	if (conn->state == CONN_OPEN)
		schedule_offer(g, conn);
}

void conn_result(struct generator *g, struct conn *conn, demi_qresult_t *result)
{
	const bool gone = conn->state == CONN_LEAVING;

	conn->token_count--;
	if (result->qr_opcode == DEMI_OPC_POP) {
		if (!gone)
			popped(g, conn, &result->qr_value.sga.sga_segs[0]);
		demi_sgafree(&result->qr_value.sga);
	} else if (gone) {
		; /* it was cancelled */
	} else if (result->qr_opcode == DEMI_OPC_CONNECT) {
		connected(g, conn);
	} else if (result->qr_opcode == DEMI_OPC_FAILED) {
		conn_fail(g, conn, fault_of((int)result->qr_ret),
			  demi_strerror((int)result->qr_ret));
	} else if (conn->blocked) {
		conn->blocked = false;
		conn_flush(g, conn);
	}
	if (gone && conn->token_count == 0)
		left(g, conn);
}
