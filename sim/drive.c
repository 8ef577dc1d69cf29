/*
 * Who drives a shard: a program, the test, or, while nobody waits on it, the world. Here are the
 * seam shard/idle.h, at which a wait gives way to the world, and the calls around it.
 */
#include "sim/sim.h"

#include "mem/check.h"
#include "shard/clock.h"
#include "shard/loop.h"

#include <stdlib.h>

static struct shard *shard_of(struct idle *idle)
{
	return (struct shard *)((char *)idle - offsetof(struct shard, idle));
}

static uint64_t world_ns(const struct sim_host *host, uint64_t clock_ns)
{
	return clock_ns == UINT64_MAX ? SIM_NEVER : clock_ns - SIM_EPOCH_NS - host->clock_ns;
}

/* Something waits that no event will announce: room in a device, a mailbox, or a pool. */
static bool must_nap(const struct shard *shard)
{
	if (shard->channels_busy || !TAILQ_EMPTY(&shard->queues.retry))
		return true;
	for (unsigned i = 0; i < shard->line_count; i++)
		if (shard->lines[i].count)
			return true;
	return false;
}

static void after_turn(struct sim_shard *self)
{
	struct demi_sim *world = self->host->world;

	world->figures.turns++;
	sim_control(self->host->runtime);
	if (world->watch)
		world->watch(self->host->node, self->index, world->watch_arg);
}

/* When the shard has to turn again by itself. What is due after a turn that found nothing to do
 * lacks a buffer: time must pass until there may be one. */
static uint64_t next_ns(struct sim_shard *self)
{
	struct shard *shard = self->shard;
	uint64_t at_ns = shard->timer_ns, now_ns = clock_now_ns_mt();
	uint64_t nap_ns = now_ns + shard->idle.nap_ns;

	if (at_ns <= now_ns || (must_nap(shard) && nap_ns < at_ns))
		at_ns = nap_ns;
	return world_ns(self->host, at_ns);
}

/* --- shard/idle.h --- */
int idle_init(struct idle *idle, const struct runtime_config *config, bool shared)
{
	(void)shared;
	/* Always armed: then every turn ends with the stack's next deadline. */
	*idle = (struct idle){.policy = SHARD_IDLE_ADAPTIVE,
			      .armed = true,
			      .event_fd = -1,
			      .spin_ns = config->spin_ns,
			      .nap_ns = config->nap_ns};
	return 0;
}

void idle_fini(struct idle *idle)
{
	(void)idle;
}

void idle_busy(struct shard *shard, uint64_t now_ns)
{
	shard->idle.busy_ns = now_ns;
	if (!sim_current.host->ending)
		after_turn(sim_current.shard);
}

/* The test waits: the world runs until the shard has to turn, or the wait is over. */
static void run_world(struct sim_shard *self, uint64_t until_ns)
{
	struct demi_sim *world = self->host->world;
	enum sim_ran ran;

	while ((ran = sim_run_one(world, until_ns, self)) == SIM_RAN)
		;
	if (ran == SIM_RAN_STOP)
		return;
	if (until_ns != SIM_NEVER) {
		world->now_ns = until_ns;
		return;
	}
	self->host->rested = true; /* nothing will ever happen */
	runtime_stop_mt(self->host->runtime);
}

void idle_pass(struct shard *shard, uint64_t now_ns, uint64_t deadline_ns)
{
	struct sim_shard *self = sim_current.shard;
	uint64_t until_ns;

	(void)shard;
	if (self->host->ending)
		return;
	after_turn(self);
	until_ns = world_ns(self->host, deadline_ns);
	sim_due(self, next_ns(self));
	if (!self->fiber) {
		run_world(self, until_ns);
		return;
	}
	sim_due(self, deadline_ns <= now_ns ? self->host->world->now_ns + SIM_POLL_NS : until_ns);
	fiber_give_way(self->fiber);
}

void idle_kick_mt(struct idle *idle)
{
	struct shard *shard = shard_of(idle);

	/* Shards wake those of their own host only; demi_sim_stop() wakes by itself. */
	if (sim_current.host && sim_current.host->runtime == shard->runtime &&
	    !sim_current.host->ending)
		sim_due(&sim_current.host->shards[shard->index], 0);
}

void idle_wake_mt(struct idle *idle)
{
	idle_kick_mt(idle);
}

/* --- a shard's event --- */
static void turn(struct sim_shard *self)
{
	unsigned turns = 0;

	while (shard_turn(self->shard, clock_now_ns_mt()))
		CHECK(++turns < SIM_TURNS_MAX);
	after_turn(self);
	sim_due(self, next_ns(self));
}

static void end_program(struct sim_shard *self)
{
	fiber_destroy(self->fiber);
	self->fiber = NULL;
	self->sleep_ns = 0;
	self->host->world->programs--;
}

void sim_drive(struct sim_shard *self)
{
	sim_become(self->host, self);
	sim_current.fiber = self->fiber;
	if (!self->fiber) {
		turn(self);
	} else if (fiber_resume(self->fiber)) {
		end_program(self);
		sim_current.fiber = NULL;
		runtime_close_queues(self->shard);
		turn(self);
	}
}

void sim_sleep(struct sim_shard *self, uint64_t at_ns)
{
	self->sleep_ns = at_ns;
	self->due_ns = SIM_NEVER;
	self->due_number = 0;
	sim_due(self, at_ns);
	fiber_give_way(self->fiber);
	self->sleep_ns = 0;
}

/* --- programs --- */
struct program {
	struct sim_shard *shard;
	int (*main_fn)(void *arg);
	void *arg;
};

static void run_program(void *arg)
{
	struct program program = *(struct program *)arg;

	free(arg);
	program.shard->result = program.main_fn(program.arg);
	program.shard->has_result = true;
}

static int start_program(struct sim_shard *self, int (*main_fn)(void *arg), void *arg)
{
	struct program *program = malloc(sizeof(*program));

	if (!program)
		return ENOMEM;
	*program = (struct program){self, main_fn, arg};
	self->fiber = fiber_create_or_null(run_program, program);
	if (!self->fiber) {
		free(program);
		return ENOMEM;
	}
	self->has_result = false;
	self->host->world->programs++;
	sim_due(self, 0);
	return 0;
}

int demi_sim_program(struct demi_sim *world, int host, int shard, int (*main_fn)(void *arg),
		     void *arg)
{
	int first = shard < 0 ? 0 : shard, last = first, error = 0;
	struct sim_host *at;

	if (!world || !main_fn || shard < -1 || !sim_shard_or_null(world, host, first))
		return EINVAL;
	at = sim_host_or_null(world, host);
	if (shard < 0)
		last = at->shard_count - 1;
	for (int i = first; i <= last; i++)
		if (at->shards[i].fiber || &at->shards[i] == sim_entered)
			return EBUSY;
	for (int i = first; i <= last && !error; i++)
		error = start_program(&at->shards[i], main_fn, arg);
	return error;
}

int demi_sim_result(struct demi_sim *world, int host, int shard, int *result_out)
{
	struct sim_shard *self = sim_shard_or_null(world, host, shard);

	if (!self || !result_out)
		return EINVAL;
	if (self->fiber)
		return EBUSY;
	if (!self->has_result)
		return ENOENT;
	*result_out = self->result;
	return 0;
}

void sim_programs_end(struct sim_host *host)
{
	enum { TRIES = 64 };

	runtime_stop_mt(host->runtime);
	for (uint16_t i = 0; i < host->shard_count; i++) {
		struct sim_shard *self = &host->shards[i];

		self->sleep_ns = 0;
		sim_become(host, self);
		sim_current.fiber = self->fiber;
		for (unsigned n = 0; self->fiber && n < TRIES; n++)
			if (fiber_resume(self->fiber))
				end_program(self);
		if (self->fiber)
			end_program(self);
		sim_current.fiber = NULL;
	}
	sim_become(NULL, NULL);
}

/* --- by hand --- */
void sim_unrest(struct demi_sim *world)
{
	for (int i = 0; i < world->node_count; i++) {
		struct sim_host *host = world->nodes[i]->host;

		if (host && host->rested)
			host->rested = host->runtime->stopping = false;
	}
	/* What the test asked for by hand and did not wait for happens now, too. */
	if (sim_entered && sim_entered->host->world == world)
		sim_due(sim_entered, 0);
}

int demi_sim_enter(struct demi_sim *world, int host, int shard)
{
	struct sim_shard *self = sim_shard_or_null(world, host, shard);

	if (!self)
		return EINVAL;
	if (sim_current.fiber || self->fiber)
		return EBUSY;
	if (sim_entered && sim_entered->host->world != world)
		sim_unrest(sim_entered->host->world);
	sim_unrest(world);
	sim_entered = self;
	sim_become(self->host, self);
	return 0;
}

int demi_sim_leave(struct demi_sim *world)
{
	if (!world)
		return EINVAL;
	if (sim_current.fiber)
		return EBUSY;
	if (!sim_entered || sim_entered->host->world != world)
		return EINVAL;
	sim_unrest(world);
	sim_entered = NULL;
	sim_become(NULL, NULL);
	return 0;
}

int demi_sim_stop(struct demi_sim *world, int host)
{
	struct sim_host *self = sim_host_or_null(world, host);

	if (!self)
		return EINVAL;
	self->rested = false;
	runtime_stop_mt(self->runtime);
	for (uint16_t i = 0; i < self->shard_count; i++)
		sim_due(&self->shards[i], 0);
	return 0;
}
