/*
 * ICMP (RFC 792, RFC 1122 3.2.2): answers echo requests, says when a UDP port is closed, passes
 * errors about flows on to TCP. All that it sends is under one rate limit of the shard.
 */
#ifndef NET_ICMP_H
#define NET_ICMP_H

#include "net/stack.h"

#include <rte_ether.h>

/* NET_PKT_ICMP; takes m over. */
void icmp_input(struct net *net, struct rte_mbuf *m);
/* NET_PKT_ICMP_ERROR that reached the owner of the flow by hash or a later one; takes m over. */
void icmp_input_error(struct net *net, struct rte_mbuf *m);
/* "Port unreachable" about a UDP datagram that nobody wants, made of its own buffer, which is freed
 * if no answer is due. Counts DROP_udp_no_port. */
void icmp_port_unreachable(struct net *net, struct rte_mbuf *m);

/* What an error says of the packet that it is about: its IP header and 8 bytes more. */
struct icmp_quote {
	uint16_t len; /* 0: there is to be no error */
	uint16_t iface;
	struct ip_addr local, remote;
	struct rte_ether_addr mac;
	uint8_t bytes[60 + 8];
};
/* Of a parsed packet with its Ethernet header; nothing of one sent to many. */
void icmp_quote(struct rte_mbuf *m, struct icmp_quote *quote);
/* "Fragment reassembly time exceeded". */
void icmp_reassembly_timeout(struct net *net, const struct icmp_quote *quote);

#endif
