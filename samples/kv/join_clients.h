/* The joining of answers about connections: CLIENT LIST and KILL, PUBSUB. See join.h. */
#ifndef KV_JOIN_CLIENTS_H
#define KV_JOIN_CLIENTS_H

#include "kv/command.h"
#include "kv/out.h"

void join_client_kill(struct call *call, struct out *answers, int count);
void join_client_list(struct call *call, struct out *answers, int count);
/* Names that are there once, however many shards know them. */
void join_pubsub_names(struct call *call, struct out *answers, int count);
/* How many those are. */
void join_pubsub_numpat(struct call *call, struct out *answers, int count);
void join_pubsub_numsub(struct call *call, struct out *answers, int count);

#endif
