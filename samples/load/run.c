#include "load/run.h"

#include "load/clock.h"

#include <errno.h>
#include <stdlib.h>

enum { HEAD_START_NS = 20000000 }; /* until every shard has seen that a step begins */

void run_init(struct run *run, const struct plan *plan,
	      bool (*next)(struct run *run, struct step *step), void *arg)
{
	*run = (struct run){.plan = plan, .next = next, .arg = arg};
}

int run_join(struct run *run, unsigned shard, unsigned shard_count)
{
	run->shard_count = shard_count;
	run->results[shard] = calloc(1, sizeof(*run->results[shard]));
	return run->results[shard] ? 0 : ENOMEM;
}

void run_fini(struct run *run)
{
	for (unsigned i = 0; i < RUN_SHARD_MAX; i++)
		free(run->results[i]);
}

static void begin_step(struct run *run)
{
	struct step *step = &run->step;

	run->over = !run->next(run, step);
	step->start_ns = clock_ns() + HEAD_START_NS;
	step->warm_end_ns = step->start_ns + run->plan->warm_ns;
	step->end_ns = step->warm_end_ns + run->plan->measure_ns;
}

unsigned run_arrive(struct run *run)
{
	const unsigned epoch = run_epoch(run);

	/* release: results were left; acquire: those of the others */
	if (atomic_fetch_add_explicit(&run->arrived, 1, memory_order_acq_rel) + 1 ==
	    run->shard_count) {
		atomic_store_explicit(&run->arrived, 0, memory_order_relaxed);
		begin_step(run);
		/* release; pairs with run_epoch() */
		atomic_store_explicit(&run->epoch, epoch + 1, memory_order_release);
	}
	return epoch;
}

unsigned run_epoch(const struct run *run)
{
	return atomic_load_explicit(&run->epoch, memory_order_acquire);
}

bool run_measured(const struct run *run)
{
	for (unsigned i = 0; i < run->shard_count; i++) {
		if (!run->results[i] || run->results[i]->until_ns <= run->step.warm_end_ns)
			return false;
	}
	return run->shard_count > 0;
}
