/*
 * Loss recovery where SACK was negotiated: RACK (RFC 8985) says what is lost, PRR (RFC 6937)
 * how fast it is sent again, and what turns out not to have been lost is undone (tcp_undo.h).
 * Without SACK it is tcp_recovery.h's NewReno.
 *
 *      ACK -------------> delivered: when was the newest of it sent? What was sent before that,
 *                         and longer ago than a round trip and the reordering window, is lost:
 *                         FAST, and PRR sets cwnd
 *      reorder timer ---> the same question, later
 *      no ACK ----------> for two round trips: a probe, so that ACKs come (tcp_tlp.h)
 *      timeout ---------> forget what was sacked; the first, and all that is old enough, is
 *                         lost: LOSS
 */
#ifndef NET_TCP_RACK_H
#define NET_TCP_RACK_H

#include "net/tcp_sent.h"

struct net;
struct tcp_conn;
struct tcp_in;

struct tcp_rack {
	struct tcp_sent sent;
	/* Of the delivered range that was sent last. */
	uint64_t xmit_ns, rtt_ns;
	uint32_t end_seq;
	uint32_t fack; /* highest number delivered */
	uint64_t min_rtt_ns, min_rtt_at_ns;
	uint32_t dsack_round; /* one D-SACK a round trip widens the window */
	uint8_t reo_wnd_mult, reo_wnd_persist;
	bool dsack_in_round, reordering_seen;

	uint32_t prr_delivered, prr_out, prr_flight; /* RFC 6937: the last is RecoverFS */
};

/* The connection is established: snd_una is the first byte of data. */
void tcp_rack_init(struct tcp_conn *conn);
void tcp_rack_fini(struct net *net, struct tcp_conn *conn);

/* An ACK that is plausible; acked_len new bytes (0: none) are acknowledged, snd_una has moved;
 * flight_len bytes were in flight before. */
void tcp_rack_ack(struct tcp_in *in, uint32_t acked_len, uint32_t flight_len);
/* Up to snd_nxt went out, len of it for the first time. */
void tcp_rack_sent(struct net *net, struct tcp_conn *conn, uint32_t len);
/* [start, end) went out again. */
void tcp_rack_resent(struct net *net, struct tcp_conn *conn, uint32_t start, uint32_t end);
/* The reorder timer ran out. */
void tcp_rack_reorder_due(struct net *net, struct tcp_conn *conn);
/* The retransmission timer ran out. */
void tcp_rack_timeout(struct net *net, struct tcp_conn *conn);
/* What is in flight was too large for the path: it is sent again, and that is no congestion. */
void tcp_rack_too_large(struct net *net, struct tcp_conn *conn);

#endif
