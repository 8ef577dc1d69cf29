#include "net/tcp_txq.h"

#include "mem/check.h"
#include "net/tcp_seq.h"

#include <errno.h>
#include <string.h>

enum {
	SEND_COUNT_MAX = 16384, /* pushes of one buffer: counts have 16 bits, and each indirect mbuf
				   in flight takes a reference */
};

struct tcp_push {
	struct tcp_push *next;
	struct tcp_txq *q;
	struct rte_mbuf *m;
	const uint8_t *data;
	uint64_t cookie;
	uint32_t seq, len;
	int error;
	bool owns_headroom;
};

size_t tcp_txq_push_size(void)
{
	return sizeof(struct tcp_push);
}

void tcp_txq_init(struct tcp_txq *q, uint32_t seq, uint32_t buf_len)
{
	*q = (struct tcp_txq){.una = seq, .end = seq, .buf_len = buf_len};
}

/* --- pushes begin --- */

/* The bytes in front of the push are headers' or nobody's, and no other push uses the buffer. */
static bool may_own_headroom(struct rte_mbuf *m, const void *data)
{
	const struct pbuf *p = pbuf_of(m);
	uint16_t begin = p->handle_count ? p->handle_begin : m->data_off;

	return RTE_MBUF_DIRECT(m) && p->send_count == 0 &&
	       (uintptr_t)data - (uintptr_t)m->buf_addr == begin;
}

static void hold_buffer(struct tcp_push *push)
{
	struct pbuf *p = pbuf_of(push->m);

	push->owns_headroom = may_own_headroom(push->m, push->data);
	p->headroom_owned |= push->owns_headroom;
	pbuf_hold(push->m);
}

static void drop_buffer(struct tcp_push *push)
{
	struct pbuf *p = pbuf_of(push->m);

	if (push->owns_headroom)
		p->headroom_owned = 0;
	pbuf_release(push->m);
	push->m = NULL;
}

bool tcp_txq_has_room(const struct tcp_txq *q, const struct tcp_txq_pool *pool)
{
	return slab_used(pool->pushes) < slab_count(pool->pushes) &&
	       (q->count == 0 || tcp_txq_len(q) < q->buf_len);
}

int tcp_txq_push(struct tcp_txq *q, struct tcp_txq_pool *pool, struct rte_mbuf *m, const void *data,
		 uint32_t len, uint64_t cookie)
{
	struct tcp_push *push;

	CHECK(len > 0 && !q->orphan);
	if (q->count > 0 && (uint64_t)tcp_txq_len(q) + len > q->buf_len)
		return -EAGAIN;
	if (pbuf_of(m)->send_count >= SEND_COUNT_MAX)
		return -EAGAIN;
	push = slab_alloc_or_null(pool->pushes);
	if (!push)
		return -EAGAIN;
	*push = (struct tcp_push){
		.q = q, .m = m, .data = data, .len = len, .seq = q->end, .cookie = cookie};
	hold_buffer(push);
	if (q->last)
		q->last->next = push;
	else
		q->first = push;
	q->last = push;
	q->end += len;
	q->count++;
	return 0;
}

/* --- pushes end --- */

static void finish_first(struct tcp_txq *q, struct tcp_txq_pool *pool, int error)
{
	struct tcp_push *push = q->first;

	q->first = push->next;
	if (!q->first)
		q->last = NULL;
	if (q->cursor == push)
		q->cursor = NULL;
	q->count--;
	drop_buffer(push);
	if (q->orphan) {
		slab_free(pool->pushes, push);
		return;
	}
	push->next = NULL;
	push->error = error;
	if (pool->done)
		pool->done_last->next = push;
	else
		pool->done = push;
	pool->done_last = push;
	q->done_count++;
}

uint32_t tcp_txq_acked(struct tcp_txq *q, struct tcp_txq_pool *pool, uint32_t una)
{
	uint32_t acked_len;

	una = seq_min(una, q->end);
	if (seq_leq(una, q->una))
		return 0;
	acked_len = una - q->una;
	while (q->first && seq_leq(q->first->seq + q->first->len, una))
		finish_first(q, pool, 0);
	q->una = una;
	return acked_len;
}

void tcp_txq_fail_all(struct tcp_txq *q, struct tcp_txq_pool *pool, int error)
{
	while (q->first)
		finish_first(q, pool, error);
	q->una = q->end;
}

bool tcp_txq_done_take(struct tcp_txq_pool *pool, uint64_t *cookie, int *error)
{
	struct tcp_push *push = pool->done;

	if (!push)
		return false;
	pool->done = push->next;
	push->q->done_count--;
	*cookie = push->cookie;
	*error = push->error;
	slab_free(pool->pushes, push);
	return true;
}

void tcp_txq_orphan(struct tcp_txq *q, struct tcp_txq_pool *pool)
{
	struct tcp_push **at = &pool->done, *last = NULL;

	q->orphan = true;
	if (q->done_count == 0)
		return;
	while (*at) {
		struct tcp_push *push = *at;

		if (push->q != q) {
			last = push;
			at = &push->next;
			continue;
		}
		*at = push->next;
		slab_free(pool->pushes, push);
	}
	pool->done_last = last;
	q->done_count = 0;
}

void tcp_txq_fini(struct tcp_txq *q, struct tcp_txq_pool *pool)
{
	tcp_txq_orphan(q, pool);
	tcp_txq_fail_all(q, pool, 0);
}

/* --- segments --- */

/* The bytes of one segment: from offset in the push `first` on. */
struct span {
	struct tcp_push *first, *last;
	uint32_t offset, len;
	unsigned count; /* of pushes */
};

/* Walks on from the cursor where it can. The first push is found without it, so that a
 * retransmission from una does not move it away from where new data continues. */
static struct span find(struct tcp_txq *q, uint32_t seq, uint32_t len)
{
	struct tcp_push *push = q->first;
	struct span span = {.len = len, .count = 1};

	if (seq_geq(seq, push->seq + push->len)) {
		if (q->cursor && seq_geq(seq, q->cursor->seq))
			push = q->cursor;
		while (seq_geq(seq, push->seq + push->len))
			push = push->next;
		q->cursor = push;
	}
	span.first = push;
	span.offset = seq - push->seq;
	while (seq_lt(push->seq + push->len, seq + len)) {
		push = push->next;
		span.count++;
	}
	span.last = push;
	return span;
}

/* Case A. */
static bool can_send_itself(const struct span *span, uint16_t header_len)
{
	const struct tcp_push *push = span->first;

	return push->owns_headroom && span->offset == 0 && span->len == push->len &&
	       (uintptr_t)push->data - (uintptr_t)push->m->buf_addr >= header_len &&
	       (uintptr_t)push->data % 2 == 0 && /* as headers before it must be */
	       !pbuf_on_device(push->m);
}

/* Nobody but the device looks at data_off and data_len of a buffer in the send queue: the program
 * has its pointers, and so have the pushes. */
static struct rte_mbuf *send_itself(const struct span *span)
{
	struct rte_mbuf *m = span->first->m;

	m->data_off = (uint16_t)((uintptr_t)span->first->data - (uintptr_t)m->buf_addr);
	m->data_len = (uint16_t)span->len;
	m->pkt_len = span->len;
	m->next = NULL;
	m->nb_segs = 1;
	m->ol_flags = 0;
	m->tx_offload = 0;
	rte_mbuf_refcnt_update(m, 1);
	return m;
}

/* An indirect mbuf for n bytes at data inside m. Its scratch stays its own; detaching it when it is
 * freed relies on all pools having private areas of one size, which mem_create() sees to. */
static struct rte_mbuf *attach_or_null(struct mem *mem, struct rte_mbuf *m, const uint8_t *data,
				       uint32_t n)
{
	struct rte_mbuf *piece = mem_small_or_null(mem);

	if (!piece)
		return NULL;
	rte_pktmbuf_attach(piece, m);
	piece->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	piece->data_off = (uint16_t)((uintptr_t)data - (uintptr_t)m->buf_addr);
	piece->data_len = (uint16_t)n;
	piece->pkt_len = n;
	return piece;
}

/* Of the bytes from offset in push on, those of this push. */
static uint32_t piece_len(const struct tcp_push *push, uint32_t offset, uint32_t len)
{
	return len < push->len - offset ? len : push->len - offset;
}

/* Case B. */
static struct rte_mbuf *chain_or_null(struct mem *mem, const struct span *span)
{
	struct rte_mbuf *head = mem_small_or_null(mem), *tail = head;
	uint32_t offset = span->offset, left = span->len;

	if (!head)
		return NULL;
	for (const struct tcp_push *push = span->first; left > 0; push = push->next) {
		uint32_t n = piece_len(push, offset, left);

		tail->next = attach_or_null(mem, push->m, push->data + offset, n);
		if (!tail->next) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		tail = tail->next;
		head->nb_segs++;
		head->pkt_len += n;
		left -= n;
		offset = 0;
	}
	return head;
}

/* Case C. */
static struct rte_mbuf *copy_or_null(struct mem *mem, const struct span *span)
{
	struct rte_mbuf *m = mem_data_or_null(mem);
	uint32_t offset = span->offset, left = span->len;

	if (!m)
		return NULL;
	CHECK(left <= rte_pktmbuf_tailroom(m));
	for (const struct tcp_push *push = span->first; left > 0; push = push->next) {
		uint32_t n = piece_len(push, offset, left);

		memcpy(rte_pktmbuf_append(m, (uint16_t)n), push->data + offset, n);
		left -= n;
		offset = 0;
	}
	return m;
}

struct rte_mbuf *tcp_txq_segment_or_null(struct tcp_txq *q, struct tcp_txq_pool *pool, uint32_t seq,
					 uint32_t len, uint16_t header_len, bool multi_segs)
{
	struct span span;

	CHECK(seq_geq(seq, q->una) && seq_lt(seq, q->end));
	CHECK(len > 0 && header_len <= TCP_TXQ_HEADER_MAX);
	if (len > q->end - seq)
		len = q->end - seq;
	span = find(q, seq, len);
	if (can_send_itself(&span, header_len))
		return send_itself(&span);
	if (multi_segs && span.count <= TCP_TXQ_CHAIN_MAX)
		return chain_or_null(pool->mem, &span);
	return copy_or_null(pool->mem, &span);
}
