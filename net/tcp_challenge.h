/*
 * ACKs of what was not accepted (RFC 5961): they tell an honest peer where this side stands, and
 * must not be many, or whoever forges segments makes the two ends flood each other. A limit of the
 * connection comes first, so that one connection does not use up what all of the shard share; that
 * one is drawn at random every second, so that nobody can count what others made of it
 * (CVE-2016-5696).
 */
#ifndef NET_TCP_CHALLENGE_H
#define NET_TCP_CHALLENGE_H

#include <stdbool.h>
#include <stdint.h>

struct net;
struct tcp_conn;

#define TCP_CHALLENGE_NS	100000000ull /* between challenges of one connection */
#define TCP_CHALLENGE_SECOND_NS 1000000000ull

enum {
	/* ACKs of bytes or FINs that bring nothing new, of a connection in TCP_CHALLENGE_NS. So
	 * many that a peer that sends a flight again hears of each of its segments; with less,
	 * recovery without SACK gets slower (tests/net/goodput.golden). */
	TCP_TEXT_CHALLENGES_MAX = 250,
};

struct tcp_challenge {
	uint64_t second; /* left is for */
	uint32_t left;
};

/* One more of the shard's this second: between half and one and a half of
 * challenge_acks_per_second (0: no limit). Counted. */
bool tcp_challenge_take(struct net *net);
/* An ACK of what carries nothing is due now, and counted. last_ns: when the last one was, 0: never;
 * set to now. */
bool tcp_challenge_due(struct net *net, uint64_t *last_ns);
/* An ACK of an empty segment outside the window, a keepalive perhaps: the limit is the connection's
 * alone. */
bool tcp_challenge_empty_due(struct net *net, struct tcp_conn *conn);
/* An ACK of bytes or a FIN outside the window, a zero window probe's perhaps. */
bool tcp_challenge_text_due(struct net *net, struct tcp_conn *conn);

#endif
