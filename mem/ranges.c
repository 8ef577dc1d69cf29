#include "mem/ranges.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_LEN = RTE_MEMPOOL_ALIGN }; /* objects begin at cache lines */

/* A piece of a pool's memory, and a bit per cache line: does an object begin there? DPDK leaves
 * gaps where an object would cross a page, so there is no formula. */
struct chunk {
	uintptr_t begin, end;
	uint64_t *bits;
	const struct rte_mempool *pool;
};

struct mem_ranges {
	struct chunk *chunks; /* ascending */
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
	for (unsigned i = 0; i < ranges->count; i++)
		free(ranges->chunks[i].bits);
	free(ranges->chunks);
	free(ranges);
}

static int make_room(struct mem_ranges *ranges)
{
	unsigned room = ranges->room ? 2 * ranges->room : 16;
	struct chunk *chunks;

	if (ranges->count < ranges->room)
		return 0;
	chunks = realloc(ranges->chunks, room * sizeof(*chunks));
	if (!chunks)
		return -ENOMEM;
	ranges->chunks = chunks;
	ranges->room = room;
	return 0;
}

static int insert(struct mem_ranges *ranges, const struct rte_mempool *pool,
		  const struct rte_mempool_memhdr *memory)
{
	uintptr_t begin = (uintptr_t)memory->addr & ~(uintptr_t)(LINE_LEN - 1);
	uintptr_t end = (uintptr_t)memory->addr + memory->len;
	size_t line_count = (end - begin + LINE_LEN - 1) / LINE_LEN;
	uint64_t *bits = calloc((line_count + 63) / 64, sizeof(*bits));
	unsigned at = ranges->count;

	if (!bits || make_room(ranges)) {
		free(bits);
		return -ENOMEM;
	}
	while (at > 0 && ranges->chunks[at - 1].begin > begin)
		at--;
	memmove(&ranges->chunks[at + 1], &ranges->chunks[at],
		(ranges->count - at) * sizeof(*ranges->chunks));
	ranges->chunks[at] = (struct chunk){.begin = begin, .end = end, .bits = bits, .pool = pool};
	ranges->count++;
	return 0;
}

static const struct chunk *find_or_null(const struct mem_ranges *ranges, uintptr_t at)
{
	unsigned low = 0, high = ranges->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct chunk *chunk = &ranges->chunks[middle];

		if (at < chunk->begin)
			high = middle;
		else if (at >= chunk->end)
			low = middle + 1;
		else
			return chunk;
	}
	return NULL;
}

static void mark(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	const struct chunk *chunk = find_or_null(arg, (uintptr_t)object);
	size_t line = ((uintptr_t)object - chunk->begin) / LINE_LEN;

	(void)pool, (void)index;
	chunk->bits[line / 64] |= UINT64_C(1) << (line % 64);
}

int mem_ranges_add(struct mem_ranges *ranges, struct rte_mempool *pool)
{
	const struct rte_mempool_memhdr *memory;

	STAILQ_FOREACH (memory, &pool->mem_list, next) {
		if (insert(ranges, pool, memory)) {
			mem_ranges_remove(ranges, pool);
			return -ENOMEM;
		}
	}
	rte_mempool_obj_iter(pool, mark, ranges);
	return 0;
}

void mem_ranges_remove(struct mem_ranges *ranges, const struct rte_mempool *pool)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < ranges->count; i++) {
		if (ranges->chunks[i].pool == pool)
			free(ranges->chunks[i].bits);
		else
			ranges->chunks[kept++] = ranges->chunks[i];
	}
	ranges->count = kept;
}

static bool is_within(const struct chunk *chunk, uintptr_t at)
{
	return at >= chunk->begin && at < chunk->end;
}

bool mem_ranges_has(const struct mem_ranges *ranges, const void *p, unsigned *near)
{
	const struct chunk *chunk;
	size_t line;

	if (*near >= ranges->count || !is_within(&ranges->chunks[*near], (uintptr_t)p)) {
		chunk = find_or_null(ranges, (uintptr_t)p);
		if (!chunk)
			return false;
		*near = (unsigned)(chunk - ranges->chunks);
	}
	chunk = &ranges->chunks[*near];
	if ((uintptr_t)p % LINE_LEN != 0)
		return false;
	line = ((uintptr_t)p - chunk->begin) / LINE_LEN;
	return chunk->bits[line / 64] >> (line % 64) & 1;
}
