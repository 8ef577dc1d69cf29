/*
 * What a seed stands for: a world, what its programs do and what goes wrong in it. Nothing else of
 * a run is random but what the world itself draws from the same seed.
 *
 * What was drawn first is drawn as ever, and what came later is drawn from streams of its own: so a
 * seed that once failed stands, with the draw of its time, for the world that it stood for then.
 */
#ifndef TESTS_SIM_PLAN_H
#define TESTS_SIM_PLAN_H

#include <demi/sim.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	PLAN_HOST_MAX = 6,
	PLAN_SHARD_MAX = 4,
	PLAN_CONFIG_LEN = 1024,
	PLAN_DRAW = 2, /* the newest; 1: without what is marked so below */
};

/* What a client does with its connections. */
enum plan_kind {
	PLAN_ECHO,	 /* sends, and gets all of it back, at the same time */
	PLAN_BULK,	 /* sends and closes; the server answers with how much it got */
	PLAN_HALF_CLOSE, /* shuts its sending side, and then gets all of it back */
	PLAN_RESET,	 /* closes with an RST somewhere in the middle */
	PLAN_KIND_COUNT_1,
	PLAN_HANG_UP = PLAN_KIND_COUNT_1, /* 2: the server sends back what came first, and closes */
	PLAN_REFUSE,			  /* 2: the same, and with an RST */
	PLAN_KIND_COUNT,
};

enum plan_cookies { PLAN_COOKIES_AUTO, PLAN_COOKIES_ALWAYS, PLAN_COOKIES_NEVER };
enum plan_ecn { PLAN_ECN_PASSIVE, PLAN_ECN_ALWAYS, PLAN_ECN_NEVER };

struct plan_host {
	unsigned shards, queues;
	bool rss, checksum, chains;
	bool timestamps, window_scale, sack, nodelay, newreno;
	uint32_t rcvbuf_len;
	/* 2 */
	bool steering_software, pmtu_discovery, few_syns, little_reassembly, acks_at_once;
	enum plan_cookies cookies;
	enum plan_ecn ecn;
	uint32_t sndbuf_len, mtu, route_mtu, route_mss; /* 0: as it comes */
	bool far; /* behind the second switch, if there is one */
};

struct plan {
	uint64_t seed, random;
	unsigned draw;
	unsigned host_count; /* 0 serves, the others are clients */
	struct plan_host hosts[PLAN_HOST_MAX];
	struct demi_sim_path path; /* of every wire that is not clean */
	unsigned streams;	   /* of each client shard, one after the other ... */
	unsigned parallel;	   /* ... so many at a time */
	uint32_t stream_len_max;
	uint64_t read_pause_ns; /* of slow readers */
	unsigned trouble_count; /* what goes wrong, one after the other */
	bool harsh;		/* connections may die of it */
	bool lossy;		/* what opens one, ARP too, may be lost as often as it is tried */
	/* 2 */
	bool crowded; /* half-open connections push each other out */
	bool cookies; /* not only by way of exception */
	bool ghosts;  /* a late SYN cookie may open what is closed already */
	bool two_switches;
	unsigned clean_wires; /* a set of bits: these are without fault */
	uint64_t serve_pause_ns;
	unsigned datagrams; /* of each client shard, UDP */
	uint32_t datagram_len_max;
	unsigned fragmented; /* datagrams that come in fragments, of all in all */
};

/* Virtual nanoseconds that a stream may stand still; UINT64_MAX: for ever, as it may die. In a calm
 * world nothing is lost but what is too much for a mailbox; in a mild one so little that seven
 * losses in a row, which double the timeout as often, do not happen. */
uint64_t plan_standstill_ns_max(const struct plan *plan);
void plan_make(struct plan *plan, uint64_t seed, unsigned draw);
/* The configuration of a host, as TOML. */
void plan_config(const struct plan *plan, unsigned host, char out[PLAN_CONFIG_LEN]);
/* 0 .. sides - 1, from the seed. */
uint32_t plan_dice(struct plan *plan, uint32_t sides);

#endif
