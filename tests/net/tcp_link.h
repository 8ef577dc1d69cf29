/*
 * One direction of a bottleneck: a queue that drops what it has no room for, a transmitter of so
 * many bits a second, a propagation delay, and losses at random from a seed.
 *
 *      link_send --> [ queue, at most queue_max ] --> rate --> loss --> delay --> link_take
 */
#ifndef TESTS_NET_TCP_LINK_H
#define TESTS_NET_TCP_LINK_H

#include "tcp_host.h"

struct link_rules {
	uint64_t bits_per_second, delay_ns;
	uint32_t queue_max;	/* frames that wait for the transmitter */
	uint32_t loss_per_100k; /* frames of 100,000 */
};

struct link_frame;

struct link {
	struct link_rules rules;
	uint64_t random;
	uint64_t free_ns;	    /* when the transmitter has sent all that it has */
	uint64_t first, sent, last; /* frames flying: first .. sent; queued: sent .. last */
	struct link_frame *frames;  /* a ring */
	uint64_t tag, taken_tag;    /* goes with what is sent from now on; of what was taken last */
	uint64_t lost_count, full_count; /* by chance, by the queue */
};

void link_begin(struct link *l, const struct link_rules *rules, uint64_t seed);
void link_end(struct link *l);
/* False: it is lost, or the queue is full. */
bool link_send(struct link *l, const struct host_frame *f, uint64_t now_ns);
/* The next frame that has arrived by now, or NULL; valid until the next call. */
const struct host_frame *link_take_or_null(struct link *l, uint64_t now_ns);
/* When the next frame arrives; UINT64_MAX: none is on its way. */
uint64_t link_next_ns(const struct link *l);

#endif
