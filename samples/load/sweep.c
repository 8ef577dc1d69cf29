#include "load/sweep.h"

#include <stddef.h>

enum {
	CLIMB_COUNT = 12,
	BISECT_COUNT = 5,
};

/* Shares of the highest rate: even steps, narrower where the curve bends, and beyond. */
static const double shares[CLIMB_COUNT] = {0.1, 0.2, 0.3, 0.4,	0.5, 0.6,
					   0.7, 0.8, 0.9, 0.95, 1.0, 1.1};

/* How much of what was due was answered in its time. With few requests at random there may be far
 * fewer due than on average, or more. */
static double share_answered(const struct summary *step)
{
	const double answered = step->total.rate * step->seconds;

	return step->total.due > 0 ? answered / (double)step->total.due : 1;
}

/* All that was asked for was answered, within the limit and without an error, to the end. */
static bool within(const struct sweep *sweep, const struct summary *step)
{
	return !step->cut_short &&
	       step->total.percentile_ns[PERCENTILE_P99] <= sweep->p99_limit_ns &&
	       share_answered(step) >= 0.98 && step->total.fault_count == 0;
}

static void learn(struct sweep *sweep)
{
	const struct summary *last = &sweep->steps[sweep->step_count - 1];

	if (last->offered == 0) {
		sweep->rate_max = last->total.rate;
		return;
	}
	if (within(sweep, last)) {
		if (last->offered > sweep->good)
			sweep->good = last->offered;
	} else if (sweep->bad == 0 || last->offered < sweep->bad) {
		sweep->bad = last->offered;
	}
	/* Far behind what was asked for: a higher rate would show the same. */
	sweep->climbing &= share_answered(last) >= 0.9;
}

static bool begin(struct sweep *sweep, struct step *step)
{
	sweep->climbing = true;
	if (sweep->single) {
		*step = (struct step){.arrivals = sweep->arrivals, .rate = sweep->rate};
		return true;
	}
	if (sweep->rate_max == 0)
		*step = (struct step){.arrivals = ARRIVALS_CLOSED};
	return sweep->rate_max == 0;
}

bool sweep_next(struct sweep *sweep, struct step *step)
{
	if (sweep->step_count == 0) {
		if (begin(sweep, step))
			return true;
	} else {
		learn(sweep);
	}
	if (sweep->single || sweep->rate_max <= 0 || sweep->step_count == SWEEP_STEP_MAX)
		return false;
	*step = (struct step){.arrivals = sweep->arrivals};
	if (sweep->climbing && sweep->climbed < CLIMB_COUNT) {
		step->rate = shares[sweep->climbed++] * sweep->rate_max;
		return true;
	}
	if (sweep->good == 0 || sweep->bad <= sweep->good || sweep->bisected == BISECT_COUNT)
		return false;
	sweep->bisected++;
	step->rate = (sweep->good + sweep->bad) / 2;
	return true;
}

const struct summary *sweep_best_or_null(const struct sweep *sweep)
{
	const struct summary *best = NULL;

	for (unsigned i = 0; i < sweep->step_count; i++) {
		const struct summary *step = &sweep->steps[i];

		if (step->offered > 0 && within(sweep, step) &&
		    (!best || step->offered > best->offered))
			best = step;
	}
	return best;
}
