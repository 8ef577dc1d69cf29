/* NewReno: slow start and congestion avoidance of RFC 5681 with byte counting (RFC 3465). */
#include "net/tcp_cc.h"

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* RFC 5681, equation 4. */
static uint32_t half_of(const struct tcp_cc *cc, uint32_t flight_len)
{
	return max_u32(flight_len / 2, 2 * cc->mss);
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
	if (!tcp_cc_was_used(cc, flight_len))
		return;
	if (cc->cwnd < cc->ssthresh)
		tcp_cc_slow_start(cc, acked_len);
	else
		avoid_congestion(cc, acked_len);
}

static void on_congestion(struct tcp_cc *cc, uint32_t flight_len, uint64_t now_ns)
{
	(void)now_ns;
	tcp_cc_remember(cc);
	cc->ssthresh = half_of(cc, flight_len);
	cc->bytes_acked = 0;
	cc->after_timeout = false;
}

static void on_timeout(struct tcp_cc *cc, uint32_t flight_len, bool first, uint64_t now_ns)
{
	(void)now_ns;
	if (first) {
		tcp_cc_remember(cc);
		cc->ssthresh = half_of(cc, flight_len);
	}
	cc->cwnd = cc->mss;
	cc->bytes_acked = 0;
	cc->after_timeout = true;
}

const struct tcp_cc_ops tcp_newreno = {
	.name = "newreno",
	.init = tcp_cc_start,
	.on_ack = on_ack,
	.on_congestion = on_congestion,
	.on_timeout = on_timeout,
	.on_idle = tcp_cc_restart,
	.on_undo = tcp_cc_restore,
};
