/*
 * A runtime on fakes whose shards are threads that do what the test tells them, one thing at a
 * time: the test calls, the shard's thread runs, the test goes on. So what happens is repeatable
 * although every shard has its own thread, as it must.
 */
#ifndef TESTS_SHARD_CREW_H
#define TESTS_SHARD_CREW_H

#include "shard/state.h"

enum { CREW_MAX = 4 };

/* How long shards linger when all have returned; 0, as at the start of each crew: they leave at
 * once, whoever still runs. */
extern uint64_t crew_linger_ns;

void crew_config(struct runtime_config *config, uint16_t shard_count);
/* Starts the runtime and its shards; fails the test if that fails. */
void crew_start(const struct runtime_config *config);
/* Runs fn(shard, arg) on the shard's thread and waits for it. */
int crew_call(unsigned index, int (*fn)(struct shard *shard, void *arg), void *arg);
/* The same in two halves, so that several shards can be at work at a time. */
void crew_begin(unsigned index, int (*fn)(struct shard *shard, void *arg), void *arg);
int crew_finish(unsigned index);
/* The shard's program returns: its thread lingers, and serves, until crew_end(). */
void crew_return(unsigned index);
/* The shard's thread leaves and ends, without lingering. */
void crew_leave(unsigned index);
/* All that have not do return, the runtime ends; returns how many packet buffers were missing. */
unsigned crew_end(void);
struct runtime *crew_runtime(void);
struct shard *crew_shard(unsigned index);

/* One turn of the shard's loop. */
void crew_turn(unsigned index);
/* The handle of a fresh buffer with the text. */
struct rte_mbuf *crew_sga(unsigned index, const char *text);
/* The calls of shard.h, made by the shard's thread. */
int crew_push(unsigned index, int32_t qd, struct rte_mbuf *handle, uint64_t *token);
int crew_pop(unsigned index, int32_t qd, uint64_t *token);
int crew_close(unsigned index, int32_t qd);
int crew_free(unsigned index, struct rte_mbuf *handle);
/* Polls once. */
int crew_poll(unsigned index, uint64_t token, struct shard_result *out);

#endif
