#include "nic/probe.h"

#include "mem/log.h"

#include <errno.h>
#include <rte_errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_MAX (RTE_ETH_RSS_RETA_SIZE_512 / RTE_ETH_RETA_GROUP_SIZE)

/* Addresses and ports of what net/ speaks; not the variants that hash an extension header. */
#define HASH_TYPES                                                                                 \
	(RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP |                 \
	 RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV6 |                 \
	 RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP)

__attribute__((format(printf, 2, 3))) static void software(struct nic_port *port, const char *fmt,
							   ...)
{
	struct nic_port_info *info = &port->info;
	va_list ap;

	info->steering = NIC_STEER_SOFTWARE;
	info->rss_hf = 0;
	va_start(ap, fmt);
	vsnprintf(info->why, sizeof(info->why), fmt, ap);
	va_end(ap);
	if (port->config.steering == NIC_STEER_HARDWARE)
		log_warning("%s: hardware steering is configured, but: %s", port->device.name,
			    info->why);
}

/* Said only where every shard has a queue: from another's queue they do not come home. */
static void add_homing(struct nic_port *port, uint16_t shard_count)
{
	struct nic_port_info *info = &port->info;
	const struct device_driver *driver = port->device.driver;
	size_t len = strlen(info->why);

	if (driver && driver->homing && shard_count > 1 && info->queue_count == shard_count)
		snprintf(info->why + len, sizeof(info->why) - len,
			 "; flows come home by themselves: %s", driver->homing);
}

uint64_t probe_hash_types(struct nic_port *port, const struct rte_eth_dev_info *dev,
			  uint16_t shard_count)
{
	uint64_t types = dev->flow_type_rss_offloads & HASH_TYPES;
	uint16_t queues = port->info.queue_count;

	if (port->config.steering == NIC_STEER_SOFTWARE)
		software(port, "configured so");
	else if (queues < shard_count)
		software(port, "%u queue%s for %u shards", queues, queues == 1 ? "" : "s",
			 shard_count);
	else if (shard_count == 1)
		software(port, "one shard, nothing to steer");
	else if (dev->reta_size == 0)
		software(port, "reta size 0: the device has no table to send flows by");
	else if (dev->reta_size > GROUP_MAX * RTE_ETH_RETA_GROUP_SIZE ||
		 (dev->reta_size & (dev->reta_size - 1)))
		software(port, "reta size %u is not a power of two up to 512", dev->reta_size);
	else if (!(types & RTE_ETH_RSS_NONFRAG_IPV4_TCP))
		software(port, "the device does not hash TCP ports");
	else
		return types;
	add_homing(port, shard_count);
	return 0;
}

uint8_t probe_key(const struct nic_port *port, const struct rte_eth_dev_info *dev, uint8_t *key)
{
	uint8_t len = dev->hash_key_size ? dev->hash_key_size : RSS_KEY_LEN;

	/* What hashes IPv6 addresses and ports uses 40 bytes; a longer key's rest does not matter.
	 */
	if (len > PROBE_KEY_LEN_MAX)
		len = PROBE_KEY_LEN_MAX;
	for (uint8_t i = 0; i < len; i++)
		key[i] = port->config.rss_key[i % RSS_KEY_LEN];
	return len;
}

/* NULL, or what went wrong. */
static const char *prove_hash(struct nic_port *port, const struct rte_eth_dev_info *dev,
			      uint64_t types)
{
	uint8_t key[PROBE_KEY_LEN_MAX], found[PROBE_KEY_LEN_MAX] = {0};
	uint8_t len = probe_key(port, dev, key);
	struct rte_eth_rss_conf set = {.rss_key = key, .rss_key_len = len, .rss_hf = types};
	struct rte_eth_rss_conf got = {.rss_key = found, .rss_key_len = len};

	if (len < RSS_KEY_LEN)
		return "its hash key is shorter than 40 bytes";
	if (rte_eth_dev_rss_hash_update(port->port_id, &set))
		return "it did not take the hash key";
	if (rte_eth_dev_rss_hash_conf_get(port->port_id, &got))
		return "its hash key cannot be read back";
	if (got.rss_key_len < RSS_KEY_LEN || memcmp(key, found, RSS_KEY_LEN) != 0)
		return "the hash key that it has is not the one it was given";
	if ((got.rss_hf & types) != types)
		return "it left out hash types that it offers";
	return NULL;
}

/* NULL, or what went wrong. queue_of: the RETA that the shards assume. */
static const char *prove_reta(struct nic_port *port, uint16_t reta_size,
			      const uint16_t queue_of[RSS_BUCKET_COUNT])
{
	struct rte_eth_rss_reta_entry64 set[GROUP_MAX] = {0}, got[GROUP_MAX] = {0};

	for (unsigned b = 0; b < RSS_BUCKET_COUNT; b++)
		if (queue_of[b] != queue_of[b & (reta_size - 1)])
			return "its table is too small for this number of shards";
	for (uint16_t i = 0; i < reta_size; i++) {
		uint16_t g = i / RTE_ETH_RETA_GROUP_SIZE, e = i % RTE_ETH_RETA_GROUP_SIZE;

		set[g].mask |= UINT64_C(1) << e;
		set[g].reta[e] = queue_of[i & (RSS_BUCKET_COUNT - 1)];
		got[g].mask = set[g].mask;
	}
	if (rte_eth_dev_rss_reta_update(port->port_id, set, reta_size))
		return "it did not take the RETA";
	if (rte_eth_dev_rss_reta_query(port->port_id, got, reta_size))
		return "its RETA cannot be read back";
	for (uint16_t i = 0; i < reta_size; i++) {
		uint16_t g = i / RTE_ETH_RETA_GROUP_SIZE, e = i % RTE_ETH_RETA_GROUP_SIZE;

		if (set[g].reta[e] != got[g].reta[e])
			return "the RETA that it has is not the one it was given";
	}
	return NULL;
}

void probe_prove(struct nic_port *port, const struct rte_eth_dev_info *dev, uint64_t hash_types,
		 uint16_t shard_count)
{
	struct rss *rss;
	const char *wrong;

	if (hash_types == 0)
		return;
	rss = malloc(sizeof(*rss));
	if (!rss) {
		software(port, "out of memory while it was probed");
		return;
	}
	/* The same table as the shards have: each polls the queue of its own number. */
	rss_init(rss, port->config.rss_key, shard_count);
	wrong = prove_hash(port, dev, hash_types);
	if (!wrong)
		wrong = prove_reta(port, dev->reta_size, rss->reta);
	free(rss);
	if (wrong) {
		software(port, "the device claims RSS, but %s", wrong);
		return;
	}
	port->info.steering = NIC_STEER_HARDWARE;
	port->info.rss_hf = hash_types;
	atomic_store_explicit(&port->trusted, true, memory_order_relaxed);
	snprintf(port->info.why, sizeof(port->info.why),
		 "hash key and RETA of %u read back as set; packets are checked as they come",
		 dev->reta_size);
}
