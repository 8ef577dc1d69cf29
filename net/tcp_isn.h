/*
 * Initial sequence numbers that nobody outside can guess and that still grow with time, so that a
 * flow used again does not meet its old segments: RFC 6528, a 4 us clock plus SipHash-2-4 of the
 * flow (MUST-8, MUST-9). The same key gives each flow its timestamp offset (RFC 7323 5.4).
 */
#ifndef NET_TCP_ISN_H
#define NET_TCP_ISN_H

#include "net/addr.h"

#include <stdint.h>

enum { TCP_ISN_KEY_LEN = 16 };

struct tcp_isn {
	uint8_t key[TCP_ISN_KEY_LEN];
};

/* The key: 128 random bits, never shown to anyone. */
void tcp_isn_init(struct tcp_isn *isn, uint64_t random_a, uint64_t random_b);
uint32_t tcp_isn_make(const struct tcp_isn *isn, const struct net_flow *flow, uint64_t now_ns);
/* To be added to the shard's millisecond clock for the flow's timestamps. */
uint32_t tcp_isn_ts_offset(const struct tcp_isn *isn, const struct net_flow *flow);

#endif
