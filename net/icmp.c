#include "net/icmp.h"

#include "net/dst.h"
#include "net/ip4.h"
#include "net/udp.h"

#include <rte_icmp.h>
#include <string.h>

enum {
	ICMP_UNREACHABLE = 3,
	ICMP_PORT_UNREACHABLE = 3,
	ICMP_FRAGMENTATION_NEEDED = 4,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_REASSEMBLY = 1,
	ICMP_HEADER_LEN = sizeof(struct rte_icmp_hdr),
	/* An error is an IP packet of at most 576 bytes: RFC 1812 4.3.2.3. */
	QUOTED_LEN_MAX = 576 - IP4_HEADER_LEN - ICMP_HEADER_LEN,
	/* What an error adds in front of the packet that it quotes. */
	HEADROOM_NEEDED = IP4_ENCAP_LEN + ICMP_HEADER_LEN - ETH_HEADER_LEN,
};

/* Why an answer is withheld, or DROP_COUNT. */
static enum drop_reason withheld(struct net *net)
{
	if (net->mem->level == MEM_SCARCE)
		return DROP_mem_low_input;
	if (!net_rate_take(&net->icmp_rate, net->now_ns))
		return DROP_icmp_rate;
	return DROP_COUNT;
}

/* m begins with the ICMP header; its checksum is computed, and back it goes. */
static void send_back(struct net *net, const struct net_dst *dst, struct rte_mbuf *m)
{
	struct rte_icmp_hdr *icmp = rte_pktmbuf_mtod(m, struct rte_icmp_hdr *);

	icmp->icmp_cksum = 0;
	icmp->icmp_cksum = ~rte_raw_cksum(icmp, m->data_len);
	ip4_encap(net, dst, dst->next, m, IPPROTO_ICMP, net->config.tcp.ttl, 0);
	net_reply_queue(net, dst->iface, m);
}

static void echo(struct net *net, struct rte_mbuf *m)
{
	const struct net_pkt *pkt = net_pkt_of(m);
	enum drop_reason reason = withheld(net);
	struct net_dst dst;

	if (reason != DROP_COUNT) {
		net_drop(net, m, reason);
		return;
	}
	net_dst_reply(net, &dst, m);
	rte_pktmbuf_adj(m, pkt->l4_off); /* IP options are not sent back */
	rte_pktmbuf_mtod(m, struct rte_icmp_hdr *)->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	counter_add(&net->counters->icmp_echo_replies, 1);
	send_back(net, &dst, m);
}

void icmp_input(struct net *net, struct rte_mbuf *m)
{
	const struct net_pkt *pkt = net_pkt_of(m);
	uint16_t mtu = net_iface_get(net->tables, m->port)->mtu;

	if (pkt->icmp_type == RTE_IP_ICMP_ECHO_REQUEST && pkt->icmp_code == 0 && !pkt->multi &&
	    m->pkt_len - ETH_HEADER_LEN <= mtu)
		echo(net, m);
	else
		net_drop(net, m, DROP_icmp_ignored);
}

void icmp_input_error(struct net *net, struct rte_mbuf *m)
{
	const struct net_pkt *pkt = net_pkt_of(m);
	int shard;

	if (pkt->proto == IPPROTO_UDP && !pkt->multi && pkt->icmp_type == ICMP_UNREACHABLE &&
	    pkt->icmp_code == ICMP_FRAGMENTATION_NEEDED) {
		udp_too_big(net, m);
		return;
	}
	if (pkt->proto != IPPROTO_TCP || pkt->multi) {
		net_drop(net, m, DROP_icmp_ignored);
		return;
	}
	/* Every shard that might hold the flow hears of it; the others find nothing. */
	tcp_icmp_error(net, &pkt->flow, pkt->seq, pkt->icmp_type, pkt->icmp_code, pkt->icmp_mtu);
	shard = net_owner_shard(net, m);
	if (shard >= 0 && shard != net->shard)
		net_hand_over(net, m, shard);
	else
		rte_pktmbuf_free(m);
}

/* RFC 1122 3.2.2: no error about what was sent to many. Fragments and errors never get here, and
 * martian sources neither. */
void icmp_port_unreachable(struct net *net, struct rte_mbuf *m)
{
	enum drop_reason reason;
	struct rte_icmp_hdr *icmp;
	struct net_dst dst;

	counter_add(&net->counters->drop[DROP_udp_no_port], 1);
	if (net_pkt_of(m)->multi) {
		rte_pktmbuf_free(m);
		return;
	}
	reason = rte_pktmbuf_headroom(m) < HEADROOM_NEEDED ? DROP_mem_none : withheld(net);
	if (reason != DROP_COUNT) {
		net_drop(net, m, reason);
		return;
	}
	net_dst_reply(net, &dst, m);
	rte_pktmbuf_adj(m, ETH_HEADER_LEN);
	if (m->data_len > QUOTED_LEN_MAX)
		rte_pktmbuf_trim(m, m->data_len - QUOTED_LEN_MAX);
	icmp = (struct rte_icmp_hdr *)rte_pktmbuf_prepend(m, ICMP_HEADER_LEN);
	*icmp = (struct rte_icmp_hdr){.icmp_type = ICMP_UNREACHABLE,
				      .icmp_code = ICMP_PORT_UNREACHABLE};
	send_back(net, &dst, m);
}

void icmp_quote(struct rte_mbuf *m, struct icmp_quote *quote)
{
	const struct net_pkt *pkt = net_pkt_of(m);
	uint16_t len = RTE_MIN(m->data_len, pkt->l4_off + 8) - ETH_HEADER_LEN;

	quote->len = 0;
	if (pkt->multi || len > sizeof(quote->bytes))
		return;
	quote->len = len;
	quote->iface = m->port;
	quote->local = pkt->flow.local;
	quote->remote = pkt->flow.remote;
	quote->mac = eth_header(m)->src_addr;
	memcpy(quote->bytes, rte_pktmbuf_mtod_offset(m, const void *, ETH_HEADER_LEN), len);
}

void icmp_reassembly_timeout(struct net *net, const struct icmp_quote *quote)
{
	const struct net_dst dst = {
		.source = quote->local,
		.next = quote->remote,
		.iface = quote->iface,
		.mtu = net_iface_get(net->tables, quote->iface)->mtu,
		.mac = quote->mac,
		.neigh_version = net->neigh_version,
		.recheck_ns = UINT64_MAX,
	};
	enum drop_reason reason = withheld(net);
	struct rte_mbuf *m = reason == DROP_COUNT ? mem_small_or_null(net->mem) : NULL;
	struct rte_icmp_hdr *icmp;

	if (!m) {
		counter_add(&net->counters->drop[reason == DROP_COUNT ? DROP_mem_none : reason], 1);
		return;
	}
	icmp = (struct rte_icmp_hdr *)rte_pktmbuf_append(m, ICMP_HEADER_LEN + quote->len);
	CHECK(icmp);
	*icmp = (struct rte_icmp_hdr){.icmp_type = ICMP_TIME_EXCEEDED,
				      .icmp_code = ICMP_REASSEMBLY};
	memcpy(icmp + 1, quote->bytes, quote->len);
	send_back(net, &dst, m);
}
