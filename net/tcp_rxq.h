/*
 * What a connection has received: bytes in order that the program has not popped, and runs of
 * contiguous bytes beyond a gap. Packets are kept, not copied; the links are in their scratch.
 *
 *      popped | in order: m m m | gap | run: m m | gap | run: m |
 *                               ^ rcv_nxt
 *
 * Memory is budgeted by true size, what a buffer occupies rather than what it carries. Bytes that
 * came first win: where a segment overlaps what is here, its bytes are cut off. Of one that covers
 * a whole run the part before the run is kept; the peer sends the part after it again.
 */
#ifndef NET_TCP_RXQ_H
#define NET_TCP_RXQ_H

#include "net/tcp_opt.h"

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	/* Runs of a connection, each of which a peer may make us walk over (CVE-2018-5390): so many
	 * that every second full segment of the buffer may be lost, as slow start does it. */
	TCP_RXQ_RUNS_MIN = 64,
	TCP_RXQ_RUN_LEN = 2048, /* and one more for so many bytes of the buffer */
	/* Of what the others left of the pool a connection has a half, or, while there is room,
	 * this much. */
	TCP_RXQ_SHARE_SHIFT = 1,
	TCP_RXQ_SHARE_MIN = 16384,
};

/* True size of the out-of-order packets of all connections of a shard. */
struct tcp_rxq_pool {
	uint64_t len, len_max;
};

struct tcp_rxq {
	struct rte_mbuf *head, *tail;	       /* in order */
	struct rte_mbuf *run_first, *run_last; /* first packets of the runs, by sequence */
	uint32_t rcv_nxt;	 /* the next byte wanted; the core adds one for the FIN */
	uint32_t len;		 /* bytes in order, not popped */
	uint32_t buf_len;	 /* SO_RCVBUF: bytes that may be offered to the peer */
	uint32_t held_len;	 /* true size of all packets here */
	uint32_t reassembly_len; /* of it, of those in runs */
	uint32_t run_count;
	uint32_t arrivals; /* counts packets that went to a run */
};

enum tcp_rxq_result {
	TCP_RXQ_ACCEPTED,  /* rcv_nxt moved on, maybe over runs too */
	TCP_RXQ_REORDERED, /* kept beyond a gap: acknowledge at once */
	TCP_RXQ_DUPLICATE, /* nothing new in it: acknowledge at once, count tcp_duplicate */
	TCP_RXQ_FULL,	   /* beyond the budget, or a run too many: count tcp_reassembly_full */
};

void tcp_rxq_init(struct tcp_rxq *q, uint32_t rcv_nxt, uint32_t buf_len);
/* Frees all packets. Also right after tcp_rxq_init(), or twice. */
void tcp_rxq_fini(struct tcp_rxq *q, struct tcp_rxq_pool *pool);

/*
 * Takes over m, trimmed to its payload (one or more segments; at least one byte), which begins at
 * sequence number seq. What lies before rcv_nxt is cut off here; what lies beyond the window the
 * caller cuts off before.
 */
enum tcp_rxq_result tcp_rxq_add(struct tcp_rxq *q, struct tcp_rxq_pool *pool, struct rte_mbuf *m,
				uint32_t seq);

/* The oldest packet in order, one segment, trimmed to its payload, now the caller's; NULL: none. */
struct rte_mbuf *tcp_rxq_pop_or_null(struct tcp_rxq *q);

/* Bytes after rcv_nxt that there is room for: the window that may be offered. It assumes that
 * packets are half full; what that promises is accepted, whatever its true size. */
uint32_t tcp_rxq_window(const struct tcp_rxq *q);

/* Frees the runs (reneging, RFC 2018 8): for when memory is scarce. */
void tcp_rxq_prune(struct tcp_rxq *q, struct tcp_rxq_pool *pool);

/* The runs, the one that grew last first, for SACK (RFC 2018 4); returns how many, at most max. */
unsigned tcp_rxq_ranges(const struct tcp_rxq *q, struct tcp_range *ranges, unsigned max);

static inline bool tcp_rxq_has_gap(const struct tcp_rxq *q)
{
	return q->run_first != NULL;
}

#endif
