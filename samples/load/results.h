/*
 * What one shard measured in one step. Written by its shard alone, by relaxed atomic stores, so
 * that a live table may be made of it by another thread.
 */
#ifndef LOAD_RESULTS_H
#define LOAD_RESULTS_H

#include "histogram.h"

#include <stdint.h>

/* Why a connection failed, or an answer was not the right one. */
#define FAULTS(X)                                                                                  \
	X(REFUSED, "refused", "nobody listens there")                                              \
	X(UNREACHABLE, "unreachable", "no way there")                                              \
	X(RESET, "reset", "the server reset the connection")                                       \
	X(CLOSED, "closed", "the server ended the connection")                                     \
	X(TIMEOUT, "timeout", "no answer in time")                                                 \
	X(WRONG, "wrong", "the answer is not the right one")                                       \
	X(PROTOCOL, "protocol", "the answer is none at all")                                       \
	X(ANSWER, "error_answer", "the server answered with an error")                             \
	X(LOCAL, "local", "we ran out of ports, buffers or descriptors")

enum fault {
#define X(name, key, text) FAULT_##name,
	FAULTS(X)
#undef X
		FAULT_COUNT
};

enum { RESULTS_TEXT_LEN = 160 };

struct results {
	uint64_t
		until_ns; /* what was measured ends here: the step's end, unless it was cut short */
	/* Of requests that were due after the warm-up: from then until the answer was whole. */
	struct histogram latency;
	/* Of the same: how much later than it could it was sent, by the generator's own fault. */
	struct histogram lag;
	/* Until the connection was there; for connections that are made for a request. */
	struct histogram connect;

	uint64_t asked, answered;   /* since the step began, warm-up included */
	uint64_t due_counted;	    /* due after the warm-up */
	uint64_t completed_counted; /* answered after the warm-up and before the end */
	uint64_t held_back;	    /* counted ones that were due and found no free connection */
	/* Counted ones that never got an answer: in latency they have the age that they reached,
	 * so that no percentile is better than it was. Lost ones went down with their connection,
	 * and are not in latency unless they timed out. */
	uint64_t unfinished, lost;
	uint64_t faults[FAULT_COUNT];
	char fault_text[RESULTS_TEXT_LEN]; /* of the first; printable ASCII */

	uint64_t window_ns; /* of this, */
	uint64_t busy_ns;   /* the generator had something to do so long, */
	/* and for so long it was not there: a turn took longer than any should, as when the cpu is
	 * somebody else's. What was due then is late by it, whatever the connections did. */
	uint64_t paused_ns, pause_ns_max;
	uint64_t idle_conns_lost; /* of all steps so far, and before them */
	unsigned conn_count, idle_count;
};

static inline void results_count(uint64_t *number, uint64_t by)
{
	__atomic_store_n(number, *number + by, __ATOMIC_RELAXED);
}

const char *fault_key(enum fault fault);
const char *fault_text(enum fault fault);
/* Adds from's to all's. */
void results_merge(struct results *all, const struct results *from);

#endif
