/*
 * What is sent again, and cwnd while it is: fast retransmit and NewReno's recovery (RFC 6582), and
 * the slow start after a timeout.
 *
 *      NONE --- three duplicate ACKs ---> FAST --- recover is acknowledged ---> NONE
 *        \--- timeout, from FAST too ---> LOSS --- recover is acknowledged ---> NONE
 */
#ifndef NET_TCP_RECOVERY_H
#define NET_TCP_RECOVERY_H

#include "net/tcp_conn.h"

/* A duplicate ACK (RFC 5681 2) came in. */
void tcp_recovery_duplicate(struct net *net, struct tcp_conn *conn);
/* acked_len new bytes were acknowledged, snd_una moved on; flight_len was in flight before. */
void tcp_recovery_progress(struct net *net, struct tcp_conn *conn, uint32_t acked_len,
			   uint32_t flight_len);
/* What was sent again was needless (tcp_undo_is_due()): nothing more is. */
void tcp_recovery_undo(struct net *net, struct tcp_conn *conn);
/* The retransmission timer ran out with something in flight; tcp_rtt_timed_out() comes after. */
void tcp_recovery_timeout(struct net *net, struct tcp_conn *conn);

#endif
