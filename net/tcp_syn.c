#include "net/tcp_syn.h"

#include "mem/slab.h"
#include "net/tcp_ecn.h"
#include "net/tcp_listen.h"
#include "net/tcp_reply.h"
#include "net/tcp_turn.h"

#include <errno.h>

/* --- room --- */

static enum drop_reason may_take(const struct net *net, const struct tcp_listener *listener)
{
	if (net->mem->level >= MEM_LOW)
		return DROP_mem_low_syn;
	return listener->accept_count >= listener->backlog ? DROP_tcp_backlog_full : DROP_COUNT;
}

enum drop_reason tcp_syn_room(const struct net *net, const struct net_pkt *pkt)
{
	const struct tcp_listener *listener = tcp_listen_find_or_null(net, pkt);
	enum drop_reason reason = listener ? may_take(net, listener) : DROP_tcp_no_port;
	bool full = slab_used(net->tcp.conns) == slab_count(net->tcp.conns);

	if (reason == DROP_COUNT && full && TAILQ_EMPTY(&listener->syns))
		return DROP_tcp_conn_max;
	return reason;
}

/* --- a connection begins --- */

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

static void half_open(struct net *net, struct tcp_listener *listener, struct tcp_conn *conn,
		      uint32_t iss)
{
	conn->iss = iss;
	conn->snd_una = conn->snd_nxt = conn->rtx_nxt = conn->rtx_end = iss;
	conn->ecn_recover = iss;
	tcp_listen_enter(net, listener, conn);
}

static void begin(struct net *net, struct tcp_listener *listener, struct tcp_conn *conn,
		  const struct net_pkt *pkt, const struct tcp_opts *opts, const uint32_t *after)
{
	uint32_t iss = conn->iss;

	if (after && seq_leq(iss, *after))
		iss = *after + TCP_WND_MAX + 1;
	half_open(net, listener, conn, iss);
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
	answer.mss = tcp_mss_offered(&dst, &listener->options);
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
	half_open(net, listener, *out, pkt->ack - 1);
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
 * byte, and no longer than that cookie lives; by chance once in 2^12.
 */
static void await_beginning(struct net *net, struct rte_mbuf *m)
{
	net_drop(net, m, DROP_tcp_cookie_ahead);
}

bool tcp_syn_cookie(struct net *net, struct rte_mbuf *m, struct tcp_conn **out)
{
	const uint8_t mask = RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG | RTE_TCP_RST_FLAG;
	const struct net_pkt *pkt = net_pkt_of(m);
	struct tcp_listener *listener;
	struct tcp_opts opts;
	bool ecn;
	int err;

	if ((pkt->tcp_flags & mask) != RTE_TCP_ACK_FLAG)
		return false;
	listener = tcp_listen_find_or_null(net, pkt);
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
	case TCP_COOKIE_AHEAD:
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

void tcp_syn_input(struct net *net, struct rte_mbuf *m, const uint32_t *after)
{
	const struct net_pkt *pkt = net_pkt_of(m);
	const uint8_t *bytes = (const uint8_t *)(net_pkt_tcp(m) + 1);
	struct tcp_listener *listener = tcp_listen_find_or_null(net, pkt);
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
