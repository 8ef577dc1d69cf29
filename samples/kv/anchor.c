#include "kv/anchor.h"

#include "kv/heap.h"
#include "kv/reply.h"
#include "kv/router_state.h"

/* A WATCH until all shards that it concerns have answered. */
struct watching {
	struct session *session;
	struct out *to;
	struct out_node *place;
	unsigned left; /* answers to come, and one until all are asked */
	size_t len;    /* what the errands take */
	bool lost, no_memory;
};

/* --- on the owner's shard --- */

bool anchor_add(struct anchor *anchor, struct engine *engine, const struct errand *errand)
{
	for (int i = 0; i < errand->argc; i++)
		if (watches_add(engine->watches, &anchor->watcher, errand->db, errand->argv[i].text,
				engine->now_ms))
			return false;
	return true;
}

bool anchor_dirty(struct anchor *anchor, struct engine *engine)
{
	return watches_dirty(engine->watches, &anchor->watcher, engine->now_ms);
}

void anchor_clear(struct anchor *anchor, struct engine *engine)
{
	watches_drop(engine->watches, &anchor->watcher);
}

/* --- on the connection's --- */

struct anchor *anchor_or_null(const struct router_watches *watches, int shard)
{
	return watches->anchors ? watches->anchors[shard] : NULL;
}

uint64_t anchor_shards(const struct router_watches *watches, int shard_count)
{
	uint64_t shards = 0;

	for (int i = 0; i < shard_count; i++)
		if (anchor_or_null(watches, i))
			shards |= UINT64_C(1) << i;
	return shards;
}

/* It has let go, and goes with the errand. */
static bool unwatched(struct router *router, struct errand *errand)
{
	(void)router;
	(void)errand;
	return false;
}

static struct anchor *make_or_null(struct router *router, struct router_watches *watches, int shard)
{
	struct anchor *anchor = anchor_or_null(watches, shard);

	if (anchor)
		return anchor;
	anchor = heap_alloc_or_null(sizeof(*anchor));
	if (!anchor)
		return NULL;
	*anchor = (struct anchor){.unwatch = errand_create_or_null(&router->spares, ERRAND_UNWATCH,
								   2, NULL, NULL, 0, 0)};
	if (!anchor->unwatch) {
		heap_free(anchor);
		return NULL;
	}
	anchor->unwatch->done = unwatched;
	anchor->unwatch->anchor = anchor;
	anchor->unwatch->baggage = anchor;
	watches->anchors[shard] = anchor;
	return anchor;
}

static void settle(struct router *router, struct watching *watching)
{
	struct session *session = watching->session;
	const size_t len = watching->len;
	struct out reply;

	if (--watching->left > 0)
		return;
	out_init(&reply, watching->to->resp);
	if (watching->no_memory)
		router_no_memory(&reply);
	else if (watching->lost)
		router_lost(&reply);
	else
		reply_status(&reply, "OK");
	out_fill(watching->to, watching->place, &reply);
	out_fini(&reply);
	heap_free(watching);
	router->hooks.home(session, len);
}

static bool watched(struct router *router, struct errand *errand)
{
	struct watching *watching = errand->watching;

	if (errand->lost)
		watching->lost = true;
	else
		watching->no_memory |= errand->refused;
	settle(router, watching);
	return false;
}

/* The keys of one shard; pick has room for all. */
static void ask(struct router *router, const struct call *call, struct router_watches *watches,
		struct watching *watching, int shard, int *pick)
{
	struct anchor *anchor;
	struct errand *errand;
	int count = 0;

	for (int i = 1; i < call->argc; i++)
		if (router_owner_of(router, call->argv[i].text) == shard)
			pick[count++] = i;
	if (count == 0)
		return;
	anchor = make_or_null(router, watches, shard);
	errand = anchor ? errand_create_or_null(&router->spares, ERRAND_WATCH, 2, call->argv, pick,
						count, 0)
			: NULL;
	if (!errand) {
		watching->no_memory = true;
		return;
	}
	errand->done = watched;
	errand->watching = watching;
	errand->anchor = anchor;
	errand->db = call->db;
	watching->left++;
	watching->len += errand->len;
	router_send(router, errand, shard);
}

static bool make_anchors(struct router *router, struct router_watches *watches)
{
	const size_t size = (size_t)router->engine->shard_count * sizeof(*watches->anchors);

	if (watches->anchors)
		return true;
	watches->anchors = heap_alloc_or_null(size);
	if (watches->anchors)
		memset(watches->anchors, 0, size);
	return watches->anchors;
}

enum router_order router_watch(struct router *router, struct call *call,
			       struct router_watches *watches)
{
	struct watching *watching = NULL;
	struct out_node *place = NULL;
	int *pick;

	if (!router_check(router, call))
		return ROUTER_ON;
	pick = heap_alloc_or_null((size_t)call->argc * sizeof(*pick));
	if (pick && make_anchors(router, watches))
		watching = heap_alloc_or_null(sizeof(*watching));
	if (watching)
		place = out_add_place_or_null(call->out);
	if (!place) {
		heap_free(watching);
		heap_free(pick);
		router_no_memory(call->out);
		return ROUTER_ON;
	}
	*watching = (struct watching){
		.session = call->session, .to = call->out, .place = place, .left = 1};
	for (int i = 0; i < router->engine->shard_count; i++)
		ask(router, call, watches, watching, i, pick);
	router->hooks.owe(call->session, watching->len);
	heap_free(pick);
	settle(router, watching);
	return ROUTER_ON;
}

void router_unwatch(struct router *router, struct router_watches *watches)
{
	for (int i = 0; watches->anchors && i < router->engine->shard_count; i++)
		if (watches->anchors[i])
			router_send(router, watches->anchors[i]->unwatch, i);
	heap_free(watches->anchors);
	watches->anchors = NULL;
}
