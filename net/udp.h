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

#endif
