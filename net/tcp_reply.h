/*
 * Segments that no connection stands behind and that may be lost: RST, the ACKs of TIME-WAIT, and
 * SYN-ACKs with a cookie.
 */
#ifndef NET_TCP_REPLY_H
#define NET_TCP_REPLY_H

#include "net/tcp_conn.h"
#include "net/tcp_opt.h"

struct tcp_reply {
	uint32_t seq, ack;
	uint8_t flags; /* RTE_TCP_*_FLAG */
	uint16_t wnd;  /* as the header has it */
	bool timestamps;
	uint32_t ts_val, ts_ecr;
	const struct tcp_opts *syn; /* of a SYN-ACK, instead of timestamps; else NULL */
	uint8_t ttl, tos;
};

/* dst must be resolved. Without a buffer it is dropped and counted. */
void tcp_reply_send(struct net *net, const struct net_dst *dst, const struct net_flow *flow,
		    const struct tcp_reply *reply);
/* The RST that RFC 9293 3.5.2 gives a segment nobody expects; none to an RST. m stays the caller's.
 */
void tcp_reply_rst(struct net *net, struct rte_mbuf *m);
/* For a connection that is about to be gone: an RST, or the ACK of the peer's FIN. */
void tcp_reply_conn(struct net *net, struct tcp_conn *conn, uint8_t flags);

#endif
