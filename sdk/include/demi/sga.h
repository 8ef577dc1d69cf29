/*
 * Buffers that can be sent and received without copying.
 */
#ifndef DEMI_SGA_H
#define DEMI_SGA_H

#include <demi/cc.h>
#include <demi/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A buffer of size bytes from the shard's pool, in one segment, its content undefined; the
 * caller's, to be given back with demi_sgafree(). For 0, for more than 65,535 bytes, before
 * demi_init(), or when memory is out the sga has a NULL sga_buf and no segments.
 */
DEMI_API demi_sgarray_t demi_sgaalloc(size_t size);

/*
 * Gives back what demi_sgaalloc() or a pop returned; the segment's pointer and length do not
 * matter. A push that is still on its way keeps its own hold of the buffer. EINVAL: NULL, no
 * buffer, not one segment, or no sga of this shard (another's, or given back already).
 */
DEMI_API int demi_sgafree(demi_sgarray_t *sga) ATTR_NONNULL(1);

#ifdef __cplusplus
}
#endif

#endif
