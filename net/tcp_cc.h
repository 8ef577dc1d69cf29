/*
 * How much may be in flight: congestion control behind one table of functions. An algorithm says
 * how cwnd grows and what ssthresh a congestion event leaves; what cwnd is while lost segments are
 * sent again is the business of tcp_recovery.h. NewReno is in tcp_newreno.c.
 *
 *    on_ack ... on_congestion, [recovery: cwnd is not the algorithm's], on_ack ...
 *                     on_timeout, on_idle, on_undo: at any time
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

/* CUBIC's own state; windows in bytes, times in its ticks (tcp_cubic.c). */
struct tcp_cubic {
	uint64_t epoch_ns;	   /* when congestion avoidance began; 0: it has not */
	uint64_t limited_ns;	   /* since when the window has not been used; 0: it is */
	uint64_t grown, est_grown; /* what cwnd and w_est have yet to grow, in parts of a segment */
	uint32_t w_max, k, w_est, cwnd_prior; /* W_max, K, W_est, cwnd_prior of RFC 9438 */
};

struct tcp_cc {
	const struct tcp_cc_ops *ops;
	uint32_t cwnd, ssthresh; /* bytes */
	uint32_t mss;		 /* bytes of a full segment: SMSS of RFC 5681 */
	uint32_t bytes_acked;	 /* in congestion avoidance, since cwnd last grew; RFC 3465 */
	/* Before the last congestion event; 0: nothing to undo. */
	uint32_t undo_cwnd, undo_ssthresh;
	bool reduced;	    /* since the owner last looked, by whatever event */
	bool held;	    /* by the owner: ACKs let nothing grow for now */
	bool after_timeout; /* in the slow start that follows one */
	struct tcp_cubic cubic, undo_cubic;
};

/* flight_len: bytes sent and not acknowledged, as they were before the ACK or event at hand. */
struct tcp_cc_ops {
	const char *name;
	/* syn_lost: a SYN or SYN-ACK had to be sent again, the window starts at one segment. */
	void (*init)(struct tcp_cc *cc, bool syn_lost);
	/* acked_len new bytes were acknowledged outside of recovery. srtt_ns 0: not known. */
	void (*on_ack)(struct tcp_cc *cc, uint32_t acked_len, uint32_t flight_len, uint64_t srtt_ns,
		       uint64_t now_ns);
	/* Once for each congestion event, loss or ECE: sets ssthresh, leaves cwnd. */
	void (*on_congestion)(struct tcp_cc *cc, uint32_t flight_len, uint64_t now_ns);
	/* first: the segment's first timeout; later ones leave ssthresh (RFC 5681 3.1). */
	void (*on_timeout)(struct tcp_cc *cc, uint32_t flight_len, bool first, uint64_t now_ns);
	/* Nothing was sent for more than an RTO (RFC 5681 4.1). */
	void (*on_idle)(struct tcp_cc *cc);
	/* The last event was none, nothing was lost: as if it had not been. */
	void (*on_undo)(struct tcp_cc *cc);
};

extern const struct tcp_cc_ops tcp_newreno, tcp_cubic;

/* RFC 6928's initial window for a segment size, in bytes. */
uint32_t tcp_cc_initial_window(uint32_t mss);

static inline void tcp_cc_init(struct tcp_cc *cc, const struct tcp_cc_ops *ops, uint32_t mss,
			       bool syn_lost)
{
	*cc = (struct tcp_cc){.ops = ops, .mss = mss};
	ops->init(cc, syn_lost);
}

static inline void tcp_cc_on_ack(struct tcp_cc *cc, uint32_t acked_len, uint32_t flight_len,
				 uint64_t srtt_ns, uint64_t now_ns)
{
	if (!cc->held)
		cc->ops->on_ack(cc, acked_len, flight_len, srtt_ns, now_ns);
}

static inline void tcp_cc_on_congestion(struct tcp_cc *cc, uint32_t flight_len, uint64_t now_ns)
{
	cc->reduced = true;
	cc->held = false;
	cc->ops->on_congestion(cc, flight_len, now_ns);
}

static inline void tcp_cc_on_timeout(struct tcp_cc *cc, uint32_t flight_len, bool first,
				     uint64_t now_ns)
{
	cc->reduced = true;
	cc->held = false;
	cc->ops->on_timeout(cc, flight_len, first, now_ns);
}

static inline void tcp_cc_on_idle(struct tcp_cc *cc)
{
	cc->ops->on_idle(cc);
}

static inline void tcp_cc_on_undo(struct tcp_cc *cc)
{
	cc->ops->on_undo(cc);
}

/* Both keep the window within TCP_CC_CWND_MAX and above 0 segments. */
static inline void tcp_cc_grow(struct tcp_cc *cc, uint32_t len)
{
	cc->cwnd = cc->cwnd + len < TCP_CC_CWND_MAX ? cc->cwnd + len : TCP_CC_CWND_MAX;
}

static inline void tcp_cc_shrink(struct tcp_cc *cc, uint32_t len)
{
	cc->cwnd = cc->cwnd > len + cc->mss ? cc->cwnd - len : cc->mss;
}

/* --- what algorithms have in common (net/tcp_cc.c) --- */

/* init: the initial window and no threshold. */
void tcp_cc_start(struct tcp_cc *cc, bool syn_lost);
/* on_idle: back to the initial window. */
void tcp_cc_restart(struct tcp_cc *cc);
/* Whether enough of the window was in flight that an ACK tells something about the path. */
bool tcp_cc_was_used(const struct tcp_cc *cc, uint32_t flight_len);
/* RFC 5681 3.1 with byte counting. */
void tcp_cc_slow_start(struct tcp_cc *cc, uint32_t acked_len);
/* Before an event changes anything, and on_undo. */
void tcp_cc_remember(struct tcp_cc *cc);
void tcp_cc_restore(struct tcp_cc *cc);

#endif
