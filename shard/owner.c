#include "shard/owner.h"

#include "mem/log.h"
#include "shard/state.h"

#include <netinet/in.h>
#include <rte_ether.h>
#include <rte_ip.h>

static uint64_t draw(void *ctx)
{
	struct shard *shard = ctx;

	return random_next(&shard->random);
}

static void steer(void *ctx, const struct net_flow *flows, uint32_t *hashes, uint16_t *owners,
		  unsigned n)
{
	const struct rss *rss = &((struct shard *)ctx)->runtime->rss;

	for (unsigned i = 0; i < n; i++) {
		const struct net_flow *f = &flows[i];

		hashes[i] =
			rss_hash4(rss, f->remote.v4, f->local.v4, f->remote_port, f->local_port);
		owners[i] = rss_owner(rss, hashes[i]);
	}
}

static uint16_t choose_port(void *ctx, const struct net_flow *flow, uint16_t low, uint16_t high,
			    uint32_t attempt)
{
	struct shard *shard = ctx;

	if (!attempt)
		shard->port_start = (uint16_t)random_next(&shard->random);
	return rss_port_choose(&shard->runtime->rss, flow->remote.v4, flow->local.v4,
			       flow->remote_port, low, high, shard->index, shard->port_start,
			       attempt);
}

static void hand_over(void *ctx, struct rte_mbuf *m, uint16_t to)
{
	struct shard *shard = ctx;

	if (unlikely(shard_gone(shard, to)))
		shard_drop(shard, m, DROP_shard_left);
	else if (shard_post(shard, to, (struct letter){LETTER_PACKET, m}))
		counter_add(&shard->counters.handed_out, 1);
	else
		shard_drop(shard, m, DROP_mailbox_full);
}

static void tell_control(void *ctx, const struct net_neigh_event *event)
{
	struct shard *shard = ctx;

	control_news_mt(&shard->runtime->control, event);
}

void owner_env(struct shard *shard, struct net_env *env)
{
	*env = (struct net_env){.ctx = shard,
				.random = draw,
				.steer = steer,
				.port_choose = choose_port,
				.hand_over = hand_over,
				.neigh_news = tell_control};
}

/* The hash that a device with our key computes over addresses and ports; false: not a packet of
 * which that can be said. */
static bool expected_hash(const struct rss *rss, const struct rte_mbuf *m, uint32_t *hash)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	const rte_be16_t *ports = (const rte_be16_t *)(ip + 1);

	if (m->data_len < sizeof(*eth) + sizeof(*ip) + 2 * sizeof(*ports) ||
	    eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
	    ip->version_ihl != RTE_IPV4_VHL_DEF || ip->next_proto_id != IPPROTO_TCP ||
	    ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
		return false;
	*hash = rss_hash4(rss, ip->src_addr, ip->dst_addr, ports[0], ports[1]);
	return true;
}

void owner_check(struct shard *shard, uint16_t iface, const struct rte_mbuf *m)
{
	struct line *line = &shard->lines[iface];
	uint32_t hash;

	if (!(m->ol_flags & RTE_MBUF_F_RX_RSS_HASH) ||
	    !expected_hash(&shard->runtime->rss, m, &hash))
		return;
	line->checks_left--;
	if (hash == m->hash.rss)
		return;
	line->checks_left = 0;
	nic_port_distrust_mt(line->port);
	log_warning("port %u: the device's hash of a packet is %08x, should be %08x; its steering "
		    "is not trusted",
		    iface, m->hash.rss, hash);
}
