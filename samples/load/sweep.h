/*
 * Which steps a program makes: one; or a sweep, which goes through rates from low to saturation and
 * then closes in on the highest one whose p99 is within a limit. Sans-IO: summaries go in, the next
 * step comes out.
 */
#ifndef LOAD_SWEEP_H
#define LOAD_SWEEP_H

#include "load/run.h"
#include "load/summary.h"

#include <stdbool.h>
#include <stdint.h>

enum { SWEEP_STEP_MAX = 32 };

struct sweep {
	bool single;
	enum arrivals_kind arrivals;
	double rate;	 /* of a single step */
	double rate_max; /* of a sweep: 0: found out by a closed loop first */
	uint64_t p99_limit_ns;

	bool interrupted; /* by the user: steps are missing, and the last may be cut short */
	unsigned step_count;
	struct summary steps[SWEEP_STEP_MAX];
	unsigned climbed, bisected;
	bool climbing;
	double good, bad; /* the highest rate within the limit, the lowest beyond; 0: none */
};

/* The last step, if there was one, was entered as steps[step_count - 1]: the next, or false. */
bool sweep_next(struct sweep *sweep, struct step *step);
/* The step that had the highest rate within the limit; NULL: none had. */
const struct summary *sweep_best_or_null(const struct sweep *sweep);

#endif
