#include "kv/heap.h"

#include <jemalloc/jemalloc.h>

/*
 * jemalloc, as Redis: its size classes waste at most a fifth, which glibc's 16-byte headers and
 * coalescing do not promise for millions of small blocks; a thread's blocks come from a cache and
 * an arena of its own, so shards do not meet; and it gives memory back after much was deleted.
 */
void *heap_alloc_or_null(size_t size)
{
	return mallocx(size ? size : 1, 0);
}

void *heap_grow_or_null(void *block, size_t size)
{
	return block ? rallocx(block, size ? size : 1, 0) : heap_alloc_or_null(size);
}

void heap_free(void *block)
{
	if (block)
		dallocx(block, 0);
}

size_t heap_size(const void *block)
{
	return block ? sallocx(block, 0) : 0;
}

#define TEXT_OF(value) #value
#define TEXT(value)    TEXT_OF(value)

const char *heap_name(void)
{
	return "jemalloc-" TEXT(JEMALLOC_VERSION_MAJOR) "." TEXT(JEMALLOC_VERSION_MINOR) "." TEXT(
		JEMALLOC_VERSION_BUGFIX);
}
