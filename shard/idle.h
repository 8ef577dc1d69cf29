/*
 * What a shard does when a turn of its loop found nothing: poll on, yield the cpu, or sleep until
 * something comes. A sleeper first arms its interrupts and raises `sleeping`, turns once more, and
 * only then sleeps: what came in between is found by that turn, what comes later wakes it.
 */
#ifndef SHARD_IDLE_H
#define SHARD_IDLE_H

#include "shard/runtime.h"

#include <stdbool.h>
#include <stdint.h>

struct idle {
	enum shard_idle policy; /* never AUTO */
	bool yields;		/* between polls: the cpu has other shards */
	bool armed;
	uint64_t spin_ns, nap_ns, sleep_ns_max;
	uint64_t busy_ns; /* when there was last something to do */
	int event_fd;	  /* posters write it when `sleeping` is set */
	uint32_t sleeping;
};

/* shared: some cpu has more than one shard. 0 or -errno. */
int idle_init(struct idle *idle, const struct runtime_config *config, bool shared);
void idle_fini(struct idle *idle);
/* A turn found something to do. */
void idle_busy(struct shard *shard, uint64_t now_ns);
/* A turn found nothing: passes the time as the policy says, never beyond deadline_ns, the next
 * timer, or news. What is due, and lacks a buffer, is tried again after a nap. */
void idle_pass(struct shard *shard, uint64_t now_ns, uint64_t deadline_ns);
/* Wakes the shard if it sleeps, after something was posted to it. */
void idle_wake_mt(struct idle *idle);
/* Wakes it in any case; signal-safe. */
void idle_kick_mt(struct idle *idle);

#endif
