/*
 * What is known about a received packet after net/parse.c looked at it: legal values, taken from
 * the bytes once, so that nobody above looks at raw headers. It lies in the packet's scratch bytes
 * and crosses mailboxes with it. The mbuf itself is left as it came: data starts at the Ethernet
 * header, padding behind the IP packet is cut off, it is one segment, and nobody else holds it.
 *
 *      0          14       l4_off             payload_off        payload_off + payload_len
 *      | Ethernet | IPv4 .. | TCP/UDP/ICMP ... | payload ........ |
 */
#ifndef NET_PKT_H
#define NET_PKT_H

#include "mem/pbuf.h"
#include "net/addr.h"

#include <netinet/in.h>
#include <rte_tcp.h>
#include <rte_udp.h>

/* What a packet asks for; proto alone does not tell an echo request from an error about a flow. */
enum net_pkt_kind {
	NET_PKT_TCP,
	NET_PKT_UDP,
	NET_PKT_FRAGMENT,   /* of IPv4; the flow's ports are the datagram's id and protocol */
	NET_PKT_ICMP_ERROR, /* about the flow, of the protocol proto */
	NET_PKT_ICMP,	    /* any other ICMP message */
	NET_PKT_ARP,
};

/* Header checksums of everything that gets here were verified, by the device or in software. */
struct net_pkt {
	/* Of an ICMP error: of the packet that it is about, which we sent. */
	struct net_flow flow;
	uint8_t kind;  /* enum net_pkt_kind */
	uint8_t proto; /* IPPROTO_TCP, IPPROTO_UDP; of an ICMP error that of the flow */
	uint8_t tos;   /* DSCP and ECN as they came */
	bool multi;    /* to a broadcast or multicast address, of the link or of IP */
	uint16_t l4_off, payload_off, payload_len;

	uint16_t wnd; /* TCP: as it came, without scaling */
	uint32_t seq; /* TCP: host order; of an ICMP error about TCP that of the packet we sent */
	uint32_t ack;
	uint8_t tcp_flags; /* RTE_TCP_*_FLAG */
	uint8_t icmp_type, icmp_code;

	/* Steering. The hash itself is in m->hash.rss. */
	uint8_t hop_count; /* hand-overs after the one to the owner by hash */
	bool walked;	   /* every shard that might hold the flow was asked */
	uint16_t owner;	   /* the owner by hash */
	uint16_t urgent;   /* TCP: urgent pointer */
	uint16_t icmp_mtu; /* of "fragmentation needed"; 0: not told */
};

_Static_assert(sizeof(struct net_pkt) <= PBUF_SCRATCH_LEN, "lives in the scratch bytes");
_Static_assert(_Alignof(struct net_pkt) <= 4, "scratch bytes are aligned to 4");

static inline struct net_pkt *net_pkt_of(struct rte_mbuf *m)
{
	return (struct net_pkt *)pbuf_of(m)->scratch;
}

/* The TCP header with its options, (payload_off - l4_off) bytes. */
static inline struct rte_tcp_hdr *net_pkt_tcp(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, struct rte_tcp_hdr *, net_pkt_of(m)->l4_off);
}

/* SEG.LEN of RFC 9293: payload, SYN and FIN. */
static inline uint32_t net_pkt_seg_len(const struct net_pkt *pkt)
{
	return pkt->payload_len + !!(pkt->tcp_flags & RTE_TCP_SYN_FLAG) +
	       !!(pkt->tcp_flags & RTE_TCP_FIN_FLAG);
}

#endif
