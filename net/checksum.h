/*
 * Internet checksums (RFC 1071) of headers, from their fields. rte_raw_cksum() is for payload: read
 * in vectors, a header that was just written in small pieces has to leave the store buffer first,
 * which takes longer than the sum. All is in network order.
 */
#ifndef NET_CHECKSUM_H
#define NET_CHECKSUM_H

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <stdint.h>
#include <string.h>

/* A sum of any fields and sums, to 16 bits, not complemented. Half of a number added to the other
 * half with the carry added again: that is the upper half of what the number and the number turned
 * round by half add up to. */
static inline uint16_t checksum_fold(uint64_t sum)
{
	uint32_t half = (uint32_t)((sum + (sum >> 32 | sum << 32)) >> 32);

	return (uint16_t)((half + (half >> 16 | half << 16)) >> 16);
}

/* The sum of the pseudo header that TCP and UDP add (RFC 9293 3.1); len: of header and payload. */
static inline uint64_t checksum_pseudo(const struct rte_ipv4_hdr *ip, uint16_t len)
{
	return (uint64_t)ip->src_addr + ip->dst_addr + rte_cpu_to_be_16(ip->next_proto_id) +
	       rte_cpu_to_be_16(len);
}

/* The sum of an IPv4 header without options, with its checksum field. */
static inline uint64_t checksum_ip4(const struct rte_ipv4_hdr *ip)
{
	return (uint64_t)ip->src_addr + ip->dst_addr +
	       rte_cpu_to_be_16((uint16_t)(ip->version_ihl << 8 | ip->type_of_service)) +
	       ip->total_length + ip->packet_id + ip->fragment_offset +
	       rte_cpu_to_be_16((uint16_t)(ip->time_to_live << 8 | ip->next_proto_id)) +
	       ip->hdr_checksum;
}

/* The sum of a transport header; its own field counts as zero. */
static inline uint64_t checksum_udp(const struct rte_udp_hdr *udp)
{
	return (uint64_t)udp->src_port + udp->dst_port + udp->dgram_len;
}

static inline uint64_t checksum_tcp(const struct rte_tcp_hdr *tcp, uint32_t header_len)
{
	const uint8_t *options = (const uint8_t *)(tcp + 1);
	uint64_t sum = (uint64_t)tcp->src_port + tcp->dst_port + tcp->sent_seq + tcp->recv_ack +
		       rte_cpu_to_be_16((uint16_t)(tcp->data_off << 8 | tcp->tcp_flags)) +
		       tcp->rx_win + tcp->tcp_urp;

	for (uint32_t at = 0; at < header_len - sizeof(*tcp); at += sizeof(uint32_t)) {
		uint32_t word;

		memcpy(&word, options + at, sizeof(word));
		sum += word;
	}
	return sum;
}

#endif
