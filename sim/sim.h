/*
 * The inside of a simulated world: nodes, links and events, all in one thread. sim/ stands beside
 * nic/ and replaces it, and of shard/ the clock, idling, the control thread, places and threads;
 * the rest of mem/, net/, shard/ and sdk/ is the very same.
 *
 *   test or program -> demi_* -> shard's loop -> nic.c -> link.c -> event -> nic.c -> another shard
 *                                    |                                 ^
 *                                    `- idle_pass: drive.c gives way --' run.c: by (time, number)
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "nic/nic.h"
#include "sdk/world.h"
#include "shard/random.h"
#include "shard/state.h"

#include <demi/sim.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/queue.h>

enum {
	SIM_TURNS_MAX = 100000, /* of a shard at one instant, without a program: a livelock */
	SIM_POLL_NS = 1000,	/* what a poll costs a program */
	SIM_LINK_NS = 1,	/* a wire's least delay, so that no instant lasts for ever */
	SIM_FRAME_LEN_MAX = 65535,
	SIM_RECENT_MAX = 128,
	SIM_RECENT_LEN = 66, /* bytes kept of a frame */
	SIM_POOLS = 3,
};
#define SIM_EPOCH_NS UINT64_C(1000000000) /* what hosts' clocks say when the world begins */
#define SIM_NEVER    UINT64_MAX

struct sim_fiber;
struct sim_host;

struct sim_frame {
	TAILQ_ENTRY(sim_frame) link; /* in a device's queue, or at an open end */
	uint64_t at_ns;
	uint32_t len;
	uint32_t corrupted; /* 0 or 1: two flips on a way of two links may escape the checksum */
	uint8_t bytes[];
};
TAILQ_HEAD(sim_frames, sim_frame);

/* --- events: happen in the order of (at_ns, number) --- */
enum sim_event_kind { SIM_EVENT_FRAME, SIM_EVENT_SHARD };

struct sim_event {
	uint64_t at_ns, number;
	enum sim_event_kind kind;
	struct sim_frame *frame;
	struct sim_lane *lane;	 /* a frame's */
	struct sim_shard *shard; /* void unless number is the shard's due_number */
};

struct sim_heap {
	struct sim_event *events;
	size_t count, room;
};

bool heap_push(struct sim_heap *heap, const struct sim_event *event);
/* False: empty. */
bool heap_pop(struct sim_heap *heap, struct sim_event *out);

/* --- nodes --- */
enum sim_node_kind { SIM_HOST, SIM_SWITCH, SIM_OPEN_END };

struct sim_learned {
	uint8_t mac[RTE_ETHER_ADDR_LEN];
	int link, direction; /* that leads there */
};

struct sim_node {
	enum sim_node_kind kind;
	int number;
	struct sim_host *host;
	/* A switch: what it learned. */
	struct sim_learned *learned;
	unsigned learned_count, learned_room;
	/* An open end: its link, and what came out. */
	int link;
	struct sim_frames frames;
};

/* One direction of a link. */
struct sim_lane {
	struct demi_sim *world;
	int link, direction; /* 0: from a to b */
	struct demi_sim_path path;
	struct demi_sim_link_figures figures;
	struct random random;
	uint64_t free_ns;    /* the wire is in use until then */
	uint64_t arrival_ns; /* of the frame that was to arrive last */
	struct sim_waiting { /* frames that are not on the wire yet, a ring */
		uint64_t start_ns;
		uint32_t len;
	} * waiting;
	size_t waiting_first, waiting_count, waiting_room;
	uint64_t waiting_bytes;
};

struct sim_link {
	int nodes[2], ports[2];
	struct sim_lane lanes[2];
};

struct sim_shard {
	struct sim_host *host;
	uint16_t index;
	struct shard *shard;
	uint64_t due_ns, due_number; /* its next event; SIM_NEVER: none */
	struct sim_fiber *fiber;     /* its program; NULL: none runs */
	uint64_t sleep_ns;	     /* the program computes until then: nothing wakes it */
	bool has_result;
	int result;
	uint32_t turns;
	struct rte_mbuf **held[SIM_POOLS];
	uint32_t held_count[SIM_POOLS];
};

struct sim_host {
	struct demi_sim *world;
	int node;
	uint64_t clock_ns; /* ahead of the world */
	struct runtime_config config;
	struct runtime *runtime;
	struct nic_port *ports[NIC_PORT_MAX];
	unsigned port_count;
	struct sim_shard *shards;
	uint16_t shard_count;
	bool ending; /* nothing goes in or out any more */
	bool rested; /* stopped only because its wait could never end */
};

struct demi_sim {
	uint64_t seed, now_ns, numbers;
	struct random random;
	struct sim_heap heap;
	struct sim_node **nodes;
	struct sim_link **links;
	int node_count, link_count;
	unsigned programs;
	uint64_t digest;
	FILE *trace;
	struct demi_sim_figures figures;
	struct sim_recent {
		uint64_t at_ns;
		int link, direction;
		bool lost;
		uint32_t len;
		uint8_t bytes[SIM_RECENT_LEN];
	} recent[SIM_RECENT_MAX];
	uint64_t recent_count;
	void (*watch)(int host, int shard, void *arg);
	void *watch_arg;
};

/* Who runs now: what the seams of shard/ and nic/ are asked about. */
struct sim_current {
	struct sim_host *host;
	struct sim_shard *shard;
	struct sim_fiber *fiber; /* NULL: the test's own stack */
};
extern struct sim_current sim_current;
/* The shard that the test has entered, or NULL. */
extern struct sim_shard *sim_entered;

/* --- run.c --- */
void sim_become(struct sim_host *host, struct sim_shard *shard);
struct sim_current sim_save(void);
void sim_restore(const struct sim_current *saved);
/* The shard shall turn at that time, or earlier if it is to already. */
void sim_due(struct sim_shard *shard, uint64_t at_ns);
void sim_post_frame(struct demi_sim *world, struct sim_lane *lane, struct sim_frame *frame,
		    uint64_t at_ns);
/* Runs the next event at or before limit_ns; stop: unless it is that shard's, then it is consumed.
 * What happened. */
enum sim_ran { SIM_RAN, SIM_RAN_STOP, SIM_RAN_NOTHING };
enum sim_ran sim_run_one(struct demi_sim *world, uint64_t limit_ns, const struct sim_shard *stop);
/* Something may happen some time. */
bool sim_pending(struct demi_sim *world);

/* --- drive.c --- */
/* A shard's event: its program goes on, or the world turns it. */
void sim_drive(struct sim_shard *shard);
/* The program computes until then. */
void sim_sleep(struct sim_shard *shard, uint64_t at_ns);
/* Ends programs, by force if they do not. */
void sim_programs_end(struct sim_host *host);
/* Before time passes or the test moves on: waits that could never end may begin anew. */
void sim_unrest(struct demi_sim *world);

/* --- fiber.c: coroutines --- */
/* NULL: out of memory. Runs fn(arg) when first switched to. */
struct sim_fiber *fiber_create_or_null(void (*fn)(void *arg), void *arg);
/* From the main stack: runs it until it gives way or ends; true: it ended. */
bool fiber_resume(struct sim_fiber *fiber);
/* From a fiber: back to the main stack. */
void fiber_give_way(struct sim_fiber *fiber);
void fiber_destroy(struct sim_fiber *fiber);

/* --- link.c --- */
void link_send(struct demi_sim *world, int link, int direction, struct sim_frame *frame);
void link_arrive(struct sim_lane *lane, struct sim_frame *frame);
struct sim_frame *frame_new_or_null(uint32_t len);

/* --- nic.c --- */
/* A frame for that device; taken over. */
void nic_arrive(struct nic_port *port, struct sim_frame *frame);
void nic_plug(struct nic_port *port, int link, int direction);
bool nic_plugged(const struct nic_port *port);
void nic_misbehave(struct nic_port *port, const struct demi_sim_device *device);

/* --- control.c --- */
/* After a turn: applies neighbour news, frees what was retired. */
void sim_control(struct runtime *runtime);

/* --- trace.c --- */
void trace_frame(struct demi_sim *world, int link, int direction, const struct sim_frame *frame,
		 bool arrives);
/* The frame that was traced last does not arrive. */
void trace_lost(struct demi_sim *world);
void trace_close(struct demi_sim *world);

/* --- host.c --- */
void host_destroy(struct sim_host *host, unsigned *missing);

/* --- finding what the caller means; NULL: there is none --- */
struct sim_node *sim_node_or_null(struct demi_sim *world, int node, enum sim_node_kind kind);
struct sim_host *sim_host_or_null(struct demi_sim *world, int host);
struct sim_shard *sim_shard_or_null(struct demi_sim *world, int host, int shard);
/* 0, EINVAL, EBUSY; a node of that kind is added. */
int sim_node_add(struct demi_sim *world, enum sim_node_kind kind, struct sim_node **out);

static inline bool sim_chance(struct random *random, uint32_t ppm)
{
	return ppm != 0 && random_next(random) % 1000000 < ppm;
}

#endif
