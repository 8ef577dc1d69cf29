#include "mem/check.h"
#include "mem/mem.h"

#include <errno.h>

static struct rte_mbuf *data_or_null(struct mem *mem)
{
	struct rte_mbuf *m;

	if (mem_reserve_only(mem)) {
		mem_level_update(mem);
		if (mem_reserve_only(mem))
			return NULL;
	}
	m = rte_pktmbuf_alloc(mem->data);
	mem->free_count -= !!m;
	return m;
}

static struct rte_mbuf *alloc_or_null(struct mem *mem, uint32_t len)
{
	struct rte_mbuf *m;

	if (len <= mem->data_room)
		return data_or_null(mem);
	m = rte_pktmbuf_alloc(mem->large);
	if (m && len > rte_pktmbuf_tailroom(m))
		m->data_off = 0; /* headers will go into an mbuf of their own */
	return m;
}

static uint16_t begin_of(const struct rte_mbuf *m)
{
	return m->data_off;
}

static uint16_t end_of(const struct rte_mbuf *m)
{
	return m->data_off + m->data_len;
}

/* The only reference is the caller's: whatever was counted before is history. */
static void begin_handles(struct mem *mem, struct rte_mbuf *m)
{
	struct pbuf *p = pbuf_of(m);

	p->holder = mem->shard;
	p->handle_count = 1;
	p->send_count = 0;
	p->headroom_owned = 0;
	p->handle_begin = begin_of(m);
	p->handle_end = end_of(m);
}

struct rte_mbuf *mem_handle_alloc_or_null(struct mem *mem, uint32_t len)
{
	struct rte_mbuf *m;

	if (len == 0 || len > UINT16_MAX)
		return NULL;
	m = alloc_or_null(mem, len);
	if (!m)
		return NULL;
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	begin_handles(mem, m);
	return m;
}

/* Others hold the buffer too: a send queue, the device, or handles of the same program. */
static void add_handle(struct mem *mem, struct rte_mbuf *m)
{
	struct pbuf *p = pbuf_of(m);

	if (p->holder == PBUF_NOBODY) {
		p->holder = mem->shard;
		p->handle_count = 0;
		p->handle_begin = begin_of(m);
		p->handle_end = end_of(m);
	}
	CHECK(p->holder == mem->shard && p->handle_count < UINT16_MAX);
	if (pbuf_is_held(p)) /* then the one reference is there already */
		rte_mbuf_refcnt_update(m, -1);
	p->handle_count++;
	if (begin_of(m) < p->handle_begin)
		p->handle_begin = begin_of(m);
	if (end_of(m) > p->handle_end)
		p->handle_end = end_of(m);
}

void mem_handle_give(struct mem *mem, struct rte_mbuf *m)
{
	DEBUG_CHECK(mem_ranges_has(mem->ranges, m, &mem->range_near));
	CHECK(m->nb_segs == 1 && pbuf_of(m)->magic == PBUF_MAGIC);
	if (rte_mbuf_refcnt_read(m) == 1)
		begin_handles(mem, m);
	else
		add_handle(mem, m);
}

static struct rte_mbuf *mbuf_of_or_null(struct mem *mem, const void *handle)
{
	struct rte_mbuf *m = (struct rte_mbuf *)handle;
	const struct pbuf *p;

	if (!mem_ranges_has(mem->ranges, handle, &mem->range_near))
		return NULL;
	p = pbuf_of(m);
	if (p->magic != PBUF_MAGIC || p->holder != mem->shard || p->handle_count == 0)
		return NULL;
	return m;
}

struct rte_mbuf *mem_handle_check(struct mem *mem, const void *handle, const void *data,
				  uint32_t len)
{
	struct rte_mbuf *m = mbuf_of_or_null(mem, handle);
	const struct pbuf *p;
	uint64_t at;

	if (!m)
		return NULL;
	p = pbuf_of(m);
	at = (uint64_t)((uintptr_t)data - (uintptr_t)m->buf_addr); /* wraps far up if in front */
	if (at < p->handle_begin || at > p->handle_end || len > p->handle_end - at)
		return NULL;
	return m;
}

int mem_handle_free(struct mem *mem, void *handle)
{
	struct rte_mbuf *m = mbuf_of_or_null(mem, handle);
	struct pbuf *p;

	if (!m)
		return -EINVAL;
	p = pbuf_of(m);
	if (--p->handle_count == 0)
		p->holder = PBUF_NOBODY;
	if (!pbuf_is_held(p))
		rte_pktmbuf_free_seg(m); /* what may be chained behind it is the send queue's */
	return 0;
}
