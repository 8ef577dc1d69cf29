/* INFO, MEMORY STATS and MEMORY DOCTOR of all shards. */
#ifndef KV_CMD_INFO_H
#define KV_CMD_INFO_H

#include "kv/command.h"

struct info;

/* The reply to the call, from what all shards have counted together. */
void cmd_info_join(struct call *call, const struct info *sum);

#endif
