#include "net/tcp_isn.h"

#include <sodium/crypto_shorthash.h>
#include <string.h>

_Static_assert(TCP_ISN_KEY_LEN == crypto_shorthash_KEYBYTES, "SipHash-2-4's key");

enum { ISN_TICK_NS = 4000 };

/* What the hash is for: two answers about one flow must not give each other away. */
enum purpose { PURPOSE_ISN, PURPOSE_TIMESTAMP };

static uint32_t hash(const struct tcp_isn *isn, const struct net_flow *flow, enum purpose purpose)
{
	unsigned char in[sizeof(*flow) + 1], out[crypto_shorthash_BYTES];
	uint32_t value;

	memcpy(in, flow, sizeof(*flow));
	in[sizeof(*flow)] = (unsigned char)purpose;
	crypto_shorthash(out, in, sizeof(in), isn->key);
	memcpy(&value, out, sizeof(value));
	return value;
}

void tcp_isn_init(struct tcp_isn *isn, uint64_t random_a, uint64_t random_b)
{
	memcpy(isn->key, &random_a, sizeof(random_a));
	memcpy(isn->key + sizeof(random_a), &random_b, sizeof(random_b));
}

uint32_t tcp_isn_make(const struct tcp_isn *isn, const struct net_flow *flow, uint64_t now_ns)
{
	return (uint32_t)(now_ns / ISN_TICK_NS) + hash(isn, flow, PURPOSE_ISN);
}

uint32_t tcp_isn_ts_offset(const struct tcp_isn *isn, const struct net_flow *flow)
{
	return hash(isn, flow, PURPOSE_TIMESTAMP);
}
