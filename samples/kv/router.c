#include "kv/router.h"

#include "kv/heap.h"
#include "kv/reply.h"
#include "kv/watches.h"

#include <errno.h>
#include <stdio.h>

/* One shard has all keys. */
struct router {
	struct engine *engine;
	struct router_hooks hooks;
};

/* Of the only shard. */
struct anchor {
	struct watcher watcher;
};

struct router *router_create_or_null(struct engine *engine, const struct router_hooks *hooks)
{
	struct router *router = heap_alloc_or_null(sizeof(*router));

	if (router)
		*router = (struct router){.engine = engine, .hooks = *hooks};
	return router;
}

int router_open(struct router *router)
{
	if (router->engine->shard_count == 1)
		return 0;
	fprintf(stderr, "kv: only one shard is served so far: [runtime] shards = 1\n");
	return ENOTSUP;
}

void router_close(struct router *router)
{
	(void)router;
}

void router_destroy(struct router *router)
{
	heap_free(router);
}

bool router_result(struct router *router, demi_qresult_t *result)
{
	(void)router;
	(void)result;
	return false;
}

bool router_turn(struct router *router)
{
	(void)router;
	return false;
}

enum router_order router_run(struct router *router, struct call *call)
{
	(void)router;
	engine_run(call);
	return ROUTER_ON;
}

bool router_check(struct router *router, struct call *call)
{
	(void)router;
	(void)call;
	return true;
}

enum router_order router_watch(struct router *router, struct call *call,
			       struct router_watches *watches)
{
	struct engine *engine = router->engine;

	if (!watches->anchors) {
		struct anchor *anchor;

		watches->anchors = heap_alloc_or_null(sizeof(struct anchor *) + sizeof(*anchor));
		if (!watches->anchors) {
			reply_error(call->out, "ERR out of memory");
			return ROUTER_ON;
		}
		anchor = (struct anchor *)(watches->anchors + 1);
		*anchor = (struct anchor){0};
		watches->anchors[0] = anchor;
	}
	for (int i = 1; i < call->argc; i++) {
		if (watches_add(engine->watches, &watches->anchors[0]->watcher, call->db,
				call->argv[i].text, engine->now_ms)) {
			reply_error(call->out, "ERR out of memory");
			return ROUTER_ON;
		}
	}
	reply_status(call->out, "OK");
	return ROUTER_ON;
}

void router_unwatch(struct router *router, struct router_watches *watches)
{
	if (watches->anchors)
		watches_drop(router->engine->watches, &watches->anchors[0]->watcher);
	heap_free(watches->anchors);
	watches->anchors = NULL;
}

enum router_order router_exec(struct router *router, struct call *call,
			      struct router_watches *watches, const struct router_step *steps,
			      int count)
{
	struct engine *engine = router->engine;
	const bool dirty =
		watches->anchors &&
		watches_dirty(engine->watches, &watches->anchors[0]->watcher, engine->now_ms);

	router_unwatch(router, watches);
	if (dirty) {
		reply_null_array(call->out);
		return ROUTER_ON;
	}
	reply_array(call->out, (size_t)count);
	for (int i = 0; i < count; i++) {
		struct call step = {.engine = engine,
				    .session = call->session,
				    .command = steps[i].command,
				    .argc = steps[i].argc,
				    .argv = steps[i].argv,
				    .out = call->out,
				    .db = steps[i].db};

		if (step.command->flags & COMMAND_SESSION)
			router->hooks.run(&step);
		else
			engine_run(&step);
	}
	return ROUTER_ON;
}
