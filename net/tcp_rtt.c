#include "net/tcp_rtt.h"

#include "net/tcp_seq.h"

#define GRANULARITY_NS	  1000000ull /* G of RFC 6298: timers tick about every millisecond */
#define TS_TICK_NS	  1000000ull
#define SYN_FALLBACK_NS	  3000000000ull
#define BACKOFF_COUNT_MAX UINT8_MAX

static uint64_t clamp(const struct tcp_rtt_limits *limits, uint64_t rto_ns)
{
	if (rto_ns < limits->rto_ns_min)
		return limits->rto_ns_min;
	return rto_ns < limits->rto_ns_max ? rto_ns : limits->rto_ns_max;
}

void tcp_rtt_init(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits)
{
	*rtt = (struct tcp_rtt){.rto_ns = clamp(limits, limits->rto_ns_initial)};
}

void tcp_rtt_sent(struct tcp_rtt *rtt, uint32_t end_seq, uint64_t now_ns)
{
	if (rtt->timing)
		return;
	rtt->timing = true;
	rtt->timed_seq = end_seq;
	rtt->timed_at_ns = now_ns;
}

void tcp_rtt_resent(struct tcp_rtt *rtt)
{
	rtt->timing = false;
}

bool tcp_rtt_acked(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits, uint32_t una,
		   uint64_t now_ns)
{
	if (!rtt->timing || seq_lt(una, rtt->timed_seq))
		return false;
	rtt->timing = false;
	tcp_rtt_sample(rtt, limits, now_ns - rtt->timed_at_ns);
	return true;
}

/* RFC 6298 (2.2) and (2.3), alpha 1/8 and beta 1/4. */
void tcp_rtt_sample(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits, uint64_t rtt_ns)
{
	uint64_t spread_ns;

	if (rtt_ns == 0)
		rtt_ns = 1; /* srtt_ns 0 means: no sample */
	if (rtt->min_ns == 0 || rtt_ns < rtt->min_ns)
		rtt->min_ns = rtt_ns;
	if (rtt->srtt_ns == 0) {
		rtt->srtt_ns = rtt_ns;
		rtt->rttvar_ns = rtt_ns / 2;
	} else {
		uint64_t error_ns =
			rtt->srtt_ns > rtt_ns ? rtt->srtt_ns - rtt_ns : rtt_ns - rtt->srtt_ns;

		rtt->rttvar_ns = rtt->rttvar_ns - rtt->rttvar_ns / 4 + error_ns / 4;
		rtt->srtt_ns = rtt->srtt_ns - rtt->srtt_ns / 8 + rtt_ns / 8;
		if (rtt->srtt_ns == 0)
			rtt->srtt_ns = 1;
	}
	spread_ns = 4 * rtt->rttvar_ns;
	if (spread_ns < GRANULARITY_NS)
		spread_ns = GRANULARITY_NS;
	rtt->rto_ns = clamp(limits, rtt->srtt_ns + spread_ns);
	rtt->backoff_count = 0;
}

bool tcp_rtt_sample_ts(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits, uint32_t ts_now,
		       uint32_t ts_ecr)
{
	int32_t ticks = seq_diff(ts_now, ts_ecr);

	if (ticks < 0 || (uint64_t)ticks * TS_TICK_NS > limits->rto_ns_max)
		return false;
	/* Less than a tick still took time; half a tick is the best guess. */
	tcp_rtt_sample(rtt, limits, ticks ? (uint64_t)ticks * TS_TICK_NS : TS_TICK_NS / 2);
	return true;
}

void tcp_rtt_timed_out(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits)
{
	rtt->timing = false;
	rtt->rto_ns = clamp(limits, 2 * rtt->rto_ns);
	if (rtt->backoff_count < BACKOFF_COUNT_MAX)
		rtt->backoff_count++;
}

void tcp_rtt_syn_timed_out(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits)
{
	rtt->syn_timed_out = true;
	tcp_rtt_timed_out(rtt, limits);
}

void tcp_rtt_established(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits)
{
	if (rtt->syn_timed_out && rtt->srtt_ns == 0)
		rtt->rto_ns = clamp(limits, SYN_FALLBACK_NS);
	rtt->backoff_count = 0;
}
