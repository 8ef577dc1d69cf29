/*
 * Clowder's own: a program on many shards. A shard is one thread on one core with its own queues,
 * tokens, buffers and stack; shards share nothing and talk through channels.
 */
#ifndef DEMI_SHARD_H
#define DEMI_SHARD_H

#include <demi/cc.h>
#include <demi/types.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Starts the shards that the configuration asks for ([runtime] shards; see demi_init() for where it
 * comes from), each a thread pinned to its core, runs main_fn(arg) on each once all are up, and
 * returns when all have returned and the devices are closed. A sharded program calls this instead
 * of demi_init(); on the shards, demi_init() gives EEXIST.
 *
 * What a shard leaves open is closed in order when its main_fn returns, with whatever result. Its
 * thread stays and serves the other shards as before: packets for them that come to its device
 * queue, and theirs that leave by it; new connections go to the shards that still listen. When the
 * last main_fn has returned the peers get what they are still owed, FINs among it, within three
 * seconds. So a shard that is done may return, and one that fails does not end the others:
 * demi_shard_stop() does.
 *
 * Returns the first non-zero result of a main_fn; else EIO if packet buffers were missing, which a
 * line on stderr counts; else 0. If the shards could not be started main_fn was not called on any,
 * and the result is an errno as of demi_init(), with its line on stderr. EINVAL: main_fn is NULL.
 */
DEMI_API int demi_shard_run(const struct demi_args *args, int (*main_fn)(void *arg), void *arg)
	ATTR_NONNULL(2);

/* The calling thread's shard, 0 .. count - 1, or -1 off a shard. */
DEMI_API int demi_shard_self(void);

/* How many shards this process has, for any thread; 0 when none run. */
DEMI_API int demi_shard_count(void);

/*
 * The shard that owns the flow between local, one of our addresses, and remote: the one that would
 * accept it where all listen. -1: wrong length or family, NULL, or not on a shard.
 */
DEMI_API int demi_shard_of(const struct sockaddr *local, socklen_t local_size,
			   const struct sockaddr *remote, socklen_t remote_size) ATTR_NONNULL(1, 3);

/*
 * A queue to another shard, which gets the other end by the same call: push, pop, wait and close as
 * on any other. Sgas go over in order and without copying, and the popped sga is the receiver's to
 * free. A push completes when the other shard took it over; a full channel keeps it pending. The
 * zero-length pop says that the other end was closed, or that the other shard's main_fn has
 * returned; what it did not pop fails with ECONNRESET. EINVAL: no such shard, or this one;
 * EADDRINUSE: open already, or closed and the other shard has not closed its end yet.
 */
DEMI_API int demi_shard_channel(int *qd_out, int peer) ATTR_NONNULL(1);

/*
 * Tells all shards of the process to end: from now on every wait returns ECANCELED. Any thread,
 * and any signal handler. ENOSYS: no shard runs.
 */
DEMI_API int demi_shard_stop(void);

/* What one shard did so far and holds now. Grows at its end only. */
struct demi_shard_figures {
	uint32_t size;		 /* in: sizeof of this struct; out: how much of it was filled in */
	int32_t cpu;		 /* as the operating system numbers them; -1: not pinned */
	uint32_t queue;		 /* its queue pair on every port */
	uint32_t connections;	 /* TCP connections now, without TIME-WAIT */
	uint32_t timewait;	 /* connections in TIME-WAIT */
	uint32_t listeners;	 /* TCP listeners */
	uint64_t accepted;	 /* connections accepted so far */
	uint64_t connected;	 /* connections opened so far */
	uint64_t rx_packets;	 /* from devices */
	uint64_t rx_bytes;	 /* from devices, without FCS */
	uint64_t tx_packets;	 /* that devices took */
	uint64_t tx_bytes;	 /* that devices took */
	uint64_t handed_in;	 /* packets that other shards handed over to this one */
	uint64_t handed_out;	 /* packets handed over to the shard that owns them */
	uint64_t dropped;	 /* packets dropped, for whatever reason */
	uint64_t retransmits;	 /* TCP segments sent again */
	uint64_t tokens_done;	 /* operations completed so far */
	uint32_t tokens_pending; /* operations outstanding */
	uint32_t mbufs_used;	 /* packet buffers not in this shard's pools */
	uint32_t mbufs_total;	 /* packet buffers that it has */
	uint32_t reserved;	 /* zero */
	uint64_t turns;		 /* of its loop */
	uint64_t turns_idle;	 /* of them without anything to do */
};

/*
 * The figures of one shard of this process. Any thread; a snapshot. out->size must be set. After
 * demi_shard_run() has returned they are what the shards ended with. ENOSYS: there were none yet;
 * EINVAL: no such shard, NULL, or a size below 8.
 */
DEMI_API int demi_shard_figures(int shard, struct demi_shard_figures *out) ATTR_NONNULL(2);

#ifdef __cplusplus
}
#endif

#endif
