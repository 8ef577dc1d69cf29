#include "net/tcp_out.h"

#include "net/tcp_ecn.h"
#include "net/tcp_segment.h"
#include "net/tcp_timer.h"

#include <rte_common.h>

/* --- what to send; each returns a frame, or NULL with *starved if only a buffer was missing --- */

static struct rte_mbuf *send_ack(struct net *net, struct tcp_conn *conn, uint32_t seq,
				 bool *starved)
{
	const struct tcp_segment seg = {net, conn, seq, 0, RTE_TCP_ACK_FLAG, 0};
	struct rte_mbuf *m = tcp_segment_send_or_null(&seg);

	*starved = !m;
	return m;
}

static struct rte_mbuf *send_syn(struct net *net, struct tcp_conn *conn, bool *starved)
{
	const bool answer = conn->state == TCP_SYN_RECEIVED;
	const uint8_t ecn_flags = tcp_ecn_syn_flags(net, conn);
	const uint8_t flags = RTE_TCP_SYN_FLAG | (answer ? RTE_TCP_ACK_FLAG : 0) | ecn_flags;
	const struct tcp_segment seg = {net, conn, conn->iss, 0, flags, 0};
	struct rte_mbuf *m = tcp_segment_send_or_null(&seg);

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
static struct tcp_segment segment_at(struct net *net, struct tcp_conn *conn, uint32_t seq,
				     uint32_t len_max)
{
	uint32_t left = seq_lt(seq, conn->txq.end) ? conn->txq.end - seq : 0;
	struct tcp_segment seg = {net, conn, seq, RTE_MIN(left, len_max), RTE_TCP_ACK_FLAG, 0};

	if (seg.len == left) {
		if (seg.len > 0)
			seg.flags |= RTE_TCP_PSH_FLAG; /* MUST-61 */
		if (conn->fin_queued)
			seg.flags |= RTE_TCP_FIN_FLAG;
	}
	return seg;
}

/* The segment at seq once more, up to end. */
static struct rte_mbuf *resend(struct net *net, struct tcp_conn *conn, uint32_t seq, uint32_t end,
			       bool *starved)
{
	struct tcp_segment seg =
		segment_at(net, conn, seq, RTE_MIN((uint32_t)conn->snd_mss, end - seq));
	struct rte_mbuf *m;

	if (!conn->fin_sent)
		seg.flags &= ~RTE_TCP_FIN_FLAG;
	m = tcp_segment_send_or_null(&seg);
	*starved = !m;
	if (!m)
		return NULL;
	tcp_rack_resent(net, conn, seq, seq + seg.len + !!(seg.flags & RTE_TCP_FIN_FLAG));
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
	struct tcp_segment seg = segment_at(net, conn, conn->rtx_nxt, len_max);
	struct rte_mbuf *m;
	uint32_t end;

	if (!conn->fin_sent)
		seg.flags &= ~RTE_TCP_FIN_FLAG;
	/* After a timeout, slow start paces what is sent again. */
	if (conn->recovery == TCP_RECOVERY_LOSS && conn->rtx_nxt != conn->snd_una &&
	    conn->rtx_nxt - conn->snd_una + seg.len > conn->cc.cwnd)
		return NULL;
	m = tcp_segment_send_or_null(&seg);
	*starved = !m;
	if (!m)
		return NULL;
	end = conn->rtx_nxt + seg.len + !!(seg.flags & RTE_TCP_FIN_FLAG);
	tcp_undo_resent(net, conn, conn->rtx_nxt, end);
	conn->rtx_nxt = end;
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
	if (conn->tlp.due)
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
static bool worth_sending(const struct tcp_conn *conn, const struct tcp_segment *seg, uint32_t left)
{
	bool no_nagle = conn->options.nodelay || !small_in_flight(conn);

	if (seg->len == conn->snd_mss || conn->force)
		return true;
	if (seg->len == left)
		return no_nagle || (seg->flags & RTE_TCP_FIN_FLAG);
	return no_nagle && seg->len >= conn->snd_wnd_max / 2;
}

static void sent_new(const struct tcp_segment *seg)
{
	struct net *net = seg->net;
	struct tcp_conn *conn = seg->conn;

	conn->snd_nxt += seg->len;
	if (seg->len > 0 && seg->len < conn->snd_mss)
		conn->snd_small = conn->snd_nxt;
	if (seg->flags & RTE_TCP_FIN_FLAG) {
		conn->snd_nxt++;
		conn->fin_sent = true;
	}
	/* Nothing was waiting to be sent again, and this is not. */
	if (conn->rtx_nxt == conn->rtx_end)
		conn->rtx_nxt = conn->rtx_end = conn->snd_nxt;
	if (conn->sack)
		tcp_rack_sent(net, conn, seg->len);
	conn->force = false;
	if (seg->flags & RTE_TCP_CWR_FLAG)
		conn->cc.reduced = false;
	conn->flight_used = tcp_conn_flight(conn);
	tcp_rtt_sent(&conn->rtt, conn->snd_nxt, net->now_ns);
	tcp_timer_data_sent(net, conn);
	/* What goes out so soon after something came in is an answer. */
	if (conn->rx_data_ns != 0 && net->now_ns - conn->rx_data_ns < net->tcp.config.delack_ns)
		conn->interactive = true;
	conn->tx_data_ns = net->now_ns;
	counter_add(&net->counters->tcp_tx_bytes, seg->len);
}

/* Only new data may be marked on its way: not what is sent again, nor a probe of a shut window,
 * which a receiver may drop with its mark (RFC 3168 6.1.5, 6.1.6). */
static void mark(struct tcp_segment *seg)
{
	const struct tcp_conn *conn = seg->conn;

	if (!conn->ecn || seg->len == 0 || conn->force)
		return;
	seg->ecn = TCP_ECN_ECT0;
	/* 6.1.2: of any reduction. */
	if (conn->cc.reduced)
		seg->flags |= RTE_TCP_CWR_FLAG;
}

/* Data or FIN for the first time. */
static struct rte_mbuf *send_new(struct net *net, struct tcp_conn *conn, bool *starved)
{
	uint32_t left = conn->txq.end - conn->snd_nxt;
	uint32_t room;
	struct tcp_segment seg;
	struct rte_mbuf *m;

	if (conn->fin_sent || (left == 0 && !conn->fin_queued))
		return NULL;
	if (tcp_conn_flight(conn) == 0 && net->now_ns - conn->tx_data_ns > conn->rtt.rto_ns)
		tcp_cc_on_idle(&conn->cc);
	room = window_left(conn);
	seg = segment_at(net, conn, conn->snd_nxt,
			 RTE_MIN(RTE_MIN(room, cwnd_left(conn)), (uint32_t)conn->snd_mss));
	if (seg.len == room)
		seg.flags &= ~RTE_TCP_FIN_FLAG; /* it lies outside of the window */
	if (left > 0 ? seg.len == 0 || !worth_sending(conn, &seg, left) : room == 0) {
		tcp_timer_window_shut(net, conn);
		return NULL;
	}
	mark(&seg);
	m = tcp_segment_send_or_null(&seg);
	*starved = !m;
	if (m)
		sent_new(&seg);
	return m;
}

/* The tail loss probe (RFC 8985 7.3): something new, else the last segment again. */
static struct rte_mbuf *send_probe(struct net *net, struct tcp_conn *conn, bool *starved)
{
	const struct tcp_sent_range *last = conn->rack.sent.last;
	struct rte_mbuf *m;
	uint32_t start;

	if (!last) {
		conn->tlp.due = false;
		return NULL;
	}
	conn->force = true;
	m = send_new(net, conn, starved);
	conn->force = false;
	if (m || *starved) {
		if (m)
			tcp_tlp_sent(net, conn, false);
		return m;
	}
	start = last->end - conn->fin_sent - conn->snd_mss;
	if (seq_lt(start, last->start))
		start = last->start;
	m = resend(net, conn, start, last->end, starved);
	if (m)
		tcp_tlp_sent(net, conn, true);
	return m;
}

/* --- the next segment of a connection --- */

struct rte_mbuf *tcp_out_next_or_null(struct net *net, struct tcp_conn *conn, bool *starved)
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
	if (conn->tlp.due && (m = send_probe(net, conn, starved)))
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
