#include "net/flow_table.h"

#include "mem/check.h"

#include <errno.h>
#include <rte_hash.h>
#include <stdlib.h>
#include <string.h>

struct flow_table {
	struct rte_hash *hash;
	uint64_t seed[2];
	uint64_t version;
	uint32_t count, count_max;
};

/* Half of a product of 64 by 64 bits hides the other half. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Two folded multiplies, both keyed: the first mixes the tuple with the seed, the second spreads it
 * over the low bits (the bucket) and the high ones (rte_hash's signature, by which it finds the
 * other bucket). */
static hash_sig_t hash_of(const struct flow_table *table, const struct net_flow *flow)
{
	uint64_t addrs, mixed;
	uint32_t ports;

	memcpy(&addrs, flow, sizeof(addrs));
	memcpy(&ports, (const char *)flow + sizeof(addrs), sizeof(ports));
	mixed = fold(addrs ^ table->seed[0], ports ^ table->seed[1]);
	mixed = fold(mixed ^ table->seed[1], table->seed[0] | 1);
	return (hash_sig_t)(mixed ^ mixed >> 32);
}

struct flow_table *flow_table_create(const char *name, uint32_t count_max, int numa_node,
				     const uint64_t seed[2])
{
	struct rte_hash_parameters parameters = {
		.name = name,
		.entries = count_max < 64 ? 64 : count_max,
		.key_len = sizeof(struct net_flow),
		.socket_id = numa_node,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
	};
	struct flow_table *table;

	if (strlen(name) > FLOW_TABLE_NAME_MAX)
		return NULL;
	table = calloc(1, sizeof(*table));
	if (!table)
		return NULL;
	table->hash = rte_hash_create(&parameters);
	if (!table->hash) {
		free(table);
		return NULL;
	}
	memcpy(table->seed, seed, sizeof(table->seed));
	table->count_max = count_max;
	return table;
}

void flow_table_destroy(struct flow_table *table)
{
	if (!table)
		return;
	rte_hash_free(table->hash);
	free(table);
}

int flow_table_insert(struct flow_table *table, const struct net_flow *flow, void *value)
{
	hash_sig_t hash = hash_of(table, flow);

	DEBUG_CHECK(value);
	if (rte_hash_lookup_with_hash(table->hash, flow, hash) >= 0)
		return -EEXIST;
	if (table->count == table->count_max ||
	    rte_hash_add_key_with_hash_data(table->hash, flow, hash, value))
		return -ENOSPC;
	table->count++;
	table->version++;
	return 0;
}

void *flow_table_remove_or_null(struct flow_table *table, const struct net_flow *flow)
{
	hash_sig_t hash = hash_of(table, flow);
	void *value;

	if (rte_hash_lookup_with_hash_data(table->hash, flow, hash, &value) < 0)
		return NULL;
	CHECK(rte_hash_del_key_with_hash(table->hash, flow, hash) >= 0);
	table->count--;
	table->version++;
	return value;
}

void *flow_table_find_or_null(const struct flow_table *table, const struct net_flow *flow)
{
	void *value;

	if (rte_hash_lookup_with_hash_data(table->hash, flow, hash_of(table, flow), &value) < 0)
		return NULL;
	return value;
}

void flow_table_find_bulk(const struct flow_table *table, const struct net_flow *const *flows,
			  unsigned n, void **values)
{
	const void *keys[FLOW_TABLE_BULK_MAX];
	hash_sig_t hashes[FLOW_TABLE_BULK_MAX];
	uint64_t hits = 0;

	CHECK(n <= FLOW_TABLE_BULK_MAX);
	if (n == 0)
		return;
	for (unsigned i = 0; i < n; i++) {
		keys[i] = flows[i];
		hashes[i] = hash_of(table, flows[i]);
	}
	rte_hash_lookup_with_hash_bulk_data(table->hash, keys, hashes, n, &hits, values);
	for (unsigned i = 0; i < n; i++)
		if (!(hits >> i & 1))
			values[i] = NULL;
}

uint64_t flow_table_version(const struct flow_table *table)
{
	return table->version;
}

uint32_t flow_table_count(const struct flow_table *table)
{
	return table->count;
}

uint32_t flow_table_hash(const struct flow_table *table, const struct net_flow *flow)
{
	return hash_of(table, flow);
}
