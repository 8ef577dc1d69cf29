#include "kv/router.h"

#include "kv/cluster.h"
#include "kv/heap.h"
#include "kv/join.h"
#include "kv/reply.h"
#include "kv/router_state.h"
#include "kv/slot.h"
#include "kv/watches.h"

#include <errno.h>

/* --- a router's life --- */

struct router *router_create_or_null(struct engine *engine, const struct router_hooks *hooks)
{
	struct router *router = heap_alloc_or_null(sizeof(*router));
	const struct peers_events events = {serve_arrived, router_home, serve_ended, router};

	if (!router)
		return NULL;
	*router = (struct router){.engine = engine, .hooks = *hooks};
	STAILQ_INIT(&router->waiting);
	STAILQ_INIT(&router->unsafe);
	STAILQ_INIT(&router->home);
	if (peers_init(&router->peers, engine->shard, engine->shard_count, &events)) {
		heap_free(router);
		return NULL;
	}
	return router;
}

int router_open(struct router *router)
{
	return peers_open(&router->peers);
}

void router_close(struct router *router)
{
	/*
	 * What waits and what watches here is other shards' memory, which is theirs again when we
	 * have closed. From here on nothing runs, and of steps of ours nothing more.
	 */
	serve_close(router);
	watches_destroy(router->engine->watches);
	router->engine->watches = NULL;
	peers_close(&router->peers);
	while (router_turn(router))
		;
}

void router_destroy(struct router *router)
{
	if (!router)
		return;
	peers_fini(&router->peers);
	errand_spares_free(&router->spares);
	heap_free(router);
}

/* --- in the shard's loop --- */

bool router_result(struct router *router, demi_qresult_t *result)
{
	return peers_result(&router->peers, result);
}

void router_home(void *arg, struct errand *errand)
{
	struct router *router = arg;
	const bool abandoned = errand->lost && router->peers.closed;

	if (!errand->done(router, errand) && !abandoned)
		errand_destroy(&router->spares, errand);
}

static void tell_home(struct router *router)
{
	struct errand *errand;

	while ((errand = STAILQ_FIRST(&router->home))) {
		STAILQ_REMOVE_HEAD(&router->home, link);
		router_home(router, errand);
	}
}

bool router_turn(struct router *router)
{
	bool soon;

	serve_turn(router);
	do {
		tell_home(router);
		soon = peers_turn(&router->peers);
	} while (!STAILQ_EMPTY(&router->home));
	return soon;
}

/* --- errands of ours --- */

void router_no_memory(struct out *out)
{
	reply_error(out, "ERR out of memory");
}

void router_lost(struct out *out)
{
	reply_error(out, "ERR the shard that was asked has ended");
}

void router_send(struct router *router, struct errand *errand, int to)
{
	if (to != router->engine->shard || router->peers.closed) {
		peers_send(&router->peers, errand, to);
		return;
	}
	errand->home = errand->at = to;
	serve_arrived(router, errand);
}

void router_settle(struct router *router, struct session *session, struct hold *step, size_t len)
{
	if (step)
		hold_settle(router, step);
	else
		router->hooks.home(session, len);
}

static bool deliver(struct router *router, struct errand *errand)
{
	struct out lost;

	if (errand->lost) {
		out_init(&lost, errand->to->resp);
		router_lost(&lost);
		out_fill(errand->to, errand->place, &lost);
		out_fini(&lost);
	} else {
		out_fill(errand->to, errand->place, &errand->reply);
	}
	router_settle(router, errand->session, errand->step, errand->len);
	return false;
}

void router_ask(struct router *router, struct call *call, struct hold *step, struct errand *errand,
		int to)
{
	struct out_node *place = errand ? out_add_place_or_null(call->out) : NULL;

	if (!place) {
		router_no_memory(call->out);
		errand_destroy(&router->spares, errand);
		return;
	}
	errand->done = deliver;
	errand->session = call->session;
	errand->to = call->out;
	errand->place = place;
	errand->step = step;
	errand->hold = step;
	errand->command = call->command;
	errand->db = call->db;
	errand->granted = call->granted;
	if (step)
		hold_owe(step);
	else
		router->hooks.owe(call->session, errand->len);
	router_send(router, errand, to);
}

/* --- commands --- */

int router_owner_of(const struct router *router, struct slice key)
{
	return slot_owner(slot_of(key), router->engine->shard_count);
}

int router_owner(const struct router *router, const struct call *call, int i)
{
	const int at = command_key_index(call->command, call->argc, i);

	return router_owner_of(router, call->argv[at].text);
}

/* On one shard, this one or another. */
static void run_at(struct router *router, struct call *call, struct hold *step, int to)
{
	const bool free_here = step ? router->held_by == step : !router_busy(router);

	if (to == router->engine->shard && free_here) {
		engine_run(call);
		return;
	}
	router_ask(router, call, step,
		   errand_create_or_null(&router->spares, ERRAND_RUN, call->out->resp, call->argv,
					 NULL, call->argc, 0),
		   to);
}

static bool one_owner(const struct router *router, const struct call *call, int count, int *owner)
{
	*owner = router_owner(router, call, 0);
	for (int i = 1; i < count; i++)
		if (router_owner(router, call, i) != *owner)
			return false;
	return true;
}

static enum router_order route_keys(struct router *router, struct call *call, struct hold *step)
{
	const int count = command_key_count(call->command, call->argc);
	int owner;

	if (count == 0) {
		engine_run(call);
	} else if (one_owner(router, call, count, &owner)) {
		run_at(router, call, step, owner);
	} else if (call->command->spread != SPREAD_KEYS) {
		fan_start(router, call, step);
	} else if (step) {
		bring_start(router, call, step);
	} else {
		return hold_start(router, call);
	}
	return ROUTER_ON;
}

static enum router_order route_all(struct router *router, struct call *call, struct hold *step)
{
	const int shard = join_shard(call, router->engine->shard_count);

	if (shard >= 0)
		run_at(router, call, step, shard);
	else if (call->command->spread == SPREAD_ALL || step)
		fan_start(router, call, step);
	else
		return hold_start(router, call);
	return ROUTER_ON;
}

/* Such errors are answered by the engine before it looks at keys. */
static bool malformed(const struct call *call)
{
	const int arity = call->command->arity;

	if (arity >= 0 ? call->argc != arity : call->argc < -arity)
		return true;
	return call->command->spread == SPREAD_MSET && call->argc % 2 == 0;
}

enum router_order router_route(struct router *router, struct call *call, struct hold *step)
{
	if (call->command->spread == SPREAD_HERE || malformed(call)) {
		engine_run(call);
		return ROUTER_ON;
	}
	if (call->command->spread == SPREAD_ALL || call->command->spread == SPREAD_ALL_STEP)
		return route_all(router, call, step);
	return route_keys(router, call, step);
}

bool router_keys_here(const struct router *router)
{
	return router->engine->shard_count == 1 || router->engine->settings->mode == KV_CLUSTER;
}

/* In cluster mode all shards are asked for what concerns all clients: messages. */
static bool only_here(const struct router *router, const struct call *call)
{
	return router->engine->shard_count == 1 ||
	       (router_keys_here(router) && !(call->command->flags & COMMAND_PUBSUB));
}

bool router_check(struct router *router, struct call *call)
{
	if (router->engine->settings->mode != KV_CLUSTER || malformed(call))
		return true;
	return cluster_serves(call, router->hooks.address);
}

void router_here(struct router *router, struct call *call)
{
	if (only_here(router, call))
		engine_run(call);
	else
		router_route(router, call, NULL);
}

enum router_order router_run(struct router *router, struct call *call)
{
	if (!router_check(router, call)) {
		engine_failed(router->engine, call->out);
		return ROUTER_ON;
	}
	if (!only_here(router, call))
		return router_route(router, call, NULL);
	engine_run(call);
	return ROUTER_ON;
}
