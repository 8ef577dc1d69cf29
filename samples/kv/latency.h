/*
 * One shard's latency monitor: the last times when something took longer than
 * latency-monitor-threshold, at most one a second, the worst of it. LATENCY reads it. One thread.
 */
#ifndef KV_LATENCY_H
#define KV_LATENCY_H

#include <stdint.h>

enum { LATENCY_SAMPLE_COUNT = 160 };

struct latency_sample {
	uint64_t when_s, ms; /* when_s 0: none */
};

/* Of commands. Zeros: nothing has happened. */
struct latency {
	struct latency_sample samples[LATENCY_SAMPLE_COUNT]; /* a ring */
	unsigned next;
	uint64_t ms_max;
};

void latency_note(struct latency *latency, uint64_t threshold_ms, uint64_t now_ms, uint64_t ms);
/* The i-th, the oldest first; NULL: there are no more. */
const struct latency_sample *latency_at_or_null(const struct latency *latency, unsigned i);

#endif
