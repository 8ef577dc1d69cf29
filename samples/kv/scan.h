/* SCAN's cursor, which tells the shard that it goes on with. */
#ifndef KV_SCAN_H
#define KV_SCAN_H

#include "kv/command.h"

/* Any shard for what is no cursor: it answers the error. */
int scan_shard(const struct call *call, int shard_count);

#endif
