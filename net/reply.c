/* Packets that may be lost: dropping, rate limits, and the queue of frames for net_output(). */
#include "net/reply.h"

#include <rte_common.h>

#define SECOND_NS (1000ull * 1000 * 1000)

void net_drop(struct net *net, struct rte_mbuf *m, enum drop_reason reason)
{
	counter_add(&net->counters->drop[reason], 1);
	rte_pktmbuf_free(m);
}

bool net_reply_queue(struct net *net, uint16_t iface, struct rte_mbuf *m)
{
	struct net_replies *replies = &net->replies[iface];

	if (replies->tail - replies->head == NET_REPLY_MAX) {
		net_drop(net, m, DROP_tx_queue_full);
		return false;
	}
	replies->pkts[replies->tail++ % NET_REPLY_MAX] = m;
	return true;
}

unsigned reply_take(struct net *net, uint16_t iface, struct rte_mbuf **pkts, unsigned n)
{
	struct net_replies *replies = &net->replies[iface];
	unsigned count = RTE_MIN(n, replies->tail - replies->head);

	for (unsigned i = 0; i < count; i++)
		pkts[i] = replies->pkts[replies->head++ % NET_REPLY_MAX];
	return count;
}

bool reply_idle(const struct net *net)
{
	for (uint16_t i = 0; i < net->iface_count; i++)
		if (net->replies[i].head != net->replies[i].tail)
			return false;
	return true;
}

void reply_fini(struct net *net)
{
	struct rte_mbuf *m;

	for (uint16_t i = 0; i < net->iface_count; i++)
		while (reply_take(net, i, &m, 1))
			rte_pktmbuf_free(m);
}

void net_rate_init(struct net_rate *rate, uint32_t per_second, uint64_t now_ns)
{
	*rate = (struct net_rate){
		.cost_ns = per_second ? RTE_MAX(SECOND_NS / per_second, 1ull) : UINT64_MAX,
		.credit_ns = per_second ? SECOND_NS : 0,
		.credit_ns_max = per_second ? SECOND_NS : 0,
		.then_ns = now_ns,
	};
}

bool net_rate_take(struct net_rate *rate, uint64_t now_ns)
{
	rate->credit_ns =
		RTE_MIN(rate->credit_ns_max,
			rate->credit_ns + RTE_MIN(now_ns - rate->then_ns, rate->credit_ns_max));
	rate->then_ns = now_ns;
	if (rate->credit_ns < rate->cost_ns)
		return false;
	rate->credit_ns -= rate->cost_ns;
	return true;
}
