/*
 * CUBIC (RFC 9438). The window is a cubic function of the time since the last congestion event,
 * flat around the size at which that happened, and at least what Reno would have:
 *
 *      W_cubic(t) = C (t - K)^3 + W_max        K = cbrt((W_max - cwnd_epoch) / C)
 *
 * Windows are bytes, time is in ticks of 2^20 ns, which need no division; C is in segments a tick
 * cubed. Only the start of an epoch divides, and an ACK by which the window grows.
 */
#include "net/tcp_cc.h"

enum {
	TICK_SHIFT = 20,
	TICKS_MAX = 1 << 20, /* 18 minutes: an epoch's function is off the scale long before */
	C_SHIFT = 50,
	C_SCALED = 519230, /* 0.4 * (2^20 / 10^9)^3 * 2^50 */
	/* alpha of Reno with beta 0.7: 3 (1 - beta) / (1 + beta) */
	ALPHA_OVER = 9,
	ALPHA_UNDER = 17,
};

#define C_INVERSE 2168404345ull /* 1 / (0.4 * (2^20 / 10^9)^3) */

__extension__ typedef unsigned __int128 wide;

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t beta(uint32_t len)
{
	return (uint32_t)(len * 7ull / 10);
}

/* Rounded down, by Newton from above: each step is smaller until none is. */
static uint32_t cube_root(uint64_t a)
{
	uint64_t x, next;

	if (a < 2)
		return (uint32_t)a;
	x = 1ull << ((64 - (unsigned)__builtin_clzll(a) + 2) / 3);
	while ((next = (2 * x + a / (x * x)) / 3) < x)
		x = next;
	return (uint32_t)x;
}

static uint32_t ticks(uint64_t ns)
{
	return ns >> TICK_SHIFT < TICKS_MAX ? (uint32_t)(ns >> TICK_SHIFT) : TICKS_MAX;
}

/* W_cubic(t), 4.2, figure 1. */
static uint32_t w_cubic(const struct tcp_cc *cc, uint32_t t)
{
	const struct tcp_cubic *cubic = &cc->cubic;
	uint64_t d = t > cubic->k ? t - cubic->k : cubic->k - t;
	wide len = (wide)(d * d * d) * ((uint64_t)cc->mss * C_SCALED) >> C_SHIFT;
	uint32_t delta = len < TCP_CC_CWND_MAX ? (uint32_t)len : TCP_CC_CWND_MAX;

	if (t > cubic->k)
		return min_u32(cubic->w_max + delta, TCP_CC_CWND_MAX);
	return cubic->w_max > delta ? cubic->w_max - delta : 0;
}

/* Congestion avoidance begins. w_max is where it shall be flat; without one, or above it, here. */
static void begin_epoch(struct tcp_cc *cc, uint64_t now_ns)
{
	struct tcp_cubic *cubic = &cc->cubic;

	cubic->w_max = max_u32(cubic->w_max, cc->cwnd);
	cubic->k = cube_root((cubic->w_max - cc->cwnd) * C_INVERSE / cc->mss);
	cubic->w_est = cc->cwnd;
	cubic->epoch_ns = now_ns;
	cubic->limited_ns = 0;
	cubic->grown = cubic->est_grown = 0;
}

/* What Reno's window would be, 4.3: alpha segments more in a round trip, and one above cwnd_prior.
 */
static void grow_est(struct tcp_cc *cc, uint32_t acked_len)
{
	struct tcp_cubic *cubic = &cc->cubic;
	uint64_t step = (uint64_t)cc->cwnd * ALPHA_UNDER;
	uint64_t segments;

	cubic->est_grown +=
		(uint64_t)acked_len * (cubic->w_est < cubic->cwnd_prior ? ALPHA_OVER : ALPHA_UNDER);
	if (cubic->est_grown < step)
		return;
	segments = cubic->est_grown / step;
	cubic->est_grown -= segments * step;
	cubic->w_est = min_u32(cubic->w_est + (uint32_t)segments * cc->mss, TCP_CC_CWND_MAX);
}

/* By (target - cwnd) / cwnd for what was acknowledged, 4.4 and 4.5; whole segments at a time. */
static void grow_towards(struct tcp_cc *cc, uint32_t target, uint32_t acked_len)
{
	struct tcp_cubic *cubic = &cc->cubic;
	uint64_t step = (uint64_t)cc->cwnd * cc->mss;
	uint64_t segments;

	target = min_u32(target, cc->cwnd + cc->cwnd / 2);
	if (target <= cc->cwnd)
		return;
	cubic->grown += (uint64_t)(target - cc->cwnd) * acked_len;
	if (cubic->grown < step)
		return;
	segments = cubic->grown / step;
	cubic->grown -= segments * step;
	tcp_cc_grow(cc, (uint32_t)segments * cc->mss);
}

static void avoid_congestion(struct tcp_cc *cc, uint32_t acked_len, uint64_t srtt_ns,
			     uint64_t now_ns)
{
	struct tcp_cubic *cubic = &cc->cubic;
	uint64_t t_ns;

	if (cubic->epoch_ns == 0)
		begin_epoch(cc, now_ns);
	/* Time in which the program left the window unused is none of the epoch's (4.2, 5.8). */
	if (cubic->limited_ns != 0)
		cubic->epoch_ns += now_ns - cubic->limited_ns;
	cubic->limited_ns = 0;
	t_ns = now_ns - cubic->epoch_ns;
	grow_est(cc, acked_len);
	if (w_cubic(cc, ticks(t_ns)) < cubic->w_est)
		cc->cwnd = max_u32(cc->cwnd, cubic->w_est);
	else
		grow_towards(cc, w_cubic(cc, ticks(t_ns + srtt_ns)), acked_len);
}

static void on_ack(struct tcp_cc *cc, uint32_t acked_len, uint32_t flight_len, uint64_t srtt_ns,
		   uint64_t now_ns)
{
	if (!tcp_cc_was_used(cc, flight_len)) {
		if (cc->cubic.limited_ns == 0)
			cc->cubic.limited_ns = now_ns;
		return;
	}
	if (cc->cwnd < cc->ssthresh)
		tcp_cc_slow_start(cc, acked_len);
	else
		avoid_congestion(cc, acked_len, srtt_ns, now_ns);
}

/* 4.6, and fast convergence, 4.7: a flow that did not come up to its last maximum makes room. */
static void reduce(struct tcp_cc *cc, uint32_t flight_len)
{
	struct tcp_cubic *cubic = &cc->cubic;

	tcp_cc_remember(cc);
	cubic->cwnd_prior = cc->cwnd;
	cubic->w_max = cc->cwnd < cubic->w_max ? (uint32_t)(cc->cwnd * 17ull / 20) : cc->cwnd;
	cubic->epoch_ns = 0;
	cc->ssthresh = max_u32(beta(flight_len), 2 * cc->mss);
}

static void on_congestion(struct tcp_cc *cc, uint32_t flight_len, uint64_t now_ns)
{
	(void)now_ns;
	reduce(cc, flight_len);
	cc->after_timeout = false;
}

/* 4.8: the epoch after it starts flat, at the window that slow start arrives at. */
static void on_timeout(struct tcp_cc *cc, uint32_t flight_len, bool first, uint64_t now_ns)
{
	(void)now_ns;
	if (first)
		reduce(cc, flight_len);
	cc->cubic.w_max = 0;
	cc->cubic.epoch_ns = 0;
	cc->cwnd = cc->mss;
	cc->after_timeout = true;
}

static void on_idle(struct tcp_cc *cc)
{
	tcp_cc_restart(cc);
	cc->cubic.epoch_ns = 0;
}

const struct tcp_cc_ops tcp_cubic = {
	.name = "cubic",
	.init = tcp_cc_start,
	.on_ack = on_ack,
	.on_congestion = on_congestion,
	.on_timeout = on_timeout,
	.on_idle = on_idle,
	.on_undo = tcp_cc_restore,
};
