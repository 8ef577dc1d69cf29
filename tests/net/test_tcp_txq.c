#include "net/tcp_txq.h"
#include "tests/net/eal_group.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	HEADERS = 66,
	MSS = 1448,
	BUF_LEN = 300000,
	PUSHES = 64,
	ISS = 0xffffff00, /* the stream crosses the wrap */
	CHAIN = true,
	NO_CHAIN = false,
};

static struct mem mem;
static struct tcp_txq q;
static struct tcp_txq_pool pool;
static struct mem_use idle;

static int start(void **state)
{
	const struct mem_config config = {.numa_node = -1,
					  .data_count = 255,
					  .small_count = 255,
					  .large_count = 15,
					  .data_room = 1600};

	if (eal_group_setup(state) || mem_create(&mem, &config))
		return -1;
	pool.mem = &mem;
	pool.pushes = slab_create("pushes", tcp_txq_push_size(), 8, PUSHES);
	return pool.pushes ? 0 : -1;
}

static int stop(void **state)
{
	slab_destroy(pool.pushes);
	mem_destroy(&mem);
	return eal_group_teardown(state);
}

static int setup(void **state)
{
	(void)state;
	mem_use_mt(&mem, &idle);
	tcp_txq_init(&q, ISS, BUF_LEN);
	return 0;
}

static bool pools_are_idle(void)
{
	struct mem_use use;

	mem_use_mt(&mem, &use);
	return use.data == idle.data && use.small == idle.small && use.large == idle.large;
}

/* No buffer and no push is lost, after every test. */
static int teardown(void **state)
{
	(void)state;
	tcp_txq_fini(&q, &pool);
	return pools_are_idle() && slab_used(pool.pushes) == 0 && !pool.done ? 0 : -1;
}

/* --- the program's side --- */

static uint8_t byte_at(uint32_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

/* A buffer of the program's whose bytes are those of the stream from `from` on. */
static struct rte_mbuf *sga(uint32_t from, uint32_t len)
{
	struct rte_mbuf *m = mem_handle_alloc_or_null(&mem, len);
	uint8_t *bytes;

	assert_non_null(m);
	bytes = rte_pktmbuf_mtod(m, uint8_t *);
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = byte_at(from + i);
	return m;
}

static void *start_of(struct rte_mbuf *m)
{
	return (uint8_t *)m->buf_addr + pbuf_of(m)->handle_begin;
}

static void push(struct rte_mbuf *m, uint32_t offset, uint32_t len)
{
	uint64_t cookie = q.end;

	assert_int_equal(tcp_txq_push(&q, &pool, m, (uint8_t *)start_of(m) + offset, len, cookie),
			 0);
}

/* Pushes a buffer of its own and lets go of it. */
static void push_new(uint32_t len)
{
	struct rte_mbuf *m = sga(q.end - ISS, len);

	push(m, 0, len);
	assert_int_equal(mem_handle_free(&mem, m), 0);
}

/* --- the device's side --- */

static struct rte_mbuf *make(uint32_t from, uint32_t len, bool multi_segs)
{
	struct rte_mbuf *m =
		tcp_txq_segment_or_null(&q, &pool, ISS + from, len, HEADERS, multi_segs);

	assert_non_null(m);
	return m;
}

/* As the device sees it: writes headers in front and compares what is behind them. */
static void check(struct rte_mbuf *m, uint32_t from, uint32_t len)
{
	uint8_t bytes[2000];
	const uint8_t *read;

	assert_int_equal(m->pkt_len, len);
	assert_true(rte_pktmbuf_headroom(m) >= HEADERS);
	assert_int_equal(m->ol_flags, 0);
	memset(rte_pktmbuf_prepend(m, HEADERS), 0xee, HEADERS);
	assert_int_equal(rte_mbuf_check(m, 1, &(const char *){NULL}), 0);
	read = rte_pktmbuf_read(m, HEADERS, len, bytes);
	assert_non_null(read);
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(read[i], byte_at(from + i));
}

static void send_and_check(uint32_t from, uint32_t len, bool multi_segs)
{
	struct rte_mbuf *m = make(from, len, multi_segs);

	check(m, from, len);
	rte_pktmbuf_free(m);
}

static void expect_done(uint32_t offset, int expected_error)
{
	uint64_t cookie;
	int error;

	assert_true(tcp_txq_done_take(&pool, &cookie, &error));
	assert_int_equal(cookie, (uint32_t)(ISS + offset));
	assert_int_equal(error, expected_error);
}

static void expect_nothing_done(void)
{
	uint64_t cookie;
	int error;

	assert_false(tcp_txq_done_take(&pool, &cookie, &error));
}

/* --- pushes --- */

static void a_push_is_done_when_its_last_byte_is_acknowledged(void **state)
{
	(void)state;
	push_new(100);
	push_new(200);
	assert_int_equal(tcp_txq_len(&q), 300);
	assert_int_equal(tcp_txq_acked(&q, &pool, ISS + 99), 99);
	expect_nothing_done();
	assert_int_equal(tcp_txq_acked(&q, &pool, ISS + 299), 200);
	expect_done(0, 0);
	expect_nothing_done();
	assert_int_equal(tcp_txq_acked(&q, &pool, ISS + 300), 1);
	expect_done(100, 0);
	assert_int_equal(tcp_txq_len(&q), 0);
}

static void old_acks_do_nothing_and_the_ack_of_a_fin_is_cut(void **state)
{
	(void)state;
	push_new(100);
	assert_int_equal(tcp_txq_acked(&q, &pool, ISS), 0);
	assert_int_equal(tcp_txq_acked(&q, &pool, ISS - 5), 0);
	assert_int_equal(tcp_txq_acked(&q, &pool, ISS + 101), 100);
	expect_done(0, 0);
	assert_int_equal(q.una, ISS + 100);
	push_new(10);
	assert_int_equal(q.end, (uint32_t)(ISS + 110));
}

static void a_push_holds_its_buffer_and_no_longer(void **state)
{
	struct rte_mbuf *m = sga(0, 100);

	(void)state;
	push(m, 0, 100);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1); /* the program's and the push's */
	assert_int_equal(pbuf_of(m)->send_count, 1);
	assert_int_equal(pbuf_of(m)->headroom_owned, 1);
	assert_false(pbuf_on_device(m));
	tcp_txq_acked(&q, &pool, ISS + 100);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	assert_int_equal(pbuf_of(m)->send_count, 0);
	assert_int_equal(pbuf_of(m)->headroom_owned, 0);
	expect_done(0, 0);
	assert_int_equal(mem_handle_free(&mem, m), 0);
}

static void a_full_queue_takes_nothing(void **state)
{
	struct rte_mbuf *m = sga(0, 1000);

	(void)state;
	tcp_txq_init(&q, ISS, 1500);
	push(m, 0, 1000);
	assert_true(tcp_txq_has_room(&q, &pool));
	assert_int_equal(tcp_txq_push(&q, &pool, m, start_of(m), 501, 0), -EAGAIN);
	assert_int_equal(pbuf_of(m)->send_count, 1);
	push(m, 0, 500);
	assert_false(tcp_txq_has_room(&q, &pool));
	tcp_txq_acked(&q, &pool, ISS + 1);
	assert_true(tcp_txq_has_room(&q, &pool));
	assert_int_equal(mem_handle_free(&mem, m), 0);
}

static void one_push_is_always_allowed(void **state)
{
	(void)state;
	tcp_txq_init(&q, ISS, 100);
	push_new(1000);
	assert_false(tcp_txq_has_room(&q, &pool));
}

static void a_shard_without_pushes_takes_nothing(void **state)
{
	struct rte_mbuf *m = sga(0, 10);

	(void)state;
	for (unsigned i = 0; i < PUSHES; i++)
		push(m, 0, 10);
	assert_false(tcp_txq_has_room(&q, &pool));
	assert_int_equal(tcp_txq_push(&q, &pool, m, start_of(m), 10, 0), -EAGAIN);
	assert_int_equal(mem_handle_free(&mem, m), 0);
}

static void a_dead_connection_fails_every_push(void **state)
{
	(void)state;
	push_new(100);
	push_new(200);
	push_new(300);
	tcp_txq_acked(&q, &pool, ISS + 150);
	tcp_txq_fail_all(&q, &pool, -ECONNRESET);
	expect_done(0, 0);
	expect_done(100, -ECONNRESET);
	expect_done(300, -ECONNRESET);
	expect_nothing_done();
	assert_int_equal(tcp_txq_len(&q), 0);
}

static void an_orphan_is_sent_but_not_heard_of(void **state)
{
	(void)state;
	push_new(100);
	push_new(100);
	tcp_txq_acked(&q, &pool, ISS + 100);
	tcp_txq_orphan(&q, &pool);
	expect_nothing_done();
	send_and_check(100, 100, CHAIN);
	tcp_txq_acked(&q, &pool, ISS + 200);
	expect_nothing_done();
}

static void an_orphan_takes_only_its_own_pushes_off_the_done_list(void **state)
{
	struct tcp_txq other;
	struct rte_mbuf *m = sga(0, 10);
	uint64_t cookie;
	int error;

	(void)state;
	tcp_txq_init(&other, 5, BUF_LEN);
	for (unsigned i = 0; i < 3; i++) {
		push(m, 0, 10);
		assert_int_equal(tcp_txq_push(&other, &pool, m, start_of(m), 10, i), 0);
		tcp_txq_acked(&other, &pool, 5 + 10 * (i + 1));
		tcp_txq_acked(&q, &pool, ISS + 10 * (i + 1));
	}
	tcp_txq_orphan(&q, &pool);
	assert_int_equal(tcp_txq_push(&other, &pool, m, start_of(m), 10, 3), 0);
	tcp_txq_acked(&other, &pool, 45);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(tcp_txq_done_take(&pool, &cookie, &error));
		assert_int_equal(cookie, i);
	}
	expect_nothing_done();
	tcp_txq_fini(&other, &pool);
	assert_int_equal(mem_handle_free(&mem, m), 0);
}

/* --- segments --- */

static void a_whole_push_is_sent_in_its_own_buffer(void **state)
{
	struct rte_mbuf *m = sga(0, 100), *segment;

	(void)state;
	push(m, 0, 100);
	segment = make(0, MSS, NO_CHAIN);
	assert_ptr_equal(segment, m);
	assert_int_equal(rte_mbuf_refcnt_read(m), 2);
	assert_true(pbuf_on_device(m));
	check(segment, 0, 100);
	rte_pktmbuf_free(segment);
	assert_false(pbuf_on_device(m));
	tcp_txq_acked(&q, &pool, ISS + 100);
	expect_done(0, 0);
	assert_int_equal(mem_handle_free(&mem, m), 0);
}

static void a_buffer_is_sent_itself_again_once_the_device_gave_it_back(void **state)
{
	struct rte_mbuf *m = sga(0, 100), *first, *second;

	(void)state;
	push(m, 0, 100);
	first = make(0, MSS, CHAIN);
	check(first, 0, 100);
	second = make(0, MSS, CHAIN); /* a retransmission while the device still holds it */
	assert_ptr_not_equal(second, m);
	assert_int_equal(second->nb_segs, 2);
	check(second, 0, 100);
	rte_pktmbuf_free(first);
	first = make(0, MSS, CHAIN); /* the clone is out still */
	assert_ptr_not_equal(first, m);
	rte_pktmbuf_free(first);
	rte_pktmbuf_free(second);
	assert_ptr_equal(make(0, MSS, CHAIN), m);
	check(m, 0, 100);
	rte_pktmbuf_free(m);
	assert_int_equal(mem_handle_free(&mem, m), 0);
}

static void a_buffer_pushed_again_is_sent_itself_again(void **state)
{
	struct rte_mbuf *m = sga(0, 100);

	(void)state;
	push(m, 0, 100);
	send_and_check(0, 100, CHAIN);
	tcp_txq_acked(&q, &pool, ISS + 100);
	expect_done(0, 0);
	tcp_txq_init(&q, ISS, BUF_LEN);
	push(m, 0, 100);
	assert_ptr_equal(make(0, 100, CHAIN), m);
	check(m, 0, 100);
	rte_pktmbuf_free(m);
	assert_int_equal(mem_handle_free(&mem, m), 0);
}

/* What the echo server does: headers go where the received ones were. */
static void a_received_packet_is_sent_back_in_its_own_buffer(void **state)
{
	struct rte_mbuf *m = mem_data_or_null(&mem);
	uint8_t *bytes = (uint8_t *)rte_pktmbuf_append(m, HEADERS + 100);

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		bytes[HEADERS + i] = byte_at(i);
	rte_pktmbuf_adj(m, HEADERS);
	mem_handle_give(&mem, m);
	push(m, 0, 100);
	assert_int_equal(mem_handle_free(&mem, m), 0);
	assert_ptr_equal(make(0, MSS, NO_CHAIN), m);
	check(m, 0, 100);
	rte_pktmbuf_free(m);
}

/* DESIGN.md's trap: the bytes in front of a slice are the program's. */
static void headers_never_overwrite_the_bytes_before_a_slice(void **state)
{
	for (unsigned multi_segs = 0; multi_segs < 2; multi_segs++) {
		struct rte_mbuf *m = sga(0, 1000), *segment;

		push(m, 0, 500);
		push(m, 500, 500);
		tcp_txq_acked(&q, &pool, ISS + 500);
		segment = make(500, MSS, multi_segs);
		assert_ptr_not_equal(segment, m);
		check(segment, 500, 500);
		for (uint32_t i = 0; i < 1000; i++)
			assert_int_equal(((uint8_t *)start_of(m))[i], byte_at(i));
		rte_pktmbuf_free(segment);
		assert_int_equal(mem_handle_free(&mem, m), 0);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static void a_slice_alone_has_no_headroom_either(void **state)
{
	struct rte_mbuf *m = sga(0, 1000), *segment;

	(void)state;
	tcp_txq_init(&q, ISS + 500, BUF_LEN);
	push(m, 500, 500);
	segment = make(500, MSS, CHAIN);
	assert_ptr_not_equal(segment, m);
	check(segment, 500, 500);
	assert_int_equal(*((uint8_t *)start_of(m) + 499), byte_at(499));
	rte_pktmbuf_free(segment);
	assert_int_equal(mem_handle_free(&mem, m), 0);
}

/* As the second segment of a scattered packet may come. */
static void a_buffer_without_headroom_is_not_sent_itself(void **state)
{
	struct rte_mbuf *m = mem_data_or_null(&mem), *segment;
	uint8_t *bytes;

	(void)state;
	m->data_off = HEADERS - 1;
	bytes = (uint8_t *)rte_pktmbuf_append(m, 100);
	for (uint32_t i = 0; i < 100; i++)
		bytes[i] = byte_at(i);
	mem_handle_give(&mem, m);
	push(m, 0, 100);
	segment = make(0, MSS, CHAIN);
	assert_ptr_not_equal(segment, m);
	check(segment, 0, 100);
	rte_pktmbuf_free(segment);
	assert_int_equal(mem_handle_free(&mem, m), 0);
}

static void one_of_two_pushes_of_a_buffer_owns_the_headroom(void **state)
{
	struct rte_mbuf *m = sga(0, 100), *first, *second;

	(void)state;
	tcp_txq_init(&q, ISS, BUF_LEN);
	push(m, 0, 100);
	push(m, 0, 100);
	first = make(0, 100, CHAIN);
	assert_ptr_equal(first, m);
	second = tcp_txq_segment_or_null(&q, &pool, ISS + 100, 100, HEADERS, CHAIN);
	assert_ptr_not_equal(second, m);
	check(second, 0, 100);
	rte_pktmbuf_free(second);
	check(first, 0, 100);
	rte_pktmbuf_free(first);
	tcp_txq_acked(&q, &pool, ISS + 100);
	assert_int_equal(pbuf_of(m)->headroom_owned, 0);
	second = tcp_txq_segment_or_null(&q, &pool, ISS + 100, 100, HEADERS, CHAIN);
	assert_ptr_not_equal(second, m);
	rte_pktmbuf_free(second);
	assert_int_equal(mem_handle_free(&mem, m), 0);
}

static void a_part_of_a_push_is_chained_behind_its_headers(void **state)
{
	struct rte_mbuf *m = sga(0, 1400), *segment;
	struct mem_use use;

	(void)state;
	push(m, 0, 1400);
	segment = make(0, 1000, CHAIN);
	mem_use_mt(&mem, &use);
	assert_int_equal(use.small, idle.small + 2);
	assert_int_equal(segment->nb_segs, 2);
	assert_int_equal(rte_mbuf_refcnt_read(m), 2);
	check(segment, 0, 1000);
	rte_pktmbuf_free(segment);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	segment = make(1000, 1000, CHAIN);
	check(segment, 1000, 400); /* no more are left */
	rte_pktmbuf_free(segment);
	assert_int_equal(mem_handle_free(&mem, m), 0);
}

static void a_large_push_is_sent_segment_by_segment(void **state)
{
	for (unsigned multi_segs = 0; multi_segs < 2; multi_segs++) {
		uint32_t len = 65535;

		push_new(len);
		for (uint32_t from = 0; from < len; from += MSS)
			send_and_check(from, len - from < MSS ? len - from : MSS, multi_segs);
		tcp_txq_acked(&q, &pool, ISS + len);
		expect_done(0, 0);
		assert_true(pools_are_idle());
		assert_int_equal(setup(state), 0);
	}
}

static void a_segment_may_span_pushes(void **state)
{
	(void)state;
	push_new(100);
	push_new(1);
	push_new(1000);
	for (unsigned multi_segs = 0; multi_segs < 2; multi_segs++) {
		struct rte_mbuf *segment = make(50, 700, multi_segs);

		assert_int_equal(segment->nb_segs, multi_segs ? 4 : 1);
		check(segment, 50, 700);
		rte_pktmbuf_free(segment);
	}
}

static void many_small_pushes_are_copied(void **state)
{
	struct rte_mbuf *segment;

	(void)state;
	for (unsigned i = 0; i < TCP_TXQ_CHAIN_MAX + 1; i++)
		push_new(10);
	segment = make(0, MSS, CHAIN);
	assert_int_equal(segment->nb_segs, 1);
	check(segment, 0, 10 * (TCP_TXQ_CHAIN_MAX + 1));
	rte_pktmbuf_free(segment);
	segment = make(10, MSS, CHAIN);
	assert_int_equal(segment->nb_segs, 1 + TCP_TXQ_CHAIN_MAX);
	rte_pktmbuf_free(segment);
}

/* The program frees, the peer acknowledges, and only then the device is done. */
static void a_segment_outlives_its_push(void **state)
{
	struct rte_mbuf *itself, *chained;

	(void)state;
	push_new(100);
	push_new(100);
	itself = make(0, 100, CHAIN);
	chained = make(50, 100, CHAIN);
	tcp_txq_acked(&q, &pool, ISS + 200);
	expect_done(0, 0);
	expect_done(100, 0);
	check(itself, 0, 100);
	check(chained, 50, 100);
	assert_false(pools_are_idle());
	rte_pktmbuf_free(chained);
	rte_pktmbuf_free(itself);
	assert_true(pools_are_idle());
}

/* A buffer that came as an indirect mbuf has no headroom of its own to write to. */
static void an_indirect_buffer_is_never_written_to(void **state)
{
	struct rte_mbuf *m = sga(0, 100), *clone = mem_small_or_null(&mem), *segment;

	(void)state;
	rte_pktmbuf_attach(clone, m);
	mem_handle_give(&mem, clone);
	push(clone, 0, 100);
	segment = make(0, 100, CHAIN);
	assert_ptr_not_equal(segment, clone);
	check(segment, 0, 100);
	rte_pktmbuf_free(segment);
	assert_int_equal(mem_handle_free(&mem, clone), 0);
	assert_int_equal(mem_handle_free(&mem, m), 0);
}

/* Takes all of a pool away but `left` buffers. */
static unsigned drain(struct rte_mempool *from, struct rte_mbuf **taken, unsigned left)
{
	unsigned n = 0;

	while ((taken[n] = rte_pktmbuf_alloc(from)))
		n++;
	while (left-- > 0)
		rte_pktmbuf_free(taken[--n]);
	return n;
}

static void without_buffers_there_is_no_segment_and_no_loss(void **state)
{
	struct rte_mbuf *taken[300];
	struct mem_use before, after;

	(void)state;
	push_new(100);
	push_new(100);
	for (unsigned left = 0; left < 3; left++) { /* head and two pieces are wanted */
		unsigned n = drain(mem.small, taken, left);

		mem_use_mt(&mem, &before);
		assert_null(tcp_txq_segment_or_null(&q, &pool, ISS + 10, 150, HEADERS, CHAIN));
		mem_use_mt(&mem, &after);
		assert_int_equal(after.small, before.small);
		rte_pktmbuf_free_bulk(taken, n);
	}
	rte_pktmbuf_free_bulk(taken, drain(mem.data, taken, 0));
	send_and_check(10, 150, CHAIN);
}

static void without_data_buffers_there_is_no_copy(void **state)
{
	struct rte_mbuf *taken[300];
	unsigned n;

	(void)state;
	push_new(100);
	push_new(100);
	n = drain(mem.data, taken, 0);
	assert_null(tcp_txq_segment_or_null(&q, &pool, ISS + 10, 150, HEADERS, NO_CHAIN));
	rte_pktmbuf_free_bulk(taken, n);
	send_and_check(10, 150, NO_CHAIN);
}

/* Against the bytes of the stream: pushes, sending, going back, acknowledging, in any order. */
static void a_random_life_sends_the_stream_and_loses_nothing(void **state)
{
	struct rte_mbuf *device[32] = {0};

	(void)state;
	srand(7);
	for (unsigned step = 0; step < 40000; step++) {
		uint32_t at, end, slot = (uint32_t)rand() % 32;
		uint64_t cookie;
		int error;

		if (rand() % 3 == 0 && tcp_txq_has_room(&q, &pool) && q.count < 40)
			push_new(1 + (uint32_t)(rand() % (rand() % 4 ? 60 : 1600)));
		at = q.una - ISS;
		end = q.end - ISS;
		if (end > at) {
			uint32_t from = at + (uint32_t)rand() % (end - at);
			uint32_t len = 1 + (uint32_t)(rand() % MSS);

			if (rand() % 2)
				from = at;
			rte_pktmbuf_free(device[slot]);
			device[slot] = make(from, len, rand() % 2);
			check(device[slot], from, len < end - from ? len : end - from);
		}
		if (rand() % 4 == 0 && end > at)
			tcp_txq_acked(&q, &pool, q.una + (uint32_t)rand() % (end - at + 1));
		while (tcp_txq_done_take(&pool, &cookie, &error))
			assert_int_equal(error, 0);
	}
	for (unsigned i = 0; i < 32; i++)
		rte_pktmbuf_free(device[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_push_is_done_when_its_last_byte_is_acknowledged),
		TEST(old_acks_do_nothing_and_the_ack_of_a_fin_is_cut),
		TEST(a_push_holds_its_buffer_and_no_longer),
		TEST(a_full_queue_takes_nothing),
		TEST(one_push_is_always_allowed),
		TEST(a_shard_without_pushes_takes_nothing),
		TEST(a_dead_connection_fails_every_push),
		TEST(an_orphan_is_sent_but_not_heard_of),
		TEST(an_orphan_takes_only_its_own_pushes_off_the_done_list),
		TEST(a_whole_push_is_sent_in_its_own_buffer),
		TEST(a_buffer_is_sent_itself_again_once_the_device_gave_it_back),
		TEST(a_buffer_pushed_again_is_sent_itself_again),
		TEST(a_received_packet_is_sent_back_in_its_own_buffer),
		TEST(headers_never_overwrite_the_bytes_before_a_slice),
		TEST(a_slice_alone_has_no_headroom_either),
		TEST(a_buffer_without_headroom_is_not_sent_itself),
		TEST(one_of_two_pushes_of_a_buffer_owns_the_headroom),
		TEST(a_part_of_a_push_is_chained_behind_its_headers),
		TEST(a_large_push_is_sent_segment_by_segment),
		TEST(a_segment_may_span_pushes),
		TEST(many_small_pushes_are_copied),
		TEST(a_segment_outlives_its_push),
		TEST(an_indirect_buffer_is_never_written_to),
		TEST(without_buffers_there_is_no_segment_and_no_loss),
		TEST(without_data_buffers_there_is_no_copy),
		TEST(a_random_life_sends_the_stream_and_loses_nothing),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
