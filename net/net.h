/*
 * One shard's TCP/IP stack. It does no I/O, knows no clock and no thread: bursts and the time come
 * in, packets and events go out. All calls are the owner shard's, inside its RCU read section.
 *
 *      net_input(burst, now) --> flows, sockets --> events (net_ready_take, net_done_take)
 *      net_poll(now)         --> timers         --> next deadline
 *      net_output(port, room) --> packets, as many as asked for
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "mem/counters.h"
#include "mem/mem.h"
#include "net/addr.h"
#include "net/tables.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct net;

enum { NET_BURST_MAX = 64 };

/* What the stack asks of the shard. Nothing here may block or call back into the stack. */
struct net_env {
	void *ctx;
	/* Seeded randomness; 64 bits. */
	uint64_t (*random)(void *ctx);
	/* Toeplitz hashes of n flows as they arrive here (remote is the source), and their owners.
	 */
	void (*steer)(void *ctx, const struct net_flow *flows, uint32_t *hashes, uint16_t *owners,
		      unsigned n);
	/* A local port in [low, high] (host order) so that the flow, whose local_port is ignored,
	 * comes home to this shard; attempt 0, 1, ... gives different ones; 0 when there is none
	 * left. */
	uint16_t (*port_choose)(void *ctx, const struct net_flow *flow, uint16_t low, uint16_t high,
				uint32_t attempt);
	/* Takes the packet over for another shard; its scratch stays. */
	void (*hand_over)(void *ctx, struct rte_mbuf *m, uint16_t shard);
	/* News for the neighbour table, for the control thread to apply. May be lost when too many.
	 */
	void (*neigh_news)(void *ctx, const struct net_neigh_event *event);
};

/* Passive: agrees when asked. Always: asks, too. */
enum tcp_ecn { TCP_ECN_PASSIVE, TCP_ECN_ALWAYS, TCP_ECN_NEVER };

/* net/tcp_cc.h */
enum tcp_congestion { TCP_CONGESTION_CUBIC, TCP_CONGESTION_NEWRENO };

/* When a SYN is answered with a cookie: if the SYN queue is full, always, never. One that takes
 * over from TIME-WAIT never is. */
enum tcp_syn_cookies { TCP_SYN_COOKIES_AUTO, TCP_SYN_COOKIES_ALWAYS, TCP_SYN_COOKIES_NEVER };

struct tcp_config {
	uint32_t conn_max; /* connection control blocks of this shard */
	uint32_t timewait_max;
	uint32_t listener_max;
	uint32_t syn_max;	/* connections in SYN-RECEIVED, of all listeners */
	uint32_t syn_queue_max; /* of one listener; 0: as many as its backlog */
	enum tcp_syn_cookies syn_cookies;
	uint32_t challenge_acks_per_second; /* RFC 5961 7; 0: no limit */
	uint32_t push_max;		    /* entries of all send queues */
	uint32_t rcvbuf_len, sndbuf_len;    /* bytes; the default of SO_RCVBUF, SO_SNDBUF */
	uint64_t reassembly_len; /* bytes, by true buffer size, that out-of-order segments of this
				    shard may hold */
	uint64_t rto_ns_min, rto_ns_max, rto_ns_initial;
	uint64_t delack_ns;
	uint64_t msl_ns;	  /* TIME-WAIT is twice this */
	uint64_t fin_wait2_ns;	  /* how long an orphan waits for the peer's FIN */
	uint64_t user_timeout_ns; /* R2 of data; RFC 9293 3.8.3 */
	uint64_t syn_timeout_ns;  /* R2 of SYN */
	uint64_t keepalive_idle_ns, keepalive_interval_ns;
	uint32_t keepalive_count;
	uint16_t port_low, port_high; /* of active opens and of port 0 */
	uint8_t ttl, tos;
	bool refuse_with_rst; /* at conn_max: RST, else silence */
	bool timestamps, window_scale, sack;
	enum tcp_congestion congestion;
	enum tcp_ecn ecn;
	bool pmtu_discovery; /* false: nobody's word lowers the size of segments */
	bool nodelay;	     /* the default of TCP_NODELAY */
};

enum { REASSEMBLY_DATAGRAM_MAX = 65536 };

/* Limits of one shard; net/reassembly.h. */
struct reassembly_config {
	uint32_t datagram_max; /* at one time; 0: fragments are dropped */
	uint32_t fragment_max; /* of one datagram, at least 2 */
	uint64_t len_max;      /* bytes, by true buffer size */
	uint64_t timeout_ns;   /* from the first fragment that came */
};

struct net_config {
	uint16_t shard, shard_count;
	uint32_t instance;	  /* tells hosts of one process apart that number shards alike */
	uint32_t udp_max;	  /* UDP sockets of this shard */
	uint32_t udp_queue_len;	  /* packets that one UDP socket holds */
	uint32_t icmp_per_second; /* replies and errors, RFC 1812 4.3.2.8 */
	struct reassembly_config reassembly;
	struct tcp_config tcp;
};

/* 0, -ENOMEM, -EINVAL. Keeps pointers to mem, counters, tables and a copy of env. */
int net_create(struct net **out, const struct net_config *config, const struct net_env *env,
	       struct net_tables *tables, struct mem *mem, struct counters *counters,
	       uint64_t now_ns);
/* Frees everything without a word to any peer; net_idle() says whether something would be cut off.
 */
void net_destroy(struct net *net);
/* No connection owes its peer a byte, a FIN or an ACK, and nothing waits to be sent. */
bool net_idle(const struct net *net);

/* Where a packet comes from: a device's queue (iface from m->port), or another shard's hand_over.
 */
enum net_source { NET_FROM_WIRE, NET_FROM_SHARD };
/* Takes over all n <= NET_BURST_MAX packets. m->port is the iface; m->hash is overwritten. */
void net_input(struct net *net, struct rte_mbuf **pkts, unsigned n, enum net_source source,
	       uint64_t now_ns);
/* Runs due timers; returns the next deadline, UINT64_MAX if there is none. */
uint64_t net_poll(struct net *net, uint64_t now_ns);
/* Fills pkts with up to n packets for the iface, each the caller's to transmit; returns how many.
 * What does not fit stays with its connection. */
unsigned net_output(struct net *net, uint16_t iface, struct rte_mbuf **pkts, unsigned n,
		    uint64_t now_ns);

/* --- sockets --- */
enum net_sock_kind { NET_SOCK_TCP_LISTENER, NET_SOCK_TCP_CONN, NET_SOCK_UDP };

/* The head of every socket. user is the owner's; NULL once it has let go. */
struct net_sock {
	enum net_sock_kind kind;
	bool ready; /* on the ready list */
	void *user;
	TAILQ_ENTRY(net_sock) ready_link;
};

/* The next socket with a user on which something happened since it was last taken: look at
 * everything that is of interest (tcp_accept, tcp_state, tcp_pop, udp_pop). NULL: none. */
struct net_sock *net_ready_take(struct net *net);

/* The next push that ended: its cookie, and 0 or -errno. False: none. */
bool net_done_take(struct net *net, uint64_t *cookie, int *error);

/* --- UDP (net/udp.c) --- */
struct udp_sock;

/* Opens on local (any address, or port 0 to have one chosen); *out gets the real one back through
 * udp_local(). -EADDRINUSE, -EADDRNOTAVAIL, -ENOBUFS. */
int udp_open(struct net *net, const struct net_endpoint *local, void *user, struct udp_sock **out);
/* Received datagrams that nobody popped are freed. */
void udp_close(struct net *net, struct udp_sock *us);
struct net_endpoint udp_local(const struct udp_sock *us);
/* Copies the bytes into a datagram to dest, so that the caller's are free at once. -EMSGSIZE,
 * -EHOSTUNREACH, -EINVAL (bad destination), -EAGAIN: no room now. */
int udp_push(struct net *net, struct udp_sock *us, const void *data, uint32_t len,
	     const struct net_endpoint *dest);
/* The oldest datagram, trimmed to its payload, in one segment, and its sender; NULL: none. The
 * caller's. */
struct rte_mbuf *udp_pop_or_null(struct net *net, struct udp_sock *us, struct net_endpoint *from);

#endif
