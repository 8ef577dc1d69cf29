/*
 * Whose turn it is to send. Connections that want to stand in line, one line an interface, and a
 * visit makes so many segments at most. Who lacks a buffer or room goes to the end of its line; who
 * lacks the next hop's address waits aside for news of neighbours, or to ask again.
 *
 * tcp_output() and tcp_neigh_changed() are here too; net/tcp_stack.h declares them.
 */
#ifndef NET_TCP_TURN_H
#define NET_TCP_TURN_H

#include "net/tcp_conn.h"

/* Has something to send, perhaps: tcp_output() will look. */
void tcp_turn_want(struct net *net, struct tcp_conn *conn);
/* Before it is gone. */
void tcp_turn_leave(struct net *net, struct tcp_conn *conn);

#endif
