/* Time: events in their order, whose turn it is, and the calls by which time passes. */
#include "sim/sim.h"

#include "mem/check.h"
#include "shard/clock.h"

#include <stdlib.h>

struct sim_current sim_current;
struct sim_shard *sim_entered;

/* --- who runs --- */
void sim_become(struct sim_host *host, struct sim_shard *shard)
{
	struct world world = {.running = true};

	sim_current.host = host;
	sim_current.shard = shard;
	if (shard) {
		world.runtime = host->runtime;
		world.shard = shard->shard;
	}
	world_enter(shard ? &world : NULL);
}

struct sim_current sim_save(void)
{
	return sim_current;
}

void sim_restore(const struct sim_current *saved)
{
	sim_become(saved->host, saved->shard);
	sim_current = *saved;
}

/* --- events --- */
static void post(struct demi_sim *world, struct sim_event *event)
{
	event->number = ++world->numbers;
	CHECK(heap_push(&world->heap, event));
}

void sim_due(struct sim_shard *shard, uint64_t at_ns)
{
	struct demi_sim *world = shard->host->world;
	struct sim_event event = {.kind = SIM_EVENT_SHARD, .shard = shard};

	if (at_ns < world->now_ns)
		at_ns = world->now_ns;
	if (at_ns < shard->sleep_ns)
		at_ns = shard->sleep_ns;
	if (at_ns >= shard->due_ns || at_ns == SIM_NEVER)
		return;
	event.at_ns = at_ns;
	post(world, &event);
	shard->due_ns = at_ns;
	shard->due_number = event.number;
}

void sim_post_frame(struct demi_sim *world, struct sim_lane *lane, struct sim_frame *frame,
		    uint64_t at_ns)
{
	struct sim_event event = {
		.kind = SIM_EVENT_FRAME, .at_ns = at_ns, .lane = lane, .frame = frame};

	post(world, &event);
}

/* Shards' events that were moved forward stay in the heap and are void. */
static bool is_void(const struct sim_event *event)
{
	return event->kind == SIM_EVENT_SHARD && event->shard->due_number != event->number;
}

bool sim_pending(struct demi_sim *world)
{
	struct sim_event event;

	while (world->heap.count && is_void(&world->heap.events[0]))
		heap_pop(&world->heap, &event);
	return world->heap.count != 0;
}

static void run(struct demi_sim *world, struct sim_event *event)
{
	struct sim_current saved = sim_save();

	world->figures.events++;
	if (event->kind == SIM_EVENT_FRAME)
		link_arrive(event->lane, event->frame);
	else
		sim_drive(event->shard);
	sim_restore(&saved);
}

enum sim_ran sim_run_one(struct demi_sim *world, uint64_t limit_ns, const struct sim_shard *stop)
{
	struct sim_event event;

	if (!sim_pending(world) || world->heap.events[0].at_ns > limit_ns)
		return SIM_RAN_NOTHING;
	heap_pop(&world->heap, &event);
	world->now_ns = event.at_ns;
	if (event.kind == SIM_EVENT_SHARD) {
		event.shard->due_ns = SIM_NEVER;
		event.shard->due_number = 0;
		if (event.shard == stop)
			return SIM_RAN_STOP;
	}
	run(world, &event);
	return SIM_RAN;
}

/* --- the calls --- */
uint64_t demi_sim_now(const struct demi_sim *world)
{
	return world ? world->now_ns : 0;
}

int demi_sim_advance(struct demi_sim *world, uint64_t length_ns)
{
	uint64_t until_ns;

	if (!world)
		return EINVAL;
	until_ns = clock_after(world->now_ns, length_ns);
	if (sim_current.fiber) {
		if (sim_current.host->world != world)
			return EBUSY;
		sim_sleep(sim_current.shard, until_ns);
		return 0;
	}
	sim_unrest(world);
	while (sim_run_one(world, until_ns, NULL) == SIM_RAN)
		;
	world->now_ns = until_ns;
	return 0;
}

int demi_sim_run(struct demi_sim *world, uint64_t length_ns)
{
	uint64_t until_ns;

	if (!world)
		return EINVAL;
	if (sim_current.fiber)
		return EBUSY;
	sim_unrest(world);
	until_ns = clock_after(world->now_ns, length_ns);
	while (world->programs) {
		if (sim_run_one(world, until_ns, NULL) == SIM_RAN)
			continue;
		if (!sim_pending(world))
			return EDEADLK;
		world->now_ns = until_ns;
		return ETIMEDOUT;
	}
	return 0;
}

int demi_sim_step(struct demi_sim *world)
{
	if (!world)
		return EINVAL;
	if (sim_current.fiber)
		return EBUSY;
	sim_unrest(world);
	return sim_run_one(world, SIM_NEVER, NULL) == SIM_RAN ? 0 : ENOENT;
}
