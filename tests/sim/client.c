#include "client.h"

#include "datagram.h"
#include "server.h"
#include "stream.h"

#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/wait.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARALLEL_MAX = 16, PUSHES_MAX = 8, CHUNK_MAX = 1400, CHUNK_LARGE = 9000 };

struct stream {
	bool used, connected, shut, popping, fin, complete;
	int qd;
	uint32_t number;
	uint8_t kind;
	uint64_t len, reset_at; /* bytes; reset_at: after so many, of PLAN_RESET */
	uint64_t pushed, received, moved_ns;
	unsigned pushes;
};

struct run {
	struct client *c;
	unsigned begun;
	struct ledger ledger;
	struct datagram_client datagrams;
	struct stream streams[PARALLEL_MAX];
};

static void check(int error, const char *what)
{
	if (error)
		failed("client: %s: %s", what, demi_strerror(error));
}

static void let_go(struct stream *st)
{
	check(demi_close(st->qd), "close");
	st->used = false;
}

/* What the server did not read becomes an RST. Where that is lost, a late ACK that bears a SYN
 * cookie may make the server a ghost of the connection, which knows nothing of what was sent. */
static bool server_ended(const struct plan *plan, const struct stream *st, int error)
{
	return st->connected && (st->kind == PLAN_HANG_UP || st->kind == PLAN_REFUSE) &&
	       (error == ECONNRESET || (error == ETIMEDOUT && plan->lossy && plan->ghosts));
}

/* The network did it: only in a world where it may. */
static void give_up(struct run *r, struct stream *st, int error)
{
	const struct plan *plan = &r->c->plan;
	/* The server forgets a half-open connection that it heard nothing of for 7 s, or for which
	 * it has no place any more: what follows meets an RST (seeds 1171, 733). */
	const bool may_not_open = plan->lossy || plan->crowded;
	const bool unopened = !st->connected ? error == ETIMEDOUT || error == EHOSTUNREACH
					     : error == ECONNRESET && st->received == 0;

	if (server_ended(plan, st, error)) {
		r->c->deeds->hung_up++;
		let_go(st);
		return;
	}
	if (!plan->harsh && !(unopened && may_not_open))
		failed("client: stream %u of kind %u, %lu of %lu bytes sent and %lu received, "
		       "failed: %s",
		       st->number, st->kind, (unsigned long)st->pushed, (unsigned long)st->len,
		       (unsigned long)st->received, demi_strerror(error));
	r->c->deeds->failed++;
	let_go(st);
}

/* A peer that is gone is found out some time. */
static void keep_alive(int qd)
{
	const int on = 1;

	check(demi_setsockopt(qd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)), "keepalive");
}

/* What a client may do with a stream. */
static uint8_t draw_kind(struct plan *plan)
{
	return (uint8_t)plan_dice(plan, plan->draw == 1 ? PLAN_KIND_COUNT_1 : PLAN_KIND_COUNT);
}

static void begin(struct run *r, struct stream *st)
{
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(SERVER_PORT)};
	struct plan *plan = &r->c->plan;
	demi_qtoken_t token;
	int qd, error;

	server.sin_addr.s_addr = inet_addr("10.0.0.1");
	check(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), "socket");
	keep_alive(qd);
	*st = (struct stream){.used = true,
			      .qd = qd,
			      .number = r->c->number + r->begun++,
			      .kind = draw_kind(plan),
			      .len = STREAM_HEADER_LEN + plan_dice(plan, plan->stream_len_max),
			      .moved_ns = demi_sim_now(r->c->sim)};
	r->c->deeds->kinds |= 1u << st->kind;
	st->reset_at = plan_dice(plan, (uint32_t)st->len);
	r->c->deeds->streams++;
	error = demi_connect(&token, qd, (const struct sockaddr *)&server, sizeof(server));
	if (error)
		give_up(r, st, error);
	else
		ledger_start(&r->ledger, token);
}

static void reset(struct run *r, struct stream *st)
{
	const struct linger linger = {.l_onoff = 1};

	check(demi_setsockopt(st->qd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), "linger");
	r->c->deeds->reset++;
	let_go(st);
}

static void pop(struct run *r, struct stream *st)
{
	demi_qtoken_t token;
	const int error = demi_pop(&token, st->qd);

	if (error) {
		give_up(r, st, error);
		return;
	}
	ledger_start(&r->ledger, token);
	st->popping = true;
}

/* False: not now, or never again. */
static bool push_one(struct run *r, struct stream *st)
{
	const uint32_t large = plan_dice(&r->c->plan, 8) == 0 ? CHUNK_LARGE : CHUNK_MAX;
	const uint64_t left = st->len - st->pushed;
	const uint32_t len = left < large ? (uint32_t)left : large;
	demi_sgarray_t sga = demi_sgaalloc(len);
	demi_qtoken_t token;
	int error;

	if (!sga.sga_buf)
		return false;
	stream_fill(sga.sga_segs[0].sgaseg_buf, len, st->number, st->kind, st->pushed);
	error = demi_push(&token, st->qd, &sga);
	check(demi_sgafree(&sga), "sgafree");
	if (error == EAGAIN)
		return false;
	if (error) {
		give_up(r, st, error);
		return false;
	}
	ledger_start(&r->ledger, token);
	st->pushes++;
	st->pushed += len;
	r->c->deeds->bytes_sent += len;
	return true;
}

/* What can be done now. */
static void go_on(struct run *r, struct stream *st)
{
	int error;

	if (!st->used || !st->connected)
		return;
	if (st->kind == PLAN_RESET && st->pushed + st->received > st->reset_at) {
		reset(r, st);
		return;
	}
	while (st->pushed < st->len && st->pushes < PUSHES_MAX && push_one(r, st))
		;
	if (!st->used)
		return;
	if (!st->popping && !st->complete)
		pop(r, st);
	if (!st->used || st->pushed < st->len || st->shut || st->kind == PLAN_ECHO)
		return;
	error = demi_shutdown(st->qd, SHUT_WR);
	st->shut = true;
	if (error)
		give_up(r, st, error);
}

static void finish(struct run *r, struct stream *st)
{
	const uint64_t due = st->kind == PLAN_BULK ? 0 : st->len;
	const bool whole = st->received == due && st->pushed == st->len;

	if (st->kind == PLAN_HANG_UP)
		r->c->deeds->hung_up++;
	else if (!whole || st->kind == PLAN_REFUSE)
		failed("client: stream %u of kind %u ended with %lu of %lu bytes", st->number,
		       st->kind, (unsigned long)st->received, (unsigned long)due);
	r->c->deeds->finished += whole;
	let_go(st);
}

static void popped(struct run *r, struct stream *st, demi_sgarray_t *sga)
{
	const uint32_t len = sga->sga_segs[0].sgaseg_len;

	st->popping = false;
	if (stream_compare(sga->sga_segs[0].sgaseg_buf, len, st->number, st->kind, st->received) !=
	    len)
		failed("client: a byte of stream %u after %lu is wrong", st->number,
		       (unsigned long)st->received);
	check(demi_sgafree(sga), "sgafree");
	st->received += len;
	r->c->deeds->bytes_received += len;
	if (st->received > st->pushed)
		failed("client: stream %u got more than it sent", st->number);
	st->fin |= len == 0;
	st->complete = st->fin || (st->kind == PLAN_ECHO && st->received == st->len);
}

static void take(struct run *r, demi_qresult_t *result)
{
	struct stream *st = r->streams;

	ledger_end(&r->ledger, result->qr_qt);
	r->c->deeds->tokens++;
	while (st < r->streams + PARALLEL_MAX && !(st->used && st->qd == result->qr_qd))
		st++;
	if (result->qr_qd == r->datagrams.qd) {
		datagram_client_take(&r->datagrams, result);
		return;
	}
	if (st == r->streams + PARALLEL_MAX) {
		if (result->qr_opcode == DEMI_OPC_POP)
			check(demi_sgafree(&result->qr_value.sga), "sgafree");
		return; /* of a stream that was closed */
	}
	st->moved_ns = demi_sim_now(r->c->sim);
	switch (result->qr_opcode) {
	case DEMI_OPC_CONNECT:
		st->connected = true;
		break;
	case DEMI_OPC_PUSH:
		st->pushes--;
		break;
	case DEMI_OPC_POP:
		popped(r, st, &result->qr_value.sga);
		break;
	default:
		give_up(r, st, (int)result->qr_ret);
	}
	/* What the answer is to was acknowledged: each push completes. But a server that hangs up
	 * acknowledges no more. */
	if (st->used && st->complete && (st->pushes == 0 || st->kind == PLAN_HANG_UP))
		finish(r, st);
}

static bool take_next(struct run *r, long timeout_ns)
{
	const struct timespec timeout = {timeout_ns / 1000000000, timeout_ns % 1000000000};
	demi_qresult_t result;
	int count = 0;
	const int error = demi_wait_next_n(&result, 1, &count, &timeout);

	if (error && error != ETIMEDOUT)
		failed("client: wait: %s", demi_strerror(error));
	if (count == 1)
		take(r, &result);
	return count == 1;
}

/* A stream that stands still was forgotten by somebody; those that the server ends may have been by
 * the network, see server_ended(). */
static void check_standstill(const struct run *r, const struct stream *st)
{
	const uint64_t ns = demi_sim_now(r->c->sim) - st->moved_ns;

	if (!st->used || ns <= plan_standstill_ns_max(&r->c->plan) || st->kind == PLAN_HANG_UP ||
	    st->kind == PLAN_REFUSE)
		return;
	client_print(r->c);
	failed("client: stream %u stands still for %.0f s", st->number, (double)ns / 1e9);
}

/* How many streams are open after each was given a chance. */
static unsigned turn(struct run *r)
{
	const struct plan *plan = &r->c->plan;
	unsigned open = 0;

	for (unsigned i = 0; i < plan->parallel; i++) {
		struct stream *st = &r->streams[i];

		if (!st->used && r->begun < plan->streams)
			begin(r, st);
		go_on(r, st);
		check_standstill(r, st);
		open += st->used;
	}
	datagram_client_turn(&r->datagrams);
	return open;
}

static void start_datagrams(struct run *r)
{
	r->datagrams = (struct datagram_client){.plan = &r->c->plan,
						.sim = r->c->sim,
						.deeds = r->c->deeds,
						.ledger = &r->ledger,
						.sender = r->c->number,
						.qd = -1};
	if (r->c->plan.datagrams)
		datagram_client_begin(&r->datagrams);
}

void client_print(const struct client *client)
{
	const struct run *r = client->run;

	if (!r)
		return;
	fprintf(stderr, "client from stream %u: %u of %u streams begun, %u tokens pending, %s\n",
		client->number, r->begun, client->plan.streams, r->ledger.count,
		r->datagrams.qd < 0 ? "no datagrams" : "datagrams");
	for (unsigned i = 0; i < PARALLEL_MAX; i++) {
		const struct stream *st = &r->streams[i];

		if (st->used)
			fprintf(stderr,
				"  stream %u of kind %u: %s, %lu of %lu bytes sent, %lu received, "
				"%u pushes pending%s%s\n",
				st->number, st->kind, st->connected ? "open" : "connecting",
				(unsigned long)st->pushed, (unsigned long)st->len,
				(unsigned long)st->received, st->pushes,
				st->popping ? ", pop pending" : "", st->shut ? ", shut" : "");
	}
}

int client_main(void *arg)
{
	struct run *r = calloc(1, sizeof(*r));
	const uint64_t pause_ns = ((struct client *)arg)->plan.read_pause_ns;

	if (!r)
		failed("out of memory");
	r->c = arg;
	r->c->run = r;
	start_datagrams(r);
	while (turn(r) > 0 || r->begun < r->c->plan.streams || r->datagrams.qd >= 0) {
		take_next(r, 20000000);
		if (pause_ns && plan_dice(&r->c->plan, 8) == 0)
			stream_pause(pause_ns);
	}
	while (r->ledger.count > 0)
		if (!take_next(r, 1000000000))
			failed("client: %u tokens never completed", r->ledger.count);
	--*r->c->clients_left;
	r->c->run = NULL;
	free(r);
	return 0;
}
