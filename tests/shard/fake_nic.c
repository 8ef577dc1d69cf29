#include "tests/shard/fake_nic.h"

#include <errno.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <string.h>

enum { INJECTED_MAX = 128 };

struct nic_port {
	struct nic_port_info info;
};

struct fake_nic fake_nic;
static struct nic_port ports[NIC_PORT_MAX];
static unsigned port_count;
static struct rte_mbuf *injected[NIC_QUEUE_MAX][INJECTED_MAX];
static unsigned injected_count[NIC_QUEUE_MAX];
/* A shard that lingers polls and sends while the test injects and looks. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void fake_nic_reset(void)
{
	fake_nic = (struct fake_nic){
		.numa_node = -1, .tx_room = UINT32_MAX, .steering = NIC_STEER_SOFTWARE};
	memset(injected_count, 0, sizeof(injected_count));
	port_count = 0;
}

void fake_nic_inject(uint16_t queue, struct rte_mbuf *m)
{
	pthread_mutex_lock(&lock);
	injected[queue][injected_count[queue]++] = m;
	pthread_mutex_unlock(&lock);
}

unsigned fake_nic_sent(uint16_t queue)
{
	unsigned count;

	pthread_mutex_lock(&lock);
	count = fake_nic.tx_count[queue];
	pthread_mutex_unlock(&lock);
	return count;
}

int nic_eal_start(const struct nic_eal_config *config, const char **why)
{
	static bool started;
	char *argv[] = {"test",		  "--no-huge",	 "-m",		"192",
			"--no-pci",	  "-l",		 "0",		"--no-shconf",
			"--no-telemetry", "--log-level", "lib.*:error", NULL};

	(void)config;
	*why = "a fake";
	if (started)
		return 0;
	started = true;
	return rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0 ? -EIO : 0;
}

int nic_thread_register(void)
{
	return rte_thread_register() ? -rte_errno : 0;
}

void nic_thread_unregister(void)
{
	rte_thread_unregister();
}

bool nic_eal_hugepages(void)
{
	return false;
}

int nic_port_probe(const struct nic_port_config *config, struct nic_port **out,
		   char why[NIC_WHY_LEN])
{
	struct nic_port *port = &ports[port_count];

	if (strstr(config->device, "missing")) {
		snprintf(why, NIC_WHY_LEN, "no such device");
		return -ENODEV;
	}
	port_count++;
	*port = (struct nic_port){0};
	snprintf(port->info.device, sizeof(port->info.device), "%s", config->device);
	snprintf(port->info.driver, sizeof(port->info.driver), "fake");
	port->info.mtu = 1500;
	port->info.steering = fake_nic.steering;
	port->info.numa_node = fake_nic.numa_node;
	port->info.tx_multi_segs = true;
	*out = port;
	return 0;
}

int nic_port_start(struct nic_port *port, uint16_t shard_count, struct rte_mempool *const pools[],
		   char why[NIC_WHY_LEN])
{
	if (fake_nic.fail_start) {
		snprintf(why, NIC_WHY_LEN, "it does not want to");
		return -EIO;
	}
	memcpy(fake_nic.pools, pools, shard_count * sizeof(pools[0]));
	port->info.queue_count = fake_nic.queue_count && fake_nic.queue_count < shard_count
					 ? fake_nic.queue_count
					 : shard_count;
	return 0;
}

void nic_port_close(struct nic_port *port)
{
	(void)port;
	for (unsigned q = 0; q < NIC_QUEUE_MAX; q++) {
		rte_pktmbuf_free_bulk(injected[q], injected_count[q]);
		injected_count[q] = 0;
	}
	port_count = 0;
}

const struct nic_port_info *nic_port_info(const struct nic_port *port)
{
	return &port->info;
}

int nic_port_numa_node(const struct nic_port *port)
{
	return port->info.numa_node;
}

void nic_port_distrust_mt(struct nic_port *port)
{
	(void)port;
	fake_nic.distrusted = true;
}

bool nic_port_trusted_mt(const struct nic_port *port)
{
	(void)port;
	return !fake_nic.distrusted;
}

void nic_port_link_look(struct nic_port *port)
{
	(void)port;
}

bool nic_port_link_up_mt(const struct nic_port *port)
{
	(void)port;
	return !fake_nic.link_down;
}

uint16_t nic_rx_burst(struct nic_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	unsigned have;

	if (port != &ports[0])
		return 0;
	pthread_mutex_lock(&lock);
	have = injected_count[queue];
	n = have < n ? (uint16_t)have : n;
	memcpy(pkts, injected[queue], n * sizeof(pkts[0]));
	memmove(injected[queue], injected[queue] + n, (have - n) * sizeof(pkts[0]));
	injected_count[queue] -= n;
	pthread_mutex_unlock(&lock);
	return n;
}

uint16_t nic_tx_burst(struct nic_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	(void)port;
	pthread_mutex_lock(&lock);
	if (n > fake_nic.tx_room)
		n = (uint16_t)fake_nic.tx_room;
	fake_nic.tx_room -= n;
	fake_nic.tx_count[queue] += n;
	pthread_mutex_unlock(&lock);
	rte_pktmbuf_free_bulk(pkts, n);
	return n;
}

int nic_rx_interrupt_fd(struct nic_port *port, uint16_t queue)
{
	(void)port;
	(void)queue;
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
