/*
 * Segments, made when they are asked for: SYN, retransmissions, new data, FIN, probes, ACKs. What a
 * connection wants is in its fields; tcp_conn_want_output() only puts it on the list.
 */
#ifndef NET_TCP_OUT_H
#define NET_TCP_OUT_H

#include "net/tcp_conn.h"

/* The right edge of the window would move so far that the peer should hear of it (RFC
 * 9293 3.8.6.2.2, MUST-39). */
bool tcp_out_window_grew(const struct net *net, const struct tcp_conn *conn);

#endif
