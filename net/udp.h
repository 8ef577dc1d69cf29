/*
 * The stack's side of UDP (RFC 768); its user's side is in net/net.h.
 */
#ifndef NET_UDP_H
#define NET_UDP_H

#include "net/stack.h"

/* -ENOMEM, -EINVAL. */
int udp_create(struct net *net);
/* Closes all sockets. */
void udp_destroy(struct net *net);
/* NET_PKT_UDP that reached the owner of its flow by hash or a later shard; takes m over. */
void udp_input(struct net *net, struct rte_mbuf *m);
/* A NET_PKT_ICMP_ERROR, "fragmentation needed" about a datagram; takes m over. What is larger is
 * refused from now on (-EMSGSIZE), as we do not fragment. */
void udp_too_big(struct net *net, struct rte_mbuf *m);

#endif
