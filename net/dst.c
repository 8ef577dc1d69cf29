#include "net/dst.h"

#include "net/arp.h"
#include "net/eth.h"

#include <errno.h>

int net_dst_init(struct net *net, struct net_dst *dst, struct ip_addr remote)
{
	struct net_hop hop;

	*dst = (struct net_dst){0};
	if (ip_addr_is_this_net(remote) || ip_addr_is_multicast(remote) ||
	    ip_addr_is_reserved(remote) || ip_addr_is_loopback(remote) ||
	    net_addr_is_broadcast(net->tables, remote))
		return -EINVAL;
	/* There is no way from us to us: nothing loops packets back. */
	if (net_iface_of(net->tables, remote) >= 0 ||
	    net_route_lookup_rcu(net->tables, remote, &hop) != 0)
		return -EHOSTUNREACH;
	dst->source = hop.source;
	dst->next = hop.next;
	dst->iface = hop.iface;
	dst->mtu = hop.mtu;
	dst->mss = hop.mss;
	return 0;
}

void net_dst_reply(struct net *net, struct net_dst *dst, struct rte_mbuf *m)
{
	const struct net_pkt *pkt = net_pkt_of(m);

	*dst = (struct net_dst){
		.source = pkt->flow.local,
		.next = pkt->flow.remote,
		.iface = m->port,
		.mtu = net_iface_get(net->tables, m->port)->mtu,
		.mac = eth_header(m)->src_addr,
		.neigh_version = net->neigh_version,
		.recheck_ns = UINT64_MAX,
	};
}

void net_dst_limit(struct net *net, struct net_dst *dst, struct ip_addr remote)
{
	struct net_hop hop;

	if (net_route_lookup_rcu(net->tables, remote, &hop) != 0)
		return;
	dst->mtu = hop.mtu < dst->mtu ? hop.mtu : dst->mtu;
	dst->mss = hop.mss;
}

int net_dst_lookup(struct net *net, struct net_dst *dst)
{
	int err = arp_resolve(net, dst->iface, dst->next, &dst->mac, &dst->recheck_ns);

	dst->neigh_version = err ? 0 : net->neigh_version;
	return err;
}

void net_dst_confirmed(struct net *net, struct net_dst *dst)
{
	arp_confirm(net, dst->iface, dst->next, &dst->mac, &dst->recheck_ns);
}

void net_dst_doubt(struct net *net, const struct net_dst *dst)
{
	arp_doubt(net, dst->iface, dst->next);
}
