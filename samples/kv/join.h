/*
 * Answers of all shards that become one: what SPREAD_ALL means for each command. The router asks
 * the shards, each of which runs the command on its own data, and calls join_answers() on the
 * client's shard when all have answered. Several shards are asked with call->part set: they answer
 * what can be joined (RANDOMKEY's says of how many keys it was picked), not what a client reads.
 */
#ifndef KV_JOIN_H
#define KV_JOIN_H

#include "kv/command.h"
#include "kv/out.h"

/*
 * The only shard that is asked, or -1: all are. SCAN's cursor names its shard: whoever runs it (see
 * call->engine->shard and shard_count) takes the cursor apart and puts the next one together, so
 * that the answer needs no joining.
 */
int join_shard(const struct call *call, int shard_count);
/*
 * Puts one answer into call->out from answers[0 .. count - 1], in the order of the shards; errors
 * first: if a shard answered with one, that is the answer. What is left in answers is the caller's
 * to end. call->engine is the client's shard's.
 */
void join_answers(struct call *call, struct out *answers, int count);

#endif
