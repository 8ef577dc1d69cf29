/*
 * What a shard knows of paths' MTUs (RFC 1191), by destination, so that the next connection or
 * datagram need not find out again. A few hundred at most, the oldest gives way; after ten minutes
 * one is forgotten, as paths change, and the link's own MTU is tried anew.
 */
#ifndef NET_PATH_H
#define NET_PATH_H

#include "net/addr.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	PATH_SETS = 64, /* a power of two */
	PATH_WAYS = 4,
	PATH_MTU_MIN = 552, /* the least that is believed; Linux's, too */
};
#define PATH_LIFE_NS (600ull * 1000 * 1000 * 1000) /* RFC 1191 6.3 */

struct path {
	struct ip_addr remote;
	uint16_t mtu;
	uint64_t end_ns; /* 0: free */
};

/* Zeros are an empty one; seed keeps others from choosing what falls into one set. */
struct path_cache {
	uint32_t seed;
	bool used;
	struct path paths[PATH_SETS][PATH_WAYS];
};

/* A router said that packets to remote may have mtu bytes, 0: without a number; so far they had
 * now_mtu. Returns what they may have from now on: less, or now_mtu if that is no news. */
uint16_t path_lower(struct path_cache *cache, struct ip_addr remote, uint16_t now_mtu, uint16_t mtu,
		    uint64_t now_ns);

/* The slow part of path_mtu(). */
uint16_t path_look_up(const struct path_cache *cache, struct ip_addr remote, uint16_t link_mtu,
		      uint64_t now_ns);

/* Bytes of an IP packet to remote, over a link of link_mtu. */
static inline uint16_t path_mtu(const struct path_cache *cache, struct ip_addr remote,
				uint16_t link_mtu, uint64_t now_ns)
{
	return cache->used ? path_look_up(cache, remote, link_mtu, now_ns) : link_mtu;
}

#endif
