#include "net/tcp_rack.h"

#include "net/tcp_in.h"
#include "net/tcp_timer.h"
#include "net/tcp_turn.h"

#include <rte_common.h>

enum { REO_WND_PERSIST = 16, REO_WND_MULT_MAX = 64 };

#define MIN_RTT_VALID_NS 10000000000ull

void tcp_rack_init(struct tcp_conn *conn)
{
	conn->rack = (struct tcp_rack){.fack = conn->snd_una, .reo_wnd_mult = 1};
	tcp_tlp_init(&conn->tlp);
	tcp_sent_init(&conn->rack.sent, conn->snd_una);
}

void tcp_rack_fini(struct net *net, struct tcp_conn *conn)
{
	tcp_sent_clear(&conn->rack.sent, net->tcp.sent_nodes, 0);
}

static void undo(struct net *net, struct tcp_conn *conn)
{
	tcp_undo_carry_out(net, conn);
	conn->rack.reordering_seen = true; /* or delay: either way more patience is due */
	tcp_sent_unlose(&conn->rack.sent, net->tcp.sent_nodes);
}

/* --- what an ACK says --- */

struct heard {
	struct tcp_sent_delivered delivered;
	bool dsack;
	struct tcp_range dsack_range;
};

/* RFC 2883 4: below the cumulative ACK, or inside the second block. */
static bool is_dsack(const struct tcp_in *in)
{
	const struct tcp_range *b = in->opts.sack;

	if (!seq_lt(b[0].start, b[0].end) || seq_gt(b[0].end, in->conn->snd_nxt) ||
	    seq_lt(b[0].start, in->ack - in->conn->snd_wnd_max))
		return false;
	return seq_leq(b[0].end, in->ack) ||
	       (in->opts.sack_count > 1 && seq_geq(b[0].start, b[1].start) &&
		seq_leq(b[0].end, b[1].end));
}

static void take_dsack(struct tcp_in *in, struct heard *heard)
{
	heard->dsack = true;
	heard->dsack_range = in->opts.sack[0];
	counter_add(&in->net->counters->tcp_dsacks, 1);
	tcp_undo_dsack(in->conn, &heard->dsack_range);
	in->conn->figures.dsacks++;
}

static void take_blocks(struct tcp_in *in, struct heard *heard)
{
	struct tcp_conn *conn = in->conn;
	unsigned i = 0;

	if (is_dsack(in)) {
		take_dsack(in, heard);
		i = 1;
	}
	for (; i < in->opts.sack_count; i++) {
		struct tcp_range b = in->opts.sack[i];

		if (!seq_lt(b.start, b.end) || seq_gt(b.end, conn->snd_nxt) ||
		    seq_lt(b.start, in->ack)) {
			counter_add(&in->net->counters->tcp_sack_bad, 1);
			continue;
		}
		b.start = seq_max(b.start, conn->snd_una);
		if (seq_lt(b.start, b.end)) /* else an old ACK */
			tcp_sent_sacked(&conn->rack.sent, in->net->tcp.sent_nodes, b.start, b.end,
					&heard->delivered);
	}
}

/* --- RACK (RFC 8985 6.2) --- */

static bool sent_after(uint64_t a_ns, uint32_t a_end, uint64_t b_ns, uint32_t b_end)
{
	return a_ns > b_ns || (a_ns == b_ns && seq_gt(a_end, b_end));
}

/* Steps 1 and 2. */
static void update_newest(struct tcp_in *in, const struct tcp_sent_delivered *d)
{
	struct tcp_rack *rack = &in->conn->rack;
	uint64_t now_ns = in->net->now_ns, rtt_ns = now_ns - d->newest_ns;
	uint32_t newest_ts = (uint32_t)(d->newest_ns / 1000000) + in->conn->ts_offset;

	if (d->newest_resent &&
	    (tcp_undo_answers_before(in, newest_ts) || rtt_ns < rack->min_rtt_ns))
		return;
	if (!d->newest_resent && (rack->min_rtt_ns == 0 || rtt_ns <= rack->min_rtt_ns ||
				  now_ns - rack->min_rtt_at_ns > MIN_RTT_VALID_NS)) {
		rack->min_rtt_ns = rtt_ns;
		rack->min_rtt_at_ns = now_ns;
	}
	rack->rtt_ns = rtt_ns;
	if (sent_after(d->newest_ns, d->newest_end, rack->xmit_ns, rack->end_seq)) {
		rack->xmit_ns = d->newest_ns;
		rack->end_seq = d->newest_end;
	}
}

/* Step 3. */
static void detect_reordering(struct tcp_conn *conn, const struct tcp_sent_delivered *d)
{
	struct tcp_rack *rack = &conn->rack;

	if (d->in_order_any && seq_lt(d->lowest_start, rack->fack)) {
		rack->reordering_seen = true;
		conn->figures.reorderings++;
	}
	rack->fack = seq_max(rack->fack, d->highest_end);
}

/* Step 4: each round trip with a D-SACK widens the window; 16 recoveries without narrow it. */
static void adapt_window(struct tcp_conn *conn, const struct heard *heard)
{
	struct tcp_rack *rack = &conn->rack;

	if (rack->dsack_in_round && seq_geq(conn->snd_una, rack->dsack_round))
		rack->dsack_in_round = false;
	if (!heard->dsack || rack->dsack_in_round)
		return;
	rack->dsack_in_round = true;
	rack->dsack_round = conn->snd_nxt;
	rack->reo_wnd_persist = REO_WND_PERSIST;
	if (rack->reo_wnd_mult < REO_WND_MULT_MAX)
		rack->reo_wnd_mult++;
}

static void recovered(struct tcp_rack *rack)
{
	if (rack->reo_wnd_persist > 0 && --rack->reo_wnd_persist == 0)
		rack->reo_wnd_mult = 1;
}

static uint64_t reordering_window_ns(const struct tcp_conn *conn)
{
	const struct tcp_rack *rack = &conn->rack;

	if (!rack->reordering_seen &&
	    (conn->recovery != TCP_RECOVERY_NONE ||
	     rack->sent.sacked_len > (TCP_DUP_ACK_THRESHOLD - 1u) * conn->snd_mss))
		return 0;
	return RTE_MIN(rack->reo_wnd_mult * rack->min_rtt_ns / 4, conn->rtt.srtt_ns);
}

/* Step 5. */
static void detect_loss(struct net *net, struct tcp_conn *conn)
{
	struct tcp_rack *rack = &conn->rack;
	uint64_t patience_ns = rack->rtt_ns + reordering_window_ns(conn), wait_ns = 0;

	for (struct tcp_sent_range *range = rack->sent.first; range; range = range->next) {
		if ((range->flags & (TCP_SENT_SACKED | TCP_SENT_LOST)) ||
		    !sent_after(rack->xmit_ns, rack->end_seq, range->sent_ns, range->end))
			continue;
		if (range->sent_ns + patience_ns <= net->now_ns)
			tcp_sent_lose_range(&rack->sent, range);
		else
			wait_ns = RTE_MAX(wait_ns, range->sent_ns + patience_ns - net->now_ns);
	}
	if (wait_ns > 0)
		tcp_timer_start(net, conn, TCP_TIMER_REORDER, wait_ns);
	else
		tcp_timer_stop(conn, TCP_TIMER_REORDER);
}

/* --- recovery --- */

static void enter(struct net *net, struct tcp_conn *conn, uint32_t flight_len)
{
	struct tcp_rack *rack = &conn->rack;

	counter_add(&net->counters->tcp_fast_retransmits, 1);
	tcp_cc_on_congestion(&conn->cc, flight_len, net->now_ns);
	conn->recovery = TCP_RECOVERY_FAST;
	conn->recover = conn->snd_nxt;
	rack->prr_delivered = rack->prr_out = 0;
	rack->prr_flight = RTE_MAX(flight_len, 1u);
	conn->tlp.sent = false;
	tcp_undo_begin(conn);
}

/* RFC 6937 3 as RFC 9937 has it: what was delivered may be sent again at least, however much went
 * out before, else a retransmission that was lost waits for a timeout; and a segment more while
 * ACKs make progress and nothing more is lost. */
static void reduce(struct tcp_conn *conn, uint32_t delivered_len, bool good)
{
	struct tcp_rack *rack = &conn->rack;
	uint32_t flight_len = tcp_sent_flight(&rack->sent), ssthresh = conn->cc.ssthresh, len;

	rack->prr_delivered += delivered_len;
	if (flight_len > ssthresh) {
		uint64_t share = (uint64_t)rack->prr_delivered * ssthresh;

		len = (uint32_t)((share + rack->prr_flight - 1) / rack->prr_flight);
		len = len > rack->prr_out ? len - rack->prr_out : 0;
	} else {
		len = rack->prr_delivered > rack->prr_out ? rack->prr_delivered - rack->prr_out : 0;
		len = RTE_MAX(len, delivered_len) + (good ? conn->cc.mss : 0);
		len = RTE_MIN(len, ssthresh - flight_len);
	}
	/* The first of the lost is always sent, and one of those that a timer found, as no ACK may
	 * come any more. */
	if (rack->prr_out == 0 || delivered_len == 0)
		len = RTE_MAX(len, conn->cc.mss);
	conn->cc.cwnd = RTE_MAX(flight_len + len, conn->cc.mss);
}

static void leave(struct tcp_conn *conn)
{
	if (conn->recovery == TCP_RECOVERY_FAST)
		conn->cc.cwnd = RTE_MAX(conn->cc.ssthresh, conn->cc.mss);
	conn->recovery = TCP_RECOVERY_NONE;
	recovered(&conn->rack);
}

/* --- events --- */

static void go_on(struct tcp_in *in, const struct heard *heard, uint32_t acked_len,
		  uint32_t flight_len, uint32_t lost_len)
{
	struct tcp_conn *conn = in->conn;
	bool left = conn->recovery != TCP_RECOVERY_NONE && seq_geq(conn->snd_una, conn->recover);

	if (left)
		leave(conn);
	if (conn->recovery == TCP_RECOVERY_NONE && conn->rack.sent.lost_len > 0)
		enter(in->net, conn, flight_len);
	if (conn->recovery == TCP_RECOVERY_FAST) {
		if (heard->delivered.len > 0 || conn->rack.prr_out == 0)
			reduce(conn, heard->delivered.len,
			       acked_len > 0 && conn->rack.sent.lost_len <= lost_len);
	} else if (acked_len > 0 && !left) {
		tcp_cc_on_ack(&conn->cc, acked_len, RTE_MAX(flight_len, conn->flight_used),
			      conn->rtt.srtt_ns, in->net->now_ns);
	}
}

void tcp_rack_ack(struct tcp_in *in, uint32_t acked_len, uint32_t flight_len)
{
	struct tcp_conn *conn = in->conn;
	struct tcp_rack *rack = &conn->rack;
	struct heard heard = {.dsack = false};
	uint32_t lost_len = rack->sent.lost_len;

	if (acked_len > 0)
		tcp_sent_acked(&rack->sent, in->net->tcp.sent_nodes, conn->snd_una,
			       &heard.delivered);
	if (in->opts.sack_count > 0)
		take_blocks(in, &heard);
	if (heard.delivered.any) {
		update_newest(in, &heard.delivered);
		detect_reordering(conn, &heard.delivered);
	}
	if (acked_len > 0 && acked_len == flight_len && flight_len <= conn->snd_mss &&
	    heard.delivered.any && !heard.delivered.newest_resent)
		tcp_tlp_lone_acked(conn, in->net->now_ns - heard.delivered.newest_ns);
	tcp_tlp_ack(in, heard.dsack ? &heard.dsack_range : NULL, acked_len, flight_len);
	adapt_window(conn, &heard);
	if (tcp_undo_is_due(in))
		undo(in->net, conn);
	if (rack->sent.sacked_len > 0 || conn->recovery != TCP_RECOVERY_NONE)
		detect_loss(in->net, conn);
	else
		tcp_timer_stop(conn, TCP_TIMER_REORDER);
	go_on(in, &heard, acked_len, flight_len, lost_len);
}

void tcp_rack_sent(struct net *net, struct tcp_conn *conn, uint32_t len)
{
	tcp_sent_append(&conn->rack.sent, net->tcp.sent_nodes, conn->snd_nxt, net->now_ns);
	if (conn->recovery == TCP_RECOVERY_FAST)
		conn->rack.prr_out += len;
}

void tcp_rack_resent(struct net *net, struct tcp_conn *conn, uint32_t start, uint32_t end)
{
	struct tcp_rack *rack = &conn->rack;

	tcp_sent_again(&rack->sent, net->tcp.sent_nodes, start, end, net->now_ns);
	if (conn->recovery == TCP_RECOVERY_NONE)
		return;
	if (conn->recovery == TCP_RECOVERY_FAST)
		rack->prr_out += end - start;
	/* Its ACK is a round trip away, and the timer was started a round trip ago: without this a
	 * path of half an RTO has a timeout with every loss. */
	if (conn->recovery == TCP_RECOVERY_FAST && start == conn->snd_una)
		tcp_timer_resent(net, conn);
	tcp_undo_resent(net, conn, start, end);
}

void tcp_rack_reorder_due(struct net *net, struct tcp_conn *conn)
{
	uint32_t lost_len = conn->rack.sent.lost_len;

	detect_loss(net, conn);
	if (conn->rack.sent.lost_len == lost_len)
		return;
	if (conn->recovery == TCP_RECOVERY_NONE)
		enter(net, conn, tcp_conn_flight(conn));
	if (conn->recovery == TCP_RECOVERY_FAST)
		reduce(conn, 0, false);
	tcp_turn_want(net, conn);
}

/* RFC 2018 8: the peer may have reneged. RFC 8985 6.3: what was sent just now is not lost yet. */
void tcp_rack_timeout(struct net *net, struct tcp_conn *conn)
{
	struct tcp_rack *rack = &conn->rack;
	uint64_t patience_ns = rack->rtt_ns + reordering_window_ns(conn);

	if (conn->recovery != TCP_RECOVERY_LOSS)
		tcp_undo_begin(conn);
	conn->tlp.due = conn->tlp.sent = false;
	tcp_timer_stop(conn, TCP_TIMER_REORDER);
	tcp_sent_unsack(&rack->sent, net->tcp.sent_nodes);
	for (struct tcp_sent_range *range = rack->sent.first; range; range = range->next)
		if (range == rack->sent.first || range->sent_ns + patience_ns <= net->now_ns)
			tcp_sent_lose_range(&rack->sent, range);
	/* It does not keep the first of the lost from going again now (RFC 6298 5.4). */
	conn->cc.cwnd += tcp_sent_flight(&rack->sent);
}

void tcp_rack_too_large(struct net *net, struct tcp_conn *conn)
{
	struct tcp_sent *sent = &conn->rack.sent;

	if (tcp_conn_flight(conn) == 0)
		return;
	tcp_sent_lose(sent, net->tcp.sent_nodes, sent->una, sent->nxt);
	if (conn->recovery != TCP_RECOVERY_NONE || sent->lost_len == 0)
		return;
	/* As after a timeout, but the window stays as it is, and there is nothing to undo. */
	conn->recovery = TCP_RECOVERY_LOSS;
	conn->recover = conn->snd_nxt;
	conn->cc.undo_cwnd = 0;
	tcp_undo_begin(conn);
}
