#include "net/tcp_ecn.h"

#include "net/stack.h"

#include <rte_tcp.h>

static const uint8_t setup = RTE_TCP_ECE_FLAG | RTE_TCP_CWR_FLAG;

bool tcp_ecn_agrees(const struct net *net, uint8_t syn_flags)
{
	return net->tcp.config.ecn != TCP_ECN_NEVER && (syn_flags & setup) == setup;
}

void tcp_ecn_syn_received(const struct net *net, struct tcp_conn *conn, uint8_t flags)
{
	if (flags & RTE_TCP_ACK_FLAG)
		conn->ecn = conn->ecn_asked && (flags & setup) == RTE_TCP_ECE_FLAG;
	else
		conn->ecn = tcp_ecn_agrees(net, flags);
}

uint8_t tcp_ecn_syn_flags(const struct net *net, const struct tcp_conn *conn)
{
	if (conn->state == TCP_SYN_RECEIVED)
		return conn->ecn ? RTE_TCP_ECE_FLAG : 0;
	return net->tcp.config.ecn == TCP_ECN_ALWAYS && conn->syn_count == 0 ? setup : 0;
}

/* 6.1.3. A segment may both answer the last mark and bring the next one. */
bool tcp_ecn_data_received(struct tcp_conn *conn, uint8_t flags, uint8_t tos)
{
	bool marked = (tos & TCP_ECN_MASK) == TCP_ECN_CE;
	bool news = marked && !conn->ecn_echo;

	if (!conn->ecn)
		return false;
	if (tos & TCP_ECN_MASK)
		conn->ecn_seen = true;
	if (flags & RTE_TCP_CWR_FLAG)
		conn->ecn_echo = false;
	if (marked)
		conn->ecn_echo = true;
	return news;
}

/* 6.1.2: as if a segment had been lost. */
static void reduce(struct net *net, struct tcp_conn *conn, uint32_t flight_len)
{
	counter_add(&net->counters->tcp_ecn_reductions, 1);
	tcp_cc_on_congestion(&conn->cc, flight_len, net->now_ns);
	conn->cc.cwnd = conn->cc.ssthresh;
	conn->cc.undo_cwnd = 0; /* a mark is no mistake */
}

/* Once for all marks of a window, and what was in flight then lets nothing grow. A recovery that
 * runs has reduced the window already. */
void tcp_ecn_ack_received(struct net *net, struct tcp_conn *conn, uint8_t flags,
			  uint32_t flight_len)
{
	if (!conn->ecn)
		return;
	/* It comes along: left behind, it would be ahead again after 2 GiB. */
	conn->ecn_recover = seq_max(conn->ecn_recover, conn->snd_una);
	if ((flags & RTE_TCP_ECE_FLAG) && flight_len > 0 &&
	    seq_geq(conn->snd_una, conn->ecn_recover)) {
		if (conn->recovery == TCP_RECOVERY_NONE)
			reduce(net, conn, flight_len);
		conn->ecn_recover = conn->snd_nxt;
	}
	conn->cc.held =
		conn->recovery == TCP_RECOVERY_NONE && seq_lt(conn->snd_una, conn->ecn_recover);
}
