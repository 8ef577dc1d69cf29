/*
 * A slab hands out objects of one size from an array made at start: no allocation later, O(1), last
 * freed first handed out. Pages are touched first by the shard that uses them, so they lie on its
 * NUMA node. Who takes an object writes all of it: what was in it before may still be. One owner;
 * freed objects are poisoned under ASan.
 */
#ifndef MEM_SLAB_H
#define MEM_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct slab;

/* align: a power of two, at most a page. NULL when size * count cannot be mapped. */
struct slab *slab_create(const char *name, size_t size, size_t align, uint32_t count);
/* Every object must be back (CHECK). NULL is allowed. */
void slab_destroy(struct slab *slab);

void *slab_alloc_or_null(struct slab *slab);
void slab_free(struct slab *slab, void *object); /* double free and foreign objects: CHECK */

uint32_t slab_used(const struct slab *slab);
uint32_t slab_count(const struct slab *slab);
size_t slab_object_size(const struct slab *slab); /* bytes, with padding */

#endif
