/*
 * Steering inside the stack: each packet of a burst goes to the owner of its flow by hash. What
 * happens when the owner does not know the flow: net_owner_shard() in net/stack.h.
 */
#ifndef NET_STEER_H
#define NET_STEER_H

#include "net/stack.h"

/* n <= NET_BURST_MAX packets with a flow (TCP, UDP, ICMP errors): sets m->hash.rss and the owner,
 * hands over those of other shards, returns how many were left, in order, at the front of pkts. Of
 * a lone shard that is all of them, and no hash is computed: nobody would ask for it. */
unsigned steer_burst(struct net *net, struct rte_mbuf **pkts, unsigned n);

#endif
