/*
 * What a thread becomes when it becomes a shard: an lcore of the EAL, a reader of RCU, pinned to a
 * cpu, with naps as short as they are meant. The simulator, whose shards share one thread, links
 * another implementation of this header.
 */
#ifndef SHARD_THREAD_H
#define SHARD_THREAD_H

#include <stdbool.h>

struct shard;

/* 0 or -errno, and the thread is then what it was. */
int thread_begin(struct shard *shard, bool pinned);
/* The thread is again what it was before. */
void thread_end(struct shard *shard);
/* Tells threads that are shards apart; what other threads get is no shard's. */
unsigned thread_lcore_mt(void);

#endif
