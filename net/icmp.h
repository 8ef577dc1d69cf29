/*
 * ICMP (RFC 792, RFC 1122 3.2.2): answers echo requests, says when a UDP port is closed, passes
 * errors about flows on to TCP. All that it sends is under one rate limit of the shard.
 */
#ifndef NET_ICMP_H
#define NET_ICMP_H

#include "net/stack.h"

/* NET_PKT_ICMP; takes m over. */
void icmp_input(struct net *net, struct rte_mbuf *m);
/* NET_PKT_ICMP_ERROR that reached the owner of the flow by hash or a later one; takes m over. */
void icmp_input_error(struct net *net, struct rte_mbuf *m);
/* "Port unreachable" about a UDP datagram that nobody wants, made of its own buffer, which is freed
 * if no answer is due. Counts DROP_udp_no_port. */
void icmp_port_unreachable(struct net *net, struct rte_mbuf *m);

#endif
