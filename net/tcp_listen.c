#include "net/tcp_listen.h"

#include "mem/slab.h"

#include <errno.h>

static struct tcp_listener_list *bucket_of(struct tcp_stack *stack, rte_be16_t port)
{
	return &stack->listening[rte_be_to_cpu_16(port) & (TCP_LISTENER_BUCKETS - 1)];
}

struct tcp_listener *tcp_listen_find_or_null(const struct net *net, const struct net_pkt *pkt)
{
	const struct net_endpoint local = {pkt->flow.local, pkt->flow.local_port};
	const uint16_t bucket = rte_be_to_cpu_16(local.port) & (TCP_LISTENER_BUCKETS - 1);
	struct tcp_listener *listener, *any = NULL;

	LIST_FOREACH (listener, &net->tcp.listening[bucket], link) {
		if (listener->local.port != local.port)
			continue;
		if (ip_addr_eq(listener->local.addr, local.addr))
			return listener;
		if (ip_addr_is_any(listener->local.addr))
			any = listener;
	}
	return any;
}

/* --- the queues --- */

void tcp_listen_enter(struct net *net, struct tcp_listener *listener, struct tcp_conn *conn)
{
	conn->listener = listener;
	conn->from_listen = true;
	conn->state = TCP_SYN_RECEIVED;
	TAILQ_INSERT_TAIL(&listener->syns, conn, listener_link);
	listener->syn_count++;
	net->tcp.syn_received++;
}

bool tcp_listen_established(struct net *net, struct tcp_conn *conn)
{
	struct tcp_listener *listener = conn->listener;

	if (listener->accept_count >= listener->backlog)
		return false;
	TAILQ_REMOVE(&listener->syns, conn, listener_link);
	listener->syn_count--;
	net->tcp.syn_received--;
	TAILQ_INSERT_TAIL(&listener->accepts, conn, listener_link);
	listener->accept_count++;
	net_sock_ready(net, &listener->sock);
	return true;
}

void tcp_listen_forget(struct net *net, struct tcp_conn *conn)
{
	struct tcp_listener *listener = conn->listener;

	if (!listener)
		return;
	conn->listener = NULL;
	if (conn->state == TCP_SYN_RECEIVED) {
		TAILQ_REMOVE(&listener->syns, conn, listener_link);
		listener->syn_count--;
		net->tcp.syn_received--;
	} else {
		TAILQ_REMOVE(&listener->accepts, conn, listener_link);
		listener->accept_count--;
	}
}

struct tcp_conn *tcp_accept_or_null(struct net *net, struct tcp_listener *listener, void *user)
{
	struct tcp_conn *conn = TAILQ_FIRST(&listener->accepts);

	if (!conn)
		return NULL;
	tcp_listen_forget(net, conn);
	conn->sock.user = user;
	/* Data or FIN may have come before there was anyone to tell. */
	if (conn->rxq.len > 0 || conn->fin_received)
		net_sock_ready(net, &conn->sock);
	return conn;
}

/* --- the calls --- */

/* Opens local on this shard, or any free port of the configured range if it has none. */
static int take_port(struct net *net, struct net_endpoint *local)
{
	const struct tcp_config *config = &net->tcp.config;
	uint32_t count = (uint32_t)config->port_high - config->port_low + 1;
	uint32_t start = (uint32_t)(net_random(net) % count);
	int err = -EADDRINUSE;

	if (local->port != 0)
		return net_listen_add_mt(net->tables, IPPROTO_TCP, *local, net->shard, false);
	for (uint32_t i = 0; i < count && err == -EADDRINUSE; i++) {
		local->port = rte_cpu_to_be_16(config->port_low + (start + i) % count);
		err = net_listen_add_mt(net->tables, IPPROTO_TCP, *local, net->shard, true);
	}
	return err;
}

int tcp_listen(struct net *net, const struct net_endpoint *local, uint32_t backlog, void *user,
	       struct tcp_listener **out)
{
	struct tcp_listener *listener;
	int err;

	if (!ip_addr_is_any(local->addr) && net_iface_of(net->tables, local->addr) < 0)
		return -EADDRNOTAVAIL;
	listener = slab_alloc_or_null(net->tcp.listeners);
	if (!listener)
		return -ENOBUFS;
	*listener = (struct tcp_listener){.local = *local};
	err = take_port(net, &listener->local);
	if (err) {
		slab_free(net->tcp.listeners, listener);
		return err == -ENOSPC ? -ENOBUFS : err;
	}
	listener->sock.kind = NET_SOCK_TCP_LISTENER;
	listener->sock.user = user;
	listener->backlog = backlog;
	TAILQ_INIT(&listener->syns);
	TAILQ_INIT(&listener->accepts);
	tcp_options_default(net, &listener->options);
	LIST_INSERT_HEAD(bucket_of(&net->tcp, listener->local.port), listener, link);
	*out = listener;
	return 0;
}

static void close_queue(struct net *net, struct tcp_conn_list *queue)
{
	while (!TAILQ_EMPTY(queue))
		tcp_conn_abort(net, TAILQ_FIRST(queue), ECONNABORTED);
}

void tcp_unlisten(struct net *net, struct tcp_listener *listener)
{
	close_queue(net, &listener->syns);
	close_queue(net, &listener->accepts);
	net_listen_remove_mt(net->tables, IPPROTO_TCP, listener->local, net->shard);
	net_sock_unready(net, &listener->sock);
	LIST_REMOVE(listener, link);
	slab_free(net->tcp.listeners, listener);
}

struct net_endpoint tcp_listener_local(const struct tcp_listener *listener)
{
	return listener->local;
}

struct net_sock *tcp_listener_sock(struct tcp_listener *listener)
{
	return &listener->sock;
}

void tcp_listener_options(struct tcp_listener *listener, const struct tcp_options *options)
{
	listener->options = *options;
}
