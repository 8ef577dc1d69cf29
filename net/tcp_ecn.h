/*
 * Explicit congestion notification of one connection (RFC 3168): routers mark instead of dropping.
 * The receiver echoes a mark until the sender says that it has reduced its window.
 *
 *      sender ---- data, ECT(0) ----> router: CE ----> receiver
 *      sender <--- ACKs, ECE until CWR comes --------- receiver
 *      sender ---- new data, CWR --------------------> receiver
 */
#ifndef NET_TCP_ECN_H
#define NET_TCP_ECN_H

#include "net/tcp_conn.h"

/* In the IP header's TOS. */
enum { TCP_ECN_ECT0 = 2, TCP_ECN_CE = 3, TCP_ECN_MASK = 3 };

/* A SYN with these TCP flags asks for it, and we agree. */
bool tcp_ecn_agrees(const struct net *net, uint8_t syn_flags);
/* A SYN or SYN-ACK came in with these TCP flags: both sides can do it, or not (6.1.1). */
void tcp_ecn_syn_received(const struct net *net, struct tcp_conn *conn, uint8_t flags);
/* The flags to add to the SYN or SYN-ACK at hand. A SYN that had to be sent again does without:
 * something on the path may drop what it does not know (6.1.1.1). */
uint8_t tcp_ecn_syn_flags(const struct net *net, const struct tcp_conn *conn);

/* Text came in with these TCP flags and this TOS. True: the sender should hear of it at once. */
bool tcp_ecn_data_received(struct tcp_conn *conn, uint8_t flags, uint8_t tos);
/* An ACK came in, of what was acceptable; flight_len was in flight before it. */
void tcp_ecn_ack_received(struct net *net, struct tcp_conn *conn, uint8_t flags,
			  uint32_t flight_len);

#endif
