#include "net/tcp_tlp.h"

#include "net/tcp_in.h"

#include <rte_common.h>

enum {
	ACK_DELAY_NS_MAX = 200000000, /* of the stacks there are */
	/* The peer's thread, or ours, may be held up for so long; two round trips of a short path
	 * are no measure then. Linux waits as long with timers of 4 ms. */
	PROBE_NS_MIN = 10000000,
	LEARN_SHIFT = 4, /* the longest wait is forgotten by 1/16 with each ACK */
};

void tcp_tlp_init(struct tcp_tlp *tlp)
{
	*tlp = (struct tcp_tlp){.ack_delay_ns = ACK_DELAY_NS_MAX};
}

uint64_t tcp_tlp_delay_ns(const struct tcp_conn *conn)
{
	uint64_t delay_ns = RTE_MAX(2 * conn->rtt.srtt_ns, (uint64_t)PROBE_NS_MIN);

	if (!conn->sack || conn->recovery != TCP_RECOVERY_NONE || conn->tlp.sent ||
	    conn->rack.sent.sacked_len > 0 || conn->rtt.srtt_ns == 0 || conn->rtt.backoff_count > 0)
		return 0;
	if (tcp_conn_flight(conn) <= conn->snd_mss)
		delay_ns += conn->tlp.ack_delay_ns;
	return delay_ns;
}

void tcp_tlp_sent(struct net *net, struct tcp_conn *conn, bool again)
{
	struct tcp_tlp *tlp = &conn->tlp;

	counter_add(&net->counters->tcp_tail_probes, 1);
	tlp->due = false;
	tlp->sent = true;
	tlp->again = again;
	tlp->end = conn->snd_nxt;
}

static void repaired(struct tcp_in *in, uint32_t flight_len)
{
	struct tcp_conn *conn = in->conn;

	if (conn->recovery != TCP_RECOVERY_NONE)
		return;
	tcp_cc_on_congestion(&conn->cc, flight_len, in->net->now_ns);
	conn->cc.cwnd = RTE_MAX(conn->cc.ssthresh, conn->cc.mss);
}

void tcp_tlp_ack(struct tcp_in *in, const struct tcp_range *dsack, uint32_t acked_len,
		 uint32_t flight_len)
{
	struct tcp_tlp *tlp = &in->conn->tlp;

	if (!tlp->sent || seq_lt(in->ack, tlp->end))
		return;
	if (!tlp->again) {
		tlp->sent = false;
	} else if (dsack && dsack->end == tlp->end) {
		tlp->sent = false;
		tlp->ack_delay_ns = ACK_DELAY_NS_MAX; /* it was only slow */
	} else if (seq_gt(in->ack, tlp->end)) {
		tlp->sent = false;
		repaired(in, flight_len);
	} else if (acked_len == 0 && in->opts.sack_count == 0 && in->len == 0) {
		tlp->sent = false; /* both arrived: the second made a duplicate ACK */
	}
}

void tcp_tlp_lone_acked(struct tcp_conn *conn, uint64_t rtt_ns)
{
	uint64_t path_ns = conn->rack.min_rtt_ns,
		 delay_ns = rtt_ns > path_ns ? rtt_ns - path_ns : 0;
	struct tcp_tlp *tlp = &conn->tlp;

	if (delay_ns >= tlp->ack_delay_ns)
		tlp->ack_delay_ns = (uint32_t)RTE_MIN(delay_ns, (uint64_t)ACK_DELAY_NS_MAX);
	else
		tlp->ack_delay_ns -= (tlp->ack_delay_ns - (uint32_t)delay_ns) >> LEARN_SHIFT;
}
