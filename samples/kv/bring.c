#include "kv/heap.h"
#include "kv/number.h"
#include "kv/reply.h"
#include "kv/router_state.h"

#include <string.h>
#include <strings.h>

/*
 * A command whose keys lie on several shards, which are held: its keys are brought here into a
 * store of their own, it runs on that, and what it has changed is brought back as SET and DEL. So
 * every command of this kind does what it does on one shard.
 */
struct brought {
	int at; /* in argv */
	int db, owner;
	struct bytes *value; /* as it was; NULL: there was none */
	uint64_t expire_ms;
};

struct bring {
	struct router *router;
	struct hold *step;
	struct call call; /* what it points to is the step's */
	struct out_node *place;
	struct settings settings; /* of the engine: without a limit of memory */
	struct engine engine;	  /* on which it runs */
	struct out reply, error;
	bool failed;   /* the answer is the error */
	unsigned owed; /* answers to come, and one while asking */
	void (*next)(struct bring *bring);
	int count;
	struct brought keys[];
};

static void end(struct bring *bring)
{
	struct router *router = bring->router;
	struct hold *step = bring->step;

	out_fill(bring->call.out, bring->place, bring->failed ? &bring->error : &bring->reply);
	out_fini(&bring->error);
	out_fini(&bring->reply);
	for (int i = 0; i < bring->count; i++)
		bytes_put(bring->keys[i].value);
	engine_fini(&bring->engine);
	heap_free(bring);
	hold_settle(router, step);
}

static void fail(struct bring *bring, void (*say)(struct out *out))
{
	if (!bring->failed)
		say(&bring->error);
	bring->failed = true;
}

/* --- asking --- */

static void settle(struct bring *bring)
{
	if (--bring->owed > 0)
		return;
	if (bring->failed)
		end(bring);
	else
		bring->next(bring);
}

static void ask(struct bring *bring, enum errand_task task, const struct brought *key, int argc,
		const struct arg *argv, bool (*done)(struct router *router, struct errand *errand))
{
	struct errand *errand =
		errand_create_or_null(&bring->router->spares, task, 2, argv, NULL, argc, 0);

	if (!errand) {
		fail(bring, router_no_memory);
		return;
	}
	errand->done = done;
	errand->bring = bring;
	errand->hold = bring->step;
	errand->granted = true;
	errand->index = (int)(key - bring->keys);
	errand->db = key->db;
	bring->owed++;
	router_send(bring->router, errand, key->owner);
}

/* --- what has changed goes back --- */

static bool went_back(struct router *router, struct errand *errand)
{
	struct bring *bring = errand->bring;

	(void)router;
	if (errand->lost) {
		fail(bring, router_lost);
	} else if (errand->reply.errors > 0 && !bring->failed) {
		out_move(&bring->error, &errand->reply);
		bring->failed = true;
	}
	settle(bring);
	return false;
}

static struct entry *now_or_null(const struct bring *bring, const struct brought *key)
{
	return store_peek_or_null(bring->engine.store, key->db, bring->call.argv[key->at].text,
				  bring->engine.now_ms);
}

static bool as_it_was(const struct brought *key, const struct entry *entry)
{
	char scratch[ENTRY_SCRATCH_LEN];
	const struct slice text = entry_string(entry, scratch);

	return key->value && entry_expire_ms(entry) == key->expire_ms &&
	       slice_equal(text, (struct slice){key->value->data, key->value->len});
}

static void send_set(struct bring *bring, const struct brought *key, const struct entry *entry)
{
	char scratch[ENTRY_SCRATCH_LEN], digits[NUMBER_LEN_MAX];
	const struct arg argv[5] = {
		{.text = SLICE("SET")},
		bring->call.argv[key->at],
		{entry_string(entry, scratch), entry_bytes_or_null(entry)},
		{.text = SLICE("PXAT")},
		{.text = {digits, number_print_unsigned(digits, entry_expire_ms(entry))}},
	};

	ask(bring, ERRAND_RUN, key, entry_expire_ms(entry) == STORE_NEVER ? 3 : 5, argv, went_back);
}

/* After all that was set: what moves is never nowhere. */
static void send_removals(struct bring *bring)
{
	bring->owed = 1;
	bring->next = end;
	for (int i = 0; i < bring->count; i++) {
		const struct brought *key = &bring->keys[i];
		const struct arg argv[2] = {{.text = SLICE("DEL")}, bring->call.argv[key->at]};

		if (key->value && !now_or_null(bring, key))
			ask(bring, ERRAND_RUN, key, 2, argv, went_back);
	}
	settle(bring);
}

static void send_changes(struct bring *bring)
{
	bring->owed = 1;
	bring->next = send_removals;
	for (int i = 0; i < bring->count; i++) {
		const struct entry *entry = now_or_null(bring, &bring->keys[i]);

		if (entry && !as_it_was(&bring->keys[i], entry))
			send_set(bring, &bring->keys[i], entry);
	}
	settle(bring);
}

/* --- the command --- */

static void run(struct bring *bring)
{
	struct engine_stats *stats = &bring->router->engine->stats;
	const unsigned index = command_index(bring->call.command);
	struct call call = bring->call;

	call.engine = &bring->engine;
	call.session = NULL;
	call.out = &bring->reply;
	call.granted = true;
	engine_run(&call);
	stats->commands++;
	stats->calls[index]++;
	if (bring->engine.stats.errors > 0)
		engine_failed(bring->router->engine, &bring->reply);
	stats->failed[index] += bring->engine.stats.failed[index];
	send_changes(bring);
}

/* --- its keys come here --- */

static bool put(struct bring *bring, const struct brought *key)
{
	const struct slice name = bring->call.argv[key->at].text;
	const struct slice text = {key->value->data, key->value->len};
	struct store *store = bring->engine.store;

	if (text.len < BYTES_LEN_MIN)
		return store_set_or_null(store, key->db, name, text, key->expire_ms,
					 bring->engine.now_ms);
	return store_set_bytes_or_null(store, key->db, name, bytes_get(key->value), key->expire_ms,
				       bring->engine.now_ms);
}

static bool came(struct router *router, struct errand *errand)
{
	struct bring *bring = errand->bring;
	struct brought *key = &bring->keys[errand->index];

	(void)router;
	if (errand->lost) {
		fail(bring, router_lost);
	} else {
		key->value = errand->value;
		key->expire_ms = errand->expire_ms;
		errand->value = NULL;
		if (errand->refused || (key->value && !put(bring, key)))
			fail(bring, router_no_memory);
	}
	settle(bring);
	return false;
}

/* COPY's second key may be in another database; if that is not said as it should be, the command
 * itself will say so. */
static int db_of(const struct call *call, int key)
{
	int64_t db = call->db;

	if (key == 0 || strcmp(call->command->name, "copy") != 0)
		return call->db;
	for (int i = 3; i + 1 < call->argc; i++)
		if (call->argv[i].text.len == 2 &&
		    strncasecmp(call->argv[i].text.data, "db", 2) == 0 &&
		    !number_parse(call->argv[i + 1].text, &db))
			return call->db;
	return db >= 0 && db < STORE_DB_COUNT ? (int)db : call->db;
}

static struct bring *create_or_null(struct router *router, const struct call *call, int count)
{
	struct engine *engine = router->engine;
	struct bring *bring =
		heap_alloc_or_null(sizeof(*bring) + (size_t)count * sizeof(struct brought));

	if (!bring)
		return NULL;
	*bring = (struct bring){.router = router,
				.call = *call,
				.settings = *engine->settings,
				.owed = 1,
				.next = run,
				.count = count};
	bring->settings.store.maxmemory = 0;
	bring->settings.maxmemory = 0;
	out_init(&bring->reply, call->out->resp);
	out_init(&bring->error, call->out->resp);
	if (engine_init_seeded(&bring->engine, &bring->settings, engine->shard, engine->shard_count,
			       engine->random)) {
		heap_free(bring);
		return NULL;
	}
	bring->engine.now_ms = engine->now_ms;
	bring->engine.now_ns = engine->now_ns;
	for (int i = 0; i < count; i++)
		bring->keys[i] =
			(struct brought){.at = command_key_index(call->command, call->argc, i),
					 .db = db_of(call, i),
					 .owner = router_owner(router, call, i)};
	return bring;
}

void bring_start(struct router *router, struct call *call, struct hold *step)
{
	const int count = command_key_count(call->command, call->argc);
	struct bring *bring = create_or_null(router, call, count);
	struct out_node *place = bring ? out_add_place_or_null(call->out) : NULL;

	if (!place) {
		if (bring) {
			engine_fini(&bring->engine);
			heap_free(bring);
		}
		router_no_memory(call->out);
		return;
	}
	bring->step = step;
	bring->place = place;
	hold_owe(step);
	for (int i = 0; i < count; i++)
		ask(bring, ERRAND_FETCH, &bring->keys[i], 1, &call->argv[bring->keys[i].at], came);
	settle(bring);
}
