/*
 * Slots as in Redis Cluster: CRC16 (XMODEM) of a key, or of what is in its first non-empty braces,
 * modulo 16384. Each shard owns a run of them.
 */
#ifndef KV_SLOT_H
#define KV_SLOT_H

#include "kv/slice.h"

enum { SLOT_COUNT = 16384 };

unsigned slot_of(struct slice key);

/* The shard that owns the slot. */
static inline int slot_owner(unsigned slot, int shard_count)
{
	return (int)(slot * (unsigned)shard_count / SLOT_COUNT);
}

/* The first slot of a shard; of shard_count: SLOT_COUNT. */
static inline unsigned slot_first(int shard, int shard_count)
{
	return ((unsigned)shard * SLOT_COUNT + (unsigned)shard_count - 1) / (unsigned)shard_count;
}

#endif
