/*
 * IPv4 outward: headers in front of a transport header, and checksums, by the device where it can.
 * No options, never fragments: DF is set and the id is 0 (RFC 6864 4.1).
 */
#ifndef NET_IP4_H
#define NET_IP4_H

#include "net/dst.h"
#include "net/eth.h"

#include <rte_ip.h>

enum {
	IP4_HEADER_LEN = 20,
	IP4_ENCAP_LEN = ETH_HEADER_LEN + IP4_HEADER_LEN, /* headroom that ip4_encap() takes */
	IP4_TTL_DEFAULT = 64,
	IP4_MTU_MIN = 68, /* RFC 791 */
};

/* Every field, the checksum too; total_len is header and payload. */
void ip4_header_write(struct rte_ipv4_hdr *ip, struct ip_addr source, struct ip_addr remote,
		      uint8_t proto, uint8_t ttl, uint8_t tos, uint16_t total_len);

/*
 * Makes a frame of a packet that begins with its TCP, UDP or ICMP header (any number of segments,
 * the header whole in the first, pkt_len right, at least IP4_ENCAP_LEN bytes of headroom that may
 * be written): prepends Ethernet and IPv4 headers and fills in the checksums of IPv4 and of TCP or
 * UDP, or leaves them to the device where dst's interface says so (ol_flags, l2_len, l3_len,
 * l4_len). An ICMP checksum is the caller's. dst must be resolved. m->ol_flags loses its other
 * transmit flags.
 */
void ip4_encap(const struct net *net, const struct net_dst *dst, struct ip_addr remote,
	       struct rte_mbuf *m, uint8_t proto, uint8_t ttl, uint8_t tos);

/* Adds the MAC addresses again, to a frame whose next hop was not known before. */
static inline void ip4_readdress(const struct net_dst *dst, struct rte_mbuf *m)
{
	rte_ether_addr_copy(&dst->mac, &eth_header(m)->dst_addr);
}

#endif
