/*
 * How many worlds had what: so that a run can say that it saw all that random worlds are made of.
 */
#ifndef TESTS_SIM_DRAWN_H
#define TESTS_SIM_DRAWN_H

#include "plan.h"

#include <stdio.h>

/* X(name, what a struct plan *p and its client or server host h have) */
#define DRAWN_PLANS(X)                                                                             \
	X(two_hosts, p->host_count == 2)                                                           \
	X(six_hosts, p->host_count == 6)                                                           \
	X(crowded_server, p->crowded)                                                              \
	X(two_switches, p->two_switches)                                                           \
	X(clean_wires, !p->path.loss_ppm && !p->path.corrupt_ppm && !p->path.truncate_ppm)         \
	X(wires_of_two_kinds, p->clean_wires)                                                      \
	X(loss, p->path.loss_ppm)                                                                  \
	X(corruption, p->path.corrupt_ppm)                                                         \
	X(truncation, p->path.truncate_ppm)                                                        \
	X(duplication, p->path.duplicate_ppm)                                                      \
	X(reordering, p->path.reorder_ppm)                                                         \
	X(congestion_marks, p->path.mark_ppm)                                                      \
	X(narrow_wires, p->path.rate_bps)                                                          \
	X(many_short_streams, p->streams == 40)                                                    \
	X(slow_readers, p->read_pause_ns)                                                          \
	X(slow_server, p->serve_pause_ns)                                                          \
	X(datagrams, p->datagrams)                                                                 \
	X(fragments, p->fragmented)                                                                \
	X(calm, !p->harsh && !p->lossy)

#define DRAWN_HOSTS(X)                                                                             \
	X(one_shard, h->shards == 1)                                                               \
	X(four_shards, h->shards == 4)                                                             \
	X(steering_like_hardware,                                                                  \
	  h->shards > 1 && h->rss && h->queues == h->shards && !h->steering_software)              \
	X(steering_in_software, h->shards > 1 && (!h->rss || h->steering_software))                \
	X(one_queue_for_many_shards, h->shards > 1 && h->queues == 1)                              \
	X(checksums_by_device, h->checksum)                                                        \
	X(no_chains, !h->chains)                                                                   \
	X(no_timestamps, !h->timestamps)                                                           \
	X(no_window_scale, !h->window_scale)                                                       \
	X(no_sack, !h->sack)                                                                       \
	X(nodelay, h->nodelay)                                                                     \
	X(newreno, h->newreno)                                                                     \
	X(cookies_always, h->cookies == PLAN_COOKIES_ALWAYS)                                       \
	X(cookies_never, h->cookies == PLAN_COOKIES_NEVER)                                         \
	X(few_syns, h->few_syns)                                                                   \
	X(ecn_always, h->ecn == PLAN_ECN_ALWAYS)                                                   \
	X(ecn_never, h->ecn == PLAN_ECN_NEVER)                                                     \
	X(small_rcvbuf, h->rcvbuf_len <= 8192)                                                     \
	X(tiny_rcvbuf, h->rcvbuf_len == 2048)                                                      \
	X(small_sndbuf, h->sndbuf_len)                                                             \
	X(small_mtu, h->mtu)                                                                       \
	X(route_mtu, h->route_mtu)                                                                 \
	X(route_mss, h->route_mss)                                                                 \
	X(no_pmtu_discovery, !h->pmtu_discovery)                                                   \
	X(no_delayed_acks, h->acks_at_once)                                                        \
	X(little_reassembly, h->little_reassembly)

/* What went wrong in a world. */
#define DRAWN_TROUBLES(X)                                                                          \
	X(device_down)                                                                             \
	X(receive_stalled)                                                                         \
	X(tx_burst_refusing)                                                                       \
	X(tx_burst_taking_some)                                                                    \
	X(wire_cut)                                                                                \
	X(heavy_loss)                                                                              \
	X(pool_data_exhausted)                                                                     \
	X(pool_small_exhausted)                                                                    \
	X(pool_large_exhausted)                                                                    \
	X(clock_jump)

enum drawn_trouble {
#define DRAWN_ENUM(name) DRAWN_##name,
	DRAWN_TROUBLES(DRAWN_ENUM) DRAWN_TROUBLE_COUNT
#undef DRAWN_ENUM
};

struct drawn {
#define DRAWN_COUNT(name, has) uint32_t name;
	DRAWN_PLANS(DRAWN_COUNT)
	DRAWN_HOSTS(DRAWN_COUNT)
#undef DRAWN_COUNT
	uint32_t kinds[PLAN_KIND_COUNT];
	uint32_t troubles[DRAWN_TROUBLE_COUNT];
};

/* Each counts a world once. kinds, troubles: sets of bits, of what happened in it. */
void drawn_count(struct drawn *drawn, const struct plan *plan, unsigned kinds, unsigned troubles);
/* How many of all worlds had each; the number of things that none had. */
unsigned drawn_print(const struct drawn *drawn, FILE *out);

#endif
