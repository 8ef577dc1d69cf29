/*
 * The way to one remote address, looked up once and kept by whoever sends there: interface, source
 * address, next hop and its MAC address, as far as known.
 *
 *      net_dst_init()     route, once              -EHOSTUNREACH: no route
 *      net_dst_resolve()  before each packet       0: the MAC address is good
 *                                                  -EAGAIN: ARP asks; wait for tcp_neigh_changed()
 *                                                  -EHOSTUNREACH: nobody answered
 */
#ifndef NET_DST_H
#define NET_DST_H

#include "net/addr.h"
#include "net/stack.h"

#include <rte_branch_prediction.h>
#include <rte_ether.h>
#include <stdint.h>

enum { NET_DST_TCP_HEADERS_LEN = 20 + 20 }; /* IPv4 and TCP, no options */

#define NET_DST_CONFIRM_NS (15ull * 1000 * 1000 * 1000) /* before an entry's age is looked at */

struct net_dst {
	struct ip_addr source, next;
	uint16_t iface;
	uint16_t mtu; /* bytes of an IP packet, of the interface or the route */
	uint16_t mss; /* at most so much of TCP's payload; 0: what mtu leaves */
	struct rte_ether_addr mac;
	uint64_t neigh_version; /* of the table that mac came from; 0: not resolved */
	uint64_t recheck_ns;	/* when the entry's age is looked at again */
};

/* -EHOSTUNREACH: no route, or one of our own addresses; -EINVAL: not a unicast address. */
int net_dst_init(struct net *net, struct net_dst *dst, struct ip_addr remote);

/* The way back to where m came from, without a look-up: the frame's sender is the next hop. For
 * replies that keep no state (RST, ICMP). Resolved at once and for this packet only. */
void net_dst_reply(struct net *net, struct net_dst *dst, struct rte_mbuf *m);

/* What the route to remote allows, for a reply that tells of it (SYN-ACK). */
void net_dst_limit(struct net *net, struct net_dst *dst, struct ip_addr remote);

/* The slow part of net_dst_resolve(): table look-up; asks by ARP; probes old entries. */
int net_dst_lookup(struct net *net, struct net_dst *dst);

/* TCP has sent again and again without an answer (R1, RFC 9293 3.8.3): is the next hop there? */
void net_dst_doubt(struct net *net, const struct net_dst *dst);

/* TCP's payload of a segment without options that takes the whole MTU, or what the route clamps it
 * to. */
static inline uint16_t net_dst_mss(const struct net_dst *dst)
{
	uint16_t mss = (uint16_t)(dst->mtu - NET_DST_TCP_HEADERS_LEN);

	return dst->mss && dst->mss < mss ? dst->mss : mss;
}

/* The slow part of net_dst_confirm(). */
void net_dst_confirmed(struct net *net, struct net_dst *dst);

static inline int net_dst_resolve(struct net *net, struct net_dst *dst)
{
	if (likely(dst->neigh_version == net->neigh_version && net->now_ns < dst->recheck_ns))
		return 0;
	return net_dst_lookup(net, dst);
}

/*
 * An ACK of something new came back from beyond the next hop, which therefore lives: a flow that
 * makes progress needs no probes. Looks at the table at most once in a quarter of a minute.
 */
static inline void net_dst_confirm(struct net *net, struct net_dst *dst)
{
	if (unlikely(dst->neigh_version != 0 &&
		     net->now_ns + NET_DST_CONFIRM_NS >= dst->recheck_ns))
		net_dst_confirmed(net, dst);
}

#endif
