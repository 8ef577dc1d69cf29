/*
 * What a connection sends next: SYN, what is lost, new data, FIN, probes, ACKs; decided when it is
 * asked for. What a connection wants is in its fields; net/tcp_turn.h asks those who want.
 */
#ifndef NET_TCP_OUT_H
#define NET_TCP_OUT_H

#include "net/tcp_conn.h"

/* The next frame, the caller's to transmit; NULL: nothing may go now, or (*starved) only a buffer
 * was missing. The next hop must be resolved. */
struct rte_mbuf *tcp_out_next_or_null(struct net *net, struct tcp_conn *conn, bool *starved);

/* False: it would be NULL. So an answer that was sent whole need not be looked at once more. (Flags
 * that are written for each segment stand apart here, or gcc reads them with their neighbours, at
 * once, and waits for the store buffer.) */
static inline bool tcp_out_wants(const struct tcp_conn *conn)
{
	return seq_lt(conn->snd_nxt, conn->txq.end) || conn->ack_due ||
	       conn->rack.sent.lost_len > 0 || conn->dup_acks_owed > 0 ||
	       conn->rtx_nxt != conn->rtx_end || (conn->fin_queued && !conn->fin_sent) ||
	       conn->syn_due || conn->probe_due || conn->tlp.due;
}

#endif
