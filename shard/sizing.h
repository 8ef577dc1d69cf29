/*
 * How much memory a runtime takes, from its configuration: each shard's pools, and all that lies in
 * the EAL's memory.
 */
#ifndef SHARD_SIZING_H
#define SHARD_SIZING_H

#include "mem/mem.h"

#include <stddef.h>
#include <stdint.h>

struct runtime;

struct mem_config sizing_pools(const struct runtime *runtime, uint16_t shard);
/* Bytes: pools, flow tables, and what drivers take for their queues. */
size_t sizing_memory_len(const struct runtime *runtime);

#endif
