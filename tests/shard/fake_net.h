/*
 * Another implementation of net/net.h and net/tcp.h, with no protocol in it: the test says what the
 * peer does. Everything is the shard's own thread's.
 */
#ifndef TESTS_SHARD_FAKE_NET_H
#define TESTS_SHARD_FAKE_NET_H

#include "net/tcp.h"

enum { FAKE_PUSH_MAX = 64 };

struct fake_push {
	struct rte_mbuf *m;
	const void *data;
	uint32_t len;
	uint64_t cookie;
};

struct tcp_conn {
	struct net_sock sock;
	enum tcp_state state;
	int error;
	struct net_endpoint local, remote;
	struct rte_mbuf *received[FAKE_PUSH_MAX];
	unsigned received_count;
	bool fin_received, fin_sent, finished, closed;
	unsigned room; /* pushes that it takes from now on */
	struct fake_push pushes[FAKE_PUSH_MAX];
	unsigned push_count;
	struct tcp_options options;
	char said[4096]; /* all bytes that were pushed */
	uint32_t said_len;
};

/* The connection that tcp_connect() made last, or fake_arrive(). */
struct tcp_conn *fake_last(void);
unsigned fake_conns(void); /* not closed */
unsigned fake_listeners(void);

/* A connection is established on the listener of that port. */
struct tcp_conn *fake_arrive(struct net *net, uint16_t port);
void fake_receive(struct net *net, struct tcp_conn *conn, const char *text);
void fake_fin(struct net *net, struct tcp_conn *conn);
/* The connection dies. */
void fake_fail(struct net *net, struct tcp_conn *conn, int error);
/* An active open succeeds. */
void fake_established(struct net *net, struct tcp_conn *conn);
/* Room for n more pushes, and the socket is told. */
void fake_room(struct net *net, struct tcp_conn *conn, unsigned n);
/* The peer acknowledges the first n pushes. */
void fake_acknowledge(struct net *net, struct tcp_conn *conn, unsigned n);
/* The peer acknowledged everything, FIN included. */
void fake_finish(struct net *net, struct tcp_conn *conn);
/* A datagram for the socket that was opened last. */
void fake_datagram(struct net *net, const char *text);
/* Datagrams are refused (-EAGAIN) from now on, or not. */
void fake_datagrams_blocked(struct net *net, bool blocked);
unsigned fake_datagrams_sent(struct net *net);
/* Frames that net_output() will hand out. */
void fake_output(struct net *net, unsigned frames);
/* Packets that net_input() got, by source. */
unsigned fake_inputs(struct net *net, enum net_source source);
/* Packets that had come in when the stack was last polled. */
unsigned fake_polled_after(struct net *net);
/* The next deadline that net_poll() will return; UINT64_MAX: none. */
void fake_due(struct net *net, uint64_t due_ns);
/* net_input() hands packets from the wire over to this shard; -1: it does not. */
void fake_hand_over(struct net *net, int shard);

#endif
