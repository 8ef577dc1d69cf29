/*
 * What tables.c, route.c, neigh.c and listen.c share. Each table is one immutable allocation that a
 * writer, holding the mutex, replaces: readers load the pointer with acquire, writers publish with
 * release and retire the old one.
 */
#ifndef NET_TABLES_INSIDE_H
#define NET_TABLES_INSIDE_H

#include "mem/rcu.h"
#include "net/tables.h"

#include <pthread.h>

struct route_table;
struct neigh_table;
struct listen_table;

struct net_tables {
	struct net_iface ifaces[NET_IFACE_MAX];
	struct ip_addr broadcasts[NET_IFACE_MAX]; /* of each */
	uint16_t iface_count;
	pthread_mutex_t mutex; /* writers only */
	struct rcu_retired *retired;
	struct route_table *routes;
	struct neigh_table *neighs;
	struct listen_table *listens;
};

/* Host order mask of a prefix. */
static inline uint32_t prefix_mask(uint8_t prefix_len)
{
	return prefix_len ? UINT32_MAX << (32 - prefix_len) : 0;
}

static inline bool prefix_has(struct ip_addr prefix, uint8_t prefix_len, struct ip_addr addr)
{
	return !((prefix.v4 ^ addr.v4) & rte_cpu_to_be_32(prefix_mask(prefix_len)));
}

/* Spreads 32 bits over 32 bits (the finalizer of MurmurHash3); keys here are not the attacker's to
 * choose freely, and tables are small. */
static inline uint32_t mix32(uint32_t x)
{
	x = (x ^ x >> 16) * 0x85ebca6bu;
	x = (x ^ x >> 13) * 0xc2b2ae35u;
	return x ^ x >> 16;
}

/* Each table's first version and its end; called by tables.c. False or NULL: out of memory. */
struct route_table *route_table_create(const struct net_iface *ifaces, uint16_t iface_count);
struct neigh_table *neigh_table_create(void);
struct listen_table *listen_table_create(void);
void listen_table_destroy(struct listen_table *table);
/* Forgets entries that nobody has open and no flow needs; with the mutex held. */
void listen_table_purge(struct net_tables *tables);

#endif
