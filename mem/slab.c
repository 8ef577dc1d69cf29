#include "mem/slab.h"

#include "mem/check.h"
#include "mem/stride.h"

#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 *   objects  [ used or freed | ... | never used yet ]     mapped, touched when first handed out
 *                                   ^ fresh
 *   freed    [ i, j, k ]  a stack of indices; the bitmap says which objects are out
 */
struct slab {
	const char *name;
	char *objects;
	struct stride stride;
	size_t size; /* what the owner asked for */
	uint32_t *freed;
	uint64_t *out;
	uint32_t count, fresh, freed_count;
	size_t objects_len, freed_len, out_len;
};

/* Pages come zeroed and cost nothing until they are touched. */
static void *map_or_null(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap(void *p, size_t len)
{
	if (p)
		munmap(p, len);
}

static void release(struct slab *slab)
{
	if (slab->objects)
		ASAN_UNPOISON_MEMORY_REGION(slab->objects, slab->objects_len);
	unmap(slab->objects, slab->objects_len);
	unmap(slab->freed, slab->freed_len);
	unmap(slab->out, slab->out_len);
	free(slab);
}

struct slab *slab_create(const char *name, size_t size, size_t align, uint32_t count)
{
	struct slab *slab;
	size_t stride;

	CHECK(align > 0 && (align & (align - 1)) == 0 && align <= (size_t)sysconf(_SC_PAGESIZE));
	if (align < sizeof(uint64_t))
		align = sizeof(uint64_t); /* ASan's granularity */
	if (size == 0 || count == 0 || __builtin_add_overflow(size, align - 1, &stride))
		return NULL;
	stride &= ~(align - 1);
	slab = calloc(1, sizeof(*slab));
	if (!slab)
		return NULL;
	slab->name = name;
	slab->size = size;
	slab->count = count;
	slab->stride = stride_make(stride);
	slab->freed_len = (size_t)count * sizeof(*slab->freed);
	slab->out_len = ((size_t)count + 63) / 64 * sizeof(*slab->out);
	if (__builtin_mul_overflow(stride, count, &slab->objects_len) ||
	    !(slab->objects = map_or_null(slab->objects_len)) ||
	    !(slab->freed = map_or_null(slab->freed_len)) ||
	    !(slab->out = map_or_null(slab->out_len))) {
		release(slab);
		return NULL;
	}
	madvise(slab->objects, slab->objects_len, MADV_HUGEPAGE); /* a wish */
	ASAN_POISON_MEMORY_REGION(slab->objects, slab->objects_len);
	return slab;
}

void slab_destroy(struct slab *slab)
{
	if (!slab)
		return;
	CHECK(slab_used(slab) == 0);
	release(slab);
}

void *slab_alloc_or_null(struct slab *slab)
{
	bool fresh = slab->freed_count == 0;
	uint32_t index;
	char *object;

	if (fresh && slab->fresh == slab->count)
		return NULL;
	index = fresh ? slab->fresh++ : slab->freed[--slab->freed_count];
	slab->out[index / 64] |= UINT64_C(1) << (index % 64);
	object = slab->objects + index * slab->stride.len;
	ASAN_UNPOISON_MEMORY_REGION(object, slab->size);
	return object;
}

void slab_free(struct slab *slab, void *object)
{
	uint64_t offset = (uint64_t)((uintptr_t)object - (uintptr_t)slab->objects);
	uint64_t index, bit;

	CHECK(offset < slab->objects_len && stride_index(&slab->stride, offset, &index));
	bit = UINT64_C(1) << (index % 64);
	CHECK(slab->out[index / 64] & bit);
	slab->out[index / 64] &= ~bit;
	slab->freed[slab->freed_count++] = (uint32_t)index;
	ASAN_POISON_MEMORY_REGION(object, slab->stride.len);
}

uint32_t slab_used(const struct slab *slab)
{
	return slab->fresh - slab->freed_count;
}

uint32_t slab_count(const struct slab *slab)
{
	return slab->count;
}

size_t slab_object_size(const struct slab *slab)
{
	return slab->stride.len;
}
