/* The calls of RFC 9293 3.9.1 as net/tcp.h has them. */
#include "net/tcp.h"

#include "mem/slab.h"
#include "net/tcp_conn.h"
#include "net/tcp_timer.h"
#include "net/tcp_turn.h"
#include "net/tcp_window.h"

#include <errno.h>

/* --- open --- */

/* Tries local ports whose replies come home until one is free. */
static int create_on_chosen_port(struct net *net, struct net_flow *flow,
				 const struct tcp_options *options, struct tcp_conn **out)
{
	const struct tcp_config *config = &net->tcp.config;
	int err = -EADDRINUSE;

	for (uint32_t attempt = 0; err == -EADDRINUSE; attempt++) {
		uint16_t port = net->env.port_choose(net->env.ctx, flow, config->port_low,
						     config->port_high, attempt);

		if (port == 0)
			return -EADDRNOTAVAIL;
		flow->local_port = rte_cpu_to_be_16(port);
		err = tcp_conn_create(net, flow, options, out);
	}
	return err;
}

int tcp_connect(struct net *net, const struct net_endpoint *local,
		const struct net_endpoint *remote, void *user, struct tcp_conn **out)
{
	struct net_flow flow = {.remote = remote->addr, .remote_port = remote->port};
	struct tcp_options options;
	struct tcp_conn *conn;
	struct net_dst dst;
	int err;

	if (remote->port == 0)
		return -EINVAL;
	err = net_dst_init(net, &dst, remote->addr);
	if (err)
		return err;
	if (net->mem->level >= MEM_LOW)
		return -ENOBUFS;
	flow.local = local && !ip_addr_is_any(local->addr) ? local->addr : dst.source;
	if (net_iface_of(net->tables, flow.local) < 0)
		return -EADDRNOTAVAIL;
	tcp_options_default(net, &options);
	if (local && local->port != 0) {
		flow.local_port = local->port;
		err = tcp_conn_create(net, &flow, &options, &conn);
	} else {
		err = create_on_chosen_port(net, &flow, &options, &conn);
	}
	if (err)
		return err;
	conn->sock.user = user;
	conn->state = TCP_SYN_SENT;
	conn->syn_due = true;
	tcp_turn_want(net, conn);
	*out = conn;
	return 0;
}

/* --- status --- */

enum tcp_state tcp_conn_state(const struct tcp_conn *conn)
{
	return conn->state;
}

int tcp_conn_error(const struct tcp_conn *conn)
{
	return conn->error;
}

struct net_endpoint tcp_conn_local(const struct tcp_conn *conn)
{
	return (struct net_endpoint){conn->flow.local, conn->flow.local_port};
}

struct net_endpoint tcp_conn_remote(const struct tcp_conn *conn)
{
	return (struct net_endpoint){conn->flow.remote, conn->flow.remote_port};
}

struct net_sock *tcp_conn_sock(struct tcp_conn *conn)
{
	return &conn->sock;
}

bool tcp_conn_finished(const struct tcp_conn *conn)
{
	return !conn->in_table || tcp_conn_fin_acked(conn);
}

/* --- send --- */

/* Its own ACKs tell a connection of room in its queue; that the shard has pushes again, or that a
 * buffer is in fewer queues, nothing would. */
static void wait_for_room(struct net *net, struct tcp_conn *conn)
{
	const struct slab *pushes = net->tcp.pushes.pushes;

	conn->want_room = true;
	if (conn->push_waiting || (conn->txq.count > 0 && slab_used(pushes) < slab_count(pushes)))
		return;
	conn->push_waiting = true;
	TAILQ_INSERT_TAIL(&net->tcp.push_waiting, conn, push_link);
}

/* When little is left, those whose peers do not read may not take it all: one push each. */
static bool must_share(const struct net *net)
{
	const struct slab *pushes = net->tcp.pushes.pushes;
	uint32_t count = slab_count(pushes);

	return net->mem->level >= MEM_LOW || slab_used(pushes) >= count - count / 4;
}

int tcp_push(struct net *net, struct tcp_conn *conn, struct rte_mbuf *m, const void *data,
	     uint32_t len, uint64_t cookie)
{
	int err;

	if (conn->error)
		return -conn->error;
	if (conn->fin_queued)
		return -EPIPE;
	if (!tcp_conn_synchronized(conn))
		return -ENOTCONN;
	if (conn->txq.count > 0 && must_share(net))
		err = -EAGAIN; /* its ACKs wake it */
	else
		err = tcp_txq_push(&conn->txq, &net->tcp.pushes, m, data, len, cookie);
	if (err == -EAGAIN)
		wait_for_room(net, conn);
	if (err)
		return err;
	tcp_turn_want(net, conn);
	tcp_conn_check(conn);
	return 0;
}

/* --- receive --- */

/* Reading made room, or the program has read everything and waits for more: the peer may want to
 * know. */
static void acknowledge_read(struct net *net, struct tcp_conn *conn, bool waits)
{
	if (!conn->in_table || !tcp_conn_synchronized(conn))
		return;
	if (!(waits && conn->ack_pending && !conn->interactive) && !tcp_window_grew(net, conn))
		return;
	conn->ack_due = true;
	tcp_turn_want(net, conn);
}

int tcp_pop(struct net *net, struct tcp_conn *conn, struct rte_mbuf **out)
{
	struct rte_mbuf *m = tcp_rxq_pop_or_null(&conn->rxq);

	if (m) {
		acknowledge_read(net, conn, false);
		*out = m;
		return 1;
	}
	if (conn->error)
		return -conn->error;
	if (conn->fin_received || conn->shut_rd)
		return 0;
	if (conn->state < TCP_ESTABLISHED)
		return conn->in_table ? -EAGAIN : -ENOTCONN;
	acknowledge_read(net, conn, true);
	return -EAGAIN;
}

/* --- close --- */

static void queue_fin(struct net *net, struct tcp_conn *conn)
{
	conn->fin_queued = true;
	conn->state = conn->state == TCP_CLOSE_WAIT ? TCP_LAST_ACK : TCP_FIN_WAIT_1;
	tcp_turn_want(net, conn);
}

int tcp_shutdown(struct net *net, struct tcp_conn *conn, unsigned how)
{
	struct rte_mbuf *m;

	if (!conn->in_table || !tcp_conn_synchronized(conn))
		return -ENOTCONN;
	if (how & TCP_SHUT_RD) {
		conn->shut_rd = true;
		while ((m = tcp_rxq_pop_or_null(&conn->rxq)))
			rte_pktmbuf_free(m);
		acknowledge_read(net, conn, false);
	}
	if ((how & TCP_SHUT_WR) && !conn->fin_queued)
		queue_fin(net, conn);
	tcp_conn_check(conn);
	return 0;
}

static void close_in_order(struct net *net, struct tcp_conn *conn)
{
	tcp_rxq_prune(&conn->rxq, &net->tcp.reassembly);
	if (!conn->fin_queued)
		queue_fin(net, conn);
	else if (conn->state == TCP_FIN_WAIT_2)
		tcp_timer_start(net, conn, TCP_TIMER_FIN_WAIT_2, net->tcp.config.fin_wait2_ns);
	tcp_conn_check(conn);
}

void tcp_close(struct net *net, struct tcp_conn *conn)
{
	bool linger_0 = conn->options.linger && conn->options.linger_s == 0;

	net_sock_unready(net, &conn->sock);
	conn->sock.user = NULL;
	conn->closed = true;
	tcp_txq_orphan(&conn->txq, &net->tcp.pushes);
	if (!conn->in_table)
		tcp_conn_destroy(net, conn);
	else if (!tcp_conn_synchronized(conn) || linger_0 || conn->rxq.len > 0)
		tcp_conn_abort(net, conn, ECONNABORTED); /* SHLD-3, RFC 2525 2.17 */
	else
		close_in_order(net, conn);
}
