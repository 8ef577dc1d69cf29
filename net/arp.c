#include "net/arp_inside.h"
#include "net/eth.h"
#include "net/neigh.h"

#include <errno.h>
#include <rte_arp.h>
#include <stdlib.h>
#include <string.h>

int arp_create(struct net *net)
{
	struct arp *arp = calloc(1, sizeof(*arp));

	if (!arp)
		return -ENOMEM;
	net->arp = arp;
	arp->fresh_ns = NEIGH_FRESH_NS + net_random(net) % NEIGH_FRESH_NS / 2;
	arp->announce_ns = net->now_ns;
	arp->announce_left = net->shard == 0 ? ARP_ANNOUNCE_NUM : 0;
	arp->deadline_ns = arp->announce_left ? net->now_ns : UINT64_MAX;
	net_rate_init(&arp->walk_rate, ARP_WALKS_PER_SECOND, net->now_ns);
	net_rate_init(&arp->learn_rate, ARP_LEARNED_PER_SECOND, net->now_ns);
	return 0;
}

void arp_destroy(struct net *net)
{
	struct arp *arp = net->arp;

	if (!arp)
		return;
	for (unsigned i = 0; i < arp->held_count; i++)
		rte_pktmbuf_free(arp->held[i].m);
	free(arp);
	net->arp = NULL;
}

uint64_t arp_deadline(const struct net *net)
{
	return net->arp->deadline_ns;
}

bool arp_idle(const struct net *net)
{
	return net->arp->held_count == 0;
}

/* --- packets --- */

void arp_request(struct net *net, uint16_t iface_id, struct ip_addr target,
		 const struct rte_ether_addr *to)
{
	static const struct rte_ether_addr everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	const struct net_iface *iface = net_iface_get(net->tables, iface_id);
	struct rte_mbuf *m = mem_small_or_null(net->mem);
	struct rte_arp_hdr *arp;

	if (!m) {
		counter_add(&net->counters->drop[DROP_mem_none], 1);
		return;
	}
	eth_header_write((struct rte_ether_hdr *)rte_pktmbuf_append(m, ETH_HEADER_LEN), &iface->mac,
			 to ? to : &everybody, RTE_ETHER_TYPE_ARP);
	arp = (struct rte_arp_hdr *)rte_pktmbuf_append(m, ARP_LEN);
	*arp = (struct rte_arp_hdr){
		.arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER),
		.arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4),
		.arp_hlen = RTE_ETHER_ADDR_LEN,
		.arp_plen = sizeof(rte_be32_t),
		.arp_opcode = RTE_BE16(RTE_ARP_OP_REQUEST),
		.arp_data = {.arp_sha = iface->mac,
			     .arp_sip = iface->addr.v4,
			     .arp_tip = target.v4},
	};
	net_reply_queue(net, iface_id, m);
}

static void announce(struct net *net)
{
	for (uint16_t i = 0; i < net->iface_count; i++) {
		struct ip_addr addr = net_iface_get(net->tables, i)->addr;

		if (!ip_addr_is_any(addr))
			arp_request(net, i, addr, NULL);
	}
}

void arp_tell(struct net *net, uint16_t iface, struct ip_addr addr,
	      const struct rte_ether_addr *mac, uint64_t confirmed_ns, enum net_neigh_news news)
{
	const struct net_neigh_event event = {
		.neigh = {.addr = addr, .iface = iface, .mac = *mac, .confirmed_ns = confirmed_ns},
		.news = news,
	};

	net->env.neigh_news(net->env.ctx, &event);
}

/* --- next hops that are asked for --- */

struct arp_wait *arp_wait_or_null(struct arp *arp, uint16_t iface, struct ip_addr addr)
{
	for (unsigned i = 0; arp->wait_count && i < ARP_WAIT_MAX; i++) {
		struct arp_wait *wait = &arp->waits[i];

		if (wait->state != ARP_FREE && wait->iface == iface && ip_addr_eq(wait->addr, addr))
			return wait;
	}
	return NULL;
}

static void ask(struct net *net, struct arp_wait *wait)
{
	wait->tries++;
	wait->next_ns = net->now_ns + ARP_RETRY_NS;
	net->arp->deadline_ns = RTE_MIN(net->arp->deadline_ns, wait->next_ns);
	arp_request(net, wait->iface, wait->addr, wait->state == ARP_PROBING ? &wait->mac : NULL);
}

static struct arp_wait *begin_or_null(struct net *net, uint16_t iface, struct ip_addr addr)
{
	struct arp *arp = net->arp;

	if (arp->wait_count == ARP_WAIT_MAX)
		return NULL;
	for (unsigned i = 0;; i++) {
		struct arp_wait *wait = &arp->waits[i];

		if (wait->state != ARP_FREE)
			continue;
		*wait = (struct arp_wait){.state = ARP_ASKING, .iface = iface, .addr = addr};
		arp->wait_count++;
		return wait;
	}
}

static void end(struct arp *arp, struct arp_wait *wait)
{
	CHECK(wait->state != ARP_FREE && wait->held_count == 0);
	wait->state = ARP_FREE;
	arp->wait_count--;
}

void arp_probe(struct net *net, const struct net_neigh *neigh)
{
	struct arp_wait *wait;

	if (arp_wait_or_null(net->arp, neigh->iface, neigh->addr))
		return;
	wait = begin_or_null(net, neigh->iface, neigh->addr);
	if (!wait)
		return;
	wait->state = ARP_PROBING;
	wait->mac = neigh->mac;
	wait->confirmed_ns = neigh_confirmed_ns(neigh);
	ask(net, wait);
}

void arp_doubt(struct net *net, uint16_t iface, struct ip_addr addr)
{
	const struct net_neigh *neigh = net_neigh_lookup_rcu(net->tables, iface, addr);

	if (neigh && !neigh->fixed)
		arp_probe(net, neigh);
}

/* False: the control thread was told just now. */
static bool tell_confirmed(struct net *net, const struct net_neigh *neigh)
{
	struct arp_told *told =
		&net->arp->told[rte_be_to_cpu_32(neigh->addr.v4) & (ARP_TOLD_MAX - 1)];

	if (told->at_ns && net->now_ns - told->at_ns < ARP_RETRY_NS &&
	    told->iface == neigh->iface && ip_addr_eq(told->addr, neigh->addr))
		return false;
	*told = (struct arp_told){neigh->addr, neigh->iface, net->now_ns};
	arp_tell(net, neigh->iface, neigh->addr, &neigh->mac, net->now_ns, NEIGH_SEEN);
	return true;
}

void arp_confirm(struct net *net, uint16_t iface, struct ip_addr addr,
		 const struct rte_ether_addr *mac, uint64_t *recheck_ns)
{
	const struct net_neigh *neigh = net_neigh_lookup_rcu(net->tables, iface, addr);
	uint64_t confirmed_ns;

	if (!neigh || neigh->fixed || !rte_is_same_ether_addr(&neigh->mac, mac))
		return;
	confirmed_ns = neigh_confirmed_ns(neigh);
	/* Else another shard or connection has seen to it. */
	if (net->now_ns >= confirmed_ns + NEIGH_FRESH_NS / 2) {
		if (tell_confirmed(net, neigh))
			counter_add(&net->counters->arp_confirmed, 1);
		confirmed_ns = net->now_ns;
	}
	*recheck_ns = confirmed_ns + net->arp->fresh_ns;
}

int arp_resolve(struct net *net, uint16_t iface, struct ip_addr addr, struct rte_ether_addr *mac,
		uint64_t *recheck_ns)
{
	const struct net_neigh *neigh = net_neigh_lookup_rcu(net->tables, iface, addr);
	struct arp_wait *wait;

	if (neigh) {
		uint64_t stale_ns =
			neigh->fixed ? UINT64_MAX : neigh_confirmed_ns(neigh) + net->arp->fresh_ns;

		*mac = neigh->mac;
		*recheck_ns = stale_ns;
		if (stale_ns <= net->now_ns) {
			arp_probe(net, neigh);
			*recheck_ns = net->now_ns + ARP_RETRY_NS;
		}
		return 0;
	}
	wait = arp_wait_or_null(net->arp, iface, addr);
	if (wait && wait->state == ARP_FAILED)
		return -EHOSTUNREACH;
	if (wait && wait->state == ARP_ASKING)
		return -EAGAIN;
	if (!wait)
		wait = begin_or_null(net, iface, addr);
	if (!wait)
		return -EHOSTUNREACH;
	wait->state = ARP_ASKING; /* a probe's entry may have gone meanwhile */
	wait->tries = 0;
	ask(net, wait);
	return -EAGAIN;
}

/* The oldest frame for this next hop, or, without one, of all. */
static struct rte_mbuf *unhold(struct arp *arp, const struct arp_wait *wait)
{
	struct rte_mbuf *m;
	unsigned i = 0;

	while (wait && arp->held[i].wait != wait)
		i++;
	CHECK(i < arp->held_count);
	m = arp->held[i].m;
	arp->held[i].wait->held_count--;
	arp->held_count--;
	memmove(&arp->held[i], &arp->held[i + 1], (arp->held_count - i) * sizeof(arp->held[0]));
	return m;
}

void arp_hold(struct net *net, uint16_t iface, struct ip_addr addr, struct rte_mbuf *m)
{
	struct arp *arp = net->arp;
	struct arp_wait *wait = arp_wait_or_null(arp, iface, addr);

	CHECK(wait && wait->state == ARP_ASKING);
	if (wait->held_count == ARP_QUEUE_MAX)
		net_drop(net, unhold(arp, wait), DROP_arp_queue_full);
	else if (arp->held_count == ARP_HELD_MAX)
		net_drop(net, unhold(arp, NULL), DROP_arp_queue_full);
	arp->held[arp->held_count++] = (struct arp_held){wait, m};
	wait->held_count++;
}

static void release(struct net *net, struct arp_wait *wait, const struct rte_ether_addr *mac)
{
	while (wait->held_count) {
		struct rte_mbuf *m = unhold(net->arp, wait);

		rte_ether_addr_copy(mac, &eth_header(m)->dst_addr);
		net_reply_queue(net, wait->iface, m);
	}
}

void arp_neigh_changed(struct net *net)
{
	struct arp *arp = net->arp;

	for (unsigned i = 0; arp->wait_count && i < ARP_WAIT_MAX; i++) {
		struct arp_wait *wait = &arp->waits[i];
		const struct net_neigh *neigh;

		if (wait->state != ARP_ASKING && wait->state != ARP_FAILED)
			continue;
		neigh = net_neigh_lookup_rcu(net->tables, wait->iface, wait->addr);
		if (!neigh)
			continue;
		release(net, wait, &neigh->mac);
		end(arp, wait);
	}
}

/* --- timers --- */

static void give_up(struct net *net, struct arp_wait *wait)
{
	while (wait->held_count)
		net_drop(net, unhold(net->arp, wait), DROP_arp_unresolved);
	wait->state = ARP_FAILED;
	wait->next_ns = net->now_ns + ARP_FAILED_NS;
}

static void probe_again(struct net *net, struct arp_wait *wait)
{
	const struct net_neigh *neigh = net_neigh_lookup_rcu(net->tables, wait->iface, wait->addr);

	if (!neigh || neigh_confirmed_ns(neigh) > wait->confirmed_ns) {
		end(net->arp, wait);
	} else if (wait->tries < ARP_TRIES) {
		ask(net, wait);
	} else {
		arp_tell(net, wait->iface, wait->addr, &wait->mac, wait->confirmed_ns, NEIGH_GONE);
		end(net->arp, wait);
	}
}

/* True: a next hop was given up. */
static bool wait_due(struct net *net, struct arp_wait *wait)
{
	switch (wait->state) {
	case ARP_ASKING:
		if (wait->tries < ARP_TRIES) {
			ask(net, wait);
			return false;
		}
		give_up(net, wait);
		return true;
	case ARP_PROBING:
		probe_again(net, wait);
		return false;
	case ARP_FAILED:
		end(net->arp, wait);
		return false;
	case ARP_FREE:
		break;
	}
	return false;
}

void arp_poll(struct net *net)
{
	struct arp *arp = net->arp;
	uint64_t deadline_ns = UINT64_MAX;
	bool failed = false;

	if (net->now_ns < arp->deadline_ns)
		return;
	if (arp->announce_left && arp->announce_ns <= net->now_ns) {
		announce(net);
		arp->announce_left--;
		arp->announce_ns = net->now_ns + ARP_ANNOUNCE_NS;
	}
	for (unsigned i = 0; arp->wait_count && i < ARP_WAIT_MAX; i++) {
		struct arp_wait *wait = &arp->waits[i];

		if (wait->state != ARP_FREE && wait->next_ns <= net->now_ns)
			failed |= wait_due(net, wait);
		if (wait->state != ARP_FREE)
			deadline_ns = RTE_MIN(deadline_ns, wait->next_ns);
	}
	arp->deadline_ns =
		arp->announce_left ? RTE_MIN(deadline_ns, arp->announce_ns) : deadline_ns;
	if (failed)
		tcp_neigh_changed(net);
}
