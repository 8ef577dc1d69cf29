/*
 * The inside of shard/: what a shard and the runtime are made of. A shard's fields are its own
 * thread's; what another thread may touch is marked _mt, or fixed before any shard runs.
 */
#ifndef SHARD_STATE_H
#define SHARD_STATE_H

#include "mem/mem.h"
#include "mem/ranges.h"
#include "net/net.h"
#include "nic/nic.h"
#include "shard/channel.h"
#include "shard/control.h"
#include "shard/idle.h"
#include "shard/mailbox.h"
#include "shard/place.h"
#include "shard/queue.h"
#include "shard/random.h"
#include "shard/runtime.h"
#include "shard/token.h"

enum {
	LINE_TX_MAX = 256,     /* packets that wait for one device, other shards' among them */
	LINE_HASH_CHECKS = 256 /* received packets whose hash is computed a second time */
};

/* A shard's side of one port. */
struct line {
	struct nic_port *port;
	int queue;	 /* the queue pair, or -1: the port has fewer than there are shards */
	uint16_t sender; /* without one: the shard that transmits for this one */
	bool interrupts;
	unsigned checks_left;
	unsigned count; /* packets the device has not taken yet, oldest first */
	struct rte_mbuf *pkts[LINE_TX_MAX];
};

/* What wait_any() remembers of the program's array, tokens.array, from call to call. */
struct wait_memory {
	int count, last; /* last: the offset that was returned, -1: none */
	uint32_t calls;	 /* since the whole array was read */
};

enum shard_stage {
	SHARD_RUNNING,	/* or not entered yet */
	SHARD_RETURNED, /* its program has, and all that it said is in mailboxes; it serves on */
	SHARD_LEFT,	/* will never take another letter */
};

struct shard {
	struct runtime *runtime;
	uint16_t index;
	bool entered;		/* mt, atomic */
	bool ended;		/* our own program has returned: all messages are refused */
	enum shard_stage stage; /* mt, atomic */
	uint32_t parted_known;	/* of runtime->parted_count */
	unsigned lcore_id;	/* mt, atomic; SHARD_NO_LCORE: no thread is this shard */
	int cpu;		/* mt, atomic; -1: not pinned */

	struct counters counters;
	struct mem mem;
	struct net *net;
	struct random random;
	uint16_t port_start; /* of the active open under way */
	struct tokens tokens;
	struct queues queues;
	struct wait_memory waited;

	struct line lines[NIC_PORT_MAX];
	uint16_t line_count;
	unsigned turns_behind; /* in a row that left input waiting, and timers with it */

	struct channel_end *ends;     /* by peer */
	uint64_t channels_busy;	      /* peers for which something waits for room in a mailbox */
	uint64_t posted;	      /* peers that may have to be woken */
	uint64_t returned, gone;      /* peers known to have returned, to have left */
	struct collection collection; /* mt: envelopes that come home */

	struct idle idle;
	uint64_t turned_ns, timer_ns; /* the last turn; the stack's next deadline */

	/* as they were before runtime_enter() */
	cpu_set_t affinity;
	int timer_slack_ns, cancel_state, cancel_type;
};

enum { SHARD_NO_LCORE = UINT32_MAX - 1 }; /* nobody's: LCORE_ID_ANY is an unregistered thread's */

struct runtime {
	struct runtime_config config;
	struct rss rss;
	struct place place;
	const char *eal_why;
	struct nic_port *ports[NIC_PORT_MAX];
	uint16_t port_count; /* opened so far */
	struct mem_ranges *ranges;
	uint16_t pool_count; /* shards whose pools exist */
	char pool_prefix[13];
	struct net_tables *tables;
	struct shard *shards;
	uint16_t shard_count;
	struct mailbox *mailboxes; /* shard_count squared, see runtime_mailbox() */
	struct control control;
	/* mt, atomic: shards that came, whose program has returned, that owe their peers nothing
	 * more; and how many stages all shards have reached */
	uint32_t entered_count, returned_count, settled_count, parted_count;
	bool stopping;	  /* mt, atomic */
	unsigned missing; /* packet buffers that never came back */
	char why[RUNTIME_WHY_LEN];
};

static inline struct mailbox *runtime_mailbox(const struct runtime *runtime, uint16_t from,
					      uint16_t to)
{
	return &runtime->mailboxes[(size_t)from * runtime->shard_count + to];
}

/* The peer has left and takes no letter any more. What is posted before that is known waits in its
 * mailbox for the runtime's end. */
static inline bool shard_gone(const struct shard *shard, uint16_t peer)
{
	return shard->gone & UINT64_C(1) << peer;
}

/* Posts a letter; the peer is woken at the end of the turn, or by shard_wake_posted(). */
static inline bool shard_post(struct shard *shard, uint16_t peer, struct letter letter)
{
	if (!mailbox_post(runtime_mailbox(shard->runtime, shard->index, peer), letter))
		return false;
	shard->posted |= UINT64_C(1) << peer;
	return true;
}

static inline void shard_drop(struct shard *shard, struct rte_mbuf *m, enum drop_reason reason)
{
	counter_add(&shard->counters.drop[reason], 1);
	rte_pktmbuf_free(m);
}

#endif
