/*
 * SYN cookies (RFC 4987 3.6): the sequence number of a SYN-ACK that says what a half-open
 * connection would have remembered, so that a flood of SYNs fills no queue. 28 bits prove that it
 * is ours: a guess is right once in 2^28.
 *
 *       31      30       28 27                                0
 *      | age | MSS (index) | base + slope * irs (mod 2^28)     |   our ISN
 *
 * Base and slope are SipHash-2-4's of the flow. So what follows a lost beginning, some text beyond
 * the irs with the same ISN, is known exactly, and never taken for a beginning; nor is what follows
 * text of both sides, as the slope is secret (a plain sum would let equal lengths cancel).
 *
 *       31                            6     5     4   3    0
 *      | milliseconds of the flow's clock | ECN | SACK | wscale |   TSval of the SYN-ACK, if there
 * is one; the peer echoes it. wscale 15: none
 *
 * Keys last for a minute and are taken at random, the last one is believed for another: age tells
 * which of the two it was. Without timestamps the connection has no window scale, no SACK and no
 * ECN.
 */
#ifndef NET_TCP_COOKIE_H
#define NET_TCP_COOKIE_H

#include "net/addr.h"
#include "net/tcp_isn.h"
#include "net/tcp_opt.h"

#include <stdbool.h>
#include <stdint.h>

#define TCP_COOKIE_PERIOD_NS 60000000000ull
/* No cookie is older. */
#define TCP_COOKIE_LIFE_NS (2 * TCP_COOKIE_PERIOD_NS)

struct tcp_cookie {
	uint8_t key[2][TCP_ISN_KEY_LEN]; /* by age */
	uint64_t period;		 /* whose key is key[period & 1] */
	bool begun;			 /* there is a key at all */
	bool last;			 /* the other one is the period's before */
};

/* Before the others below: takes new keys when it is time. random gives 64 bits. */
void tcp_cookie_rotate(struct tcp_cookie *cookie, uint64_t now_ns, uint64_t (*random)(void *ctx),
		       void *ctx);
/* Our ISN for the SYN irs of the flow, whose sender takes segments of mss bytes. */
uint32_t tcp_cookie_make(const struct tcp_cookie *cookie, const struct net_flow *flow, uint32_t irs,
			 uint16_t mss);

enum tcp_cookie_kind {
	TCP_COOKIE_NONE,  /* not ours, or too old */
	TCP_COOKIE_AHEAD, /* of this flow, but irs lies in the text that followed its SYN */
	TCP_COOKIE_VALID,
};
/* What iss is. If it is valid also the MSS, at most what the peer said. */
enum tcp_cookie_kind tcp_cookie_check(const struct tcp_cookie *cookie, const struct net_flow *flow,
				      uint32_t irs, uint32_t iss, uint16_t *mss);

/* TSval of the SYN-ACK: ts_now or up to 64 ms earlier, with the options that were agreed on. */
uint32_t tcp_cookie_ts_make(uint32_t ts_now, const struct tcp_opts *opts, bool ecn);
/* The options that the echo of it tells: window scale and SACK-permitted; and whether ECN. */
bool tcp_cookie_ts_read(uint32_t ts_ecr, struct tcp_opts *opts);

#endif
