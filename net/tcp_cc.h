/*
 * How much may be in flight: congestion control behind one table of functions. The core detects
 * loss and counts what is in flight; an algorithm sets cwnd and ssthresh. NewReno is in
 * tcp_newreno.c.
 *
 *    on_ack ... enter_recovery, (on_dup_ack | on_partial_ack)..., exit_recovery, on_ack ...
 *                     on_timeout, on_idle: at any time
 */
#ifndef NET_TCP_CC_H
#define NET_TCP_CC_H

#include <stdbool.h>
#include <stdint.h>

enum {
	TCP_CC_INITIAL_SEGMENTS = 10, /* RFC 6928 */
	TCP_CC_CWND_MAX = 1 << 30,    /* the largest window there is, RFC 7323 2.3 */
};

struct tcp_cc_ops;

struct tcp_cc {
	const struct tcp_cc_ops *ops;
	uint32_t cwnd, ssthresh; /* bytes */
	uint32_t mss;		 /* bytes of a full segment: SMSS of RFC 5681 */
	uint32_t bytes_acked;	 /* in congestion avoidance, since cwnd last grew; RFC 3465 */
	bool after_timeout;	 /* in the slow start that follows one */
};

/* flight_len: bytes sent and not acknowledged, as they were before the ACK or timeout at hand. */
struct tcp_cc_ops {
	const char *name;
	/* syn_lost: a SYN or SYN-ACK had to be sent again, the window starts at one segment. */
	void (*init)(struct tcp_cc *cc, bool syn_lost);
	/* acked_len new bytes were acknowledged outside of recovery. */
	void (*on_ack)(struct tcp_cc *cc, uint32_t acked_len, uint32_t flight_len, uint64_t now_ns);
	/* Three duplicate ACKs: fast retransmit, recovery begins. */
	void (*enter_recovery)(struct tcp_cc *cc, uint32_t flight_len, uint64_t now_ns);
	/* One more duplicate ACK in recovery: a segment has left the network. */
	void (*on_dup_ack)(struct tcp_cc *cc);
	/* acked_len new bytes acknowledged in recovery, not all that was outstanding. */
	void (*on_partial_ack)(struct tcp_cc *cc, uint32_t acked_len);
	/* All acknowledged that was outstanding when recovery began. flight_len: after this ACK. */
	void (*exit_recovery)(struct tcp_cc *cc, uint32_t flight_len, uint64_t now_ns);
	/* first: the segment's first timeout; later ones leave ssthresh (RFC 5681 3.1). Also ends
	 * recovery. */
	void (*on_timeout)(struct tcp_cc *cc, uint32_t flight_len, bool first, uint64_t now_ns);
	/* Nothing was sent for more than an RTO (RFC 5681 4.1). */
	void (*on_idle)(struct tcp_cc *cc);
};

extern const struct tcp_cc_ops tcp_newreno;

/* RFC 6928's initial window for a segment size, in bytes. */
uint32_t tcp_cc_initial_window(uint32_t mss);

static inline void tcp_cc_init(struct tcp_cc *cc, const struct tcp_cc_ops *ops, uint32_t mss,
			       bool syn_lost)
{
	*cc = (struct tcp_cc){.ops = ops, .mss = mss};
	ops->init(cc, syn_lost);
}

static inline void tcp_cc_on_ack(struct tcp_cc *cc, uint32_t acked_len, uint32_t flight_len,
				 uint64_t now_ns)
{
	cc->ops->on_ack(cc, acked_len, flight_len, now_ns);
}

static inline void tcp_cc_enter_recovery(struct tcp_cc *cc, uint32_t flight_len, uint64_t now_ns)
{
	cc->ops->enter_recovery(cc, flight_len, now_ns);
}

static inline void tcp_cc_on_dup_ack(struct tcp_cc *cc)
{
	cc->ops->on_dup_ack(cc);
}

static inline void tcp_cc_on_partial_ack(struct tcp_cc *cc, uint32_t acked_len)
{
	cc->ops->on_partial_ack(cc, acked_len);
}

static inline void tcp_cc_exit_recovery(struct tcp_cc *cc, uint32_t flight_len, uint64_t now_ns)
{
	cc->ops->exit_recovery(cc, flight_len, now_ns);
}

static inline void tcp_cc_on_timeout(struct tcp_cc *cc, uint32_t flight_len, bool first,
				     uint64_t now_ns)
{
	cc->ops->on_timeout(cc, flight_len, first, now_ns);
}

static inline void tcp_cc_on_idle(struct tcp_cc *cc)
{
	cc->ops->on_idle(cc);
}

#endif
