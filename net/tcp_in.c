/*
 * RFC 9293 3.10.7, SEGMENT ARRIVES, in its order: one function a step, which returns false when the
 * segment goes no further.
 *
 *      3.10.7.1 CLOSED .......... closed_or_listen()
 *      3.10.7.2 LISTEN .......... net/tcp_syn.c
 *      3.10.7.3 SYN-SENT ........ syn_sent(): ACK, RST, SYN
 *      3.10.7.4 other states .... other(): sequence number, RST, SYN
 *               fifth ........... net/tcp_ack.c;  seventh, eighth: net/tcp_data.c
 *               TIME-WAIT ....... net/tcp_timewait.c
 */
#include "net/tcp_in.h"

#include "net/flow_table.h"
#include "net/tcp_ecn.h"
#include "net/tcp_listen.h"
#include "net/tcp_reply.h"
#include "net/tcp_sack.h"
#include "net/tcp_syn.h"
#include "net/tcp_timer.h"
#include "net/tcp_timewait.h"
#include "net/tcp_turn.h"

#include <errno.h>
#include <rte_common.h>
#include <rte_prefetch.h>

/* --- 3.10.7.1 CLOSED, 3.10.7.2 LISTEN: there is no connection, here --- */

/* Takes over m, unless its cookie began a connection: then that, which m is for. */
static struct tcp_conn *closed_or_listen(struct net *net, struct rte_mbuf *m)
{
	int owner = net_owner_shard(net, m);
	struct tcp_conn *conn = NULL;

	if (owner == NET_OWNER_LOOP)
		net_drop(net, m, DROP_steer_loop);
	else if (owner >= 0 && owner != net->shard)
		net_hand_over(net, m, (uint16_t)owner);
	else if (!tcp_syn_cookie(net, m, &conn))
		tcp_syn_input(net, m, NULL); /* which answers RST if nobody listens */
	return conn;
}

/* --- what two states share --- */

/* The SYN was accepted: text begins after it. */
static void pass_syn(struct tcp_in *in)
{
	in->flags &= ~RTE_TCP_SYN_FLAG;
	in->seq++;
	in->effects |= TCP_EFFECT_ACK;
}

/* From the sixth on. That is the URG bit: the pointer is read, and its bytes are text like all
 * others. */
static void last_steps(struct tcp_in *in)
{
	if (tcp_data_text_step(in))
		tcp_data_fin_step(in);
}

/* --- 3.10.7.3 SYN-SENT --- */

/* First: check the ACK bit. */
static bool syn_sent_ack_step(struct tcp_in *in)
{
	const struct tcp_conn *conn = in->conn;

	if (!(in->flags & RTE_TCP_ACK_FLAG))
		return true;
	if (seq_gt(in->ack, conn->iss) && seq_leq(in->ack, conn->snd_nxt))
		return true;
	tcp_in_drop(in, DROP_tcp_unacceptable);
	in->effects |= TCP_EFFECT_RST;
	return false;
}

/* Second: check the RST bit. Without an acceptable ACK anybody could have sent it. */
static bool syn_sent_rst_step(struct tcp_in *in)
{
	if (!(in->flags & RTE_TCP_RST_FLAG))
		return true;
	if (in->flags & RTE_TCP_ACK_FLAG) {
		counter_add(&in->net->counters->conn_refused, 1);
		tcp_in_die(in, ECONNREFUSED);
	} else {
		tcp_in_drop(in, DROP_tcp_unacceptable);
	}
	return false;
}

/* Fourth: check the SYN bit; fifth: neither SYN nor RST. */
static bool syn_sent_syn_step(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;
	struct net *net = in->net;

	if (!(in->flags & RTE_TCP_SYN_FLAG)) {
		tcp_in_drop(in, DROP_tcp_unacceptable);
		return false;
	}
	tcp_conn_syn_received(net, conn, in->seq, &in->opts);
	tcp_ecn_syn_received(net, conn, in->flags);
	conn->snd_wnd = conn->snd_wnd_max = in->wnd;
	conn->snd_wl1 = in->seq;
	if (in->flags & RTE_TCP_ACK_FLAG) {
		conn->snd_una = in->ack;
		tcp_rtt_acked(&conn->rtt, &net->tcp.rtt_limits, in->ack, net->now_ns);
		tcp_conn_established(net, conn);
		pass_syn(in);
		in->effects |= TCP_EFFECT_READY;
		return true;
	}
	/* Simultaneous open (MUST-10). What text there is comes again. */
	conn->state = TCP_SYN_RECEIVED;
	conn->syn_due = true;
	in->effects |= TCP_EFFECT_OUTPUT;
	return false;
}

static void syn_sent(struct tcp_in *in)
{
	if (!syn_sent_ack_step(in) || !syn_sent_rst_step(in))
		return;
	/* Third, security and compartment: there is none (A.1). */
	if (syn_sent_syn_step(in))
		last_steps(in);
}

/* --- 3.10.7.4 other states --- */

/* The ACK that 3.10.7.4 demands; RFC 5961 7: not too many. An empty segment may be a keepalive or
 * a probe of our window: it is answered whatever other connections have used up. */
static void answer_unaccepted(struct tcp_in *in)
{
	if (in->len > 0 || (in->flags & RTE_TCP_FIN_FLAG))
		tcp_in_answer_text(in);
	else if (tcp_challenge_empty_due(in->net, in->conn))
		in->effects |= TCP_EFFECT_ACK;
}

/* RFC 7323 5.3. False: the timestamp is older than one that was seen before. */
static bool paws(struct tcp_in *in)
{
	const uint64_t valid_ns = 24ull * 86400 * 1000000000; /* 5.5: then the clock wrapped */
	const struct tcp_conn *conn = in->conn;

	if (!conn->timestamps || !(in->opts.present & TCP_OPT_TIMESTAMPS) ||
	    !seq_lt(in->opts.ts_val, conn->ts_recent) || (in->flags & RTE_TCP_RST_FLAG) ||
	    in->net->now_ns - conn->ts_recent_ns > valid_ns)
		return true;
	tcp_in_drop(in, DROP_tcp_paws);
	answer_unaccepted(in);
	return false;
}

/*
 *       ack_sent    rcv_nxt         rcv_adv
 *          | .......... | .............. |       A segment may end at ack_sent or later and begin
 * at rcv_adv or earlier: so the ACK of a peer that has filled a window, even a shut one, is heard
 * (MUST-66). Text is cut to the window later.
 */
static bool acceptable(const struct tcp_in *in)
{
	const struct tcp_conn *conn = in->conn;
	uint32_t end = in->seq + in->len + !!(in->flags & RTE_TCP_SYN_FLAG) +
		       !!(in->flags & RTE_TCP_FIN_FLAG);

	return seq_geq(end, conn->ack_sent) &&
	       seq_leq(in->seq, seq_max(conn->rcv_adv, conn->rxq.rcv_nxt));
}

/* First: check the sequence number, and the timestamp before it. */
static bool sequence_step(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;

	if (!paws(in))
		return false;
	if (!acceptable(in)) {
		tcp_in_drop(in, DROP_tcp_unacceptable);
		if (in->flags & RTE_TCP_RST_FLAG)
			return false;
		tcp_sack_duplicate(conn, in->seq, in->len);
		answer_unaccepted(in);
		return false;
	}
	conn->rx_ns = in->net->now_ns;
	conn->keepalive_sent = 0;
	return true;
}

/* Second: check the RST bit. RFC 5961 3.2: only the very next number resets. */
static bool rst_step(struct tcp_in *in)
{
	const struct tcp_conn *conn = in->conn;
	bool refused;

	if (!(in->flags & RTE_TCP_RST_FLAG))
		return true;
	if (in->seq != conn->rxq.rcv_nxt) {
		tcp_in_drop(in, DROP_tcp_unacceptable);
		in->effects |= TCP_EFFECT_CHALLENGE;
		return false;
	}
	refused = conn->state == TCP_SYN_RECEIVED && !conn->from_listen;
	counter_add(refused ? &in->net->counters->conn_refused : &in->net->counters->conn_reset, 1);
	tcp_in_die(in, refused ? ECONNREFUSED : ECONNRESET);
	return false;
}

/* Fourth: check the SYN bit. */
static bool syn_step(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;

	if (!(in->flags & RTE_TCP_SYN_FLAG))
		return true;
	if (conn->state == TCP_SYN_RECEIVED && in->seq == conn->irs) {
		/* Simultaneous open: the peer's SYN-ACK. Else its SYN, again. */
		if (in->flags & RTE_TCP_ACK_FLAG)
			return true;
		/* One that does not ask any more counts (RFC 3168 6.1.1.1). */
		if (conn->ecn)
			tcp_ecn_syn_received(in->net, conn, in->flags);
		conn->syn_due = true;
		in->effects |= TCP_EFFECT_OUTPUT;
		return false;
	}
	tcp_in_drop(in, DROP_tcp_unacceptable);
	in->effects |= TCP_EFFECT_CHALLENGE; /* RFC 5961 4.2 */
	return false;
}

/* Fifth, in SYN-RECEIVED: the handshake's end. */
static bool syn_received_ack_step(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;
	struct net *net = in->net;

	if (seq_leq(in->ack, conn->snd_una) || seq_gt(in->ack, conn->snd_nxt)) {
		tcp_in_drop(in, DROP_tcp_unacceptable);
		in->effects |= TCP_EFFECT_RST;
		return false;
	}
	if (conn->from_listen && !tcp_listen_established(net, conn)) {
		tcp_in_drop(in, DROP_tcp_backlog_full);
		return false;
	}
	tcp_in_take_timestamp(in);
	conn->snd_una = in->ack;
	if (!tcp_rtt_acked(&conn->rtt, &net->tcp.rtt_limits, in->ack, net->now_ns) &&
	    conn->timestamps && (in->opts.present & TCP_OPT_TIMESTAMPS))
		tcp_rtt_sample_ts(&conn->rtt, &net->tcp.rtt_limits, tcp_conn_ts_now(net, conn),
				  in->opts.ts_ecr);
	tcp_conn_established(net, conn);
	conn->snd_wl1 = in->seq;
	conn->snd_wnd = in->wnd;
	conn->snd_wnd_max = RTE_MAX(conn->snd_wnd_max, conn->snd_wnd);
	in->effects |= TCP_EFFECT_READY | TCP_EFFECT_OUTPUT;
	if (in->flags & RTE_TCP_SYN_FLAG) /* of a simultaneous open */
		pass_syn(in);
	return true;
}

/* Fifth: check the ACK field. */
static bool ack_step(struct tcp_in *in)
{
	if (!(in->flags & RTE_TCP_ACK_FLAG)) {
		tcp_in_drop(in, DROP_tcp_unacceptable);
		return false;
	}
	return tcp_conn_synchronized(in->conn) ? tcp_ack_step(in) : syn_received_ack_step(in);
}

static void other(struct tcp_in *in)
{
	if (!sequence_step(in) || !rst_step(in))
		return;
	/* Third, security and compartment: there is none (A.1). */
	if (!syn_step(in) || !ack_step(in))
		return;
	last_steps(in);
}

/* --- what they asked for --- */

/* Once, and in an order in which nothing is lost. */
static void carry_out(struct tcp_in *in)
{
	struct net *net = in->net;
	struct tcp_conn *conn = in->conn;
	uint32_t effects = in->effects;

	if (effects & TCP_EFFECT_RST)
		tcp_reply_rst(net, in->m);
	if (in->m && (effects & TCP_EFFECT_DROP))
		net_drop(net, in->m, in->reason);
	else if (in->m)
		rte_pktmbuf_free(in->m);
	if (effects & TCP_EFFECT_DIE) {
		tcp_conn_die(net, conn, in->error);
		return;
	}
	if (effects & (TCP_EFFECT_TIME_WAIT | TCP_EFFECT_FINISH)) {
		if (effects & TCP_EFFECT_ACK)
			tcp_reply_conn(net, conn, RTE_TCP_ACK_FLAG);
		tcp_conn_finish(net, conn,
				effects & TCP_EFFECT_TIME_WAIT ? TCP_TIME_WAIT : TCP_CLOSED);
		return;
	}
	if (effects & TCP_EFFECT_ACK)
		conn->ack_due = true;
	if ((effects & TCP_EFFECT_DUP_ACK) && conn->dup_acks_owed < TCP_DUP_ACKS_OWED_MAX)
		conn->dup_acks_owed++;
	if (effects & (TCP_EFFECT_ACK | TCP_EFFECT_DUP_ACK | TCP_EFFECT_OUTPUT))
		tcp_turn_want(net, conn);
	if (effects & TCP_EFFECT_CHALLENGE)
		tcp_conn_challenge(net, conn);
	if (effects & TCP_EFFECT_READY)
		net_sock_ready(net, &conn->sock);
	tcp_conn_check(conn);
}

/* --- a segment on its way --- */

static void input_conn(struct net *net, struct tcp_conn *conn, struct rte_mbuf *m)
{
	const struct net_pkt *pkt = net_pkt_of(m);
	struct tcp_in in = {
		.net = net,
		.conn = conn,
		.m = m,
		.seq = pkt->seq,
		.ack = pkt->ack,
		.len = pkt->payload_len,
		.payload_off = pkt->payload_off,
		.flags = pkt->tcp_flags,
		.tos = pkt->tos,
		/* The window of a SYN is never scaled (RFC 7323 2.2). */
		.wnd = (uint32_t)pkt->wnd
		       << (pkt->tcp_flags & RTE_TCP_SYN_FLAG ? 0 : conn->snd_wscale),
	};

	conn->figures.segs_in++;
	conn->figures.data_segs_in += in.len > 0;
	if (!tcp_opt_parse(&in.opts, (const uint8_t *)(net_pkt_tcp(m) + 1),
			   pkt->payload_off - pkt->l4_off - TCP_HEADER_LEN))
		tcp_in_drop(&in, DROP_tcp_bad);
	else if (conn->state == TCP_SYN_SENT)
		syn_sent(&in);
	else
		other(&in);
	carry_out(&in);
}

/* value: what the flow table says. */
static void input_one(struct net *net, struct rte_mbuf *m, void *value)
{
	struct tcp_conn *conn;

	counter_add(&net->counters->tcp_rx_segments, 1);
	if (net_pkt_of(m)->multi)
		net_drop(net, m, DROP_tcp_not_unicast); /* MUST-57 */
	else if (value && tcp_flow_is_timewait(value))
		tcp_timewait_input(net, tcp_timewait_of(value), m);
	else if ((conn = value ? value : closed_or_listen(net, m)))
		input_conn(net, conn, m);
}

void tcp_input(struct net *net, struct rte_mbuf **pkts, unsigned n)
{
	const struct net_flow *flows[FLOW_TABLE_BULK_MAX];
	void *values[FLOW_TABLE_BULK_MAX];
	uint64_t version;

	CHECK(n > 0 && n <= FLOW_TABLE_BULK_MAX);
	for (unsigned i = 0; i < n; i++)
		flows[i] = &net_pkt_of(pkts[i])->flow;
	flow_table_find_bulk(net->tcp.flows, flows, n, values);
	version = flow_table_version(net->tcp.flows);
	for (unsigned i = 0; i < n; i++)
		if (values[i])
			rte_prefetch0((char *)((uintptr_t)values[i] & ~(uintptr_t)1));
	for (unsigned i = 0; i < n; i++) {
		/* A segment before this one may have begun or ended its connection. */
		if (flow_table_version(net->tcp.flows) != version)
			values[i] = flow_table_find_or_null(net->tcp.flows, flows[i]);
		input_one(net, pkts[i], values[i]);
	}
}
