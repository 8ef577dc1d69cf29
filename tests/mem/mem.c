/* Pools: their sums, their levels, what they say is in use, and what every buffer is born with. */
#include "mem/mem.h"

#include "tests/mem/cmocka_all.h"
#include "tests/mem/eal.h"

#include <errno.h>
#include <pthread.h>
#include <rte_lcore.h>
#include <string.h>

static const struct mem_config small_config = {
	.numa_node = SOCKET_ID_ANY,
	.data_count = 2048,
	.small_count = 1024,
	.large_count = 16,
	.data_room = 1518,
};

static const struct mem_demand demand = {
	.shard_count = 2,
	.port_count = 1,
	.rxd = 1024,
	.txd = 1024,
	.conn_count_max = 8192,
	.budget_len = 16 << 20,
	.udp_queue_len = 1024,
	.mailbox_len = 1024,
	.data_room = 1518,
};

static void pools_are_whole_after_creation_and_have_the_rooms_promised(void **state)
{
	struct mem_use use;
	struct mem mem;

	(void)state;
	assert_int_equal(mem_create(&mem, &small_config), 0);
	mem_use_mt(&mem, &use);
	assert_int_equal(use.data + use.small + use.large, 0);
	assert_int_equal(use.data_total, 2048);
	assert_int_equal(use.small_total, 1024);
	assert_int_equal(use.large_total, 16);
	assert_int_equal(rte_pktmbuf_data_room_size(mem.data), 1518 + RTE_PKTMBUF_HEADROOM);
	assert_int_equal(rte_pktmbuf_data_room_size(mem.small), 256);
	assert_int_equal(rte_pktmbuf_data_room_size(mem.large), 65535);
	assert_int_equal(rte_pktmbuf_priv_size(mem.data), PBUF_PRIV_LEN);
	assert_string_equal(rte_mempool_get_ops(mem.data->ops_index)->name, "ring_mt_rts");
	mem_destroy(&mem);
}

static void count_unmarked(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	const struct pbuf *p = pbuf_of(object);

	(void)pool, (void)index;
	if (p->magic != PBUF_MAGIC || p->holder != PBUF_NOBODY || p->handle_count ||
	    p->send_count || p->headroom_owned)
		++*(unsigned *)arg;
}

static void every_buffer_is_born_with_its_mark(void **state)
{
	unsigned unmarked = 0;
	struct mem mem;

	(void)state;
	assert_int_equal(mem_create(&mem, &small_config), 0);
	assert_int_equal(rte_mempool_obj_iter(mem.data, count_unmarked, &unmarked), 2048);
	assert_int_equal(rte_mempool_obj_iter(mem.small, count_unmarked, &unmarked), 1024);
	assert_int_equal(rte_mempool_obj_iter(mem.large, count_unmarked, &unmarked), 16);
	assert_int_equal(unmarked, 0);
	mem_destroy(&mem);
}

static void buffers_out_are_counted_pool_by_pool(void **state)
{
	struct rte_mbuf *data, *small;
	struct mem_use use;
	struct mem mem;

	(void)state;
	assert_int_equal(mem_create(&mem, &small_config), 0);
	data = mem_data_or_null(&mem);
	small = mem_small_or_null(&mem);
	mem_use_mt(&mem, &use);
	assert_int_equal(use.data, 1);
	assert_int_equal(use.small, 1);
	assert_int_equal(use.large, 0);
	rte_pktmbuf_free(data);
	rte_pktmbuf_free(small);
	mem_use_mt(&mem, &use);
	assert_int_equal(use.data + use.small, 0);
	mem_destroy(&mem);
}

static void the_level_falls_at_a_quarter_and_an_eighth_free_and_comes_back(void **state)
{
	static struct rte_mbuf *out[2048];
	struct mem mem;

	(void)state;
	assert_int_equal(mem_create(&mem, &small_config), 0);
	for (unsigned taken = 0; taken <= 2048; taken++) {
		unsigned left = 2048 - taken;
		enum mem_level expected = left < 256   ? MEM_SCARCE
					  : left < 512 ? MEM_LOW
						       : MEM_PLENTY;

		assert_int_equal(mem_level_update(&mem), expected);
		assert_int_equal(mem.level, expected);
		if (left > 0) {
			out[taken] = mem_data_or_null(&mem);
			assert_non_null(out[taken]);
		}
	}
	assert_null(mem_data_or_null(&mem));
	for (unsigned i = 0; i < 2048; i++)
		rte_pktmbuf_free(out[i]);
	assert_int_equal(mem_level_update(&mem), MEM_PLENTY);
	mem_destroy(&mem);
}

static void two_shards_and_two_worlds_live_side_by_side(void **state)
{
	struct mem_config config = small_config;
	struct mem one, two, other, same;

	(void)state;
	assert_int_equal(mem_create(&one, &config), 0);
	assert_int_equal(mem_create(&same, &config), -EEXIST);
	config.shard = 1;
	assert_int_equal(mem_create(&two, &config), 0);
	config.name = "other";
	assert_int_equal(mem_create(&other, &config), 0);
	mem_destroy(&other);
	mem_destroy(&two);
	mem_destroy(&one);
}

static void what_cannot_be_made_is_refused_and_leaves_nothing_behind(void **state)
{
	struct mem_config config = small_config;
	struct mem mem;

	(void)state;
	config.data_count = 10 << 20;
	assert_int_equal(mem_create(&mem, &config), -ENOMEM);
	mem_destroy(&mem); /* harmless */
	config.data_count = 0;
	assert_int_equal(mem_create(&mem, &config), -EINVAL);
	config.data_count = 64;
	config.small_count = 0; /* after the data pool was made */
	assert_int_equal(mem_create(&mem, &config), -EINVAL);
	config.small_count = 64;
	config.name = "much too long a name";
	assert_int_equal(mem_create(&mem, &config), -EINVAL);
	config.name = NULL;
	config.data_room = 65500;
	assert_int_equal(mem_create(&mem, &config), -EINVAL);
	config.data_room = 1518;
	assert_int_equal(mem_create(&mem, &config), 0);
	mem_destroy(&mem);
}

static void a_node_without_memory_is_replaced_by_another(void **state)
{
	struct mem_config config = small_config;
	struct mem mem;

	(void)state;
	config.numa_node = 7;
	assert_int_equal(mem_create(&mem, &config), 0);
	mem_destroy(&mem);
}

static void few_buffers_make_small_pools(void **state)
{
	struct mem_config config = small_config;
	struct mem mem;

	(void)state;
	config.data_count = config.small_count = config.large_count = 1;
	assert_int_equal(mem_create(&mem, &config), 0);
	mem_destroy(&mem);
	config.large_count = 0;
	assert_int_equal(mem_create(&mem, &config), 0);
	assert_int_equal(mem.large->size, MEM_LARGE_COUNT);
	mem_destroy(&mem);
}

static void the_footprint_covers_what_the_pools_take(void **state)
{
	struct mem_config config = small_config;
	size_t taken = 0;
	struct mem mem;

	(void)state;
	config.data_count = mem_data_count(&demand) / 4;
	config.small_count = mem_small_count(&demand) / 4;
	assert_int_equal(mem_create(&mem, &config), 0);
	for (int i = 0; i < 3; i++) {
		const struct rte_mempool *pool = i == 0 ? mem.data : i == 1 ? mem.small : mem.large;
		const struct rte_mempool_memhdr *chunk;

		taken += pool->mz->len;
		STAILQ_FOREACH (chunk, &pool->mem_list, next)
			taken += chunk->len;
	}
	assert_true(taken <= mem_footprint(&config));
	assert_true(mem_footprint(&config) - taken < taken / 4);
	mem_destroy(&mem);
}

static void sums_cover_each_demand_and_grow_with_it(void **state)
{
	struct mem_demand more = demand;
	uint32_t data = mem_data_count(&demand), small = mem_small_count(&demand);

	(void)state;
	/* rings, budget and UDP queues in full, and three quarters of the pool hold them */
	assert_true(data * UINT64_C(3) / 4 >= 1024 + 1024 + (16 << 20) / 2048 + 1024);
	assert_true(data < 40000 && small < 40000);
	more.rxd *= 2;
	assert_true(mem_data_count(&more) >= data + 1024);
	more = demand;
	more.budget_len *= 2;
	assert_true(mem_data_count(&more) > data + 8000);
	more = demand;
	more.shard_count = 3;
	assert_true(mem_data_count(&more) > data + 1024);
	assert_true(mem_small_count(&more) > small + 1024);
	more = demand;
	more.conn_count_max *= 2;
	assert_true(mem_data_count(&more) > data && mem_small_count(&more) > small);
	more.budget_len = UINT64_MAX / 4;
	assert_int_equal(mem_data_count(&more), UINT32_MAX);
	assert_true(mem_data_count(&(struct mem_demand){.shard_count = 1}) > 0);
}

/* Buffers of the test's pool, freed by a thread that is another lcore. */
struct far_side {
	struct rte_mbuf *out[512];
	unsigned count;
	bool registered;
};

static void *free_them(void *arg)
{
	struct far_side *side = arg;

	side->registered = rte_thread_register() == 0;
	for (unsigned i = 0; i < side->count; i++)
		rte_pktmbuf_free(side->out[i]);
	rte_thread_unregister();
	return NULL;
}

static void buffers_freed_on_another_lcore_are_home_again(void **state)
{
	struct far_side side = {.count = 512};
	struct mem_use use;
	struct mem mem;
	pthread_t thread;

	(void)state;
	assert_int_equal(mem_create(&mem, &small_config), 0);
	for (unsigned i = 0; i < side.count; i++)
		side.out[i] = mem_data_or_null(&mem);
	assert_int_equal(pthread_create(&thread, NULL, free_them, &side), 0);
	pthread_join(thread, NULL);
	assert_true(side.registered);
	mem_use_mt(&mem, &use);
	assert_int_equal(use.data, 0);
	mem_destroy(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pools_are_whole_after_creation_and_have_the_rooms_promised),
		cmocka_unit_test(every_buffer_is_born_with_its_mark),
		cmocka_unit_test(buffers_out_are_counted_pool_by_pool),
		cmocka_unit_test(the_level_falls_at_a_quarter_and_an_eighth_free_and_comes_back),
		cmocka_unit_test(two_shards_and_two_worlds_live_side_by_side),
		cmocka_unit_test(what_cannot_be_made_is_refused_and_leaves_nothing_behind),
		cmocka_unit_test(a_node_without_memory_is_replaced_by_another),
		cmocka_unit_test(few_buffers_make_small_pools),
		cmocka_unit_test(the_footprint_covers_what_the_pools_take),
		cmocka_unit_test(sums_cover_each_demand_and_grow_with_it),
		cmocka_unit_test(buffers_freed_on_another_lcore_are_home_again),
	};

	return cmocka_run_group_tests_name("mem", tests, eal_setup, eal_teardown);
}
