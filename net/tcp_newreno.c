/*
 * Slow start and congestion avoidance of RFC 5681 with byte counting (RFC 3465), NewReno's recovery
 * (RFC 6582).
 */
#include "net/tcp_cc.h"

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

uint32_t tcp_cc_initial_window(uint32_t mss)
{
	return min_u32(TCP_CC_INITIAL_SEGMENTS * mss, max_u32(2 * mss, 14600));
}

static void grow(struct tcp_cc *cc, uint32_t len)
{
	cc->cwnd = min_u32(cc->cwnd + len, TCP_CC_CWND_MAX);
}

/* RFC 5681, equation 4. */
static uint32_t half_of(const struct tcp_cc *cc, uint32_t flight_len)
{
	return max_u32(flight_len / 2, 2 * cc->mss);
}

static void init(struct tcp_cc *cc, bool syn_lost)
{
	cc->cwnd = syn_lost ? cc->mss : tcp_cc_initial_window(cc->mss);
	cc->ssthresh = TCP_CC_CWND_MAX;
}

/* A window that was not used says nothing about what the path can carry (RFC 7661 1): in slow start
 * half of it must have been, as it doubles in a round trip; else all but a segment. */
static bool was_used(const struct tcp_cc *cc, uint32_t flight_len)
{
	if (cc->cwnd < cc->ssthresh)
		return flight_len >= cc->cwnd / 2;
	return flight_len + cc->mss > cc->cwnd;
}

static void slow_start(struct tcp_cc *cc, uint32_t acked_len)
{
	/* After a timeout an ACK may cover what arrived before it: L is 1 (RFC 3465 2.3). */
	uint32_t segments = cc->after_timeout ? 1 : 2;

	grow(cc, min_u32(acked_len, segments * cc->mss));
	if (cc->cwnd >= cc->ssthresh) {
		cc->after_timeout = false;
		cc->bytes_acked = 0;
	}
}

static void avoid_congestion(struct tcp_cc *cc, uint32_t acked_len)
{
	cc->bytes_acked += acked_len;
	if (cc->bytes_acked < cc->cwnd)
		return;
	cc->bytes_acked -= cc->cwnd;
	grow(cc, cc->mss);
}

static void on_ack(struct tcp_cc *cc, uint32_t acked_len, uint32_t flight_len, uint64_t now_ns)
{
	(void)now_ns;
	if (!was_used(cc, flight_len))
		return;
	if (cc->cwnd < cc->ssthresh)
		slow_start(cc, acked_len);
	else
		avoid_congestion(cc, acked_len);
}

/* RFC 6582 3.2 step 2; the three duplicate ACKs stand for three segments that arrived. */
static void enter_recovery(struct tcp_cc *cc, uint32_t flight_len, uint64_t now_ns)
{
	(void)now_ns;
	cc->ssthresh = half_of(cc, flight_len);
	cc->cwnd = cc->ssthresh + 3 * cc->mss;
	cc->bytes_acked = 0;
	cc->after_timeout = false;
}

static void on_dup_ack(struct tcp_cc *cc)
{
	grow(cc, cc->mss);
}

/* RFC 6582 3.2 step 3: deflate by what left, but let one new segment go. */
static void on_partial_ack(struct tcp_cc *cc, uint32_t acked_len)
{
	cc->cwnd = cc->cwnd > acked_len ? cc->cwnd - acked_len : 0;
	if (acked_len >= cc->mss)
		grow(cc, cc->mss);
	cc->cwnd = max_u32(cc->cwnd, cc->mss);
}

/* RFC 6582 3.2 step 3, full acknowledgment (1): no burst, even if little is in flight. */
static void exit_recovery(struct tcp_cc *cc, uint32_t flight_len, uint64_t now_ns)
{
	(void)now_ns;
	cc->cwnd = min_u32(cc->ssthresh, max_u32(flight_len, cc->mss) + cc->mss);
	cc->bytes_acked = 0;
}

static void on_timeout(struct tcp_cc *cc, uint32_t flight_len, bool first, uint64_t now_ns)
{
	(void)now_ns;
	if (first)
		cc->ssthresh = half_of(cc, flight_len);
	cc->cwnd = cc->mss;
	cc->bytes_acked = 0;
	cc->after_timeout = true;
}

static void on_idle(struct tcp_cc *cc)
{
	cc->cwnd = min_u32(cc->cwnd, tcp_cc_initial_window(cc->mss));
	cc->bytes_acked = 0;
}

const struct tcp_cc_ops tcp_newreno = {
	.name = "newreno",
	.init = init,
	.on_ack = on_ack,
	.enter_recovery = enter_recovery,
	.on_dup_ack = on_dup_ack,
	.on_partial_ack = on_partial_ack,
	.exit_recovery = exit_recovery,
	.on_timeout = on_timeout,
	.on_idle = on_idle,
};
