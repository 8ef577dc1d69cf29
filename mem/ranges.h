/*
 * Where in memory the packet buffers of a process lie, so that any pointer can be told from a
 * buffer without touching it. One table for all shards of a runtime: a packet that another shard
 * handed over is a buffer too. Written while pools are created and destroyed, before shards run and
 * after; read by every shard in between.
 */
#ifndef MEM_RANGES_H
#define MEM_RANGES_H

#include <rte_mempool.h>
#include <stdbool.h>

struct mem_ranges;

struct mem_ranges *mem_ranges_create(void); /* NULL: out of memory */
void mem_ranges_destroy(struct mem_ranges *ranges);

/* 0 or -ENOMEM (nothing was added then). */
int mem_ranges_add(struct mem_ranges *ranges, struct rte_mempool *pool);
void mem_ranges_remove(struct mem_ranges *ranges, const struct rte_mempool *pool);

/* Whether p is the address of an object of one of the pools. Safe for any value; any thread. The
 * same thread's next p is probably near this one: *near, any number at first, is where. */
bool mem_ranges_has(const struct mem_ranges *ranges, const void *p, unsigned *near);

#endif
