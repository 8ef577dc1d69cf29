#include <demi/shard.h>

#include "sdk/convert.h"
#include "sdk/world.h"

#include <stdlib.h>

enum { FIGURES_SIZE_MIN = 8 };

int demi_shard_self(void)
{
	struct shard *shard = world_shard_or_null();

	return shard != NULL ? shard_index(shard) : -1;
}

int demi_shard_count(void)
{
	struct runtime *runtime = world_get_or_null();
	int count = 0;

	if (runtime != NULL) {
		count = runtime_shard_count(runtime);
		world_put();
	}
	return count;
}

int demi_shard_of(const struct sockaddr *local, socklen_t local_size, const struct sockaddr *remote,
		  socklen_t remote_size)
{
	struct net_endpoint here, there;
	struct net_flow flow;

	if (world_shard_or_null() == NULL || convert_sockaddr(local, local_size, &here) != 0 ||
	    convert_sockaddr(remote, remote_size, &there) != 0)
		return -1;
	flow = (struct net_flow){
		.local = here.addr,
		.remote = there.addr,
		.local_port = here.port,
		.remote_port = there.port,
	};
	return runtime_owner(world_current.runtime, &flow);
}

int demi_shard_channel(int *qd_out, int peer)
{
	KEEP_ERRNO;
	struct shard *shard;
	int error = world_call(&shard, qd_out != NULL);

	return error != 0 ? error : -shard_channel(shard, peer, qd_out);
}

static uint64_t dropped(const struct counters *counters)
{
	uint64_t sum = 0;

	for (int i = 0; i < DROP_COUNT; i++)
		sum += counters->drop[i];
	return sum;
}

static void fill(struct demi_shard_figures *out, const struct runtime_figures *in)
{
	*out = (struct demi_shard_figures){
		.cpu = in->cpu,
		.queue = in->queue,
		.connections = in->tcp.conns,
		.timewait = in->tcp.timewait,
		.listeners = in->tcp.listeners,
		.accepted = in->counters.conn_accepted,
		.connected = in->counters.conn_connected,
		.rx_packets = in->counters.rx_packets,
		.rx_bytes = in->counters.rx_bytes,
		.tx_packets = in->counters.tx_packets,
		.tx_bytes = in->counters.tx_bytes,
		.handed_in = in->counters.handed_in,
		.handed_out = in->counters.handed_out,
		.dropped = dropped(&in->counters),
		.retransmits = in->counters.tcp_retransmits,
		.tokens_done = in->counters.tokens_done,
		.tokens_pending = in->tokens_pending,
		.mbufs_used = in->mem.data + in->mem.small + in->mem.large,
		.mbufs_total = in->mem.data_total + in->mem.small_total + in->mem.large_total,
		.turns = in->counters.turns,
		.turns_idle = in->counters.turns_idle,
	};
}

/* What the shards of the last demi_shard_run() ended with. */
static struct demi_shard_figures ended[NET_SHARD_MAX];
static int ended_count;

void world_figures_keep(const struct runtime *runtime)
{
	struct runtime_figures found;

	ended_count = runtime_shard_count(runtime);
	for (int i = 0; i < ended_count; i++) {
		runtime_figures_mt(runtime, (uint16_t)i, &found);
		fill(&ended[i], &found);
	}
}

/* The caller may have been compiled against a shorter or a longer struct. */
static int copy(struct demi_shard_figures *all, struct demi_shard_figures *out)
{
	size_t len = out->size < sizeof(*all) ? out->size : sizeof(*all);

	if (len < FIGURES_SIZE_MIN)
		return EINVAL;
	all->size = (uint32_t)len;
	memcpy(out, all, len);
	return 0;
}

static int figures(struct runtime *runtime, int shard, struct demi_shard_figures *out)
{
	struct runtime_figures found;
	struct demi_shard_figures all;

	if (shard < 0 || shard >= runtime_shard_count(runtime))
		return EINVAL;
	runtime_figures_mt(runtime, (uint16_t)shard, &found);
	fill(&all, &found);
	return copy(&all, out);
}

static int figures_ended(int shard, struct demi_shard_figures *out)
{
	struct demi_shard_figures all;

	if (ended_count == 0)
		return ENOSYS;
	if (out == NULL || shard < 0 || shard >= ended_count)
		return EINVAL;
	all = ended[shard];
	return copy(&all, out);
}

int demi_shard_figures(int shard, struct demi_shard_figures *out)
{
	KEEP_ERRNO;
	struct runtime *runtime = world_get_or_null();
	int error;

	if (runtime == NULL)
		return figures_ended(shard, out);
	error = out == NULL ? EINVAL : figures(runtime, shard, out);
	world_put();
	return error;
}
