/*
 * LISTEN: a port that connections come to. Each listener has a queue of half-open connections
 * (SYN-RECEIVED), which syn_queue_max bounds, and all of a shard's together by syn_max; and one of
 * those that wait to be accepted, which its backlog bounds.
 *
 *      SYN --> accept queue full, or memory low: dropped
 *          --> SYN queue full: a cookie (net/tcp_cookie.h); without cookies, the oldest one that
 *              did not answer its first SYN-ACK gives way, else the SYN is dropped
 *          --> SYN queue --> ACK --> accept queue, if it has room; else the ACK may come again
 *       ACK with a valid cookie --------^
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

/* This shard has a listener for the segment's local endpoint. */
bool tcp_listen_wants(const struct net *net, const struct net_pkt *pkt);
/* Why there is no room for a connection that begins with it, or DROP_COUNT. */
enum drop_reason tcp_listen_room(const struct net *net, const struct net_pkt *pkt);
/* RFC 9293 3.10.7.1 and 3.10.7.2: a segment without a connection, whose owner is this shard; takes
 * over m. after: a sequence number that the connection must start beyond (TIME-WAIT's), or NULL:
 * its SYN is never answered with a cookie. */
void tcp_listen_syn(struct net *net, struct rte_mbuf *m, const uint32_t *after);

/* An ACK that no connection waits for, while cookies are out for its endpoint. False: it carries
 * none and stays the caller's. True: it is for *conn, half-open since now; or, *conn NULL, it was
 * dropped, as it found no room, or came before the text that it follows. */
bool tcp_listen_cookie(struct net *net, struct rte_mbuf *m, struct tcp_conn **conn);

/* The handshake's last ACK is there. False: no room in the accept queue, nothing changed. */
bool tcp_listen_established(struct net *net, struct tcp_conn *conn);
/* The connection leaves its listener's queues, if it is in one. */
void tcp_listen_forget(struct net *net, struct tcp_conn *conn);

#endif
