#include "net/flow_table.h"

#include "mem/check.h"

#include <errno.h>
#include <rte_hash.h>
#include <stdlib.h>
#include <string.h>

enum { RECENT_COUNT = 512 }; /* a power of two */

/* A flow that was looked up of late. What few connections say over and over is found here, in one
 * cache line and without the work that rte_hash has with a key. */
struct recent {
	struct net_flow flow;
	void *value; /* NULL: none */
};

struct flow_table {
	struct rte_hash *hash;
	struct recent recent[RECENT_COUNT];
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

static struct recent *recent_of(struct flow_table *table, hash_sig_t hash)
{
	return &table->recent[hash & (RECENT_COUNT - 1)];
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
	if (net_flow_eq(&recent_of(table, hash)->flow, flow))
		recent_of(table, hash)->value = NULL;
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

/* Those that were not looked up of late, with their cache misses overlapped. */
static void find_others(struct flow_table *table, const struct net_flow *const *flows,
			const hash_sig_t *hashes, const uint8_t *places, unsigned n, void **values)
{
	const void *keys[FLOW_TABLE_BULK_MAX];
	void *found[FLOW_TABLE_BULK_MAX];
	uint64_t hits = 0;

	for (unsigned i = 0; i < n; i++)
		keys[i] = flows[places[i]];
	rte_hash_lookup_with_hash_bulk_data(table->hash, keys, (hash_sig_t *)hashes, n, &hits,
					    found);
	for (; hits; hits &= hits - 1) {
		unsigned i = (unsigned)__builtin_ctzll(hits);

		values[places[i]] = found[i];
		*recent_of(table, hashes[i]) = (struct recent){*flows[places[i]], found[i]};
	}
}

void flow_table_find_bulk(struct flow_table *table, const struct net_flow *const *flows, unsigned n,
			  void **values)
{
	hash_sig_t hashes[FLOW_TABLE_BULK_MAX];
	uint8_t places[FLOW_TABLE_BULK_MAX];
	unsigned others = 0;

	CHECK(n <= FLOW_TABLE_BULK_MAX);
	for (unsigned i = 0; i < n; i++) {
		hash_sig_t hash = hash_of(table, flows[i]);
		const struct recent *recent = recent_of(table, hash);

		values[i] = NULL;
		if (recent->value && net_flow_eq(&recent->flow, flows[i])) {
			values[i] = recent->value;
		} else {
			hashes[others] = hash;
			places[others++] = (uint8_t)i;
		}
	}
	if (others > 0)
		find_others(table, flows, hashes, places, others, values);
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
