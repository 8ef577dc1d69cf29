/*
 * What a connection has to send or to send again: the pushes of the program, in order, each holding
 * a reference on its buffer until every byte of it was acknowledged, and the making of segments
 * out of them. The connection's first byte of data has sequence number iss + 1; a FIN comes after
 * the last byte and is the core's business.
 *
 *      acked | push | push | push |
 *            ^ una                ^ end
 *
 * A segment is made without copying where that is possible:
 *  A  It is exactly one push, whose bytes begin where the buffer's data began, nobody else sends
 *     from the buffer or has it in a device's queue: the buffer itself, headers go in its headroom.
 *  B  Else, on a device that takes chains: an mbuf for the headers, and an indirect mbuf for each
 *     push touched, up to TCP_TXQ_CHAIN_MAX.
 *  C  Else: a copy.
 */
#ifndef NET_TCP_TXQ_H
#define NET_TCP_TXQ_H

#include "mem/mem.h"
#include "mem/slab.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	TCP_TXQ_CHAIN_MAX = 4,	  /* pushes in one chain; with more, copying costs less */
	TCP_TXQ_HEADER_MAX = 128, /* bytes of all headers of a segment */
};

_Static_assert(TCP_TXQ_HEADER_MAX <= RTE_PKTMBUF_HEADROOM, "headers fit in the headroom");

struct tcp_push;
struct tcp_txq;

/* A shard's: where pushes come from, and those that ended. */
struct tcp_txq_pool {
	struct slab *pushes; /* of objects of tcp_txq_push_size() */
	struct mem *mem;
	struct tcp_push *done, *done_last;
};

struct tcp_txq {
	struct tcp_push *first, *last;
	struct tcp_push *cursor; /* where the last segment ended; the next begins there */
	uint32_t una, end;	 /* sequence numbers */
	uint32_t buf_len;	 /* SO_SNDBUF, bytes */
	uint32_t count;		 /* pushes here */
	uint32_t done_count;	 /* pushes of this queue on the pool's done list */
	bool orphan;		 /* nobody wants to hear about its pushes */
};

/* Bytes of a push, for slab_create(). */
size_t tcp_txq_push_size(void);

/* seq: of the first byte of data. */
void tcp_txq_init(struct tcp_txq *q, uint32_t seq, uint32_t buf_len);
/* Forgets all pushes; none comes out of tcp_txq_done_take() any more. Before the queue's memory
 * goes. Also right after tcp_txq_init(), or twice. */
void tcp_txq_fini(struct tcp_txq *q, struct tcp_txq_pool *pool);

/*
 * Queues len >= 1 bytes at data, inside m, and holds it (pbuf_hold).
 * -EAGAIN: buf_len bytes are queued (one push is always allowed), the shard has no push left, or m
 * is in very many queues; nothing was taken.
 */
int tcp_txq_push(struct tcp_txq *q, struct tcp_txq_pool *pool, struct rte_mbuf *m, const void *data,
		 uint32_t len, uint64_t cookie);
/* Room for a push of one byte. */
bool tcp_txq_has_room(const struct tcp_txq *q, const struct tcp_txq_pool *pool);

/* All before una was acknowledged (una beyond the end, by a FIN, is fine; una in the past does
 * nothing). Pushes that end there are done with error 0. Returns how many bytes it was. */
uint32_t tcp_txq_acked(struct tcp_txq *q, struct tcp_txq_pool *pool, uint32_t una);
/* Every push left is done with this error (-errno). */
void tcp_txq_fail_all(struct tcp_txq *q, struct tcp_txq_pool *pool, int error);
/* The program closed: what is queued is still sent, but no cookie, neither of pushes that ended
 * already, comes out of tcp_txq_done_take(). */
void tcp_txq_orphan(struct tcp_txq *q, struct tcp_txq_pool *pool);

/* The next push that ended, oldest first: its cookie, and 0 or -errno. False: none. */
bool tcp_txq_done_take(struct tcp_txq_pool *pool, uint64_t *cookie, int *error);

/*
 * A segment of the bytes from seq (una <= seq < end) on: min(len, end - seq) of them, see pkt_len;
 * with header_len bytes of headroom in its first mbuf, for rte_pktmbuf_prepend(). len is at most
 * what fits in a data buffer. ol_flags and tx_offload are zero. The caller's, to transmit or free.
 * NULL: no buffer; nothing changed. n calls for consecutive segments cost O(n). multi_segs: the
 * device takes chains.
 */
struct rte_mbuf *tcp_txq_segment_or_null(struct tcp_txq *q, struct tcp_txq_pool *pool, uint32_t seq,
					 uint32_t len, uint16_t header_len, bool multi_segs);

/* Bytes queued: sent and unacknowledged, or not sent yet. */
static inline uint32_t tcp_txq_len(const struct tcp_txq *q)
{
	return q->end - q->una;
}

#endif
