/*
 * From a plugged device to a running one: queue pairs, MTU, offloads, address, steering. Each is
 * the intersection of what is wanted and what rte_eth_dev_info_get() reports; what a device does
 * not have is done in software or left out, and what it must have and has not is an error with a
 * reason.
 */
#include "mem/log.h"
#include "nic/eal_log.h"
#include "nic/kif.h"
#include "nic/port.h"
#include "nic/probe.h"
#include "nic/tap.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DESCRIPTOR_COUNT = 512, /* where neither the user nor the driver has a wish */
	FRAME_OVERHEAD = RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN,
};

#define TX_CHECKSUMS                                                                               \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |                            \
	 RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

static uint16_t min16(uint16_t a, uint16_t b)
{
	return a < b ? a : b;
}

static int choose_queues(struct nic_port *port, const struct rte_eth_dev_info *dev,
			 uint16_t shard_count, char why[NIC_WHY_LEN])
{
	const struct nic_port_config *config = &port->config;
	uint16_t has = min16(dev->max_rx_queues, dev->max_tx_queues);
	uint16_t count =
		min16(config->queue_count ? config->queue_count : shard_count, shard_count);
	char given[16];

	if (port->device.driver && port->device.driver->queue_max)
		has = min16(has, port->device.driver->queue_max);
	count = min16(count, min16(has, NIC_QUEUE_MAX));
	if (count == 0) {
		snprintf(why, NIC_WHY_LEN, "%s: has no queue pair (%u receive, %u transmit queues)",
			 port->device.name, dev->max_rx_queues, dev->max_tx_queues);
		return -EINVAL;
	}
	/* The peer would send to queues that nobody polls. */
	if (port->device.driver && port->device.driver->queue_arg &&
	    device_arg(&port->device, port->device.driver->queue_arg, given, sizeof(given)) &&
	    strtoul(given, NULL, 0) > count) {
		snprintf(why, NIC_WHY_LEN, "%s: %s=%s, but only %u would be polled, one per shard",
			 port->device.name, port->device.driver->queue_arg, given, count);
		return -EINVAL;
	}
	port->info.queue_count = count;
	return 0;
}

/* The device's MTU, or that of the kernel interface under it. */
static uint16_t found_mtu(const struct nic_port *port, const struct rte_eth_dev_info *dev)
{
	char ifname[IF_NAMESIZE];
	uint16_t mtu = RTE_ETHER_MTU;
	int kernel = dev->if_index && if_indextoname(dev->if_index, ifname) ? kif_mtu(ifname) : 0;

	if (kernel > 0)
		return kernel > UINT16_MAX ? UINT16_MAX : (uint16_t)kernel;
	if (rte_eth_dev_get_mtu(port->port_id, &mtu) || mtu == 0)
		return RTE_ETHER_MTU;
	return mtu;
}

static int choose_mtu(struct nic_port *port, const struct rte_eth_dev_info *dev,
		      struct rte_mempool *const pools[], char why[NIC_WHY_LEN])
{
	uint16_t mtu = port->config.mtu ? port->config.mtu : found_mtu(port, dev);
	uint32_t frame_max = dev->max_rx_pktlen - RTE_ETHER_HDR_LEN - RTE_ETHER_CRC_LEN;
	uint16_t max = frame_max < dev->max_mtu ? (uint16_t)frame_max : dev->max_mtu;

	uint16_t min = dev->min_mtu > RTE_ETHER_MIN_MTU ? dev->min_mtu : RTE_ETHER_MIN_MTU;

	if (port->config.mtu == 0 && mtu > max)
		mtu = max;
	if (mtu > max || mtu < min) {
		snprintf(why, NIC_WHY_LEN, "%s: mtu %u, but the device takes %u .. %u",
			 port->device.name, mtu, min, max);
		return -EINVAL;
	}
	for (uint16_t q = 0; q < port->info.queue_count; q++) {
		uint32_t room = rte_pktmbuf_data_room_size(pools[q]) - RTE_PKTMBUF_HEADROOM;

		if (room < (uint32_t)mtu + FRAME_OVERHEAD) {
			snprintf(why, NIC_WHY_LEN,
				 "%s: mtu %u needs buffers of %u bytes, those of shard %u have %u",
				 port->device.name, mtu, mtu + FRAME_OVERHEAD, q, room);
			return -EINVAL;
		}
	}
	port->info.mtu = mtu;
	return 0;
}

static void choose_offloads(struct nic_port *port, const struct rte_eth_dev_info *dev,
			    uint64_t hash_types, struct rte_eth_conf *conf)
{
	const struct device_driver *driver = port->device.driver;
	uint64_t rx = 0, tx = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;

	if (!driver || !driver->sums_in_software) {
		rx |= RTE_ETH_RX_OFFLOAD_CHECKSUM;
		tx |= TX_CHECKSUMS;
	}
	if (hash_types)
		rx |= RTE_ETH_RX_OFFLOAD_RSS_HASH;
	conf->rxmode.offloads = rx & dev->rx_offload_capa;
	/* Not MBUF_FAST_FREE: buffers come from several pools and are reference counted. */
	tx &= dev->tx_offload_capa;
	conf->txmode.offloads = tx;
	port->info.tx_ip_checksum = tx & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
	port->info.tx_tcp_checksum = tx & RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	port->info.tx_udp_checksum = tx & RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	port->info.tx_multi_segs = tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
}

static uint16_t choose_descriptors(uint16_t configured, uint16_t driver)
{
	return configured ? configured : driver ? driver : DESCRIPTOR_COUNT;
}

static int configure(struct nic_port *port, const struct rte_eth_dev_info *dev, uint64_t hash_types,
		     bool interrupts)
{
	struct nic_port_info *info = &port->info;
	struct rte_eth_conf conf = {.rxmode.mtu = info->mtu, .intr_conf.rxq = interrupts};
	uint8_t key[PROBE_KEY_LEN_MAX];
	int rc;

	choose_offloads(port, dev, hash_types, &conf);
	if (hash_types) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_key = key;
		conf.rx_adv_conf.rss_conf.rss_key_len = probe_key(port, dev, key);
		conf.rx_adv_conf.rss_conf.rss_hf = hash_types;
	}
	rc = rte_eth_dev_configure(port->port_id, info->queue_count, info->queue_count, &conf);
	if (rc)
		return rc;
	info->rxd = choose_descriptors(port->config.rxd, dev->default_rxportconf.ring_size);
	info->txd = choose_descriptors(port->config.txd, dev->default_txportconf.ring_size);
	return rte_eth_dev_adjust_nb_rx_tx_desc(port->port_id, &info->rxd, &info->txd);
}

static int setup_queues(struct nic_port *port, const struct rte_eth_dev_info *dev,
			struct rte_mempool *const pools[])
{
	struct rte_eth_rxconf rxconf = dev->default_rxconf;
	struct rte_eth_txconf txconf = dev->default_txconf;
	unsigned socket = (unsigned)port->numa_node;
	int rc = 0;

	rxconf.offloads = 0; /* those of the port are every queue's */
	txconf.offloads = 0;
	for (uint16_t q = 0; q < port->info.queue_count && rc == 0; q++) {
		rc = rte_eth_rx_queue_setup(port->port_id, q, port->info.rxd, socket, &rxconf,
					    pools[q]);
		if (rc == 0)
			rc = rte_eth_tx_queue_setup(port->port_id, q, port->info.txd, socket,
						    &txconf);
	}
	return rc;
}

/* Configures and starts, at first with interrupts; a device that refuses them gets along without.
 */
static int bring_up(struct nic_port *port, const struct rte_eth_dev_info *dev, uint64_t hash_types,
		    struct rte_mempool *const pools[], bool interrupts)
{
	int rc = configure(port, dev, hash_types, interrupts);

	if (rc == 0)
		rc = setup_queues(port, dev, pools);
	if (rc == 0) {
		rc = rte_eth_dev_set_mtu(port->port_id, port->info.mtu);
		if (rc == -ENOTSUP)
			rc = 0; /* a device of memory: its frames are as long as the buffers */
	}
	if (rc == 0)
		rc = rte_eth_dev_start(port->port_id);
	port->info.rx_interrupts = rc == 0 && interrupts;
	return rc;
}

static int choose_mac(struct nic_port *port, char why[NIC_WHY_LEN])
{
	struct rte_ether_addr mac = {0};
	bool tap = device_is(&port->device, "net_tap");

	rte_eth_macaddr_get(port->port_id, &mac);
	if (port->config.has_mac) {
		if (!rte_is_valid_assigned_ether_addr(&port->config.mac))
			return port_fail(port, -EINVAL, "mac", "not a unicast address", why);
		/* A tap's MAC address is the kernel side's, ours is another. */
		if (!tap && !rte_is_same_ether_addr(&mac, &port->config.mac) &&
		    rte_eth_dev_default_mac_addr_set(port->port_id, &port->config.mac))
			rte_eth_promiscuous_enable(port->port_id);
		mac = port->config.mac;
	} else if (tap) {
		mac.addr_bytes[RTE_ETHER_ADDR_LEN - 1] ^= 1;
	} else if (!rte_is_valid_assigned_ether_addr(&mac)) {
		rte_eth_random_addr(mac.addr_bytes); /* net_ring, net_null: all zeros */
	}
	port->info.mac = mac;
	return 0;
}

static int finish(struct nic_port *port, const struct rte_eth_dev_info *dev, char why[NIC_WHY_LEN])
{
	char ifname[IF_NAMESIZE];
	int rc;

	/* Devices that cannot are as they should be already. */
	rte_eth_promiscuous_disable(port->port_id);
	rte_eth_allmulticast_disable(port->port_id);
	rc = choose_mac(port, why);
	if (rc || !device_is(&port->device, "net_tap") || port->config.kernel_prefix_len == 0)
		return rc;
	if (!if_indextoname(dev->if_index, ifname))
		return port_fail(port, -errno, "its kernel interface", "", why);
	return tap_kernel_side(ifname, &port->config, why);
}

static void describe(struct nic_port *port, const struct rte_eth_dev_info *dev)
{
	struct nic_port_info *info = &port->info;

	snprintf(info->device, sizeof(info->device), "%s%s%.*s", port->device.name,
		 port->device.args[0] ? "," : "",
		 (int)(sizeof(info->device) - sizeof(port->device.name) - 2), port->device.args);
	snprintf(info->driver, sizeof(info->driver), "%s", dev->driver_name);
	info->numa_node = port->numa_node;
	info->reta_size = dev->reta_size;
	info->keeps_buffers = port->device.driver && port->device.driver->keeps_buffers;
}

int setup_start(struct nic_port *port, uint16_t shard_count, struct rte_mempool *const pools[],
		char why[NIC_WHY_LEN])
{
	struct rte_eth_dev_info dev;
	uint64_t hash_types;
	const char *caught;
	int rc = rte_eth_dev_info_get(port->port_id, &dev);

	if (rc)
		return port_fail(port, rc, "says nothing about itself", "", why);
	rc = choose_queues(port, &dev, shard_count, why);
	if (rc == 0)
		rc = choose_mtu(port, &dev, pools, why);
	if (rc)
		return rc;
	describe(port, &dev);
	hash_types = probe_hash_types(port, &dev, shard_count);
	eal_log_catch_begin();
	rc = bring_up(port, &dev, hash_types, pools, true);
	if (rc)
		rc = bring_up(port, &dev, hash_types, pools, false);
	if (rc == 0) {
		port->started = true;
		probe_prove(port, &dev, hash_types, shard_count);
		rc = finish(port, &dev, why);
		eal_log_catch_end();
		return rc;
	}
	caught = eal_log_catch_end();
	return port_fail(port, rc, "did not start", caught, why);
}
