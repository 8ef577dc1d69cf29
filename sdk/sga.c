#include <demi/sga.h>

#include "mem/mem.h"
#include "sdk/convert.h"
#include "sdk/world.h"

enum { SGA_LEN_MAX = 65535 };

char sga_end_of_stream;

demi_sgarray_t demi_sgaalloc(size_t size)
{
	KEEP_ERRNO;
	const demi_sgarray_t empty = {0};
	struct shard *shard = world_shard_or_null();
	struct rte_mbuf *m;

	if (shard == NULL || size == 0 || size > SGA_LEN_MAX)
		return empty;
	m = mem_handle_alloc_or_null(shard_mem(shard), (uint32_t)size);
	if (m == NULL)
		return empty;
	return convert_sga(m, rte_pktmbuf_mtod(m, void *), (uint32_t)size);
}

int demi_sgafree(demi_sgarray_t *sga)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();

	if (shard == NULL)
		return ENOSYS;
	if (sga == NULL || sga->sga_buf == NULL || sga->sga_numsegs != 1)
		return EINVAL;
	if (sga->sga_buf == &sga_end_of_stream)
		return 0;
	return -mem_handle_free(shard_mem(shard), sga->sga_buf);
}
