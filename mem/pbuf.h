/*
 * A packet buffer is an rte_mbuf of one of our pools and this private area behind it. The scratch
 * bytes belong to whoever holds the packet: net/ keeps its parsed header there, a channel its
 * message; they keep their value when the packet crosses a mailbox.
 */
#ifndef MEM_PBUF_H
#define MEM_PBUF_H

#include <rte_mbuf.h>
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	PBUF_SCRATCH_LEN = 48,
	PBUF_PRIV_LEN = 64,
	PBUF_NOBODY = 0xffff, /* holder: no program has a handle */
};

struct pbuf {
	uint32_t magic;	 /* PBUF_MAGIC from the pool's birth on */
	uint16_t holder; /* the shard whose program has handles on this buffer, or PBUF_NOBODY */
	/* Handles (sgas) that the program holds, and entries of send queues. Together they have one
	 * mbuf reference: these counts are one thread's, the mbuf's is atomic. */
	uint16_t handle_count, send_count;
	uint16_t headroom_owned; /* a send queue entry writes its headers in front of the data */
	/* The bytes that the program may touch, as offsets into the buffer; sending moves data_off
	 * and data_len, this stays. */
	uint16_t handle_begin, handle_end;
	_Alignas(8) uint8_t scratch[PBUF_SCRATCH_LEN];
};

_Static_assert(sizeof(struct pbuf) == PBUF_PRIV_LEN, "one cache line behind the mbuf");

#define PBUF_MAGIC 0x63617473u /* "cats" */

static inline struct pbuf *pbuf_of(struct rte_mbuf *m)
{
	return rte_mbuf_to_priv(m);
}

static inline bool pbuf_is_held(const struct pbuf *p)
{
	return p->handle_count + p->send_count > 0;
}

/* A send queue's hold on a buffer to which the caller has a reference or a handle. */
static inline void pbuf_hold(struct rte_mbuf *m)
{
	struct pbuf *p = pbuf_of(m);

	if (!pbuf_is_held(p))
		rte_mbuf_refcnt_update(m, 1);
	p->send_count++;
}

/* The last to let go gives the reference back, of this segment only: what may be chained behind it
 * is the send queue's. */
static inline void pbuf_release(struct rte_mbuf *m)
{
	struct pbuf *p = pbuf_of(m);

	p->send_count--;
	if (!pbuf_is_held(p))
		rte_pktmbuf_free_seg(m);
}

/* Of a buffer that is held: the device has a reference, too. */
static inline bool pbuf_on_device(struct rte_mbuf *m)
{
	return rte_mbuf_refcnt_read(m) > 1;
}

/* Bytes that the buffer occupies, whatever it carries: what budgets count. */
static inline uint32_t pbuf_true_size(const struct rte_mbuf *m)
{
	return (uint32_t)sizeof(*m) + m->priv_size + m->buf_len;
}

/* Room for len more bytes behind a received packet's, which there has to be. Fuzzers poison what is
 * behind a packet, so that nobody gets there in another way. */
static inline void *pbuf_append(struct rte_mbuf *m, uint16_t len)
{
	void *room = rte_pktmbuf_append(m, len);

	ASAN_UNPOISON_MEMORY_REGION(room, len);
	return room;
}

#endif
