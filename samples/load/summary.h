/* A step in figures: what is printed, drawn and compared. */
#ifndef LOAD_SUMMARY_H
#define LOAD_SUMMARY_H

#include "load/run.h"

#include <stdbool.h>
#include <stdint.h>

/* What share of the answers took at most so long, in nines: half of the way to 1 for each. */
#define PERCENTILES(X)                                                                             \
	X(0.5, "p50")                                                                              \
	X(0.9, "p90")                                                                              \
	X(0.99, "p99")                                                                             \
	X(0.999, "p99.9")                                                                          \
	X(0.9999, "p99.99")                                                                        \
	X(1.0, "max")

enum {
	PERCENTILE_COUNT = 6,
	PERCENTILE_P50 = 0,
	PERCENTILE_P99 = 2,
	CURVE_COUNT = 56, /* points of a percentile plot: 8 for each tenth of what is left */
};

struct figures {
	double rate; /* answers a second, after the warm-up and before the end */
	uint64_t count;
	uint64_t percentile_ns[PERCENTILE_COUNT];
	double mean_ns;
	double busy_share;  /* of the time, the generator had something to do */
	double pause_share; /* of the time, it was not there */
	uint64_t pause_ns_max;
	uint64_t lag_p50_ns, lag_p99_ns, lag_max_ns;
	uint64_t connect_p50_ns, connect_p99_ns; /* 0: none was made for a request */
	uint64_t due, held_back, unfinished, lost, fault_count;
	uint64_t faults[FAULT_COUNT];
	unsigned conn_count, idle_count;
};

struct summary {
	enum arrivals_kind arrivals;
	double offered; /* requests a second; 0: a closed loop */
	double seconds;
	struct figures total, shards[RUN_SHARD_MAX];
	unsigned shard_count;
	/* The busiest shard's rate over the mean of all. */
	double imbalance;
	char fault_text[RESULTS_TEXT_LEN];
	/* Latencies are the generator's own doing, in part: it was late, or had no time left. */
	bool late, exhausted;
	bool paused;	/* likewise: it was away for more than 1 % of the time */
	bool cut_short; /* it was ended before its time: the seconds are those that were measured */
	double curve_share[CURVE_COUNT];
	uint64_t curve_ns[CURVE_COUNT];
};

/* Names and shares of percentile_ns[]. */
const char *percentile_name(unsigned i);
double percentile_share(unsigned i);
/* Of the run's last step, of which something was measured. 0 or ENOMEM. */
int summary_make(struct summary *summary, const struct run *run);

#endif
