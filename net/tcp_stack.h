/*
 * TCP of one shard: its tables, timers and lists, embedded in struct net, and the seam to the
 * layers below. Packets come in verified and whole; packets go out only when they are asked for, so
 * what the device does not take stays a flag on a connection and is never lost.
 */
#ifndef NET_TCP_STACK_H
#define NET_TCP_STACK_H

#include "net/net.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct flow_table;
struct rte_mbuf;
struct slab;
struct tcp_conn;
struct tcp_isn;
struct tcp_listener;
struct tcp_timewait;
struct tcp_txq_pool;
struct wheel;

enum {
	TCP_LISTENER_BUCKETS = 256, /* by port; a power of two */
	TCP_VISIT_SEGMENTS_MAX =
		8, /* segments of one connection before it is the next one's turn */
	TCP_CHALLENGE_PER_SECOND = 100, /* challenge ACKs of a shard, RFC 5961 section 7 */
};

TAILQ_HEAD(tcp_conn_list, tcp_conn);
LIST_HEAD(tcp_listener_list, tcp_listener);
TAILQ_HEAD(tcp_timewait_list, tcp_timewait);

struct tcp_stack {
	struct tcp_config config;
	struct slab *conns, *listeners, *timewaits;
	struct flow_table *flows;    /* connections and TIME-WAIT entries by flow */
	struct wheel *wheel;	     /* one timer a connection */
	struct tcp_isn *isn;	     /* RFC 6528 */
	struct tcp_txq_pool *pushes; /* entries of all send queues */
	struct tcp_listener_list listening[TCP_LISTENER_BUCKETS];
	struct tcp_timewait_list timewait; /* oldest first: all wait equally long */

	/* Connections that want to send, by interface, next one first; and those of them that wait
	 * for the next hop's address. */
	struct tcp_conn_list output[NET_IFACE_MAX];
	struct tcp_conn_list unresolved;
	/* Connections that were touched by the burst in progress: ACKs are decided at its end. */
	struct tcp_conn_list touched;

	uint32_t syn_received; /* connections in SYN-RECEIVED, at most config.syn_max */
	uint32_t closing;      /* connections without a user that still owe their peer something */
	uint64_t reassembly_len;
	uint64_t challenge_ns; /* start of the second that challenge_count counts */
	uint32_t challenge_count;
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
