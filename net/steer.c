/* Which shard has a flow: by hash, by the listener table, by asking round. */
#include "net/steer.h"

#include <rte_common.h>

unsigned steer_burst(struct net *net, struct rte_mbuf **pkts, unsigned n)
{
	struct net_flow flows[NET_BURST_MAX];
	uint32_t hashes[NET_BURST_MAX];
	uint16_t owners[NET_BURST_MAX];
	unsigned kept = 0;

	if (n == 0 || net->shard_count == 1) /* the owner is 0, as parse_frame() left it */
		return n;
	for (unsigned i = 0; i < n; i++)
		flows[i] = net_pkt_of(pkts[i])->flow;
	net->env.steer(net->env.ctx, flows, hashes, owners, n);
	for (unsigned i = 0; i < n; i++) {
		pkts[i]->hash.rss = hashes[i];
		net_pkt_of(pkts[i])->owner = owners[i];
		if (owners[i] == net->shard)
			pkts[kept++] = pkts[i];
		else
			net_hand_over(net, pkts[i], owners[i]);
	}
	return kept;
}

bool net_flow_is_home(struct net *net, const struct net_flow *flow, uint32_t *hash)
{
	uint16_t owner;

	net->env.steer(net->env.ctx, flow, hash, &owner, 1);
	return owner == net->shard;
}

/* Shards of the set that come after the distance from first, as the one nearest to it; -1: none. */
static int next_after(uint64_t set, uint16_t first, uint16_t self, uint16_t count)
{
	uint16_t distance = (self >= first ? self : self + count) - first;

	for (uint16_t d = distance + 1; d < count; d++) {
		uint16_t shard = first + d < count ? first + d : first + d - count;

		if (set >> shard & 1)
			return shard;
	}
	return -1;
}

static bool may_open(const struct net_pkt *pkt)
{
	const uint8_t mask = RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG | RTE_TCP_RST_FLAG;
	const uint8_t flags = pkt->tcp_flags & mask;

	/* An ACK may bring back a SYN cookie. */
	return pkt->kind == NET_PKT_UDP ||
	       (pkt->kind == NET_PKT_TCP &&
		(flags == RTE_TCP_SYN_FLAG || flags == RTE_TCP_ACK_FLAG));
}

int net_owner_shard(struct net *net, struct rte_mbuf *m)
{
	struct net_pkt *pkt = net_pkt_of(m);
	const struct net_endpoint local = {pkt->flow.local, pkt->flow.local_port};
	int shard = -1;

	if (!pkt->walked)
		shard = next_after(net_listen_foreign_rcu(net->tables, pkt->proto, local),
				   pkt->owner, net->shard, net->shard_count);
	if (shard < 0) {
		pkt->walked = true;
		if (may_open(pkt))
			shard = net_listen_shard_rcu(net->tables, pkt->proto, local, m->hash.rss,
						     pkt->owner);
	}
	if (shard < 0)
		return NET_OWNER_NOBODY;
	if (shard != net->shard && ++pkt->hop_count > net->shard_count + 1)
		return NET_OWNER_LOOP;
	return shard;
}
