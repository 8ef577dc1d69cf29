/*
 * LISTEN: a port that connections come to (net/tcp_syn.h). Each listener has a queue of half-open
 * connections (SYN-RECEIVED), which syn_queue_max bounds, and all of a shard's together by syn_max;
 * and one of those that wait to be accepted, which its backlog bounds.
 */
#ifndef NET_TCP_LISTEN_H
#define NET_TCP_LISTEN_H

#include "net/tcp_conn.h"

struct tcp_listener {
	struct net_sock sock;
	LIST_ENTRY(tcp_listener) link;
	struct net_endpoint local;
	uint32_t backlog;
	uint32_t syn_count, accept_count;
	uint64_t cookie_ns;		    /* when the last cookie was sent; 0: never */
	struct tcp_conn_list syns, accepts; /* oldest first */
	struct tcp_options options;
};

_Static_assert(offsetof(struct tcp_listener, sock) == 0, "a socket's head is its beginning");

/* The listener that the packet is for: one with its exact address goes before one with any. */
struct tcp_listener *tcp_listen_find_or_null(const struct net *net, const struct net_pkt *pkt);

/* A connection becomes half-open, in the SYN queue. */
void tcp_listen_enter(struct net *net, struct tcp_listener *listener, struct tcp_conn *conn);
/* The handshake's last ACK is there. False: no room in the accept queue, nothing changed. */
bool tcp_listen_established(struct net *net, struct tcp_conn *conn);
/* The connection leaves its listener's queues, if it is in one. */
void tcp_listen_forget(struct net *net, struct tcp_conn *conn);

#endif
