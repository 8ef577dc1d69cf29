/* Handles: what a program may hold, free and push, and what it may not. */
#include "mem/mem.h"

#include "tests/mem/cmocka_all.h"
#include "tests/mem/dies.h"
#include "tests/mem/eal.h"

#include <errno.h>
#include <string.h>

/* Two shards of one runtime and one of another. */
struct worlds {
	struct mem_ranges *ranges;
	struct mem one, two, alien;
};

static struct worlds worlds;

static int worlds_create(void **state)
{
	struct mem_config config = {
		.numa_node = SOCKET_ID_ANY,
		.data_count = 512,
		.small_count = 256,
		.large_count = 8,
		.data_room = 1518,
	};

	worlds.ranges = config.ranges = mem_ranges_create();
	if (!worlds.ranges || mem_create(&worlds.one, &config))
		return -1;
	config.shard = 1;
	if (mem_create(&worlds.two, &config))
		return -1;
	config.shard = 0;
	config.ranges = NULL;
	config.name = "alien";
	if (mem_create(&worlds.alien, &config))
		return -1;
	*state = &worlds;
	return 0;
}

static uint32_t out_of(const struct mem *mem)
{
	struct mem_use use;

	mem_use_mt(mem, &use);
	return use.data + use.small + use.large;
}

/* After every test every buffer is back. */
static int worlds_destroy(void **state)
{
	struct worlds *w = *state;
	uint32_t out = out_of(&w->one) + out_of(&w->two) + out_of(&w->alien);

	mem_destroy(&w->one);
	mem_destroy(&w->two);
	mem_destroy(&w->alien);
	mem_ranges_destroy(w->ranges);
	return out ? -1 : 0;
}

static void every_length_up_to_65535_is_one_segment_with_that_room(void **state)
{
	struct mem *mem = &((struct worlds *)*state)->one;
	const uint32_t lens[] = {1, 64, 1517, 1518, 1519, 2048, 65406, 65407, 65408, 65535};

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct rte_mbuf *m = mem_handle_alloc_or_null(mem, lens[i]);
		char *data = rte_pktmbuf_mtod(m, char *);

		assert_non_null(m);
		assert_int_equal(m->nb_segs, 1);
		assert_int_equal(m->data_len, lens[i]);
		assert_int_equal(m->pkt_len, lens[i]);
		assert_int_equal(rte_pktmbuf_headroom(m),
				 lens[i] > 65535 - 128 ? 0 : RTE_PKTMBUF_HEADROOM);
		assert_true(rte_pktmbuf_headroom(m) + lens[i] <= m->buf_len);
		assert_ptr_equal(m->pool, lens[i] <= 1518 ? mem->data : mem->large);
		memset(data, 0xcc, lens[i]);
		assert_ptr_equal(mem_handle_check(mem, m, data, lens[i]), m);
		assert_int_equal(mem_handle_free(mem, m), 0);
	}
	assert_null(mem_handle_alloc_or_null(mem, 0));
	assert_null(mem_handle_alloc_or_null(mem, 65536));
	assert_null(mem_handle_alloc_or_null(mem, UINT32_MAX));
}

static void only_the_allocated_bytes_pass_the_check(void **state)
{
	struct mem *mem = &((struct worlds *)*state)->one;
	struct rte_mbuf *m = mem_handle_alloc_or_null(mem, 100);
	char *data = rte_pktmbuf_mtod(m, char *);

	assert_ptr_equal(mem_handle_check(mem, m, data, 100), m);
	assert_ptr_equal(mem_handle_check(mem, m, data + 40, 60), m);
	assert_ptr_equal(mem_handle_check(mem, m, data + 100, 0), m);
	assert_null(mem_handle_check(mem, m, data, 101));
	assert_null(mem_handle_check(mem, m, data - 1, 10));
	assert_null(mem_handle_check(mem, m, data + 40, 61));
	assert_null(mem_handle_check(mem, m, data + 101, 0));
	assert_null(mem_handle_check(mem, m, data + 1, UINT32_MAX));
	assert_null(mem_handle_check(mem, m, NULL, 1));
	assert_null(mem_handle_check(mem, m, (void *)UINTPTR_MAX, 1));
	/* Sending moves the mbuf's own bounds about. */
	rte_pktmbuf_adj(m, 50);
	rte_pktmbuf_prepend(m, 80);
	assert_ptr_equal(mem_handle_check(mem, m, data, 100), m);
	assert_null(mem_handle_check(mem, m, data - 1, 1));
	assert_int_equal(mem_handle_free(mem, m), 0);
}

static void no_pointer_value_is_dangerous(void **state)
{
	struct worlds *w = *state;
	struct rte_mbuf *m = mem_handle_alloc_or_null(&w->one, 1000);
	char *data = rte_pktmbuf_mtod(m, char *);
	uint64_t random = 99;

	/* A buffer that the program filled with what looks like a handle. */
	memset(data, 0, 1000);
	((struct pbuf *)(data + 128))->magic = PBUF_MAGIC;
	((struct pbuf *)(data + 128))->handle_count = 1;
	for (int i = 0; i < 1000; i++) {
		assert_null(mem_handle_check(&w->one, data + i, data, 1));
		assert_int_equal(mem_handle_free(&w->one, data + i), -EINVAL);
	}
	for (int i = -200; i < 3000; i++)
		if (i != 0)
			assert_int_equal(mem_handle_free(&w->one, (char *)m + i), -EINVAL);
	for (int i = 0; i < 100000; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		assert_null(mem_handle_check(&w->one, (void *)(uintptr_t)random, data, 1));
		assert_int_equal(mem_handle_free(&w->one, (void *)(uintptr_t)(random >> 17)),
				 -EINVAL);
	}
	assert_int_equal(mem_handle_free(&w->one, NULL), -EINVAL);
	assert_int_equal(mem_handle_free(&w->one, (void *)UINTPTR_MAX), -EINVAL);
	assert_int_equal(mem_handle_free(&w->one, m), 0);
}

static void a_second_free_is_refused(void **state)
{
	struct mem *mem = &((struct worlds *)*state)->one;
	struct rte_mbuf *m = mem_handle_alloc_or_null(mem, 10);
	char *data = rte_pktmbuf_mtod(m, char *);

	assert_int_equal(mem_handle_free(mem, m), 0);
	assert_null(mem_handle_check(mem, m, data, 1));
	assert_int_equal(mem_handle_free(mem, m), -EINVAL);
	assert_int_equal(out_of(mem), 0);
}

static void a_buffer_that_was_never_given_is_no_handle(void **state)
{
	struct mem *mem = &((struct worlds *)*state)->one;
	struct rte_mbuf *data = mem_data_or_null(mem), *small = mem_small_or_null(mem);

	assert_int_equal(mem_handle_free(mem, data), -EINVAL);
	assert_int_equal(mem_handle_free(mem, small), -EINVAL);
	rte_pktmbuf_free(data);
	rte_pktmbuf_free(small);
}

static void a_handle_of_another_shard_or_world_is_refused(void **state)
{
	struct worlds *w = *state;
	struct rte_mbuf *two = mem_handle_alloc_or_null(&w->two, 10);
	struct rte_mbuf *alien = mem_handle_alloc_or_null(&w->alien, 10);

	assert_int_equal(mem_handle_free(&w->one, two), -EINVAL);
	/* Same shard number: only the address tells. */
	assert_int_equal(mem_handle_free(&w->one, alien), -EINVAL);
	assert_null(mem_handle_check(&w->one, alien, rte_pktmbuf_mtod(alien, char *), 1));
	assert_int_equal(mem_handle_free(&w->two, two), 0);
	assert_int_equal(mem_handle_free(&w->alien, alien), 0);
}

static void a_packet_from_another_shards_pool_becomes_a_handle(void **state)
{
	struct worlds *w = *state;
	struct rte_mbuf *m = mem_data_or_null(&w->two);
	char *data = rte_pktmbuf_append(m, 200);

	mem_handle_give(&w->one, m);
	assert_ptr_equal(mem_handle_check(&w->one, m, data, 200), m);
	assert_null(mem_handle_check(&w->one, m, data, 201));
	assert_null(mem_handle_check(&w->two, m, data, 200));
	assert_int_equal(out_of(&w->two), 1);
	assert_int_equal(mem_handle_free(&w->two, m), -EINVAL);
	assert_int_equal(mem_handle_free(&w->one, m), 0);
	assert_int_equal(out_of(&w->two), 0);
}

static void an_indirect_mbuf_is_a_handle_of_its_own(void **state)
{
	struct worlds *w = *state;
	struct rte_mbuf *m = mem_handle_alloc_or_null(&w->one, 300);
	struct rte_mbuf *indirect = mem_small_or_null(&w->one);
	char *data = rte_pktmbuf_mtod(m, char *);

	/* A channel message: bytes 100 .. 199 go to the other shard, the sender keeps its handle.
	 */
	rte_pktmbuf_attach(indirect, m);
	rte_pktmbuf_adj(indirect, 100);
	rte_pktmbuf_trim(indirect, 100);
	mem_handle_give(&w->two, indirect);
	assert_ptr_equal(mem_handle_check(&w->two, indirect, data + 100, 100), indirect);
	assert_null(mem_handle_check(&w->two, indirect, data + 99, 10));
	assert_null(mem_handle_check(&w->two, indirect, data + 100, 101));
	assert_ptr_equal(mem_handle_check(&w->one, m, data, 300), m);
	assert_int_equal(mem_handle_free(&w->one, m), 0);
	assert_int_equal(out_of(&w->one), 2);
	assert_int_equal(mem_handle_free(&w->two, indirect), 0);
	assert_int_equal(out_of(&w->one), 0);
}

static void a_handle_freed_while_it_is_sent_leaves_the_buffer_to_the_sender(void **state)
{
	struct mem *mem = &((struct worlds *)*state)->one;
	struct rte_mbuf *m = mem_handle_alloc_or_null(mem, 10);

	/* A send queue holds it, too; then the device has a reference. */
	pbuf_hold(m);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	assert_false(pbuf_on_device(m));
	rte_mbuf_refcnt_update(m, 1);
	assert_true(pbuf_on_device(m));
	assert_int_equal(mem_handle_free(mem, m), 0);
	assert_true(pbuf_on_device(m));
	assert_int_equal(mem_handle_free(mem, m), -EINVAL);
	rte_pktmbuf_free(m); /* the device */
	assert_false(pbuf_on_device(m));
	assert_int_equal(out_of(mem), 1);
	pbuf_release(m);
	assert_int_equal(out_of(mem), 0);
}

static void freeing_a_handle_spares_what_is_chained_behind_it(void **state)
{
	struct mem *mem = &((struct worlds *)*state)->one;
	struct rte_mbuf *first = mem_handle_alloc_or_null(mem, 10);
	struct rte_mbuf *second = mem_handle_alloc_or_null(mem, 20);

	rte_mbuf_refcnt_update(first, 1); /* the device's */
	first->next = second;
	first->nb_segs = 2;
	assert_int_equal(mem_handle_free(mem, first), 0);
	assert_int_equal(rte_mbuf_refcnt_read(second), 1);
	first->next = NULL;
	first->nb_segs = 1;
	rte_pktmbuf_free(first);
	assert_int_equal(mem_handle_free(mem, second), 0);
}

/* However the last holder let go, the next one starts afresh. */
static void counts_left_by_a_careless_holder_are_history(void **state)
{
	struct mem *mem = &((struct worlds *)*state)->one;
	struct rte_mbuf *m = mem_handle_alloc_or_null(mem, 10), *again;

	pbuf_of(m)->send_count = 3;
	pbuf_of(m)->headroom_owned = 1;
	rte_pktmbuf_free(m);
	again = mem_handle_alloc_or_null(mem, 10);
	assert_ptr_equal(again, m); /* last in, first out of the cache */
	assert_int_equal(pbuf_of(again)->handle_count, 1);
	assert_int_equal(pbuf_of(again)->send_count, 0);
	assert_int_equal(pbuf_of(again)->headroom_owned, 0);
	assert_false(pbuf_on_device(again));
	rte_pktmbuf_free(again);
	again = mem_data_or_null(mem);
	assert_ptr_equal(again, m);
	rte_pktmbuf_append(again, 10);
	mem_handle_give(mem, again);
	assert_int_equal(pbuf_of(again)->handle_count, 1);
	assert_int_equal(mem_handle_free(mem, again), 0);
	assert_int_equal(pbuf_of(m)->holder, PBUF_NOBODY);
	assert_int_equal(out_of(mem), 0);
}

static void two_handles_on_one_buffer_are_freed_one_by_one(void **state)
{
	struct mem *mem = &((struct worlds *)*state)->one;
	struct rte_mbuf *m = mem_data_or_null(mem);
	char *data = rte_pktmbuf_append(m, 500);

	rte_mbuf_refcnt_update(m, 1);
	rte_pktmbuf_trim(m, 400);
	mem_handle_give(mem, m); /* bytes 0 .. 99 */
	m->data_off += 300;
	mem_handle_give(mem, m); /* bytes 300 .. 399 */
	assert_int_equal(pbuf_of(m)->handle_count, 2);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1); /* both have the same one */
	assert_ptr_equal(mem_handle_check(mem, m, data, 100), m);
	assert_ptr_equal(mem_handle_check(mem, m, data + 300, 100), m);
	assert_null(mem_handle_check(mem, m, data, 500));
	assert_int_equal(mem_handle_free(mem, m), 0);
	assert_ptr_equal(mem_handle_check(mem, m, data, 100), m);
	assert_int_equal(mem_handle_free(mem, m), 0);
	assert_int_equal(mem_handle_free(mem, m), -EINVAL);
}

static void give_to_the_second_shard(void *arg)
{
	mem_handle_give(&worlds.two, arg);
}

static void a_buffer_that_another_program_holds_is_not_given(void **state)
{
	struct worlds *w = *state;
	struct rte_mbuf *m = mem_handle_alloc_or_null(&w->one, 10);

	rte_mbuf_refcnt_update(m, 1);
	assert_true(dies(give_to_the_second_shard, m));
	rte_pktmbuf_free(m);
	assert_int_equal(mem_handle_free(&w->one, m), 0);
}

static void when_memory_is_out_allocation_is_null_and_recovers(void **state)
{
	struct mem *mem = &((struct worlds *)*state)->one;
	enum { COUNT = 512 - 512 / 32 }; /* the reserve is not the program's */
	static struct rte_mbuf *data[COUNT], *large[8];
	struct rte_mbuf *packet;

	for (int i = 0; i < COUNT; i++)
		assert_non_null(data[i] = mem_handle_alloc_or_null(mem, 1));
	assert_null(mem_handle_alloc_or_null(mem, 1));
	assert_true(mem_reserve_only(mem));
	assert_non_null(packet = mem_data_or_null(mem));
	rte_pktmbuf_free(packet);
	for (int i = 0; i < 8; i++)
		assert_non_null(large[i] = mem_handle_alloc_or_null(mem, 65535));
	assert_null(mem_handle_alloc_or_null(mem, 2000));
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(mem_handle_free(mem, data[i]), 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(mem_handle_free(mem, large[i]), 0);
	data[0] = mem_handle_alloc_or_null(mem, 1);
	assert_int_equal(mem_handle_free(mem, data[0]), 0);
}

static void after_a_pool_is_gone_its_addresses_are_no_handles(void **state)
{
	struct worlds *w = *state;
	struct mem_config config = {
		.shard = 2,
		.numa_node = SOCKET_ID_ANY,
		.data_count = 64,
		.small_count = 64,
		.large_count = 1,
		.data_room = 1518,
		.ranges = w->ranges,
	};
	struct rte_mbuf *m;
	struct mem three;
	unsigned near = 17; /* nothing is there */

	assert_int_equal(mem_create(&three, &config), 0);
	m = mem_data_or_null(&three);
	assert_true(mem_ranges_has(w->ranges, m, &near));
	rte_pktmbuf_free(m);
	mem_destroy(&three);
	assert_false(mem_ranges_has(w->ranges, m, &near));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, worlds_create, worlds_destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_length_up_to_65535_is_one_segment_with_that_room),
		TEST(only_the_allocated_bytes_pass_the_check),
		TEST(no_pointer_value_is_dangerous),
		TEST(a_second_free_is_refused),
		TEST(a_buffer_that_was_never_given_is_no_handle),
		TEST(a_handle_of_another_shard_or_world_is_refused),
		TEST(a_packet_from_another_shards_pool_becomes_a_handle),
		TEST(an_indirect_mbuf_is_a_handle_of_its_own),
		TEST(a_handle_freed_while_it_is_sent_leaves_the_buffer_to_the_sender),
		TEST(freeing_a_handle_spares_what_is_chained_behind_it),
		TEST(counts_left_by_a_careless_holder_are_history),
		TEST(two_handles_on_one_buffer_are_freed_one_by_one),
		TEST(a_buffer_that_another_program_holds_is_not_given),
		TEST(when_memory_is_out_allocation_is_null_and_recovers),
		TEST(after_a_pool_is_gone_its_addresses_are_no_handles),
	};

	return cmocka_run_group_tests_name("handle", tests, eal_setup, eal_teardown);
}
