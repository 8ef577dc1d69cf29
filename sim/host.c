/* Hosts: made from a configuration, troubled, and ended. */
#include "sim/sim.h"

#include "mem/check.h"
#include "sdk/config.h"

#include <rte_mempool.h>
#include <stdlib.h>
#include <string.h>

static const char small_keys[] =
	"[runtime]\nshards = 1\ntokens = 1024\nqueues = 256\nmailbox_entries = 64\n"
	"[memory]\ndata_buffers = 1024\nsmall_buffers = 1024\nlarge_buffers = 8\n"
	"receive_budget_mib = 1\n"
	"[tcp]\nconn_max = 256\ntimewait_max = 256\nlistener_max = 16\nsyn_max = 64\n"
	"push_max = 1024\nreassembly_mib = 1\n"
	"[udp]\nsocket_max = 16\nqueue_packets = 64\n"
	"[telemetry]\nenabled = false\n";

enum { ADDRESSES = 254 };

/* --- configuration --- */
static int parse(const struct demi_sim_host_options *options, int node,
		 struct runtime_config *config, char why[RUNTIME_WHY_LEN])
{
	char port[96];
	const struct config_base base = {small_keys, port};
	const char *text = options->config ? options->config : "";
	char *slurped = NULL;
	size_t len = strlen(text);
	int rc = 0;

	snprintf(port, sizeof(port), "[[port]]\ndevice = \"sim0\"\naddress = \"10.0.0.%d/24\"\n",
		 node % ADDRESSES + 1);
	if (!options->config && options->config_path) {
		text = slurped = config_slurp_or_null(options->config_path, &len, &rc);
		if (!slurped) {
			snprintf(why, RUNTIME_WHY_LEN, "%.160s: %s", options->config_path,
				 strerrordesc_np(rc));
			return -EINVAL;
		}
	}
	rc = config_parse_over(&base, options->config_path ? options->config_path : "host", text,
			       len, config, why);
	free(slurped);
	return rc;
}

static void adapt(const struct demi_sim *world, const struct demi_sim_host_options *options,
		  int node, struct runtime_config *config)
{
	static uint32_t instances;
	struct random random;

	if (options->shards)
		config->shard_count = (uint16_t)options->shards;
	if (!config->shard_count)
		config->shard_count = 1;
	config->cpu_count = 0;
	config->telemetry = false;
	if (!++instances)
		instances = 1;
	config->instance = instances;
	random_init(&random, world->seed, 0x10000000u + (unsigned)node);
	if (!config->seed)
		config->seed = random_next(&random) | 1;
}

/* --- making one --- */

/* The first count shards leave, and the runtime ends; how many buffers were missing. */
static unsigned end(struct sim_host *host, uint16_t count)
{
	unsigned missing;

	host->ending = true;
	for (uint16_t i = 0; i < count; i++) {
		sim_become(host, &host->shards[i]);
		runtime_leave(host->shards[i].shard, 0);
	}
	sim_become(host, NULL);
	missing = runtime_end(host->runtime);
	free(host->shards);
	return missing;
}

static int start(struct sim_host *host, char why[RUNTIME_WHY_LEN])
{
	int rc = runtime_start(&host->config, &host->runtime, why);

	if (rc)
		return rc;
	host->shard_count = runtime_shard_count(host->runtime);
	host->shards = calloc(host->shard_count, sizeof(*host->shards));
	CHECK(host->shards);
	for (uint16_t i = 0; i < host->shard_count; i++) {
		host->shards[i] = (struct sim_shard){.host = host, .index = i, .due_ns = SIM_NEVER};
		rc = runtime_enter(host->runtime, i, false, &host->shards[i].shard);
		if (rc) {
			end(host, i);
			host->shards = NULL;
			host->shard_count = 0;
			return rc;
		}
	}
	return 0;
}

static struct sim_host *host_new_or_null(struct demi_sim *world, int node)
{
	struct sim_host *host = calloc(1, sizeof(*host));

	if (host) {
		host->world = world;
		host->node = node;
	}
	return host;
}

static int start_host(struct sim_host *host, const struct demi_sim_host_options *options)
{
	struct sim_current saved = sim_save();
	char why[RUNTIME_WHY_LEN] = "";
	int rc = parse(options, host->node, &host->config, why);

	if (!rc) {
		adapt(host->world, options, host->node, &host->config);
		sim_become(host, NULL);
		rc = start(host, why);
		sim_restore(&saved);
	}
	if (rc)
		fprintf(stderr, "clowder-sim: %s\n", why[0] ? why : strerrordesc_np(-rc));
	return -rc;
}

int demi_sim_host(struct demi_sim *world, const struct demi_sim_host_options *options,
		  int *node_out)
{
	static const struct demi_sim_host_options defaults = {.size = sizeof(defaults)};
	struct sim_node *node;
	int error;

	if (!options)
		options = &defaults;
	if (!world || !node_out || options->size < sizeof(*options) ||
	    options->shards > NET_SHARD_MAX)
		return EINVAL;
	error = sim_node_add(world, SIM_HOST, &node);
	if (error)
		return error;
	node->host = host_new_or_null(world, node->number);
	error = node->host ? start_host(node->host, options) : ENOMEM;
	if (error) {
		free(node->host);
		free(node);
		world->node_count--;
		return error;
	}
	for (uint16_t i = 0; i < node->host->shard_count; i++)
		sim_due(&node->host->shards[i], 0);
	*node_out = node->number;
	return 0;
}

/* --- ending one --- */
static void release(struct sim_shard *shard, int pool, uint32_t count)
{
	while (shard->held_count[pool] > count)
		rte_pktmbuf_free(shard->held[pool][--shard->held_count[pool]]);
}

void host_destroy(struct sim_host *host, unsigned *missing)
{
	sim_programs_end(host);
	for (uint16_t i = 0; i < host->shard_count; i++) {
		struct sim_shard *shard = &host->shards[i];

		for (int pool = 0; pool < SIM_POOLS; pool++) {
			release(shard, pool, 0);
			free(shard->held[pool]);
		}
	}
	*missing += end(host, host->shard_count);
	sim_become(NULL, NULL);
	free(host);
}

/* --- trouble --- */
int demi_sim_clock_jump(struct demi_sim *world, int host, uint64_t length_ns)
{
	struct sim_host *self = sim_host_or_null(world, host);

	if (!self || length_ns > INT64_MAX)
		return EINVAL;
	self->clock_ns += length_ns;
	for (uint16_t i = 0; i < self->shard_count; i++)
		sim_due(&self->shards[i], 0);
	return 0;
}

int demi_sim_device_set(struct demi_sim *world, int host, int port,
			const struct demi_sim_device *device)
{
	struct sim_host *self = sim_host_or_null(world, host);

	if (!self || !device || device->size < sizeof(*device) || port < 0 ||
	    (unsigned)port >= self->port_count)
		return EINVAL;
	nic_misbehave(self->ports[port], device);
	return 0;
}

static struct rte_mempool *pool_of(const struct sim_shard *shard, int pool)
{
	const struct mem *mem = &shard->shard->mem;

	return pool == DEMI_SIM_POOL_DATA    ? mem->data
	       : pool == DEMI_SIM_POOL_SMALL ? mem->small
					     : mem->large;
}

int demi_sim_squeeze(struct demi_sim *world, int host, int shard, int pool, uint32_t count)
{
	struct sim_shard *self = sim_shard_or_null(world, host, shard);
	struct rte_mempool *from;
	struct rte_mbuf *m;

	if (!self || pool < 0 || pool >= SIM_POOLS)
		return EINVAL;
	from = pool_of(self, pool);
	if (!self->held[pool])
		self->held[pool] = calloc(from->size, sizeof(struct rte_mbuf *));
	if (!self->held[pool])
		return ENOMEM;
	release(self, pool, count);
	while (self->held_count[pool] < count) {
		m = rte_pktmbuf_alloc(from);
		if (!m)
			return ENOBUFS;
		self->held[pool][self->held_count[pool]++] = m;
	}
	return 0;
}

/* --- figures --- */
static void buffers(const struct sim_shard *self, struct demi_sim_buffers *out)
{
	for (int pool = 0; pool < SIM_POOLS; pool++) {
		const struct rte_mempool *of = pool_of(self, pool);

		out->held[pool] = self->held_count[pool];
		out->used[pool] = rte_mempool_in_use_count(of) - self->held_count[pool];
		out->total[pool] = of->size;
	}
}

int demi_sim_buffers(struct demi_sim *world, int host, int shard, struct demi_sim_buffers *out)
{
	struct sim_shard *self = sim_shard_or_null(world, host, shard);

	if (!self || !out || out->size < sizeof(*out))
		return EINVAL;
	buffers(self, out);
	return 0;
}

static void add_buffers(const struct sim_host *host, struct demi_sim_figures *out)
{
	struct demi_sim_buffers of;

	for (uint16_t i = 0; host && i < host->shard_count; i++) {
		buffers(&host->shards[i], &of);
		for (int pool = 0; pool < SIM_POOLS; pool++) {
			out->buffers_used += of.used[pool];
			out->buffers_total += of.total[pool];
		}
	}
}

int demi_sim_figures(struct demi_sim *world, struct demi_sim_figures *out)
{
	if (!world || !out || out->size < sizeof(*out))
		return EINVAL;
	*out = world->figures;
	out->size = sizeof(*out);
	out->programs = world->programs;
	for (int i = 0; i < world->node_count; i++)
		add_buffers(world->nodes[i]->host, out);
	return 0;
}
