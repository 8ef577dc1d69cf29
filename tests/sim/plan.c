#include "plan.h"

#include <stdio.h>

uint32_t plan_dice(struct plan *plan, uint32_t sides)
{
	uint64_t x = plan->random += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((x ^ x >> 31) >> 16) % sides;
}

static bool toss(struct plan *plan)
{
	return plan_dice(plan, 2);
}

static const char *truth(bool value)
{
	return value ? "true" : "false";
}

/* Hardware-like: the device steers by our key and table; else in software, by what it likes. */
static void make_host(struct plan *plan, unsigned host)
{
	const unsigned shards = 1 + plan_dice(plan, PLAN_SHARD_MAX);

	plan->shard_count[host] = shards;
	snprintf(plan->config[host], PLAN_CONFIG_LEN,
		 "[runtime]\nshards = %u\n"
		 "[[port]]\ndevice = \"sim0,rss=%u,checksum=%u,chains=%u,queues=%u\"\n"
		 "address = \"10.0.0.%u/24\"\n"
		 "[tcp]\nuser_timeout_s = 60\nsyn_timeout_s = 30\nmsl_ms = 1000\n"
		 "timestamps = %s\nwindow_scale = %s\nsack = %s\nnodelay = %s\n"
		 "congestion = \"%s\"\nrcvbuf_bytes = %u\n",
		 shards, plan_dice(plan, 2), plan_dice(plan, 2), plan_dice(plan, 2),
		 toss(plan) ? 1 : shards, host + 1, truth(toss(plan)), truth(toss(plan)),
		 truth(plan_dice(plan, 4)), truth(toss(plan)), toss(plan) ? "cubic" : "newreno",
		 plan_dice(plan, 3) ? 262144 : 8192);
}

static void make_path(struct plan *plan)
{
	static const uint64_t delays_ns[] = {0, 10000, 1000000, 20000000};
	static const uint32_t shares_ppm[] = {0, 1000, 10000, 50000};
	struct demi_sim_path *path = &plan->path;

	path->size = sizeof(*path);
	path->delay_ns = delays_ns[plan_dice(plan, 4)];
	if (plan_dice(plan, 3) == 0)
		return; /* a clean wire */
	path->jitter_ns = plan_dice(plan, 2) * (path->delay_ns / 2);
	path->loss_ppm = shares_ppm[plan_dice(plan, 4)];
	path->corrupt_ppm = shares_ppm[plan_dice(plan, 3)];
	path->truncate_ppm = shares_ppm[plan_dice(plan, 3)];
	path->duplicate_ppm = shares_ppm[plan_dice(plan, 4)];
	path->reorder_ppm = shares_ppm[plan_dice(plan, 4)];
	path->mark_ppm = shares_ppm[plan_dice(plan, 3)];
	path->reorder_ns = 1 + plan_dice(plan, 5000000);
	if (plan_dice(plan, 3))
		return;
	path->rate_bps = 1000000ull << plan_dice(plan, 10);
	path->queue_packets = 10 + plan_dice(plan, 100);
}

static void make_load(struct plan *plan)
{
	plan->streams = 1 + plan_dice(plan, 4);
	plan->parallel = 1 + plan_dice(plan, 4);
	plan->stream_len_max = 1u << plan_dice(plan, 17);
	if (plan_dice(plan, 6) == 0) { /* many short ones */
		plan->streams = 40;
		plan->parallel = 10;
		plan->stream_len_max = 100;
	}
	if (plan_dice(plan, 4) == 0)
		plan->read_pause_ns = 1 + plan_dice(plan, 50000000);
}

void plan_make(struct plan *plan, uint64_t seed)
{
	*plan = (struct plan){.seed = seed, .random = seed * 0x2545f4914f6cdd1du};
	plan->host_count = 2 + plan_dice(plan, PLAN_HOST_MAX - 1);
	for (unsigned i = 0; i < plan->host_count; i++)
		make_host(plan, i);
	make_path(plan);
	make_load(plan);
	if (toss(plan))
		plan->trouble_count = 1 + plan_dice(plan, 8);
	plan->harsh = plan->trouble_count > 0;
	plan->lossy = plan->path.loss_ppm || plan->path.corrupt_ppm || plan->path.truncate_ppm ||
		      plan->path.rate_bps;
}
