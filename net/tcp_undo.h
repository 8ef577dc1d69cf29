/*
 * Whether what was sent again was needless, so that the reduction of the window that came with it
 * is undone: by the echoed timestamp of the first ACK that covers it (Eifel, RFC 3522), or when
 * D-SACKs (RFC 2883) have told of all of it. The response is RFC 4015's.
 *
 *      begin --- resent ... resent ---> ACKs: is_due? ---> carry_out
 */
#ifndef NET_TCP_UNDO_H
#define NET_TCP_UNDO_H

#include <stdbool.h>
#include <stdint.h>

struct net;
struct tcp_conn;
struct tcp_in;
struct tcp_range;

struct tcp_undo {
	bool possible;	    /* something was sent again */
	bool by_echo;	    /* what was first sent again was at snd_una, no ACK has covered it */
	uint32_t una, left; /* bytes sent again that no D-SACK has told of, from una on */
	uint32_t ts, end;   /* when first something was sent again, and its end */
};

/* A recovery begins, by a timeout or not. */
void tcp_undo_begin(struct tcp_conn *conn);
/* [start, end) went out again; outside of a recovery it does not matter. */
void tcp_undo_resent(const struct net *net, struct tcp_conn *conn, uint32_t start, uint32_t end);
void tcp_undo_dsack(struct tcp_conn *conn, const struct tcp_range *twice);
/* The ACK answers what was sent before the time ts, by its echo. */
bool tcp_undo_answers_before(const struct tcp_in *in, uint32_t ts);
/* After an ACK has moved snd_una, and tcp_undo_dsack(). */
bool tcp_undo_is_due(const struct tcp_in *in);
/* No recovery any more, and the window as it was; what still waits to be sent again is the caller's
 * business. */
void tcp_undo_carry_out(struct net *net, struct tcp_conn *conn);

#endif
