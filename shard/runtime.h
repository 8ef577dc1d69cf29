/*
 * A runtime, of which a process has one but in a simulation: the control thread (the EAL's main
 * lcore), the ports, the tables, and the shards. Started from a configuration, entered by one
 * thread per shard, ended when all have left.
 */
#ifndef SHARD_RUNTIME_H
#define SHARD_RUNTIME_H

#include "mem/log.h"
#include "net/net.h"
#include "net/tables.h"
#include "net/tcp.h"
#include "nic/nic.h"
#include "shard/shard.h"

#include <stdbool.h>
#include <stdint.h>

enum { RUNTIME_WHY_LEN = 512 };

enum shard_idle {
	SHARD_IDLE_AUTO,     /* adaptive; with more shards than cpus it yields between polls */
	SHARD_IDLE_POLL,     /* burn the core */
	SHARD_IDLE_YIELD,    /* sched_yield() after an empty poll */
	SHARD_IDLE_ADAPTIVE, /* poll for spin_ns, then sleep on interrupts, or in naps of nap_ns
				without them */
};

struct runtime_port {
	struct nic_port_config nic;
	struct ip_addr addr; /* ours */
	uint8_t prefix_len;
};

struct runtime_config {
	uint16_t shard_count;	 /* 0: auto, by hwloc */
	int cpus[NET_SHARD_MAX]; /* logical cpu of each shard, as the OS numbers them */
	uint16_t cpu_count;	 /* 0: hwloc chooses */
	enum shard_idle idle;
	uint64_t spin_ns, nap_ns, sleep_ns_max;
	uint64_t rx_budget_ns; /* between results the NIC goes unpolled no longer than this */

	uint32_t token_max;   /* per shard */
	uint32_t queue_max;   /* queue descriptors per shard */
	uint32_t mailbox_len; /* entries of one mailbox, a power of two */

	/* Not 0: one of many runtimes in a process, by number, all in one thread (a simulation):
	 * their memory's names differ, and it needs no caches. */
	uint32_t instance;
	uint32_t data_count, small_count, large_count; /* per shard; 0: the sum of mem.h */
	uint16_t data_room;			       /* 0: what the largest MTU needs */
	uint64_t rcv_budget_len; /* per shard: bytes, by true buffer size, that receive queues may
				    pin */
	enum nic_hugepages hugepages;
	char eal_args[256];

	struct runtime_port ports[NIC_PORT_MAX];
	uint16_t port_count;
	struct net_route routes[NET_ROUTE_MAX];
	uint16_t route_count;
	struct net_neigh neighbours[64];
	uint16_t neighbour_count;

	struct net_config net; /* shard and shard_count are filled in */
	bool telemetry;
	enum log_level log_level;
	char name[32]; /* EAL file prefix, telemetry */
	uint64_t seed; /* 0: from the system */
};

struct runtime;

/*
 * Starts everything and creates the shards, none of them running yet. -EEXIST: there is one
 * already; else -errno and *why, one line for the user. The configuration is copied.
 */
int runtime_start(const struct runtime_config *config, struct runtime **out,
		  char why[RUNTIME_WHY_LEN]);
/* The calling thread becomes the shard: registered with the EAL and RCU, pinned if pin. -EEXIST: a
 * thread did so already; -EINVAL: no such shard; -ENOMEM. */
int runtime_enter(struct runtime *runtime, uint16_t index, bool pin, struct shard **out);
/* The program has ended: closes what it left open, and forgets results that nobody took. */
void runtime_close_queues(struct shard *shard);
/* Orderly end of a shard, whose program has returned: closes its queues; runs the loop, so that the
 * other shards are served as before, until all shards that were entered have got here; then until
 * peers have what is owed, but no longer than linger_ns; leaves. linger_ns 0: leaves at once,
 * whoever still runs. */
void runtime_leave(struct shard *shard, uint64_t linger_ns);
/* All shards must have left. Ports are closed, pools checked and freed; the EAL stays. Returns how
 * many packet buffers were missing (0 is the promise). */
unsigned runtime_end(struct runtime *runtime);

uint16_t runtime_shard_count(const struct runtime *runtime);
/* Where hwloc put the shard: logical cpu, or -1 when not pinned. */
int runtime_shard_cpu(const struct runtime *runtime, uint16_t index);
/* Which shard owns the flow, as its local host sees it. */
uint16_t runtime_owner(const struct runtime *runtime, const struct net_flow *flow);
/* Every wait, now and later, returns -ECANCELED. Any thread, signal-safe. */
void runtime_stop_mt(struct runtime *runtime);
/* Prints what was found and chosen (machine, placement, devices, steering and why), a line each. */
void runtime_describe(const struct runtime *runtime, void (*line)(const char *text, void *arg),
		      void *arg);

/* One shard's figures, for samples and telemetry; any thread. */
struct runtime_figures {
	int cpu;	/* -1: not pinned */
	uint16_t queue; /* the queue pair of the first port by which its packets leave */
	struct counters counters;
	struct mem_use mem;
	struct tcp_use tcp;
	uint32_t tokens_pending;
};
void runtime_figures_mt(const struct runtime *runtime, uint16_t index, struct runtime_figures *out);

#endif
