/* Slow start and congestion avoidance of RFC 5681 with byte counting (RFC 3465). */
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

	tcp_cc_grow(cc, min_u32(acked_len, segments * cc->mss));
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
	tcp_cc_grow(cc, cc->mss);
}

static void on_ack(struct tcp_cc *cc, uint32_t acked_len, uint32_t flight_len, uint64_t srtt_ns,
		   uint64_t now_ns)
{
	(void)srtt_ns;
	(void)now_ns;
	if (!was_used(cc, flight_len))
		return;
	if (cc->cwnd < cc->ssthresh)
		slow_start(cc, acked_len);
	else
		avoid_congestion(cc, acked_len);
}

static void remember(struct tcp_cc *cc)
{
	cc->undo_cwnd = cc->cwnd;
	cc->undo_ssthresh = cc->ssthresh;
}

static void on_congestion(struct tcp_cc *cc, uint32_t flight_len, uint64_t now_ns)
{
	(void)now_ns;
	remember(cc);
	cc->ssthresh = half_of(cc, flight_len);
	cc->bytes_acked = 0;
	cc->after_timeout = false;
}

static void on_timeout(struct tcp_cc *cc, uint32_t flight_len, bool first, uint64_t now_ns)
{
	(void)now_ns;
	if (first) {
		remember(cc);
		cc->ssthresh = half_of(cc, flight_len);
	}
	cc->cwnd = cc->mss;
	cc->bytes_acked = 0;
	cc->after_timeout = true;
}

static void on_idle(struct tcp_cc *cc)
{
	cc->cwnd = min_u32(cc->cwnd, tcp_cc_initial_window(cc->mss));
	cc->bytes_acked = 0;
}

/* RFC 4015 3.3: what was in flight then may be in flight again. */
static void on_undo(struct tcp_cc *cc)
{
	if (cc->undo_cwnd == 0)
		return;
	cc->cwnd = max_u32(cc->cwnd, cc->undo_cwnd);
	cc->ssthresh = max_u32(cc->ssthresh, cc->undo_ssthresh);
	cc->undo_cwnd = 0;
	cc->after_timeout = false;
}

const struct tcp_cc_ops tcp_newreno = {
	.name = "newreno",
	.init = init,
	.on_ack = on_ack,
	.on_congestion = on_congestion,
	.on_timeout = on_timeout,
	.on_idle = on_idle,
	.on_undo = on_undo,
};
