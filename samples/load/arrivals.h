/*
 * When requests are due. An arrival process knows nothing of answers: that is what makes a loop an
 * open one, and a latency that is counted from here free of coordinated omission.
 */
#ifndef LOAD_ARRIVALS_H
#define LOAD_ARRIVALS_H

#include "load/dice.h"

#include <stdint.h>

enum arrivals_kind {
	ARRIVALS_CLOSED,  /* none: an answer brings the next request */
	ARRIVALS_POISSON, /* as from many users that do not know of each other */
	ARRIVALS_FIXED,	  /* evenly */
	ARRIVALS_INCAST,  /* evenly in bursts */
};

struct arrivals {
	enum arrivals_kind kind;
	struct dice dice;
	uint64_t start_ns;
	double gap_ns;	  /* mean, from one to the next */
	double offset_ns; /* of the last Poisson arrival, from start_ns */
	uint64_t count;	  /* so far */
	uint32_t burst;	  /* requests of a burst */
	double phase;	  /* of a fixed process, in gaps */
};

/* rate: requests a second, above 0, of this process alone; count processes with one rate, numbers
 * 0 .. count - 1, interleave where they are fixed, and burst together. burst: at least 1. */
void arrivals_init(struct arrivals *arrivals, enum arrivals_kind kind, double rate, uint32_t burst,
		   unsigned number, unsigned count, uint64_t start_ns, uint64_t seed);
/* When the next one is due; never before the last. Not of a closed loop. */
uint64_t arrivals_next_ns(struct arrivals *arrivals);

#endif
