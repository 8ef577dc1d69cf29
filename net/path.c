#include "net/path.h"

#include "net/tables_inside.h"

#include <rte_common.h>

/* RFC 1191 7.1: the MTUs that there are, for routers that do not tell theirs. */
static uint16_t plateau_below(uint16_t mtu)
{
	static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006};

	for (unsigned i = 0; i < RTE_DIM(plateaus); i++)
		if (plateaus[i] < mtu)
			return plateaus[i];
	return PATH_MTU_MIN;
}

static uint32_t set_of(const struct path_cache *cache, struct ip_addr remote)
{
	return mix32(remote.v4 ^ cache->seed) & (PATH_SETS - 1);
}

/* The destination's entry, or the one of its set that ends first. */
static struct path *place(struct path_cache *cache, struct ip_addr remote)
{
	struct path *set = cache->paths[set_of(cache, remote)], *best = set;

	for (unsigned i = 0; i < PATH_WAYS; i++) {
		if (set[i].end_ns != 0 && ip_addr_eq(set[i].remote, remote))
			return &set[i];
		if (set[i].end_ns < best->end_ns)
			best = &set[i];
	}
	return best;
}

uint16_t path_lower(struct path_cache *cache, struct ip_addr remote, uint16_t now_mtu, uint16_t mtu,
		    uint64_t now_ns)
{
	mtu = RTE_MAX(mtu ? mtu : plateau_below(now_mtu), (uint16_t)PATH_MTU_MIN);
	if (mtu >= now_mtu)
		return now_mtu;
	cache->used = true;
	*place(cache, remote) =
		(struct path){.remote = remote, .mtu = mtu, .end_ns = now_ns + PATH_LIFE_NS};
	return mtu;
}

uint16_t path_look_up(const struct path_cache *cache, struct ip_addr remote, uint16_t link_mtu,
		      uint64_t now_ns)
{
	const struct path *set = cache->paths[set_of(cache, remote)];

	for (unsigned i = 0; i < PATH_WAYS; i++)
		if (ip_addr_eq(set[i].remote, remote) && now_ns < set[i].end_ns)
			return RTE_MIN(link_mtu, set[i].mtu);
	return link_mtu;
}
