/*
 * What the shards of one program share: the plan, where they meet between steps, and the place
 * where each leaves its results. A step is one measurement; a sweep has many on the same
 * connections.
 */
#ifndef LOAD_RUN_H
#define LOAD_RUN_H

#include "load/plan.h"
#include "load/results.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { RUN_SHARD_MAX = 64 };

struct step {
	enum arrivals_kind arrivals;
	double rate; /* of all shards; not of a closed loop */
	uint64_t start_ns, warm_end_ns, end_ns;
};

struct run {
	const struct plan *plan;
	atomic_uint shard_count;
	/* By the last shard to arrive, with everybody's results there: what is next, without its
	 * times. False: nothing. */
	bool (*next)(struct run *run, struct step *step);
	void *arg; /* next's */

	struct step step; /* of this epoch: written before epoch is */
	bool over;
	atomic_uint arrived, epoch;
	struct results *results[RUN_SHARD_MAX];
};

void run_init(struct run *run, const struct plan *plan,
	      bool (*next)(struct run *run, struct step *step), void *arg);
/* With all results. */
void run_fini(struct run *run);
/* By each shard before anything else: makes room for its results. 0 or ENOMEM. */
int run_join(struct run *run, unsigned shard, unsigned shard_count);
/* The shard has done what the last step asked for. The caller waits for another epoch than the one
 * returned, by run_epoch(), and serves its connections meanwhile. */
unsigned run_arrive(struct run *run);
unsigned run_epoch(const struct run *run);
/* Once all shards have returned: each of them has measured something of the last step. */
bool run_measured(const struct run *run);

#endif
