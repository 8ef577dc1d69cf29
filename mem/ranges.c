#include "mem/ranges.h"

#include "mem/stride.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Objects of one pool at equal distances. A pool is one run, or some where its memory has gaps. */
struct run {
	uintptr_t first, last; /* addresses of objects */
	struct stride stride;
	const struct rte_mempool *pool;
};

struct mem_ranges {
	struct run *runs; /* ascending */
	unsigned count, room;
};

struct mem_ranges *mem_ranges_create(void)
{
	return calloc(1, sizeof(struct mem_ranges));
}

void mem_ranges_destroy(struct mem_ranges *ranges)
{
	if (!ranges)
		return;
	free(ranges->runs);
	free(ranges);
}

static int insert(struct mem_ranges *ranges, const struct run *run)
{
	unsigned at = ranges->count;

	if (ranges->count == ranges->room) {
		unsigned room = ranges->room ? 2 * ranges->room : 16;
		struct run *runs = realloc(ranges->runs, room * sizeof(*runs));

		if (!runs)
			return -ENOMEM;
		ranges->runs = runs;
		ranges->room = room;
	}
	while (at > 0 && ranges->runs[at - 1].first > run->first)
		at--;
	memmove(&ranges->runs[at + 1], &ranges->runs[at], (ranges->count - at) * sizeof(*run));
	ranges->runs[at] = *run;
	ranges->count++;
	return 0;
}

/* Collects a pool's objects into runs; DPDK visits them in the order in which it laid them out. */
struct walk {
	struct mem_ranges *ranges;
	struct run run;
	int error;
};

static void finish_run(struct walk *walk)
{
	int error = insert(walk->ranges, &walk->run);

	if (error)
		walk->error = error;
}

static void visit(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	struct walk *walk = arg;
	uintptr_t at = (uintptr_t)object;

	(void)pool;
	if (index > 0 && at == walk->run.last + walk->run.stride.len) {
		walk->run.last = at;
		return;
	}
	if (index > 0)
		finish_run(walk);
	walk->run.first = walk->run.last = at;
}

int mem_ranges_add(struct mem_ranges *ranges, struct rte_mempool *pool)
{
	uint64_t len = pool->header_size + pool->elt_size + pool->trailer_size;
	struct walk walk = {.ranges = ranges, .run = {.stride = stride_make(len), .pool = pool}};

	if (rte_mempool_obj_iter(pool, visit, &walk) > 0)
		finish_run(&walk);
	if (walk.error)
		mem_ranges_remove(ranges, pool);
	return walk.error;
}

void mem_ranges_remove(struct mem_ranges *ranges, const struct rte_mempool *pool)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < ranges->count; i++)
		if (ranges->runs[i].pool != pool)
			ranges->runs[kept++] = ranges->runs[i];
	ranges->count = kept;
}

bool mem_ranges_has(const struct mem_ranges *ranges, const void *p)
{
	uintptr_t at = (uintptr_t)p;
	unsigned low = 0, high = ranges->count;
	uint64_t index;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct run *run = &ranges->runs[middle];

		if (at < run->first)
			high = middle;
		else if (at > run->last)
			low = middle + 1;
		else
			return stride_index(&run->stride, at - run->first, &index);
	}
	return false;
}
