/* RFC 9293 3.10.7.4, steps seven and eight: the text and the FIN bit, and when to acknowledge them.
 */
#include "net/tcp_ecn.h"
#include "net/tcp_in.h"
#include "net/tcp_sack.h"
#include "net/tcp_timer.h"

#include <errno.h>
#include <rte_common.h>

/*
 * Delayed ACKs (SHLD-18, RFC 5681 4.2): every second full segment at once, and all of the first
 * ones, whose sender is in slow start. A program that answers gets its ACKs a ride on the answers.
 */
static void schedule_ack(struct tcp_in *in, uint32_t len)
{
	struct tcp_conn *conn = in->conn;
	struct net *net = in->net;

	if (conn->rx_data_ns != 0 && net->now_ns - conn->rx_data_ns > conn->rtt.rto_ns)
		conn->quick_acks = TCP_QUICK_ACKS;
	conn->rx_data_ns = net->now_ns;
	conn->rcv_mss = (uint16_t)RTE_MAX(conn->rcv_mss, len);
	if (conn->rxq.rcv_nxt - conn->ack_sent >= 2u * conn->rcv_mss) {
		in->effects |= TCP_EFFECT_ACK;
	} else if (conn->quick_acks > 0 && !conn->interactive) {
		conn->quick_acks--;
		in->effects |= TCP_EFFECT_ACK;
	} else if (!conn->ack_pending) {
		conn->ack_pending = true;
		tcp_timer_start(net, conn, TCP_TIMER_ACK, net->tcp.delack_ns);
	}
}

/* Nobody will read any more. */
static void discard(struct tcp_conn *conn)
{
	struct rte_mbuf *m;

	while ((m = tcp_rxq_pop_or_null(&conn->rxq)))
		rte_pktmbuf_free(m);
}

static void count_drop(struct tcp_in *in, enum drop_reason reason)
{
	counter_add(&in->net->counters->drop[reason], 1);
}

static void keep(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;
	uint32_t rcv_nxt = conn->rxq.rcv_nxt, len = in->len;
	bool gap = tcp_rxq_has_gap(&conn->rxq);
	bool marked = tcp_ecn_data_received(conn, in->flags, in->tos);
	struct rte_mbuf *m = in->m;

	in->m = NULL;
	tcp_sack_duplicate(conn, in->seq, len);
	switch (tcp_rxq_add(&conn->rxq, &in->net->tcp.reassembly, m, in->seq)) {
	case TCP_RXQ_ACCEPTED:
		counter_add(&in->net->counters->tcp_rx_bytes, conn->rxq.rcv_nxt - rcv_nxt);
		conn->figures.bytes_received += conn->rxq.rcv_nxt - rcv_nxt;
		conn->dup_acks_owed = 0;
		in->effects |= TCP_EFFECT_READY | (gap || marked ? TCP_EFFECT_ACK : 0);
		schedule_ack(in, len);
		if (conn->shut_rd)
			discard(conn);
		break;
	case TCP_RXQ_REORDERED:
		conn->figures.reordered++;
		in->effects |= TCP_EFFECT_DUP_ACK;
		break;
	case TCP_RXQ_DUPLICATE:
		count_drop(in, DROP_tcp_duplicate);
		if (seq_gt(in->seq, rcv_nxt))
			tcp_sack_duplicate_beyond_gap(conn, in->seq, len);
		tcp_in_answer_text(in);
		break;
	case TCP_RXQ_FULL:
		count_drop(in, DROP_tcp_reassembly_full);
		in->effects |= TCP_EFFECT_ACK;
		break;
	}
}

/* Cuts off what lies beyond the window. False: nothing is left. */
static bool cut_to_window(struct tcp_in *in)
{
	int32_t beyond = seq_diff(in->seq + in->len, in->conn->rcv_adv);

	if (beyond <= 0)
		return true;
	in->flags &= ~RTE_TCP_FIN_FLAG;
	if ((uint32_t)beyond >= in->len) {
		tcp_in_drop(in, DROP_tcp_unacceptable);
		tcp_in_answer_text(in); /* of a window probe (MUST-36) */
		return false;
	}
	in->effects |= TCP_EFFECT_ACK;
	rte_pktmbuf_trim(in->m, (uint16_t)beyond);
	in->len -= (uint32_t)beyond;
	return true;
}

/* While memory is scarce: text beyond a gap, or behind much that the program has not read; in the
 * end any. What is dropped for it comes again; the ACK on it is heard, and frees what others wait
 * for. */
static bool must_wait(const struct tcp_in *in)
{
	const struct tcp_rxq *rxq = &in->conn->rxq;
	const struct mem *mem = in->net->mem;

	if (mem->level < MEM_SCARCE)
		return false;
	return seq_gt(in->seq, rxq->rcv_nxt) || rxq->held_len >= TCP_SCARCE_HELD_MAX ||
	       mem_reserve_only(mem);
}

bool tcp_data_text_step(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;

	if (conn->fin_received) {
		/* All of it was received; the ACK that said so was lost. */
		tcp_sack_duplicate(conn, in->seq, in->len);
		if (in->len > 0 || (in->flags & RTE_TCP_FIN_FLAG))
			tcp_in_answer_text(in);
		return false;
	}
	if (in->len == 0)
		return true;
	if (conn->closed && seq_gt(in->seq + in->len, conn->rxq.rcv_nxt)) {
		/* SHLD-3, RFC 2525 2.17: nobody will ever read it. */
		tcp_in_drop(in, DROP_tcp_after_close);
		in->effects |= TCP_EFFECT_RST;
		tcp_in_die(in, ECONNRESET);
		return false;
	}
	if (!cut_to_window(in))
		return true;
	if (must_wait(in)) {
		tcp_in_drop(in, DROP_mem_low_tcp);
		in->effects |= TCP_EFFECT_DUP_ACK;
		return true;
	}
	rte_pktmbuf_adj(in->m, in->payload_off);
	keep(in);
	return true;
}

/* Everything before it has come, so it has a turn. */
static void fin(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;

	conn->fin_received = true;
	conn->rxq.rcv_nxt++;
	conn->rcv_adv = seq_max(conn->rcv_adv, conn->rxq.rcv_nxt);
	in->effects |= TCP_EFFECT_READY | TCP_EFFECT_ACK;
	switch (conn->state) {
	case TCP_ESTABLISHED:
		conn->state = TCP_CLOSE_WAIT;
		break;
	case TCP_FIN_WAIT_1:
		conn->state = TCP_CLOSING;
		break;
	default: /* FIN-WAIT-2 */
		in->effects |= TCP_EFFECT_TIME_WAIT;
	}
}

void tcp_data_fin_step(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;

	if (in->flags & RTE_TCP_FIN_FLAG) {
		conn->fin_seen = true;
		conn->fin_seq = in->seq + in->len;
		if (!(in->effects & TCP_EFFECT_DUP_ACK))
			in->effects |= TCP_EFFECT_ACK;
	}
	if (conn->fin_seen && conn->fin_seq == conn->rxq.rcv_nxt)
		fin(in);
}
