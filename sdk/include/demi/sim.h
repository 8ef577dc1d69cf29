/*
 * A simulated world: the same SDK on virtual time and virtual wires. Link `clowder-sim` instead of
 * `clowder`. Everything runs in one thread, without privileges, hugepages or devices, and two runs
 * of one seed do the same in the same order. So a server can be tested against loss, partitions and
 * exhausted memory in milliseconds, and a failure comes back by its seed:
 *
 *	struct demi_sim *world;
 *	int server, client, link;
 *
 *	demi_sim_create(&world, seed);
 *	demi_sim_host(world, NULL, &server);            10.0.0.1, one shard
 *	demi_sim_host(world, NULL, &client);            10.0.0.2
 *	demi_sim_link(world, server, 0, client, 0, &link);
 *	struct demi_sim_path bad = {.size = sizeof(bad), .loss_ppm = 10000, .delay_ns = 5000000};
 *	demi_sim_link_set(world, link, DEMI_SIM_BOTH, &bad);
 *	demi_sim_program(world, server, 0, server_main, NULL);      calls demi_* as ever
 *	demi_sim_enter(world, client, 0);               from here on this code is the client
 *	demi_socket(...); demi_connect(...); demi_wait(...);        runs the world until the answer
 *	demi_sim_leave(world);
 *	demi_sim_destroy(world);
 *
 * A shard is driven in one of two ways: by a program (demi_sim_program), which runs whenever its
 * waits return, or by hand (demi_sim_enter). A shard that nobody is in is not asleep: the world
 * receives, answers and sends for it, and keeps its results until somebody enters.
 *
 * Time is virtual and in nanoseconds since the world began; computing takes none. It passes in
 * demi_wait*, demi_sim_advance() and demi_sim_run() only. A demi_wait* with a timeout of {0, 0}
 * that is called by hand runs what is due at this instant and returns; in a program it costs one
 * microsecond, so that a program that only polls gets somewhere.
 *
 * Unless it says otherwise a function returns 0 or a positive errno, among them EINVAL for a NULL,
 * a number that is none of the world's, or a struct whose size is too small; may be called by
 * programs of the world, and by the test between demi_sim_create() and demi_sim_destroy() whether
 * it has entered a shard or not; and must be called by the thread that created the first world of
 * the process. Several worlds may exist; each counts its nodes (hosts, switches, open ends: one
 * numbering) and its links from 0.
 */
#ifndef DEMI_SIM_H
#define DEMI_SIM_H

#include <demi/cc.h>
#include <demi/types.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct demi_sim;

/* --- a world --- */

/*
 * A world without anything in it, at time 0. Everything random in it comes from seed, in streams of
 * their own: another setting of one link does not change the dice of another, nor what hosts draw.
 * ENOMEM; EIO: DPDK could not be started (stderr says why); EPERM: not the thread of the first
 * world.
 */
DEMI_API int demi_sim_create(struct demi_sim **out, uint64_t seed) ATTR_NONNULL(1);

/*
 * Ends it: waits of programs that still run return ECANCELED so that they can end, and those that
 * wait on regardless are abandoned; hosts end without a word to anybody. EIO: packet buffers were
 * missing then, which is an sga that a program did not free, or a defect; a line on stderr counts
 * them. EBUSY: called by a program. The world is gone in every other case.
 */
DEMI_API int demi_sim_destroy(struct demi_sim *world) ATTR_NONNULL(1);

/* A number from a stream of the seed that nothing else draws from, for the test's own choices. */
DEMI_API uint64_t demi_sim_random(struct demi_sim *world) ATTR_NONNULL(1);

/* --- nodes --- */

/* What a host is made of. Zeros are defaults; size must be set. */
struct demi_sim_host_options {
	uint32_t size;		 /* sizeof of this struct */
	uint32_t shards;	 /* 0: what the configuration says, "auto" being 1 */
	const char *config;	 /* TOML text; NULL: config_path */
	const char *config_path; /* a TOML file; NULL: none */
};

/*
 * A host, running from now on: as many simulated devices as it has [[port]]s, whatever their device
 * is called, and the shards. options NULL: all defaults. Its configuration is the text over the
 * simulator's defaults, which are small (1024 tokens, 256 connections, 1 MiB receive budget, 1024
 * data, 1024 small and 8 large buffers a shard) so that thousands of worlds can be made; without
 * any [[port]] it is one with the address 10.0.0.<node + 1>/24. Ignored are [telemetry], cpus, idle
 * and hugepages. The seed is the world's unless [runtime] seed is set.
 *
 * What a device can do is written in its name, "sim0,rss=0,checksum=1,chains=0,queues=2":
 *	rss       steers by our key and table (default 1); with [[port]] steering "software" or
 *	          rss=0 it spreads flows over queues by a hash of its own
 *	checksum  computes the checksums of what is sent (default 0: the stack does)
 *	chains    takes packets of several buffers (default 1)
 *	queues    queue pairs that it has (default 64)
 *
 * EINVAL: a configuration that is wrong, with its line on stderr; ENOMEM: DPDK's memory is full,
 * see CLOWDER_SIM_MIB at demi_sim_figures.
 */
DEMI_API int demi_sim_host(struct demi_sim *world, const struct demi_sim_host_options *options,
			   int *node_out) ATTR_NONNULL(1, 3);

/* A learning Ethernet switch with any number of ports: link hosts to it for a LAN. */
DEMI_API int demi_sim_switch(struct demi_sim *world, int *node_out) ATTR_NONNULL(1, 2);

/* An open wire end, to be linked once: see demi_sim_inject() and demi_sim_take(). */
DEMI_API int demi_sim_open_end(struct demi_sim *world, int *node_out) ATTR_NONNULL(1, 2);

/* --- links --- */

/*
 * A wire between two nodes. port is the number of a host's [[port]], from 0; 0 on other nodes. It
 * starts perfect: no delay beyond one nanosecond, no limit, no loss. Two hosts, or a host and an
 * open end, are a direct wire. EBUSY: there is a wire in that port or open end.
 */
DEMI_API int demi_sim_link(struct demi_sim *world, int node_a, int port_a, int node_b, int port_b,
			   int *link_out) ATTR_NONNULL(1, 6);

/* Directions of a link. */
#define DEMI_SIM_A_TO_B 1
#define DEMI_SIM_B_TO_A 2
#define DEMI_SIM_BOTH	3

/*
 * What one direction of a link does to frames. Shares are in parts per million of the frames, each
 * decided on its own, in the order of this list. All zeros but size: a perfect wire.
 */
struct demi_sim_path {
	uint32_t size;		/* sizeof of this struct */
	uint32_t cut;		/* not 0: a partition, nothing gets through */
	uint32_t loss_ppm;	/* lost */
	uint32_t queue_packets; /* frames that wait for the wire; 0: no limit; more are dropped */
	uint64_t queue_bytes;	/* likewise in bytes */
	uint64_t rate_bps;    /* bits a second, frames with 24 bytes of preamble, FCS and gap; 0: no
				 limit */
	uint32_t mark_ppm;    /* IPv4 packets that are ECN capable get CE */
	uint32_t corrupt_ppm; /* one bit is flipped, anywhere in the frame */
	uint32_t truncate_ppm;	/* cut off behind a random byte */
	uint32_t duplicate_ppm; /* delivered twice, each with its own jitter */
	uint64_t delay_ns;	/* from one end to the other */
	uint64_t jitter_ns;	/* 0 .. jitter_ns more, evenly; order is kept */
	uint32_t reorder_ppm;	/* delayed by up to reorder_ns more, while others overtake */
	uint32_t reserved;	/* zero */
	uint64_t reorder_ns;	/* evenly from 1; 0 means 1 ms */
};

/* From now on; frames under way are not touched. direction: one of the three above. */
DEMI_API int demi_sim_link_set(struct demi_sim *world, int link, int direction,
			       const struct demi_sim_path *path) ATTR_NONNULL(1, 4);
/* What was set; direction: one. path->size must be set. */
DEMI_API int demi_sim_link_get(struct demi_sim *world, int link, int direction,
			       struct demi_sim_path *path) ATTR_NONNULL(1, 4);

/* What one direction did so far, in frames. */
struct demi_sim_link_figures {
	uint32_t size; /* in: sizeof of this struct */
	uint32_t reserved;
	uint64_t sent; /* put on the wire by the node at its beginning */
	uint64_t delivered, delivered_bytes;
	uint64_t cut, lost, queue_full, marked, corrupted, truncated, duplicated, reordered;
	uint64_t under_way; /* now */
};
DEMI_API int demi_sim_link_figures(struct demi_sim *world, int link, int direction,
				   struct demi_sim_link_figures *out) ATTR_NONNULL(1, 4);

/* --- shards: programs, or by hand --- */

/*
 * Runs main_fn(arg) on a shard of a host as demi_shard_run() would (demi_init() gives EEXIST,
 * demi_fini() EINVAL), with 256 KiB of stack. It begins when time next passes. When it returns,
 * what it left open is closed in order, and another program may follow. shard -1: on every shard.
 * EBUSY: a program runs there, or the test has entered it; ENOMEM.
 */
DEMI_API int demi_sim_program(struct demi_sim *world, int host, int shard,
			      int (*main_fn)(void *arg), void *arg) ATTR_NONNULL(1, 4);

/* What the shard's last program returned. EBUSY: it runs; ENOENT: there was none. */
DEMI_API int demi_sim_result(struct demi_sim *world, int host, int shard, int *result_out)
	ATTR_NONNULL(1, 4);

/*
 * From now until demi_sim_leave(), demi_* calls of the test are that shard's. Entering another
 * shard, of any world, moves there. A demi_wait* that can never end, as nothing is under way and no
 * timer runs, returns ECANCELED. EBUSY: a program runs there, or this is a program.
 */
DEMI_API int demi_sim_enter(struct demi_sim *world, int host, int shard) ATTR_NONNULL(1);
/* Descriptors stay open and tokens pending. EINVAL: entered none; EBUSY: this is a program. */
DEMI_API int demi_sim_leave(struct demi_sim *world) ATTR_NONNULL(1);

/* Like demi_shard_stop() on that host, from outside: its waits return ECANCELED from now on. */
DEMI_API int demi_sim_stop(struct demi_sim *world, int host) ATTR_NONNULL(1);

/* --- time --- */

/* Nanoseconds since the world began. */
DEMI_API uint64_t demi_sim_now(const struct demi_sim *world) ATTR_NONNULL(1);

/* Lets time pass, exactly so long, with all that happens in it. By a program: it sleeps, and its
 * shard with it, as if it computed. */
DEMI_API int demi_sim_advance(struct demi_sim *world, uint64_t length_ns) ATTR_NONNULL(1);

/*
 * Lets time pass until every program has ended: 0, or ETIMEDOUT after length_ns, or at once EDEADLK
 * if programs wait while nothing is under way and no timer runs. EBUSY: called by a program.
 */
DEMI_API int demi_sim_run(struct demi_sim *world, uint64_t length_ns) ATTR_NONNULL(1);

/* One event: a frame arrives, a shard turns or a program goes on. ENOENT: nothing will happen any
 * more. EBUSY: called by a program. */
DEMI_API int demi_sim_step(struct demi_sim *world) ATTR_NONNULL(1);

/* The host's clock leaps ahead by so much, as if its machine had been suspended. */
DEMI_API int demi_sim_clock_jump(struct demi_sim *world, int host, uint64_t length_ns)
	ATTR_NONNULL(1);

/* --- trouble --- */

/* How a host's device misbehaves. All zeros but size: not at all. */
struct demi_sim_device {
	uint32_t size;		/* sizeof of this struct */
	uint32_t down;		/* not 0: the link is down: what is sent and what arrives is lost */
	uint32_t rx_stalled;	/* not 0: nothing is received; rx_descriptors frames a queue wait,
				   more are lost */
	uint32_t tx_refused;	/* not 0: it takes no packet to send */
	uint32_t tx_refuse_ppm; /* so many bursts are taken in part, or not at all */
	uint32_t reserved;	/* zero */
};
DEMI_API int demi_sim_device_set(struct demi_sim *world, int host, int port,
				 const struct demi_sim_device *device) ATTR_NONNULL(1, 4);

/* The pools of a shard. */
#define DEMI_SIM_POOL_DATA  0
#define DEMI_SIM_POOL_SMALL 1
#define DEMI_SIM_POOL_LARGE 2

/* Takes buffers out of a shard's pool until the simulator holds count of them, or gives back what
 * is more. ENOBUFS: the pool had fewer, all were taken. */
DEMI_API int demi_sim_squeeze(struct demi_sim *world, int host, int shard, int pool, uint32_t count)
	ATTR_NONNULL(1);

/* --- an open wire end --- */

/* Puts a frame (Ethernet header first, without FCS, 1 .. 65535 bytes, copied) on the wire of an
 * open end, now. ENOTCONN: it is not linked. */
DEMI_API int demi_sim_inject(struct demi_sim *world, int open_end, const void *frame, size_t len)
	ATTR_NONNULL(1, 3);

/*
 * Takes the oldest frame that came out of the wire: up to size bytes into frame, its true length
 * into *len_out, the time it came into *at_ns_out. The last three may be NULL. EAGAIN: none; let
 * time pass first.
 */
DEMI_API int demi_sim_take(struct demi_sim *world, int open_end, void *frame, size_t size,
			   size_t *len_out, uint64_t *at_ns_out) ATTR_NONNULL(1);

/* --- what happened --- */

/* From now on writes every frame as it is put on a wire into a pcap file with nanoseconds, for
 * Wireshark. NULL: no more. Else errno as of fopen(). */
DEMI_API int demi_sim_trace(struct demi_sim *world, const char *path) ATTR_NONNULL(1);

/* A hash over everything that was put on a wire or arrived, with time and link. Two runs of one
 * seed are alike if it is. */
DEMI_API uint64_t demi_sim_digest(const struct demi_sim *world) ATTR_NONNULL(1);

/* Calls line for each of the last frames put on wires, 128 at most, oldest first; text is valid
 * during that call. */
DEMI_API int demi_sim_recent(const struct demi_sim *world,
			     void (*line)(const char *text, void *arg), void *arg)
	ATTR_NONNULL(1, 2);

/* Calls fn after every turn of a shard's loop, whoever drives it; it may look and not touch. NULL:
 * no more. */
DEMI_API int demi_sim_watch(struct demi_sim *world, void (*fn)(int host, int shard, void *arg),
			    void *arg) ATTR_NONNULL(1);

/* Of the whole world. DPDK's memory for all worlds of the process is CLOWDER_SIM_MIB (environment,
 * at the first world; 1024) MiB, of which only what is touched costs anything. */
struct demi_sim_figures {
	uint32_t size;		/* in: sizeof of this struct */
	uint32_t programs;	/* that run now */
	uint64_t events, turns; /* so far */
	uint64_t sent, delivered;
	uint64_t rx_dropped;	/* frames that a host's device had no place or no buffer for */
	uint64_t buffers_used;	/* not in any pool now, the simulator's own not counted */
	uint64_t buffers_total; /* in all pools */
};
DEMI_API int demi_sim_figures(struct demi_sim *world, struct demi_sim_figures *out)
	ATTR_NONNULL(1, 2);

/* Packet buffers of one shard, by pool (DEMI_SIM_POOL_*). */
struct demi_sim_buffers {
	uint32_t size;	  /* in: sizeof of this struct */
	uint32_t used[3]; /* not in the pool, without what the simulator holds */
	uint32_t held[3]; /* by the simulator, see demi_sim_squeeze() */
	uint32_t total[3];
};
DEMI_API int demi_sim_buffers(struct demi_sim *world, int host, int shard,
			      struct demi_sim_buffers *out) ATTR_NONNULL(1, 4);

#ifdef __cplusplus
}
#endif

#endif
