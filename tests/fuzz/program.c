/* The host's program: does what the script says, and knows how each operation may end. */
#include "conversation.h"

#include "mem/check.h"

#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <rte_common.h>

enum { BACKLOG = 3, ACCEPTS_MAX = 2, PUSH_LEN_MAX = 6000, END_S_MAX = 3000, TCP_INFO_ROOM = 300 };

/* --- sockets and tokens --- */

static struct sock *sock_of_or_null(struct conversation *c, const struct move *m)
{
	struct sock *sock = &c->socks[m->who % SOCKS];

	return sock->qd ? sock : NULL;
}

static struct sock *free_sock_or_null(struct conversation *c)
{
	for (unsigned i = 0; i < SOCKS; i++)
		if (!c->socks[i].qd)
			return &c->socks[i];
	return NULL;
}

static void hold(struct conversation *c, struct sock *sock, int qd, unsigned flow)
{
	*sock = (struct sock){.qd = qd, .flow = (uint8_t)flow, .number = ++c->numbers};
}

/* sock NULL: the listener's. */
static struct token *start(struct conversation *c, demi_qtoken_t token, enum demi_opcode opcode,
			   const struct sock *sock)
{
	struct token *started = &c->tokens[c->token_count++];

	CHECK(c->token_count <= TOKENS);
	*started = (struct token){.token = token,
				  .opcode = opcode,
				  .qd = sock ? sock->qd : c->listener,
				  .sock = (uint8_t)(sock ? sock - c->socks : SOCKS),
				  .number = sock ? sock->number : 0};
	return started;
}

/* Each token ends once. */
static struct token end(struct conversation *c, demi_qtoken_t token)
{
	unsigned i = 0;
	struct token ended;

	while (i < c->token_count && c->tokens[i].token != token)
		i++;
	CHECK(i < c->token_count);
	ended = c->tokens[i];
	c->tokens[i] = c->tokens[--c->token_count];
	return ended;
}

static unsigned accepts(const struct conversation *c)
{
	unsigned count = 0;

	for (unsigned i = 0; i < c->token_count; i++)
		count += c->tokens[i].opcode == DEMI_OPC_ACCEPT;
	return count;
}

static bool has_room(const struct conversation *c)
{
	return c->token_count < TOKENS - SOCKS;
}

/* What is checked of the stream holds for the connection that the flow is now. */
static const struct flow *sure_flow_or_null(const struct conversation *c, const struct sock *sock)
{
	const struct flow *flow = &c->flows[sock->flow];

	if (c->forged || !sock->generation || sock->generation != flow->generation ||
	    flow->irs_count != 1)
		return NULL;
	return flow;
}

/* --- what came of it --- */

static void accepted(struct conversation *c, const demi_accept_result_t *result)
{
	struct sock *sock = free_sock_or_null(c);
	const struct sockaddr_in peer = result->addr;

	if (!sock || c->forged) {
		CHECK(demi_close(result->qd) == 0);
		return;
	}
	for (unsigned i = 0; i < PASSIVE_FLOWS; i++) {
		struct flow *flow = &c->flows[i];

		if (flow->addr != peer.sin_addr.s_addr || flow->port != peer.sin_port)
			continue;
		CHECK(flow->generation > 0);
		hold(c, sock, result->qd, i);
		sock->connected = true;
		/* Of two handshakes since the last time it may be either. */
		if (flow->generation == flow->accepted + 1)
			sock->generation = flow->generation;
		flow->accepted = flow->generation;
		return;
	}
	CHECK(!"a connection that the peer did not open");
}

static void popped(struct conversation *c, struct sock *sock, demi_sgarray_t *sga)
{
	const uint8_t *bytes = sga->sga_segs[0].sgaseg_buf;
	const uint32_t len = sga->sga_segs[0].sgaseg_len;
	const struct flow *flow = sure_flow_or_null(c, sock);

	CHECK(sga->sga_numsegs == 1 && (!sock->ended || len == 0));
	sock->ended |= len == 0;
	if (flow && !flow->forged)
		for (uint32_t i = 0; i < len; i++)
			CHECK(bytes[i] == conversation_byte(flow->irs + 1 + sock->popped + i));
	sock->popped += len;
	if (flow && !flow->wild)
		CHECK(flow_reached(flow->snd_max, flow->irs + 1 + sock->popped));
}

/* In order, and not before the peer acknowledged the last byte. */
static void pushed(const struct conversation *c, struct sock *sock, const struct token *token,
		   bool failed)
{
	const struct flow *flow = sure_flow_or_null(c, sock);

	CHECK(token->push == sock->pushes_done++);
	if (flow && !flow->wild && !failed)
		CHECK(flow_reached(flow->ack_max, flow->iss + 1 + token->push_end));
}

static void connected(const struct conversation *c, struct sock *sock, bool failed)
{
	sock->connected = !failed;
	sock->generation = c->flows[sock->flow].generation;
}

static void take(struct conversation *c, demi_qresult_t *result)
{
	const struct token token = end(c, result->qr_qt);
	const bool failed = result->qr_opcode == DEMI_OPC_FAILED;
	struct sock *sock = token.sock < SOCKS ? &c->socks[token.sock] : NULL;

	CHECK(result->qr_qd == token.qd && (failed || result->qr_opcode == token.opcode));
	CHECK(failed == (result->qr_ret != 0));
	if (sock && (!sock->qd || sock->number != token.number))
		sock = NULL; /* closed since */
	if (!failed && token.opcode == DEMI_OPC_ACCEPT)
		accepted(c, &result->qr_value.ares);
	if (sock && token.opcode == DEMI_OPC_CONNECT)
		connected(c, sock, failed);
	if (sock && token.opcode == DEMI_OPC_PUSH)
		pushed(c, sock, &token, failed);
	if (!failed && token.opcode == DEMI_OPC_POP) {
		if (sock)
			popped(c, sock, &result->qr_value.sga);
		CHECK(demi_sgafree(&result->qr_value.sga) == 0);
	}
}

void program_results(struct conversation *c)
{
	demi_qresult_t result;

	while (wire_result(&result))
		take(c, &result);
}

/* --- opening --- */

/* What was a listener ends; what was none begins to be one. */
void program_listen(struct conversation *c, const struct move *m, struct script *script)
{
	const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = RTE_BE16(WIRE_PORT)};

	(void)m, (void)script;
	if (c->listener) {
		CHECK(demi_close(c->listener) == 0);
		c->listener = 0;
		return;
	}
	CHECK(demi_socket(&c->listener, AF_INET, SOCK_STREAM, 0) == 0);
	CHECK(demi_bind(c->listener, (const struct sockaddr *)&here, sizeof(here)) == 0);
	CHECK(demi_listen(c->listener, BACKLOG) == 0);
}

void program_accept(struct conversation *c, const struct move *m, struct script *script)
{
	demi_qtoken_t token;

	(void)m, (void)script;
	if (!c->listener || accepts(c) >= ACCEPTS_MAX)
		return;
	CHECK(demi_accept(&token, c->listener) == 0);
	start(c, token, DEMI_OPC_ACCEPT, NULL);
}

void program_connect(struct conversation *c, const struct move *m, struct script *script)
{
	const unsigned flow = PASSIVE_FLOWS + m->who % (FLOWS - PASSIVE_FLOWS);
	const struct sockaddr_in there = {.sin_family = AF_INET,
					  .sin_port = c->flows[flow].port,
					  .sin_addr.s_addr = c->flows[flow].addr};
	struct sock *sock = free_sock_or_null(c);
	demi_qtoken_t token;
	int qd, error;

	(void)script;
	for (unsigned i = 0; i < SOCKS; i++)
		if (c->socks[i].qd && c->socks[i].flow == flow)
			return;
	if (!sock)
		return;
	CHECK(demi_socket(&qd, AF_INET, SOCK_STREAM, 0) == 0);
	hold(c, sock, qd, flow);
	error = demi_connect(&token, qd, (const struct sockaddr *)&there, sizeof(there));
	if (error == 0) {
		start(c, token, DEMI_OPC_CONNECT, sock);
		return;
	}
	CHECK(error == ENOBUFS || error == EADDRNOTAVAIL || error == EHOSTUNREACH ||
	      error == ENOMEM);
	CHECK(demi_close(qd) == 0);
	sock->qd = 0;
}

/* --- data --- */

void program_push(struct conversation *c, const struct move *m, struct script *script)
{
	struct sock *sock = sock_of_or_null(c, m);
	const uint32_t len = 1 + m->len % PUSH_LEN_MAX;
	demi_sgarray_t sga;
	demi_qtoken_t token;
	uint8_t *bytes;

	(void)script;
	if (!sock || !has_room(c))
		return;
	sga = demi_sgaalloc(len);
	if (!sga.sga_buf)
		return;
	bytes = sga.sga_segs[0].sgaseg_buf;
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = conversation_byte(sock->pushed + i);
	if (demi_push(&token, sock->qd, &sga) == 0) {
		struct token *started = start(c, token, DEMI_OPC_PUSH, sock);

		sock->pushed += len;
		started->push = sock->pushes++;
		started->push_end = sock->pushed;
		if (sock->pushed > c->flows[sock->flow].pushed_max)
			c->flows[sock->flow].pushed_max = sock->pushed;
	}
	CHECK(demi_sgafree(&sga) == 0);
}

void program_pop(struct conversation *c, const struct move *m, struct script *script)
{
	const struct sock *sock = sock_of_or_null(c, m);
	demi_qtoken_t token;

	(void)script;
	if (sock && has_room(c) && demi_pop(&token, sock->qd) == 0)
		start(c, token, DEMI_OPC_POP, sock);
}

/* --- closing --- */

void program_shutdown(struct conversation *c, const struct move *m, struct script *script)
{
	const struct sock *sock = sock_of_or_null(c, m);

	(void)script;
	if (sock)
		(void)demi_shutdown(sock->qd, m->flags % 3);
}

/* flags: at once, with an end that is waited for, or with an RST. */
void program_close(struct conversation *c, const struct move *m, struct script *script)
{
	enum { AT_ONCE, AWAITED, RESET, WAYS };
	const struct linger reset = {1, 0};
	struct sock *sock = sock_of_or_null(c, m);
	demi_qtoken_t token;

	(void)script;
	if (!sock)
		return;
	if (m->flags % WAYS == RESET)
		CHECK(demi_setsockopt(sock->qd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0);
	if (m->flags % WAYS == AWAITED && has_room(c)) {
		CHECK(demi_async_close(&token, sock->qd) == 0);
		start(c, token, DEMI_OPC_CLOSE, sock);
	} else {
		CHECK(demi_close(sock->qd) == 0);
	}
	sock->qd = 0;
}

/* --- options --- */

/* Any option with any value, of a connection or the listener; then they are asked. */
void program_option(struct conversation *c, const struct move *m, struct script *script)
{
	static const struct {
		int level, name;
	} options[] = {
		{SOL_SOCKET, SO_LINGER},
		{SOL_SOCKET, SO_KEEPALIVE},
		{SOL_SOCKET, SO_RCVBUF},
		{SOL_SOCKET, SO_SNDBUF},
		{SOL_SOCKET, SO_ERROR},
		{IPPROTO_TCP, TCP_KEEPIDLE},
		{IPPROTO_TCP, TCP_KEEPINTVL},
		{IPPROTO_TCP, TCP_KEEPCNT},
		{IPPROTO_TCP, TCP_USER_TIMEOUT},
		{IPPROTO_TCP, TCP_NODELAY},
		{IPPROTO_TCP, TCP_MAXSEG},
		{IPPROTO_TCP, TCP_INFO},
		{IPPROTO_IP, IP_TTL},
		{IPPROTO_IP, IP_TOS},
	};
	const unsigned which = m->flags % RTE_DIM(options);
	const struct sock *sock = sock_of_or_null(c, m);
	const int qd = sock ? sock->qd : c->listener;
	int value[2] = {m->len, m->wnd % 3};
	uint8_t room[TCP_INFO_ROOM];
	socklen_t len = sizeof(room);

	(void)script;
	if (!qd)
		return;
	(void)demi_setsockopt(qd, options[which].level, options[which].name, value,
			      which == 0 ? sizeof(value) : sizeof(value[0]));
	if (demi_getsockopt(qd, options[which].level, options[which].name, room, &len) == 0)
		CHECK(len <= sizeof(room));
}

/* --- begin and end --- */

void program_begin(struct conversation *c)
{
	program_listen(c, NULL, NULL);
}

void program_end(struct conversation *c)
{
	if (c->listener)
		program_listen(c, NULL, NULL);
	for (unsigned i = 0; i < SOCKS; i++)
		if (c->socks[i].qd) {
			CHECK(demi_close(c->socks[i].qd) == 0);
			c->socks[i].qd = 0;
		}
	for (unsigned s = 0; c->token_count > 0; s += 5) {
		program_results(c);
		/* What was accepted just before. */
		for (unsigned i = 0; i < SOCKS; i++)
			if (c->socks[i].qd) {
				CHECK(demi_close(c->socks[i].qd) == 0);
				c->socks[i].qd = 0;
			}
		if (c->token_count == 0)
			return;
		CHECK(s < END_S_MAX);
		wire_after(&c->w, 5 * S);
		flows_listen(c);
	}
}
