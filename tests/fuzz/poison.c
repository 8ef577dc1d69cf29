#include "poison.h"

#include "mem/check.h"

#include <rte_mempool.h>
#include <sanitizer/asan_interface.h>

enum { POOLS = 3 };

static rte_mempool_enqueue_t put;
static rte_mempool_dequeue_t get;
/* In pool_config of the pools that are poisoned: not while DPDK makes and unmakes them. */
static char mark;

/* The mbuf itself stays readable: DPDK's own checks look at its reference count. */
static char *begin_of(struct rte_mbuf *m)
{
	return (char *)pbuf_of(m)->scratch;
}

static size_t len_of(struct rte_mempool *pool, struct rte_mbuf *m)
{
	return (size_t)((char *)m + pool->elt_size - begin_of(m));
}

static int put_poisoned(struct rte_mempool *pool, void *const *objects, unsigned n)
{
	for (unsigned i = 0; i < n && pool->pool_config == &mark; i++)
		ASAN_POISON_MEMORY_REGION(begin_of(objects[i]), len_of(pool, objects[i]));
	return put(pool, objects, n);
}

static int get_clean(struct rte_mempool *pool, void **objects, unsigned n)
{
	int err = get(pool, objects, n);

	for (unsigned i = 0; err == 0 && i < n && pool->pool_config == &mark; i++)
		ASAN_UNPOISON_MEMORY_REGION(begin_of(objects[i]), len_of(pool, objects[i]));
	return err;
}

/* --- pools --- */

static void poison_one(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	(void)arg, (void)index;
	ASAN_POISON_MEMORY_REGION(begin_of(object), len_of(pool, object));
}

static void unpoison_one(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	(void)arg, (void)index;
	ASAN_UNPOISON_MEMORY_REGION(begin_of(object), len_of(pool, object));
}

static void hook(struct rte_mempool *pool)
{
	struct rte_mempool_ops *ops = rte_mempool_get_ops(pool->ops_index);

	/* In a cache a free buffer would be neither poisoned nor counted. */
	CHECK(pool->cache_size == 0);
	if (ops->enqueue == put_poisoned)
		return;
	CHECK(!put);
	put = ops->enqueue;
	get = ops->dequeue;
	ops->enqueue = put_poisoned;
	ops->dequeue = get_clean;
}

int __wrap_mem_create(struct mem *mem, const struct mem_config *config)
{
	int err = __real_mem_create(mem, config);
	struct rte_mempool *const pools[POOLS] = {mem->data, mem->small, mem->large};

	for (unsigned i = 0; err == 0 && i < POOLS; i++) {
		hook(pools[i]);
		pools[i]->pool_config = &mark;
		rte_mempool_obj_iter(pools[i], poison_one, NULL);
	}
	return err;
}

void __wrap_mem_destroy(struct mem *mem)
{
	struct rte_mempool *const pools[POOLS] = {mem->data, mem->small, mem->large};

	for (unsigned i = 0; i < POOLS && pools[i]; i++) {
		pools[i]->pool_config = NULL;
		rte_mempool_obj_iter(pools[i], unpoison_one, NULL);
	}
	__real_mem_destroy(mem);
}

/* --- packets --- */

uint16_t __wrap_nic_rx_burst(struct nic_port *port, uint16_t queue, struct rte_mbuf **pkts,
			     uint16_t n)
{
	uint16_t count = __real_nic_rx_burst(port, queue, pkts, n);

	for (uint16_t i = 0; i < count; i++)
		ASAN_POISON_MEMORY_REGION(
			rte_pktmbuf_mtod_offset(pkts[i], char *, pkts[i]->data_len),
			rte_pktmbuf_tailroom(pkts[i]));
	return count;
}
