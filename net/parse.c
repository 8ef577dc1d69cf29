#include "net/parse.h"

#include "net/checksum.h"
#include "net/eth.h"

#include <rte_icmp.h>
#include <rte_ip.h>

enum {
	IP4_LEN_MIN = 20,
	IP4_OPTION_LSRR = 131,
	IP4_OPTION_SSRR = 137,
	TCP_LEN_MIN = 20,
	UDP_LEN = 8,
	ICMP_LEN_MIN = 8,
	ICMP_UNREACHABLE = 3,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER_PROBLEM = 12,
	ICMP_FRAGMENTATION_NEEDED = 4,
};

/* What every ICMP error quotes behind the IP header (RFC 792): enough of TCP to know the segment.
 */
struct quoted_l4 {
	rte_be16_t src_port, dst_port;
	rte_be32_t seq;
} __rte_packed;

static bool sum_is_good(const struct rte_mbuf *m, uint64_t mask, uint64_t good, uint64_t none)
{
	uint64_t state = m->ol_flags & mask;

	return state == good || state == none;
}

/* The sum over a whole, valid message is all ones. */
static bool l4_sum_ok(const struct rte_ipv4_hdr *ip, const void *l4, uint16_t len)
{
	return checksum_fold(checksum_pseudo(ip, len) + rte_raw_cksum(l4, len)) == UINT16_MAX;
}

static bool l4_checksum_ok(const struct rte_mbuf *m, const struct rte_ipv4_hdr *ip, const void *l4,
			   uint16_t len)
{
	/* NONE: the bytes never left this machine, only the field was not filled in. */
	if (sum_is_good(m, RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD,
			RTE_MBUF_F_RX_L4_CKSUM_NONE))
		return true;
	return l4_sum_ok(ip, l4, len);
}

static enum drop_reason parse_tcp(struct rte_mbuf *m, const struct rte_ipv4_hdr *ip,
				  uint16_t l4_len)
{
	struct net_pkt *pkt = net_pkt_of(m);
	const struct rte_tcp_hdr *tcp = net_pkt_tcp(m);
	uint16_t header_len;

	if (pkt->multi)
		return DROP_tcp_not_unicast;
	if (l4_len < TCP_LEN_MIN)
		return DROP_tcp_bad;
	header_len = (tcp->data_off >> 4) * 4;
	if (header_len < TCP_LEN_MIN || header_len > l4_len || !tcp->src_port || !tcp->dst_port)
		return DROP_tcp_bad;
	if (!l4_checksum_ok(m, ip, tcp, l4_len))
		return DROP_tcp_checksum;
	pkt->kind = NET_PKT_TCP;
	pkt->flow.local_port = tcp->dst_port;
	pkt->flow.remote_port = tcp->src_port;
	pkt->payload_off = pkt->l4_off + header_len;
	pkt->payload_len = l4_len - header_len;
	pkt->seq = rte_be_to_cpu_32(tcp->sent_seq);
	pkt->ack = rte_be_to_cpu_32(tcp->recv_ack);
	pkt->wnd = rte_be_to_cpu_16(tcp->rx_win);
	pkt->urgent = rte_be_to_cpu_16(tcp->tcp_urp);
	pkt->tcp_flags = tcp->tcp_flags;
	return PARSE_OK;
}

static enum drop_reason parse_udp(struct rte_mbuf *m, const struct rte_ipv4_hdr *ip,
				  uint16_t l4_len)
{
	struct net_pkt *pkt = net_pkt_of(m);
	const struct rte_udp_hdr *udp =
		rte_pktmbuf_mtod_offset(m, struct rte_udp_hdr *, pkt->l4_off);
	uint16_t len;

	if (l4_len < UDP_LEN)
		return DROP_udp_bad;
	len = rte_be_to_cpu_16(udp->dgram_len);
	if (len < UDP_LEN || len > l4_len || !udp->dst_port)
		return DROP_udp_bad;
	if (udp->dgram_cksum && !l4_checksum_ok(m, ip, udp, len))
		return DROP_udp_checksum;
	pkt->kind = NET_PKT_UDP;
	pkt->flow.local_port = udp->dst_port;
	pkt->flow.remote_port = udp->src_port; /* zero is legal: no answer is expected */
	pkt->payload_off = pkt->l4_off + UDP_LEN;
	pkt->payload_len = len - UDP_LEN;
	return PARSE_OK;
}

/* The packet that an error quotes is one of ours: its source is the flow's local end. */
static enum drop_reason parse_quoted(const struct net_tables *tables, struct rte_mbuf *m)
{
	struct net_pkt *pkt = net_pkt_of(m);
	const struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, pkt->payload_off);
	uint16_t header_len;
	const struct quoted_l4 *quoted;

	if (pkt->payload_len < IP4_LEN_MIN + (int)sizeof(struct quoted_l4))
		return DROP_icmp_bad;
	header_len = rte_ipv4_hdr_len(ip);
	if (ip->version_ihl >> 4 != 4 || header_len < IP4_LEN_MIN ||
	    header_len + (int)sizeof(struct quoted_l4) > pkt->payload_len)
		return DROP_icmp_bad;
	pkt->flow.local.v4 = ip->src_addr;
	pkt->flow.remote.v4 = ip->dst_addr;
	pkt->proto = ip->next_proto_id;
	if (net_iface_of(tables, pkt->flow.local) < 0 ||
	    (pkt->proto != IPPROTO_TCP && pkt->proto != IPPROTO_UDP) ||
	    ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK))
		return DROP_icmp_ignored;
	quoted =
		rte_pktmbuf_mtod_offset(m, const struct quoted_l4 *, pkt->payload_off + header_len);
	pkt->flow.local_port = quoted->src_port;
	pkt->flow.remote_port = quoted->dst_port;
	pkt->seq = rte_be_to_cpu_32(quoted->seq);
	pkt->kind = NET_PKT_ICMP_ERROR;
	return PARSE_OK;
}

static enum drop_reason parse_icmp(const struct net_tables *tables, struct rte_mbuf *m,
				   uint16_t l4_len)
{
	struct net_pkt *pkt = net_pkt_of(m);
	const struct rte_icmp_hdr *icmp =
		rte_pktmbuf_mtod_offset(m, struct rte_icmp_hdr *, pkt->l4_off);

	if (l4_len < ICMP_LEN_MIN || rte_raw_cksum(icmp, l4_len) != 0xffff)
		return DROP_icmp_bad;
	pkt->kind = NET_PKT_ICMP;
	pkt->icmp_type = icmp->icmp_type;
	pkt->icmp_code = icmp->icmp_code;
	pkt->payload_off = pkt->l4_off + ICMP_LEN_MIN;
	pkt->payload_len = l4_len - ICMP_LEN_MIN;
	switch (icmp->icmp_type) {
	case ICMP_UNREACHABLE:
		/* RFC 1191: the next hop's MTU is in what used to be a spare half word. */
		pkt->icmp_mtu = icmp->icmp_code == ICMP_FRAGMENTATION_NEEDED
					? rte_be_to_cpu_16(icmp->icmp_seq_nb)
					: 0;
		return parse_quoted(tables, m);
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETER_PROBLEM:
		return parse_quoted(tables, m);
	default:
		return PARSE_OK;
	}
}

/* Options are skipped, but they must be well formed as far as they go (MUST-50). */
static enum drop_reason check_options(const uint8_t *option, const uint8_t *end)
{
	while (option < end && *option != RTE_IPV4_HDR_OPT_EOL) {
		if (*option == RTE_IPV4_HDR_OPT_NOP) {
			option++;
			continue;
		}
		if (end - option < 2 || option[1] < 2 || option[1] > end - option)
			return DROP_ip_bad;
		if (*option == IP4_OPTION_LSRR || *option == IP4_OPTION_SSRR)
			return DROP_ip_source_route;
		option += option[1];
	}
	return PARSE_OK;
}

static bool header_sum_ok(const struct rte_ipv4_hdr *ip, uint16_t header_len)
{
	uint64_t sum = checksum_ip4(ip);

	if (header_len > IP4_LEN_MIN)
		sum += rte_raw_cksum(ip + 1, header_len - IP4_LEN_MIN);
	return checksum_fold(sum) == UINT16_MAX;
}

/* Version, lengths, checksum, options. */
static enum drop_reason check_header(struct rte_mbuf *m, struct rte_ipv4_hdr *ip)
{
	uint16_t room = m->data_len - ETH_HEADER_LEN;
	uint16_t header_len, total_len;

	if (room < IP4_LEN_MIN || ip->version_ihl >> 4 != 4)
		return DROP_ip_bad;
	header_len = rte_ipv4_hdr_len(ip);
	total_len = rte_be_to_cpu_16(ip->total_length);
	if (header_len < IP4_LEN_MIN || total_len < header_len || total_len > room)
		return DROP_ip_bad;
	if (!sum_is_good(m, RTE_MBUF_F_RX_IP_CKSUM_MASK, RTE_MBUF_F_RX_IP_CKSUM_GOOD,
			 RTE_MBUF_F_RX_IP_CKSUM_NONE) &&
	    !header_sum_ok(ip, header_len))
		return DROP_ip_checksum;
	if (header_len > IP4_LEN_MIN)
		return check_options((uint8_t *)(ip + 1), (uint8_t *)ip + header_len);
	return PARSE_OK;
}

/* RFC 1122 3.2.1.3: addresses that no packet from outside can have as its source. */
static bool source_is_martian(const struct net_tables *tables, struct ip_addr addr)
{
	return ip_addr_is_this_net(addr) || ip_addr_is_loopback(addr) ||
	       ip_addr_is_multicast(addr) || ip_addr_is_reserved(addr) ||
	       net_iface_of(tables, addr) >= 0 || net_addr_is_broadcast(tables, addr);
}

/* Sets pkt->multi if the destination or the frame was addressed to more than one host. */
static enum drop_reason check_destination(const struct net_tables *tables, struct rte_mbuf *m,
					  struct ip_addr addr, uint8_t proto)
{
	struct net_pkt *pkt = net_pkt_of(m);
	bool link_multi = rte_is_multicast_ether_addr(&eth_header(m)->dst_addr);

	pkt->multi = true;
	if (ip_addr_is_multicast(addr)) /* there are no groups to be a member of */
		return proto == IPPROTO_TCP ? DROP_tcp_not_unicast : DROP_ip_not_ours;
	if (net_addr_is_broadcast(tables, addr))
		return PARSE_OK;
	pkt->multi = link_multi;
	if (net_iface_of(tables, addr) < 0)
		return DROP_ip_not_ours;
	/* RFC 1122 3.3.6: a unicast packet in a broadcast frame is somebody's mistake or trick. */
	if (link_multi)
		return proto == IPPROTO_TCP ? DROP_tcp_not_unicast : DROP_ip_not_ours;
	return PARSE_OK;
}

/* All fragments of a datagram have the same "flow", and so the same shard. */
static enum drop_reason parse_fragment(struct rte_mbuf *m, const struct rte_ipv4_hdr *ip)
{
	struct net_pkt *pkt = net_pkt_of(m);

	if (pkt->proto != IPPROTO_TCP && pkt->proto != IPPROTO_UDP && pkt->proto != IPPROTO_ICMP)
		return DROP_ip_protocol;
	pkt->kind = NET_PKT_FRAGMENT;
	pkt->flow.local_port = ip->packet_id;
	pkt->flow.remote_port = rte_cpu_to_be_16(pkt->proto);
	return PARSE_OK;
}

static enum drop_reason parse_ip4(const struct net_tables *tables, struct rte_mbuf *m)
{
	struct net_pkt *pkt = net_pkt_of(m);
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, ETH_HEADER_LEN);
	enum drop_reason reason = check_header(m, ip);
	uint16_t total_len, l4_len;

	if (reason != PARSE_OK)
		return reason;
	pkt->flow.local.v4 = ip->dst_addr;
	pkt->flow.remote.v4 = ip->src_addr;
	pkt->proto = ip->next_proto_id;
	pkt->tos = ip->type_of_service;
	if (source_is_martian(tables, pkt->flow.remote))
		return DROP_ip_source;
	reason = check_destination(tables, m, pkt->flow.local, pkt->proto);
	if (reason != PARSE_OK)
		return reason;
	total_len = rte_be_to_cpu_16(ip->total_length);
	l4_len = total_len - rte_ipv4_hdr_len(ip);
	rte_pktmbuf_trim(m, m->data_len - ETH_HEADER_LEN - total_len);
	pkt->l4_off = ETH_HEADER_LEN + rte_ipv4_hdr_len(ip);
	if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
		return parse_fragment(m, ip);
	switch (pkt->proto) {
	case IPPROTO_TCP:
		return parse_tcp(m, ip, l4_len);
	case IPPROTO_UDP:
		return parse_udp(m, ip, l4_len);
	case IPPROTO_ICMP:
		return parse_icmp(tables, m, l4_len);
	default:
		return DROP_ip_protocol;
	}
}

enum drop_reason parse_frame(const struct net_tables *tables, struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = eth_header(m);
	struct net_pkt *pkt = net_pkt_of(m);

	*pkt = (struct net_pkt){.kind = NET_PKT_ARP};
	if (m->data_len < ETH_HEADER_LEN)
		return DROP_eth_short;
	if (!rte_is_valid_assigned_ether_addr(&eth->src_addr))
		return DROP_eth_source;
	if (!rte_is_same_ether_addr(&eth->dst_addr, &net_iface_get(tables, m->port)->mac) &&
	    !rte_is_multicast_ether_addr(&eth->dst_addr))
		return DROP_eth_not_ours;
	switch (eth->ether_type) {
	case RTE_BE16(RTE_ETHER_TYPE_IPV4):
		return parse_ip4(tables, m);
	case RTE_BE16(RTE_ETHER_TYPE_ARP):
		return PARSE_OK;
	default:
		return DROP_eth_type;
	}
}
