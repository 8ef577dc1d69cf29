/* The joining of SLOWLOG's and LATENCY's answers, see join.h. */
#ifndef KV_JOIN_LOG_H
#define KV_JOIN_LOG_H

#include "kv/command.h"
#include "kv/out.h"

void join_slowlog(struct call *call, struct out *answers, int count);
void join_latency_latest(struct call *call, struct out *answers, int count);
void join_latency_history(struct call *call, struct out *answers, int count);

#endif
