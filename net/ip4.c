#include "net/ip4.h"

#include "mem/check.h"
#include "net/checksum.h"

#include <netinet/in.h>
#include <rte_tcp.h>
#include <rte_udp.h>

void ip4_header_write(struct rte_ipv4_hdr *ip, struct ip_addr source, struct ip_addr remote,
		      uint8_t proto, uint8_t ttl, uint8_t tos, uint16_t total_len)
{
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.type_of_service = tos,
		.total_length = rte_cpu_to_be_16(total_len),
		.fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = ttl,
		.next_proto_id = proto,
		.src_addr = source.v4,
		.dst_addr = remote.v4,
	};
	ip->hdr_checksum = (uint16_t)~checksum_fold(checksum_ip4(ip));
}

/*
 * The checksum over pseudo header, transport header, whose sum is header_sum, and payload. Not
 * rte_raw_cksum_mbuf(): up to DPDK 22.11 it loses carries of a segment at an odd offset.
 */
static uint16_t l4_checksum(const struct rte_mbuf *m, const struct rte_ipv4_hdr *ip,
			    uint32_t header_len, uint64_t header_sum)
{
	uint32_t off = IP4_ENCAP_LEN + header_len, done = 0;
	uint64_t sum = header_sum + checksum_pseudo(ip, (uint16_t)(m->pkt_len - IP4_ENCAP_LEN));

	for (; m; m = m->next) {
		uint16_t part = rte_raw_cksum(rte_pktmbuf_mtod_offset(m, const void *, off),
					      m->data_len - off);

		sum += done & 1 ? rte_bswap16(part) : part;
		done += m->data_len - off;
		off = 0;
	}
	return (uint16_t)~checksum_fold(sum);
}

/* For the device: the pseudo header's sum to start from, and where the headers lie. */
static uint16_t l4_offload(struct rte_mbuf *m, const struct rte_ipv4_hdr *ip, uint64_t flag,
			   uint8_t header_len)
{
	m->ol_flags |= RTE_MBUF_F_TX_IPV4 | flag;
	m->l4_len = header_len;
	return checksum_fold(checksum_pseudo(ip, (uint16_t)(m->pkt_len - IP4_ENCAP_LEN)));
}

static void fill_tcp(const struct net_iface *iface, struct rte_mbuf *m,
		     const struct rte_ipv4_hdr *ip)
{
	struct rte_tcp_hdr *tcp = rte_pktmbuf_mtod_offset(m, struct rte_tcp_hdr *, IP4_ENCAP_LEN);
	const uint8_t header_len = (tcp->data_off >> 4) * 4;

	tcp->cksum = 0;
	tcp->cksum = iface->tx_tcp_checksum
			     ? l4_offload(m, ip, RTE_MBUF_F_TX_TCP_CKSUM, header_len)
			     : l4_checksum(m, ip, header_len, checksum_tcp(tcp, header_len));
}

static void fill_udp(const struct net_iface *iface, struct rte_mbuf *m,
		     const struct rte_ipv4_hdr *ip)
{
	struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, struct rte_udp_hdr *, IP4_ENCAP_LEN);

	udp->dgram_cksum = 0;
	udp->dgram_cksum = iface->tx_udp_checksum
				   ? l4_offload(m, ip, RTE_MBUF_F_TX_UDP_CKSUM, sizeof(*udp))
				   : l4_checksum(m, ip, sizeof(*udp), checksum_udp(udp));
	if (udp->dgram_cksum == 0 && !iface->tx_udp_checksum)
		udp->dgram_cksum = UINT16_MAX; /* RFC 768: zero would say that there is none */
}

void ip4_encap(const struct net *net, const struct net_dst *dst, struct ip_addr remote,
	       struct rte_mbuf *m, uint8_t proto, uint8_t ttl, uint8_t tos)
{
	const struct net_iface *iface = net_iface_get(net->tables, dst->iface);
	uint32_t total_len = m->pkt_len + IP4_HEADER_LEN;
	char *headers = rte_pktmbuf_prepend(m, IP4_ENCAP_LEN);
	struct rte_ipv4_hdr *ip;

	CHECK(headers && total_len <= UINT16_MAX);
	ip = (struct rte_ipv4_hdr *)(headers + ETH_HEADER_LEN);
	eth_header_write((struct rte_ether_hdr *)headers, &iface->mac, &dst->mac,
			 RTE_ETHER_TYPE_IPV4);
	ip4_header_write(ip, dst->source, remote, proto, ttl, tos, total_len);

	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	m->l2_len = ETH_HEADER_LEN;
	m->l3_len = IP4_HEADER_LEN;
	if (iface->tx_ip_checksum) {
		m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
		ip->hdr_checksum = 0;
	}
	if (proto == IPPROTO_TCP)
		fill_tcp(iface, m, ip);
	else if (proto == IPPROTO_UDP)
		fill_udp(iface, m, ip);
}
