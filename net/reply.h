/*
 * The other end of net_reply_queue() (net/stack.h): what net.c does with the queued frames.
 */
#ifndef NET_REPLY_H
#define NET_REPLY_H

#include "net/stack.h"

/* Up to n queued frames of the interface, the caller's; returns how many. */
unsigned reply_take(struct net *net, uint16_t iface, struct rte_mbuf **pkts, unsigned n);
bool reply_idle(const struct net *net);
/* Frees what is queued. */
void reply_fini(struct net *net);

#endif
