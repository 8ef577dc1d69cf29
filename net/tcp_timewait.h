/*
 * TIME-WAIT (RFC 9293 3.6.1): what is left of a connection for 2 MSL after an active close, so that
 * the peer's FIN is acknowledged again and old segments do not meet a new connection. A compact
 * entry in the flow table; no connection object.
 *
 * Also of one that a SYN cookie opened and the peer closed: only this remembers that the cookie was
 * used. A copy of the ACK that brought it, held up somewhere, would open the connection again, and
 * nobody would ever end that one.
 */
#ifndef NET_TCP_TIMEWAIT_H
#define NET_TCP_TIMEWAIT_H

#include "net/tcp_conn.h"

struct tcp_timewait {
	TAILQ_ENTRY(tcp_timewait) link;
	struct net_flow flow;
	bool foreign, timestamps;
	uint8_t ttl, tos;
	uint16_t wnd;
	uint32_t snd_nxt, rcv_nxt;
	uint32_t ts_recent, ts_offset;
	uint64_t deadline_ns, ack_ns;
};

static inline struct tcp_timewait *tcp_timewait_of(void *value)
{
	return (struct tcp_timewait *)((uintptr_t)value & ~(uintptr_t)1);
}

/* Takes the connection's place in the flow table, which it has left. With timewait_max entries the
 * oldest makes room. */
void tcp_timewait_enter(struct net *net, const struct tcp_conn *conn);
/* A segment of the flow; takes over m. */
void tcp_timewait_input(struct net *net, struct tcp_timewait *tw, struct rte_mbuf *m);
void tcp_timewait_expire(struct net *net);
uint64_t tcp_timewait_deadline(const struct net *net);
void tcp_timewait_fini(struct net *net);

#endif
