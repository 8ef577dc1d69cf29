#include "net/tcp_listen.h"

#include "mem/slab.h"
#include "net/tcp_ecn.h"
#include "net/tcp_reply.h"
#include "net/tcp_turn.h"

#include <errno.h>

static struct tcp_listener_list *bucket_of(struct tcp_stack *stack, rte_be16_t port)
{
	return &stack->listening[rte_be_to_cpu_16(port) & (TCP_LISTENER_BUCKETS - 1)];
}

/* The listener with the exact address goes before one with any. */
static struct tcp_listener *find_or_null(const struct net *net, struct net_endpoint local)
{
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

bool tcp_listen_wants(const struct net *net, const struct net_pkt *pkt)
{
	const struct net_endpoint local = {pkt->flow.local, pkt->flow.local_port};

	return find_or_null(net, local) != NULL;
}

static enum drop_reason may_take(const struct net *net, const struct tcp_listener *listener)
{
	if (net->mem->level >= MEM_LOW)
		return DROP_mem_low_syn;
	return listener->accept_count >= listener->backlog ? DROP_tcp_backlog_full : DROP_COUNT;
}

enum drop_reason tcp_listen_room(const struct net *net, const struct net_pkt *pkt)
{
	const struct net_endpoint local = {pkt->flow.local, pkt->flow.local_port};
	const struct tcp_listener *listener = find_or_null(net, local);
	enum drop_reason reason = listener ? may_take(net, listener) : DROP_tcp_no_port;
	bool full = slab_used(net->tcp.conns) == slab_count(net->tcp.conns);

	if (reason == DROP_COUNT && full && TAILQ_EMPTY(&listener->syns))
		return DROP_tcp_conn_max;
	return reason;
}

/* --- SYN --- */

static bool has_syn_room(const struct net *net, const struct tcp_listener *listener)
{
	const struct tcp_config *config = &net->tcp.config;
	uint32_t max = config->syn_queue_max ? config->syn_queue_max : listener->backlog;

	return listener->syn_count < max && net->tcp.syn_received < config->syn_max;
}

/* The oldest half-open connection that has had its time to answer gives way. */
static bool evict(struct net *net, struct tcp_listener *listener)
{
	struct tcp_conn *oldest = TAILQ_FIRST(&listener->syns);

	if (!oldest || oldest->syn_count < 2)
		return false;
	counter_add(&net->counters->tcp_syns_evicted, 1);
	tcp_conn_die(net, oldest, ETIMEDOUT);
	return true;
}

static void refuse(struct net *net, struct rte_mbuf *m, int error)
{
	if (error == -ENOBUFS && net->tcp.config.refuse_with_rst)
		tcp_reply_rst(net, m);
	net_drop(net, m, error == -ENOBUFS ? DROP_tcp_conn_max : DROP_ip_no_route);
}

static void enter_syn_queue(struct net *net, struct tcp_listener *listener, struct tcp_conn *conn,
			    uint32_t iss)
{
	conn->iss = iss;
	conn->snd_una = conn->snd_nxt = conn->rtx_nxt = conn->rtx_end = iss;
	conn->ecn_recover = iss;
	conn->listener = listener;
	conn->from_listen = true;
	conn->state = TCP_SYN_RECEIVED;
	TAILQ_INSERT_TAIL(&listener->syns, conn, listener_link);
	listener->syn_count++;
	net->tcp.syn_received++;
}

static void begin(struct net *net, struct tcp_listener *listener, struct tcp_conn *conn,
		  const struct net_pkt *pkt, const struct tcp_opts *opts, const uint32_t *after)
{
	uint32_t iss = conn->iss;

	if (after && seq_leq(iss, *after))
		iss = *after + TCP_WND_MAX + 1;
	enter_syn_queue(net, listener, conn, iss);
	tcp_conn_syn_received(net, conn, pkt->seq, opts);
	tcp_ecn_syn_received(net, conn, pkt->tcp_flags);
	conn->syn_due = true;
	tcp_turn_want(net, conn);
}

/* --- SYN cookies --- */

/* The SYN-ACK that begin() would have sent, but for its numbers. */
static void send_cookie(struct net *net, struct tcp_listener *listener, struct rte_mbuf *m,
			const struct tcp_opts *opts)
{
	const struct tcp_config *config = &net->tcp.config;
	const struct net_pkt *pkt = net_pkt_of(m);
	uint32_t ts_now =
		(uint32_t)(net->now_ns / 1000000) + tcp_isn_ts_offset(&net->tcp.isn, &pkt->flow);
	uint32_t rcvbuf_len = listener->options.rcvbuf_len;
	struct tcp_opts answer = {.present = TCP_OPT_MSS, .ts_ecr = opts->ts_val};
	struct tcp_reply reply = {.ack = pkt->seq + 1,
				  .flags = RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG,
				  .wnd = (uint16_t)RTE_MIN(rcvbuf_len, (uint32_t)TCP_WND_MAX),
				  .syn = &answer,
				  .ttl = listener->options.ttl,
				  .tos = listener->options.tos};
	struct net_dst dst;

	net_dst_reply(net, &dst, m);
	net_dst_limit(net, &dst, pkt->flow.remote);
	answer.mss = net_dst_mss(&dst);
	if (config->timestamps && (opts->present & TCP_OPT_TIMESTAMPS)) {
		struct tcp_opts kept = *opts;
		bool ecn = tcp_ecn_agrees(net, pkt->tcp_flags);

		if (!config->window_scale)
			kept.present &= ~TCP_OPT_WSCALE;
		if (!config->sack)
			kept.present &= ~TCP_OPT_SACK_PERMITTED;
		answer.present |= TCP_OPT_TIMESTAMPS |
				  (kept.present & (TCP_OPT_WSCALE | TCP_OPT_SACK_PERMITTED));
		answer.wscale = tcp_conn_window_scale(rcvbuf_len);
		answer.ts_val = tcp_cookie_ts_make(ts_now, &kept, ecn);
		reply.flags |= ecn ? RTE_TCP_ECE_FLAG : 0;
	}
	tcp_cookie_rotate(&net->tcp.cookie, net->now_ns, net->env.random, net->env.ctx);
	reply.seq = tcp_cookie_make(&net->tcp.cookie, &pkt->flow, pkt->seq,
				    opts->present & TCP_OPT_MSS ? opts->mss : TCP_MSS_DEFAULT);
	listener->cookie_ns = net->now_ns;
	counter_add(&net->counters->tcp_cookies_sent, 1);
	tcp_reply_send(net, &dst, &pkt->flow, &reply);
}

/* Half-open connections give way to one that has proven itself, or is known. */
static int create_proven(struct net *net, struct tcp_listener *listener,
			 const struct net_flow *flow, struct tcp_conn **conn)
{
	int err = tcp_conn_create(net, flow, &listener->options, conn);

	if (err != -ENOBUFS || TAILQ_EMPTY(&listener->syns))
		return err;
	counter_add(&net->counters->tcp_syns_evicted, 1);
	tcp_conn_die(net, TAILQ_FIRST(&listener->syns), ETIMEDOUT);
	return tcp_conn_create(net, flow, &listener->options, conn);
}

/* What the ACK carries; of a valid cookie also the options that were agreed on, and ECN. */
static enum tcp_cookie_kind read_cookie(struct net *net, const struct net_pkt *pkt,
					struct tcp_opts *opts, bool *ecn)
{
	struct tcp_cookie *cookie = &net->tcp.cookie;
	enum tcp_cookie_kind kind;

	tcp_cookie_rotate(cookie, net->now_ns, net->env.random, net->env.ctx);
	kind = tcp_cookie_check(cookie, &pkt->flow, pkt->seq - 1, pkt->ack - 1, &opts->mss);
	if (kind != TCP_COOKIE_VALID)
		return kind;
	opts->present = TCP_OPT_MSS | (opts->present & TCP_OPT_TIMESTAMPS);
	*ecn = net->tcp.config.timestamps && (opts->present & TCP_OPT_TIMESTAMPS) &&
	       tcp_cookie_ts_read(opts->ts_ecr, opts) && net->tcp.config.ecn != TCP_ECN_NEVER;
	return kind;
}

static int open_by_cookie(struct net *net, struct tcp_listener *listener, const struct net_pkt *pkt,
			  const struct tcp_opts *opts, struct tcp_conn **out)
{
	int err = create_proven(net, listener, &pkt->flow, out);

	if (err)
		return err;
	enter_syn_queue(net, listener, *out, pkt->ack - 1);
	(*out)->snd_nxt = pkt->ack;
	(*out)->syn_count = 1;
	(*out)->by_cookie = true;
	tcp_conn_syn_received(net, *out, pkt->seq - 1, opts);
	counter_add(&net->counters->tcp_cookies_valid, 1);
	return 0;
}

/*
 * The handshake's last packet and the beginning of the peer's text were lost, and what follows them
 * came: it proves that a SYN of this flow got a cookie, but tells the peer's first sequence number
 * no more, so no connection can be made of it. An RST would end a connection that the peer rightly
 * believes to be open; without an answer the beginning comes again, and its cookie with it. A peer
 * whose connection is gone here meets silence only where it was opened by a cookie and never got a
 * byte, and no longer than that cookie lives; by chance once in 2^14.
 */
static void await_beginning(struct net *net, struct rte_mbuf *m)
{
	net_drop(net, m, DROP_tcp_cookie_ahead);
}

bool tcp_listen_cookie(struct net *net, struct rte_mbuf *m, struct tcp_conn **out)
{
	const uint8_t mask = RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG | RTE_TCP_RST_FLAG;
	const struct net_pkt *pkt = net_pkt_of(m);
	struct tcp_listener *listener;
	struct tcp_opts opts;
	bool ecn;
	int err;

	if ((pkt->tcp_flags & mask) != RTE_TCP_ACK_FLAG)
		return false;
	listener = find_or_null(net, (struct net_endpoint){pkt->flow.local, pkt->flow.local_port});
	if (!listener || listener->cookie_ns == 0 ||
	    net->now_ns - listener->cookie_ns >= TCP_COOKIE_LIFE_NS)
		return false;
	*out = NULL;
	if (listener->accept_count >= listener->backlog) {
		net_drop(net, m, DROP_tcp_backlog_full); /* it comes again, or its data does */
		return true;
	}
	if (!tcp_opt_parse(&opts, (const uint8_t *)(net_pkt_tcp(m) + 1),
			   pkt->payload_off - pkt->l4_off - TCP_HEADER_LEN))
		return false;
	switch (read_cookie(net, pkt, &opts, &ecn)) {
	case TCP_COOKIE_VALID:
		err = open_by_cookie(net, listener, pkt, &opts, out);
		if (err) {
			*out = NULL;
			refuse(net, m, err);
		} else {
			(*out)->ecn = ecn;
		}
		return true;
	case TCP_COOKIE_OTHER:
		await_beginning(net, m);
		return true;
	default:
		counter_add(&net->counters->tcp_cookies_invalid, 1);
		return false;
	}
}

/* Why the connection cannot begin, or DROP_COUNT; then *cookie says that it may only as a cookie.
 * One that begins beyond a TIME-WAIT's numbers never is, as a cookie cannot choose its own; and the
 * SYN queue's limit does not count, as it takes the place of the TIME-WAIT. */
static enum drop_reason may_begin(struct net *net, struct tcp_listener *listener,
				  const uint32_t *after, bool *cookie)
{
	enum tcp_syn_cookies cookies = net->tcp.config.syn_cookies;
	enum drop_reason reason = may_take(net, listener);

	*cookie = cookies == TCP_SYN_COOKIES_ALWAYS && !after;
	if (reason != DROP_COUNT || after)
		return reason;
	if (has_syn_room(net, listener))
		return DROP_COUNT;
	*cookie = cookies != TCP_SYN_COOKIES_NEVER;
	return *cookie || evict(net, listener) ? DROP_COUNT : DROP_tcp_backlog_full;
}

static void answer_syn(struct net *net, struct tcp_listener *listener, struct rte_mbuf *m,
		       const struct tcp_opts *opts, const uint32_t *after)
{
	const struct net_pkt *pkt = net_pkt_of(m);
	bool cookie;
	enum drop_reason reason = may_begin(net, listener, after, &cookie);
	struct tcp_conn *conn;
	int err;

	if (reason != DROP_COUNT) {
		net_drop(net, m, reason);
		return;
	}
	err = cookie  ? 0
	      : after ? create_proven(net, listener, &pkt->flow, &conn)
		      : tcp_conn_create(net, &pkt->flow, &listener->options, &conn);
	/* Half-open connections have taken the place: it is had by proof. */
	if (err == -ENOBUFS && listener->syn_count > 0 && !after &&
	    net->tcp.config.syn_cookies != TCP_SYN_COOKIES_NEVER)
		cookie = true;
	else if (err) {
		refuse(net, m, err);
		return;
	}
	if (cookie)
		send_cookie(net, listener, m, opts);
	else
		begin(net, listener, conn, pkt, opts, after);
	rte_pktmbuf_free(m); /* data on a SYN comes again */
}

void tcp_listen_syn(struct net *net, struct rte_mbuf *m, const uint32_t *after)
{
	const struct net_pkt *pkt = net_pkt_of(m);
	const uint8_t *bytes = (const uint8_t *)(net_pkt_tcp(m) + 1);
	struct tcp_listener *listener =
		find_or_null(net, (struct net_endpoint){pkt->flow.local, pkt->flow.local_port});
	struct tcp_opts opts;

	/* CLOSED; or LISTEN, first: RST, which is never answered; second: ACK. */
	if (!listener || (pkt->tcp_flags & (RTE_TCP_RST_FLAG | RTE_TCP_ACK_FLAG))) {
		tcp_reply_rst(net, m);
		net_drop(net, m, DROP_tcp_no_port);
		return;
	}
	/* Fourth: anything else that is no SYN, which is the third. */
	if (!(pkt->tcp_flags & RTE_TCP_SYN_FLAG)) {
		net_drop(net, m, DROP_tcp_unacceptable);
		return;
	}
	if ((pkt->tcp_flags & RTE_TCP_FIN_FLAG) ||
	    !tcp_opt_parse(&opts, bytes, pkt->payload_off - pkt->l4_off - TCP_HEADER_LEN)) {
		net_drop(net, m, DROP_tcp_bad);
		return;
	}
	answer_syn(net, listener, m, &opts, after);
}

/* --- the queues --- */

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
	listener->local = *local;
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
