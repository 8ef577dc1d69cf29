#include "mem/mem.h"
#include "net/tcp_rxq.h"
#include "net/tcp_seq.h"
#include "tests/net/eal_group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	HEADERS = 66, /* of a packet that came from a device */
	MSS = 1460,
	BUF_LEN = 100000,
	RUNS_MAX = TCP_RXQ_RUNS_MIN + 2 * BUF_LEN / TCP_RXQ_RUN_LEN, /* of two buffers */
	TRUE_SIZE = 128 + 64 + RTE_PKTMBUF_HEADROOM + 2048,
	STREAM_LEN = 200000,
	ISS = 0xffff0000, /* the stream crosses the wrap */
};

static struct mem mem;
static struct tcp_rxq q;
static struct tcp_rxq_pool pool;
static uint8_t stream[STREAM_LEN];
static struct mem_use idle;

static int start(void **state)
{
	const struct mem_config config = {
		.numa_node = -1, .data_count = 1023, .small_count = 255, .data_room = 2048};

	if (eal_group_setup(state) || mem_create(&mem, &config))
		return -1;
	srand(1);
	for (unsigned i = 0; i < STREAM_LEN; i++)
		stream[i] = (uint8_t)rand();
	return 0;
}

static int stop(void **state)
{
	mem_destroy(&mem);
	return eal_group_teardown(state);
}

static int setup(void **state)
{
	(void)state;
	mem_use_mt(&mem, &idle);
	pool = (struct tcp_rxq_pool){.len_max = 1000000};
	tcp_rxq_init(&q, ISS, BUF_LEN);
	return 0;
}

/* Nothing is held, nothing is counted, and no buffer is lost, after every test. */
static int teardown(void **state)
{
	struct mem_use use;

	(void)state;
	tcp_rxq_fini(&q, &pool);
	mem_use_mt(&mem, &use);
	if (use.data != idle.data || use.small != idle.small)
		return -1;
	return pool.len || q.len || q.held_len || q.reassembly_len ? -1 : 0;
}

/* Bytes [from, from + len) of the stream as a packet whose headers were passed. */
static struct rte_mbuf *packet(uint32_t from, uint32_t len)
{
	struct rte_mbuf *m = mem_data_or_null(&mem);

	assert_non_null(m);
	rte_pktmbuf_append(m, HEADERS);
	memcpy(rte_pktmbuf_append(m, (uint16_t)len), stream + from, len);
	rte_pktmbuf_adj(m, HEADERS);
	return m;
}

static enum tcp_rxq_result add(uint32_t from, uint32_t len)
{
	return tcp_rxq_add(&q, &pool, packet(from, len), ISS + from);
}

/* Pops all there is; it must be the stream from `from` on. Returns how many bytes. */
static uint32_t pop_all(uint32_t from)
{
	struct rte_mbuf *m;
	uint32_t len = 0;

	while ((m = tcp_rxq_pop_or_null(&q))) {
		assert_int_equal(m->nb_segs, 1);
		assert_null(m->next);
		assert_int_equal(m->pkt_len, m->data_len);
		assert_memory_equal(rte_pktmbuf_mtod(m, void *), stream + from + len, m->data_len);
		len += m->data_len;
		rte_pktmbuf_free(m);
	}
	return len;
}

static void bytes_in_order_are_popped_in_order(void **state)
{
	(void)state;
	assert_null(tcp_rxq_pop_or_null(&q));
	assert_int_equal(add(0, MSS), TCP_RXQ_ACCEPTED);
	assert_int_equal(add(MSS, MSS), TCP_RXQ_ACCEPTED);
	assert_int_equal(q.rcv_nxt, ISS + 2 * MSS);
	assert_int_equal(q.len, 2 * MSS);
	assert_int_equal(q.held_len, 2 * TRUE_SIZE);
	assert_int_equal(pop_all(0), 2 * MSS);
	assert_int_equal(q.held_len, 0);
}

static void a_gap_holds_bytes_back_until_it_is_filled(void **state)
{
	(void)state;
	assert_int_equal(add(1000, 1000), TCP_RXQ_REORDERED);
	assert_true(tcp_rxq_has_gap(&q));
	assert_int_equal(pool.len, TRUE_SIZE);
	assert_int_equal(pop_all(0), 0);
	assert_int_equal(add(0, 1000), TCP_RXQ_ACCEPTED);
	assert_false(tcp_rxq_has_gap(&q));
	assert_int_equal(q.rcv_nxt, ISS + 2000);
	assert_int_equal(pool.len, 0);
	assert_int_equal(pop_all(0), 2000);
}

static void filling_one_gap_stops_at_the_next(void **state)
{
	(void)state;
	add(1000, 1000);
	add(3000, 1000);
	assert_int_equal(add(0, 1000), TCP_RXQ_ACCEPTED);
	assert_int_equal(q.rcv_nxt, ISS + 2000);
	assert_true(tcp_rxq_has_gap(&q));
	assert_int_equal(add(2000, 1000), TCP_RXQ_ACCEPTED);
	assert_int_equal(q.rcv_nxt, ISS + 4000);
	assert_int_equal(pop_all(0), 4000);
}

static void what_was_received_is_a_duplicate(void **state)
{
	(void)state;
	add(0, 1000);
	assert_int_equal(add(0, 1000), TCP_RXQ_DUPLICATE);
	assert_int_equal(add(200, 300), TCP_RXQ_DUPLICATE);
	add(2000, 1000);
	assert_int_equal(add(2000, 1000), TCP_RXQ_DUPLICATE);
	assert_int_equal(add(2500, 500), TCP_RXQ_DUPLICATE);
	assert_int_equal(pop_all(0), 1000);
}

static void the_old_part_of_a_segment_is_cut_off(void **state)
{
	(void)state;
	add(0, 1000);
	assert_int_equal(add(500, 1000), TCP_RXQ_ACCEPTED);
	assert_int_equal(q.rcv_nxt, ISS + 1500);
	assert_int_equal(pop_all(0), 1500);
}

/* Of bytes that came twice and differ, the first are believed. */
static void the_first_received_bytes_win(void **state)
{
	struct rte_mbuf *m = packet(0, 1400);

	(void)state;
	add(400, 300);	/* a run */
	add(1100, 200); /* and another one */
	memset(rte_pktmbuf_mtod_offset(m, uint8_t *, 400), 0xaa, 300);
	assert_int_equal(tcp_rxq_add(&q, &pool, m, ISS), TCP_RXQ_ACCEPTED);
	m = packet(600, 700);
	memset(rte_pktmbuf_mtod_offset(m, uint8_t *, 0), 0xaa, 100);
	memset(rte_pktmbuf_mtod_offset(m, uint8_t *, 500), 0xaa, 200);
	assert_int_equal(tcp_rxq_add(&q, &pool, m, ISS + 600), TCP_RXQ_ACCEPTED);
	assert_int_equal(q.rcv_nxt, ISS + 1300);
	assert_int_equal(pop_all(0), 1300);
}

static void a_segment_beyond_a_gap_is_cut_at_both_ends(void **state)
{
	struct tcp_range ranges[4];

	(void)state;
	add(1000, 500);
	add(2000, 500);
	assert_int_equal(add(1200, 1100), TCP_RXQ_REORDERED);
	assert_int_equal(tcp_rxq_ranges(&q, ranges, 4), 1);
	assert_int_equal(ranges[0].start, ISS + 1000);
	assert_int_equal(ranges[0].end, ISS + 2500);
	add(0, 1000);
	assert_int_equal(pop_all(0), 2500);
}

static void ranges_come_newest_first(void **state)
{
	static const uint32_t order[] = {5000, 1000, 9000, 3000, 7000};
	struct tcp_range ranges[4];

	(void)state;
	assert_int_equal(tcp_rxq_ranges(&q, ranges, 4), 0);
	for (unsigned i = 0; i < 5; i++)
		add(order[i], 500);
	assert_int_equal(tcp_rxq_ranges(&q, ranges, 4), 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(ranges[i].start, ISS + order[4 - i]);
		assert_int_equal(ranges[i].end, ISS + order[4 - i] + 500);
	}
	add(5500, 500); /* grows the oldest */
	assert_int_equal(tcp_rxq_ranges(&q, ranges, 2), 2);
	assert_int_equal(ranges[0].start, ISS + 5000);
	assert_int_equal(ranges[0].end, ISS + 6000);
	assert_int_equal(ranges[1].start, ISS + 7000);
	assert_int_equal(add(1000, 500), TCP_RXQ_DUPLICATE); /* RFC 2018 4: it triggered the ACK */
	assert_int_equal(tcp_rxq_ranges(&q, ranges, 1), 1);
	assert_int_equal(ranges[0].start, ISS + 1000);
	assert_int_equal(tcp_rxq_ranges(&q, ranges, 0), 0);
}

static void small_segments_are_copied_together(void **state)
{
	(void)state;
	for (uint32_t from = 0; from < 1000; from += 10)
		assert_int_equal(add(from, 10), TCP_RXQ_ACCEPTED);
	assert_int_equal(q.held_len, TRUE_SIZE);
	for (uint32_t from = 2000; from < 3000; from += 10)
		assert_int_equal(add(from, 10), TCP_RXQ_REORDERED);
	assert_int_equal(q.held_len, 2 * TRUE_SIZE);
	assert_int_equal(q.reassembly_len, TRUE_SIZE);
	add(1000, 1000);
	assert_int_equal(pop_all(0), 3000);
}

static void a_popped_or_shared_packet_is_left_alone(void **state)
{
	struct rte_mbuf *first, *shared;

	(void)state;
	add(0, 10);
	first = tcp_rxq_pop_or_null(&q);
	add(10, 10);
	assert_int_equal(first->data_len, 10);
	shared = q.tail;
	rte_mbuf_refcnt_update(shared, 1);
	add(20, 10);
	assert_int_equal(shared->data_len, 10);
	assert_int_equal(q.held_len, 2 * TRUE_SIZE);
	assert_int_equal(pop_all(10), 20);
	rte_pktmbuf_free(shared);
	rte_pktmbuf_free(first);
}

static void a_chain_becomes_single_packets(void **state)
{
	struct rte_mbuf *m = packet(0, 1000), *second = packet(1000, 1400),
			*third = packet(2400, 1300);

	(void)state;
	rte_pktmbuf_chain(second, third);
	rte_pktmbuf_chain(m, second);
	assert_int_equal(m->nb_segs, 3);
	assert_int_equal(tcp_rxq_add(&q, &pool, m, ISS), TCP_RXQ_ACCEPTED);
	assert_int_equal(q.len, 3700);
	assert_int_equal(pop_all(0), 3700);
}

static void a_chain_with_an_old_head_counts_as_accepted(void **state)
{
	struct rte_mbuf *m = packet(0, 1000);

	(void)state;
	add(0, 1000);
	rte_pktmbuf_chain(m, packet(1000, 1400));
	assert_int_equal(tcp_rxq_add(&q, &pool, m, ISS), TCP_RXQ_ACCEPTED);
	assert_int_equal(pop_all(0), 2400);
}

static void the_window_closes_as_packets_pile_up_and_opens_as_they_are_popped(void **state)
{
	uint32_t from = 0;

	(void)state;
	assert_int_equal(tcp_rxq_window(&q), BUF_LEN);
	while (tcp_rxq_window(&q) >= MSS && from + MSS < STREAM_LEN) {
		assert_int_equal(add(from, MSS), TCP_RXQ_ACCEPTED);
		from += MSS;
		assert_true(q.len + tcp_rxq_window(&q) <= BUF_LEN);
	}
	assert_in_range(from, BUF_LEN - 2 * MSS, BUF_LEN);
	assert_int_equal(pop_all(0), from);
	assert_int_equal(tcp_rxq_window(&q), BUF_LEN);
}

/* A gap takes nothing from the window: duplicate ACKs must not look like window updates. */
static void the_window_stays_while_a_gap_is_open(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < 20; i++) {
		add(i * MSS, MSS);
		assert_int_equal(tcp_rxq_window(&q), BUF_LEN);
	}
}

/* The worst that a peer may do with the window that it was offered. */
static void what_the_window_offered_is_accepted_in_any_size(void **state)
{
	static const uint32_t sizes[] = {1, 100, 536, 1000, 1183, 1184, 1460};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t from = 0;

		for (; from + sizes[i] <= BUF_LEN; from += sizes[i])
			assert_int_equal(add(from, sizes[i]), TCP_RXQ_ACCEPTED);
		assert_int_equal(pop_all(0), from);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static void beyond_a_gap_true_sizes_are_budgeted(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 1; i < 1000; i++) /* one byte each, never adjacent */
		if (add(i * 10, 1) == TCP_RXQ_FULL)
			break;
	assert_in_range(i, 2 * BUF_LEN / TRUE_SIZE, 2 * BUF_LEN / TRUE_SIZE + 2);
	assert_true(q.held_len <= 2 * BUF_LEN);
	assert_int_equal(add(0, 10), TCP_RXQ_ACCEPTED); /* but in order there is room */
}

/* CVE-2018-5390: one byte of every other, to make each further segment a long search. */
static void a_gap_at_every_other_byte_makes_no_long_list(void **state)
{
	uint32_t refused = 0;

	(void)state;
	q.buf_len = 2 * BUF_LEN;
	pool.len_max = 100000000;
	for (uint32_t i = 1; i < 3000; i++)
		refused += add(2 * i, 1) == TCP_RXQ_FULL;
	assert_int_equal(q.run_count, RUNS_MAX);
	assert_int_equal(refused, 2999 - RUNS_MAX);
	assert_true(q.held_len <= RUNS_MAX * TRUE_SIZE);
	/* What makes no further run is kept: joined behind, before, and in between. */
	assert_int_equal(add(2 * RUNS_MAX + 1, 100), TCP_RXQ_REORDERED);
	assert_int_equal(add(5, 1), TCP_RXQ_REORDERED);
	assert_int_equal(q.run_count, RUNS_MAX - 1);
	assert_int_equal(add(5000, 1), TCP_RXQ_REORDERED);
	assert_int_equal(add(4999, 1), TCP_RXQ_REORDERED);
	assert_int_equal(q.run_count, RUNS_MAX);
	/* And the stream goes on. */
	assert_int_equal(add(0, 2), TCP_RXQ_ACCEPTED);
	assert_int_equal(add(2, 1000), TCP_RXQ_ACCEPTED);
	assert_int_equal(pop_all(0), q.rcv_nxt - ISS);
}

static void every_run_is_counted_once(void **state)
{
	(void)state;
	add(1000, 100);
	add(3000, 100);
	add(5000, 100);
	assert_int_equal(q.run_count, 3);
	add(1100, 1900 - 100);
	assert_int_equal(q.run_count, 3);
	add(2900, 100);
	assert_int_equal(q.run_count, 2);
	add(0, 1000);
	assert_int_equal(q.run_count, 1);
	tcp_rxq_prune(&q, &pool);
	assert_int_equal(q.run_count, 0);
	pop_all(0);
}

/* A half each of what is left, so there is always some for one more. */
static void one_connection_does_not_use_up_what_all_share(void **state)
{
	const uint32_t share = 100 * TRUE_SIZE;
	uint64_t others;
	uint32_t i;

	(void)state;
	q.buf_len = 10 * BUF_LEN;
	pool.len_max = 2 * share;
	for (i = 1; add(1500 * i, 1000) == TCP_RXQ_REORDERED; i++)
		;
	assert_int_equal(i - 1, 100);
	others = pool.len;
	tcp_rxq_prune(&q, &pool);
	pool.len = others;
	for (i = 1; add(1500 * i, 1000) == TCP_RXQ_REORDERED; i++)
		;
	assert_int_equal(i - 1, 50);
	tcp_rxq_prune(&q, &pool);
	pool.len = pool.len_max - 10 * TRUE_SIZE; /* crowded: a few each, first come */
	for (i = 1; add(1500 * i, 1000) == TCP_RXQ_REORDERED; i++)
		;
	assert_int_equal(i - 1, TCP_RXQ_SHARE_MIN / TRUE_SIZE);
	assert_int_equal(add(0, 100), TCP_RXQ_ACCEPTED);
	tcp_rxq_prune(&q, &pool);
	pool.len = 0;
	pop_all(0);
}

static void the_shards_budget_bounds_all_connections_together(void **state)
{
	(void)state;
	pool.len_max = 3 * TRUE_SIZE;
	pool.len = 2 * TRUE_SIZE; /* others' */
	assert_int_equal(add(10, 1), TCP_RXQ_REORDERED);
	assert_int_equal(add(20, 1), TCP_RXQ_FULL);
	assert_int_equal(add(0, 10), TCP_RXQ_ACCEPTED);
	assert_int_equal(pool.len, 2 * TRUE_SIZE);
	pool.len = 0;
}

static void pruning_forgets_what_is_beyond_the_gap(void **state)
{
	(void)state;
	add(0, 100);
	add(1000, 1000);
	add(3000, 1000);
	tcp_rxq_prune(&q, &pool);
	assert_false(tcp_rxq_has_gap(&q));
	assert_int_equal(pool.len, 0);
	add(100, 1000);
	assert_int_equal(q.rcv_nxt, ISS + 1100);
	assert_int_equal(pop_all(0), 1100);
}

static void check_invariants(void)
{
	struct tcp_range ranges[4];
	unsigned count = tcp_rxq_ranges(&q, ranges, 4);

	for (unsigned i = 0; i < count; i++) {
		assert_true(seq_gt(ranges[i].start, q.rcv_nxt));
		assert_true(seq_gt(ranges[i].end, ranges[i].start));
	}
	assert_true(q.reassembly_len <= q.held_len);
	assert_int_equal(pool.len, q.reassembly_len);
	assert_int_equal((count > 0), tcp_rxq_has_gap(&q));
}

/* Segments of any size from anywhere in the window, again and again, until all has arrived. */
static void any_order_and_overlap_gives_the_stream(void **state)
{
	for (unsigned round = 0; round < 30; round++) {
		uint32_t popped = 0, total = 150000;

		srand(round + 1);
		while (popped < total) {
			uint32_t nxt = q.rcv_nxt - ISS, from, len;

			from = nxt + (uint32_t)(rand() % 12000);
			from = from > 3000 ? from - 3000 : 0;
			len = 1 + (uint32_t)(rand() % (rand() % 2 ? MSS : 40));
			if (rand() % 4 == 0)
				from = nxt;
			if (from + len > total)
				len = from < total ? total - from : 0;
			if (len > 0)
				add(from, len);
			check_invariants();
			if (rand() % 8 == 0)
				popped += pop_all(popped);
		}
		assert_int_equal(popped, total);
		assert_false(tcp_rxq_has_gap(&q));
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_in_order_are_popped_in_order),
		TEST(a_gap_holds_bytes_back_until_it_is_filled),
		TEST(filling_one_gap_stops_at_the_next),
		TEST(what_was_received_is_a_duplicate),
		TEST(the_old_part_of_a_segment_is_cut_off),
		TEST(the_first_received_bytes_win),
		TEST(a_segment_beyond_a_gap_is_cut_at_both_ends),
		TEST(ranges_come_newest_first),
		TEST(small_segments_are_copied_together),
		TEST(a_popped_or_shared_packet_is_left_alone),
		TEST(a_chain_becomes_single_packets),
		TEST(a_chain_with_an_old_head_counts_as_accepted),
		TEST(the_window_closes_as_packets_pile_up_and_opens_as_they_are_popped),
		TEST(the_window_stays_while_a_gap_is_open),
		TEST(what_the_window_offered_is_accepted_in_any_size),
		TEST(beyond_a_gap_true_sizes_are_budgeted),
		TEST(a_gap_at_every_other_byte_makes_no_long_list),
		TEST(every_run_is_counted_once),
		TEST(one_connection_does_not_use_up_what_all_share),
		TEST(the_shards_budget_bounds_all_connections_together),
		TEST(pruning_forgets_what_is_beyond_the_gap),
		TEST(any_order_and_overlap_gives_the_stream),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
