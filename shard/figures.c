/*
 * What a runtime says about itself: what was found and chosen, and each shard's figures.
 */
#include "shard/state.h"

#include <stdio.h>

enum { LINE_LEN = 768 };

static const char *const idle_name[] = {"auto", "poll", "yield", "adaptive"};

static void describe_port(const struct runtime *runtime, uint16_t i, char text[LINE_LEN])
{
	const struct nic_port_info *info = nic_port_info(runtime->ports[i]);
	const uint8_t *a = (const uint8_t *)&runtime->config.ports[i].addr;

	snprintf(text, LINE_LEN,
		 "port %u: %s (%s), %u.%u.%u.%u/%u, mtu %u, %u queue pair(s), steering %s: %s", i,
		 info->device, info->driver, a[0], a[1], a[2], a[3],
		 runtime->config.ports[i].prefix_len, info->mtu, info->queue_count,
		 info->steering == NIC_STEER_HARDWARE ? "hardware" : "software", info->why);
}

static void describe_places(const struct runtime *runtime, char text[LINE_LEN])
{
	int at = snprintf(text, LINE_LEN, "shards: %u, on cpu", runtime->shard_count);

	for (uint16_t i = 0; i < runtime->shard_count && at < LINE_LEN; i++)
		at += snprintf(text + at, (size_t)(LINE_LEN - at), " %d", runtime->place.cpus[i]);
	if (at < LINE_LEN)
		snprintf(text + at, (size_t)(LINE_LEN - at), "; idle: %s%s",
			 idle_name[runtime->shards[0].idle.policy],
			 runtime->shards[0].idle.yields ? ", yielding as shards share cpus" : "");
}

void runtime_describe(const struct runtime *runtime, void (*line)(const char *text, void *arg),
		      void *arg)
{
	char text[LINE_LEN];

	snprintf(text, sizeof(text), "machine: %s", runtime->place.machine);
	line(text, arg);
	if (runtime->eal_why) {
		snprintf(text, sizeof(text), "eal: %s", runtime->eal_why);
		line(text, arg);
	}
	describe_places(runtime, text);
	line(text, arg);
	for (uint16_t i = 0; i < runtime->port_count; i++) {
		describe_port(runtime, i, text);
		line(text, arg);
	}
}

static void read_counters(const struct counters *from, struct counters *out)
{
#define READ(name, text) out->name = counter_get_mt(&from->name);
	COUNTER_LIST(READ)
#undef READ
	for (unsigned i = 0; i < DROP_COUNT; i++)
		out->drop[i] = counter_get_mt(&from->drop[i]);
}

void runtime_figures_mt(const struct runtime *runtime, uint16_t index, struct runtime_figures *out)
{
	const struct shard *shard = &runtime->shards[index];

	*out = (struct runtime_figures){.cpu = runtime_shard_cpu(runtime, index),
					.queue = shard->lines[0].sender};
	read_counters(&shard->counters, &out->counters);
	mem_use_mt(&shard->mem, &out->mem);
	tcp_use_mt(shard->net, &out->tcp);
	out->tokens_pending = tokens_pending_mt(&shard->tokens);
}
