/*
 * Cluster mode: each shard is a node of a Redis Cluster by itself, on the port of the first shard
 * and its own number. A command whose keys are not here is refused as Redis refuses it, so that
 * clients go where they should. Slots never move, and nodes never fail apart from each other.
 */
#ifndef KV_CLUSTER_H
#define KV_CLUSTER_H

#include "kv/command.h"
#include "kv/router.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum { CLUSTER_ID_LEN = 40 };

/*
 * False: the call's keys are not in one slot of this shard's, and call->out says MOVED (to the
 * address that this client calls us by) or CROSSSLOT.
 */
bool cluster_serves(struct call *call, struct in_addr (*address)(const struct session *session));
/* EXEC: false if its steps' keys are not all in one slot, which call->out says. */
bool cluster_serves_steps(struct call *call, const struct router_step *steps, int count);
/* A node's name: of its port alone, so that it is the same after the next start. */
void cluster_id(char id[CLUSTER_ID_LEN], const struct settings *settings, int shard);
uint16_t cluster_port(const struct settings *settings, int shard);

#endif
