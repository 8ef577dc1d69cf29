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
	uint16_t handle_count; /* handles (sgas) that the program holds; each is one mbuf reference
				*/
	uint16_t send_count;   /* entries of send queues that hold it; each is one mbuf reference */
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

/* References that are neither the program's nor a send queue's: the device still holds the packet.
 */
static inline bool pbuf_on_device(struct rte_mbuf *m)
{
	const struct pbuf *p = pbuf_of(m);

	return rte_mbuf_refcnt_read(m) > (uint32_t)p->handle_count + p->send_count;
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
