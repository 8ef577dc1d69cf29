/*
 * Tail loss probes (RFC 8985 7): when nothing tells what became of the last segments, something new
 * or the last segment again goes out ahead of the timeout, so that ACKs come, and the rest is
 * tcp_rack.h's. The retransmission timer waits for the probe first:
 *
 *      sent, or acknowledged in part --- two round trips ---> probe --- RTO ---> timeout
 *
 * A lone segment's ACK may be delayed by the peer. How long it does so is learnt: the wait for one
 * begins with the longest there is and comes down as such ACKs come sooner.
 */
#ifndef NET_TCP_TLP_H
#define NET_TCP_TLP_H

#include <stdbool.h>
#include <stdint.h>

struct net;
struct tcp_conn;
struct tcp_in;
struct tcp_range;

struct tcp_tlp {
	uint64_t armed_ns;     /* when the retransmission timer was started */
	bool armed;	       /* what the retransmission timer waits for is the probe */
	bool due, sent, again; /* again: it was the tail, not something new */
	uint32_t end;
	uint32_t ack_delay_ns; /* TLP.max_ack_delay */
};

void tcp_tlp_init(struct tcp_tlp *tlp);

/* The probe's delay (PTO, 7.2), if one should come before a timeout; else 0. */
uint64_t tcp_tlp_delay_ns(const struct tcp_conn *conn);
/* The probe went out; again: it was sent before. */
void tcp_tlp_sent(struct net *net, struct tcp_conn *conn, bool again);
/* 7.4, what an ACK says of the probe: one that repaired a loss tells of congestion as any. dsack:
 * what the ACK says came twice, or NULL. */
void tcp_tlp_ack(struct tcp_in *in, const struct tcp_range *dsack, uint32_t acked_len,
		 uint32_t flight_len);
/* All that was in flight, one segment sent once, was acknowledged after rtt_ns. */
void tcp_tlp_lone_acked(struct tcp_conn *conn, uint64_t rtt_ns);

#endif
