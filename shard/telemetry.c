#include "shard/telemetry.h"

#include "shard/state.h"

#include <errno.h>
#include <pthread.h>
#include <rte_telemetry.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHOWN_AT_ONCE_MAX = 12 }; /* shards; an answer has at most 16 KiB */

/*
 * DPDK's callbacks have no argument and cannot be unregistered, so the runtime that they show is
 * global: the one exception, together with the lock that keeps it there while an answer is made.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct runtime *shown;
static bool registered;

/* The figures of the one shard that was asked for. */
static int one_shard(const struct runtime *runtime, const char *params, struct rte_tel_data *data,
		     void (*fill)(const struct runtime_figures *, struct rte_tel_data *))
{
	struct runtime_figures figures;
	char *end;
	unsigned long index = strtoul(params, &end, 10);

	if (*end || index >= runtime->shard_count)
		return -EINVAL;
	rte_tel_data_start_dict(data);
	runtime_figures_mt(runtime, (uint16_t)index, &figures);
	fill(&figures, data);
	return 0;
}

/* So many that the answer would be too long: their numbers, to ask for one by one. */
static int list_shards(const struct runtime *runtime, struct rte_tel_data *data)
{
	rte_tel_data_start_array(data, RTE_TEL_INT_VAL);
	for (uint16_t i = 0; i < runtime->shard_count; i++)
		rte_tel_data_add_array_int(data, i);
	return 0;
}

/* A dictionary per shard, by the shard's number. */
static int each_shard(const struct runtime *runtime, const char *params, struct rte_tel_data *data,
		      void (*fill)(const struct runtime_figures *, struct rte_tel_data *))
{
	if (params && *params)
		return one_shard(runtime, params, data, fill);
	if (runtime->shard_count > SHOWN_AT_ONCE_MAX)
		return list_shards(runtime, data);
	rte_tel_data_start_dict(data);
	for (uint16_t i = 0; i < runtime->shard_count; i++) {
		struct rte_tel_data *dict = rte_tel_data_alloc();
		struct runtime_figures figures;
		char name[8];

		if (!dict)
			return -ENOMEM;
		rte_tel_data_start_dict(dict);
		runtime_figures_mt(runtime, i, &figures);
		fill(&figures, dict);
		snprintf(name, sizeof(name), "%u", i);
		rte_tel_data_add_dict_container(data, name, dict, 0);
	}
	return 0;
}

static void fill_shard(const struct runtime_figures *f, struct rte_tel_data *dict)
{
	rte_tel_data_add_dict_int(dict, "cpu", f->cpu);
	rte_tel_data_add_dict_u64(dict, "queue", f->queue);
	rte_tel_data_add_dict_u64(dict, "connections", f->tcp.conns);
	rte_tel_data_add_dict_u64(dict, "syn_received", f->tcp.syn_received);
	rte_tel_data_add_dict_u64(dict, "timewait", f->tcp.timewait);
	rte_tel_data_add_dict_u64(dict, "listeners", f->tcp.listeners);
	rte_tel_data_add_dict_u64(dict, "pushes", f->tcp.pushes);
	rte_tel_data_add_dict_u64(dict, "reassembly_bytes", f->tcp.reassembly_len);
	rte_tel_data_add_dict_u64(dict, "tokens_pending", f->tokens_pending);
	rte_tel_data_add_dict_u64(dict, "mbufs_data", f->mem.data);
	rte_tel_data_add_dict_u64(dict, "mbufs_data_total", f->mem.data_total);
	rte_tel_data_add_dict_u64(dict, "mbufs_small", f->mem.small);
	rte_tel_data_add_dict_u64(dict, "mbufs_small_total", f->mem.small_total);
	rte_tel_data_add_dict_u64(dict, "mbufs_large", f->mem.large);
	rte_tel_data_add_dict_u64(dict, "mbufs_large_total", f->mem.large_total);
#define ADD(name, text) rte_tel_data_add_dict_u64(dict, #name, f->counters.name);
	COUNTER_LIST(ADD)
#undef ADD
}

static void fill_drops(const struct runtime_figures *f, struct rte_tel_data *dict)
{
	for (unsigned i = 0; i < DROP_COUNT; i++)
		rte_tel_data_add_dict_u64(dict, drop_name[i], f->counters.drop[i]);
}

static int show_shards(const struct runtime *runtime, const char *params, struct rte_tel_data *data)
{
	return each_shard(runtime, params, data, fill_shard);
}

static int show_drops(const struct runtime *runtime, const char *params, struct rte_tel_data *data)
{
	return each_shard(runtime, params, data, fill_drops);
}

static void fill_port(const struct nic_port *port, struct rte_tel_data *dict)
{
	const struct nic_port_info *info = nic_port_info(port);
	char mac[RTE_ETHER_ADDR_FMT_SIZE];

	rte_ether_format_addr(mac, sizeof(mac), &info->mac);
	rte_tel_data_add_dict_string(dict, "device", info->device);
	rte_tel_data_add_dict_string(dict, "driver", info->driver);
	rte_tel_data_add_dict_string(dict, "mac", mac);
	rte_tel_data_add_dict_u64(dict, "mtu", info->mtu);
	rte_tel_data_add_dict_u64(dict, "queues", info->queue_count);
	rte_tel_data_add_dict_u64(dict, "rxd", info->rxd);
	rte_tel_data_add_dict_u64(dict, "txd", info->txd);
	rte_tel_data_add_dict_int(dict, "numa_node", info->numa_node);
	rte_tel_data_add_dict_string(
		dict, "steering", info->steering == NIC_STEER_HARDWARE ? "hardware" : "software");
	rte_tel_data_add_dict_string(dict, "why", info->why);
	rte_tel_data_add_dict_int(dict, "trusted", nic_port_trusted_mt(port));
	rte_tel_data_add_dict_u64(dict, "reta_size", info->reta_size);
	rte_tel_data_add_dict_int(dict, "rx_interrupts", info->rx_interrupts);
}

static int show_ports(const struct runtime *runtime, const char *params, struct rte_tel_data *data)
{
	(void)params;
	rte_tel_data_start_dict(data);
	for (uint16_t i = 0; i < runtime->port_count; i++) {
		struct rte_tel_data *dict = rte_tel_data_alloc();
		char name[8];

		if (!dict)
			return -ENOMEM;
		rte_tel_data_start_dict(dict);
		fill_port(runtime->ports[i], dict);
		snprintf(name, sizeof(name), "%u", i);
		rte_tel_data_add_dict_container(data, name, dict, 0);
	}
	return 0;
}

static int show_config(const struct runtime *runtime, const char *params, struct rte_tel_data *data)
{
	const struct runtime_config *c = &runtime->config;

	(void)params;
	rte_tel_data_start_dict(data);
	rte_tel_data_add_dict_string(data, "name", c->name);
	rte_tel_data_add_dict_u64(data, "shards", runtime->shard_count);
	rte_tel_data_add_dict_u64(data, "ports", c->port_count);
	rte_tel_data_add_dict_u64(data, "token_max", c->token_max);
	rte_tel_data_add_dict_u64(data, "queue_max", c->queue_max);
	rte_tel_data_add_dict_u64(data, "mailbox_len", c->mailbox_len);
	rte_tel_data_add_dict_u64(data, "data_count", c->data_count);
	rte_tel_data_add_dict_u64(data, "small_count", c->small_count);
	rte_tel_data_add_dict_u64(data, "large_count", c->large_count);
	rte_tel_data_add_dict_u64(data, "conn_max", c->net.tcp.conn_max);
	rte_tel_data_add_dict_u64(data, "spin_ns", c->spin_ns);
	rte_tel_data_add_dict_u64(data, "nap_ns", c->nap_ns);
	rte_tel_data_add_dict_u64(data, "sleep_ns_max", c->sleep_ns_max);
	rte_tel_data_add_dict_u64(data, "rx_budget_ns", c->rx_budget_ns);
	rte_tel_data_add_dict_string(data, "eal", runtime->eal_why ? runtime->eal_why : "");
	return 0;
}

static int answer(const char *params, struct rte_tel_data *data,
		  int (*show)(const struct runtime *, const char *, struct rte_tel_data *))
{
	int rc = -ENOENT;

	pthread_mutex_lock(&lock);
	if (shown)
		rc = show(shown, params, data);
	pthread_mutex_unlock(&lock);
	return rc;
}

#define COMMAND(name)                                                                              \
	static int answer_##name(const char *cmd, const char *params, struct rte_tel_data *data)   \
	{                                                                                          \
		(void)cmd;                                                                         \
		return answer(params, data, show_##name);                                          \
	}
COMMAND(shards)
COMMAND(drops)
COMMAND(ports)
COMMAND(config)
#undef COMMAND

void telemetry_show(const struct runtime *runtime)
{
	pthread_mutex_lock(&lock);
	shown = runtime;
	if (runtime && !registered) {
		registered = true;
		rte_telemetry_register_cmd(
			"/clowder/shards", answer_shards,
			"What each shard did and holds. Parameters: a shard; none: all.");
		rte_telemetry_register_cmd(
			"/clowder/drops", answer_drops,
			"Packets dropped, by shard and reason. Parameters: a shard; "
			"none: all.");
		rte_telemetry_register_cmd("/clowder/ports", answer_ports,
					   "Devices and how they steer. No parameters.");
		rte_telemetry_register_cmd("/clowder/config", answer_config,
					   "The configuration in force. No parameters.");
	}
	pthread_mutex_unlock(&lock);
}
