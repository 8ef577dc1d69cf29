#include "poison.h"

#include "mem/check.h"

#include <rte_lcore.h>
#include <rte_mempool.h>
#include <sanitizer/asan_interface.h>

static rte_mempool_enqueue_t put;
static rte_mempool_dequeue_t get;

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
	for (unsigned i = 0; i < n; i++)
		ASAN_POISON_MEMORY_REGION(begin_of(objects[i]), len_of(pool, objects[i]));
	return put(pool, objects, n);
}

static int get_clean(struct rte_mempool *pool, void **objects, unsigned n)
{
	int err = get(pool, objects, n);

	for (unsigned i = 0; err == 0 && i < n; i++)
		ASAN_UNPOISON_MEMORY_REGION(begin_of(objects[i]), len_of(pool, objects[i]));
	return err;
}

static void poison_one(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	(void)arg, (void)index;
	ASAN_POISON_MEMORY_REGION(begin_of(object), len_of(pool, object));
}

void poison_pools(struct mem *mem)
{
	struct rte_mempool *const pools[] = {mem->data, mem->small, mem->large};
	struct rte_mempool_ops *ops = rte_mempool_get_ops(mem->data->ops_index);

	CHECK(!put && ops->enqueue != put_poisoned);
	RTE_PER_LCORE(_lcore_id) = LCORE_ID_ANY;
	put = ops->enqueue;
	get = ops->dequeue;
	ops->enqueue = put_poisoned;
	ops->dequeue = get_clean;
	for (unsigned i = 0; i < RTE_DIM(pools); i++) {
		CHECK(rte_mempool_avail_count(pools[i]) == pools[i]->size);
		rte_mempool_obj_iter(pools[i], poison_one, NULL);
	}
}

void poison_behind(struct rte_mbuf *m)
{
	ASAN_POISON_MEMORY_REGION(rte_pktmbuf_mtod_offset(m, char *, m->data_len),
				  rte_pktmbuf_tailroom(m));
}
