/*
 * When, or how often, an entry was used, in 24 bits as in Redis: for LRU the time in seconds, which
 * wraps after 194 days; for LFU 16 bits of minutes and a counter of 8 bits that grows with the
 * logarithm of the accesses and shrinks with time.
 */
#ifndef KV_ACCESS_H
#define KV_ACCESS_H

#include "kv/dice.h"
#include "kv/store.h"

#include <stdint.h>

/* A new entry's. */
uint32_t access_first(const struct store_config *config, uint64_t now_ms);
/* After one more access. */
uint32_t access_next(const struct store_config *config, struct dice *dice, uint32_t access,
		     uint64_t now_ms);
uint64_t access_idle_s(uint32_t access, uint64_t now_ms);
unsigned access_freq(const struct store_config *config, uint32_t access, uint64_t now_ms);

#endif
