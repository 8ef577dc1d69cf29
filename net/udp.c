#include "net/udp.h"

#include "mem/slab.h"
#include "net/arp.h"
#include "net/icmp.h"
#include "net/ip4.h"

#include <errno.h>
#include <rte_common.h>
#include <stdlib.h>
#include <string.h>

struct udp_sock {
	struct net_sock sock;
	struct net_endpoint local;
	LIST_ENTRY(udp_sock) link; /* its port's bucket */
	struct ip_addr dst_addr;   /* where dst leads: the last destination */
	struct net_dst dst;
	uint32_t head, tail;	  /* of queue, free running */
	struct rte_mbuf *queue[]; /* udp_queue_len, rounded up to a power of two */
};

LIST_HEAD(udp_bucket, udp_sock);

struct udp {
	struct slab *socks;
	uint32_t queue_mask;
	uint32_t bucket_mask;
	struct udp_bucket buckets[];
};

enum {
	UDP_HEADER_LEN = sizeof(struct rte_udp_hdr),
	HEADERS_LEN = IP4_HEADER_LEN + UDP_HEADER_LEN,
	PORT_TRIES_MAX = 4096, /* of port 0 */
};

int udp_create(struct net *net)
{
	uint32_t sock_max = net->config.udp_max, queue_len = net->config.udp_queue_len;
	uint32_t buckets = rte_align32pow2(RTE_MAX(sock_max, 1u));
	struct udp *udp;

	if (sock_max > UINT16_MAX || queue_len == 0 || queue_len > UINT16_MAX + 1u)
		return -EINVAL;
	udp = calloc(1, sizeof(*udp) + buckets * sizeof(udp->buckets[0]));
	if (!udp)
		return -ENOMEM;
	net->udp = udp;
	udp->bucket_mask = buckets - 1;
	udp->queue_mask = rte_align32pow2(queue_len) - 1;
	udp->socks = slab_create("udp sockets",
				 sizeof(struct udp_sock) +
					 (udp->queue_mask + 1) * sizeof(struct rte_mbuf *),
				 _Alignof(struct udp_sock), RTE_MAX(sock_max, 1u));
	return udp->socks ? 0 : -ENOMEM;
}

void udp_destroy(struct net *net)
{
	struct udp *udp = net->udp;

	if (!udp)
		return;
	for (uint32_t i = 0; i <= udp->bucket_mask; i++)
		while (!LIST_EMPTY(&udp->buckets[i]))
			udp_close(net, LIST_FIRST(&udp->buckets[i]));
	slab_destroy(udp->socks);
	free(udp);
	net->udp = NULL;
}

static struct udp_bucket *bucket_of(struct udp *udp, rte_be16_t port)
{
	return &udp->buckets[rte_be_to_cpu_16(port) & udp->bucket_mask];
}

/* The exact address goes before any. */
static struct udp_sock *find_or_null(struct udp *udp, struct ip_addr addr, rte_be16_t port)
{
	struct udp_sock *us, *any = NULL;

	LIST_FOREACH (us, bucket_of(udp, port), link) {
		if (us->local.port != port)
			continue;
		if (ip_addr_eq(us->local.addr, addr))
			return us;
		if (ip_addr_is_any(us->local.addr))
			any = us;
	}
	return any;
}

/* --- opening and closing --- */

static int bind_port(struct net *net, struct net_endpoint *local)
{
	uint16_t low = net->config.tcp.port_low, high = net->config.tcp.port_high;
	uint32_t range = (uint32_t)high - low + 1, tries = RTE_MIN(range, (uint32_t)PORT_TRIES_MAX);
	uint32_t port;

	if (local->port)
		return net_listen_add_mt(net->tables, IPPROTO_UDP, *local, net->shard, false);
	if (low == 0 || high < low)
		return -EADDRNOTAVAIL;
	port = net_random(net) % range;
	for (; tries; tries--, port = port + 1 < range ? port + 1 : 0) {
		int err;

		local->port = rte_cpu_to_be_16(low + port);
		err = net_listen_add_mt(net->tables, IPPROTO_UDP, *local, net->shard, true);
		if (err != -EADDRINUSE)
			return err;
	}
	return -EADDRINUSE;
}

int udp_open(struct net *net, const struct net_endpoint *local, void *user, struct udp_sock **out)
{
	struct net_endpoint bound = *local;
	struct udp_sock *us;
	int err;

	if (!ip_addr_is_any(bound.addr) && net_iface_of(net->tables, bound.addr) < 0)
		return -EADDRNOTAVAIL;
	if (slab_used(net->udp->socks) >= net->config.udp_max)
		return -ENOBUFS;
	err = bind_port(net, &bound);
	if (err)
		return err == -ENOSPC ? -ENOBUFS : err;
	us = slab_alloc_or_null(net->udp->socks);
	CHECK(us);
	*us = (struct udp_sock){.sock = {.kind = NET_SOCK_UDP, .user = user}, .local = bound};
	LIST_INSERT_HEAD(bucket_of(net->udp, bound.port), us, link);
	*out = us;
	return 0;
}

void udp_close(struct net *net, struct udp_sock *us)
{
	while (us->head != us->tail)
		rte_pktmbuf_free(us->queue[us->head++ & net->udp->queue_mask]);
	net_listen_remove_mt(net->tables, IPPROTO_UDP, us->local, net->shard);
	net_sock_unready(net, &us->sock);
	LIST_REMOVE(us, link);
	slab_free(net->udp->socks, us);
}

struct net_endpoint udp_local(const struct udp_sock *us)
{
	return us->local;
}

/* Bytes of an IP packet on the way that is remembered. */
static uint16_t way_mtu(const struct net *net, const struct udp_sock *us)
{
	return path_mtu(&net->paths, us->dst_addr, us->dst.mtu, net->now_ns);
}

/* --- in --- */

static void deliver(struct net *net, struct udp_sock *us, struct rte_mbuf *m)
{
	if (net->mem->level == MEM_SCARCE) {
		net_drop(net, m, DROP_mem_low_input);
		return;
	}
	if (us->tail - us->head >= net->config.udp_queue_len) {
		net_drop(net, m, DROP_udp_queue_full);
		return;
	}
	us->queue[us->tail++ & net->udp->queue_mask] = m;
	counter_add(&net->counters->udp_rx_datagrams, 1);
	net_sock_ready(net, &us->sock);
}

void udp_input(struct net *net, struct rte_mbuf *m)
{
	const struct net_pkt *pkt = net_pkt_of(m);
	struct udp_sock *us = find_or_null(net->udp, pkt->flow.local, pkt->flow.local_port);
	int shard;

	if (us) {
		deliver(net, us, m);
		return;
	}
	shard = net_owner_shard(net, m);
	if (shard == NET_OWNER_LOOP)
		net_drop(net, m, DROP_steer_loop);
	else if (shard == NET_OWNER_NOBODY || shard == net->shard)
		icmp_port_unreachable(net, m);
	else
		net_hand_over(net, m, shard);
}

/* Only who sent to it last hears of it: nobody lowers what we send to others by guessing ports. */
void udp_too_big(struct net *net, struct rte_mbuf *m)
{
	const struct net_pkt *pkt = net_pkt_of(m);
	const struct net_endpoint local = {pkt->flow.local, pkt->flow.local_port};
	const struct udp_sock *us = find_or_null(net->udp, local.addr, local.port);
	uint64_t shards = us ? 0 : net_listen_shards_rcu(net->tables, IPPROTO_UDP, local);

	if (shards & ~(1ull << net->shard)) {
		net_hand_over(net, m, (uint16_t)rte_bsf64(shards));
		return;
	}
	if (us && us->dst.mtu && ip_addr_eq(us->dst_addr, pkt->flow.remote) &&
	    net->config.tcp.pmtu_discovery)
		path_lower(&net->paths, us->dst_addr, way_mtu(net, us), pkt->icmp_mtu, net->now_ns);
	rte_pktmbuf_free(m);
}

struct rte_mbuf *udp_pop_or_null(struct net *net, struct udp_sock *us, struct net_endpoint *from)
{
	const struct net_pkt *pkt;
	struct rte_mbuf *m;

	if (us->head == us->tail)
		return NULL;
	m = us->queue[us->head++ & net->udp->queue_mask];
	pkt = net_pkt_of(m);
	*from = (struct net_endpoint){pkt->flow.remote, pkt->flow.remote_port};
	rte_pktmbuf_trim(m, m->data_len - pkt->payload_off - pkt->payload_len);
	rte_pktmbuf_adj(m, pkt->payload_off);
	return m;
}

/* --- out --- */

/* The way to dest, remembered: a socket mostly sends to one peer, or answers in runs. */
static int find_way(struct net *net, struct udp_sock *us, struct ip_addr dest)
{
	int err;

	if (us->dst.mtu && ip_addr_eq(us->dst_addr, dest))
		return 0;
	err = net_dst_init(net, &us->dst, dest);
	if (err) {
		us->dst.mtu = 0;
		return err;
	}
	us->dst_addr = dest;
	if (!ip_addr_is_any(us->local.addr))
		us->dst.source = us->local.addr;
	return 0;
}

/* A datagram with its UDP header, without the others; NULL: no buffer. */
static struct rte_mbuf *make_or_null(struct net *net, const struct udp_sock *us, const void *data,
				     uint16_t len, rte_be16_t port)
{
	struct rte_mbuf *m = mem_data_or_null(net->mem);
	struct rte_udp_hdr *udp;

	if (!m)
		return NULL;
	udp = (struct rte_udp_hdr *)rte_pktmbuf_append(m, UDP_HEADER_LEN + len);
	if (!udp) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	*udp = (struct rte_udp_hdr){
		.src_port = us->local.port,
		.dst_port = port,
		.dgram_len = rte_cpu_to_be_16(UDP_HEADER_LEN + len),
	};
	memcpy(udp + 1, data, len);
	return m;
}

int udp_push(struct net *net, struct udp_sock *us, const void *data, uint32_t len,
	     const struct net_endpoint *dest)
{
	struct rte_mbuf *m;
	uint16_t mtu;
	int err;

	if (!dest->port)
		return -EINVAL;
	err = find_way(net, us, dest->addr);
	if (err)
		return err;
	mtu = way_mtu(net, us);
	if (mtu < IP4_MTU_MIN || len > mtu - (uint32_t)HEADERS_LEN)
		return -EMSGSIZE;
	if (net->mem->level == MEM_SCARCE || !net_reply_room(net, us->dst.iface))
		return -EAGAIN;
	err = net_dst_resolve(net, &us->dst);
	if (err && err != -EAGAIN)
		return err;
	m = make_or_null(net, us, data, len, dest->port);
	if (!m)
		return -EAGAIN;
	ip4_encap(net, &us->dst, dest->addr, m, IPPROTO_UDP, net->config.tcp.ttl,
		  net->config.tcp.tos);
	counter_add(&net->counters->udp_tx_datagrams, 1);
	if (err == -EAGAIN)
		arp_hold(net, us->dst.iface, us->dst.next, m);
	else
		net_reply_queue(net, us->dst.iface, m);
	return 0;
}
