/* nic/nic.h on simulated wires: devices with queues, steering, and moods. */
#include "sim/sim.h"

#include "mem/check.h"

#include <errno.h>
#include <rte_eal.h>
#include <rte_ip.h>
#include <rte_lcore.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SNAP_FLOW_LEN = 12, MTU_DEFAULT = 1500 };

struct rx_queue {
	struct sim_frames frames;
	unsigned count;
};

struct nic_port {
	struct sim_host *host;
	struct nic_port_config config;
	struct nic_port_info info;
	bool distrusted, rss_able;
	uint16_t queue_max;
	int link, direction; /* by which it sends; -1: not plugged */
	struct demi_sim_device device;
	struct random random;
	uint64_t spread; /* of a device that steers in its own way */
	struct rss *rss;
	struct rte_mempool *pools[NIC_QUEUE_MAX];
	struct rx_queue rx[NIC_QUEUE_MAX];
};

/* --- the EAL --- */
int nic_eal_start(const struct nic_eal_config *config, const char **why)
{
	static bool started;
	const char *mib = getenv("CLOWDER_SIM_MIB");
	char memory[24], lcores[24], prefix[48];
	char *argv[] = {"clowder-sim",	  "--no-huge",	   "-m",   memory,
			"--no-pci",	  "--no-shconf",   lcores, "--iova-mode=va",
			"--no-telemetry", "--log-level=4", prefix, NULL};

	(void)config;
	*why = "simulated";
	if (started)
		return 0;
	snprintf(memory, sizeof(memory), "%d", mib && atoi(mib) > 0 ? atoi(mib) : 1024);
	snprintf(lcores, sizeof(lcores), "--lcores=0@%d", sched_getcpu());
	snprintf(prefix, sizeof(prefix), "--file-prefix=sim%d", (int)getpid());
	if (rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0) {
		*why = "rte_eal_init() failed";
		return -EIO;
	}
	started = true;
	return 0;
}

int nic_thread_register(void)
{
	return 0;
}

void nic_thread_unregister(void)
{
}

bool nic_eal_hugepages(void)
{
	return false;
}

/* --- ports --- */

/* ",key=number" of a device's name. */
static unsigned ability(const char *device, const char *key, unsigned otherwise)
{
	char text[24];
	const char *at;

	snprintf(text, sizeof(text), ",%s=", key);
	at = strstr(device, text);
	return at ? (unsigned)strtoul(at + strlen(text), NULL, 10) : otherwise;
}

static void describe(struct nic_port *port, unsigned number)
{
	const struct nic_port_config *config = &port->config;
	bool checksum = ability(config->device, "checksum", 0);
	const int node = port->host->node;

	port->info = (struct nic_port_info){
		.driver = "simulated",
		.mtu = config->mtu ? config->mtu : MTU_DEFAULT,
		.rxd = config->rxd,
		.txd = config->txd,
		.numa_node = -1,
		.reta_size = RSS_BUCKET_COUNT,
		.tx_ip_checksum = checksum,
		.tx_tcp_checksum = checksum,
		.tx_udp_checksum = checksum,
		.tx_multi_segs = ability(config->device, "chains", 1),
		.mac.addr_bytes = {2, 0, 0, (uint8_t)(node >> 8), (uint8_t)node, (uint8_t)number},
	};
	memcpy(port->info.device, config->device, sizeof(port->info.device));
	if (config->has_mac)
		port->info.mac = config->mac;
	port->rss_able = ability(config->device, "rss", 1);
	port->queue_max = (uint16_t)RTE_MIN(ability(config->device, "queues", NIC_QUEUE_MAX),
					    (unsigned)NIC_QUEUE_MAX);
}

int nic_port_probe(const struct nic_port_config *config, struct nic_port **out,
		   char why[NIC_WHY_LEN])
{
	struct sim_host *host = sim_current.host;
	struct nic_port *port;

	if (!host) {
		snprintf(why, NIC_WHY_LEN, "no simulated host runs; see demi_sim_host()");
		return -ENODEV;
	}
	port = calloc(1, sizeof(*port));
	if (!port)
		return -ENOMEM;
	port->host = host;
	port->config = *config;
	port->link = -1;
	describe(port, host->port_count);
	random_init(&port->random, host->world->seed,
		    0x40000000u + (unsigned)host->node * NIC_PORT_MAX + host->port_count);
	port->spread = random_next(&port->random);
	for (unsigned q = 0; q < NIC_QUEUE_MAX; q++)
		TAILQ_INIT(&port->rx[q].frames);
	host->ports[host->port_count++] = port;
	*out = port;
	return 0;
}

/* 0, or -ENOTSUP: it cannot steer and was told to. */
static int choose_steering(struct nic_port *port, uint16_t shard_count, char why[NIC_WHY_LEN])
{
	bool able = port->rss_able && port->info.queue_count == shard_count;

	if (port->config.steering == NIC_STEER_HARDWARE && !able) {
		snprintf(why, NIC_WHY_LEN, "the device has no RSS, or fewer queues than shards");
		return -ENOTSUP;
	}
	if (port->config.steering == NIC_STEER_SOFTWARE)
		able = false;
	port->info.steering = able ? NIC_STEER_HARDWARE : NIC_STEER_SOFTWARE;
	snprintf(port->info.why, sizeof(port->info.why), "simulated");
	return 0;
}

int nic_port_start(struct nic_port *port, uint16_t shard_count, struct rte_mempool *const pools[],
		   char why[NIC_WHY_LEN])
{
	uint16_t wanted = port->config.queue_count ? port->config.queue_count : shard_count;
	static const uint8_t no_key[RSS_KEY_LEN];
	const uint8_t *key = port->config.rss_key;
	int rc;

	port->info.queue_count = RTE_MIN(RTE_MIN(wanted, shard_count), port->queue_max);
	if (!port->info.queue_count)
		port->info.queue_count = 1;
	memcpy(port->pools, pools, shard_count * sizeof(pools[0]));
	rc = choose_steering(port, shard_count, why);
	if (rc || port->info.steering != NIC_STEER_HARDWARE || shard_count == 1)
		return rc;
	port->rss = malloc(sizeof(*port->rss));
	if (!port->rss)
		return -ENOMEM;
	rss_init(port->rss, memcmp(key, no_key, RSS_KEY_LEN) ? key : rss_key_symmetric,
		 shard_count);
	return 0;
}

void nic_port_close(struct nic_port *port)
{
	struct sim_frame *frame;

	if (!port)
		return;
	for (unsigned q = 0; q < NIC_QUEUE_MAX; q++)
		while ((frame = TAILQ_FIRST(&port->rx[q].frames))) {
			TAILQ_REMOVE(&port->rx[q].frames, frame, link);
			free(frame);
		}
	for (unsigned i = 0; i < port->host->port_count; i++)
		if (port->host->ports[i] == port)
			port->host->ports[i] = NULL;
	free(port->rss);
	free(port);
}

const struct nic_port_info *nic_port_info(const struct nic_port *port)
{
	return &port->info;
}

int nic_port_numa_node(const struct nic_port *port)
{
	(void)port;
	return -1;
}

void nic_port_distrust_mt(struct nic_port *port)
{
	port->distrusted = true;
}

bool nic_port_trusted_mt(const struct nic_port *port)
{
	return port->info.steering == NIC_STEER_HARDWARE && !port->distrusted;
}

bool nic_port_link_up_mt(const struct nic_port *port)
{
	return !port->device.down;
}

void nic_plug(struct nic_port *port, int link, int direction)
{
	port->link = link;
	port->direction = direction;
}

bool nic_plugged(const struct nic_port *port)
{
	return port->link >= 0;
}

void nic_misbehave(struct nic_port *port, const struct demi_sim_device *device)
{
	port->device = *device;
	for (uint16_t i = 0; i < port->host->shard_count; i++)
		sim_due(&port->host->shards[i], 0);
}

/* --- receiving --- */

/* The addresses, and the ports of what is TCP or UDP and no fragment; 0: not IPv4. */
static unsigned flow_of(const struct sim_frame *frame, uint8_t flow[SNAP_FLOW_LEN])
{
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)frame->bytes;
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	size_t at = sizeof(*eth);

	if (frame->len < at + sizeof(*ip) || eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4))
		return 0;
	memcpy(flow, &ip->src_addr, 8);
	at += rte_ipv4_hdr_len(ip);
	if ((ip->next_proto_id != IPPROTO_TCP && ip->next_proto_id != IPPROTO_UDP) ||
	    ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK) ||
	    at + 4 > frame->len)
		return 8;
	memcpy(flow + 8, frame->bytes + at, 4);
	return SNAP_FLOW_LEN;
}

/* Not ours, not symmetric: what a device does whose hash nobody told us of. */
static uint32_t own_hash(const struct nic_port *port, const uint8_t *flow, unsigned len)
{
	uint64_t hash = port->spread;

	for (unsigned i = 0; i < len; i++)
		hash = (hash ^ flow[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash >> 32);
}

static uint16_t choose_queue(const struct nic_port *port, const struct sim_frame *frame,
			     uint32_t *hash)
{
	uint8_t flow[SNAP_FLOW_LEN];
	unsigned len = flow_of(frame, flow);

	*hash = 0;
	if (!len || port->info.queue_count == 1)
		return 0;
	if (!port->rss)
		return (uint16_t)(own_hash(port, flow, len) % port->info.queue_count);
	*hash = rss_hash_bytes(port->rss, flow, len);
	return rss_owner(port->rss, *hash);
}

void nic_arrive(struct nic_port *port, struct sim_frame *frame)
{
	uint32_t hash;
	uint16_t queue = choose_queue(port, frame, &hash);
	struct rx_queue *rx = &port->rx[queue];

	if (port->device.down || rx->count >= port->info.rxd) {
		port->host->world->figures.rx_dropped++;
		free(frame);
		return;
	}
	TAILQ_INSERT_TAIL(&rx->frames, frame, link);
	rx->count++;
	sim_due(&port->host->shards[queue], 0);
}

static struct rte_mbuf *receive_or_null(struct nic_port *port, uint16_t queue,
					const struct sim_frame *frame)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(port->pools[queue]);
	uint32_t hash;

	if (!m)
		return NULL;
	if (frame->len > rte_pktmbuf_tailroom(m)) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	memcpy(rte_pktmbuf_append(m, (uint16_t)frame->len), frame->bytes, frame->len);
	if (port->rss) {
		choose_queue(port, frame, &hash);
		m->hash.rss = hash;
		m->ol_flags |= hash ? RTE_MBUF_F_RX_RSS_HASH : 0;
	}
	return m;
}

uint16_t nic_rx_burst(struct nic_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct rx_queue *rx = &port->rx[queue];
	struct sim_frame *frame;
	uint16_t count = 0;

	if (port->device.rx_stalled || port->host->ending)
		return 0;
	while (count < n && (frame = TAILQ_FIRST(&rx->frames))) {
		TAILQ_REMOVE(&rx->frames, frame, link);
		rx->count--;
		pkts[count] = receive_or_null(port, queue, frame);
		if (pkts[count])
			count++;
		else
			port->host->world->figures.rx_dropped++;
		free(frame);
	}
	return count;
}

/* --- sending --- */

/* The field holds the pseudo header's sum, as ethdev has it. */
static void fill_checksum(struct sim_frame *frame, unsigned at, unsigned field, bool udp)
{
	uint16_t sum = (uint16_t)~rte_raw_cksum(frame->bytes + at, frame->len - at);

	if (udp && !sum)
		sum = 0xffff;
	memcpy(frame->bytes + at + field, &sum, sizeof(sum));
}

static void fill_checksums(struct sim_frame *frame, const struct rte_mbuf *m)
{
	enum { TCP_FIELD = 16, UDP_FIELD = 6 };
	unsigned l4 = (unsigned)m->l2_len + m->l3_len;
	uint64_t asked = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;

	if (m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame->bytes + m->l2_len);

		ip->hdr_checksum = 0;
		ip->hdr_checksum = rte_ipv4_cksum(ip);
	}
	if (asked == RTE_MBUF_F_TX_TCP_CKSUM)
		fill_checksum(frame, l4, TCP_FIELD, false);
	else if (asked == RTE_MBUF_F_TX_UDP_CKSUM)
		fill_checksum(frame, l4, UDP_FIELD, true);
}

static void put_on_wire(struct nic_port *port, struct rte_mbuf *m)
{
	struct sim_frame *frame;
	uint32_t at = 0;

	if (port->link >= 0 && !port->device.down && !port->host->ending) {
		frame = frame_new_or_null(m->pkt_len);
		CHECK(frame);
		for (const struct rte_mbuf *s = m; s; s = s->next) {
			memcpy(frame->bytes + at, rte_pktmbuf_mtod(s, void *), s->data_len);
			at += s->data_len;
		}
		CHECK(at == m->pkt_len);
		fill_checksums(frame, m);
		link_send(port->host->world, port->link, port->direction, frame);
	}
	rte_pktmbuf_free(m);
}

uint16_t nic_tx_burst(struct nic_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	(void)queue;
	if (port->device.tx_refused && !port->host->ending)
		n = 0;
	else if (n && sim_chance(&port->random, port->device.tx_refuse_ppm))
		n = (uint16_t)(random_next(&port->random) % n);
	for (uint16_t i = 0; i < n; i++)
		put_on_wire(port, pkts[i]);
	return n;
}

int nic_rx_interrupt_fd(struct nic_port *port, uint16_t queue)
{
	(void)port, (void)queue;
	return -1;
}

int nic_rx_interrupt_arm(struct nic_port *port, uint16_t queue, bool on)
{
	(void)port, (void)queue, (void)on;
	return -ENOTSUP;
}

void nic_port_xstats_mt(const struct nic_port *port,
			void (*fn)(const char *name, uint64_t value, void *arg), void *arg)
{
	(void)port, (void)fn, (void)arg;
}
