/* What came with EtherType ARP: learning from it, and answering. */
#include "net/arp_inside.h"
#include "net/eth.h"
#include "net/neigh.h"

#include <rte_arp.h>

/* What one ARP packet says. */
struct seen {
	uint16_t iface;
	struct ip_addr addr, target;
	struct rte_ether_addr mac;
	bool request, to_us;
};

static bool parse(struct net *net, struct rte_mbuf *m, struct seen *seen)
{
	const struct rte_arp_hdr *arp =
		rte_pktmbuf_mtod_offset(m, struct rte_arp_hdr *, ETH_HEADER_LEN);

	if (m->data_len < ETH_HEADER_LEN + ARP_LEN ||
	    arp->arp_hardware != RTE_BE16(RTE_ARP_HRD_ETHER) ||
	    arp->arp_protocol != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
	    arp->arp_hlen != RTE_ETHER_ADDR_LEN || arp->arp_plen != sizeof(rte_be32_t) ||
	    (arp->arp_opcode != RTE_BE16(RTE_ARP_OP_REQUEST) &&
	     arp->arp_opcode != RTE_BE16(RTE_ARP_OP_REPLY)) ||
	    !rte_is_valid_assigned_ether_addr(&arp->arp_data.arp_sha))
		return false;
	*seen = (struct seen){
		.iface = m->port,
		.addr.v4 = arp->arp_data.arp_sip,
		.target.v4 = arp->arp_data.arp_tip,
		.mac = arp->arp_data.arp_sha,
		.request = arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST),
	};
	seen->to_us = !ip_addr_is_any(seen->target) &&
		      ip_addr_eq(seen->target, net_iface_get(net->tables, m->port)->addr);
	return true;
}

/* The request's own buffer becomes the answer. */
static void send_answer(struct net *net, struct rte_mbuf *m)
{
	const struct net_iface *iface = net_iface_get(net->tables, m->port);
	struct rte_arp_hdr *arp = rte_pktmbuf_mtod_offset(m, struct rte_arp_hdr *, ETH_HEADER_LEN);
	struct rte_ether_addr asker = arp->arp_data.arp_sha;

	rte_pktmbuf_trim(m, m->data_len - ETH_HEADER_LEN - ARP_LEN);
	m->ol_flags = 0;
	eth_header_write(eth_header(m), &iface->mac, &asker, RTE_ETHER_TYPE_ARP);
	arp->arp_opcode = RTE_BE16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = asker;
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	arp->arp_data.arp_sha = iface->mac;
	arp->arp_data.arp_sip = iface->addr.v4;
	net_reply_queue(net, m->port, m);
}

/* Somebody else says that our address is his: RFC 5227 2.4 (b), at most once in ten seconds. */
static void defend(struct net *net, const struct seen *seen)
{
	struct arp *arp = net->arp;
	uint64_t *defended_ns = &arp->defended_ns[seen->iface];

	if (rte_is_same_ether_addr(&seen->mac, &net_iface_get(net->tables, seen->iface)->mac))
		return; /* our own packet came back */
	counter_add(&net->counters->arp_conflicts, 1);
	if (*defended_ns && net->now_ns - *defended_ns < ARP_DEFEND_NS)
		return;
	*defended_ns = net->now_ns;
	arp_tell(net, seen->iface, seen->addr, &seen->mac, net->now_ns, NEIGH_CONFLICT);
	arp_request(net, seen->iface, seen->addr, NULL);
}

/* The sender's address can be a neighbour's: on this link, and one host's. */
static bool can_be_learned(struct net *net, const struct seen *seen)
{
	const struct net_iface *iface = net_iface_get(net->tables, seen->iface);
	uint32_t host_mask = iface->prefix_len >= 31 ? 0 : UINT32_MAX >> iface->prefix_len;
	uint32_t ours = rte_be_to_cpu_32(iface->addr.v4), theirs = rte_be_to_cpu_32(seen->addr.v4);

	if (iface->prefix_len == 32 || (ours ^ theirs) & ~(iface->prefix_len == 31 ? 1 : host_mask))
		return false;
	return !host_mask || ((theirs & host_mask) != 0 && (theirs & host_mask) != host_mask);
}

/* A request, or an answer that no shard waited for: RFC 826's merge, and for requests to us a new
 * entry. */
static void merge(struct net *net, const struct seen *seen)
{
	const struct net_neigh *neigh = net_neigh_lookup_rcu(net->tables, seen->iface, seen->addr);

	if (!neigh) {
		if (!seen->request || !seen->to_us)
			return;
		if (net_rate_take(&net->arp->learn_rate, net->now_ns))
			arp_tell(net, seen->iface, seen->addr, &seen->mac, net->now_ns, NEIGH_SEEN);
		else
			counter_add(&net->counters->arp_unlearned, 1);
		return;
	}
	if (neigh->fixed)
		return;
	if (!rte_is_same_ether_addr(&neigh->mac, &seen->mac)) {
		/* Moved, or a lie: a fresh entry is not displaced, but asked whether it still
		 * lives. */
		if (net->now_ns - neigh_confirmed_ns(neigh) >= NEIGH_FRESH_NS)
			arp_tell(net, seen->iface, seen->addr, &seen->mac, net->now_ns, NEIGH_SEEN);
		else if (net->arp->wait_count < ARP_DOUBTED_MAX)
			arp_probe(net, neigh);
	} else if (net->now_ns - neigh_confirmed_ns(neigh) >= ARP_RETRY_NS) {
		arp_tell(net, seen->iface, seen->addr, &seen->mac, net->now_ns, NEIGH_SEEN);
	}
}

/* An answer to us comes to any shard, but another one may have asked: it goes round once. True:
 * handed on. */
static bool walk(struct net *net, struct rte_mbuf *m, const struct seen *seen)
{
	struct net_pkt *pkt = net_pkt_of(m);
	const struct net_neigh *neigh;
	uint16_t next = net->shard + 1 < net->shard_count ? net->shard + 1 : 0;

	if (!pkt->walked) {
		pkt->walked = true;
		pkt->owner = net->shard;
		neigh = net_neigh_lookup_rcu(net->tables, seen->iface, seen->addr);
		if ((neigh && rte_is_same_ether_addr(&neigh->mac, &seen->mac)) ||
		    !net_rate_take(&net->arp->walk_rate, net->now_ns))
			return false;
	}
	if (next == pkt->owner)
		return false;
	net_hand_over(net, m, next);
	return true;
}

/* True: m was handed on. */
static bool learn(struct net *net, struct rte_mbuf *m, const struct seen *seen)
{
	const struct arp_wait *wait;

	if (!can_be_learned(net, seen))
		return false;
	wait = seen->request ? NULL : arp_wait_or_null(net->arp, seen->iface, seen->addr);
	if (wait && seen->to_us) {
		arp_tell(net, seen->iface, seen->addr, &seen->mac, net->now_ns, NEIGH_ANSWERED);
		return false;
	}
	if (!seen->request && seen->to_us && walk(net, m, seen))
		return true;
	merge(net, seen);
	return false;
}

void arp_input(struct net *net, struct rte_mbuf *m)
{
	struct seen seen;

	if (!parse(net, m, &seen)) {
		net_drop(net, m, DROP_arp_bad);
		return;
	}
	if (net_iface_of(net->tables, seen.addr) >= 0)
		defend(net, &seen);
	else if (!ip_addr_is_any(seen.addr) && learn(net, m, &seen))
		return;
	if (seen.request && seen.to_us)
		send_answer(net, m);
	else if (!seen.request && seen.to_us)
		rte_pktmbuf_free(m);
	else
		net_drop(net, m, DROP_arp_ignored);
}
