#include "net/net.h"

#include "net/arp.h"
#include "net/icmp.h"
#include "net/parse.h"
#include "net/reassembly.h"
#include "net/reply.h"
#include "net/stack.h"
#include "net/steer.h"
#include "net/udp.h"

#include <errno.h>
#include <rte_common.h>
#include <rte_prefetch.h>
#include <stdlib.h>

int net_create(struct net **out, const struct net_config *config, const struct net_env *env,
	       struct net_tables *tables, struct mem *mem, struct counters *counters,
	       uint64_t now_ns)
{
	struct net *net;
	int err;

	if (config->shard_count == 0 || config->shard_count > NET_SHARD_MAX ||
	    config->shard >= config->shard_count)
		return -EINVAL;
	net = calloc(1, sizeof(*net));
	if (!net)
		return -ENOMEM;
	net->now_ns = now_ns;
	net->neigh_version = net_neigh_version_rcu(tables);
	net->shard = config->shard;
	net->shard_count = config->shard_count;
	net->iface_count = net_iface_count(tables);
	net->mem = mem;
	net->counters = counters;
	net->tables = tables;
	net->env = *env;
	net->config = *config;
	TAILQ_INIT(&net->ready);
	net->paths.seed = (uint32_t)net_random(net);
	net_rate_init(&net->icmp_rate, config->icmp_per_second, now_ns);

	err = arp_create(net);
	if (!err)
		err = udp_create(net);
	if (!err)
		err = reassembly_create(net);
	if (!err)
		err = tcp_stack_init(net, &config->tcp, now_ns);
	if (err) {
		reassembly_destroy(net);
		udp_destroy(net);
		arp_destroy(net);
		free(net);
		return err;
	}
	*out = net;
	return 0;
}

void net_destroy(struct net *net)
{
	if (!net)
		return;
	tcp_stack_fini(net);
	reassembly_destroy(net);
	udp_destroy(net);
	arp_destroy(net);
	reply_fini(net);
	free(net);
}

bool net_idle(const struct net *net)
{
	return reply_idle(net) && arp_idle(net) && tcp_idle(net);
}

/* Every entry into the stack: the time, and news of neighbours. */
static void enter(struct net *net, uint64_t now_ns)
{
	uint64_t version = net_neigh_version_rcu(net->tables);

	DEBUG_CHECK(now_ns >= net->now_ns);
	net->now_ns = now_ns;
	if (version == net->neigh_version)
		return;
	net->neigh_version = version;
	arp_neigh_changed(net);
	tcp_neigh_changed(net);
}

/* A burst, sorted by who works on it next. */
struct sorted {
	unsigned flow_count, other_count, tcp_count;
	struct rte_mbuf *flows[NET_BURST_MAX]; /* of this shard or another */
	struct rte_mbuf *others[NET_BURST_MAX];
	struct rte_mbuf *tcp[NET_BURST_MAX];
};

/*
 * The stack writes into packets and their scratch, and lends them to programs: they must be one
 * segment of one of our pools that nobody else holds. A device's are; on a wire made of rings a
 * sender's chained or retained buffers can arrive, and are copied. NULL: dropped.
 */
static struct rte_mbuf *own_or_null(struct net *net, struct rte_mbuf *m)
{
	struct rte_mbuf *copy;

	if (likely(m->nb_segs == 1 && RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 &&
		   m->priv_size == PBUF_PRIV_LEN))
		return m;
	copy = rte_pktmbuf_copy(m, net->mem->data, 0, UINT32_MAX);
	if (!copy || copy->nb_segs != 1) {
		rte_pktmbuf_free(copy);
		net_drop(net, m, DROP_mem_none);
		return NULL;
	}
	rte_pktmbuf_free(m);
	return copy;
}

static void parse_burst(struct net *net, struct rte_mbuf **pkts, unsigned n, struct sorted *sorted)
{
	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[i], void *));
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = own_or_null(net, pkts[i]);
		enum drop_reason reason;

		if (!m)
			continue;
		reason = parse_frame(net->tables, m);
		if (reason != PARSE_OK)
			net_drop(net, m, reason);
		else if (net_pkt_of(m)->kind <= NET_PKT_ICMP_ERROR)
			sorted->flows[sorted->flow_count++] = m;
		else
			sorted->others[sorted->other_count++] = m;
	}
}

/* Takes a fragment; the whole that it completes, if this shard is its flow's owner. NULL: none. */
static struct rte_mbuf *reassemble_or_null(struct net *net, struct rte_mbuf *m)
{
	enum drop_reason reason;

	m = reassembly_input(net, m);
	if (!m)
		return NULL;
	reason = parse_frame(net->tables, m);
	if (reason != PARSE_OK) {
		net_drop(net, m, reason);
		return NULL;
	}
	if (net_pkt_of(m)->kind <= NET_PKT_ICMP_ERROR && steer_burst(net, &m, 1) == 0)
		return NULL;
	return m;
}

/* To its protocol; TCP's are kept together, as ACKs are decided at the end of a burst (MUST-58). */
static void dispatch(struct net *net, struct rte_mbuf *m, struct sorted *sorted)
{
	if (net_pkt_of(m)->kind == NET_PKT_FRAGMENT)
		m = reassemble_or_null(net, m);
	if (!m)
		return;
	switch (net_pkt_of(m)->kind) {
	case NET_PKT_TCP:
		sorted->tcp[sorted->tcp_count++] = m;
		break;
	case NET_PKT_UDP:
		udp_input(net, m);
		break;
	case NET_PKT_ICMP_ERROR:
		icmp_input_error(net, m);
		break;
	case NET_PKT_ICMP:
		icmp_input(net, m);
		break;
	case NET_PKT_ARP:
		arp_input(net, m);
		break;
	default:
		CHECK(!"a whole packet is no fragment");
	}
}

void net_input(struct net *net, struct rte_mbuf **pkts, unsigned n, enum net_source source,
	       uint64_t now_ns)
{
	struct sorted sorted;

	CHECK(n <= NET_BURST_MAX);
	enter(net, now_ns);
	sorted.flow_count = sorted.other_count = sorted.tcp_count = 0;
	if (source == NET_FROM_SHARD) {
		for (unsigned i = 0; i < n; i++)
			dispatch(net, pkts[i], &sorted);
	} else {
		parse_burst(net, pkts, n, &sorted);
		sorted.flow_count = steer_burst(net, sorted.flows, sorted.flow_count);
		for (unsigned i = 0; i < sorted.other_count; i++)
			dispatch(net, sorted.others[i], &sorted);
		for (unsigned i = 0; i < sorted.flow_count; i++)
			dispatch(net, sorted.flows[i], &sorted);
	}
	if (sorted.tcp_count)
		tcp_input(net, sorted.tcp, sorted.tcp_count);
}

uint64_t net_poll(struct net *net, uint64_t now_ns)
{
	enter(net, now_ns);
	arp_poll(net);
	reassembly_poll(net);
	tcp_poll(net);
	return RTE_MIN(RTE_MIN(arp_deadline(net), reassembly_deadline(net)), tcp_deadline(net));
}

unsigned net_output(struct net *net, uint16_t iface, struct rte_mbuf **pkts, unsigned n,
		    uint64_t now_ns)
{
	unsigned count;

	CHECK(iface < net->iface_count);
	enter(net, now_ns);
	count = reply_take(net, iface, pkts, n);
	if (count < n)
		count += tcp_output(net, iface, pkts + count, n - count);
	return count;
}

struct net_sock *net_ready_take(struct net *net)
{
	struct net_sock *sock;

	while ((sock = TAILQ_FIRST(&net->ready))) {
		net_sock_unready(net, sock);
		if (sock->user)
			return sock;
	}
	return NULL;
}
