/* The map of what was sent, against a model that keeps each byte by itself. */
#include "mem/slab.h"
#include "net/tcp_sent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { BYTES = 400, BEGIN = 0xffffff00u /* numbers wrap on the way */ };

struct model {
	uint32_t una, nxt; /* from 0 */
	struct {
		uint64_t sent_ns;
		uint8_t flags;
	} bytes[BYTES];
};

static struct slab *nodes(uint32_t count)
{
	struct slab *slab = slab_create("sent", sizeof(struct tcp_sent_range), 8, count);

	assert_non_null(slab);
	return slab;
}

static void assert_like(const struct tcp_sent *map, const struct model *m)
{
	const struct tcp_sent_range *range = map->first;

	tcp_sent_check(map);
	assert_int_equal(map->una, BEGIN + m->una);
	assert_int_equal(map->nxt, BEGIN + m->nxt);
	for (uint32_t i = m->una; i < m->nxt; i++) {
		if (range->end == BEGIN + i)
			range = range->next;
		assert_int_equal(range->flags, m->bytes[i].flags);
		if (!(range->flags & TCP_SENT_SACKED))
			assert_int_equal(range->sent_ns, m->bytes[i].sent_ns);
	}
}

static uint32_t dice(uint64_t *random, uint32_t sides)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (uint32_t)(*random >> 11) % sides;
}

struct game {
	struct tcp_sent map;
	struct slab *slab;
	struct model m;
	uint64_t random, now_ns;
};

static void send_some(struct game *g)
{
	uint32_t end = g->m.nxt + 1 + dice(&g->random, 30);

	if (end > BYTES)
		return;
	for (uint32_t i = g->m.nxt; i < end; i++) {
		g->m.bytes[i].sent_ns = g->now_ns;
		g->m.bytes[i].flags = 0;
	}
	tcp_sent_append(&g->map, g->slab, BEGIN + end, g->now_ns);
	g->m.nxt = end;
}

static void acknowledge(struct game *g, bool selectively)
{
	uint32_t start = g->m.una, end, len = 0;
	struct tcp_sent_delivered d = {0};

	if (g->m.una == g->m.nxt)
		return;
	if (selectively)
		start += dice(&g->random, g->m.nxt - g->m.una);
	end = start + 1 +
	      dice(&g->random, selectively ? g->m.nxt - start : 1 + (g->m.nxt - start) / 3);
	if (end > g->m.nxt)
		end = g->m.nxt;
	for (uint32_t i = start; i < end; i++) {
		len += !(g->m.bytes[i].flags & TCP_SENT_SACKED);
		g->m.bytes[i].flags |= TCP_SENT_SACKED;
		g->m.bytes[i].flags &= (uint8_t)~TCP_SENT_LOST;
	}
	if (selectively) {
		tcp_sent_sacked(&g->map, g->slab, BEGIN + start, BEGIN + end, &d);
	} else {
		tcp_sent_acked(&g->map, g->slab, BEGIN + end, &d);
		g->m.una = end;
	}
	assert_int_equal(d.len, len);
	assert_int_equal(d.any, len > 0);
}

static void lose_some(struct game *g)
{
	uint32_t start = g->m.una, end;

	if (g->m.una == g->m.nxt)
		return;
	start += dice(&g->random, g->m.nxt - g->m.una);
	end = start + 1 + dice(&g->random, g->m.nxt - start);
	for (uint32_t i = start; i < end && i < g->m.nxt; i++)
		if (!(g->m.bytes[i].flags & TCP_SENT_SACKED))
			g->m.bytes[i].flags |= TCP_SENT_LOST;
	tcp_sent_lose(&g->map, g->slab, BEGIN + start, BEGIN + (end < g->m.nxt ? end : g->m.nxt));
}

static void send_again(struct game *g)
{
	const struct tcp_sent_range *lost = tcp_sent_lost_or_null(&g->map);
	uint32_t start, end;

	if (!lost)
		return;
	start = lost->start - BEGIN;
	end = lost->end - BEGIN;
	end = start + 1 + dice(&g->random, end - start);
	for (uint32_t i = start; i < end; i++) {
		g->m.bytes[i].sent_ns = g->now_ns;
		g->m.bytes[i].flags = TCP_SENT_RESENT;
	}
	tcp_sent_again(&g->map, g->slab, BEGIN + start, BEGIN + end, g->now_ns);
}

static void forget(struct game *g, uint8_t flag)
{
	for (uint32_t i = g->m.una; i < g->m.nxt; i++)
		g->m.bytes[i].flags &= (uint8_t)~flag;
	if (flag == TCP_SENT_LOST)
		tcp_sent_unlose(&g->map, g->slab);
	else
		tcp_sent_unsack(&g->map, g->slab);
}

static void step(struct game *g)
{
	g->now_ns += dice(&g->random, 2);
	switch (dice(&g->random, 12)) {
	case 0:
	case 1:
	case 2:
		send_some(g);
		break;
	case 3:
		acknowledge(g, false);
		break;
	case 4:
	case 5:
	case 6:
		acknowledge(g, true);
		break;
	case 7:
		lose_some(g);
		break;
	case 11:
		if (dice(&g->random, 10) == 0)
			forget(g, TCP_SENT_LOST);
		break;
	default:
		send_again(g);
	}
}

static void play(uint64_t seed, uint32_t node_count, bool compare)
{
	struct game g = {.slab = nodes(node_count), .random = seed * 0x9e3779b97f4a7c15u + 1};

	tcp_sent_init(&g.map, BEGIN);
	for (unsigned i = 0; i < 400; i++) {
		step(&g);
		if (compare)
			assert_like(&g.map, &g.m);
		tcp_sent_check(&g.map);
	}
	tcp_sent_clear(&g.map, g.slab, BEGIN);
	assert_int_equal(slab_used(g.slab), 0);
	slab_destroy(g.slab);
}

static void every_byte_is_as_the_model_has_it(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 500; seed++)
		play(seed, BYTES, true);
}

static void segments_of_one_burst_are_one_range_in_the_map_itself(void **state)
{
	struct slab *slab = nodes(4);
	struct tcp_sent_delivered d = {0};
	struct tcp_sent map;

	(void)state;
	tcp_sent_init(&map, 1000);
	for (uint32_t i = 1; i <= 10; i++)
		tcp_sent_append(&map, slab, 1000 + i * 100, 5);
	assert_int_equal(map.count, 1);
	assert_int_equal(slab_used(slab), 0);
	assert_int_equal(tcp_sent_flight(&map), 1000);
	tcp_sent_append(&map, slab, 2100, 6);
	assert_int_equal(map.count, 2);
	tcp_sent_acked(&map, slab, 2050, &d);
	assert_int_equal(d.len, 1050);
	assert_int_equal(d.newest_ns, 6);
	assert_int_equal(d.newest_end, 2050);
	assert_int_equal(map.count, 1);
	tcp_sent_clear(&map, slab, 0);
	slab_destroy(slab);
}

static void without_nodes_what_was_sent_counts_as_in_flight(void **state)
{
	struct slab *slab = nodes(1);
	struct tcp_sent_delivered d = {0};
	struct tcp_sent map;

	(void)state;
	tcp_sent_init(&map, 0);
	for (uint32_t i = 1; i <= 5; i++)
		tcp_sent_append(&map, slab, i * 100, i);
	assert_int_equal(map.count, 2);
	assert_int_equal(map.last->sent_ns, 5);
	tcp_sent_sacked(&map, slab, 200, 300, &d); /* cannot be told apart */
	assert_int_equal(map.sacked_len, 0);
	assert_int_equal(d.len, 0);
	tcp_sent_lose(&map, slab, 0, 500);
	tcp_sent_again(&map, slab, 0, 50, 6);
	assert_int_equal(map.lost_len, 400);
	tcp_sent_check(&map);
	tcp_sent_clear(&map, slab, 0);
	slab_destroy(slab);
}

static void with_few_nodes_the_map_stays_whole(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 500; seed++) {
		struct game g = {.slab = nodes(3), .random = seed * 0x9e3779b97f4a7c15u + 1};

		tcp_sent_init(&g.map, 0);
		for (unsigned i = 0; i < 300; i++) {
			struct tcp_sent_delivered d = {0};
			uint32_t len = g.map.nxt - g.map.una;
			uint32_t at = g.map.una + (len ? dice(&g.random, len) : 0);
			const struct tcp_sent_range *lost = tcp_sent_lost_or_null(&g.map);

			switch (dice(&g.random, 5)) {
			case 0:
				tcp_sent_append(&g.map, g.slab, g.map.nxt + 50, i);
				break;
			case 1:
				if (len)
					tcp_sent_acked(&g.map, g.slab, at, &d);
				break;
			case 2:
				if (len)
					tcp_sent_sacked(&g.map, g.slab, at, g.map.nxt, &d);
				break;
			case 3:
				tcp_sent_lose(&g.map, g.slab, at, g.map.nxt);
				break;
			default:
				if (lost)
					tcp_sent_again(&g.map, g.slab, lost->start, lost->start + 1,
						       i);
			}
			tcp_sent_check(&g.map);
		}
		tcp_sent_clear(&g.map, g.slab, 0);
		assert_int_equal(slab_used(g.slab), 0);
		slab_destroy(g.slab);
	}
}

static void what_was_delivered_tells_the_last_sent_and_the_lowest_sent_once(void **state)
{
	struct slab *slab = nodes(16);
	struct tcp_sent_delivered d = {0};
	struct tcp_sent map;

	(void)state;
	tcp_sent_init(&map, 0);
	for (uint32_t i = 1; i <= 6; i++)
		tcp_sent_append(&map, slab, i * 100, i);
	tcp_sent_lose(&map, slab, 0, 100);
	tcp_sent_again(&map, slab, 0, 100, 9);
	tcp_sent_sacked(&map, slab, 300, 500, &d);
	assert_int_equal(d.newest_ns, 5);
	assert_int_equal(d.newest_end, 500);
	assert_false(d.newest_resent);
	assert_int_equal(d.lowest_start, 300);
	d = (struct tcp_sent_delivered){0};
	tcp_sent_acked(&map, slab, 200, &d);
	assert_int_equal(d.newest_ns, 9);
	assert_int_equal(d.newest_end, 100);
	assert_true(d.newest_resent);
	assert_int_equal(d.lowest_start, 100);
	assert_int_equal(d.highest_end, 200);
	tcp_sent_clear(&map, slab, 0);
	slab_destroy(slab);
}

static void a_peer_that_reneged_has_nothing(void **state)
{
	struct slab *slab = nodes(16);
	struct tcp_sent_delivered d = {0};
	struct tcp_sent map;

	(void)state;
	tcp_sent_init(&map, 0);
	tcp_sent_append(&map, slab, 1000, 1);
	tcp_sent_sacked(&map, slab, 500, 600, &d);
	tcp_sent_sacked(&map, slab, 700, 800, &d);
	assert_int_equal(map.count, 5);
	assert_int_equal(tcp_sent_flight(&map), 800);
	tcp_sent_unsack(&map, slab);
	assert_int_equal(map.count, 1);
	assert_int_equal(tcp_sent_flight(&map), 1000);
	tcp_sent_clear(&map, slab, 0);
	slab_destroy(slab);
}

static void blocks_of_single_bytes_take_no_more_ranges_than_a_map_may_have(void **state)
{
	const uint32_t len = 4 * TCP_SENT_RANGES_MAX;
	struct slab *slab = nodes(len);
	struct tcp_sent_delivered d = {0};
	struct tcp_sent map;

	(void)state;
	tcp_sent_init(&map, BEGIN);
	tcp_sent_append(&map, slab, BEGIN + len, 1);
	for (uint32_t i = 1; i < len; i += 2)
		tcp_sent_sacked(&map, slab, BEGIN + i, BEGIN + i + 1, &d);
	tcp_sent_check(&map);
	assert_int_equal(map.count, TCP_SENT_RANGES_MAX);
	assert_true(slab_used(slab) < TCP_SENT_RANGES_MAX);
	for (uint32_t i = 1; i < 10; i++)
		tcp_sent_append(&map, slab, BEGIN + len + i, 1 + i);
	tcp_sent_check(&map);
	assert_int_equal(map.count, TCP_SENT_RANGES_MAX);
	tcp_sent_acked(&map, slab, map.nxt, &d);
	tcp_sent_check(&map);
	assert_int_equal(d.len, len + 9);
	assert_int_equal(slab_used(slab), 0);
	slab_destroy(slab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_is_as_the_model_has_it),
		cmocka_unit_test(segments_of_one_burst_are_one_range_in_the_map_itself),
		cmocka_unit_test(without_nodes_what_was_sent_counts_as_in_flight),
		cmocka_unit_test(with_few_nodes_the_map_stays_whole),
		cmocka_unit_test(what_was_delivered_tells_the_last_sent_and_the_lowest_sent_once),
		cmocka_unit_test(a_peer_that_reneged_has_nothing),
		cmocka_unit_test(blocks_of_single_bytes_take_no_more_ranges_than_a_map_may_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
