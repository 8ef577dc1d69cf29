/*
 * Which shard the calling thread is, and the guard that every public call begins with.
 */
#ifndef SDK_WORLD_H
#define SDK_WORLD_H

#include "shard/runtime.h"
#include "shard/shard.h"

#include <errno.h>
#include <stdbool.h>

/* A thread's world. shard is NULL in a thread that has none. */
struct world {
	struct runtime *runtime;
	struct shard *shard;
	bool running; /* inside demi_shard_run(), which ends it */
};

/* Static TLS: one instruction to reach it from the shared library, too. */
extern _Thread_local struct world world_current __attribute__((tls_model("initial-exec")));

static inline struct shard *world_shard_or_null(void)
{
	return world_current.shard;
}

/* How a call on a shard begins: 0 and *shard, ENOSYS off a shard, or EINVAL where its arguments
 * cannot be. */
static inline int world_call(struct shard **shard, bool arguments_ok)
{
	*shard = world_current.shard;
	if (*shard == NULL)
		return ENOSYS;
	return arguments_ok ? 0 : EINVAL;
}

/* The calling thread is that shard from now on, and its runtime is the process's: the simulator
 * goes from shard to shard so. NULL: none. */
void world_enter(const struct world *world);

/*
 * The process's runtime for a thread that need not be a shard, and it does not end before
 * world_put(). NULL: none; nothing to put then. Signal-safe.
 */
struct runtime *world_get_or_null(void);
void world_put(void);

/* Keeps the shards' figures for after the end; every shard has left. */
void world_figures_keep(const struct runtime *runtime);

static inline void world_errno_restore(const int *kept)
{
	errno = *kept;
}

/* At the head of a public call: errno is after it what it was before. */
#define KEEP_ERRNO                                                                                 \
	const int errno_kept __attribute__((cleanup(world_errno_restore))) = errno;                \
	(void)errno_kept

#endif
