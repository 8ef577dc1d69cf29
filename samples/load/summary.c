#include "load/summary.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS_PER_TENTH = 8 };

const char *percentile_name(unsigned i)
{
	static const char *const names[] = {
#define X(share, name) name,
		PERCENTILES(X)
#undef X
	};

	return names[i];
}

double percentile_share(unsigned i)
{
	static const double shares[] = {
#define X(share, name) share,
		PERCENTILES(X)
#undef X
	};

	return shares[i];
}

static void make_figures(struct figures *f, const struct results *r, double seconds)
{
	*f = (struct figures){
		.rate = (double)r->completed_counted / seconds,
		.count = r->latency.count,
		.mean_ns = r->latency.count ? (double)r->latency.sum / (double)r->latency.count : 0,
		.busy_share = r->window_ns ? (double)r->busy_ns / (double)r->window_ns : 0,
		.pause_share = r->window_ns ? (double)r->paused_ns / (double)r->window_ns : 0,
		.pause_ns_max = r->pause_ns_max,
		.lag_p50_ns = histogram_quantile(&r->lag, 0.5),
		.lag_p99_ns = histogram_quantile(&r->lag, 0.99),
		.lag_max_ns = histogram_quantile(&r->lag, 1),
		.connect_p50_ns = histogram_quantile(&r->connect, 0.5),
		.connect_p99_ns = histogram_quantile(&r->connect, 0.99),
		.due = r->due_counted,
		.held_back = r->held_back,
		.unfinished = r->unfinished,
		.lost = r->lost,
		.conn_count = r->conn_count,
		.idle_count = r->idle_count,
	};
	for (unsigned i = 0; i < PERCENTILE_COUNT; i++)
		f->percentile_ns[i] = histogram_quantile(&r->latency, percentile_share(i));
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		f->faults[i] = r->faults[i];
		f->fault_count += r->faults[i];
	}
}

/* Shares that come nearer and nearer to 1, to the last one that the count of answers carries. */
static void make_curve(struct summary *summary, const struct histogram *latency)
{
	for (unsigned i = 0; i < CURVE_COUNT; i++) {
		summary->curve_share[i] = 1 - pow(10, -(double)i / POINTS_PER_TENTH);
		summary->curve_ns[i] = histogram_quantile(latency, summary->curve_share[i]);
	}
}

/* More than a tenth of the latency, and more than looking at the clock costs. */
static bool matters(uint64_t lag_ns, uint64_t latency_ns)
{
	const uint64_t lag_ns_min = 1000;

	return lag_ns > lag_ns_min && lag_ns > latency_ns / 10;
}

/* Where the generator was late its lateness is part of what it shows; without idle time it cannot
 * be in time. */
static void judge(struct summary *summary)
{
	const struct figures *f = &summary->total;

	summary->late =
		summary->offered > 0 && (matters(f->lag_p50_ns, f->percentile_ns[PERCENTILE_P50]) ||
					 matters(f->lag_p99_ns, f->percentile_ns[PERCENTILE_P99]));
	for (unsigned i = 0; i < summary->shard_count; i++) {
		summary->exhausted |= summary->shards[i].busy_share > 0.95;
		summary->paused |= summary->shards[i].pause_share > 0.01;
	}
}

int summary_make(struct summary *summary, const struct run *run)
{
	struct results *all = calloc(1, sizeof(*all));
	double seconds, most = 0;

	if (!all)
		return ENOMEM;
	for (unsigned i = 0; i < run->shard_count; i++)
		results_merge(all, run->results[i]);
	seconds = (double)(all->until_ns - run->step.warm_end_ns) / 1e9;
	*summary = (struct summary){
		.arrivals = run->step.arrivals,
		.offered = run->step.arrivals == ARRIVALS_CLOSED ? 0 : run->step.rate,
		.seconds = seconds,
		.cut_short = all->until_ns < run->step.end_ns,
		.shard_count = run->shard_count};
	for (unsigned i = 0; i < run->shard_count; i++) {
		make_figures(&summary->shards[i], run->results[i], seconds);
		most = fmax(most, summary->shards[i].rate);
	}
	make_figures(&summary->total, all, seconds);
	make_curve(summary, &all->latency);
	memcpy(summary->fault_text, all->fault_text, sizeof(summary->fault_text));
	summary->imbalance =
		summary->total.rate > 0 ? most * run->shard_count / summary->total.rate : 1;
	judge(summary);
	free(all);
	return 0;
}
