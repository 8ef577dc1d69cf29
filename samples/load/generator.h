/*
 * One shard's load: its connections, when requests are due, and what came of them. It ends when the
 * run has no further step.
 *
 *      generator.c ... its life: connect, prepare, steps, one turn after another
 *      schedule.c .... which request goes when, on which connection
 *      conn.c ........ a connection: connect, send, receive, fail
 *      workload*.c ... what a request is, and whether the answer is right
 */
#ifndef LOAD_GENERATOR_H
#define LOAD_GENERATOR_H

#include "load/arrivals.h"
#include "load/conn.h"
#include "load/dice.h"
#include "load/plan.h"
#include "load/run.h"
#include "load/workload.h"
#include "qd_map.h"

enum generator_phase {
	PHASE_REST,    /* nothing is asked */
	PHASE_PREPARE, /* the workload's own requests, closed loop, not counted */
	PHASE_STEP,
	PHASE_PROBE, /* one request on each idle connection: it still works */
};

struct generator {
	const struct plan *plan;
	struct run *run;
	struct results *results;
	unsigned shard;
	uint64_t now_ns; /* the clock was looked at when the last wait returned */

	struct conn *conns;
	unsigned conn_count; /* the idle ones behind the others */
	/* The plan's, or what the workload made of them when it began. */
	const struct sockaddr_in *servers;
	unsigned server_count;
	unsigned opened, connecting;
	struct qd_map map;
	/* Those with room, in an open loop: the one that had its turn longest ago first. */
	struct conn *waiting_first, *waiting_last;
	uint64_t waiting_since_ns; /* the list is not empty since then */
	struct conn **unflushed;
	unsigned unflushed_count;

	enum generator_phase phase;
	struct step step;
	struct arrivals arrivals;
	uint64_t due_ns; /* the next arrival; UINT64_MAX: none */
	uint64_t in_flight;
	bool prepared; /* there is nothing to prepare, or it was given up */
	unsigned probes_left;

	bool starved; /* something could not be sent, and no result will say when it can */
	uint64_t looked_after_ns; /* when connections were last looked after, */
	unsigned looked_after;	  /* and which is next */
	struct dice dice;
	void *state; /* the workload's */
};

/* On the calling shard, which has joined the run as number `shard`. 0, or an errno: then it tells
 * all to stop. ECANCELED: it was told to, and has left results of the step as far as it went. */
int generator_run(struct run *run, unsigned shard);

#endif
