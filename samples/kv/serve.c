#include "kv/anchor.h"
#include "kv/aof.h"
#include "kv/call.h"
#include "kv/reply.h"
#include "kv/router_state.h"

static void send_home(struct router *router, struct errand *errand)
{
	if (errand->home != router->engine->shard)
		peers_answer(&router->peers, errand);
	else
		STAILQ_INSERT_TAIL(&router->home, errand, link);
}

/*
 * Answers wait until the log is durable up to where it was when they were made. Those within a step
 * do not: the step's own answer waits for the end of its hold.
 */
static void answer(struct router *router, struct errand *errand)
{
	const struct aof *aof = router->engine->aof;

	errand->durable_at = aof ? aof_end(aof) : 0;
	if (aof && (!errand->hold || errand->task == ERRAND_RELEASE) &&
	    errand->durable_at > aof_durable(aof))
		STAILQ_INSERT_TAIL(&router->unsafe, errand, link);
	else
		send_home(router, errand);
}

static void answer_durable(struct router *router)
{
	const uint64_t durable =
		router->engine->aof ? aof_durable(router->engine->aof) : UINT64_MAX;
	struct errand *errand;

	while ((errand = STAILQ_FIRST(&router->unsafe)) && errand->durable_at <= durable) {
		STAILQ_REMOVE_HEAD(&router->unsafe, link);
		send_home(router, errand);
	}
}

/* --- what is asked --- */

static struct call call_of(struct router *router, const struct errand *errand)
{
	return (struct call){.engine = router->engine,
			     .command = errand->command,
			     .argc = errand->argc,
			     .argv = errand->argv,
			     .db = errand->db,
			     .part = errand->part,
			     .granted = errand->granted};
}

static void run(struct router *router, struct errand *errand)
{
	struct call call = call_of(router, errand);

	/* CLIENT KILL with SKIPME has to know who asks. */
	if (errand->home == router->engine->shard)
		call.session = errand->session;
	call.out = &errand->reply;
	engine_run(&call);
}

/* It counts as one call, as it would have on one shard. */
static void run_each(struct router *router, struct errand *errand)
{
	for (int i = 1; i < errand->argc; i++) {
		const struct arg argv[2] = {errand->argv[0], errand->argv[i]};
		const size_t before = errand->reply.len;
		struct call call = call_of(router, errand);

		call.argc = 2;
		call.argv = argv;
		call.out = &errand->reply;
		if (i == 1)
			engine_run(&call);
		else
			errand->command->run(&call);
		errand->part_lens[i - 1] = errand->reply.len - before;
	}
}

static void fetch(struct router *router, struct errand *errand)
{
	const struct engine *engine = router->engine;
	struct entry *entry =
		store_peek_or_null(engine->store, errand->db, errand->argv[0].text, engine->now_ms);
	char scratch[ENTRY_SCRATCH_LEN];
	struct slice text;

	if (!entry)
		return;
	errand->expire_ms = entry_expire_ms(entry);
	errand->value = entry_bytes_or_null(entry);
	if (errand->value) {
		bytes_get(errand->value);
		return;
	}
	text = entry_string(entry, scratch);
	errand->value = bytes_create_or_null(text.len, text.len);
	errand->refused = !errand->value;
	if (errand->value && text.len)
		memcpy(errand->value->data, text.data, text.len);
}

bool serve_refuses(struct router *router, const struct step_wish *wish, struct out *out)
{
	struct engine *engine = router->engine;
	const bool writes = wish->flags & COMMAND_WRITE;
	/* Room is made first: what goes for it may be what is watched. */
	const bool room = !writes || store_make_room(engine->store, engine->now_ms);
	const char *refusal = NULL;

	if (!room && (wish->flags & COMMAND_DENYOOM))
		refusal = CALL_NO_MEMORY;
	else if (writes && engine->aof)
		refusal = engine->log->refusal_or_null(engine->aof);
	if (refusal && wish->exec)
		reply_errorf(out, "EXECABORT Transaction discarded because of: %s", refusal);
	else if (refusal)
		reply_error(out, refusal);
	else if (wish->anchor && anchor_dirty(wish->anchor, engine))
		reply_null_array(out);
	else
		return false;
	return true;
}

static void begin_hold(struct router *router, struct errand *errand)
{
	router->held_by = errand->hold;
	router->held_home = errand->home;
	if (router->engine->aof)
		aof_multi(router->engine->aof);
	errand->refused = serve_refuses(router, &errand->wish, &errand->reply);
	router->refusing = errand->refused;
}

static void end_hold(struct router *router)
{
	router->held_by = NULL;
	router->refusing = false;
	if (router->engine->aof)
		aof_exec(router->engine->aof);
}

static void serve(struct router *router, struct errand *errand)
{
	/* Of a step that was sent as a whole, and refused at its beginning. */
	if (router->refusing && errand->hold == router->held_by && errand->task != ERRAND_RELEASE) {
		answer(router, errand);
		return;
	}
	switch (errand->task) {
	case ERRAND_RUN:
		run(router, errand);
		break;
	case ERRAND_EACH:
		run_each(router, errand);
		break;
	case ERRAND_FETCH:
		fetch(router, errand);
		break;
	case ERRAND_HOLD:
		begin_hold(router, errand);
		break;
	case ERRAND_RELEASE:
		end_hold(router);
		break;
	case ERRAND_WATCH:
		errand->refused = !anchor_add(errand->anchor, router->engine, errand);
		break;
	case ERRAND_UNWATCH:
		anchor_clear(errand->anchor, router->engine);
		break;
	}
	answer(router, errand);
}

/* --- whose turn it is --- */

/* The disk does not keep up. */
static bool log_busy(const struct router *router)
{
	return router->engine->aof && aof_busy(router->engine->aof);
}

/* The next that may run: while the shard is held, the holder's. NULL: none. */
static struct errand *next_or_null(struct router *router)
{
	struct errand *errand = STAILQ_FIRST(&router->waiting);

	if (!router->held_by)
		return log_busy(router) ? NULL : errand;
	while (errand && errand->hold != router->held_by)
		errand = STAILQ_NEXT(errand, link);
	return errand;
}

static void drain(struct router *router)
{
	struct errand *errand;

	while ((errand = next_or_null(router))) {
		STAILQ_REMOVE(&router->waiting, errand, errand, link);
		serve(router, errand);
	}
}

void serve_arrived(void *arg, struct errand *errand)
{
	struct router *router = arg;
	const bool holders = errand->hold && errand->hold == router->held_by;

	if (!holders && (router_busy(router) || log_busy(router))) {
		STAILQ_INSERT_TAIL(&router->waiting, errand, link);
		return;
	}
	serve(router, errand);
	if (!router->held_by)
		drain(router);
}

void serve_turn(struct router *router)
{
	if (!router->held_by)
		drain(router);
	answer_durable(router);
}

/* Takes errands out of a queue: those of one shard, or all. Ours are lost. */
static void forget(struct router *router, struct errand_queue *queue, int home)
{
	struct errand_queue all = STAILQ_HEAD_INITIALIZER(all);
	struct errand *errand;

	STAILQ_CONCAT(&all, queue);
	while ((errand = STAILQ_FIRST(&all))) {
		STAILQ_REMOVE_HEAD(&all, link);
		if (home >= 0 && errand->home != home)
			STAILQ_INSERT_TAIL(queue, errand, link);
		else if (errand->home == router->engine->shard)
			peers_lose(&router->peers, errand);
	}
}

void serve_ended(void *arg, int peer)
{
	struct router *router = arg;

	forget(router, &router->waiting, peer);
	forget(router, &router->unsafe, peer);
	if (router->held_by && router->held_home == peer)
		end_hold(router);
	drain(router);
}

void serve_close(struct router *router)
{
	/* Of a step that has not come to its end nothing is to be in the log: aof_close(). */
	router->held_by = NULL;
	router->refusing = false;
	forget(router, &router->waiting, -1);
	forget(router, &router->unsafe, -1);
}
