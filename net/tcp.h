/*
 * TCP as its user, the shard, sees it: RFC 9293 section 3.9's calls without blocking. Events come
 * through net_ready_take() (look at the socket) and net_done_take() (a push ended). Owner shard
 * only.
 */
#ifndef NET_TCP_H
#define NET_TCP_H

#include "net/net.h"

struct tcp_cc_ops;
struct tcp_conn;
struct tcp_listener;

enum tcp_state {
	TCP_CLOSED,
	TCP_LISTEN,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED,
	TCP_ESTABLISHED,
	TCP_FIN_WAIT_1,
	TCP_FIN_WAIT_2,
	TCP_CLOSE_WAIT,
	TCP_CLOSING,
	TCP_LAST_ACK,
	TCP_TIME_WAIT,
};

/* --- passive open --- */
/* backlog bounds connections waiting for tcp_accept. -EADDRINUSE, -EADDRNOTAVAIL, -ENOBUFS. local
 * with port 0: one is chosen. */
int tcp_listen(struct net *net, const struct net_endpoint *local, uint32_t backlog, void *user,
	       struct tcp_listener **out);
/* Connections not yet accepted are reset. */
void tcp_unlisten(struct net *net, struct tcp_listener *listener);
struct net_endpoint tcp_listener_local(const struct tcp_listener *listener);
/* The oldest established connection, now user's; NULL: none waits. */
struct tcp_conn *tcp_accept_or_null(struct net *net, struct tcp_listener *listener, void *user);

/* --- active open --- */
/* local may be NULL, or lack address or port. Ready when tcp_conn_state() is ESTABLISHED or
 * tcp_conn_error() is set. -EADDRNOTAVAIL (no port left), -EADDRINUSE, -EHOSTUNREACH, -EINVAL
 * (broadcast, multicast, port 0), -ENOBUFS. */
int tcp_connect(struct net *net, const struct net_endpoint *local,
		const struct net_endpoint *remote, void *user, struct tcp_conn **out);

enum tcp_state tcp_conn_state(const struct tcp_conn *conn);
/* 0, or why the connection died: ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH ... (positive).
 * A dead connection stays the user's until tcp_close. */
int tcp_conn_error(const struct tcp_conn *conn);
struct net_endpoint tcp_conn_local(const struct tcp_conn *conn);
struct net_endpoint tcp_conn_remote(const struct tcp_conn *conn);
struct net_sock *tcp_conn_sock(struct tcp_conn *conn);
struct net_sock *tcp_listener_sock(struct tcp_listener *listener);

/* --- data --- */
/*
 * Queues len >= 1 bytes at data, inside m, without copying. Holds it (pbuf_hold), so what the
 * caller has stays the caller's. When every byte was acknowledged, or the
 * connection died, (cookie, error) comes out of net_done_take(). -EAGAIN: the send queue (SO_SNDBUF
 * bytes, always at least one push; push_max entries) is full and nothing was taken; the socket
 * becomes ready when there is room. -ENOTCONN, -EPIPE (after shutdown or close), or the
 * connection's error.
 */
int tcp_push(struct net *net, struct tcp_conn *conn, struct rte_mbuf *m, const void *data,
	     uint32_t len, uint64_t cookie);
/*
 * The next bytes in order: 1 and *out (one segment, data_off/data_len set to payload, one
 * reference, the caller's); 0 at the peer's FIN, again and again; -EAGAIN: nothing yet; or minus
 * the connection's error once all bytes that came before it were popped (a reset discards them: RFC
 * 9293 3.10.7.4).
 */
int tcp_pop(struct net *net, struct tcp_conn *conn, struct rte_mbuf **out);

/* --- the end --- */
enum tcp_shutdown { TCP_SHUT_RD = 1, TCP_SHUT_WR = 2 };
int tcp_shutdown(struct net *net, struct tcp_conn *conn, unsigned how); /* -ENOTCONN */
/* The user lets go. Queued bytes are still sent, then FIN (RST if received bytes were left unread,
 * or SO_LINGER is 0 seconds). Cookies of the connection do not come out of net_done_take() any
 * more. */
void tcp_close(struct net *net, struct tcp_conn *conn);
/* Whether the peer acknowledged everything, FIN included, or the connection is dead: for SO_LINGER
 * and async close. */
bool tcp_conn_finished(const struct tcp_conn *conn);

/* --- options: level and name as in <netinet/in.h>, <netinet/tcp.h>, <sys/socket.h>; -ENOPROTOOPT,
 * -EINVAL --- */
int tcp_option_set(struct net *net, struct tcp_conn *conn, int level, int name, const void *value,
		   uint32_t len);
int tcp_option_get(struct net *net, struct tcp_conn *conn, int level, int name, void *value,
		   uint32_t *len);
/* A listener's options are inherited by the connections it accepts; a socket's before connect come
 * from a template. */
struct tcp_options {
	uint32_t rcvbuf_len, sndbuf_len;
	uint64_t user_timeout_ns; /* RFC 5482, of the SYN too; 0: as configured */
	uint64_t keepalive_idle_ns, keepalive_interval_ns;
	uint32_t keepalive_count;
	bool keepalive, nodelay, linger, reuse_addr;
	uint32_t linger_s;
	uint16_t mss_max; /* TCP_MAXSEG; 0: what the path allows */
	uint8_t ttl, tos;
	const struct tcp_cc_ops *cc; /* TCP_CONGESTION */
};
void tcp_options_default(const struct net *net, struct tcp_options *options);
int tcp_options_set(struct tcp_options *options, int level, int name, const void *value,
		    uint32_t len);
int tcp_options_get(const struct tcp_options *options, int level, int name, void *value,
		    uint32_t *len);
void tcp_conn_options(struct net *net, struct tcp_conn *conn, const struct tcp_options *options);
void tcp_listener_options(struct tcp_listener *listener, const struct tcp_options *options);

/* For counters: connections by state, TIME-WAIT entries. Any thread; a snapshot. */
struct tcp_use {
	uint32_t conns, syn_received, timewait, listeners, pushes;
	uint64_t reassembly_len;
};
void tcp_use_mt(const struct net *net, struct tcp_use *use);

#endif
