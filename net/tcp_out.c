#include "net/tcp_out.h"

#include "net/ip4.h"
#include "net/tcp_ecn.h"
#include "net/tcp_opt.h"
#include "net/tcp_sack.h"
#include "net/tcp_timer.h"

#include <errno.h>
#include <rte_common.h>

/* --- the window we offer --- */

/* Less than this is not worth telling (receiver's silly window avoidance). */
static uint32_t window_step(const struct tcp_conn *conn)
{
	return RTE_MIN(conn->rxq.buf_len / 2, (uint32_t)conn->rcv_mss);
}

/* How far the right edge could move on. */
static uint32_t window_growth(const struct net *net, const struct tcp_conn *conn)
{
	int32_t growth = seq_diff(conn->rxq.rcv_nxt + tcp_rxq_window(&conn->rxq), conn->rcv_adv);

	return net->mem->level == MEM_SCARCE || growth < 0 ? 0 : (uint32_t)growth;
}

bool tcp_out_window_grew(const struct net *net, const struct tcp_conn *conn)
{
	uint32_t offered = conn->rcv_adv - conn->rxq.rcv_nxt;
	uint32_t growth = window_growth(net, conn);

	return !conn->fin_received && growth >= window_step(conn) &&
	       growth >= RTE_MIN(offered, conn->rxq.buf_len / 2);
}

/* The header's window field; the right edge never moves back but by what scaling cuts off (RFC 7323
 * 2.4: we still accept up to rcv_adv). */
static uint16_t offer_window(const struct net *net, struct tcp_conn *conn, bool syn)
{
	uint8_t scale = syn ? 0 : conn->rcv_wscale;
	uint32_t growth = window_growth(net, conn);
	uint32_t wnd;

	if (syn)
		return (uint16_t)RTE_MIN(tcp_rxq_window(&conn->rxq), (uint32_t)TCP_WND_MAX);
	if (conn->fin_received)
		return 0;
	if (growth >= window_step(conn))
		conn->rcv_adv += growth;
	wnd = conn->rcv_adv - conn->rxq.rcv_nxt;
	if (wnd >> scale > TCP_WND_MAX) {
		wnd = (uint32_t)TCP_WND_MAX << scale;
		conn->rcv_adv = conn->rxq.rcv_nxt + wnd;
	}
	return (uint16_t)(wnd >> scale);
}

/* --- one segment --- */

struct out {
	struct net *net;
	struct tcp_conn *conn;
	uint32_t seq, len; /* of payload */
	uint8_t flags;
	uint8_t ecn; /* codepoint of the IP header */
};

/* Beside data a SACK option gets what the segment leaves: a full one carries none. What came out of
 * order is acknowledged by segments of its own, which have all the room. */
static uint32_t sack_room(const struct tcp_conn *conn, uint32_t payload_len, uint32_t options_len)
{
	uint32_t left = TCP_OPT_LEN_MAX - options_len;

	return payload_len == 0 ? left : RTE_MIN(left, conn->snd_mss - payload_len);
}

static uint32_t write_options(const struct out *out, uint8_t bytes[TCP_OPT_LEN_MAX])
{
	struct tcp_conn *conn = out->conn;
	struct tcp_opts opts;
	uint32_t len = 0;

	if (!(out->flags & RTE_TCP_SYN_FLAG)) {
		if (conn->timestamps)
			len = tcp_opt_write_timestamps(bytes, tcp_conn_ts_now(out->net, conn),
						       conn->ts_recent);
		if (tcp_sack_due(conn))
			len += tcp_sack_write(conn, bytes + len, sack_room(conn, out->len, len));
		return len;
	}
	opts = (struct tcp_opts){
		.present = TCP_OPT_MSS,
		.mss = tcp_conn_mss_offered(conn),
		.wscale = conn->rcv_wscale,
		.ts_val = tcp_conn_ts_now(out->net, conn),
		.ts_ecr = conn->ts_recent,
	};
	if (conn->wscale)
		opts.present |= TCP_OPT_WSCALE;
	if (conn->timestamps)
		opts.present |= TCP_OPT_TIMESTAMPS;
	if (conn->sack)
		opts.present |= TCP_OPT_SACK_PERMITTED;
	return tcp_opt_write_syn(bytes, &opts);
}

static struct rte_mbuf *payload_or_null(const struct out *out, uint16_t header_len)
{
	const struct net_iface *iface = net_iface_get(out->net->tables, out->conn->dst.iface);

	if (out->len == 0)
		return mem_small_or_null(out->net->mem);
	return tcp_txq_segment_or_null(&out->conn->txq, &out->net->tcp.pushes, out->seq, out->len,
				       header_len, iface->tx_multi_segs);
}

/* The frame, or NULL without a buffer; then nothing changed. */
static struct rte_mbuf *build_or_null(const struct out *out)
{
	struct tcp_conn *conn = out->conn;
	/* Only text sets it, so never on a SYN. */
	const uint8_t echo = conn->ecn_echo ? RTE_TCP_ECE_FLAG : 0;
	/* Room for all SACK blocks beside timestamps: gcc cannot see that they are never so many.
	 */
	uint8_t options[TCP_OPT_TIMESTAMPS_LEN + TCP_OPT_LEN_MAX];
	uint32_t header_len = TCP_HEADER_LEN + write_options(out, options);
	struct rte_mbuf *m = payload_or_null(out, (uint16_t)(IP4_ENCAP_LEN + header_len));
	struct rte_tcp_hdr *tcp;

	if (!m) {
		counter_add(&out->net->counters->drop[DROP_mem_none], 1);
		return NULL;
	}
	tcp = (struct rte_tcp_hdr *)rte_pktmbuf_prepend(m, (uint16_t)header_len);
	CHECK(tcp);
	*tcp = (struct rte_tcp_hdr){
		.src_port = conn->flow.local_port,
		.dst_port = conn->flow.remote_port,
		.sent_seq = rte_cpu_to_be_32(out->seq),
		.recv_ack = out->flags & RTE_TCP_ACK_FLAG ? rte_cpu_to_be_32(conn->rxq.rcv_nxt) : 0,
		.data_off = (uint8_t)(header_len / 4 << 4),
		.tcp_flags = out->flags | echo,
		.rx_win = rte_cpu_to_be_16(
			offer_window(out->net, conn, out->flags & RTE_TCP_SYN_FLAG)),
	};
	memcpy(tcp + 1, options, header_len - TCP_HEADER_LEN);
	ip4_encap(out->net, &conn->dst, conn->flow.remote, m, IPPROTO_TCP, conn->options.ttl,
		  (uint8_t)((conn->options.tos & ~TCP_ECN_MASK) | out->ecn));
	return m;
}

/* An ACK went out, on whatever segment. */
static void acknowledged(struct tcp_conn *conn)
{
	conn->ack_sent = conn->rxq.rcv_nxt;
	conn->ack_due = false;
	conn->ack_pending = false;
	tcp_timer_stop(conn, TCP_TIMER_ACK);
}

/* Before snd_nxt moves on: what lies before it goes again. */
static void count_sent(const struct out *out)
{
	struct tcp_figures *figures = &out->conn->figures;
	bool again = seq_lt(out->seq, out->conn->snd_nxt);

	figures->segs_out++;
	if (again && (out->len > 0 || (out->flags & (RTE_TCP_SYN_FLAG | RTE_TCP_FIN_FLAG))))
		figures->retrans++;
	if (out->len == 0)
		return;
	figures->data_segs_out++;
	figures->bytes_sent += out->len;
	if (again)
		figures->bytes_retrans += out->len;
}

static struct rte_mbuf *send_or_null(const struct out *out)
{
	struct rte_mbuf *m = build_or_null(out);

	if (!m)
		return NULL;
	counter_add(&out->net->counters->tcp_tx_segments, 1);
	count_sent(out);
	if (out->flags & RTE_TCP_ACK_FLAG)
		acknowledged(out->conn);
	return m;
}

/* --- what to send; each returns a frame, or NULL with *starved if only a buffer was missing --- */

static struct rte_mbuf *send_ack(struct net *net, struct tcp_conn *conn, uint32_t seq,
				 bool *starved)
{
	const struct out out = {net, conn, seq, 0, RTE_TCP_ACK_FLAG, 0};
	struct rte_mbuf *m = send_or_null(&out);

	*starved = !m;
	return m;
}

static struct rte_mbuf *send_syn(struct net *net, struct tcp_conn *conn, bool *starved)
{
	const bool answer = conn->state == TCP_SYN_RECEIVED;
	const uint8_t ecn_flags = tcp_ecn_syn_flags(net, conn);
	const uint8_t flags = RTE_TCP_SYN_FLAG | (answer ? RTE_TCP_ACK_FLAG : 0) | ecn_flags;
	const struct out out = {net, conn, conn->iss, 0, flags, 0};
	struct rte_mbuf *m = send_or_null(&out);

	*starved = !m;
	if (!m)
		return NULL;
	conn->syn_due = false;
	conn->ecn_asked |= !answer && ecn_flags;
	if (conn->syn_count < UINT8_MAX)
		conn->syn_count++;
	conn->snd_nxt = conn->iss + 1;
	if (conn->syn_count == 1) {
		tcp_rtt_sent(&conn->rtt, conn->snd_nxt, net->now_ns);
	} else {
		tcp_rtt_resent(&conn->rtt);
		counter_add(&net->counters->tcp_retransmits, 1);
	}
	tcp_timer_data_sent(net, conn);
	return m;
}

/* Payload bytes of the segment at seq, and FIN after the last byte if one is due. */
static struct out segment_at(struct net *net, struct tcp_conn *conn, uint32_t seq, uint32_t len_max)
{
	uint32_t left = seq_lt(seq, conn->txq.end) ? conn->txq.end - seq : 0;
	struct out out = {net, conn, seq, RTE_MIN(left, len_max), RTE_TCP_ACK_FLAG, 0};

	if (out.len == left) {
		if (out.len > 0)
			out.flags |= RTE_TCP_PSH_FLAG; /* MUST-61 */
		if (conn->fin_queued)
			out.flags |= RTE_TCP_FIN_FLAG;
	}
	return out;
}

/* The segment at seq once more, up to end. */
static struct rte_mbuf *resend(struct net *net, struct tcp_conn *conn, uint32_t seq, uint32_t end,
			       bool *starved)
{
	struct out out = segment_at(net, conn, seq, RTE_MIN((uint32_t)conn->snd_mss, end - seq));
	struct rte_mbuf *m;

	if (!conn->fin_sent)
		out.flags &= ~RTE_TCP_FIN_FLAG;
	m = send_or_null(&out);
	*starved = !m;
	if (!m)
		return NULL;
	tcp_rack_resent(net, conn, seq, seq + out.len + !!(out.flags & RTE_TCP_FIN_FLAG));
	tcp_rtt_resent(&conn->rtt);
	tcp_timer_data_sent(net, conn);
	counter_add(&net->counters->tcp_retransmits, 1);
	return m;
}

/* What is lost goes before anything new; cwnd paces it. */
static struct rte_mbuf *send_lost(struct net *net, struct tcp_conn *conn, bool *starved)
{
	const struct tcp_sent_range *lost = tcp_sent_lost_or_null(&conn->rack.sent);
	uint32_t flight_len = tcp_sent_flight(&conn->rack.sent);

	if (flight_len > 0 &&
	    flight_len + RTE_MIN((uint32_t)conn->snd_mss, lost->end - lost->start) > conn->cc.cwnd)
		return NULL;
	return resend(net, conn, lost->start, lost->end, starved);
}

static struct rte_mbuf *send_again(struct net *net, struct tcp_conn *conn, bool *starved)
{
	uint32_t len_max = RTE_MIN((uint32_t)conn->snd_mss, conn->rtx_end - conn->rtx_nxt);
	struct out out = segment_at(net, conn, conn->rtx_nxt, len_max);
	struct rte_mbuf *m;

	if (!conn->fin_sent)
		out.flags &= ~RTE_TCP_FIN_FLAG;
	/* After a timeout, slow start paces what is sent again. */
	if (conn->recovery == TCP_RECOVERY_LOSS && conn->rtx_nxt != conn->snd_una &&
	    conn->rtx_nxt - conn->snd_una + out.len > conn->cc.cwnd)
		return NULL;
	m = send_or_null(&out);
	*starved = !m;
	if (!m)
		return NULL;
	conn->rtx_nxt += out.len + !!(out.flags & RTE_TCP_FIN_FLAG);
	if (seq_gt(conn->rtx_nxt, conn->rtx_end))
		conn->rtx_end = conn->rtx_nxt;
	tcp_rtt_resent(&conn->rtt);
	tcp_timer_data_sent(net, conn);
	counter_add(&net->counters->tcp_retransmits, 1);
	return m;
}

/* --- new data --- */

/* Sequence numbers from snd_nxt on that the peer's window has room for. */
static uint32_t window_left(const struct tcp_conn *conn)
{
	int32_t left = seq_diff(conn->snd_una + conn->snd_wnd, conn->snd_nxt);

	return left > 0 ? (uint32_t)left : 0;
}

/* Bytes that congestion control lets out now. */
static uint32_t cwnd_left(const struct tcp_conn *conn)
{
	uint32_t flight = conn->sack ? tcp_sent_flight(&conn->rack.sent) : tcp_conn_flight(conn);
	uint32_t cwnd = conn->cc.cwnd;

	/* Limited transmit, RFC 3042: the first two duplicate ACKs each let one segment out. */
	if (conn->recovery == TCP_RECOVERY_NONE)
		cwnd += RTE_MIN(conn->dup_acks, TCP_DUP_ACK_THRESHOLD - 1) * conn->cc.mss;
	if (conn->rack.probe_due)
		cwnd += conn->cc.mss;
	return flight < cwnd ? cwnd - flight : 0;
}

/*
 * Nagle (MUST-17, SHLD-7) in Minshall's variant, as Linux has it: it waits for the ACK of a small
 * segment, not of any. The short end of a long answer goes out with the rest of it, and meets
 * no delayed ACK.
 */
static bool small_in_flight(const struct tcp_conn *conn)
{
	return seq_gt(conn->snd_small, conn->snd_una) && seq_leq(conn->snd_small, conn->snd_nxt);
}

/* Nagle, and the sender's silly window avoidance (MUST-38), RFC 9293 3.8.6.2.1. */
static bool worth_sending(const struct tcp_conn *conn, const struct out *out, uint32_t left)
{
	bool no_nagle = conn->options.nodelay || !small_in_flight(conn);

	if (out->len == conn->snd_mss || conn->force)
		return true;
	if (out->len == left)
		return no_nagle || (out->flags & RTE_TCP_FIN_FLAG);
	return no_nagle && out->len >= conn->snd_wnd_max / 2;
}

static void sent_new(const struct out *out)
{
	struct net *net = out->net;
	struct tcp_conn *conn = out->conn;

	conn->snd_nxt += out->len;
	if (out->len > 0 && out->len < conn->snd_mss)
		conn->snd_small = conn->snd_nxt;
	if (out->flags & RTE_TCP_FIN_FLAG) {
		conn->snd_nxt++;
		conn->fin_sent = true;
	}
	/* Nothing was waiting to be sent again, and this is not. */
	if (conn->rtx_nxt == conn->rtx_end)
		conn->rtx_nxt = conn->rtx_end = conn->snd_nxt;
	if (conn->sack)
		tcp_rack_sent(net, conn, out->len);
	conn->force = false;
	if (out->flags & RTE_TCP_CWR_FLAG)
		conn->cc.reduced = false;
	conn->flight_used = tcp_conn_flight(conn);
	tcp_rtt_sent(&conn->rtt, conn->snd_nxt, net->now_ns);
	tcp_timer_data_sent(net, conn);
	/* What goes out so soon after something came in is an answer. */
	if (conn->rx_data_ns != 0 && net->now_ns - conn->rx_data_ns < net->tcp.config.delack_ns)
		conn->interactive = true;
	conn->tx_data_ns = net->now_ns;
	counter_add(&net->counters->tcp_tx_bytes, out->len);
}

/* Only new data may be marked on its way: not what is sent again, nor a probe of a shut window,
 * which a receiver may drop with its mark (RFC 3168 6.1.5, 6.1.6). */
static void mark(struct out *out)
{
	const struct tcp_conn *conn = out->conn;

	if (!conn->ecn || out->len == 0 || conn->force)
		return;
	out->ecn = TCP_ECN_ECT0;
	/* 6.1.2: of any reduction. */
	if (conn->cc.reduced)
		out->flags |= RTE_TCP_CWR_FLAG;
}

/* Data or FIN for the first time. */
static struct rte_mbuf *send_new(struct net *net, struct tcp_conn *conn, bool *starved)
{
	uint32_t left = conn->txq.end - conn->snd_nxt;
	uint32_t room;
	struct out out;
	struct rte_mbuf *m;

	if (conn->fin_sent || (left == 0 && !conn->fin_queued))
		return NULL;
	if (tcp_conn_flight(conn) == 0 && net->now_ns - conn->tx_data_ns > conn->rtt.rto_ns)
		tcp_cc_on_idle(&conn->cc);
	room = window_left(conn);
	out = segment_at(net, conn, conn->snd_nxt,
			 RTE_MIN(RTE_MIN(room, cwnd_left(conn)), (uint32_t)conn->snd_mss));
	if (out.len == room)
		out.flags &= ~RTE_TCP_FIN_FLAG; /* it lies outside of the window */
	if (left > 0 ? out.len == 0 || !worth_sending(conn, &out, left) : room == 0) {
		tcp_timer_window_shut(net, conn);
		return NULL;
	}
	mark(&out);
	m = send_or_null(&out);
	*starved = !m;
	if (m)
		sent_new(&out);
	return m;
}

/* The tail loss probe (RFC 8985 7.3): something new, else the last segment again. */
static struct rte_mbuf *send_probe(struct net *net, struct tcp_conn *conn, bool *starved)
{
	const struct tcp_sent_range *last = conn->rack.sent.last;
	struct rte_mbuf *m;
	uint32_t start;

	if (!last) {
		conn->rack.probe_due = false;
		return NULL;
	}
	conn->force = true;
	m = send_new(net, conn, starved);
	conn->force = false;
	if (m || *starved) {
		if (m)
			tcp_rack_probe_sent(net, conn, false);
		return m;
	}
	start = last->end - conn->fin_sent - conn->snd_mss;
	if (seq_lt(start, last->start))
		start = last->start;
	m = resend(net, conn, start, last->end, starved);
	if (m)
		tcp_rack_probe_sent(net, conn, true);
	return m;
}

/* --- the next segment of a connection --- */

static struct rte_mbuf *next_or_null(struct net *net, struct tcp_conn *conn, bool *starved)
{
	struct rte_mbuf *m = NULL;

	*starved = false;
	if (conn->syn_due)
		return send_syn(net, conn, starved);
	if (!tcp_conn_synchronized(conn))
		return conn->ack_due ? send_ack(net, conn, conn->snd_nxt, starved) : NULL;
	if (conn->dup_acks_owed > 0) {
		m = send_ack(net, conn, conn->snd_nxt, starved);
		conn->dup_acks_owed -= !!m;
		return m;
	}
	if (conn->rack.probe_due && (m = send_probe(net, conn, starved)))
		return m;
	if (*starved)
		return NULL;
	if (conn->rack.sent.lost_len > 0)
		m = send_lost(net, conn, starved);
	else if (conn->rtx_nxt != conn->rtx_end)
		m = send_again(net, conn, starved);
	else
		m = send_new(net, conn, starved);
	if (m || *starved)
		return m;
	if (conn->probe_due) {
		m = send_ack(net, conn, conn->snd_una - 1, starved);
		conn->probe_due = !m;
		return m;
	}
	if (conn->ack_due)
		m = send_ack(net, conn, conn->snd_nxt, starved);
	return m;
}

/* --- whose turn it is --- */

/* No way to the next hop, for now; what timers guard goes on, so that patience has an end. */
static void wait_for_neighbour(struct net *net, struct tcp_conn *conn, int err)
{
	TAILQ_REMOVE(&net->tcp.output[conn->dst.iface], conn, output_link);
	conn->output_list = TCP_OUTPUT_NONE;
	if (err == -EHOSTUNREACH) {
		conn->soft_error = EHOSTUNREACH;
		if (conn->state == TCP_SYN_SENT) {
			tcp_conn_die(net, conn, EHOSTUNREACH);
			return;
		}
	} else {
		if (TAILQ_EMPTY(&net->tcp.unresolved))
			net->tcp.unresolved_ns = net->now_ns + TCP_UNRESOLVED_NS;
		conn->output_list = TCP_OUTPUT_UNRESOLVED;
		TAILQ_INSERT_TAIL(&net->tcp.unresolved, conn, output_link);
	}
	if (!tcp_conn_synchronized(conn) || tcp_conn_owes(conn))
		tcp_timer_data_sent(net, conn);
}

void tcp_neigh_changed(struct net *net)
{
	struct tcp_conn *conn;

	while ((conn = TAILQ_FIRST(&net->tcp.unresolved))) {
		TAILQ_REMOVE(&net->tcp.unresolved, conn, output_link);
		conn->output_list = TCP_OUTPUT_NONE;
		tcp_conn_want_output(net, conn);
	}
}

/* Up to n frames of one connection; *starved: it wanted to send more and found no buffer. */
static unsigned visit(struct net *net, struct tcp_conn *conn, struct rte_mbuf **pkts, unsigned n,
		      bool *starved)
{
	unsigned done = 0;

	*starved = false;
	while (done < n) {
		struct rte_mbuf *m = next_or_null(net, conn, starved);

		if (!m)
			break;
		pkts[done++] = m;
	}
	tcp_conn_check(conn);
	return done;
}

unsigned tcp_output(struct net *net, uint16_t iface, struct rte_mbuf **pkts, unsigned n)
{
	struct tcp_conn_list *list = &net->tcp.output[iface];
	unsigned done = 0, starved_count = 0;
	struct tcp_conn *conn;

	while (done < n && starved_count < TCP_STARVED_MAX && (conn = TAILQ_FIRST(list))) {
		int err = net_dst_resolve(net, &conn->dst);
		unsigned room = RTE_MIN(n - done, (unsigned)TCP_VISIT_SEGMENTS_MAX), sent;
		bool starved;

		if (err) {
			wait_for_neighbour(net, conn, err);
			continue;
		}
		sent = visit(net, conn, pkts + done, room, &starved);
		done += sent;
		starved_count += starved;
		TAILQ_REMOVE(list, conn, output_link);
		if (sent == room || starved)
			TAILQ_INSERT_TAIL(list, conn, output_link);
		else
			conn->output_list = TCP_OUTPUT_NONE;
	}
	return done;
}
