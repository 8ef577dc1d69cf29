/*
 * Where shards run, as hwloc sees the machine: near the NIC first, one per physical core before any
 * second hyperthread, within what the process may use; more shards than cpus share them in turn.
 */
#ifndef SHARD_PLACE_H
#define SHARD_PLACE_H

#include "net/tables.h"

#include <stdbool.h>
#include <stdint.h>

enum { PLACE_MACHINE_LEN = 160, PLACE_WHY_LEN = 256 };

struct place_request {
	uint16_t shard_count; /* 0: one per physical core of the NIC's node; of the machine if that
				 node is not known; one per entry of cpus if there are any */
	const int *cpus;      /* as the OS numbers them, one per shard; fewer are used in turn */
	uint16_t cpu_count;
	int numa_node;	       /* the NIC's; -1: any */
	const char *synthetic; /* NULL: this machine; else hwloc's description of another */
};

struct place {
	uint16_t shard_count;
	int cpus[NET_SHARD_MAX];
	int numa_nodes[NET_SHARD_MAX]; /* of that cpu; -1: unknown */
	bool shared;		       /* some cpu has more than one shard */
	char machine[PLACE_MACHINE_LEN];
};

/* 0; -EINVAL: a cpu that is not there or not ours to use, too many shards; -ENOMEM. why says more.
 */
int place_choose(const struct place_request *request, struct place *out, char why[PLACE_WHY_LEN]);

#endif
