#include "net/arp.h"

#include "net/eth.h"
#include "net/neigh.h"

#include <errno.h>
#include <rte_arp.h>
#include <stdlib.h>
#include <string.h>

/* A next hop that this shard asks for. */
struct wait {
	enum { FREE, ASKING, PROBING, FAILED } state;
	struct ip_addr addr;
	uint16_t iface;
	uint8_t tries, held_count;
	struct rte_ether_addr mac; /* PROBING: whom to ask */
	uint64_t confirmed_ns;	   /* PROBING: as the table said when it began */
	uint64_t next_ns;
	struct rte_mbuf *held[ARP_QUEUE_MAX]; /* oldest first */
};

struct arp {
	uint64_t deadline_ns;
	uint64_t fresh_ns; /* each shard probes at another age, so that one does for all */
	uint64_t announce_ns;
	uint64_t defended_ns[NET_IFACE_MAX];
	struct net_rate walk_rate;
	uint32_t announce_left;
	uint32_t wait_count; /* not FREE */
	struct wait waits[ARP_WAIT_MAX];
};

enum {
	ARP_LEN = sizeof(struct rte_arp_hdr),
	/* Answers that are shown to the other shards, in case one of them asked. */
	WALKS_PER_SECOND = 1000,
};

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
	net_rate_init(&arp->walk_rate, WALKS_PER_SECOND, net->now_ns);
	return 0;
}

void arp_destroy(struct net *net)
{
	struct arp *arp = net->arp;

	if (!arp)
		return;
	for (unsigned i = 0; i < ARP_WAIT_MAX; i++)
		rte_pktmbuf_free_bulk(arp->waits[i].held, arp->waits[i].held_count);
	free(arp);
	net->arp = NULL;
}

uint64_t arp_deadline(const struct net *net)
{
	return net->arp->deadline_ns;
}

bool arp_idle(const struct net *net)
{
	const struct arp *arp = net->arp;

	for (unsigned i = 0; arp->wait_count && i < ARP_WAIT_MAX; i++)
		if (arp->waits[i].held_count)
			return false;
	return true;
}

/* --- packets --- */

/* A request: who has target? to NULL: everybody is asked. Lost if there is no room for it. */
static void send_request(struct net *net, uint16_t iface_id, struct ip_addr target,
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

static void announce(struct net *net)
{
	for (uint16_t i = 0; i < net->iface_count; i++) {
		struct ip_addr addr = net_iface_get(net->tables, i)->addr;

		if (!ip_addr_is_any(addr))
			send_request(net, i, addr, NULL);
	}
}

/* --- next hops that are asked for --- */

static struct wait *find_or_null(struct arp *arp, uint16_t iface, struct ip_addr addr)
{
	for (unsigned i = 0; arp->wait_count && i < ARP_WAIT_MAX; i++) {
		struct wait *wait = &arp->waits[i];

		if (wait->state != FREE && wait->iface == iface && ip_addr_eq(wait->addr, addr))
			return wait;
	}
	return NULL;
}

static void ask(struct net *net, struct wait *wait)
{
	wait->tries++;
	wait->next_ns = net->now_ns + ARP_RETRY_NS;
	net->arp->deadline_ns = RTE_MIN(net->arp->deadline_ns, wait->next_ns);
	send_request(net, wait->iface, wait->addr, wait->state == PROBING ? &wait->mac : NULL);
}

static struct wait *begin_or_null(struct net *net, uint16_t iface, struct ip_addr addr)
{
	struct arp *arp = net->arp;

	if (arp->wait_count == ARP_WAIT_MAX)
		return NULL;
	for (unsigned i = 0;; i++) {
		struct wait *wait = &arp->waits[i];

		if (wait->state != FREE)
			continue;
		*wait = (struct wait){.state = ASKING, .iface = iface, .addr = addr};
		arp->wait_count++;
		return wait;
	}
}

static void end(struct arp *arp, struct wait *wait)
{
	CHECK(wait->state != FREE && wait->held_count == 0);
	wait->state = FREE;
	arp->wait_count--;
}

static void probe(struct net *net, const struct net_neigh *neigh)
{
	struct wait *wait;

	if (neigh->fixed || find_or_null(net->arp, neigh->iface, neigh->addr))
		return;
	wait = begin_or_null(net, neigh->iface, neigh->addr);
	if (!wait)
		return;
	wait->state = PROBING;
	wait->mac = neigh->mac;
	wait->confirmed_ns = neigh_confirmed_ns(neigh);
	ask(net, wait);
}

int arp_resolve(struct net *net, uint16_t iface, struct ip_addr addr, struct rte_ether_addr *mac,
		uint64_t *recheck_ns)
{
	const struct net_neigh *neigh = net_neigh_lookup_rcu(net->tables, iface, addr);
	struct wait *wait;

	if (neigh) {
		uint64_t stale_ns =
			neigh->fixed ? UINT64_MAX : neigh_confirmed_ns(neigh) + net->arp->fresh_ns;

		*mac = neigh->mac;
		*recheck_ns = stale_ns;
		if (stale_ns <= net->now_ns) {
			probe(net, neigh);
			*recheck_ns = net->now_ns + ARP_RETRY_NS;
		}
		return 0;
	}
	wait = find_or_null(net->arp, iface, addr);
	if (wait && wait->state == FAILED)
		return -EHOSTUNREACH;
	if (wait && wait->state == ASKING)
		return -EAGAIN;
	if (!wait)
		wait = begin_or_null(net, iface, addr);
	if (!wait)
		return -EHOSTUNREACH;
	wait->state = ASKING; /* a probe's entry may have gone meanwhile */
	wait->tries = 0;
	ask(net, wait);
	return -EAGAIN;
}

void arp_hold(struct net *net, uint16_t iface, struct ip_addr addr, struct rte_mbuf *m)
{
	struct wait *wait = find_or_null(net->arp, iface, addr);

	CHECK(wait && wait->state == ASKING);
	if (wait->held_count == ARP_QUEUE_MAX) {
		net_drop(net, wait->held[0], DROP_arp_queue_full);
		wait->held_count--;
		memmove(&wait->held[0], &wait->held[1], wait->held_count * sizeof(wait->held[0]));
	}
	wait->held[wait->held_count++] = m;
}

static void release(struct net *net, struct wait *wait, const struct rte_ether_addr *mac)
{
	for (unsigned i = 0; i < wait->held_count; i++) {
		rte_ether_addr_copy(mac, &eth_header(wait->held[i])->dst_addr);
		net_reply_queue(net, wait->iface, wait->held[i]);
	}
	wait->held_count = 0;
}

void arp_neigh_changed(struct net *net)
{
	struct arp *arp = net->arp;

	for (unsigned i = 0; arp->wait_count && i < ARP_WAIT_MAX; i++) {
		struct wait *wait = &arp->waits[i];
		const struct net_neigh *neigh;

		if (wait->state != ASKING && wait->state != FAILED)
			continue;
		neigh = net_neigh_lookup_rcu(net->tables, wait->iface, wait->addr);
		if (!neigh)
			continue;
		release(net, wait, &neigh->mac);
		end(arp, wait);
	}
}

/* --- timers --- */

static void give_up(struct net *net, struct wait *wait)
{
	for (unsigned i = 0; i < wait->held_count; i++)
		net_drop(net, wait->held[i], DROP_arp_unresolved);
	wait->held_count = 0;
	wait->state = FAILED;
	wait->next_ns = net->now_ns + ARP_FAILED_NS;
}

static void tell(struct net *net, uint16_t iface, struct ip_addr addr,
		 const struct rte_ether_addr *mac, uint64_t confirmed_ns, enum net_neigh_news news)
{
	const struct net_neigh_event event = {
		.neigh = {.addr = addr, .iface = iface, .mac = *mac, .confirmed_ns = confirmed_ns},
		.news = news,
	};

	net->env.neigh_news(net->env.ctx, &event);
}

static void probe_again(struct net *net, struct wait *wait)
{
	const struct net_neigh *neigh = net_neigh_lookup_rcu(net->tables, wait->iface, wait->addr);

	if (!neigh || neigh_confirmed_ns(neigh) > wait->confirmed_ns) {
		end(net->arp, wait);
	} else if (wait->tries < ARP_TRIES) {
		ask(net, wait);
	} else {
		tell(net, wait->iface, wait->addr, &wait->mac, wait->confirmed_ns, NEIGH_GONE);
		end(net->arp, wait);
	}
}

/* True: a next hop was given up. */
static bool wait_due(struct net *net, struct wait *wait)
{
	switch (wait->state) {
	case ASKING:
		if (wait->tries < ARP_TRIES) {
			ask(net, wait);
			return false;
		}
		give_up(net, wait);
		return true;
	case PROBING:
		probe_again(net, wait);
		return false;
	case FAILED:
		end(net->arp, wait);
		return false;
	case FREE:
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
		struct wait *wait = &arp->waits[i];

		if (wait->state != FREE && wait->next_ns <= net->now_ns)
			failed |= wait_due(net, wait);
		if (wait->state != FREE)
			deadline_ns = RTE_MIN(deadline_ns, wait->next_ns);
	}
	arp->deadline_ns =
		arp->announce_left ? RTE_MIN(deadline_ns, arp->announce_ns) : deadline_ns;
	if (failed)
		tcp_neigh_changed(net);
}

/* --- input --- */

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

/* Somebody else says that our address is his: RFC 5227 2.4 (b), at most once in ten seconds. */
static void defend(struct net *net, const struct seen *seen)
{
	struct arp *arp = net->arp;
	uint64_t *defended_ns = &arp->defended_ns[seen->iface];

	if (rte_is_same_ether_addr(&seen->mac, &net_iface_get(net->tables, seen->iface)->mac))
		return; /* our own packet came back */
	if (*defended_ns && net->now_ns - *defended_ns < ARP_DEFEND_NS)
		return;
	*defended_ns = net->now_ns;
	send_request(net, seen->iface, seen->addr, NULL);
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
		if (seen->request && seen->to_us)
			tell(net, seen->iface, seen->addr, &seen->mac, net->now_ns, NEIGH_SEEN);
		return;
	}
	if (neigh->fixed)
		return;
	if (!rte_is_same_ether_addr(&neigh->mac, &seen->mac)) {
		/* Moved, or a lie: a fresh entry is not displaced, but asked whether it still
		 * lives. */
		if (net->now_ns - neigh_confirmed_ns(neigh) < NEIGH_FRESH_NS)
			probe(net, neigh);
		else
			tell(net, seen->iface, seen->addr, &seen->mac, net->now_ns, NEIGH_SEEN);
	} else if (net->now_ns - neigh_confirmed_ns(neigh) >= ARP_RETRY_NS) {
		tell(net, seen->iface, seen->addr, &seen->mac, net->now_ns, NEIGH_SEEN);
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
	const struct wait *wait;

	if (!can_be_learned(net, seen))
		return false;
	wait = seen->request ? NULL : find_or_null(net->arp, seen->iface, seen->addr);
	if (wait && seen->to_us) {
		tell(net, seen->iface, seen->addr, &seen->mac, net->now_ns, NEIGH_ANSWERED);
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
