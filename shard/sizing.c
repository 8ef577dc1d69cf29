#include "shard/sizing.h"

#include "shard/state.h"

enum {
	DATA_ROOM_MIN = 2048, /* what every driver is content with */
	FRAME_OVERHEAD = 18,  /* Ethernet header, VLAN tag */
	MTU_DEFAULT = 1500,
	FLOW_ENTRY_LEN = 128,		/* of a flow table, with its share of empty buckets */
	EAL_BASE_LEN = 24 << 20,	/* EAL, ethdev, telemetry */
	QUEUE_PAIR_BASE_LEN = 64 << 10, /* driver's structures */
	DESCRIPTOR_LEN = 64,		/* of any device, with the driver's shadow of it */
};

static uint16_t data_room(const struct runtime_config *config)
{
	uint32_t room = DATA_ROOM_MIN;

	if (config->data_room)
		return config->data_room;
	for (unsigned i = 0; i < config->port_count; i++) {
		uint32_t mtu = config->ports[i].nic.mtu ? config->ports[i].nic.mtu : MTU_DEFAULT;

		if (mtu + FRAME_OVERHEAD > room)
			room = mtu + FRAME_OVERHEAD;
	}
	return (uint16_t)(room < UINT16_MAX - RTE_PKTMBUF_HEADROOM
				  ? room
				  : UINT16_MAX - RTE_PKTMBUF_HEADROOM);
}

static struct mem_demand demand_of(const struct runtime *runtime)
{
	const struct runtime_config *config = &runtime->config;
	struct mem_demand demand = {
		.shard_count = runtime->shard_count,
		.port_count = config->port_count,
		.conn_count_max = config->net.tcp.conn_max,
		.budget_len = config->rcv_budget_len + config->net.tcp.reassembly_len +
			      config->net.reassembly.len_max,
		.udp_queue_len = config->net.udp_max * config->net.udp_queue_len,
		.mailbox_len = config->mailbox_len,
		.data_room = data_room(config),
	};

	for (unsigned i = 0; i < config->port_count; i++) {
		const struct nic_port_config *nic = &config->ports[i].nic;

		demand.rxd = nic->rxd > demand.rxd ? nic->rxd : demand.rxd;
		demand.txd = nic->txd > demand.txd ? nic->txd : demand.txd;
	}
	return demand;
}

struct mem_config sizing_pools(const struct runtime *runtime, uint16_t shard)
{
	const struct runtime_config *config = &runtime->config;
	struct mem_demand demand = demand_of(runtime);

	return (struct mem_config){
		.shard = shard,
		.numa_node = nic_eal_hugepages() ? runtime->place.numa_nodes[shard] : -1,
		.data_count = config->data_count ? config->data_count : mem_data_count(&demand),
		.small_count = config->small_count ? config->small_count : mem_small_count(&demand),
		.large_count = config->large_count ? config->large_count : MEM_LARGE_COUNT,
		.data_room = demand.data_room,
		.ranges = runtime->ranges,
		.uncached = config->instance != 0,
		.name = config->instance ? runtime->pool_prefix : NULL,
	};
}

size_t sizing_memory_len(const struct runtime *runtime)
{
	const struct runtime_config *config = &runtime->config;
	struct mem_config pools = sizing_pools(runtime, 0);
	struct mem_demand demand = demand_of(runtime);
	size_t flows = (size_t)config->net.tcp.conn_max + config->net.tcp.timewait_max;
	size_t queue_pair =
		QUEUE_PAIR_BASE_LEN + (size_t)(demand.rxd + demand.txd) * DESCRIPTOR_LEN;
	size_t shard =
		mem_footprint(&pools) + flows * FLOW_ENTRY_LEN + config->port_count * queue_pair;

	return EAL_BASE_LEN + runtime->shard_count * shard;
}
