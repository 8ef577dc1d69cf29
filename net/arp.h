/*
 * ARP (RFC 826, RFC 5227): finds next hops' MAC addresses, keeps found ones true, answers for our
 * own. What is learned goes to the control thread as news (net/tables.h) and comes back, to all
 * shards, as a new version of the neighbour table. A shard asks only for next hops that it sends
 * to.
 *
 *      nobody knows --ask--> ASKING --3 tries--> FAILED --FAILED_NS--> nobody knows
 *      known, older than fresh --ask its MAC--> PROBING --3 tries--> news NEIGH_GONE
 *      known, half of fresh, and TCP makes progress through it --> news NEIGH_SEEN, no probe
 *
 * Whoever uses an address of ours is counted (arp_conflicts) and told once in ten seconds that it
 * is ours (RFC 5227 2.4 (b)); we never give it up, as connections hang on it.
 */
#ifndef NET_ARP_H
#define NET_ARP_H

#include "net/stack.h"

enum {
	ARP_WAIT_MAX = 128, /* next hops that a shard asks for at one time */
	ARP_HELD_MAX = 64,  /* packets that wait for all of them ... */
	ARP_QUEUE_MAX = 48, /* ... and for one, so that a silent one leaves room for others */
	ARP_TRIES = 3,
	ARP_ANNOUNCE_NUM = 2, /* RFC 5227 1.1 */
};
#define ARP_RETRY_NS	(1000ull * 1000 * 1000)
#define ARP_FAILED_NS	(3 * ARP_RETRY_NS)
#define ARP_ANNOUNCE_NS (2 * ARP_RETRY_NS)
#define ARP_DEFEND_NS	(10 * ARP_RETRY_NS)

/* -ENOMEM. Shard 0 announces our addresses, from its first arp_poll() on. */
int arp_create(struct net *net);
/* Frees the packets that wait. */
void arp_destroy(struct net *net);

/* Whatever came with EtherType ARP, from a device or from another shard; takes m over. */
void arp_input(struct net *net, struct rte_mbuf *m);
void arp_poll(struct net *net);
uint64_t arp_deadline(const struct net *net);
/* The neighbour table has a new version: sends what waited for it. */
void arp_neigh_changed(struct net *net);
bool arp_idle(const struct net *net);

/* 0: *mac is good until *recheck_ns or the table's next version. -EAGAIN: asked. -EHOSTUNREACH:
 * asked in vain, or too many are being asked. */
int arp_resolve(struct net *net, uint16_t iface, struct ip_addr addr, struct rte_ether_addr *mac,
		uint64_t *recheck_ns);
/* Nothing comes back from beyond this next hop: asks it whether it is still there, unless it is
 * configured, or asked already. */
void arp_doubt(struct net *net, uint16_t iface, struct ip_addr addr);
/* What was sent by way of this next hop and mac has arrived (RFC 1122 2.3.2.1): its entry stays
 * fresh, unless it changed meanwhile. *recheck_ns as of arp_resolve(). */
void arp_confirm(struct net *net, uint16_t iface, struct ip_addr addr,
		 const struct rte_ether_addr *mac, uint64_t *recheck_ns);
/* Takes over a complete frame but for its destination MAC, after arp_resolve() said -EAGAIN; the
 * oldest one gives way. */
void arp_hold(struct net *net, uint16_t iface, struct ip_addr addr, struct rte_mbuf *m);

#endif
