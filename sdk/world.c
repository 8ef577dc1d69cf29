#include "sdk/world.h"

#include "sdk/config.h"

#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/shard.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORLD_LINGER_NS UINT64_C(3000000000)

_Thread_local struct world world_current;

/*
 * The process's one runtime, for threads that are no shard. A signal handler cannot take a lock, so
 * whoever looks counts itself first, and the end waits until nobody looks any more. Both are
 * sequentially consistent: either the looker sees NULL or the end sees the looker.
 */
static _Atomic(struct runtime *) process_runtime;
static atomic_uint process_lookers;

struct runtime *world_get_or_null(void)
{
	struct runtime *runtime;

	atomic_fetch_add(&process_lookers, 1);
	runtime = atomic_load(&process_runtime);
	if (runtime == NULL)
		world_put();
	return runtime;
}

void world_put(void)
{
	atomic_fetch_sub(&process_lookers, 1);
}

void world_enter(const struct world *world)
{
	world_current = world != NULL ? *world : (struct world){0};
	atomic_store_explicit(&process_runtime, world_current.runtime, memory_order_relaxed);
}

/* LIBOS chooses among Demikernel's transports; there is one here. */
static int check_libos(char why[RUNTIME_WHY_LEN])
{
	const char *libos = getenv("LIBOS");

	if (libos == NULL || libos[0] == '\0' || strcmp(libos, "catnip") == 0 ||
	    strcmp(libos, "clowder") == 0)
		return 0;
	snprintf(why, RUNTIME_WHY_LEN,
		 "environment: LIBOS: found \"%.64s\"; allowed: \"catnip\" or \"clowder\" (DPDK, "
		 "the "
		 "only transport), or leave it unset",
		 libos);
	return -EINVAL;
}

static int start(bool single, struct runtime_config *config, struct runtime **out)
{
	char why[RUNTIME_WHY_LEN] = "";
	int rc = check_libos(why);

	if (rc == 0)
		rc = config_load(getenv("CONFIG_PATH"), config, why);
	if (rc == 0) {
		log_level_set(config->log_level);
		if (single)
			config_single(config);
		rc = runtime_start(config, out, why);
	}
	if (rc == 0)
		atomic_store(&process_runtime, *out);
	else if (rc != -EEXIST)
		fprintf(stderr, "clowder: %s\n", why[0] != '\0' ? why : strerrordesc_np(-rc));
	return rc;
}

/* Returns how many packet buffers were missing. */
static unsigned end(struct runtime *runtime)
{
	atomic_store(&process_runtime, NULL);
	while (atomic_load(&process_lookers) != 0)
		sched_yield();
	return runtime_end(runtime);
}

/* 0 or EIO. */
static int complain(unsigned missing)
{
	if (missing == 0)
		return 0;
	fprintf(stderr, "clowder: %u packet buffers were not given back\n", missing);
	return EIO;
}

/*
 * A program that was written for Demikernel knows no demi_fini(): it closes and ends, and its peers
 * shall still get what it pushed, and the FIN. What it did not free is not worth a word then.
 */
static void end_at_exit(void)
{
	struct world world = world_current;

	if (world.shard == NULL || world.running)
		return;
	world_current = (struct world){0};
	runtime_leave(world.shard, WORLD_LINGER_NS);
	end(world.runtime);
}

static void register_end_at_exit(void)
{
	atexit(end_at_exit);
}

int demi_init(const struct demi_args *args)
{
	KEEP_ERRNO;
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct runtime_config config;
	struct world world = {0};
	int rc;

	(void)args;
	if (world_current.shard != NULL)
		return EEXIST;
	rc = start(true, &config, &world.runtime);
	if (rc != 0)
		return -rc;
	rc = runtime_enter(world.runtime, 0, config.cpu_count != 0, &world.shard);
	if (rc != 0) {
		fprintf(stderr, "clowder: this thread cannot be a shard: %s\n",
			strerrordesc_np(-rc));
		end(world.runtime);
		return -rc;
	}
	world_current = world;
	pthread_once(&once, register_end_at_exit);
	return 0;
}

int demi_fini(void)
{
	KEEP_ERRNO;
	struct world world = world_current;

	if (world.shard == NULL)
		return ENOSYS;
	if (world.running)
		return EINVAL;
	world_current = (struct world){0};
	runtime_leave(world.shard, WORLD_LINGER_NS);
	return complain(end(world.runtime));
}

/* --- many shards --- */

struct run {
	struct runtime *runtime;
	int (*main_fn)(void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned count, entered;
	int error;  /* why a shard could not start; then none calls main_fn */
	int result; /* the first non-zero one */
};

struct run_shard {
	struct run *run;
	uint16_t index;
	pthread_t thread;
};

static void fail(struct run *run, int error, uint16_t index)
{
	pthread_mutex_lock(&run->lock);
	if (run->error == 0) {
		run->error = error;
		fprintf(stderr, "clowder: shard %u cannot start: %s\n", index,
			strerrordesc_np(error));
	}
	pthread_cond_broadcast(&run->changed);
	pthread_mutex_unlock(&run->lock);
}

/* True once all shards are up; false if one is not and will not be. */
static bool gather(struct run *run)
{
	bool all;

	pthread_mutex_lock(&run->lock);
	run->entered++;
	pthread_cond_broadcast(&run->changed);
	while (run->entered < run->count && run->error == 0)
		pthread_cond_wait(&run->changed, &run->lock);
	all = run->error == 0;
	pthread_mutex_unlock(&run->lock);
	return all;
}

static void finish(struct run *run, int result)
{
	pthread_mutex_lock(&run->lock);
	if (run->result == 0)
		run->result = result;
	pthread_mutex_unlock(&run->lock);
}

static void *run_shard(void *arg)
{
	struct run_shard *self = arg;
	struct run *run = self->run;
	struct world world = {.runtime = run->runtime, .running = true};
	int rc = runtime_enter(run->runtime, self->index, true, &world.shard);

	if (rc != 0) {
		fail(run, -rc, self->index);
		return NULL;
	}
	world_current = world;
	if (gather(run))
		finish(run, run->main_fn(run->arg));
	world_current = (struct world){0};
	runtime_leave(world.shard, WORLD_LINGER_NS);
	return NULL;
}

static int run_all(struct run *run)
{
	struct run_shard shards[NET_SHARD_MAX];
	unsigned started;
	int rc;

	for (started = 0; started < run->count; started++) {
		shards[started] = (struct run_shard){.run = run, .index = (uint16_t)started};
		rc = pthread_create(&shards[started].thread, NULL, run_shard, &shards[started]);
		if (rc != 0) {
			fail(run, rc, (uint16_t)started);
			break;
		}
	}
	for (unsigned i = 0; i < started; i++)
		pthread_join(shards[i].thread, NULL);
	return run->error != 0 ? run->error : run->result;
}

int demi_shard_run(const struct demi_args *args, int (*main_fn)(void *arg), void *arg)
{
	KEEP_ERRNO;
	struct run run = {
		.main_fn = main_fn,
		.arg = arg,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	struct runtime_config config;
	int rc, result;

	(void)args;
	if (main_fn == NULL)
		return EINVAL;
	if (world_current.shard != NULL)
		return EEXIST;
	rc = start(false, &config, &run.runtime);
	if (rc != 0)
		return -rc;
	run.count = runtime_shard_count(run.runtime);
	result = run_all(&run);
	world_figures_keep(run.runtime);
	rc = complain(end(run.runtime));
	return result != 0 ? result : rc;
}

int demi_shard_stop(void)
{
	KEEP_ERRNO;
	struct runtime *runtime = world_get_or_null();

	if (runtime == NULL)
		return ENOSYS;
	runtime_stop_mt(runtime);
	world_put();
	return 0;
}
