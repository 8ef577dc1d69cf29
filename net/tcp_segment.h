/*
 * One segment of a connection, made into a frame: payload from the send queue, options, window,
 * headers. Whatever acknowledges settles the ACK that was due.
 */
#ifndef NET_TCP_SEGMENT_H
#define NET_TCP_SEGMENT_H

#include "net/tcp_conn.h"

struct tcp_segment {
	struct net *net;
	struct tcp_conn *conn;
	uint32_t seq, len; /* of payload */
	uint8_t flags;	   /* RTE_TCP_*_FLAG; ECE is added where it is owed */
	uint8_t ecn;	   /* codepoint of the IP header */
};

/* A complete frame, the caller's to transmit; or NULL without a buffer: then nothing changed. What
 * it carries is sent before snd_nxt moves: before snd_nxt means once more, and is counted so. */
struct rte_mbuf *tcp_segment_send_or_null(const struct tcp_segment *seg);

#endif
