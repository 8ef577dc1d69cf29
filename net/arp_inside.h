/*
 * What arp.c (asking) and arp_in.c (hearing) share.
 */
#ifndef NET_ARP_INSIDE_H
#define NET_ARP_INSIDE_H

#include "net/arp.h"

#include <rte_arp.h>

enum {
	ARP_LEN = sizeof(struct rte_arp_hdr),
	/* Answers that are shown to the other shards, in case one of them asked. */
	ARP_WALKS_PER_SECOND = 1000,
	/* New neighbours that a shard learns of without having asked: each costs a new version of
	 * the table, and may displace an old entry. */
	ARP_LEARNED_PER_SECOND = 100,
	/* Next hops being asked for, beyond which claims of others start no more probes. */
	ARP_DOUBTED_MAX = ARP_WAIT_MAX / 2,
	ARP_TOLD_MAX = 16, /* a power of two */
};

/* A next hop that this shard asks for. */
struct arp_wait {
	enum { ARP_FREE, ARP_ASKING, ARP_PROBING, ARP_FAILED } state;
	struct ip_addr addr;
	uint16_t iface;
	uint8_t tries, held_count; /* of arp->held */
	struct rte_ether_addr mac; /* PROBING: whom to ask */
	uint64_t confirmed_ns;	   /* PROBING: as the table said when it began */
	uint64_t next_ns;
};

/* A frame that waits for its next hop's address. */
struct arp_held {
	struct arp_wait *wait;
	struct rte_mbuf *m;
};

/* Many connections go through one next hop: it is confirmed once for all of them. */
struct arp_told {
	struct ip_addr addr;
	uint16_t iface;
	uint64_t at_ns; /* 0: none */
};

struct arp {
	uint64_t deadline_ns;
	uint64_t fresh_ns; /* each shard probes at another age, so that one does for all */
	uint64_t announce_ns;
	uint64_t defended_ns[NET_IFACE_MAX];
	struct net_rate walk_rate, learn_rate;
	struct arp_told told[ARP_TOLD_MAX]; /* by address, the last */
	uint32_t announce_left;
	uint32_t wait_count; /* not FREE */
	struct arp_wait waits[ARP_WAIT_MAX];
	unsigned held_count;
	struct arp_held held[ARP_HELD_MAX]; /* oldest first */
};

/* Who has target? to NULL: everybody is asked. Lost if there is no room for it. */
void arp_request(struct net *net, uint16_t iface, struct ip_addr target,
		 const struct rte_ether_addr *to);
/* The next hop's entry, whatever its state; NULL: this shard does not ask for it. */
struct arp_wait *arp_wait_or_null(struct arp *arp, uint16_t iface, struct ip_addr addr);
/* Asks a neighbour that is not fixed whether it is still there; it is gone after ARP_TRIES. */
void arp_probe(struct net *net, const struct net_neigh *neigh);
/* News for the control thread. */
void arp_tell(struct net *net, uint16_t iface, struct ip_addr addr,
	      const struct rte_ether_addr *mac, uint64_t confirmed_ns, enum net_neigh_news news);

#endif
