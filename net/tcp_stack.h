/*
 * TCP of one shard: its tables, timers and lists, embedded in struct net, and the seam to the
 * layers below. Packets come in verified and whole; packets go out only when they are asked for, so
 * what the device does not take stays a flag on a connection and is never lost.
 *
 *      tcp_in.c ........ a segment and its connection, RFC 9293 3.10.7; tcp_ack.c, tcp_data.c: its
 *                        steps five, seven and eight
 *      tcp_syn.c ....... how connections begin at a listener; tcp_listen.c .... its queues
 *      tcp_timewait.c .. compact entries
 *      tcp_challenge.c . how often what is not accepted is answered
 *      tcp_turn.c ...... whose turn it is to send;  tcp_out.c ......... what it sends next
 *      tcp_segment.c ... one segment, made;         tcp_window.c ...... the window it offers
 *      tcp_reply.c ..... RST and ACK without state
 *      tcp_recovery.c .. what is sent again;        tcp_cubic.c, tcp_newreno.c .... how
 *                        much may be in flight
 *      tcp_timer.c ..... what happens when nothing happens
 *      tcp_user.c, tcp_sockopt.c .... the calls of net/tcp.h
 */
#ifndef NET_TCP_STACK_H
#define NET_TCP_STACK_H

#include "net/net.h"
#include "net/tcp_challenge.h"
#include "net/tcp_cookie.h"
#include "net/tcp_isn.h"
#include "net/tcp_rtt.h"
#include "net/tcp_rxq.h"
#include "net/tcp_txq.h"
#include "net/wheel.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct flow_table;
struct rte_mbuf;
struct slab;
struct tcp_conn;
struct tcp_listener;
struct tcp_timewait;

enum {
	TCP_SENT_NODES_PER_CONN = 4, /* beyond the one that each connection has */
	TCP_LISTENER_BUCKETS = 256,  /* by port; a power of two */
};

TAILQ_HEAD(tcp_conn_list, tcp_conn);
LIST_HEAD(tcp_listener_list, tcp_listener);
TAILQ_HEAD(tcp_timewait_list, tcp_timewait);

struct tcp_stack {
	struct tcp_config config;
	struct tcp_rtt_limits rtt_limits;
	uint64_t delack_ns; /* a tick less than configured: the wheel may be that late */
	struct slab *conns, *listeners, *timewaits;
	struct flow_table *flows; /* connections and TIME-WAIT entries */
	struct wheel wheel;	  /* one timer a connection */
	struct tcp_isn isn;
	struct tcp_cookie cookie;
	struct tcp_challenge challenge;
	struct tcp_txq_pool pushes;
	struct slab *sent_nodes; /* of all maps of what was sent */
	struct tcp_rxq_pool reassembly;
	struct tcp_listener_list listening[TCP_LISTENER_BUCKETS];
	struct tcp_timewait_list timewait; /* oldest first: all wait equally long */
	struct tcp_conn_list all;

	/* Connections that want to send, by interface, the next one first; and those of them that
	 * wait for the next hop's address. */
	struct tcp_conn_list output[NET_IFACE_MAX];
	struct tcp_conn_list unresolved;
	uint64_t unresolved_ns; /* when they ask again */
	/* Connections whose program has bytes while the shard has no push to hold them. */
	struct tcp_conn_list push_waiting;

	uint32_t syn_received; /* connections from LISTEN in SYN-RECEIVED, at most config.syn_max */
};

/* 0, -ENOMEM, -EINVAL. */
int tcp_stack_init(struct net *net, const struct tcp_config *config, uint64_t now_ns);
/* Frees every connection without a word to its peer. */
void tcp_stack_fini(struct net *net);

/* Whole, verified TCP packets, struct net_pkt in their scratch; takes over all of them. */
void tcp_input(struct net *net, struct rte_mbuf **pkts, unsigned n);
/* Runs due timers. */
void tcp_poll(struct net *net);
/* When tcp_poll() has something to do next; UINT64_MAX: never. */
uint64_t tcp_deadline(const struct net *net);
/* Up to n complete frames for the interface, the caller's to transmit; returns how many. */
unsigned tcp_output(struct net *net, uint16_t iface, struct rte_mbuf **pkts, unsigned n);
/* An ICMP error that quotes a segment of ours; believed only if seq is in flight (RFC 5927). mtu:
 * of "fragmentation needed", else 0. */
void tcp_icmp_error(struct net *net, const struct net_flow *flow, uint32_t seq, uint8_t type,
		    uint8_t code, uint16_t mtu);
/* No connection owes its peer a byte, a FIN or an ACK. */
bool tcp_idle(const struct net *net);
/* The neighbour table has news: those who waited for an address try again. */
void tcp_neigh_changed(struct net *net);

#endif
