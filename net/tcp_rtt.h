/*
 * The retransmission timeout of one connection: RFC 6298, in nanoseconds. Round trips are taken
 * from one timed segment at a time, never from one that was sent again (Karn, MUST-18), or from
 * echoed timestamps (RFC 7323 4.1), which may be taken from any.
 */
#ifndef NET_TCP_RTT_H
#define NET_TCP_RTT_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_rtt_limits {
	uint64_t rto_ns_min, rto_ns_max, rto_ns_initial;
};

struct tcp_rtt {
	uint64_t srtt_ns; /* 0: no sample yet */
	uint64_t rttvar_ns;
	uint64_t min_ns;      /* the shortest sample; 0: none */
	uint64_t rto_ns;      /* to arm the timer with, backoff included */
	uint64_t timed_at_ns; /* when the timed segment went out */
	uint32_t timed_seq;   /* the sequence number after its last */
	bool timing;
	bool syn_timed_out;
	uint8_t backoff_count; /* timeouts since the last sample */
};

void tcp_rtt_init(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits);

/* A segment that ends before end_seq goes out for the first time; times it unless one is timed. */
void tcp_rtt_sent(struct tcp_rtt *rtt, uint32_t end_seq, uint64_t now_ns);
/* Something is sent again: the timed segment's ACK would be ambiguous (Karn). */
void tcp_rtt_resent(struct tcp_rtt *rtt);
/* Everything before una was acknowledged. True: the timed segment was among it, a sample taken. */
bool tcp_rtt_acked(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits, uint32_t una,
		   uint64_t now_ns);

/* A measured round trip; also ends the backoff. */
void tcp_rtt_sample(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits, uint64_t rtt_ns);
/*
 * A round trip from an echoed timestamp, ts_now and ts_ecr counting milliseconds. False: the echo
 * is from the future or older than rto_ns_max, no sample. Meant for ACKs of retransmitted data and
 * of the handshake; tcp_rtt_acked() is finer.
 */
bool tcp_rtt_sample_ts(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits, uint32_t ts_now,
		       uint32_t ts_ecr);

/* The retransmission timer ran out: doubles rto_ns up to the maximum (5.5, MUST-19). */
void tcp_rtt_timed_out(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits);
/* ... and what it waited for was a SYN. */
void tcp_rtt_syn_timed_out(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits);
/* The handshake is done: after a SYN timeout data starts at 3 s, unless a timestamp has measured
 * the round trip (5.7). */
void tcp_rtt_established(struct tcp_rtt *rtt, const struct tcp_rtt_limits *limits);

#endif
