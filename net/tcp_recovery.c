#include "net/tcp_recovery.h"

#include <rte_common.h>

static void resend_first(struct tcp_conn *conn)
{
	conn->rtx_nxt = conn->snd_una;
	conn->rtx_end = seq_min(conn->snd_una + conn->snd_mss, conn->snd_nxt);
}

/* RFC 6582 3.2 step 2; the three duplicate ACKs stand for three segments that arrived. */
static void enter(struct net *net, struct tcp_conn *conn)
{
	struct tcp_cc *cc = &conn->cc;

	counter_add(&net->counters->tcp_fast_retransmits, 1);
	tcp_cc_on_congestion(cc, tcp_conn_flight(conn), net->now_ns);
	cc->cwnd = cc->ssthresh;
	tcp_cc_grow(cc, TCP_DUP_ACK_THRESHOLD * cc->mss);
	conn->recovery = TCP_RECOVERY_FAST;
	conn->recover = conn->snd_nxt;
	tcp_undo_begin(conn);
	resend_first(conn);
}

void tcp_recovery_duplicate(struct net *net, struct tcp_conn *conn)
{
	if (conn->dup_acks < UINT8_MAX)
		conn->dup_acks++;
	if (conn->recovery == TCP_RECOVERY_FAST)
		tcp_cc_grow(&conn->cc, conn->cc.mss); /* a segment has left the network */
	else if (conn->recovery == TCP_RECOVERY_NONE && conn->dup_acks == TCP_DUP_ACK_THRESHOLD &&
		 seq_gt(conn->snd_una, conn->recover))
		enter(net, conn);
}

/* RFC 6582 3.2 step 3: deflate by what left, but let one new segment go. */
static void partial_ack(struct tcp_conn *conn, uint32_t acked_len)
{
	struct tcp_cc *cc = &conn->cc;

	if (acked_len >= cc->mss)
		acked_len -= cc->mss;
	tcp_cc_shrink(cc, acked_len);
	resend_first(conn);
}

/* RFC 6582 3.2 step 3, full acknowledgment (1): no burst, even if little is in flight. */
static void leave(struct tcp_conn *conn)
{
	struct tcp_cc *cc = &conn->cc;

	cc->cwnd = RTE_MIN(cc->ssthresh, RTE_MAX(tcp_conn_flight(conn), cc->mss) + cc->mss);
	conn->recovery = TCP_RECOVERY_NONE;
}

void tcp_recovery_progress(struct net *net, struct tcp_conn *conn, uint32_t acked_len,
			   uint32_t flight_len)
{
	bool all = seq_geq(conn->snd_una, conn->recover);

	conn->dup_acks = 0;
	switch ((enum tcp_recovery)conn->recovery) {
	case TCP_RECOVERY_FAST:
		if (all)
			leave(conn);
		else
			partial_ack(conn, acked_len);
		break;
	case TCP_RECOVERY_LOSS:
	case TCP_RECOVERY_NONE:
		tcp_cc_on_ack(&conn->cc, acked_len, RTE_MAX(flight_len, conn->flight_used),
			      conn->rtt.srtt_ns, net->now_ns);
		if (all)
			conn->recovery = TCP_RECOVERY_NONE;
		break;
	}
	/* It comes along: left behind, it would be ahead again after 2 GiB. */
	if (conn->recovery == TCP_RECOVERY_NONE)
		conn->recover = seq_max(conn->recover, conn->snd_una - 1);
}

void tcp_recovery_undo(struct net *net, struct tcp_conn *conn)
{
	tcp_undo_carry_out(net, conn);
	conn->rtx_nxt = conn->rtx_end = conn->snd_nxt;
}

void tcp_recovery_timeout(struct net *net, struct tcp_conn *conn)
{
	bool first = conn->rtt.backoff_count == 0;

	tcp_cc_on_timeout(&conn->cc, tcp_conn_flight(conn), first, net->now_ns);
	if (conn->sack) {
		tcp_rack_timeout(net, conn);
	} else {
		if (conn->recovery != TCP_RECOVERY_LOSS)
			tcp_undo_begin(conn);
		conn->rtx_nxt = conn->snd_una;
		conn->rtx_end = conn->snd_nxt;
	}
	conn->recovery = TCP_RECOVERY_LOSS;
	conn->recover = conn->snd_nxt;
	conn->dup_acks = 0;
}
