/*
 * Devices: the EAL's start, ports with one queue pair per shard, what each port was found to do,
 * and bursts. Knows nothing of TCP. Opening and closing is the control thread's; bursts are the
 * shard's that owns the queue. The simulator links another implementation of this header.
 */
#ifndef NIC_NIC_H
#define NIC_NIC_H

#include "nic/rss.h"

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NIC_PORT_MAX = 16, NIC_QUEUE_MAX = 64, NIC_DEVICE_LEN = 256, NIC_WHY_LEN = 256 };

/* --- the EAL --- */
struct nic_eal_config {
	const char *program;
	size_t memory_len; /* bytes that pools will take; decides hugepages and -m */
	enum nic_hugepages {
		NIC_HUGEPAGES_AUTO,
		NIC_HUGEPAGES_NEVER,
		NIC_HUGEPAGES_ALWAYS
	} hugepages;
	bool pci;		   /* some port is a PCI device */
	bool single_file_segments; /* memif zero-copy, virtio-user */
	bool telemetry;
	int log_level;		/* of the EAL, RTE_LOG_* ; 0: warnings and worse */
	const char *extra_args; /* appended, split at blanks; NULL: none */
};

/*
 * Starts the EAL in the calling thread, which becomes its main lcore. Once in a process: a later
 * call checks that what was started will do, and returns 0. The arguments that were chosen, and
 * why, are in why (kept by the callee). -ENOMEM, -EINVAL, -EIO; why says what.
 */
int nic_eal_start(const struct nic_eal_config *config, const char **why);
/* The calling thread becomes, or ceases to be, a registered lcore, so that mempool caches work. 0
 * or -errno. */
int nic_thread_register(void);
void nic_thread_unregister(void);
/* Hugepages are in use. */
bool nic_eal_hugepages(void);

/* --- ports --- */
enum nic_steering {
	NIC_STEER_AUTO,
	NIC_STEER_HARDWARE, /* the NIC's RSS with our key and RETA */
	NIC_STEER_SOFTWARE, /* the shard that polls a queue hands packets over to their owner */
};

struct nic_port_config {
	char device[NIC_DEVICE_LEN]; /* EAL --vdev or PCI syntax: "net_tap0,iface=clowder0",
					"0000:01:00.0" */
	uint16_t queue_count;	     /* wanted pairs; 0: one per shard */
	uint16_t rxd, txd;
	uint16_t mtu; /* 0: the device's */
	enum nic_steering steering;
	uint8_t rss_key[RSS_KEY_LEN];
	/* A tap's kernel side is brought up with this address (network order); prefix 0: leave it
	 * alone. */
	rte_be32_t kernel_addr;
	uint8_t kernel_prefix_len;
	bool has_mac;
	struct rte_ether_addr mac;
};

struct nic_port_info {
	char device[NIC_DEVICE_LEN];
	char driver[32];
	struct rte_ether_addr mac;
	uint16_t mtu;
	uint16_t queue_count; /* pairs in use: min(wanted, shards, the device's) */
	uint16_t rxd, txd;
	int numa_node;
	enum nic_steering steering; /* never AUTO */
	char why[NIC_WHY_LEN];	    /* one line: why that mode */
	uint16_t reta_size;
	uint64_t rss_hf; /* hash types in use; 0: none */
	bool tx_ip_checksum, tx_tcp_checksum, tx_udp_checksum, tx_multi_segs;
	bool rx_interrupts; /* a shard may sleep on its queue */
	/* The driver (net_af_xdp's) does not give back the buffers of its rings when it is closed:
	 * about 2,048 a queue are missing from the pool until it is freed. */
	bool keeps_buffers;
};

struct nic_port;

/*
 * Finds out what a device is, for placement: its NUMA node or -1. Probes (hotplugs) it, unless the
 * driver must be told a number of queues that only nic_port_start() knows. A port that is there
 * already (--vdev in the EAL's arguments, rte_eth_from_rings) is adopted by its name, and left
 * there when it is closed. -errno, and why says it in one line.
 */
int nic_port_probe(const struct nic_port_config *config, struct nic_port **out,
		   char why[NIC_WHY_LEN]);
/* Configures shard_count queue pairs as far as the device has them and starts it. Queue q receives
 * into pools[q]. 0, and why says how packets are steered; or -errno, and why says the reason; the
 * port must then be closed. */
int nic_port_start(struct nic_port *port, uint16_t shard_count, struct rte_mempool *const pools[],
		   char why[NIC_WHY_LEN]);
/* Stops and removes the device, freeing what its queues hold. NULL allowed. */
void nic_port_close(struct nic_port *port);
const struct nic_port_info *nic_port_info(const struct nic_port *port);
int nic_port_numa_node(const struct nic_port *port);

/*
 * Whether a packet may be believed to be on its owner's queue without computing the hash: true
 * while the steering is hardware and no packet contradicted. The first shard that finds a packet
 * whose hash or queue is not what rss.h computes says so; any thread, idempotent.
 */
void nic_port_distrust_mt(struct nic_port *port);
bool nic_port_trusted_mt(const struct nic_port *port);

/*
 * Whether anybody is at the other end, as far as the device can tell. The control thread looks, now
 * and then, as some devices answer by a system call; any thread asks what it last saw.
 */
void nic_port_link_look(struct nic_port *port);
bool nic_port_link_up_mt(const struct nic_port *port);

/* Bursts on queue pair q, one shard only. rx sets m->port to the DPDK port id. A packet to send
 * that asks for a TCP or UDP checksum has the pseudo header's sum in its field. */
uint16_t nic_rx_burst(struct nic_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);
/* Takes the first k of n packets and returns k; the others stay the caller's. */
uint16_t nic_tx_burst(struct nic_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);

/*
 * A file descriptor that is readable when packets came to the queue while it was armed, or -1. To
 * sleep: arm, one more nic_rx_burst() (what came before arming does not wake), poll; then disarm.
 * -ENOTSUP without interrupts.
 */
int nic_rx_interrupt_fd(struct nic_port *port, uint16_t queue);
int nic_rx_interrupt_arm(struct nic_port *port, uint16_t queue, bool on);

/* Device counters, for telemetry: name, value pairs; any thread. */
void nic_port_xstats_mt(const struct nic_port *port,
			void (*fn)(const char *name, uint64_t value, void *arg), void *arg);

#endif
