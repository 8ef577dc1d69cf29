/*
 * What a seed stands for: a world, what its programs do and what goes wrong in it. Nothing else of
 * a run is random but what the world itself draws from the same seed.
 */
#ifndef TESTS_SIM_PLAN_H
#define TESTS_SIM_PLAN_H

#include <demi/sim.h>
#include <stdbool.h>
#include <stdint.h>

enum { PLAN_HOST_MAX = 6, PLAN_SHARD_MAX = 4, PLAN_CONFIG_LEN = 1024 };

/* What a client does with its connections. */
enum plan_kind {
	PLAN_ECHO,	 /* sends, and gets all of it back, at the same time */
	PLAN_BULK,	 /* sends and closes; the server answers with how much it got */
	PLAN_HALF_CLOSE, /* shuts its sending side, and then gets all of it back */
	PLAN_RESET,	 /* closes with an RST somewhere in the middle */
	PLAN_KIND_COUNT,
};

struct plan {
	uint64_t seed, random;
	unsigned host_count; /* 0 serves, the others are clients */
	unsigned shard_count[PLAN_HOST_MAX];
	char config[PLAN_HOST_MAX][PLAN_CONFIG_LEN];
	struct demi_sim_path path; /* of every wire */
	unsigned streams;	   /* of each client shard, one after the other ... */
	unsigned parallel;	   /* ... so many at a time */
	uint32_t stream_len_max;
	uint64_t read_pause_ns; /* of slow readers */
	unsigned trouble_count; /* what goes wrong, one after the other */
	bool harsh;		/* connections may die of it */
	bool lossy;		/* what opens one, ARP too, may be lost as often as it is tried */
};

void plan_make(struct plan *plan, uint64_t seed);
/* 0 .. sides - 1, from the seed. */
uint32_t plan_dice(struct plan *plan, uint32_t sides);

#endif
