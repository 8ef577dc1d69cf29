/*
 * Which entry goes when there is no more room. For LRU and LFU a few entries are looked at by
 * chance, and the best that were seen and not taken are remembered for the next time, as in Redis:
 * close to the true order at a small part of its cost. By chance is the same with all scores alike.
 * The time to live the wheel knows.
 */
#ifndef KV_EVICT_H
#define KV_EVICT_H

#include <stdbool.h>
#include <stdint.h>

enum { POOL_LEN = 16 };

struct candidate {
	uint64_t hash;
	uint32_t score; /* the higher, the sooner it goes */
	int db;
};

struct pool {
	unsigned len;
	struct candidate candidates[POOL_LEN]; /* by score, the lowest first */
};

struct store;

/* One entry goes. False: there is none that may. */
bool evict_one(struct store *store, uint64_t now_ms);

#endif
