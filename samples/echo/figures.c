#include "echo/figures.h"

#include <demi/shard.h>
#include <stdio.h>
#include <time.h>

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void print(const struct figures *figures, const char *more)
{
	struct demi_shard_figures f = {.size = sizeof(f)};

	if (demi_shard_figures(figures->shard, &f))
		return;
	printf("shard %d cpu %d queue %u connections %u accepted %llu messages %llu lost %llu "
	       "dropped %llu retransmits %llu mbufs %u idle %u%s\n",
	       figures->shard, f.cpu, f.queue, f.connections, (unsigned long long)f.accepted,
	       (unsigned long long)figures->message_count, (unsigned long long)figures->lost_count,
	       (unsigned long long)f.dropped, (unsigned long long)f.retransmits, f.mbufs_used,
	       figures->mbufs_idle, more);
}

void figures_init(struct figures *figures, int shard)
{
	*figures = (struct figures){.shard = shard, .printed_ns = now_ns()};
}

void figures_idle(struct figures *figures)
{
	struct demi_shard_figures f = {.size = sizeof(f)};

	if (demi_shard_figures(figures->shard, &f) == 0)
		figures->mbufs_idle = f.mbufs_used;
}

void figures_print(const struct figures *figures)
{
	print(figures, "");
}

void figures_print_every(struct figures *figures, uint64_t period_ns)
{
	char rate[32];
	uint64_t now = now_ns(), passed = now - figures->printed_ns;
	uint64_t count = figures->message_count - figures->printed_count;

	if (passed < period_ns)
		return;
	snprintf(rate, sizeof(rate), " rate %.0f", (double)count * 1e9 / (double)passed);
	print(figures, rate);
	figures->printed_count = figures->message_count;
	figures->printed_ns = now;
}
