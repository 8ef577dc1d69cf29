/*
 * The inside of one shard's stack: what the files of net/ share and nobody else sees. Each protocol
 * keeps its state behind a pointer or struct of its own; here is what belongs to all of them.
 *
 *      net.c     input, poll, output; ready list; reply queues; net_drop
 *      parse.c   bytes -> struct net_pkt (net/pkt.h)
 *      path.c    MTUs that routers told of
 *      reassembly.c  fragments -> whole packets, parsed again
 *      arp.c     resolving next hops;  ip4.c, icmp.c, udp.c;  tcp_*.c (net/tcp_stack.h)
 */
#ifndef NET_STACK_H
#define NET_STACK_H

#include "mem/check.h"
#include "mem/counters.h"
#include "mem/mem.h"
#include "net/net.h"
#include "net/path.h"
#include "net/pkt.h"
#include "net/tables.h"
#include "net/tcp_stack.h"

#include <stdbool.h>
#include <stdint.h>

struct arp;
struct reassembly;
struct udp;

enum { NET_REPLY_MAX = 256 }; /* a power of two */

/* Complete frames that may be lost, waiting for net_output(): RST, ARP, ICMP, UDP. */
struct net_replies {
	uint32_t head, tail; /* free running */
	struct rte_mbuf *pkts[NET_REPLY_MAX];
};

/* So many events a second, on average and at once. */
struct net_rate {
	uint64_t cost_ns, credit_ns, credit_ns_max, then_ns;
};

struct net {
	uint64_t now_ns; /* as of the last net_input, net_poll or net_output */
	uint64_t neigh_version;
	uint16_t shard, shard_count;
	uint16_t iface_count;
	struct mem *mem;
	struct counters *counters;
	struct net_tables *tables;
	struct net_env env;
	struct net_config config;
	TAILQ_HEAD(net_ready_list, net_sock) ready;
	struct net_rate icmp_rate;
	struct arp *arp;
	struct udp *udp;
	struct path_cache paths;
	struct reassembly *reassembly; /* NULL: fragments are dropped */
	struct tcp_stack tcp;
	struct net_replies replies[NET_IFACE_MAX];
};

/* Frees the packet (all segments) and counts why. */
void net_drop(struct net *net, struct rte_mbuf *m, enum drop_reason reason);

/* Queues a complete frame for net_output(iface). False: no room; it was dropped and counted. */
bool net_reply_queue(struct net *net, uint16_t iface, struct rte_mbuf *m);
/* Frames that net_reply_queue() would still take. */
static inline uint32_t net_reply_room(const struct net *net, uint16_t iface)
{
	return NET_REPLY_MAX - (net->replies[iface].tail - net->replies[iface].head);
}

static inline uint64_t net_random(struct net *net)
{
	return net->env.random(net->env.ctx);
}

/* per_second 0: never. */
void net_rate_init(struct net_rate *rate, uint32_t per_second, uint64_t now_ns);
/* True: one more may happen now, and is counted. */
bool net_rate_take(struct net_rate *rate, uint64_t now_ns);

/* Something happened on the socket: net_ready_take() will give it out, once. No-op without a user.
 */
static inline void net_sock_ready(struct net *net, struct net_sock *sock)
{
	if (sock->ready || !sock->user)
		return;
	sock->ready = true;
	TAILQ_INSERT_TAIL(&net->ready, sock, ready_link);
}

/* Before a socket is freed, or its user lets go. */
static inline void net_sock_unready(struct net *net, struct net_sock *sock)
{
	if (!sock->ready)
		return;
	sock->ready = false;
	TAILQ_REMOVE(&net->ready, sock, ready_link);
}

/* --- whose flow is it (net/steer.c) --- */
enum {
	NET_OWNER_NOBODY = -1, /* no shard has it or wants it: answer with RST or unreachable */
	NET_OWNER_LOOP = -2,   /* too many shards were asked: net_drop(DROP_steer_loop) */
};
/*
 * This shard has no such flow: who looks next? First the shards that hold flows of this endpoint
 * that are not theirs by hash, in ascending order, cyclically from the owner by hash; each packet
 * visits each of them once. Then, for what may open a flow (a TCP segment with SYN or ACK, not
 * both, and without RST; any datagram), the shard that accepts for its listener, which may be this
 * one. Returns that shard (hand m over to it with net_hand_over(), or take it if it is net->shard),
 * or an NET_OWNER_ number.
 */
int net_owner_shard(struct net *net, struct rte_mbuf *m);

static inline void net_hand_over(struct net *net, struct rte_mbuf *m, uint16_t shard)
{
	net->env.hand_over(net->env.ctx, m, shard);
}

/* Whether flow's packets would arrive here by hash, and the hash; for a flow accepted or opened
 * here and not owned by hash, net_listen_foreign_mt() is due. */
bool net_flow_is_home(struct net *net, const struct net_flow *flow, uint32_t *hash);

/*
 * What TCP provides (net/tcp_stack.h declares it; all are called by net.c and icmp.c only):
 *
 *   int tcp_stack_init(struct net *, const struct tcp_config *, uint64_t now_ns);  after all else
 *   void tcp_stack_fini(struct net *);                                             first of all
 *   void tcp_input(struct net *, struct rte_mbuf **pkts, unsigned n);  takes over n NET_PKT_TCP
 *   void tcp_poll(struct net *);                     timers due at net->now_ns
 *   uint64_t tcp_deadline(const struct net *);       UINT64_MAX: none
 *   unsigned tcp_output(struct net *, uint16_t iface, struct rte_mbuf **pkts, unsigned n);
 *   void tcp_icmp_error(struct net *, const struct net_flow *, uint32_t seq, uint8_t type,
 *                       uint8_t code, uint16_t mtu);  the flow may be unknown here
 *   bool tcp_idle(const struct net *);
 *   void tcp_neigh_changed(struct net *);            net_dst_resolve() may answer otherwise now
 *   net_done_take() (net/net.h) is TCP's too: its list is in struct tcp_stack.
 */

#endif
