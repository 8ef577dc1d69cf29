/* RFC 9293 3.10.7.4, step five: what the peer acknowledges, and what it means that it does not. */
#include "net/tcp_ecn.h"
#include "net/tcp_in.h"
#include "net/tcp_recovery.h"
#include "net/tcp_timer.h"

#include <rte_common.h>

/* RFC 5961 5.2: an ACK of what was never sent, or of what was acknowledged a window ago. */
static bool plausible(const struct tcp_in *in)
{
	const struct tcp_conn *conn = in->conn;

	return seq_leq(in->ack, conn->snd_nxt) &&
	       seq_geq(in->ack, conn->snd_una - conn->snd_wnd_max);
}

/* Only a segment that is not older than the last one that told the window. snd_una is what it is
 * after this one, and so never less than the ACK of that one: SND.WL2 need not be kept. */
static void update_window(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;

	if (in->ack != conn->snd_una || seq_gt(conn->snd_wl1, in->seq))
		return;
	if (in->wnd > conn->snd_wnd)
		in->effects |= TCP_EFFECT_OUTPUT;
	conn->snd_wnd = in->wnd;
	conn->snd_wnd_max = RTE_MAX(conn->snd_wnd_max, in->wnd);
	conn->snd_wl1 = in->seq;
}

/* A peer that answers is not given up because its window is shut (MUST-37); but once nobody waits
 * here any more, it could hold our memory for ever that way. */
static void heard_while_shut(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;

	conn->probe_unanswered = false;
	if (conn->snd_wnd > 0)
		conn->probe_count = 0;
	if (!conn->closed && (conn->snd_wnd == 0 || tcp_timer_runs(conn, TCP_TIMER_PROBE)))
		conn->progress_ns = in->net->now_ns;
}

/* RFC 5681 2. wnd: what the peer offered before this segment. */
static bool is_duplicate(const struct tcp_in *in, uint32_t wnd)
{
	const struct tcp_conn *conn = in->conn;

	return in->ack == conn->snd_una && in->len == 0 && tcp_conn_flight(conn) > 0 &&
	       in->wnd == wnd && !(in->flags & RTE_TCP_FIN_FLAG);
}

/* --- new bytes acknowledged --- */

static void sample_rtt(struct tcp_in *in)
{
	const struct tcp_rtt_limits *limits = &in->net->tcp.rtt_limits;
	struct tcp_conn *conn = in->conn;

	if (tcp_rtt_acked(&conn->rtt, limits, in->ack, in->net->now_ns))
		return;
	if (conn->timestamps && (in->opts.present & TCP_OPT_TIMESTAMPS) &&
	    (conn->recovery != TCP_RECOVERY_NONE || conn->rtt.backoff_count > 0))
		tcp_rtt_sample_ts(&conn->rtt, limits, tcp_conn_ts_now(in->net, conn),
				  in->opts.ts_ecr);
}

static void advance(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;
	struct tcp_txq_pool *pushes = &in->net->tcp.pushes;
	uint32_t acked_len = in->ack - conn->snd_una, flight_len = tcp_conn_flight(conn);

	conn->snd_una = in->ack;
	conn->rtx_nxt = seq_max(conn->rtx_nxt, conn->snd_una);
	conn->rtx_end = seq_max(conn->rtx_end, conn->snd_una);
	conn->soft_error = 0;
	net_dst_confirm(in->net, &conn->dst);
	conn->figures.bytes_acked += tcp_txq_acked(&conn->txq, pushes, in->ack);
	sample_rtt(in);
	if (conn->sack) {
		tcp_rack_ack(in, acked_len, flight_len);
	} else {
		if (tcp_undo_is_due(in))
			tcp_recovery_undo(in->net, conn);
		tcp_recovery_progress(in->net, conn, acked_len, flight_len);
	}
	tcp_timer_data_acked(in->net, conn);
	/* With nothing queued no other ACK will tell; if the shard has no push, it waits. */
	if (conn->want_room && (conn->txq.count == 0 || tcp_txq_has_room(&conn->txq, pushes))) {
		conn->want_room = false;
		in->effects |= TCP_EFFECT_READY;
	}
	in->effects |= TCP_EFFECT_OUTPUT;
}

/* Our FIN was acknowledged. False: there is nothing left to hear. */
static bool fin_acked(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;

	switch (conn->state) {
	case TCP_FIN_WAIT_1:
		conn->state = TCP_FIN_WAIT_2;
		in->effects |= TCP_EFFECT_READY;
		if (conn->closed)
			tcp_timer_start(in->net, conn, TCP_TIMER_FIN_WAIT_2,
					in->net->tcp.config.fin_wait2_ns);
		return true;
	case TCP_CLOSING:
		in->effects |= TCP_EFFECT_TIME_WAIT;
		return false;
	case TCP_LAST_ACK:
		in->effects |= TCP_EFFECT_FINISH;
		return false;
	default:
		return true;
	}
}

bool tcp_ack_step(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;
	uint32_t wnd = conn->snd_wnd, flight_len = tcp_conn_flight(conn);

	if (!plausible(in)) {
		tcp_in_drop(in, DROP_tcp_unacceptable);
		in->effects |= TCP_EFFECT_CHALLENGE;
		return false;
	}
	tcp_in_take_timestamp(in);
	if (seq_gt(in->ack, conn->snd_una)) {
		advance(in);
	} else if (conn->sack) {
		if (in->opts.sack_count > 0 || conn->tlp.sent) {
			tcp_rack_ack(in, 0, tcp_conn_flight(conn));
			in->effects |= TCP_EFFECT_OUTPUT;
		}
	} else if (is_duplicate(in, wnd)) {
		tcp_recovery_duplicate(in->net, conn);
		in->effects |= TCP_EFFECT_OUTPUT;
	}
	tcp_ecn_ack_received(in->net, conn, in->flags, flight_len);
	update_window(in);
	heard_while_shut(in);
	return !tcp_conn_fin_acked(conn) || fin_acked(in);
}
