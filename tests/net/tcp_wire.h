/*
 * A wire in memory between two hosts, with a seed: it loses, duplicates, delays, reorders and
 * corrupts.
 */
#ifndef TESTS_NET_TCP_WIRE_H
#define TESTS_NET_TCP_WIRE_H

#include "tcp_host.h"

struct wire_rules {
	uint32_t loss_per_mille, duplicate_per_mille, reorder_per_mille, corrupt_per_mille;
	uint64_t delay_ns;
};

struct flying;

struct wire {
	struct wire_rules rules;
	uint64_t random;
	unsigned count[2]; /* towards host i */
	struct flying *flying[2];
};

void wire_begin(struct wire *w, const struct wire_rules *rules, uint64_t seed);
void wire_end(struct wire *w);
/* 0 .. sides - 1, from the seed. */
uint32_t wire_dice(struct wire *w, uint32_t sides);
void wire_send(struct wire *w, unsigned to, const struct host_frame *f, uint64_t now_ns);
/* What has arrived by now goes to the host, in the order of its sending. */
void wire_deliver(struct wire *w, unsigned to, struct host *h);

#endif
