/*
 * The Ethernet header: 14 bytes, no VLAN tags. And what net/ says of the link: how far a frame may
 * be read before IPv4 takes over.
 */
#ifndef NET_ETH_H
#define NET_ETH_H

#include <rte_ether.h>
#include <rte_mbuf.h>

enum { ETH_HEADER_LEN = RTE_ETHER_HDR_LEN };

static inline struct rte_ether_hdr *eth_header(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
}

static inline void eth_header_write(struct rte_ether_hdr *eth, const struct rte_ether_addr *src,
				    const struct rte_ether_addr *dst, uint16_t ether_type)
{
	rte_ether_addr_copy(dst, &eth->dst_addr);
	rte_ether_addr_copy(src, &eth->src_addr);
	eth->ether_type = rte_cpu_to_be_16(ether_type);
}

#endif
