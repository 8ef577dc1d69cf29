/*
 * The host that the fuzz targets attack: one shard's whole stack, 10.0.0.1/24, on pools whose free
 * and unused bytes are poisoned. The pools live as long as the process, the stack for one input.
 */
#ifndef TESTS_FUZZ_VICTIM_H
#define TESTS_FUZZ_VICTIM_H

#include "net/stack.h"

enum {
	VICTIM_PORT = 7,
	VICTIM_FRAME_LEN_MAX = 2048, /* what fits into a buffer of its data pool */
	VICTIM_NEWS_MAX = 64,
};

#define VICTIM_ADDR RTE_BE32(0x0a000001u)
#define PEER_ADDR   RTE_BE32(0x0a000002u)

#define MS (1000ull * 1000)
#define S  (1000 * MS)

struct victim {
	uint64_t now_ns, random;
	struct net_tables *tables;
	struct counters counters;
	struct net *net;
	struct net_neigh_event news[VICTIM_NEWS_MAX];
	unsigned news_count;
};

/* The EAL and the pools; once a process. */
void victim_setup(void);
/* Small limits, so that short inputs reach them. */
struct net_config victim_config(void);
void victim_begin(struct victim *v, const struct net_config *config);
/* Checks that no buffer is missing. */
void victim_end(struct victim *v);

/* Frames of one burst; more than fit into NET_BURST_MAX or the pool are lost. */
struct victim_frame {
	const uint8_t *bytes;
	uint32_t len;
};
void victim_input(struct victim *v, const struct victim_frame *frames, unsigned n);
/* The next frame that leaves, into bytes; its length, 0: none. Checks its checksums. */
uint32_t victim_output(struct victim *v, uint8_t bytes[VICTIM_FRAME_LEN_MAX]);
/* Time passes, timers fire where they are due. */
void victim_after(struct victim *v, uint64_t ns);
/* What must hold of all connections at any time. */
void victim_check(const struct victim *v);
struct mem *victim_mem(void);

/* Fills in an IPv4 packet's checksums as far as its lengths allow it to be found. */
void victim_sum(uint8_t *frame, uint32_t len);

#endif
