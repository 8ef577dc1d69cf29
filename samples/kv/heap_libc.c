#include "kv/heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

void *heap_alloc_or_null(size_t size)
{
	return malloc(size);
}

void *heap_grow_or_null(void *block, size_t size)
{
	return realloc(block, size);
}

void heap_free(void *block)
{
	free(block);
}

size_t heap_size(const void *block)
{
	return malloc_usable_size((void *)(uintptr_t)block);
}

const char *heap_name(void)
{
	return "libc";
}
