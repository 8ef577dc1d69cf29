/* Stands in for net/tcp_*.c under the tests of what is below. */
#include "below_tcp.h"

struct fake_tcp fake_tcp;

int tcp_stack_init(struct net *net, const struct tcp_config *config, uint64_t now_ns)
{
	(void)net, (void)config, (void)now_ns;
	return 0;
}

void tcp_stack_fini(struct net *net)
{
	(void)net;
}

/* A SYN that ends at its listener is this shard's. */
static bool takes(struct net *net, struct rte_mbuf *m)
{
	int shard;

	if (fake_tcp.knows >> net->shard & 1)
		return true;
	shard = net_owner_shard(net, m);
	if (shard == net->shard && fake_tcp.listens >> net->shard & 1)
		return true;
	if (shard == NET_OWNER_LOOP) {
		fake_tcp.loop_count++;
		net_drop(net, m, DROP_steer_loop);
	} else if (shard == NET_OWNER_NOBODY || shard == net->shard) {
		fake_tcp.refused_count++;
		net_drop(net, m, DROP_tcp_no_port);
	} else {
		net_hand_over(net, m, shard);
	}
	return false;
}

void tcp_input(struct net *net, struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct net_pkt *pkt = net_pkt_of(pkts[i]);

		if (!takes(net, pkts[i]))
			continue;
		fake_tcp.input_count++;
		fake_tcp.last = *pkt;
		fake_tcp.last_shard = net->shard;
		memcpy(fake_tcp.payload, rte_pktmbuf_mtod_offset(pkts[i], void *, pkt->payload_off),
		       RTE_MIN(pkt->payload_len, sizeof(fake_tcp.payload)));
		rte_pktmbuf_free(pkts[i]);
	}
}

void tcp_poll(struct net *net)
{
	(void)net;
	fake_tcp.poll_count++;
}

uint64_t tcp_deadline(const struct net *net)
{
	(void)net;
	return fake_tcp.deadline_ns;
}

unsigned tcp_output(struct net *net, uint16_t iface, struct rte_mbuf **pkts, unsigned n)
{
	(void)net;
	if (!fake_tcp.output || n == 0 || iface != 0)
		return 0;
	pkts[0] = fake_tcp.output;
	fake_tcp.output = NULL;
	return 1;
}

void tcp_icmp_error(struct net *net, const struct net_flow *flow, uint32_t seq, uint8_t type,
		    uint8_t code, uint16_t mtu)
{
	fake_tcp.error_count++;
	fake_tcp.errors_at |= UINT64_C(1) << net->shard;
	fake_tcp.error_flow = *flow;
	fake_tcp.error_seq = seq;
	fake_tcp.error_type = type;
	fake_tcp.error_code = code;
	fake_tcp.error_mtu = mtu;
}

bool tcp_idle(const struct net *net)
{
	(void)net;
	return !fake_tcp.busy;
}

void tcp_neigh_changed(struct net *net)
{
	(void)net;
	fake_tcp.neigh_changed_count++;
}
