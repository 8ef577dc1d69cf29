#include "shard/runtime.h"

#include "mem/check.h"
#include "shard/clock.h"
#include "shard/loop.h"
#include "shard/startup.h"
#include "shard/state.h"
#include "shard/thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* --- start and end --- */
/* "auto" is known only later. */
static bool make_shards(struct runtime *runtime)
{
	const unsigned count =
		runtime->config.shard_count ? runtime->config.shard_count : NET_SHARD_MAX;
	size_t len = RTE_ALIGN_CEIL(count * sizeof(*runtime->shards), RTE_CACHE_LINE_SIZE);

	runtime->shards = aligned_alloc(RTE_CACHE_LINE_SIZE, len);
	if (!runtime->shards)
		return false;
	memset(runtime->shards, 0, len);
	for (unsigned i = 0; i < count; i++) {
		struct shard *shard = &runtime->shards[i];

		shard->runtime = runtime;
		shard->index = (uint16_t)i;
		shard->lcore_id = SHARD_NO_LCORE;
		shard->cpu = -1;
		shard->idle.event_fd = -1;
	}
	return true;
}

static void unmake(struct runtime *runtime)
{
	if (runtime->ranges)
		mem_ranges_destroy(runtime->ranges);
	free(runtime->shards);
	free(runtime);
}

static struct runtime *make_or_null(const struct runtime_config *config)
{
	struct runtime *runtime = calloc(1, sizeof(*runtime));

	if (!runtime)
		return NULL;
	runtime->config = *config;
	runtime->ranges = mem_ranges_create();
	if (!runtime->ranges || !make_shards(runtime)) {
		unmake(runtime);
		return NULL;
	}
	return runtime;
}

static int check_config(const struct runtime_config *config, char why[RUNTIME_WHY_LEN])
{
	const char *wrong = NULL;

	if (!config->port_count || config->port_count > NIC_PORT_MAX)
		wrong = "there has to be a port, and not more than 16";
	else if (config->shard_count > NET_SHARD_MAX || config->cpu_count > NET_SHARD_MAX)
		wrong = "more than 64 shards";
	else if (!config->token_max || config->token_max > TOKEN_SLOT_MAX)
		wrong = "token_max is not in 1 .. 16777216";
	else if (!config->queue_max || config->queue_max > QUEUE_SLOT_MAX)
		wrong = "queue_max is not in 1 .. 16777215";
	else if (config->mailbox_len < 2 || !rte_is_power_of_2(config->mailbox_len))
		wrong = "mailbox_len is not a power of two";
	if (wrong)
		snprintf(why, RUNTIME_WHY_LEN, "configuration: %s", wrong);
	return wrong ? -EINVAL : 0;
}

static int start(const struct runtime_config *config, struct runtime **out,
		 char why[RUNTIME_WHY_LEN])
{
	struct runtime *runtime = make_or_null(config);
	int rc;

	if (!runtime) {
		snprintf(why, RUNTIME_WHY_LEN, "out of memory");
		return -ENOMEM;
	}
	log_level_set(config->log_level);
	rc = control_start(&runtime->control, runtime, startup_steps, startup_step_count);
	if (rc) {
		snprintf(why, RUNTIME_WHY_LEN, "%s",
			 runtime->why[0] ? runtime->why : "no control thread");
		unmake(runtime);
		return rc;
	}
	*out = runtime;
	return 0;
}

int runtime_start(const struct runtime_config *config, struct runtime **out,
		  char why[RUNTIME_WHY_LEN])
{
	int rc = check_config(config, why);

	return rc ? rc : start(config, out, why);
}

unsigned runtime_end(struct runtime *runtime)
{
	unsigned missing;

	for (uint16_t i = 0; i < runtime->shard_count; i++)
		CHECK(!__atomic_load_n(&runtime->shards[i].entered, __ATOMIC_ACQUIRE) ||
		      __atomic_load_n(&runtime->shards[i].stage, __ATOMIC_ACQUIRE) == SHARD_LEFT);
	control_stop(&runtime->control);
	missing = runtime->missing;
	unmake(runtime);
	return missing;
}

void runtime_stop_mt(struct runtime *runtime)
{
	__atomic_store_n(&runtime->stopping, true, __ATOMIC_SEQ_CST);
	for (uint16_t i = 0; i < runtime->shard_count; i++)
		idle_kick_mt(&runtime->shards[i].idle);
}

/* --- a shard's thread comes; how it goes is in leave.c --- */
/* By the thread that will use them, so that their pages lie near it. */
static int make_tables(struct shard *shard)
{
	const struct runtime_config *config = &shard->runtime->config;
	int rc = tokens_init(&shard->tokens, (uint8_t)shard->index, config->token_max,
			     &shard->counters);

	return rc ? rc : queues_init(&shard->queues, (uint8_t)shard->index, config->queue_max);
}

static int become(struct shard *shard, bool pinned)
{
	int rc = thread_begin(shard, pinned);

	if (rc)
		return rc;
	rc = make_tables(shard);
	if (!rc)
		return 0;
	tokens_fini(&shard->tokens);
	queues_fini(&shard->queues);
	thread_end(shard);
	return rc;
}

int runtime_enter(struct runtime *runtime, uint16_t index, bool pinned, struct shard **out)
{
	struct shard *shard = &runtime->shards[index];
	int rc;

	if (index >= runtime->shard_count)
		return -EINVAL;
	if (__atomic_exchange_n(&shard->entered, true, __ATOMIC_ACQ_REL))
		return -EEXIST;
	rc = become(shard, pinned);
	if (rc) {
		__atomic_store_n(&shard->entered, false, __ATOMIC_RELEASE);
		return rc;
	}
	__atomic_store_n(&shard->lcore_id, thread_lcore_mt(), __ATOMIC_RELAXED);
	__atomic_fetch_add(&runtime->entered_count, 1, __ATOMIC_RELAXED);
	shard->turned_ns = shard->idle.busy_ns = clock_now_ns_mt();
	*out = shard;
	return 0;
}

/* --- questions --- */
uint16_t runtime_shard_count(const struct runtime *runtime)
{
	return runtime->shard_count;
}

int runtime_shard_cpu(const struct runtime *runtime, uint16_t index)
{
	return __atomic_load_n(&runtime->shards[index].cpu, __ATOMIC_RELAXED);
}

uint16_t runtime_owner(const struct runtime *runtime, const struct net_flow *flow)
{
	return rss_owner(&runtime->rss, rss_hash4(&runtime->rss, flow->remote.v4, flow->local.v4,
						  flow->remote_port, flow->local_port));
}
