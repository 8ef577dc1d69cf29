#include "tests/shard/fake_net.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { DONE_MAX = 256, LISTENER_MAX = 8, BACKLOG_MAX = 64 };

struct tcp_listener {
	struct net_sock sock;
	struct net_endpoint local;
	struct tcp_conn *backlog[BACKLOG_MAX];
	unsigned count;
};

struct udp_sock {
	struct net_sock sock;
	struct net_endpoint local;
	struct rte_mbuf *received[FAKE_PUSH_MAX];
	unsigned count;
};

struct net {
	struct net_env env;
	struct mem *mem;
	TAILQ_HEAD(, net_sock) ready;
	struct {
		uint64_t cookie;
		int error;
	} done[DONE_MAX];
	unsigned done_count, output, inputs[2], datagrams, polled_after;
	bool blocked;
	int hand_over;
	uint64_t due_ns;
	struct tcp_listener *listeners[LISTENER_MAX];
	struct udp_sock *udp;
};

static struct tcp_conn *last;
static unsigned conn_count, listener_count;

static void make_ready(struct net *net, struct net_sock *sock)
{
	if (sock->ready || !sock->user)
		return;
	sock->ready = true;
	TAILQ_INSERT_TAIL(&net->ready, sock, ready_link);
}

static void forget(struct net *net, struct net_sock *sock)
{
	if (sock->ready)
		TAILQ_REMOVE(&net->ready, sock, ready_link);
}

static struct rte_mbuf *packet(struct net *net, const char *text)
{
	struct rte_mbuf *m = mem_data_or_null(net->mem);

	memcpy(rte_pktmbuf_append(m, (uint16_t)strlen(text)), text, strlen(text));
	return m;
}

/* --- what the test says --- */
struct tcp_conn *fake_last(void)
{
	return last;
}

unsigned fake_conns(void)
{
	return conn_count;
}

unsigned fake_listeners(void)
{
	return listener_count;
}

static struct tcp_conn *make_conn(enum tcp_state state)
{
	last = calloc(1, sizeof(*last));
	last->sock.kind = NET_SOCK_TCP_CONN;
	last->state = state;
	last->room = FAKE_PUSH_MAX;
	conn_count++;
	return last;
}

struct tcp_conn *fake_arrive(struct net *net, uint16_t port)
{
	struct tcp_conn *conn = make_conn(TCP_ESTABLISHED);

	for (unsigned i = 0; i < LISTENER_MAX; i++) {
		struct tcp_listener *l = net->listeners[i];

		if (!l || l->local.port != rte_cpu_to_be_16(port))
			continue;
		conn->local = l->local;
		conn->remote.port = rte_cpu_to_be_16((uint16_t)(40000 + conn_count));
		l->backlog[l->count++] = conn;
		make_ready(net, &l->sock);
	}
	return conn;
}

void fake_receive(struct net *net, struct tcp_conn *conn, const char *text)
{
	conn->received[conn->received_count++] = packet(net, text);
	make_ready(net, &conn->sock);
}

void fake_fin(struct net *net, struct tcp_conn *conn)
{
	conn->fin_received = true;
	conn->state = TCP_CLOSE_WAIT;
	make_ready(net, &conn->sock);
}

static void end_push(struct net *net, struct tcp_conn *conn, int error)
{
	struct fake_push *push = &conn->pushes[0];

	if (!conn->closed) {
		net->done[net->done_count].cookie = push->cookie;
		net->done[net->done_count++].error = error;
	}
	pbuf_release(push->m);
	memmove(push, push + 1, --conn->push_count * sizeof(*push));
}

void fake_fail(struct net *net, struct tcp_conn *conn, int error)
{
	conn->error = error;
	conn->state = TCP_CLOSED;
	while (conn->push_count)
		end_push(net, conn, -error);
	make_ready(net, &conn->sock);
}

void fake_established(struct net *net, struct tcp_conn *conn)
{
	conn->state = TCP_ESTABLISHED;
	make_ready(net, &conn->sock);
}

void fake_room(struct net *net, struct tcp_conn *conn, unsigned n)
{
	conn->room = n;
	if (n)
		make_ready(net, &conn->sock);
}

void fake_acknowledge(struct net *net, struct tcp_conn *conn, unsigned n)
{
	while (n--)
		end_push(net, conn, 0);
}

void fake_finish(struct net *net, struct tcp_conn *conn)
{
	fake_acknowledge(net, conn, conn->push_count);
	conn->finished = true;
	make_ready(net, &conn->sock);
}

void fake_datagram(struct net *net, const char *text)
{
	net->udp->received[net->udp->count++] = packet(net, text);
	make_ready(net, &net->udp->sock);
}

void fake_datagrams_blocked(struct net *net, bool blocked)
{
	net->blocked = blocked;
}

unsigned fake_datagrams_sent(struct net *net)
{
	return net->datagrams;
}

void fake_output(struct net *net, unsigned frames)
{
	net->output += frames;
}

unsigned fake_inputs(struct net *net, enum net_source source)
{
	return __atomic_load_n(&net->inputs[source], __ATOMIC_RELAXED);
}

unsigned fake_polled_after(struct net *net)
{
	return net->polled_after;
}

void fake_hand_over(struct net *net, int shard)
{
	net->hand_over = shard;
}

void fake_due(struct net *net, uint64_t due_ns)
{
	net->due_ns = due_ns;
}

/* --- net.h --- */
int net_create(struct net **out, const struct net_config *config, const struct net_env *env,
	       struct net_tables *tables, struct mem *mem, struct counters *counters,
	       uint64_t now_ns)
{
	struct net *net = calloc(1, sizeof(*net));

	(void)config, (void)tables, (void)counters, (void)now_ns;
	net->env = *env;
	net->mem = mem;
	net->hand_over = -1;
	net->due_ns = UINT64_MAX;
	TAILQ_INIT(&net->ready);
	*out = net;
	return 0;
}

void net_destroy(struct net *net)
{
	free(net);
}

bool net_idle(const struct net *net)
{
	return !net->output;
}

void net_input(struct net *net, struct rte_mbuf **pkts, unsigned n, enum net_source source,
	       uint64_t now_ns)
{
	(void)now_ns;
	__atomic_fetch_add(&net->inputs[source], n, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < n; i++)
		if (source == NET_FROM_WIRE && net->hand_over >= 0)
			net->env.hand_over(net->env.ctx, pkts[i], (uint16_t)net->hand_over);
		else
			rte_pktmbuf_free(pkts[i]);
}

uint64_t net_poll(struct net *net, uint64_t now_ns)
{
	(void)now_ns;
	net->polled_after = net->inputs[NET_FROM_WIRE] + net->inputs[NET_FROM_SHARD];
	return net->due_ns;
}

unsigned net_output(struct net *net, uint16_t iface, struct rte_mbuf **pkts, unsigned n,
		    uint64_t now_ns)
{
	unsigned made = 0;

	(void)now_ns;
	for (; iface == 0 && made < n && net->output; net->output--)
		pkts[made++] = packet(net, "frame");
	return made;
}

struct net_sock *net_ready_take(struct net *net)
{
	struct net_sock *sock = TAILQ_FIRST(&net->ready);

	if (sock) {
		TAILQ_REMOVE(&net->ready, sock, ready_link);
		sock->ready = false;
	}
	return sock;
}

bool net_done_take(struct net *net, uint64_t *cookie, int *error)
{
	if (!net->done_count)
		return false;
	*cookie = net->done[0].cookie;
	*error = net->done[0].error;
	memmove(net->done, net->done + 1, --net->done_count * sizeof(net->done[0]));
	return true;
}

int udp_open(struct net *net, const struct net_endpoint *local, void *user, struct udp_sock **out)
{
	struct udp_sock *us = calloc(1, sizeof(*us));

	us->sock.user = user;
	us->local = *local;
	net->udp = *out = us;
	return 0;
}

void udp_close(struct net *net, struct udp_sock *us)
{
	rte_pktmbuf_free_bulk(us->received, us->count);
	forget(net, &us->sock);
	free(us);
}

struct net_endpoint udp_local(const struct udp_sock *us)
{
	return us->local;
}

int udp_push(struct net *net, struct udp_sock *us, const void *data, uint32_t len,
	     const struct net_endpoint *dest)
{
	(void)us, (void)data, (void)dest;
	if (len > 1472)
		return -EMSGSIZE;
	if (net->blocked)
		return -EAGAIN;
	net->datagrams++;
	return 0;
}

struct rte_mbuf *udp_pop_or_null(struct net *net, struct udp_sock *us, struct net_endpoint *from)
{
	struct rte_mbuf *m = us->received[0];

	(void)net;
	if (!us->count)
		return NULL;
	memmove(us->received, us->received + 1, --us->count * sizeof(us->received[0]));
	from->port = rte_cpu_to_be_16(53);
	return m;
}

/* --- tcp.h --- */
int tcp_listen(struct net *net, const struct net_endpoint *local, uint32_t backlog, void *user,
	       struct tcp_listener **out)
{
	struct tcp_listener *l = calloc(1, sizeof(*l));

	(void)backlog;
	l->sock.user = user;
	l->local = *local;
	for (unsigned i = 0; i < LISTENER_MAX; i++)
		if (!net->listeners[i]) {
			net->listeners[i] = l;
			break;
		}
	listener_count++;
	*out = l;
	return 0;
}

void tcp_unlisten(struct net *net, struct tcp_listener *listener)
{
	for (unsigned i = 0; i < LISTENER_MAX; i++)
		if (net->listeners[i] == listener)
			net->listeners[i] = NULL;
	for (unsigned i = 0; i < listener->count; i++) {
		free(listener->backlog[i]);
		conn_count--;
	}
	forget(net, &listener->sock);
	free(listener);
	listener_count--;
}

struct net_endpoint tcp_listener_local(const struct tcp_listener *listener)
{
	return listener->local;
}

struct tcp_conn *tcp_accept_or_null(struct net *net, struct tcp_listener *l, void *user)
{
	struct tcp_conn *conn = l->backlog[0];

	if (!l->count)
		return NULL;
	memmove(l->backlog, l->backlog + 1, --l->count * sizeof(l->backlog[0]));
	conn->sock.user = user;
	if (conn->received_count || conn->fin_received || conn->error)
		make_ready(net, &conn->sock);
	return conn;
}

int tcp_connect(struct net *net, const struct net_endpoint *local,
		const struct net_endpoint *remote, void *user, struct tcp_conn **out)
{
	(void)net;
	if (!remote->port)
		return -EINVAL;
	*out = make_conn(TCP_SYN_SENT);
	(*out)->sock.user = user;
	(*out)->remote = *remote;
	if (local)
		(*out)->local = *local;
	return 0;
}

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
	return conn->local;
}

struct net_endpoint tcp_conn_remote(const struct tcp_conn *conn)
{
	return conn->remote;
}

int tcp_push(struct net *net, struct tcp_conn *conn, struct rte_mbuf *m, const void *data,
	     uint32_t len, uint64_t cookie)
{
	(void)net;
	if (conn->error)
		return -conn->error;
	if (conn->fin_sent)
		return -EPIPE;
	if (!conn->room || conn->push_count == FAKE_PUSH_MAX)
		return -EAGAIN;
	conn->room--;
	pbuf_hold(m);
	memcpy(conn->said + conn->said_len, data, len);
	conn->said_len += len;
	conn->pushes[conn->push_count++] = (struct fake_push){m, data, len, cookie};
	return 0;
}

int tcp_pop(struct net *net, struct tcp_conn *conn, struct rte_mbuf **out)
{
	(void)net;
	if (conn->received_count) {
		*out = conn->received[0];
		memmove(conn->received, conn->received + 1,
			--conn->received_count * sizeof(conn->received[0]));
		return 1;
	}
	if (conn->error)
		return -conn->error;
	return conn->fin_received ? 0 : -EAGAIN;
}

int tcp_shutdown(struct net *net, struct tcp_conn *conn, unsigned how)
{
	(void)net;
	conn->fin_sent |= !!(how & TCP_SHUT_WR);
	conn->fin_received |= !!(how & TCP_SHUT_RD);
	return 0;
}

void tcp_close(struct net *net, struct tcp_conn *conn)
{
	conn->closed = true;
	while (conn->push_count)
		end_push(net, conn, 0);
	rte_pktmbuf_free_bulk(conn->received, conn->received_count);
	forget(net, &conn->sock);
	if (last == conn)
		last = NULL;
	free(conn);
	conn_count--;
}

bool tcp_conn_finished(const struct tcp_conn *conn)
{
	return conn->finished || conn->error;
}

int tcp_options_set(struct tcp_options *options, int level, int name, const void *value,
		    uint32_t len)
{
	if (level == SOL_SOCKET && name == SO_LINGER && len == sizeof(struct linger)) {
		options->linger = ((const struct linger *)value)->l_onoff;
		options->linger_s = (uint32_t)((const struct linger *)value)->l_linger;
		return 0;
	}
	return -ENOPROTOOPT;
}

int tcp_options_get(const struct tcp_options *options, int level, int name, void *value,
		    uint32_t *len)
{
	struct linger linger = {.l_onoff = options->linger, .l_linger = (int)options->linger_s};

	if (level != SOL_SOCKET || name != SO_LINGER)
		return -ENOPROTOOPT;
	memcpy(value, &linger, sizeof(linger));
	*len = sizeof(linger);
	return 0;
}

int tcp_option_set(struct net *net, struct tcp_conn *conn, int level, int name, const void *value,
		   uint32_t len)
{
	(void)net;
	return tcp_options_set(&conn->options, level, name, value, len);
}

int tcp_option_get(struct net *net, struct tcp_conn *conn, int level, int name, void *value,
		   uint32_t *len)
{
	(void)net;
	return tcp_options_get(&conn->options, level, name, value, len);
}

void tcp_options_default(const struct net *net, struct tcp_options *options)
{
	(void)net;
	*options = (struct tcp_options){0};
}

void tcp_conn_options(struct net *net, struct tcp_conn *conn, const struct tcp_options *options)
{
	(void)net;
	conn->options = *options;
}

void tcp_listener_options(struct tcp_listener *listener, const struct tcp_options *options)
{
	(void)listener, (void)options;
}

void tcp_use_mt(const struct net *net, struct tcp_use *use)
{
	(void)net;
	*use = (struct tcp_use){.conns = conn_count, .listeners = listener_count};
}
