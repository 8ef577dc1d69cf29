#include "net/tcp_rxq.h"

#include "mem/check.h"
#include "mem/pbuf.h"
#include "net/tcp_seq.h"

#include <string.h>

/* In a packet's scratch. The run_ fields are the run's, kept by its first packet. */
struct link {
	struct rte_mbuf *next; /* in order, or in the same run */
	struct rte_mbuf *run_next, *run_last;
	uint32_t seq;
	uint32_t run_end;
	uint32_t run_held_len; /* true size */
	uint32_t run_arrival;  /* q->arrivals when it last grew */
};

_Static_assert(sizeof(struct link) <= PBUF_SCRATCH_LEN, "lives in the scratch bytes");
_Static_assert(_Alignof(struct link) <= 8, "scratch bytes are aligned to 8");

static struct link *link_of(struct rte_mbuf *m)
{
	return (struct link *)pbuf_of(m)->scratch;
}

void tcp_rxq_init(struct tcp_rxq *q, uint32_t rcv_nxt, uint32_t buf_len)
{
	*q = (struct tcp_rxq){.rcv_nxt = rcv_nxt, .buf_len = buf_len};
}

static void free_list(struct rte_mbuf *m)
{
	while (m) {
		struct rte_mbuf *next = link_of(m)->next;

		rte_pktmbuf_free(m);
		m = next;
	}
}

void tcp_rxq_prune(struct tcp_rxq *q, struct tcp_rxq_pool *pool)
{
	struct rte_mbuf *run = q->run_first;

	while (run) {
		struct rte_mbuf *next = link_of(run)->run_next;

		free_list(run);
		run = next;
	}
	q->run_first = q->run_last = NULL;
	pool->len -= q->reassembly_len;
	q->held_len -= q->reassembly_len;
	q->reassembly_len = 0;
	q->run_count = 0;
}

void tcp_rxq_fini(struct tcp_rxq *q, struct tcp_rxq_pool *pool)
{
	tcp_rxq_prune(q, pool);
	free_list(q->head);
	q->head = q->tail = NULL;
	q->len = q->held_len = 0;
}

/* --- one packet behind another --- */

/* Copies m into the room behind tail, if m carries so little that keeping it would be a waste. */
static bool coalesce(struct rte_mbuf *tail, struct rte_mbuf *m)
{
	uint16_t len = m->data_len;

	if (2u * len >= pbuf_true_size(m) || !RTE_MBUF_DIRECT(tail) ||
	    rte_mbuf_refcnt_read(tail) != 1 || len > rte_pktmbuf_tailroom(tail))
		return false;
	memcpy(pbuf_append(tail, len), rte_pktmbuf_mtod(m, void *), len);
	rte_pktmbuf_free(m);
	return true;
}

/* Returns the true size by which the list grew. */
static uint32_t append(struct rte_mbuf **tail, struct rte_mbuf *m)
{
	if (coalesce(*tail, m))
		return 0;
	link_of(*tail)->next = m;
	*tail = m;
	return pbuf_true_size(m);
}

/* --- in order --- */

/* A gap is filled: the first run begins at rcv_nxt and joins what is in order. */
static void take_first_run(struct tcp_rxq *q, struct tcp_rxq_pool *pool)
{
	struct rte_mbuf *run = q->run_first;
	const struct link *l = link_of(run);

	link_of(q->tail)->next = run;
	q->tail = l->run_last;
	q->len += l->run_end - q->rcv_nxt;
	q->rcv_nxt = l->run_end;
	q->reassembly_len -= l->run_held_len;
	pool->len -= l->run_held_len;
	q->run_first = l->run_next;
	q->run_count--;
	if (!q->run_first)
		q->run_last = NULL;
}

/* The window was offered assuming packets half full. A peer that sends smaller ones gets them
 * coalesced, which leaves them a third full at worst. */
static bool in_order_fits(const struct tcp_rxq *q)
{
	return q->held_len / 3 < q->buf_len;
}

static enum tcp_rxq_result add_in_order(struct tcp_rxq *q, struct tcp_rxq_pool *pool,
					struct rte_mbuf *m)
{
	uint32_t len = m->data_len;

	if (q->run_first) {
		uint32_t gap = link_of(q->run_first)->seq - q->rcv_nxt;

		if (len > gap) {
			rte_pktmbuf_trim(m, (uint16_t)(len - gap));
			len = gap;
		}
	}
	if (!in_order_fits(q)) {
		rte_pktmbuf_free(m);
		return TCP_RXQ_FULL;
	}
	if (q->tail) {
		q->held_len += append(&q->tail, m);
	} else {
		q->head = q->tail = m;
		q->held_len += pbuf_true_size(m);
	}
	q->len += len;
	q->rcv_nxt += len;
	if (q->run_first && link_of(q->run_first)->seq == q->rcv_nxt)
		take_first_run(q, pool);
	return TCP_RXQ_ACCEPTED;
}

/* --- beyond a gap --- */

/* The last run that begins at seq or before, or NULL. Most segments extend the last one. */
static struct rte_mbuf *run_before(const struct tcp_rxq *q, uint32_t seq)
{
	struct rte_mbuf *before = NULL;

	if (q->run_last && seq_leq(link_of(q->run_last)->seq, seq))
		return q->run_last;
	for (struct rte_mbuf *run = q->run_first; run && seq_leq(link_of(run)->seq, seq);
	     run = link_of(run)->run_next)
		before = run;
	return before;
}

/* One connection's gaps leave room for those of the others. */
static bool pool_fits(const struct tcp_rxq *q, const struct tcp_rxq_pool *pool, uint32_t size)
{
	uint64_t mine = (uint64_t)q->reassembly_len + size, total = pool->len + size;

	if (total > pool->len_max)
		return false;
	return mine <= TCP_RXQ_SHARE_MIN ||
	       mine <= (pool->len_max - (total - mine)) >> TCP_RXQ_SHARE_SHIFT;
}

static uint32_t runs_max(const struct tcp_rxq *q)
{
	return TCP_RXQ_RUNS_MIN + q->buf_len / TCP_RXQ_RUN_LEN;
}

static bool beyond_gap_fits(const struct tcp_rxq *q, const struct tcp_rxq_pool *pool,
			    const struct rte_mbuf *m)
{
	uint32_t size = pbuf_true_size(m);

	return (uint64_t)q->held_len + size <= 2ull * q->buf_len && pool_fits(q, pool, size);
}

static uint32_t start_run(struct tcp_rxq *q, struct rte_mbuf *before, struct rte_mbuf *m,
			  uint32_t seq)
{
	struct link *l = link_of(m);

	l->seq = seq;
	l->run_last = m;
	l->run_end = seq + m->data_len;
	l->run_held_len = pbuf_true_size(m);
	l->run_next = before ? link_of(before)->run_next : q->run_first;
	if (before)
		link_of(before)->run_next = m;
	else
		q->run_first = m;
	if (!l->run_next)
		q->run_last = m;
	q->run_count++;
	return l->run_held_len;
}

static uint32_t extend_run(struct rte_mbuf *run, struct rte_mbuf *m)
{
	struct link *l = link_of(run);
	uint32_t grown;

	l->run_end += m->data_len;
	grown = append(&l->run_last, m);
	l->run_held_len += grown;
	return grown;
}

/* The gap between run and the next one was filled. */
static void join_next_run(struct tcp_rxq *q, struct rte_mbuf *run)
{
	struct link *l = link_of(run);
	const struct link *next = link_of(l->run_next);

	link_of(l->run_last)->next = l->run_next;
	if (q->run_last == l->run_next)
		q->run_last = run;
	l->run_last = next->run_last;
	l->run_end = next->run_end;
	l->run_held_len += next->run_held_len;
	l->run_next = next->run_next;
	q->run_count--;
}

/* Cuts off what the runs around it have; false: nothing is left of it. */
static bool cut(struct rte_mbuf *m, uint32_t *seq, const struct link *before,
		const struct link *after)
{
	if (before && seq_gt(before->run_end, *seq)) {
		uint32_t old_len = before->run_end - *seq;

		if (old_len >= m->data_len)
			return false;
		rte_pktmbuf_adj(m, (uint16_t)old_len);
		*seq += old_len;
	}
	if (after && seq_gt(*seq + m->data_len, after->seq))
		rte_pktmbuf_trim(m, (uint16_t)(*seq + m->data_len - after->seq));
	return true;
}

static enum tcp_rxq_result add_beyond_gap(struct tcp_rxq *q, struct tcp_rxq_pool *pool,
					  struct rte_mbuf *m, uint32_t seq)
{
	struct rte_mbuf *before = run_before(q, seq), *run = before;
	struct rte_mbuf *after = before ? link_of(before)->run_next : q->run_first;
	uint32_t grown;
	bool starts;

	if (!cut(m, &seq, before ? link_of(before) : NULL, after ? link_of(after) : NULL)) {
		link_of(before)->run_arrival = ++q->arrivals;
		rte_pktmbuf_free(m);
		return TCP_RXQ_DUPLICATE;
	}
	starts = !before || link_of(before)->run_end != seq;
	if (!beyond_gap_fits(q, pool, m) ||
	    (starts && q->run_count >= runs_max(q) &&
	     (!after || seq + m->data_len != link_of(after)->seq))) {
		rte_pktmbuf_free(m);
		return TCP_RXQ_FULL;
	}
	if (!starts) {
		grown = extend_run(before, m);
	} else {
		grown = start_run(q, before, m, seq);
		run = m;
	}
	q->held_len += grown;
	q->reassembly_len += grown;
	pool->len += grown;
	if (after && link_of(run)->run_end == link_of(after)->seq)
		join_next_run(q, run);
	link_of(run)->run_arrival = ++q->arrivals;
	return TCP_RXQ_REORDERED;
}

/* --- the calls --- */

static enum tcp_rxq_result add_one(struct tcp_rxq *q, struct tcp_rxq_pool *pool, struct rte_mbuf *m,
				   uint32_t seq)
{
	int32_t old_len = seq_diff(q->rcv_nxt, seq);

	if (m->data_len == 0 || old_len >= (int32_t)m->data_len) {
		rte_pktmbuf_free(m);
		return TCP_RXQ_DUPLICATE;
	}
	memset(link_of(m), 0, sizeof(struct link));
	if (old_len < 0)
		return add_beyond_gap(q, pool, m, seq);
	rte_pktmbuf_adj(m, (uint16_t)old_len);
	return add_in_order(q, pool, m);
}

/* Of the segments of one packet, the best that happened counts. */
static enum tcp_rxq_result better(enum tcp_rxq_result a, enum tcp_rxq_result b)
{
	static const uint8_t rank[] = {
		[TCP_RXQ_ACCEPTED] = 3,
		[TCP_RXQ_REORDERED] = 2,
		[TCP_RXQ_FULL] = 1,
		[TCP_RXQ_DUPLICATE] = 0,
	};

	return rank[a] >= rank[b] ? a : b;
}

enum tcp_rxq_result tcp_rxq_add(struct tcp_rxq *q, struct tcp_rxq_pool *pool, struct rte_mbuf *m,
				uint32_t seq)
{
	enum tcp_rxq_result result = TCP_RXQ_DUPLICATE;

	while (m) {
		struct rte_mbuf *next = m->next;
		uint32_t len = m->data_len;

		m->next = NULL;
		m->nb_segs = 1;
		m->pkt_len = len;
		result = better(result, add_one(q, pool, m, seq));
		seq += len;
		m = next;
	}
	return result;
}

struct rte_mbuf *tcp_rxq_pop_or_null(struct tcp_rxq *q)
{
	struct rte_mbuf *m = q->head;

	if (!m)
		return NULL;
	q->head = link_of(m)->next;
	if (!q->head)
		q->tail = NULL;
	q->len -= m->data_len;
	q->held_len -= pbuf_true_size(m);
	return m;
}

uint32_t tcp_rxq_window(const struct tcp_rxq *q)
{
	/* Runs lie inside the window: they take nothing from it. */
	uint32_t taken = (q->held_len - q->reassembly_len) / 2;

	if (taken < q->len)
		taken = q->len;
	return taken < q->buf_len ? q->buf_len - taken : 0;
}

/* Keeps ranges and their arrivals sorted, newest first; what does not fit falls off the end. */
static unsigned insert_range(struct tcp_range *ranges, uint32_t *arrivals, unsigned count,
			     unsigned max, const struct link *run)
{
	unsigned at = count < max ? count : max - 1;

	if (count == max && seq_lt(run->run_arrival, arrivals[at]))
		return count;
	for (; at > 0 && seq_gt(run->run_arrival, arrivals[at - 1]); at--) {
		ranges[at] = ranges[at - 1];
		arrivals[at] = arrivals[at - 1];
	}
	ranges[at] = (struct tcp_range){run->seq, run->run_end};
	arrivals[at] = run->run_arrival;
	return count < max ? count + 1 : max;
}

unsigned tcp_rxq_ranges(const struct tcp_rxq *q, struct tcp_range *ranges, unsigned max)
{
	uint32_t arrivals[TCP_OPT_SACK_MAX];
	unsigned count = 0;

	if (max > TCP_OPT_SACK_MAX)
		max = TCP_OPT_SACK_MAX;
	if (max == 0)
		return 0;
	for (struct rte_mbuf *run = q->run_first; run; run = link_of(run)->run_next)
		count = insert_range(ranges, arrivals, count, max, link_of(run));
	return count;
}
