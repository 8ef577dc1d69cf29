/* A scripted peer that agreed to SACK, and a host with ten segments in flight to it. */
#ifndef TESTS_NET_SACK_PEER_H
#define TESTS_NET_SACK_PEER_H

#include "tcp_peer.h"

enum { RTT_MS = 20 };

/* A connection that knows its round trip, 20 ms, and has nothing in flight; one segment was
 * acknowledged. */
struct peer sack_peer_begin(bool timestamps);
/* Ten segments are in flight for one round trip, the first at 1 + MSS. */
struct peer sack_peer_ten_in_flight(bool timestamps);
/* The number of segment i of the ten. */
static inline uint32_t sack_peer_at(const struct peer *p, uint32_t i)
{
	return 1 + (1 + i) * p->conn->snd_mss;
}

/* An ACK with blocks, numbered as the host's stream. */
void sack_peer_acknowledge(struct peer *p, uint32_t ack, const struct tcp_range *blocks,
			   unsigned count);

#define acknowledge(p, ack, ...)                                                                   \
	sack_peer_acknowledge(p, ack, (const struct tcp_range[]){__VA_ARGS__},                     \
			      sizeof((const struct tcp_range[]){__VA_ARGS__}) /                    \
				      sizeof(struct tcp_range))

/* Segment i of the ten goes out now. */
void sack_peer_expect(struct peer *p, uint32_t i);

#endif
