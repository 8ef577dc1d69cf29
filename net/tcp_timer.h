/*
 * A connection's timers, named by what happened. All of a connection's deadlines share one timer of
 * the wheel, which is armed for the earliest of them, or earlier: moving a deadline away costs a
 * store.
 */
#ifndef NET_TCP_TIMER_H
#define NET_TCP_TIMER_H

#include "net/tcp_conn.h"

/* delay_ns from now on; replaces the deadline that was. */
void tcp_timer_start(struct net *net, struct tcp_conn *conn, enum tcp_timer timer,
		     uint64_t delay_ns);

static inline void tcp_timer_stop(struct tcp_conn *conn, enum tcp_timer timer)
{
	conn->deadline_ns[timer] = 0;
}

static inline bool tcp_timer_runs(const struct tcp_conn *conn, enum tcp_timer timer)
{
	return conn->deadline_ns[timer] != 0;
}

/* Something that is to be acknowledged went out, or could not even go out. */
void tcp_timer_data_sent(struct net *net, struct tcp_conn *conn);
/* The first byte not acknowledged was sent again on the peer's word, not for a timeout. */
void tcp_timer_resent(struct net *net, struct tcp_conn *conn);
/* snd_una moved on. */
void tcp_timer_data_acked(struct net *net, struct tcp_conn *conn);
/* The window keeps back what there is to send, and nothing is in flight whose ACK would open it. */
void tcp_timer_window_shut(struct net *net, struct tcp_conn *conn);
/* Keepalive was switched, or the connection became established. */
void tcp_timer_keepalive_changed(struct net *net, struct tcp_conn *conn);

/* The longest that the oldest byte not acknowledged may wait: R2. */
uint64_t tcp_timer_patience_ns(const struct net *net, const struct tcp_conn *conn);

#endif
