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

void tcp_cc_start(struct tcp_cc *cc, bool syn_lost)
{
	cc->cwnd = syn_lost ? cc->mss : tcp_cc_initial_window(cc->mss);
	cc->ssthresh = TCP_CC_CWND_MAX;
}

void tcp_cc_restart(struct tcp_cc *cc)
{
	cc->cwnd = min_u32(cc->cwnd, tcp_cc_initial_window(cc->mss));
	cc->bytes_acked = 0;
}

/* A window that was not used says nothing about what the path can carry (RFC 7661 1): in slow start
 * half of it must have been, as it doubles in a round trip; else all but a segment. */
bool tcp_cc_was_used(const struct tcp_cc *cc, uint32_t flight_len)
{
	if (cc->cwnd < cc->ssthresh)
		return flight_len >= cc->cwnd / 2;
	return flight_len + cc->mss > cc->cwnd;
}

void tcp_cc_slow_start(struct tcp_cc *cc, uint32_t acked_len)
{
	/* After a timeout an ACK may cover what arrived before it: L is 1 (RFC 3465 2.3). */
	uint32_t segments = cc->after_timeout ? 1 : 2;

	tcp_cc_grow(cc, min_u32(acked_len, segments * cc->mss));
	if (cc->cwnd >= cc->ssthresh) {
		cc->after_timeout = false;
		cc->bytes_acked = 0;
	}
}

void tcp_cc_remember(struct tcp_cc *cc)
{
	cc->undo_cwnd = cc->cwnd;
	cc->undo_ssthresh = cc->ssthresh;
	cc->undo_cubic = cc->cubic;
}

/* RFC 4015 3.3: what was in flight then may be in flight again. */
void tcp_cc_restore(struct tcp_cc *cc)
{
	if (cc->undo_cwnd == 0)
		return;
	cc->cwnd = max_u32(cc->cwnd, cc->undo_cwnd);
	cc->ssthresh = max_u32(cc->ssthresh, cc->undo_ssthresh);
	cc->cubic = cc->undo_cubic; /* RFC 9438 4.9 */
	cc->undo_cwnd = 0;
	cc->after_timeout = false;
}
