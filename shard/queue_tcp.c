#include "mem/check.h"
#include "shard/state.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { NS_PER_SECOND = 1000000000 };

/* --- addresses --- */
static bool clash(const struct net_endpoint *a, const struct net_endpoint *b)
{
	return a->port == b->port &&
	       (ip_addr_eq(a->addr, b->addr) || ip_addr_is_any(a->addr) || ip_addr_is_any(b->addr));
}

static bool in_use(struct shard *shard, const struct net_endpoint *local)
{
	struct queue *queue;

	TAILQ_FOREACH (queue, &shard->queues.bound, tcp.bound_link)
		if (clash(&queue->tcp.local, local))
			return true;
	return false;
}

/*
 * Port 0 at bind: the name is known before listen() or connect(). Each shard chooses among ports of
 * its own remainder, so that two shards that choose at the same time choose different ones.
 */
static int choose_port(struct shard *shard, struct net_endpoint *local)
{
	const struct tcp_config *config = &shard->runtime->config.net.tcp;
	uint32_t count = config->port_high - config->port_low + 1u;
	uint32_t start = (uint32_t)(random_next(&shard->random) % count);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t port = config->port_low + (start + i) % count;

		local->port = rte_cpu_to_be_16((uint16_t)port);
		if (port % shard->runtime->shard_count == shard->index && !in_use(shard, local) &&
		    !net_listen_shards_rcu(shard->runtime->tables, IPPROTO_TCP, *local))
			return 0;
	}
	return -EADDRINUSE;
}

static int bind_to(struct shard *shard, struct queue *queue, const struct net_endpoint *local)
{
	struct queue_tcp *tcp = &queue->tcp;
	struct net_endpoint chosen = *local;

	if (tcp->bound || tcp->state != TCPQ_NEW)
		return -EINVAL;
	if (!ip_addr_is_any(local->addr) && net_iface_of(shard->runtime->tables, local->addr) < 0)
		return -EADDRNOTAVAIL;
	if (!local->port) {
		int rc = choose_port(shard, &chosen);

		if (rc)
			return rc;
	} else if (in_use(shard, local)) {
		return -EADDRINUSE;
	}
	tcp->local = chosen;
	tcp->bound = true;
	TAILQ_INSERT_TAIL(&shard->queues.bound, queue, tcp.bound_link);
	return 0;
}

static void unbind(struct shard *shard, struct queue *queue)
{
	if (queue->tcp.bound)
		TAILQ_REMOVE(&shard->queues.bound, queue, tcp.bound_link);
	queue->tcp.bound = false;
}

static int local_of(struct shard *shard, struct queue *queue, struct net_endpoint *out)
{
	(void)shard;
	if (queue->tcp.conn)
		*out = tcp_conn_local(queue->tcp.conn);
	else if (queue->tcp.listener)
		*out = tcp_listener_local(queue->tcp.listener);
	else
		*out = queue->tcp.local;
	return 0;
}

static int remote_of(struct shard *shard, struct queue *queue, struct net_endpoint *out)
{
	(void)shard;
	if (queue->tcp.state != TCPQ_CONNECTED)
		return -ENOTCONN;
	*out = tcp_conn_remote(queue->tcp.conn);
	return 0;
}

/* --- passive open --- */
static int listen_on(struct shard *shard, struct queue *queue, int backlog)
{
	struct queue_tcp *tcp = &queue->tcp;
	int rc;

	if (backlog < 1)
		return -EINVAL;
	if (tcp->state == TCPQ_CONNECTED)
		return -EISCONN;
	if (tcp->state != TCPQ_NEW)
		return -EADDRINUSE;
	if (!tcp->bound)
		return -EDESTADDRREQ;
	rc = tcp_listen(shard->net, &tcp->local, (uint32_t)backlog, queue, &tcp->listener);
	if (rc)
		return rc;
	tcp_listener_options(tcp->listener, &tcp->options);
	tcp->state = TCPQ_LISTENING;
	return 0;
}

/* Gives waiting connections to waiting accepts. Without a queue descriptor for it a connection
 * stays in the backlog. */
static void give_connections(struct shard *shard, struct queue *queue)
{
	struct op *op;

	while ((op = TAILQ_FIRST(&queue->takes))) {
		struct queue *fresh = queue_open_or_null(&shard->queues, &queue_ops_tcp);

		if (!fresh) {
			queue_retry(&shard->queues, queue);
			return;
		}
		fresh->tcp.conn = tcp_accept_or_null(shard->net, queue->tcp.listener, fresh);
		if (!fresh->tcp.conn) {
			queue_put(&shard->queues, fresh);
			return;
		}
		fresh->tcp.state = TCPQ_CONNECTED;
		op->result.accept.qd = fresh->qd;
		op->result.accept.peer = tcp_conn_remote(fresh->tcp.conn);
		token_done(&shard->tokens, op, 0);
	}
}

static int accept_on(struct shard *shard, struct queue *queue, struct op *op)
{
	if (queue->tcp.state != TCPQ_LISTENING)
		return -EINVAL;
	token_wait_on(op, &queue->takes);
	if (TAILQ_FIRST(&queue->takes) == op)
		give_connections(shard, queue);
	return 0;
}

/* --- active open --- */
static int connect_to(struct shard *shard, struct queue *queue, struct op *op,
		      const struct net_endpoint *remote)
{
	static const int refusals[] = {[TCPQ_NEW] = 0,
				       [TCPQ_LISTENING] = -EOPNOTSUPP,
				       [TCPQ_CONNECTING] = -EINPROGRESS,
				       [TCPQ_CONNECTED] = -EISCONN};
	struct queue_tcp *tcp = &queue->tcp;
	int rc = refusals[tcp->state];

	if (rc)
		return rc;
	rc = tcp_connect(shard->net, tcp->bound ? &tcp->local : NULL, remote, queue, &tcp->conn);
	if (rc)
		return rc;
	tcp_conn_options(shard->net, tcp->conn, &tcp->options);
	tcp->state = TCPQ_CONNECTING;
	queue->opening = op;
	return 0;
}

static void finish_opening(struct shard *shard, struct queue *queue)
{
	struct queue_tcp *tcp = &queue->tcp;
	int error = tcp_conn_error(tcp->conn);
	enum tcp_state state = tcp_conn_state(tcp->conn);

	if (!error && (state == TCP_SYN_SENT || state == TCP_SYN_RECEIVED))
		return;
	if (error || state == TCP_CLOSED) {
		tcp->error = error ? error : ECONNRESET;
		tcp_close(shard->net, tcp->conn);
		tcp->conn = NULL;
		tcp->state = TCPQ_NEW;
	} else {
		tcp->state = TCPQ_CONNECTED;
	}
	token_done(&shard->tokens, queue->opening, tcp->conn ? 0 : -tcp->error);
	queue->opening = NULL;
}

/* --- data --- */
static bool pop_now(struct shard *shard, struct queue *queue, struct op *op)
{
	struct rte_mbuf *m = NULL;
	int rc = tcp_pop(shard->net, queue->tcp.conn, &m);

	if (rc == -EAGAIN)
		return false;
	if (rc > 0) {
		mem_handle_give(&shard->mem, m);
		op->result.pop.handle = m;
		op->result.pop.data = rte_pktmbuf_mtod(m, void *);
		op->result.pop.len = m->data_len;
	}
	token_done(&shard->tokens, op, rc < 0 ? rc : 0);
	return true;
}

static int pop(struct shard *shard, struct queue *queue, struct op *op)
{
	if (queue->tcp.state != TCPQ_CONNECTED)
		return -ENOTCONN;
	if (!TAILQ_EMPTY(&queue->takes) || !pop_now(shard, queue, op))
		token_wait_on(op, &queue->takes);
	return 0;
}

static int hand_to_stack(struct shard *shard, struct queue *queue, struct op *op)
{
	return tcp_push(shard->net, queue->tcp.conn, op->m, op->data, op->len, op->result.token);
}

static int push(struct shard *shard, struct queue *queue, struct op *op)
{
	int rc;

	if (queue->tcp.state != TCPQ_CONNECTED)
		return -ENOTCONN;
	if (queue->tcp.fin_waiting)
		return -EPIPE;
	if (TAILQ_EMPTY(&queue->waiting)) {
		rc = hand_to_stack(shard, queue, op);
		if (!rc)
			token_wait_on(op, &queue->sent);
		if (rc != -EAGAIN)
			return rc;
	}
	if (!push_hold(op))
		return -EAGAIN;
	token_wait_on(op, &queue->waiting);
	return 0;
}

/* Pushes that waited go to the stack, in order, as far as it has room. While the program has a
 * handle too, ours is let go first: a buffer of which nobody else sends can carry its headers. */
static void push_waiting(struct shard *shard, struct queue *queue)
{
	struct op *op;

	while ((op = TAILQ_FIRST(&queue->waiting))) {
		int rc;

		if (pbuf_of(op->m)->handle_count)
			push_release(op);
		rc = hand_to_stack(shard, queue, op);
		if (rc == -EAGAIN) {
			CHECK(push_hold(op)); /* it did before */
			return;
		}
		push_release(op);
		if (rc)
			token_done(&shard->tokens, op, rc);
		else
			token_wait_on(op, &queue->sent);
	}
	if (queue->tcp.fin_waiting)
		tcp_shutdown(shard->net, queue->tcp.conn, TCP_SHUT_WR);
	queue->tcp.fin_waiting = false;
}

static int shut(struct shard *shard, struct queue *queue, unsigned how)
{
	if (queue->tcp.state != TCPQ_CONNECTED)
		return -ENOTCONN;
	if ((how & TCP_SHUT_WR) && !TAILQ_EMPTY(&queue->waiting)) {
		queue->tcp.fin_waiting = true;
		how &= ~(unsigned)TCP_SHUT_WR;
	}
	if (how & TCP_SHUT_RD) /* pops that wait now see the end */
		queue_retry(&shard->queues, queue);
	return how ? tcp_shutdown(shard->net, queue->tcp.conn, how) : 0;
}

/* --- the end --- */
static void finish(struct shard *shard, struct queue *queue, int error)
{
	struct queue_tcp *tcp = &queue->tcp;

	if (tcp->listener)
		tcp_unlisten(shard->net, tcp->listener);
	if (tcp->conn)
		tcp_close(shard->net, tcp->conn);
	unbind(shard, queue);
	queue_fail(shard, &queue->takes, -ECANCELED);
	queue_fail(shard, &queue->waiting, error ? error : -ECANCELED);
	queue_fail(shard, &queue->sent, error ? error : -ECANCELED);
	if (queue->opening)
		token_done(&shard->tokens, queue->opening, -ECANCELED);
	if (queue->closing)
		token_done(&shard->tokens, queue->closing, error);
	queue->opening = queue->closing = NULL;
	queue_put(&shard->queues, queue);
}

/* A closed queue: first everything goes to the stack, then, if somebody wants to know, all of it
 * has to be acknowledged. */
static void finish_behind_the_scenes(struct shard *shard, struct queue *queue)
{
	struct tcp_conn *conn = queue->tcp.conn;

	push_waiting(shard, queue);
	if (tcp_conn_error(conn)) {
		finish(shard, queue, -tcp_conn_error(conn));
		return;
	}
	if (!TAILQ_EMPTY(&queue->waiting))
		return;
	if (queue->closing && !tcp_conn_finished(conn)) {
		tcp_shutdown(shard->net, conn, TCP_SHUT_WR); /* again and again is once */
		return;
	}
	if (queue->closing && !TAILQ_EMPTY(&queue->sent))
		queue_retry(&shard->queues,
			    queue); /* acknowledged: they come out of net_done_take() */
	else
		finish(shard, queue, 0);
}

static void ready(struct shard *shard, struct queue *queue)
{
	struct op *op;

	if (queue->tcp.state == TCPQ_LISTENING) {
		give_connections(shard, queue);
		return;
	}
	if (queue->closed) {
		finish_behind_the_scenes(shard, queue);
		return;
	}
	if (queue->tcp.state == TCPQ_CONNECTING)
		finish_opening(shard, queue);
	if (queue->tcp.state != TCPQ_CONNECTED)
		return;
	while ((op = TAILQ_FIRST(&queue->takes)) && pop_now(shard, queue, op))
		;
	push_waiting(shard, queue);
}

static void reset(struct shard *shard, struct tcp_conn *conn)
{
	struct linger hard = {.l_onoff = 1};

	tcp_option_set(shard->net, conn, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

/* Bytes whose token ends here are still delivered; if that cannot be, the peer learns of it. */
static void detach_waiting(struct shard *shard, struct queue *queue)
{
	struct op *op, *next;
	bool lost = false;

	for (op = TAILQ_FIRST(&queue->waiting); op; op = next) {
		next = TAILQ_NEXT(op, link);
		lost |= !push_detach(shard, op);
	}
	if (!lost)
		return;
	queue_fail(shard, &queue->waiting, -ECANCELED);
	reset(shard, queue->tcp.conn);
}

static void close_queue(struct shard *shard, struct queue *queue, struct op *op)
{
	queue_fail(shard, &queue->takes, -ECANCELED);
	queue->closing = op;
	if (queue->tcp.state != TCPQ_CONNECTED) {
		finish(shard, queue, 0);
		return;
	}
	if (!op) {
		queue_fail(shard, &queue->sent, -ECANCELED);
		detach_waiting(shard, queue);
	}
	finish_behind_the_scenes(shard, queue);
}

static void abandon(struct shard *shard, struct queue *queue)
{
	finish(shard, queue, -ECANCELED);
}

/* --- options --- */
static uint64_t linger_ns(struct shard *shard, struct queue *queue)
{
	struct linger linger = {0};
	uint32_t len = sizeof(linger);

	if (queue->tcp.state != TCPQ_CONNECTED ||
	    tcp_option_get(shard->net, queue->tcp.conn, SOL_SOCKET, SO_LINGER, &linger, &len) ||
	    !linger.l_onoff || linger.l_linger < 0)
		return 0;
	return (uint64_t)linger.l_linger * NS_PER_SECOND;
}

static int option_set(struct shard *shard, struct queue *queue, int level, int name,
		      const void *value, uint32_t len)
{
	struct queue_tcp *tcp = &queue->tcp;
	int rc;

	if (tcp->conn)
		return tcp_option_set(shard->net, tcp->conn, level, name, value, len);
	rc = tcp_options_set(&tcp->options, level, name, value, len);
	if (!rc && tcp->listener)
		tcp_listener_options(tcp->listener, &tcp->options);
	return rc;
}

/* SO_ERROR of a socket whose connection attempt failed; reading clears it. */
static int take_error(struct queue_tcp *tcp, void *value, uint32_t *len)
{
	if (*len < sizeof(tcp->error))
		return -EINVAL;
	memcpy(value, &tcp->error, sizeof(tcp->error));
	*len = sizeof(tcp->error);
	tcp->error = 0;
	return 0;
}

static int option_get(struct shard *shard, struct queue *queue, int level, int name, void *value,
		      uint32_t *len)
{
	struct queue_tcp *tcp = &queue->tcp;

	if (tcp->conn)
		return tcp_option_get(shard->net, tcp->conn, level, name, value, len);
	if (level == SOL_SOCKET && name == SO_ERROR)
		return take_error(tcp, value, len);
	return tcp_options_get(&tcp->options, level, name, value, len);
}

const struct queue_ops queue_ops_tcp = {
	.name = "tcp",
	.bind = bind_to,
	.listen = listen_on,
	.accept = accept_on,
	.connect = connect_to,
	.push = push,
	.pop = pop,
	.shutdown = shut,
	.close = close_queue,
	.linger_ns = linger_ns,
	.option_set = option_set,
	.option_get = option_get,
	.local = local_of,
	.remote = remote_of,
	.ready = ready,
	.abandon = abandon,
};
