#include "net/tcp_cookie.h"

#include <rte_common.h>
#include <sodium/crypto_shorthash.h>
#include <string.h>

_Static_assert(TCP_ISN_KEY_LEN == crypto_shorthash_KEYBYTES, "SipHash-2-4's key");

enum {
	AGE_SHIFT = 31,
	MSS_SHIFT = 28,
	PROOF_MASK = (1 << MSS_SHIFT) - 1,
	HEAD_MASK = ~PROOF_MASK,
	/* What may follow a SYN-ACK whose ACK was lost: its window is not scaled. */
	AHEAD_MAX = UINT16_MAX,

	TS_WSCALE_MASK = 15,
	TS_WSCALE_NONE = 15,
	TS_SACK = 1 << 4,
	TS_ECN = 1 << 5,
	TS_MASK = 63,
};

/* What links have: the least we send, IPv4's default, tunnels, PPPoE, Ethernet, jumbo frames. */
static const uint16_t mss_table[] = {88, 256, 536, 1220, 1360, 1440, 1460, 8960};

_Static_assert(RTE_DIM(mss_table) == 1 << (AGE_SHIFT - MSS_SHIFT), "as many as the index has");

/* A secret line for each flow and head: what follows the head lies on it, above the irs. */
struct line {
	uint32_t base, slope; /* slope is odd, so that it can be undone modulo 2^28 */
};

static struct line line_of(const uint8_t *key, const struct net_flow *flow, uint32_t head)
{
	unsigned char in[sizeof(*flow) + sizeof(head)], out[crypto_shorthash_BYTES];
	struct line line;

	memcpy(in, flow, sizeof(*flow));
	memcpy(in + sizeof(*flow), &head, sizeof(head));
	crypto_shorthash(out, in, sizeof(in), key);
	memcpy(&line.base, out, sizeof(line.base));
	memcpy(&line.slope, out + sizeof(line.base), sizeof(line.slope));
	line.slope |= 1;
	return line;
}

static uint32_t proof(struct line line, uint32_t irs)
{
	return (line.base + line.slope * irs) & PROOF_MASK;
}

/* How far along the line a proof has gone that is gap higher: gap / slope. */
static uint32_t steps(struct line line, uint32_t gap)
{
	uint32_t inverse = line.slope; /* modulo 2^3; each turn doubles the bits (Newton) */

	for (unsigned bits = 3; bits < MSS_SHIFT; bits *= 2)
		inverse *= 2 - line.slope * inverse;
	return gap * inverse & PROOF_MASK;
}

static uint32_t age_of(const struct tcp_cookie *cookie)
{
	return cookie->period & 1;
}

void tcp_cookie_rotate(struct tcp_cookie *cookie, uint64_t now_ns, uint64_t (*random)(void *ctx),
		       void *ctx)
{
	uint64_t period = now_ns / TCP_COOKIE_PERIOD_NS, key[2];

	if (cookie->begun && cookie->period == period)
		return;
	cookie->last = cookie->begun && cookie->period + 1 == period;
	cookie->begun = true;
	cookie->period = period;
	key[0] = random(ctx);
	key[1] = random(ctx);
	memcpy(cookie->key[age_of(cookie)], key, sizeof(key));
}

uint32_t tcp_cookie_make(const struct tcp_cookie *cookie, const struct net_flow *flow, uint32_t irs,
			 uint16_t mss)
{
	uint32_t index = RTE_DIM(mss_table) - 1, head;

	while (index > 0 && mss_table[index] > mss)
		index--;
	head = age_of(cookie) << AGE_SHIFT | index << MSS_SHIFT;
	return head | proof(line_of(cookie->key[age_of(cookie)], flow, head), irs);
}

enum tcp_cookie_kind tcp_cookie_check(const struct tcp_cookie *cookie, const struct net_flow *flow,
				      uint32_t irs, uint32_t iss, uint16_t *mss)
{
	uint32_t age = iss >> AGE_SHIFT, head = iss & HEAD_MASK, gap;
	struct line line;

	if (!cookie->begun || (age != age_of(cookie) && !cookie->last))
		return TCP_COOKIE_NONE;
	line = line_of(cookie->key[age], flow, head);
	gap = (proof(line, irs) - iss) & PROOF_MASK;
	if (gap)
		return steps(line, gap) <= AHEAD_MAX ? TCP_COOKIE_AHEAD : TCP_COOKIE_NONE;
	*mss = mss_table[(head & ~(1u << AGE_SHIFT)) >> MSS_SHIFT];
	return TCP_COOKIE_VALID;
}

uint32_t tcp_cookie_ts_make(uint32_t ts_now, const struct tcp_opts *opts, bool ecn)
{
	uint32_t low = opts->present & TCP_OPT_WSCALE ? opts->wscale : TS_WSCALE_NONE;
	uint32_t ts;

	if (opts->present & TCP_OPT_SACK_PERMITTED)
		low |= TS_SACK;
	if (ecn)
		low |= TS_ECN;
	ts = (ts_now & ~(uint32_t)TS_MASK) | low;
	/* Not ahead of the clock: what follows must not look older (PAWS). */
	return low > (ts_now & TS_MASK) ? ts - TS_MASK - 1 : ts;
}

bool tcp_cookie_ts_read(uint32_t ts_ecr, struct tcp_opts *opts)
{
	uint32_t wscale = ts_ecr & TS_WSCALE_MASK;

	opts->present &= ~(TCP_OPT_WSCALE | TCP_OPT_SACK_PERMITTED);
	if (wscale != TS_WSCALE_NONE) {
		opts->present |= TCP_OPT_WSCALE;
		opts->wscale = (uint8_t)wscale;
	}
	if (ts_ecr & TS_SACK)
		opts->present |= TCP_OPT_SACK_PERMITTED;
	return ts_ecr & TS_ECN;
}
