/*
 * What a connection counts of itself, and the answer to TCP_INFO made of it: Linux's struct
 * tcp_info of <linux/tcp.h>, of which that of <netinet/tcp.h> is the beginning. Fields that are not
 * known are zero.
 */
#ifndef NET_TCP_INFO_H
#define NET_TCP_INFO_H

#include <stdint.h>

struct net;
struct tcp_conn;
struct tcp_info;

/* Bytes are payload. What was sent again counts in *_sent, data_segs_out and again in retrans. */
struct tcp_figures {
	uint64_t opened_ns; /* when the connection was made, for "since when" of what never was */
	uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retrans;
	uint32_t segs_in, segs_out, data_segs_in, data_segs_out;
	uint32_t retrans;     /* segments, SYN and FIN among them */
	uint32_t reordered;   /* segments that came beyond a gap */
	uint32_t dsacks;      /* that the peer sent */
	uint32_t reorderings; /* ACKs that showed that segments had overtaken others */
};

void tcp_info_fill(const struct net *net, const struct tcp_conn *conn, struct tcp_info *info);

#endif
