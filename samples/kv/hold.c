#include "kv/anchor.h"
#include "kv/aof.h"
#include "kv/call.h"
#include "kv/cluster.h"
#include "kv/heap.h"
#include "kv/join.h"
#include "kv/reply.h"
#include "kv/router_state.h"

#include <stdint.h>

/*
 * One step: the shards that it concerns are held in ascending order, so that two steps never wait
 * for each other; then its commands run, each where its keys are; then the shards are released, and
 * the client has its answer.
 */
struct hold {
	struct router *router;
	struct session *session;
	struct out *to;
	struct out_node *place;
	struct out reply;
	struct out refusal; /* instead of it, if a shard refuses what was sent as a whole */
	bool refused;
	uint64_t shards;		      /* a bit each */
	int asked;			      /* the shards up to this one */
	struct errand *grips[HOLD_SHARD_MAX]; /* what holds a shard, and will release it */
	unsigned owed;			      /* answers to come */
	bool running;			      /* steps are being started */
	uint32_t flags;			      /* COMMAND_* of what it does */
	struct router_watches *watches;	      /* EXEC */
	const struct router_step *steps;
	int count, next;
	struct router_step alone; /* the only step, if it is not EXEC */
	struct errand *copy;	  /* of its arguments; NULL: it is EXEC */
	bool *ended;		  /* set at the end; NULL: nobody asks any more */
};

static void go_on(struct hold *hold);

/* --- the end --- */

static void end(struct hold *hold)
{
	struct router *router = hold->router;
	struct session *session = hold->session;

	if (hold->watches)
		router_unwatch(router, hold->watches);
	out_fill(hold->to, hold->place, hold->refused ? &hold->refusal : &hold->reply);
	out_fini(&hold->refusal);
	out_fini(&hold->reply);
	errand_destroy(&router->spares, hold->copy);
	if (hold->ended)
		*hold->ended = true;
	heap_free(hold);
	router->hooks.home(session, 0);
}

static bool released(struct router *router, struct errand *errand)
{
	struct hold *hold = errand->step;

	(void)router;
	if (--hold->owed == 0)
		end(hold);
	return false;
}

/* The grips go back; the answer waits for them, as they wait for the log. */
static void release(struct hold *hold)
{
	hold->owed = 1;
	for (int i = 0; i < hold->router->engine->shard_count; i++) {
		struct errand *grip = hold->grips[i];

		if (!grip)
			continue;
		grip->task = ERRAND_RELEASE;
		grip->done = released;
		hold->owed++;
		router_send(hold->router, grip, i);
	}
	if (--hold->owed == 0)
		end(hold);
}

/* --- the beginning --- */

static bool granted(struct router *router, struct errand *errand)
{
	struct hold *hold = errand->step;

	(void)router;
	if (errand->lost) {
		router_lost(&hold->reply);
		release(hold);
		return false;
	}
	hold->grips[errand->at] = errand;
	if (errand->refused) {
		out_move(&hold->reply, &errand->reply);
		release(hold);
	} else {
		go_on(hold);
	}
	return true;
}

/* False: all are held. */
static bool ask_next(struct hold *hold)
{
	struct router *router = hold->router;
	struct errand *errand;

	while (++hold->asked < router->engine->shard_count)
		if (hold->shards >> hold->asked & 1)
			break;
	if (hold->asked >= router->engine->shard_count)
		return false;
	errand = errand_create_or_null(&router->spares, ERRAND_HOLD, hold->reply.resp, NULL, NULL,
				       0, 0);
	if (!errand) {
		router_no_memory(&hold->reply);
		release(hold);
		return true;
	}
	errand->done = granted;
	errand->step = hold;
	errand->hold = hold;
	errand->wish = (struct step_wish){hold->flags, !hold->copy,
					  hold->watches ? anchor_or_null(hold->watches, hold->asked)
							: NULL};
	router_send(router, errand, hold->asked);
	return true;
}

/* --- between --- */

/* It has its keys on several shards, and must be one step by itself. */
static bool brings(const struct hold *hold, const struct call *call)
{
	const int count = command_key_count(call->command, call->argc);

	if (call->command->spread != SPREAD_KEYS)
		return false;
	for (int i = 1; i < count; i++)
		if (router_owner(hold->router, call, i) != router_owner(hold->router, call, 0))
			return true;
	return false;
}

static struct call call_of(struct hold *hold, const struct router_step *step)
{
	return (struct call){.engine = hold->router->engine,
			     .session = hold->session,
			     .command = step->command,
			     .argc = step->argc,
			     .argv = step->argv,
			     .out = &hold->reply,
			     .db = step->db,
			     .granted = true};
}

/* Starts what can be started. */
static void run_steps(struct hold *hold)
{
	struct router *router = hold->router;

	while (hold->next < hold->count) {
		struct call call = call_of(hold, &hold->steps[hold->next]);
		const bool alone = brings(hold, &call);

		if (alone && hold->owed > 0)
			return; /* what is under way first */
		hold->next++;
		if (call.command->flags & COMMAND_SESSION)
			router->hooks.run(&call);
		else
			router_route(router, &call, hold);
		if (alone && hold->owed > 0)
			return;
	}
}

/* The last answer ends the step; some come while the steps are being started. */
static void proceed(struct hold *hold)
{
	if (hold->running)
		return;
	hold->running = true;
	run_steps(hold);
	hold->running = false;
	if (hold->next == hold->count && hold->owed == 0)
		release(hold);
}

static void go_on(struct hold *hold)
{
	if (ask_next(hold))
		return;
	if (!hold->copy)
		reply_array(&hold->reply, (size_t)hold->count);
	proceed(hold);
}

void hold_owe(struct hold *hold)
{
	hold->owed++;
}

void hold_settle(struct router *router, struct hold *hold)
{
	(void)router;
	hold->owed--;
	proceed(hold);
}

/* --- EXEC on one other shard: its beginning, its steps and its end are sent as one --- */

static bool came_back(struct router *router, struct errand *errand)
{
	struct hold *hold = errand->step;

	if (!errand->lost && errand->refused) {
		hold->refused = true;
		out_move(&hold->refusal, &errand->reply);
	}
	hold_settle(router, hold);
	return false;
}

static struct errand *bracket_or_null(struct hold *hold, enum errand_task task, int shard)
{
	struct errand *errand = errand_create_or_null(&hold->router->spares, task, hold->reply.resp,
						      NULL, NULL, 0, 0);

	if (!errand)
		return NULL;
	errand->done = came_back;
	errand->step = hold;
	errand->hold = hold;
	errand->wish = (struct step_wish){hold->flags, true, anchor_or_null(hold->watches, shard)};
	return errand;
}

static void send_whole(struct hold *hold)
{
	struct router *router = hold->router;
	const int shard = __builtin_ctzll(hold->shards);
	struct errand *begin = bracket_or_null(hold, ERRAND_HOLD, shard);
	struct errand *finish = bracket_or_null(hold, ERRAND_RELEASE, shard);

	if (!begin || !finish) {
		errand_destroy(&router->spares, begin);
		errand_destroy(&router->spares, finish);
		router_no_memory(&hold->reply);
		release(hold);
		return;
	}
	hold->owed = 2;
	hold->running = true;
	router_send(router, begin, shard);
	reply_array(&hold->reply, (size_t)hold->count);
	run_steps(hold);
	router_send(router, finish, shard);
	hold->running = false;
}

/* All steps run on that shard, nothing before its answer. */
static bool can_be_sent_whole(const struct hold *hold)
{
	if (hold->shards & (hold->shards - 1))
		return false;
	for (int i = 0; i < hold->count; i++)
		if (hold->steps[i].command->spread == SPREAD_HERE)
			return false;
	return true;
}

/* --- who asks --- */

/* It may end at once, for want of memory. */
static enum router_order start(struct hold *hold, void (*how)(struct hold *hold))
{
	bool ended = false;

	hold->ended = &ended;
	how(hold);
	if (ended)
		return ROUTER_ON;
	hold->ended = NULL;
	return ROUTER_STALL;
}

static uint64_t every_shard(const struct router *router)
{
	return UINT64_MAX >> (HOLD_SHARD_MAX - router->engine->shard_count);
}

/* The shards that a command concerns. */
static uint64_t shards_of(const struct router *router, const struct call *call)
{
	const int shard_count = router->engine->shard_count;
	uint64_t shards = 0;

	if (call->command->spread == SPREAD_HERE || (call->command->flags & COMMAND_SESSION))
		return 0;
	if (call->command->spread == SPREAD_ALL_STEP)
		return every_shard(router);
	if (call->command->spread == SPREAD_ALL) {
		const int shard = join_shard(call, shard_count);

		return shard < 0 ? every_shard(router) : UINT64_C(1) << shard;
	}
	for (int i = 0; i < command_key_count(call->command, call->argc); i++)
		shards |= UINT64_C(1) << router_owner(router, call, i);
	return shards;
}

static struct hold *create_or_null(struct router *router, struct call *call)
{
	struct hold *hold = heap_alloc_or_null(sizeof(*hold));
	struct out_node *place = hold ? out_add_place_or_null(call->out) : NULL;

	if (!place) {
		heap_free(hold);
		router_no_memory(call->out);
		return NULL;
	}
	*hold = (struct hold){.router = router,
			      .session = call->session,
			      .to = call->out,
			      .place = place,
			      .asked = -1};
	out_init(&hold->reply, call->out->resp);
	out_init(&hold->refusal, call->out->resp);
	router->hooks.owe(call->session, 0); /* nothing else is, as it waits */
	return hold;
}

enum router_order hold_start(struct router *router, struct call *call)
{
	struct errand *copy = errand_create_or_null(&router->spares, ERRAND_RUN, call->out->resp,
						    call->argv, NULL, call->argc, 0);
	struct hold *hold = copy ? create_or_null(router, call) : NULL;

	if (!hold) {
		if (!copy)
			router_no_memory(call->out);
		errand_destroy(&router->spares, copy);
		return ROUTER_ON;
	}
	hold->copy = copy;
	hold->alone = (struct router_step){call->command, call->argc, copy->argv, call->db};
	hold->steps = &hold->alone;
	hold->count = 1;
	hold->shards = shards_of(router, call);
	hold->flags = call->command->flags;
	return start(hold, go_on);
}

/* --- EXEC --- */

static uint64_t shards_of_steps(const struct router *router, const struct router_step *steps,
				int count)
{
	uint64_t shards = 0;

	for (int i = 0; i < count; i++) {
		const struct call call = {
			.command = steps[i].command, .argc = steps[i].argc, .argv = steps[i].argv};

		shards |= shards_of(router, &call);
	}
	return shards;
}

static uint32_t flags_of_steps(const struct router_step *steps, int count)
{
	uint32_t flags = 0;

	for (int i = 0; i < count; i++)
		flags |= steps[i].command->flags;
	return flags;
}

/* All of it is here, and nobody holds this shard. */
static void run_here(struct router *router, struct call *exec, const struct router_step *steps,
		     int count)
{
	struct aof *aof = router->engine->aof;

	if (aof)
		aof_multi(aof);
	reply_array(exec->out, (size_t)count);
	for (int i = 0; i < count; i++) {
		struct call call = *exec;

		call.command = steps[i].command;
		call.argc = steps[i].argc;
		call.argv = steps[i].argv;
		call.db = steps[i].db;
		call.granted = true;
		if (call.command->flags & COMMAND_SESSION)
			router->hooks.run(&call);
		else
			router_here(router, &call);
	}
	if (aof)
		aof_exec(aof);
}

bool router_may_queue(struct router *router, struct call *call)
{
	const struct engine *engine = router->engine;
	const uint64_t shards = engine->settings->mode == KV_FORWARD ? shards_of(router, call) : 0;

	if (!router_check(router, call))
		return false;
	if ((shards && !(shards >> engine->shard & 1)) ||
	    store_make_room(engine->store, engine->now_ms))
		return true;
	reply_error(call->out, CALL_NO_MEMORY);
	return false;
}

enum router_order router_exec(struct router *router, struct call *call,
			      struct router_watches *watches, const struct router_step *steps,
			      int count)
{
	const int self = router->engine->shard;
	const bool forward = router->engine->settings->mode == KV_FORWARD;
	const uint64_t shards = anchor_shards(watches, router->engine->shard_count) |
				(forward ? shards_of_steps(router, steps, count) : 0);
	const struct step_wish wish = {flags_of_steps(steps, count), true,
				       anchor_or_null(watches, self)};
	struct hold *hold;

	if (!forward && !cluster_serves_steps(call, steps, count)) {
		router_unwatch(router, watches);
		return ROUTER_ON;
	}
	if ((shards & ~(UINT64_C(1) << self)) == 0 && !router_busy(router)) {
		if (!serve_refuses(router, &wish, call->out))
			run_here(router, call, steps, count);
		router_unwatch(router, watches);
		return ROUTER_ON;
	}
	hold = create_or_null(router, call);
	if (!hold) {
		router_unwatch(router, watches);
		return ROUTER_ON;
	}
	hold->watches = watches;
	hold->flags = wish.flags;
	hold->steps = steps;
	hold->count = count;
	hold->shards = shards | (shards ? 0 : UINT64_C(1) << self);
	return start(hold, can_be_sent_whole(hold) ? send_whole : go_on);
}
