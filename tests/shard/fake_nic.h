/*
 * Another implementation of nic/nic.h: ports in memory. What is injected is received; what is sent
 * is counted and freed, as far as the wire has room.
 */
#ifndef TESTS_SHARD_FAKE_NIC_H
#define TESTS_SHARD_FAKE_NIC_H

#include "nic/nic.h"

struct fake_nic {
	uint16_t queue_count; /* of the device; 0: as many as wanted */
	int numa_node;
	bool fail_start;
	unsigned tx_room; /* packets that it takes from now on */
	unsigned tx_count[NIC_QUEUE_MAX];
	bool distrusted;
	bool link_down;
	enum nic_steering steering;
	struct rte_mempool *pools[NIC_QUEUE_MAX];
};

extern struct fake_nic fake_nic; /* all ports are alike */

void fake_nic_reset(void);
/* The packet will be received on the queue. */
void fake_nic_inject(uint16_t queue, struct rte_mbuf *m);
/* tx_count of the queue, while shards are at work. */
unsigned fake_nic_sent(uint16_t queue);

#endif
