/*
 * The steering probe: whether the device sends each packet to the shard that owns its flow. It is
 * asked (hash types, key, RETA), set, and read back; only a device that then says exactly what the
 * software twin of rss.h computes is believed, and its packets are still checked as they come
 * (nic_port_distrust_mt()).
 */
#ifndef NIC_PROBE_H
#define NIC_PROBE_H

#include "nic/port.h"

/* Before configure: hash types to ask for; 0, with the port's steering and why set, when the device
 * cannot be the one who steers. */
uint64_t probe_hash_types(struct nic_port *port, const struct rte_eth_dev_info *dev,
			  uint16_t shard_count);
/* The key in the length that the device wants; key has room for PROBE_KEY_LEN_MAX. */
enum { PROBE_KEY_LEN_MAX = 64 };
uint8_t probe_key(const struct nic_port *port, const struct rte_eth_dev_info *dev, uint8_t *key);
/* After start: sets key and RETA, reads them back, and decides. */
void probe_prove(struct nic_port *port, const struct rte_eth_dev_info *dev, uint64_t hash_types,
		 uint16_t shard_count);

#endif
