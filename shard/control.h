/*
 * The control thread: starts and stops the runtime step by step, and in between does what shards
 * must not wait for: it applies neighbour news and looks at ports' links. A second thread frees
 * what RCU retired, as that waits for every shard's next turn: a shard that computes for long holds
 * up nobody's neighbours.
 */
#ifndef SHARD_CONTROL_H
#define SHARD_CONTROL_H

#include "net/tables.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

struct rte_ring;
struct runtime;

/* One step of starting up; stop() undoes start(), also after a start() that failed half-way. */
struct control_step {
	const char *name;
	int (*start)(struct runtime *runtime); /* 0, or -errno and runtime->why */
	void (*stop)(struct runtime *runtime); /* NULL: nothing to undo */
};

struct control {
	struct runtime *runtime;
	const struct control_step *steps;
	unsigned step_count;
	pthread_t thread;
	sem_t started;
	int status;   /* of the start */
	int event_fd; /* news, or the end */
	bool told;    /* mt, atomic: event_fd was written and not read yet */
	bool ending;  /* mt, atomic */
	pthread_t reclaimer;
	int reclaimer_fd; /* the end */
	/* Versions of tables that were published, and of those the ones that were freed: mt,
	 * atomic. */
	uint32_t published, reclaimed;
	struct rte_ring *news; /* struct net_neigh_event, from any shard */
};

/* Creates the thread, which walks the steps; returns when it has: 0, or the first step's error
 * after all before it were undone. -EEXIST: the process has a runtime. The simulator links another
 * implementation, without threads and without that limit. */
int control_start(struct control *control, struct runtime *runtime,
		  const struct control_step *steps, unsigned step_count);
/* The thread undoes the steps, last first, and ends. */
void control_stop(struct control *control);
/* Any shard; lost when there is too much. */
void control_news_mt(struct control *control, const struct net_neigh_event *event);

#endif
