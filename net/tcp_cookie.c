#include "net/tcp_cookie.h"

#include <rte_common.h>
#include <sodium/crypto_shorthash.h>
#include <string.h>

_Static_assert(TCP_ISN_KEY_LEN == crypto_shorthash_KEYBYTES, "SipHash-2-4's key");

enum {
	AGE_SHIFT = 31,
	MSS_SHIFT = 28,
	IRS_SHIFT = 14,
	HEAD_MASK = ~((1 << MSS_SHIFT) - 1),
	FLOW_MASK = (1 << IRS_SHIFT) - 1,

	TS_WSCALE_MASK = 15,
	TS_WSCALE_NONE = 15,
	TS_SACK = 1 << 4,
	TS_ECN = 1 << 5,
	TS_MASK = 63,
};

/* What links have: the least we send, IPv4's default, tunnels, PPPoE, Ethernet, jumbo frames. */
static const uint16_t mss_table[] = {88, 256, 536, 1220, 1360, 1440, 1460, 8960};

_Static_assert(RTE_DIM(mss_table) == 1 << (AGE_SHIFT - MSS_SHIFT), "as many as the index has");

/* What follows the head. */
static uint32_t hash(const uint8_t *key, const struct net_flow *flow, uint32_t irs, uint32_t head)
{
	unsigned char in[sizeof(*flow) + sizeof(head)];
	unsigned char of_flow[crypto_shorthash_BYTES + sizeof(irs)], of_all[crypto_shorthash_BYTES];
	uint32_t low, high;

	memcpy(in, flow, sizeof(*flow));
	memcpy(in + sizeof(*flow), &head, sizeof(head));
	crypto_shorthash(of_flow, in, sizeof(in), key);
	memcpy(of_flow + crypto_shorthash_BYTES, &irs, sizeof(irs));
	crypto_shorthash(of_all, of_flow, sizeof(of_flow), key);
	memcpy(&low, of_flow, sizeof(low));
	memcpy(&high, of_all, sizeof(high));
	return (high << IRS_SHIFT & ~HEAD_MASK) | (low & FLOW_MASK);
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
	return head | hash(cookie->key[age_of(cookie)], flow, irs, head);
}

enum tcp_cookie_kind tcp_cookie_check(const struct tcp_cookie *cookie, const struct net_flow *flow,
				      uint32_t irs, uint32_t iss, uint16_t *mss)
{
	uint32_t age = iss >> AGE_SHIFT, head = iss & HEAD_MASK, made;

	if (!cookie->begun || (age != age_of(cookie) && !cookie->last))
		return TCP_COOKIE_NONE;
	made = head | hash(cookie->key[age], flow, irs, head);
	if (made != iss)
		return (made ^ iss) & FLOW_MASK ? TCP_COOKIE_NONE : TCP_COOKIE_OTHER;
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
