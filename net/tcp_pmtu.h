/*
 * Path MTU discovery (RFC 1191): every segment is sent with DF; a router that cannot pass one on
 * says what it can, and segments become that small. It is a router's word that anybody can forge,
 * so it only ever lowers, never under a floor, and only if it quotes what is in flight (RFC 5927
 * 7). New connections to the destination begin with it (net/path.h).
 */
#ifndef NET_TCP_PMTU_H
#define NET_TCP_PMTU_H

#include "net/tcp_conn.h"

/*
 * "Fragmentation needed" about a segment in flight; mtu 0: a router from before RFC 1191. What is
 * in flight and too big is sent again at once: it is lost, but not by congestion.
 */
void tcp_pmtu_lower(struct net *net, struct tcp_conn *conn, uint16_t mtu);

#endif
