/*
 * Which connection a flow belongs to: an rte_hash from struct net_flow to a pointer, made once for
 * a maximum of flows, without locks, for one owner. Its hash is keyed by a seed: not the Toeplitz
 * hash, whose symmetric key has 16 bits of entropy, so that an attacker could choose flows that
 * collide.
 */
#ifndef NET_FLOW_TABLE_H
#define NET_FLOW_TABLE_H

#include "net/addr.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	FLOW_TABLE_BULK_MAX = 64,
	FLOW_TABLE_NAME_MAX = 20, /* characters; EAL's names for the parts grow from it */
};

struct flow_table;

/*
 * name: unique in the process, at most FLOW_TABLE_NAME_MAX characters. count_max flows always find
 * room. seed: random, never shown to anyone. NULL: out of memory, or the name is taken. Needs the
 * EAL.
 */
struct flow_table *flow_table_create(const char *name, uint32_t count_max, int numa_node,
				     const uint64_t seed[2]);
/* Flows may still be in it. NULL is allowed. */
void flow_table_destroy(struct flow_table *table);

/* 0; -EEXIST; -ENOSPC: count_max flows are in it. value is not NULL. */
int flow_table_insert(struct flow_table *table, const struct net_flow *flow, void *value);
/* The value that was there, or NULL. */
void *flow_table_remove_or_null(struct flow_table *table, const struct net_flow *flow);
void *flow_table_find_or_null(const struct flow_table *table, const struct net_flow *flow);
/*
 * Looks n <= FLOW_TABLE_BULK_MAX flows up with their cache misses overlapped. values[i] is NULL for
 * a flow that is not there. The values hold as long as flow_table_version() says the same.
 */
void flow_table_find_bulk(struct flow_table *table, const struct net_flow *const *flows, unsigned n,
			  void **values);

/* Changes with each insert and remove. */
uint64_t flow_table_version(const struct flow_table *table);
uint32_t flow_table_count(const struct flow_table *table);
/* The keyed hash; for other tables of flows that must resist the same attack. */
uint32_t flow_table_hash(const struct flow_table *table, const struct net_flow *flow);

#endif
