#include "net/tcp_sent.h"

#include "mem/check.h"
#include "mem/slab.h"
#include "net/tcp_seq.h"

void tcp_sent_init(struct tcp_sent *map, uint32_t seq)
{
	*map = (struct tcp_sent){.una = seq, .nxt = seq};
}

/* --- nodes --- */

static struct tcp_sent_range *node_or_null(struct tcp_sent *map, struct slab *nodes)
{
	if (map->count >= TCP_SENT_RANGES_MAX)
		return NULL;
	if (map->own_used)
		return slab_alloc_or_null(nodes);
	map->own_used = true;
	return &map->own;
}

static void free_node(struct tcp_sent *map, struct slab *nodes, struct tcp_sent_range *range)
{
	map->count--;
	if (range == &map->own)
		map->own_used = false;
	else
		slab_free(nodes, range);
}

static uint32_t len_of(const struct tcp_sent_range *range)
{
	return range->end - range->start;
}

static void count_flags(struct tcp_sent *map, uint8_t flags, uint32_t len)
{
	if (flags & TCP_SENT_SACKED)
		map->sacked_len += len;
	if (flags & TCP_SENT_LOST)
		map->lost_len += len;
}

static void set_flags(struct tcp_sent *map, struct tcp_sent_range *range, uint8_t flags)
{
	count_flags(map, range->flags, 0 - len_of(range));
	range->flags = flags;
	count_flags(map, range->flags, len_of(range));
}

/* Cuts range in two at seq, inside of it. False: no node. */
static bool split(struct tcp_sent *map, struct slab *nodes, struct tcp_sent_range *range,
		  uint32_t seq)
{
	struct tcp_sent_range *rest = node_or_null(map, nodes);

	if (!rest)
		return false;
	*rest = *range;
	rest->start = seq;
	range->end = seq;
	range->next = rest;
	if (map->last == range)
		map->last = rest;
	map->count++;
	return true;
}

static bool alike(const struct tcp_sent_range *a, const struct tcp_sent_range *b)
{
	/* What the peer has will not be asked again when it was sent. */
	return a->flags == b->flags && (a->sent_ns == b->sent_ns || (a->flags & TCP_SENT_SACKED));
}

/* range and the next one become one, if they are alike. */
static bool join_next(struct tcp_sent *map, struct slab *nodes, struct tcp_sent_range *range)
{
	struct tcp_sent_range *next = range->next;

	if (!next || !alike(range, next))
		return false;
	range->end = next->end;
	range->next = next->next;
	if (next->sent_ns > range->sent_ns)
		range->sent_ns = next->sent_ns;
	if (map->last == next)
		map->last = range;
	free_node(map, nodes, next);
	return true;
}

static void join_all(struct tcp_sent *map, struct slab *nodes)
{
	for (struct tcp_sent_range *range = map->first; range; range = range->next)
		while (join_next(map, nodes, range))
			;
}

void tcp_sent_clear(struct tcp_sent *map, struct slab *nodes, uint32_t seq)
{
	while (map->first) {
		struct tcp_sent_range *next = map->first->next;

		free_node(map, nodes, map->first);
		map->first = next;
	}
	tcp_sent_init(map, seq);
}

/* --- sent --- */

/* There is no node for it: the last range becomes longer, and what was known of it is given up. */
static void stretch_last(struct tcp_sent *map, uint32_t end, uint64_t now_ns)
{
	struct tcp_sent_range *last = map->last;

	CHECK(last); /* an empty map has its own node */
	set_flags(map, last, last->flags & TCP_SENT_RESENT);
	last->end = end;
	last->sent_ns = now_ns;
}

void tcp_sent_append(struct tcp_sent *map, struct slab *nodes, uint32_t end, uint64_t now_ns)
{
	struct tcp_sent_range *last = map->last, *range;

	if (last && last->sent_ns == now_ns && last->flags == 0) {
		last->end = end;
		map->nxt = end;
		return;
	}
	range = node_or_null(map, nodes);
	if (range) {
		*range = (struct tcp_sent_range){.sent_ns = now_ns, .start = map->nxt, .end = end};
		map->count++;
		if (last)
			last->next = range;
		else
			map->first = range;
		map->last = range;
	} else {
		stretch_last(map, end, now_ns);
	}
	map->nxt = end;
}

void tcp_sent_again(struct tcp_sent *map, struct slab *nodes, uint32_t start, uint32_t end,
		    uint64_t now_ns)
{
	struct tcp_sent_range *range = map->first, *before = NULL;

	while (seq_leq(range->end, start)) {
		before = range;
		range = range->next;
	}
	if (range->start != start && split(map, nodes, range, start)) {
		before = range;
		range = range->next;
	}
	/* Without a node all of the range counts as sent again: it will be found lost anew. */
	if (seq_lt(end, range->end))
		split(map, nodes, range, end);
	set_flags(map, range, TCP_SENT_RESENT);
	range->sent_ns = now_ns;
	if (before)
		join_next(map, nodes, before);
}

/* --- delivered --- */

static void deliver(struct tcp_sent_delivered *d, const struct tcp_sent_range *range, uint32_t end)
{
	bool resent = range->flags & TCP_SENT_RESENT;

	if (range->flags & TCP_SENT_SACKED)
		return;
	d->len += end - range->start;
	if (!d->any || range->sent_ns > d->newest_ns ||
	    (range->sent_ns == d->newest_ns && seq_gt(end, d->newest_end))) {
		d->newest_ns = range->sent_ns;
		d->newest_end = end;
		d->newest_resent = resent;
	}
	d->highest_end = d->any ? seq_max(d->highest_end, end) : end;
	d->any = true;
	if (!resent && (!d->in_order_any || seq_lt(range->start, d->lowest_start))) {
		d->lowest_start = range->start;
		d->in_order_any = true;
	}
}

void tcp_sent_acked(struct tcp_sent *map, struct slab *nodes, uint32_t una,
		    struct tcp_sent_delivered *delivered)
{
	struct tcp_sent_range *range;

	while ((range = map->first) && seq_leq(range->end, una)) {
		deliver(delivered, range, range->end);
		count_flags(map, range->flags, 0 - len_of(range));
		map->first = range->next;
		free_node(map, nodes, range);
	}
	if (!range) {
		map->last = NULL;
	} else if (seq_lt(range->start, una)) {
		deliver(delivered, range, una);
		count_flags(map, range->flags, 0 - (una - range->start));
		range->start = una;
	}
	map->una = una;
}

void tcp_sent_sacked(struct tcp_sent *map, struct slab *nodes, uint32_t start, uint32_t end,
		     struct tcp_sent_delivered *delivered)
{
	struct tcp_sent_range *range = map->first, *before = NULL;

	for (; range && seq_lt(range->start, end); before = range, range = range->next) {
		if (seq_leq(range->end, start) || (range->flags & TCP_SENT_SACKED))
			continue;
		if (seq_lt(range->start, start)) {
			/* Without a node it is as if this part had not been told. */
			split(map, nodes, range, start);
			continue;
		}
		if (seq_gt(range->end, end) && !split(map, nodes, range, end))
			break;
		deliver(delivered, range, range->end);
		set_flags(map, range, (uint8_t)((range->flags | TCP_SENT_SACKED) & ~TCP_SENT_LOST));
		join_next(map, nodes, range);
		if (before && join_next(map, nodes, before))
			range = before;
	}
}

/* --- lost --- */

void tcp_sent_lose_range(struct tcp_sent *map, struct tcp_sent_range *range)
{
	set_flags(map, range, range->flags | TCP_SENT_LOST);
}

void tcp_sent_lose(struct tcp_sent *map, struct slab *nodes, uint32_t start, uint32_t end)
{
	for (struct tcp_sent_range *range = map->first; range && seq_lt(range->start, end);
	     range = range->next) {
		if (seq_leq(range->end, start) || (range->flags & TCP_SENT_SACKED))
			continue;
		if (seq_lt(range->start, start)) {
			split(map, nodes, range, start);
			continue;
		}
		if (seq_gt(range->end, end) && !split(map, nodes, range, end))
			break;
		tcp_sent_lose_range(map, range);
	}
}

static void forget(struct tcp_sent *map, struct slab *nodes, uint8_t flag)
{
	for (struct tcp_sent_range *range = map->first; range; range = range->next)
		set_flags(map, range, (uint8_t)(range->flags & ~flag));
	join_all(map, nodes);
}

void tcp_sent_unlose(struct tcp_sent *map, struct slab *nodes)
{
	forget(map, nodes, TCP_SENT_LOST);
}

void tcp_sent_unsack(struct tcp_sent *map, struct slab *nodes)
{
	forget(map, nodes, TCP_SENT_SACKED);
}

const struct tcp_sent_range *tcp_sent_lost_or_null(const struct tcp_sent *map)
{
	const struct tcp_sent_range *range = map->first;

	if (map->lost_len == 0)
		return NULL;
	while (!(range->flags & TCP_SENT_LOST))
		range = range->next;
	return range;
}

/* --- check --- */

void tcp_sent_check(const struct tcp_sent *map)
{
	uint32_t at = map->una, sacked_len = 0, lost_len = 0, count = 0;
	const struct tcp_sent_range *last = NULL;
	bool own = false;

	for (const struct tcp_sent_range *range = map->first; range; range = range->next) {
		CHECK(range->start == at && seq_lt(range->start, range->end));
		CHECK(!(range->flags & TCP_SENT_SACKED) || !(range->flags & TCP_SENT_LOST));
		if (range->flags & TCP_SENT_SACKED)
			sacked_len += len_of(range);
		if (range->flags & TCP_SENT_LOST)
			lost_len += len_of(range);
		own |= range == &map->own;
		at = range->end;
		last = range;
		count++;
	}
	CHECK(at == map->nxt && last == map->last && count == map->count);
	CHECK(sacked_len == map->sacked_len && lost_len == map->lost_len && own == map->own_used);
}
