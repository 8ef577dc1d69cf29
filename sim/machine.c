/* What a simulation has instead of a machine: the clock, threads and cpus of shard/. */
#include "sim/sim.h"

#include "shard/clock.h"
#include "shard/place.h"
#include "shard/thread.h"

#include <rte_lcore.h>

void clock_start(void)
{
}

uint64_t clock_now_ns_mt(void)
{
	const struct sim_host *host = sim_current.host;

	return host ? SIM_EPOCH_NS + host->world->now_ns + host->clock_ns : SIM_EPOCH_NS;
}

/* All shards share the one thread, which demi_sim_create() registered. */
int thread_begin(struct shard *shard, bool pinned)
{
	(void)shard, (void)pinned;
	return 0;
}

void thread_end(struct shard *shard)
{
	(void)shard;
}

unsigned thread_lcore_mt(void)
{
	return sim_current.shard ? sim_current.shard->index : LCORE_ID_ANY;
}

int place_choose(const struct place_request *request, struct place *out, char why[PLACE_WHY_LEN])
{
	(void)why;
	*out = (struct place){.shard_count = request->shard_count ? request->shard_count : 1};
	for (unsigned i = 0; i < NET_SHARD_MAX; i++)
		out->numa_nodes[i] = -1;
	snprintf(out->machine, sizeof(out->machine), "simulated");
	return 0;
}
