/*
 * What this side tells the peer in SACK options (RFC 2018): the runs beyond a gap, the one that
 * grew last first; before them the bytes that came a second time (D-SACK, RFC 2883), once.
 */
#ifndef NET_TCP_SACK_H
#define NET_TCP_SACK_H

#include "net/tcp_conn.h"

/* Of len bytes that came at seq, those before rcv_nxt were here already. */
void tcp_sack_duplicate(struct tcp_conn *conn, uint32_t seq, uint32_t len);
/* All of them were here, in a run. */
void tcp_sack_duplicate_beyond_gap(struct tcp_conn *conn, uint32_t seq, uint32_t len);

/* There is something to tell. */
static inline bool tcp_sack_due(const struct tcp_conn *conn)
{
	return conn->sack && (tcp_rxq_has_gap(&conn->rxq) || conn->dsack.start != conn->dsack.end);
}

/* Writes as many blocks as room bytes take; returns the length, 0 if not even one. */
uint32_t tcp_sack_write(const struct tcp_conn *conn, uint8_t *bytes, uint32_t room);

/* A segment with what was written goes out: a D-SACK is told once. */
static inline void tcp_sack_told(struct tcp_conn *conn)
{
	conn->dsack.start = conn->dsack.end;
}

#endif
