#include "shard/startup.h"

#include "shard/clock.h"
#include "shard/owner.h"
#include "shard/sizing.h"
#include "shard/state.h"
#include "shard/telemetry.h"

#include <errno.h>
#include <pthread.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(struct runtime *runtime, int rc, const char *what)
{
	snprintf(runtime->why, sizeof(runtime->why), "%s: %s", what, strerror(-rc));
	return rc;
}

/* --- how many shards, and where --- */
static int choose_places(struct runtime *runtime, int numa_node)
{
	const struct runtime_config *config = &runtime->config;
	struct place_request request = {.shard_count = config->shard_count,
					.cpus = config->cpus,
					.cpu_count = config->cpu_count,
					.numa_node = numa_node};
	char why[PLACE_WHY_LEN];
	int rc = place_choose(&request, &runtime->place, why);

	if (rc)
		snprintf(runtime->why, sizeof(runtime->why), "placement: %s", why);
	else
		runtime->shard_count = runtime->place.shard_count;
	return rc;
}

/* Before devices are known, for the size of memory; auto can only become fewer later. */
static int start_machine(struct runtime *runtime)
{
	return choose_places(runtime, -1);
}

static int start_placement(struct runtime *runtime)
{
	static const uint8_t no_key[RSS_KEY_LEN];
	const uint8_t *key = runtime->config.ports[0].nic.rss_key;
	int rc, node = -1;

	for (unsigned i = 0; i < runtime->port_count && node < 0; i++)
		node = nic_port_numa_node(runtime->ports[i]);
	rc = choose_places(runtime, node);
	if (!rc) /* one key for all ports: a flow has one owner wherever it arrives */
		rss_init(&runtime->rss, memcmp(key, no_key, RSS_KEY_LEN) ? key : rss_key_symmetric,
			 runtime->shard_count);
	return rc;
}

/* --- memory --- */
static bool device_matches(const struct runtime_config *config, const char *part)
{
	for (unsigned i = 0; i < config->port_count; i++)
		if (strstr(config->ports[i].nic.device, part))
			return true;
	return false;
}

/* "0000:01:00.0": a domain, bus, device and function; other devices begin with a driver's name. */
static bool has_pci_device(const struct runtime_config *config)
{
	unsigned domain, bus, device, function;

	for (unsigned i = 0; i < config->port_count; i++)
		if (sscanf(config->ports[i].nic.device, "%x:%x:%x.%x", &domain, &bus, &device,
			   &function) == 4)
			return true;
	return false;
}

static int start_eal(struct runtime *runtime)
{
	const struct runtime_config *config = &runtime->config;
	struct nic_eal_config eal = {
		.program = config->name[0] ? config->name : "clowder",
		.memory_len = sizing_memory_len(runtime),
		.hugepages = config->hugepages,
		.pci = has_pci_device(config),
		.single_file_segments =
			device_matches(config, "memif") || device_matches(config, "virtio_user"),
		.telemetry = config->telemetry,
		.extra_args = config->eal_args[0] ? config->eal_args : NULL,
	};
	cpu_set_t affinity;
	int rc;

	/* The EAL binds the thread that starts it; this one shall float, and see what is ours. */
	pthread_getaffinity_np(pthread_self(), sizeof(affinity), &affinity);
	rc = nic_eal_start(&eal, &runtime->eal_why);
	pthread_setaffinity_np(pthread_self(), sizeof(affinity), &affinity);
	if (rc) {
		snprintf(runtime->why, sizeof(runtime->why), "EAL: %s",
			 runtime->eal_why ? runtime->eal_why : strerror(-rc));
		return rc;
	}
	if (rte_lcore_id() == LCORE_ID_ANY) /* a second runtime: the EAL's main thread has ended */
		rc = nic_thread_register();
	clock_start();
	return rc ? fail(runtime, rc, "control thread") : 0;
}

static void stop_eal(struct runtime *runtime)
{
	(void)runtime;
	if (rte_lcore_id() != LCORE_ID_ANY && rte_lcore_id() != rte_get_main_lcore())
		nic_thread_unregister();
}

static int start_pools(struct runtime *runtime)
{
	snprintf(runtime->pool_prefix, sizeof(runtime->pool_prefix), "s%x",
		 runtime->config.instance);
	for (uint16_t i = 0; i < runtime->shard_count; i++) {
		struct mem_config config = sizing_pools(runtime, i);
		int rc = mem_create(&runtime->shards[i].mem, &config);

		if (rc)
			return fail(runtime, rc, "packet pools");
		runtime->pool_count++;
	}
	return 0;
}

static void stop_pools(struct runtime *runtime)
{
	for (; runtime->pool_count; runtime->pool_count--) {
		struct mem *mem = &runtime->shards[runtime->pool_count - 1].mem;
		struct mem_use use;

		mem_use_mt(mem, &use);
		if (!mem->data_kept)
			runtime->missing += use.data;
		runtime->missing += use.small + use.large;
		mem_destroy(mem);
	}
}

/* --- devices --- */
static int start_probe(struct runtime *runtime)
{
	const struct runtime_config *config = &runtime->config;

	for (; runtime->port_count < config->port_count; runtime->port_count++) {
		const struct nic_port_config *nic = &config->ports[runtime->port_count].nic;
		char why[NIC_WHY_LEN] = "";
		int rc = nic_port_probe(nic, &runtime->ports[runtime->port_count], why);

		if (rc) {
			snprintf(runtime->why, sizeof(runtime->why), "port %u (%.64s): %s",
				 runtime->port_count, nic->device, why);
			return rc;
		}
	}
	return 0;
}

static void stop_probe(struct runtime *runtime)
{
	for (; runtime->port_count; runtime->port_count--)
		nic_port_close(runtime->ports[runtime->port_count - 1]);
}

static int start_ports(struct runtime *runtime)
{
	struct rte_mempool *pools[NET_SHARD_MAX];

	for (uint16_t i = 0; i < runtime->shard_count; i++)
		pools[i] = runtime->shards[i].mem.data;
	for (uint16_t i = 0; i < runtime->port_count; i++) {
		char why[NIC_WHY_LEN] = "";
		int rc = nic_port_start(runtime->ports[i], runtime->shard_count, pools, why);

		if (rc) {
			snprintf(runtime->why, sizeof(runtime->why), "port %u (%.64s): %s", i,
				 runtime->config.ports[i].nic.device, why);
			return rc;
		}
	}
	return 0;
}

/* A stopped device gives its buffers back, also those that other shards' programs pushed; all but
 * one kind of device. */
static void stop_ports(struct runtime *runtime)
{
	for (uint16_t i = 0; i < runtime->port_count; i++) {
		const struct nic_port_info *info = nic_port_info(runtime->ports[i]);

		for (uint16_t q = 0; info->keeps_buffers && q < info->queue_count; q++)
			runtime->shards[q].mem.data_kept = true;
		nic_port_close(runtime->ports[i]);
	}
	runtime->port_count = 0;
}

/* --- tables --- */
static struct net_iface iface_of(const struct runtime *runtime, uint16_t i)
{
	const struct nic_port_info *info = nic_port_info(runtime->ports[i]);

	return (struct net_iface){.mac = info->mac,
				  .addr = runtime->config.ports[i].addr,
				  .prefix_len = runtime->config.ports[i].prefix_len,
				  .mtu = info->mtu,
				  .tx_ip_checksum = info->tx_ip_checksum,
				  .tx_tcp_checksum = info->tx_tcp_checksum,
				  .tx_udp_checksum = info->tx_udp_checksum,
				  .tx_multi_segs = info->tx_multi_segs};
}

static int add_routes(struct runtime *runtime)
{
	for (unsigned i = 0; i < runtime->config.route_count; i++) {
		int rc = net_route_add_mt(runtime->tables, &runtime->config.routes[i]);

		if (rc) {
			snprintf(runtime->why, sizeof(runtime->why), "route %u: %s", i,
				 strerror(-rc));
			return rc;
		}
	}
	return 0;
}

static int start_tables(struct runtime *runtime)
{
	struct net_iface ifaces[NET_IFACE_MAX];

	for (uint16_t i = 0; i < runtime->port_count; i++)
		ifaces[i] = iface_of(runtime, i);
	runtime->tables = net_tables_create(ifaces, runtime->port_count);
	if (!runtime->tables)
		return fail(runtime, -ENOMEM, "tables");
	for (unsigned i = 0; i < runtime->config.neighbour_count; i++) {
		struct net_neigh_event event = {.neigh = runtime->config.neighbours[i],
						.news = NEIGH_FIXED};

		event.neigh.fixed = true;
		net_neigh_apply_mt(runtime->tables, &event, 1);
	}
	return add_routes(runtime);
}

static void stop_tables(struct runtime *runtime)
{
	if (runtime->tables)
		net_tables_destroy(runtime->tables);
	runtime->tables = NULL;
}

/* --- shards --- */
static int make_mailboxes(struct runtime *runtime)
{
	uint16_t n = runtime->shard_count;

	runtime->mailboxes = calloc((size_t)n * n, sizeof(*runtime->mailboxes));
	if (!runtime->mailboxes)
		return -ENOMEM;
	for (uint16_t from = 0; from < n; from++)
		for (uint16_t to = 0; to < n; to++) {
			int rc = from == to ? 0
					    : mailbox_init(runtime_mailbox(runtime, from, to),
							   runtime->config.mailbox_len);

			if (rc)
				return rc;
		}
	return 0;
}

static int make_shard(struct runtime *runtime, uint16_t index)
{
	const struct runtime_config *config = &runtime->config;
	struct shard *shard = &runtime->shards[index];
	int rc;

	shard->waited.last = -1;
	random_init(&shard->random, config->seed, index);
	rc = idle_init(&shard->idle, config, runtime->place.shared);
	return rc ? rc : channels_init(shard, runtime->shard_count);
}

static int start_shards(struct runtime *runtime)
{
	int rc = make_mailboxes(runtime);

	for (uint16_t i = 0; i < runtime->shard_count && !rc; i++)
		rc = make_shard(runtime, i);
	return rc ? fail(runtime, rc, "shards") : 0;
}

static void stop_shards(struct runtime *runtime)
{
	unsigned pairs = (unsigned)runtime->shard_count * runtime->shard_count;

	if (runtime->mailboxes)
		channels_drain(runtime);
	for (uint16_t i = 0; i < runtime->shard_count; i++) {
		channels_fini(&runtime->shards[i]);
		queues_fini(&runtime->shards[i].queues);
		tokens_fini(&runtime->shards[i].tokens);
		idle_fini(&runtime->shards[i].idle);
	}
	for (unsigned i = 0; runtime->mailboxes && i < pairs; i++)
		mailbox_fini(&runtime->mailboxes[i]);
	free(runtime->mailboxes);
	runtime->mailboxes = NULL;
}

/* --- stacks --- */
static void connect_line(struct runtime *runtime, struct shard *shard, uint16_t iface)
{
	struct nic_port *port = runtime->ports[iface];
	const struct nic_port_info *info = nic_port_info(port);
	bool own = shard->index < info->queue_count;

	shard->lines[iface].port = port;
	shard->lines[iface].queue = own ? shard->index : -1;
	shard->lines[iface].sender = shard->index % info->queue_count;
	shard->lines[iface].interrupts =
		own && info->rx_interrupts && nic_rx_interrupt_fd(port, shard->index) >= 0;
	shard->lines[iface].checks_left =
		info->steering == NIC_STEER_HARDWARE ? LINE_HASH_CHECKS : 0;
	shard->line_count = (uint16_t)(iface + 1);
}

static int start_stacks(struct runtime *runtime)
{
	for (uint16_t i = 0; i < runtime->shard_count; i++) {
		struct shard *shard = &runtime->shards[i];
		struct net_config config = runtime->config.net;
		struct net_env env;
		int rc;

		for (uint16_t iface = 0; iface < runtime->port_count; iface++)
			connect_line(runtime, shard, iface);
		config.shard = i;
		config.shard_count = runtime->shard_count;
		config.instance = runtime->config.instance;
		owner_env(shard, &env);
		rc = net_create(&shard->net, &config, &env, runtime->tables, &shard->mem,
				&shard->counters, clock_now_ns_mt());
		if (rc)
			return fail(runtime, rc, "stack");
	}
	return 0;
}

static void stop_stacks(struct runtime *runtime)
{
	for (uint16_t i = 0; i < runtime->shard_count; i++) {
		struct shard *shard = &runtime->shards[i];

		for (unsigned iface = 0; iface < shard->line_count; iface++)
			rte_pktmbuf_free_bulk(shard->lines[iface].pkts, shard->lines[iface].count);
		shard->line_count = 0;
		if (shard->net)
			net_destroy(shard->net);
		shard->net = NULL;
	}
}

static int start_telemetry(struct runtime *runtime)
{
	if (runtime->config.telemetry)
		telemetry_show(runtime);
	return 0;
}

static void stop_telemetry(struct runtime *runtime)
{
	(void)runtime;
	telemetry_show(NULL);
}

/* Mailboxes and collections outlive the devices, whose last buffers may have to go home by them,
 * and end before the pools. */
const struct control_step startup_steps[] = {
	{"machine", start_machine, NULL},      {"eal", start_eal, stop_eal},
	{"probe", start_probe, stop_probe},    {"placement", start_placement, NULL},
	{"pools", start_pools, stop_pools},    {"shards", start_shards, stop_shards},
	{"ports", start_ports, stop_ports},    {"tables", start_tables, stop_tables},
	{"stacks", start_stacks, stop_stacks}, {"telemetry", start_telemetry, stop_telemetry},
};
const unsigned startup_step_count = sizeof(startup_steps) / sizeof(startup_steps[0]);
