#include "mem/mem.h"

#include "mem/check.h"
#include "mem/log.h"

#include <errno.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <string.h>

enum {
	/* Buffers that one lcore keeps before some go back to the ring; DPDK lets it keep half as
	 * many more. Rx and tx bursts of 64 then meet the ring every fourth time. */
	CACHE_LEN = 256,
	CACHE_LEN_MAX = CACHE_LEN * 3 / 2,
	LARGE_CACHE_LEN = 8, /* they are few: none to spare in other lcores' caches */
	BURST_LEN = 64,
	SMALL_ROOM = 128, /* headers of one packet, with options, behind as much headroom */
	LARGE_ROOM = UINT16_MAX,
	NAME_PREFIX_LEN = 12,
};

/* --- sums --- */

/* Buffers that lie in lcores' caches where the shard cannot allocate them: its own cache is as good
 * as the pool, the other shards' and the control thread's are not. */
static uint64_t stranded(const struct mem_demand *demand)
{
	return (uint64_t)demand->shard_count * CACHE_LEN_MAX;
}

/* Packets under way to other shards, in their mailboxes. */
static uint64_t in_mailboxes(const struct mem_demand *demand)
{
	return demand->shard_count ? (uint64_t)(demand->shard_count - 1) * demand->mailbox_len : 0;
}

/* A quarter of the connections at a time have a request in the program's hands or a reply that is
 * not acknowledged yet. A program that holds more meets MEM_LOW, and new connections wait. */
static uint64_t in_program(const struct mem_demand *demand)
{
	return demand->conn_count_max / 4;
}

static uint32_t count_of(uint64_t sum)
{
	return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

static size_t data_buffer_len(uint16_t room)
{
	return sizeof(struct rte_mbuf) + PBUF_PRIV_LEN + RTE_PKTMBUF_HEADROOM + room;
}

uint32_t mem_data_count(const struct mem_demand *demand)
{
	uint64_t sum = 0;

	/* Receive descriptors: the device holds one empty buffer each, always. */
	sum += (uint64_t)demand->port_count * demand->rxd;
	/* Transmit descriptors: drivers give sent packets back late, up to a full queue. */
	sum += (uint64_t)demand->port_count * demand->txd;
	/* One burst just received and one that the device did not take yet. */
	sum += (uint64_t)demand->port_count * 2 * BURST_LEN;
	/* Receive and reassembly queues, full to their budget. */
	sum += demand->budget_len / data_buffer_len(demand->data_room);
	sum += demand->udp_queue_len;
	sum += in_program(demand);
	sum += in_mailboxes(demand);
	sum += stranded(demand);
	/* MEM_LOW begins at a quarter: all of the above fits into the other three. */
	sum += sum / 3 + 1;
	return count_of(sum);
}

uint32_t mem_small_count(const struct mem_demand *demand)
{
	uint64_t sum = 0;

	/* Each transmit descriptor may hold a pure ACK or a header chained in front of a slice...
	 */
	sum += (uint64_t)demand->port_count * demand->txd;
	/* ...and an indirect mbuf for the slice itself. */
	sum += (uint64_t)demand->port_count * demand->txd;
	/* Two such bursts that the device did not take yet. */
	sum += (uint64_t)demand->port_count * 2 * 2 * BURST_LEN;
	/* Indirect mbufs of slices that are sent and not acknowledged. */
	sum += in_program(demand);
	/* Indirect mbufs of channel messages, both under way and in the receiver's hands. */
	sum += 2 * in_mailboxes(demand);
	sum += stranded(demand);
	sum += sum / 3 + 1;
	return count_of(sum);
}

/* Objects with DPDK's padding; on 4 KiB pages, the worst case, none of them crosses a page that it
 * need not cross. */
static size_t objects_len(uint32_t count, uint32_t buf_len)
{
	const size_t page_len = 4096;
	struct rte_mempool_objsz size;
	size_t len = rte_mempool_calc_obj_size(sizeof(struct rte_mbuf) + PBUF_PRIV_LEN + buf_len, 0,
					       &size);
	size_t per_page = page_len / len;

	if (per_page == 0)
		return count * RTE_ALIGN_CEIL(len, page_len);
	return (count + per_page - 1) / per_page * page_len;
}

/* Bytes of one pool: objects, ring, and the mempool with its caches. */
static size_t pool_len(uint32_t count, uint32_t buf_len)
{
	size_t header_len = sizeof(struct rte_mempool) + sizeof(struct rte_pktmbuf_pool_private) +
			    RTE_MAX_LCORE * sizeof(struct rte_mempool_cache);

	return objects_len(count, buf_len) + (size_t)rte_align32pow2(count + 1) * sizeof(void *) +
	       header_len + 16384; /* page rounding, the ring's header, memzones */
}

static uint32_t large_count(const struct mem_config *config)
{
	return config->large_count ? config->large_count : MEM_LARGE_COUNT;
}

size_t mem_footprint(const struct mem_config *config)
{
	return pool_len(config->data_count, RTE_PKTMBUF_HEADROOM + config->data_room) +
	       pool_len(config->small_count, RTE_PKTMBUF_HEADROOM + SMALL_ROOM) +
	       pool_len(large_count(config), LARGE_ROOM);
}

/* --- pools --- */

static void mark(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	struct pbuf *p = pbuf_of(object);

	(void)pool, (void)arg, (void)index;
	*p = (struct pbuf){.magic = PBUF_MAGIC, .holder = PBUF_NOBODY};
}

static int open_pool(const struct mem_config *config, const char *kind, uint32_t count,
		     uint32_t cache_len, uint16_t buf_len, struct rte_mempool **out)
{
	const char *prefix = config->name ? config->name : "clowder";
	char name[RTE_MEMPOOL_NAMESIZE];
	struct rte_mempool *pool;

	if (count == 0 || strlen(prefix) > NAME_PREFIX_LEN)
		return -EINVAL;
	if (config->uncached)
		cache_len = 0;
	else if (cache_len > count / 4)
		cache_len = count / 4; /* DPDK wants more objects than a full cache */
	snprintf(name, sizeof(name), "%s_%s_%u", prefix, kind, config->shard);
	pool = rte_pktmbuf_pool_create_by_ops(name, count, cache_len, PBUF_PRIV_LEN, buf_len,
					      config->numa_node, "ring_mt_rts");
	if (!pool && rte_errno != EEXIST && config->numa_node != SOCKET_ID_ANY) {
		pool = rte_pktmbuf_pool_create_by_ops(name, count, cache_len, PBUF_PRIV_LEN,
						      buf_len, SOCKET_ID_ANY, "ring_mt_rts");
		if (pool)
			log_warning("pool %s is not on NUMA node %d, which has no memory left",
				    name, config->numa_node);
	}
	if (!pool)
		return rte_errno ? -rte_errno : -ENOMEM;
	rte_mempool_obj_iter(pool, mark, NULL);
	*out = pool;
	return 0;
}

static int open_pools(struct mem *mem, const struct mem_config *config)
{
	int error = open_pool(config, "data", config->data_count, CACHE_LEN,
			      RTE_PKTMBUF_HEADROOM + config->data_room, &mem->data);

	if (!error)
		error = open_pool(config, "small", config->small_count, CACHE_LEN,
				  RTE_PKTMBUF_HEADROOM + SMALL_ROOM, &mem->small);
	if (!error)
		error = open_pool(config, "large", large_count(config), LARGE_CACHE_LEN, LARGE_ROOM,
				  &mem->large);
	return error;
}

static int note_ranges(struct mem *mem, struct mem_ranges *shared)
{
	int error;

	mem->ranges = shared ? shared : mem_ranges_create();
	mem->ranges_own = !shared;
	if (!mem->ranges)
		return -ENOMEM;
	error = mem_ranges_add(mem->ranges, mem->data);
	if (!error)
		error = mem_ranges_add(mem->ranges, mem->small);
	if (!error)
		error = mem_ranges_add(mem->ranges, mem->large);
	return error;
}

static void close_pool(struct mem *mem, struct rte_mempool *pool)
{
	if (!pool)
		return;
	if (mem->ranges)
		mem_ranges_remove(mem->ranges, pool);
	rte_mempool_free(pool);
}

static void close_pools(struct mem *mem)
{
	close_pool(mem, mem->data);
	close_pool(mem, mem->small);
	close_pool(mem, mem->large);
	if (mem->ranges_own)
		mem_ranges_destroy(mem->ranges);
	memset(mem, 0, sizeof(*mem));
}

int mem_create(struct mem *mem, const struct mem_config *config)
{
	int error;

	memset(mem, 0, sizeof(*mem));
	if (config->data_room > UINT16_MAX - RTE_PKTMBUF_HEADROOM || config->data_room == 0)
		return -EINVAL;
	mem->shard = config->shard;
	mem->data_room = config->data_room;
	mem->low_count = config->data_count / 4;
	mem->scarce_count = config->data_count / 8;
	mem->reserve_count = config->data_count / 32;
	mem->free_count = config->data_count;
	error = open_pools(mem, config);
	if (!error)
		error = note_ranges(mem, config->ranges);
	if (error)
		close_pools(mem);
	return error;
}

void mem_destroy(struct mem *mem)
{
	struct mem_use use;

	if (!mem->data)
		return;
	mem_use_mt(mem, &use);
	if (mem->data_kept)
		use.data = 0;
	if (use.data || use.small || use.large)
		log_error("shard %u ends with packet buffers missing: %u data, %u small, %u large",
			  mem->shard, use.data, use.small, use.large);
	close_pools(mem);
}

/* Not rte_mempool_avail_count(), which walks the caches of all lcores there might be. */
enum mem_level mem_level_update(struct mem *mem)
{
	const struct rte_mempool_ops *ops = rte_mempool_get_ops(mem->data->ops_index);
	const struct rte_mempool_cache *cache =
		rte_mempool_default_cache(mem->data, rte_lcore_id());
	uint32_t free_count = ops->get_count(mem->data) + (cache ? cache->len : 0);

	mem->free_count = free_count;
	if (free_count < mem->scarce_count)
		mem->level = MEM_SCARCE;
	else if (free_count < mem->low_count)
		mem->level = MEM_LOW;
	else
		mem->level = MEM_PLENTY;
	return mem->level;
}

void mem_use_mt(const struct mem *mem, struct mem_use *use)
{
	*use = (struct mem_use){
		.data = rte_mempool_in_use_count(mem->data),
		.small = rte_mempool_in_use_count(mem->small),
		.large = rte_mempool_in_use_count(mem->large),
		.data_total = mem->data->size,
		.small_total = mem->small->size,
		.large_total = mem->large->size,
	};
}
