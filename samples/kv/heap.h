/*
 * The allocator of keys and values: heap_jemalloc.c, or heap_libc.c in builds with sanitizers,
 * which need to see each allocation. Any thread may free what another allocated.
 */
#ifndef KV_HEAP_H
#define KV_HEAP_H

#include <stddef.h>

void *heap_alloc_or_null(size_t size);
/* NULL: there was no memory, and the old block is as it was. */
void *heap_grow_or_null(void *block, size_t size);
void heap_free(void *block); /* NULL: nothing */
/* What the block takes in truth, for the books of maxmemory. */
size_t heap_size(const void *block);
/* The allocator's name and version, for INFO. */
const char *heap_name(void);

#endif
