/*
 * A world for the tests of what is below TCP: a few shards' stacks on bare mbufs, a clock that is
 * handed in, an env that notes what it was told, and a TCP that is not there (fake_tcp). One link,
 * 10.0.0.0/24, on which we are 10.0.0.1, and a second one, 192.168.5.0/24.
 */
#ifndef TESTS_NET_BELOW_TCP_H
#define TESTS_NET_BELOW_TCP_H

#include "mem/rcu.h"
#include "net/stack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { WORLD_SHARD_MAX = 4, WORLD_NOTE_MAX = 1024, FRAME_LEN_MAX = 1600 };

#define MS (1000ull * 1000)
#define S  (1000 * MS)

#define IP(a, b, c, d)                                                                             \
	((struct ip_addr){RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))})
#define OUR_IP	   IP(10, 0, 0, 1)
#define OUR_IP_2   IP(192, 168, 5, 1)
#define PEER_IP	   IP(10, 0, 0, 2)
#define GATEWAY_IP IP(10, 0, 0, 254)
#define OUR_MAC	   ((struct rte_ether_addr){{2, 0, 0, 0, 0, 1}})
#define OUR_MAC_2  ((struct rte_ether_addr){{2, 0, 0, 0, 5, 1}})
#define PEER_MAC   ((struct rte_ether_addr){{2, 0, 0, 0, 0, 2}})
#define OTHER_MAC  ((struct rte_ether_addr){{2, 0, 0, 0, 0, 3}})
#define ALL_MAC	   ((struct rte_ether_addr){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}})

struct world;

struct handed {
	struct rte_mbuf *m;
	uint16_t from, to;
};

struct world_shard {
	struct world *world;
	uint16_t index;
	struct net *net;
	struct counters counters;
};

struct world {
	struct net_iface ifaces[2];
	struct net_tables *tables;
	struct mem mem;
	struct mem_use use;
	uint16_t shard_count;
	uint64_t now_ns, random;
	struct world_shard shards[WORLD_SHARD_MAX];
	unsigned handed_count, news_count;
	struct handed handed[WORLD_NOTE_MAX];
	struct net_neigh_event news[WORLD_NOTE_MAX];
};

/* What the fake TCP was told, and what it shall say. */
struct fake_tcp {
	unsigned input_count, neigh_changed_count, poll_count, error_count;
	struct net_pkt last; /* the last packet that came in */
	uint16_t last_shard; /* and at whom */
	uint8_t payload[64]; /* and its first bytes */
	struct net_flow error_flow;
	uint32_t error_seq;
	uint8_t error_type, error_code;
	uint16_t error_mtu;
	uint64_t errors_at; /* set of shards that heard of an error */
	/* Shards that know every flow; others ask net_owner_shard(), and -1 is noted as refused. */
	uint64_t knows;
	uint64_t listens; /* shards that take new flows */
	unsigned refused_count, loop_count;
	uint64_t deadline_ns;
	bool busy;
	struct rte_mbuf *output; /* one frame that wants out */
};
extern struct fake_tcp fake_tcp;

/* Group setup and teardown: the EAL without devices, and this thread a reader of RCU. */
int eal_setup(void **state);
int eal_teardown(void **state);
/* A world of shard_count shards; announcements are over; ends with world_end(), which checks that
 * no buffer is missing. */
struct world *world_begin(uint16_t shard_count);
void world_end(struct world *w);
static inline struct net *world_net(struct world *w, uint16_t shard)
{
	return w->shards[shard].net;
}
/* 1: the drop was counted since the world began, by any shard. */
uint64_t world_drops(const struct world *w, enum drop_reason reason);
uint64_t world_drops_all(const struct world *w);
/* Applies the news that shards told, as the control thread would. */
void world_apply_news(struct world *w);
void world_know(struct world *w, struct ip_addr addr, struct rte_ether_addr mac,
		enum net_neigh_news news);
/* Lets every packet that was handed over arrive, until none is under way. */
void world_deliver(struct world *w);
void world_poll(struct world *w, uint64_t after_ns);

/* --- frames --- */
struct frame {
	unsigned len;
	uint8_t bytes[FRAME_LEN_MAX];
};

/* From the peer to us, valid, payload bytes 0, 1, 2 ... */
struct frame frame_udp(uint16_t src_port, uint16_t dst_port, uint16_t len);
struct frame frame_tcp(uint16_t src_port, uint16_t dst_port, uint8_t flags, uint16_t len);
struct frame frame_icmp(uint8_t type, uint8_t code, uint32_t rest, const void *payload,
			uint16_t len);
struct frame frame_arp(uint16_t op, struct rte_ether_addr sha, struct ip_addr spa,
		       struct ip_addr tpa);
struct rte_ipv4_hdr *frame_ip(struct frame *f);
void *frame_l4(struct frame *f);
/* Makes checksums right again after a change. */
void frame_seal(struct frame *f);
/* As an independent receiver sees them: lengths agree, checksums are right. */
bool frame_ip_valid(struct frame *f);
/* Puts len bytes of IPv4 options into the frame and seals it; len a multiple of 4. */
void frame_add_options(struct frame *f, const uint8_t *options, unsigned len);

struct rte_mbuf *frame_to_mbuf(struct world *w, const struct frame *f);
void world_input(struct world *w, uint16_t shard, const struct frame *f);
/* The next frame that leaves the interface; false: none. */
bool world_output(struct world *w, uint16_t shard, uint16_t iface, struct frame *f);

#endif
