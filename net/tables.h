/*
 * What all shards of a process read and few ever write: interfaces, routes, neighbours and who
 * listens where. Readers are shards inside an RCU read section and never wait; a writer publishes a
 * new version under the tables' mutex (control path only) and retires the old one.
 */
#ifndef NET_TABLES_H
#define NET_TABLES_H

#include "net/addr.h"

#include <rte_ether.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	NET_IFACE_MAX = 16,
	NET_SHARD_MAX = 64,
	NET_ROUTE_MAX = 256,
	NET_NEIGH_MAX = 4096,
	NET_LISTEN_MAX = 4096,
};

struct net_tables;

/* One port as the stack sees it. Fixed after net_tables_create(). */
struct net_iface {
	struct rte_ether_addr mac;
	struct ip_addr addr;
	uint8_t prefix_len;
	uint16_t mtu;	      /* bytes of an IP packet */
	bool tx_ip_checksum;  /* the device fills in the IPv4 header checksum */
	bool tx_tcp_checksum; /* the device fills in TCP's, given the pseudo header's sum */
	bool tx_udp_checksum;
	bool tx_multi_segs; /* the device takes chained mbufs */
};

struct net_route {
	struct ip_addr dst;
	uint8_t prefix_len;
	uint16_t iface;
	struct ip_addr gateway; /* any: the destination itself is the next hop */
	uint16_t mtu, mss; /* bytes of a packet, of TCP's payload at most; 0: as the interface's */
};

/* NULL: out of memory. On-link routes come from the interfaces' own prefixes. */
struct net_tables *net_tables_create(const struct net_iface *ifaces, uint16_t iface_count);
/* No reader may be left. */
void net_tables_destroy(struct net_tables *tables);
/* Waits a grace period for what was retired and frees it; the control thread's, now and then. */
unsigned net_tables_reclaim(struct net_tables *tables);

uint16_t net_iface_count(const struct net_tables *tables);
const struct net_iface *net_iface_get(const struct net_tables *tables, uint16_t iface);
/* The interface that has the address, or -1. */
int net_iface_of(const struct net_tables *tables, struct ip_addr addr);
/* The address is 255.255.255.255 or the directed broadcast of an interface's prefix. */
bool net_addr_is_broadcast(const struct net_tables *tables, struct ip_addr addr);

/* --- routes (longest prefix first) --- */
int net_route_add_mt(struct net_tables *tables,
		     const struct net_route *route); /* -EEXIST, -ENOSPC, -EINVAL */
/* Where a packet goes next: interface, next hop, and which of our addresses is its source. */
struct net_hop {
	uint16_t iface;
	uint16_t mtu; /* bytes of an IP packet */
	uint16_t mss; /* 0: as mtu allows */
	struct ip_addr next, source;
};
int net_route_lookup_rcu(const struct net_tables *tables, struct ip_addr dst,
			 struct net_hop *hop); /* -EHOSTUNREACH */

/* --- neighbours --- */
struct net_neigh {
	struct ip_addr addr;
	uint16_t iface;
	bool fixed; /* from the configuration: never aged, never displaced */
	struct rte_ether_addr mac;
	uint64_t confirmed_ns;
};

/* Kinds of news about a neighbour, by ascending trust; see RFC 826, RFC 5227. */
enum net_neigh_news {
	NEIGH_GONE, /* probes went unanswered */
	NEIGH_SEEN, /* its ARP request, or a gratuitous one: fills gaps, does not displace a fresh
		       entry */
	NEIGH_ANSWERED, /* the answer to a request of ours */
	NEIGH_FIXED,	/* configured */
	NEIGH_CONFLICT, /* mac uses our own address: for the log, changes nothing */
};

/* Applies a batch of news in order and publishes once. Only the control thread (or a test). */
struct net_neigh_event {
	struct net_neigh neigh;
	enum net_neigh_news news;
};
void net_neigh_apply_mt(struct net_tables *tables, const struct net_neigh_event *events,
			unsigned count);
/* The entry, or NULL; and a number that grows with each publication, so that waiters look again. */
const struct net_neigh *net_neigh_lookup_rcu(const struct net_tables *tables, uint16_t iface,
					     struct ip_addr addr);
uint64_t net_neigh_version_rcu(const struct net_tables *tables);
/* Calls fn for every entry; for telemetry. */
void net_neigh_each_mt(const struct net_tables *tables,
		       void (*fn)(const struct net_neigh *, void *), void *arg);

/* --- who listens where ---
 *
 * An entry is {protocol, address or any, port} and the set of shards that have it open. One opened
 * on every shard gives each shard the flows that it owns; one opened on some gives the others'
 * flows to those. Flows accepted by a shard that is not their owner by hash are counted, per entry
 * and shard (one writer each), so that their later segments are found (net_listen_foreign_rcu()).
 */
/* proto: IPPROTO_TCP or IPPROTO_UDP. exclusive: fail with -EADDRINUSE if any shard has a clash.
 * -EADDRINUSE: this shard has it already; -ENOSPC: NET_LISTEN_MAX. */
int net_listen_add_mt(struct net_tables *tables, uint8_t proto, struct net_endpoint local,
		      uint16_t shard, bool exclusive);
void net_listen_remove_mt(struct net_tables *tables, uint8_t proto, struct net_endpoint local,
			  uint16_t shard);
/* Set of shards (bit i: shard i) that have the port open for a packet to this endpoint; 0 if none.
 * An entry with the exact address goes before one with any. */
uint64_t net_listen_shards_rcu(const struct net_tables *tables, uint8_t proto,
			       struct net_endpoint local);
/* The shard that shall accept a new flow with this hash whose owner by hash is owner; -1: nobody.
 */
int net_listen_shard_rcu(const struct net_tables *tables, uint8_t proto, struct net_endpoint local,
			 uint32_t hash, uint16_t owner);
/* A shard holds one flow more (+1) or less (-1) on this endpoint whose owner by hash is another.
 * The entry stays until the last such flow is gone, even without listeners; for a flow opened
 * actively it is made if need be (only then is the mutex taken). Called by that shard alone. -1
 * never fails; +1: -ENOSPC. */
int net_listen_foreign_mt(struct net_tables *tables, uint8_t proto, struct net_endpoint local,
			  uint16_t shard, int change);
/* Shards that hold such flows. A packet of an unknown flow visits them in ascending order,
 * cyclically from the owner by hash: net_owner_shard() in net/stack.h. */
uint64_t net_listen_foreign_rcu(const struct net_tables *tables, uint8_t proto,
				struct net_endpoint local);

#endif
