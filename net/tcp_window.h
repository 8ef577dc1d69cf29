/*
 * The window that a connection offers its peer: rcv_adv is its right edge, which never goes back.
 * Once less than half of the buffer is open it moves on in steps worth a segment (the receiver's
 * silly window avoidance, MUST-39).
 */
#ifndef NET_TCP_WINDOW_H
#define NET_TCP_WINDOW_H

#include "net/tcp_conn.h"

#include <rte_common.h>

/* The right edge would move so far that the peer should hear of it (RFC 9293 3.8.6.2.2). */
bool tcp_window_grew(const struct net *net, const struct tcp_conn *conn);
/* Moves rcv_adv as far as it may go; returns the header's field of a segment that goes out now.
 * What scaling cuts off of it is accepted nevertheless (RFC 7323 2.4). */
uint16_t tcp_window_offer(const struct net *net, struct tcp_conn *conn, bool syn);

/* What was offered before, once more: for a segment that no connection will stand behind. */
static inline uint16_t tcp_window_told(const struct tcp_conn *conn)
{
	return (uint16_t)RTE_MIN((conn->rcv_adv - conn->rxq.rcv_nxt) >> conn->rcv_wscale,
				 (uint32_t)TCP_WND_MAX);
}

#endif
