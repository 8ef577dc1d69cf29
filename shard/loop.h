/*
 * The loop that joins nic/ and net/: one turn, and running it until an operation is done.
 */
#ifndef SHARD_LOOP_H
#define SHARD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct op;
struct shard;

/* One turn; returns whether there was anything to do. */
bool shard_turn(struct shard *shard, uint64_t now_ns);
/* Turns and idles until op is done or timeout_ns passed, whatever runtime_stop_mt() says. */
void shard_run_until_done(struct shard *shard, const struct op *op, uint64_t timeout_ns);
/* Wakes the peers to which something was posted, if they sleep. */
void shard_wake_posted(struct shard *shard);

#endif
