/*
 * A shard's packet memory: three pools on its NUMA node, sized once, from which everything that is
 * sent, received or handed to the program comes.
 *
 *   data   one MTU-sized packet: what the device receives into, and small sgas
 *   small  headers, pure ACKs, ARP, and the indirect mbufs that point into a pushed buffer
 *   large  sgas above one packet, up to 65,535 bytes
 *
 * Pools are multi-producer because another core may give a buffer back (a packet handed over, a
 * driver that frees on the far side), but each lcore goes through its cache, so buffers travel home
 * in batches. The ring behind a pool is relaxed-tail (ring_mt_rts): a preempted thread stops
 * nobody.
 */
#ifndef MEM_MEM_H
#define MEM_MEM_H

#include "mem/pbuf.h"
#include "mem/ranges.h"

#include <rte_mbuf.h>
#include <stddef.h>
#include <stdint.h>

struct mem_config {
	uint16_t shard;
	int numa_node;	      /* SOCKET_ID_ANY (-1) if it does not matter */
	uint32_t data_count;  /* of mem_data_count() */
	uint32_t small_count; /* of mem_small_count() */
	uint32_t large_count; /* 0: MEM_LARGE_COUNT */
	uint16_t data_room;   /* bytes of a data buffer after its headroom; at least MTU + 18 */
	const char *name; /* begins the pools' names, at most 12 characters; NULL: "clowder". Two
			     worlds in one process need two. */
	/* Shared by all shards of a runtime, so that each recognises the others' buffers as handles
	 * once it got them over a mailbox or channel. NULL: only its own. */
	struct mem_ranges *ranges;
	bool uncached; /* without lcores' caches: one thread, many small pools */
};

enum { MEM_LARGE_COUNT = 64 };

/* What the shards and ports ask of a pool, each a term of its size. */
struct mem_demand {
	uint32_t shard_count;
	uint32_t port_count;
	uint32_t rxd, txd;	 /* descriptors of one queue */
	uint32_t conn_count_max; /* of one shard */
	uint64_t budget_len; /* bytes of receive and reassembly queues of one shard, by true size */
	uint32_t udp_queue_len; /* packets that UDP sockets of one shard may hold */
	uint32_t mailbox_len;	/* packets under way from one shard to one other */
	uint16_t data_room;
};

/* The sums, with a reason per term in mem.c. */
uint32_t mem_data_count(const struct mem_demand *demand);
uint32_t mem_small_count(const struct mem_demand *demand);
/* Bytes that the pools of a configuration take, for the EAL's -m. */
size_t mem_footprint(const struct mem_config *config);

/* How full the data pool is; decided once a turn by mem_level_update(). */
enum mem_level {
	MEM_PLENTY,
	MEM_LOW,    /* under 1/4 free: no new connections */
	MEM_SCARCE, /* under 1/8 free: no unreliable input either, windows no longer grow */
};

struct mem {
	struct rte_mempool *data, *small, *large;
	uint16_t shard;
	enum mem_level level;
	uint32_t low_count, scarce_count, reserve_count;
	uint32_t free_count; /* of data, as of mem_level_update(), less what handles took since */
	uint16_t data_room;
	struct mem_ranges *ranges;
	unsigned range_near; /* see mem_ranges_has() */
	bool ranges_own;
	bool data_kept; /* a driver keeps some data buffers for good: they are not missing */
};

/* 0 or -errno: -ENOMEM (out of EAL memory), -EEXIST (name in use), -EINVAL (a count of 0, a room
 * above 65,535 with headroom, a long name); needs the EAL. Memory of another NUMA node is taken,
 * with a warning, when the wanted one has none. Before any shard of the runtime runs. */
int mem_create(struct mem *mem, const struct mem_config *config);
/* Only after every port stopped. Buffers still out are reported with log_error. */
void mem_destroy(struct mem *mem);
enum mem_level mem_level_update(struct mem *mem);
/* Under 1/32 is free: that is for packets which bring memory back, such as ACKs, to come in. They
 * are heard and not kept, and programs get no buffer. */
static inline bool mem_reserve_only(const struct mem *mem)
{
	return mem->free_count <= mem->reserve_count;
}

/* Buffers not in the pool, all three pools together and one by one. Any thread; a snapshot. */
struct mem_use {
	uint32_t data, small, large;
	uint32_t data_total, small_total, large_total;
};
void mem_use_mt(const struct mem *mem, struct mem_use *use);

static inline struct rte_mbuf *mem_data_or_null(struct mem *mem)
{
	return rte_pktmbuf_alloc(mem->data);
}

static inline struct rte_mbuf *mem_small_or_null(struct mem *mem)
{
	return rte_pktmbuf_alloc(mem->small);
}

/*
 * Handles: what a program knows as an sga. mem_handle_alloc_or_null() gives a buffer with one
 * handle and room for len bytes at rte_pktmbuf_mtod(), len 1 .. 65,535; NULL when memory is out, or
 * len is not in that range. mem_handle_give() makes a received packet of one segment the program's
 * (it keeps the one reference that the packet came with); the program may touch the mbuf's data
 * bytes, no more. A buffer on which another shard's program has a handle is given as an indirect
 * mbuf (rte_pktmbuf_attach), which has a pbuf of its own: CHECK.
 */
struct rte_mbuf *mem_handle_alloc_or_null(struct mem *mem, uint32_t len);
void mem_handle_give(struct mem *mem, struct rte_mbuf *m);
/* The mbuf of a handle, if it is one of this shard's and [data, data + len) lies inside the bytes
 * that were allocated or given; else NULL. Safe for any pointer value. */
struct rte_mbuf *mem_handle_check(struct mem *mem, const void *handle, const void *data,
				  uint32_t len);
/* Takes one handle back: 0, or -EINVAL for what is no handle of this shard (never touched then). */
int mem_handle_free(struct mem *mem, void *handle);

#endif
