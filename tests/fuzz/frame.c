#include "frame.h"

#include "mem/check.h"
#include "net/tcp_opt.h"

#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <string.h>

enum { FRAGMENT_BITS = RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK };

/* --- checksums --- */

static void sum_l4(struct rte_ipv4_hdr *ip, uint8_t *l4, uint32_t len)
{
	if (ip->next_proto_id == IPPROTO_TCP && len >= sizeof(struct rte_tcp_hdr)) {
		struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)l4;

		tcp->cksum = 0;
		tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
	} else if (ip->next_proto_id == IPPROTO_UDP && len >= sizeof(struct rte_udp_hdr)) {
		struct rte_udp_hdr *udp = (struct rte_udp_hdr *)l4;

		udp->dgram_cksum = 0;
		if (rte_be_to_cpu_16(udp->dgram_len) == len)
			udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
	} else if (ip->next_proto_id == IPPROTO_ICMP && len >= sizeof(struct rte_icmp_hdr)) {
		struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)l4;

		icmp->icmp_cksum = 0;
		icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(l4, len);
	}
}

void frame_sum(uint8_t *frame, uint32_t len)
{
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + sizeof(*eth));
	uint32_t header_len, total_len;

	if (len < sizeof(*eth) + sizeof(*ip) || eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4))
		return;
	header_len = rte_ipv4_hdr_len(ip);
	total_len = rte_be_to_cpu_16(ip->total_length);
	if (header_len < sizeof(*ip) || total_len < header_len || total_len > len - sizeof(*eth))
		return;
	if (!(ip->fragment_offset & RTE_BE16(FRAGMENT_BITS)))
		sum_l4(ip, (uint8_t *)ip + header_len, total_len - header_len);
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, header_len);
}

static void check_sums(const uint8_t *frame, uint32_t len)
{
	uint8_t again[FRAME_LEN_MAX];

	memcpy(again, frame, len);
	frame_sum(again, len);
	CHECK(memcmp(again, frame, len) == 0);
}

/* --- what leaves --- */

static void check_arp(const uint8_t *frame, uint32_t len)
{
	const struct rte_arp_hdr *arp = (const struct rte_arp_hdr *)(frame + FRAME_ETH_LEN);
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)frame;

	CHECK(len >= FRAME_ETH_LEN + sizeof(*arp));
	CHECK(arp->arp_hardware == RTE_BE16(1) &&
	      arp->arp_protocol == RTE_BE16(RTE_ETHER_TYPE_IPV4));
	CHECK(arp->arp_hlen == 6 && arp->arp_plen == 4);
	CHECK(arp->arp_opcode == RTE_BE16(1) || arp->arp_opcode == RTE_BE16(2));
	CHECK(arp->arp_data.arp_sip == HOST_ADDR || arp->arp_data.arp_sip == 0);
	CHECK(rte_is_same_ether_addr(&arp->arp_data.arp_sha, &eth->src_addr));
}

static void check_tcp(const struct rte_tcp_hdr *tcp, uint32_t len)
{
	const uint32_t header_len = (uint32_t)(tcp->data_off >> 4) * 4;
	const uint8_t flags = tcp->tcp_flags;
	struct tcp_opts opts;

	CHECK(len >= sizeof(*tcp) && header_len >= sizeof(*tcp) && header_len <= len);
	CHECK(tcp_opt_parse(&opts, (const uint8_t *)(tcp + 1),
			    header_len - (uint32_t)sizeof(*tcp)));
	CHECK(tcp->src_port && tcp->dst_port);
	/* One of SYN, RST and ACK at least; SYN neither with FIN nor RST; no FIN without ACK. */
	CHECK(flags & (RTE_TCP_SYN_FLAG | RTE_TCP_RST_FLAG | RTE_TCP_ACK_FLAG));
	CHECK(!(flags & RTE_TCP_SYN_FLAG) || !(flags & (RTE_TCP_FIN_FLAG | RTE_TCP_RST_FLAG)));
	CHECK(!(flags & RTE_TCP_FIN_FLAG) || flags & RTE_TCP_ACK_FLAG);
	CHECK(flags & RTE_TCP_ACK_FLAG || tcp->recv_ack == 0);
	CHECK(flags & RTE_TCP_URG_FLAG || tcp->tcp_urp == 0);
	/* What belongs to a SYN is nowhere else. */
	CHECK(flags & RTE_TCP_SYN_FLAG ||
	      !(opts.present & (TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_SACK_PERMITTED)));
	CHECK(!(flags & RTE_TCP_SYN_FLAG) || !(opts.present & TCP_OPT_SACK));
	CHECK(!(flags & (RTE_TCP_SYN_FLAG | RTE_TCP_RST_FLAG)) || header_len == len);
}

static void check_icmp(const struct rte_icmp_hdr *icmp, uint32_t len)
{
	const struct rte_ipv4_hdr *quoted = (const struct rte_ipv4_hdr *)(icmp + 1);

	CHECK(len >= sizeof(*icmp));
	if (icmp->icmp_type == RTE_IP_ICMP_ECHO_REPLY)
		return;
	/* An error quotes a header and eight bytes, of what came to us (RFC 1122 3.2.2). */
	CHECK(icmp->icmp_type == 3 || icmp->icmp_type == 11 || icmp->icmp_type == 12);
	CHECK(len >= sizeof(*icmp) + sizeof(*quoted) + 8);
	CHECK(quoted->version_ihl >> 4 == 4 && quoted->dst_addr == HOST_ADDR);
}

static void check_ip4(const uint8_t *frame, uint32_t len)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + FRAME_ETH_LEN);
	const uint32_t l4_len = len - FRAME_ETH_LEN - FRAME_IP_LEN;

	CHECK(len >= FRAME_ETH_LEN + FRAME_IP_LEN && ip->version_ihl == 0x45);
	CHECK(rte_be_to_cpu_16(ip->total_length) == len - FRAME_ETH_LEN);
	CHECK(ip->src_addr == HOST_ADDR && ip->dst_addr != HOST_ADDR && ip->time_to_live > 0);
	CHECK(!(ip->fragment_offset & RTE_BE16(FRAGMENT_BITS)));
	check_sums(frame, len);
	if (ip->next_proto_id == IPPROTO_TCP)
		check_tcp((const struct rte_tcp_hdr *)(ip + 1), l4_len);
	else if (ip->next_proto_id == IPPROTO_ICMP)
		check_icmp((const struct rte_icmp_hdr *)(ip + 1), l4_len);
	else
		CHECK(ip->next_proto_id == IPPROTO_UDP);
}

void frame_check(const uint8_t *frame, uint32_t len)
{
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)frame;

	CHECK(len >= FRAME_ETH_LEN && len <= FRAME_ETH_LEN + FRAME_MTU);
	CHECK(!rte_is_multicast_ether_addr(&eth->src_addr));
	if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP)) {
		check_arp(frame, len);
		return;
	}
	CHECK(eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4));
	check_ip4(frame, len);
}
