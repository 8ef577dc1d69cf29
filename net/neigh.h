/*
 * What ARP and the neighbour table agree on beside net/tables.h.
 */
#ifndef NET_NEIGH_H
#define NET_NEIGH_H

#include "net/tables.h"

/* For so long after its last confirmation an entry is believed without question, and a mere request
 * of somebody else does not displace it. */
#define NEIGH_FRESH_NS (30ull * 1000 * 1000 * 1000)

/* Readers see confirmations late, but whole. */
static inline uint64_t neigh_confirmed_ns(const struct net_neigh *neigh)
{
	return __atomic_load_n(&neigh->confirmed_ns, __ATOMIC_RELAXED);
}

#endif
