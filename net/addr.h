/*
 * An IP address and what is asked of it. IPv6 will widen the struct; nobody outside this file looks
 * inside except the code that reads and writes IPv4 headers.
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <rte_byteorder.h>
#include <stdbool.h>
#include <stdint.h>

struct ip_addr {
	rte_be32_t v4;
};

struct net_endpoint {
	struct ip_addr addr; /* all zero: any */
	rte_be16_t port;     /* zero: any */
};

/* Both ends of a flow as its local host sees it; also a hash key, so there is no padding. */
struct net_flow {
	struct ip_addr local, remote;
	rte_be16_t local_port, remote_port;
};

_Static_assert(sizeof(struct net_flow) == 12, "hashed as bytes");

static inline bool ip_addr_eq(struct ip_addr a, struct ip_addr b)
{
	return a.v4 == b.v4;
}

static inline bool ip_addr_is_any(struct ip_addr a)
{
	return a.v4 == 0;
}

static inline bool ip_addr_is_multicast(struct ip_addr a)
{
	return (rte_be_to_cpu_32(a.v4) & 0xf0000000u) == 0xe0000000u;
}

/* 0.0.0.0/8: a host that does not know its network, never one to reach (RFC 1122 3.2.1.3). */
static inline bool ip_addr_is_this_net(struct ip_addr a)
{
	return (rte_be_to_cpu_32(a.v4) & 0xff000000u) == 0;
}

static inline bool ip_addr_is_loopback(struct ip_addr a)
{
	return (rte_be_to_cpu_32(a.v4) & 0xff000000u) == 0x7f000000u;
}

/* 240.0.0.0/4, the limited broadcast among it. */
static inline bool ip_addr_is_reserved(struct ip_addr a)
{
	return (rte_be_to_cpu_32(a.v4) & 0xf0000000u) == 0xf0000000u;
}

static inline bool net_flow_eq(const struct net_flow *a, const struct net_flow *b)
{
	return ip_addr_eq(a->local, b->local) && ip_addr_eq(a->remote, b->remote) &&
	       a->local_port == b->local_port && a->remote_port == b->remote_port;
}

#endif
