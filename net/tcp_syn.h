/*
 * How connections begin at a listener: what RFC 9293 3.10.7.1 (CLOSED) and 3.10.7.2 (LISTEN) do
 * with a segment that has no connection.
 *
 *      SYN --> accept queue full, or memory low: dropped
 *          --> SYN queue full: a cookie (net/tcp_cookie.h); without cookies, the oldest one that
 *              did not answer its first SYN-ACK gives way, else the SYN is dropped
 *          --> SYN queue --> ACK --> accept queue, if it has room; else the ACK may come again
 *       ACK with a valid cookie --------^
 */
#ifndef NET_TCP_SYN_H
#define NET_TCP_SYN_H

#include "net/tcp_conn.h"

/* Why there is no room for a connection that begins with it, or DROP_COUNT. */
enum drop_reason tcp_syn_room(const struct net *net, const struct net_pkt *pkt);
/* RFC 9293 3.10.7.1 and 3.10.7.2: a segment without a connection, whose owner is this shard; takes
 * over m. after: a sequence number that the connection must start beyond (TIME-WAIT's), or NULL:
 * its SYN is never answered with a cookie. */
void tcp_syn_input(struct net *net, struct rte_mbuf *m, const uint32_t *after);

/* An ACK that no connection waits for, while cookies are out for its endpoint. False: it carries
 * none and stays the caller's. True: it is for *conn, half-open since now; or, *conn NULL, it was
 * dropped, as it found no room, or came before the text that it follows. */
bool tcp_syn_cookie(struct net *net, struct rte_mbuf *m, struct tcp_conn **conn);

#endif
