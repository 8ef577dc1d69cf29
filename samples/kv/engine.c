#include "kv/engine.h"

#include "kv/heap.h"
#include "kv/reply.h"
#include "kv/watches.h"

#include <errno.h>
#include <sys/random.h>

/* One of so many brief commands is timed, and stands for all of them. */
enum { SAMPLE = 64, BRIEF_ARG_COUNT_MAX = 16, BRIEF_US_MAX = 100 };

/* --- what the store tells --- */

static void changes(void *arg, int db, struct entry *entry)
{
	struct engine *engine = arg;

	if (engine->aof)
		engine->log->changes(engine->aof, db, entry);
}

static void lost(void *arg, int db, struct slice key, enum store_loss loss)
{
	struct engine *engine = arg;

	(void)loss;
	watches_touch(engine->watches, db, key);
	if (engine->aof)
		engine->log->lost(engine->aof, db, key);
}

static void clears(void *arg, int db)
{
	struct engine *engine = arg;

	watches_clears(engine->watches, db);
}

static void swaps(void *arg, int db_a, int db_b)
{
	struct engine *engine = arg;

	watches_swaps(engine->watches, db_a, db_b);
	if (engine->aof)
		engine->log->swaps(engine->aof, db_a, db_b);
}

/* --- an engine's life --- */

static int create_parts(struct engine *engine)
{
	const struct store_events events = {
		.changes = changes, .lost = lost, .clears = clears, .swaps = swaps, .arg = engine};
	const size_t count = command_count();
	uint64_t *counters = heap_alloc_or_null(3 * count * sizeof(*counters));

	if (!counters)
		return -ENOMEM;
	memset(counters, 0, 3 * count * sizeof(*counters));
	engine->stats.calls = counters;
	engine->stats.failed = counters + count;
	engine->stats.ns = counters + 2 * count;
	engine->store = store_create_or_null(&engine->settings->store, &events,
					     (const uint8_t *)engine->random);
	if (!engine->store)
		return -ENOMEM;
	engine->watches =
		watches_create_or_null(engine->store, (const uint8_t *)&engine->random[2]);
	return engine->watches ? 0 : -ENOMEM;
}

int engine_init_seeded(struct engine *engine, struct settings *settings, int shard, int shard_count,
		       const uint64_t seed[4])
{
	int error;

	*engine = (struct engine){.settings = settings, .shard = shard, .shard_count = shard_count};
	memcpy(engine->random, seed, sizeof(engine->random));
	slowlog_init(&engine->slowlog);
	error = create_parts(engine);
	if (error)
		engine_fini(engine);
	return error;
}

int engine_init(struct engine *engine, struct settings *settings, int shard, int shard_count)
{
	uint64_t seed[4];

	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		return -EAGAIN;
	return engine_init_seeded(engine, settings, shard, shard_count, seed);
}

void engine_fini(struct engine *engine)
{
	if (engine->watches)
		watches_destroy(engine->watches);
	if (engine->store)
		store_destroy(engine->store);
	slowlog_fini(&engine->slowlog);
	heap_free(engine->stats.calls);
	*engine = (struct engine){0};
}

/* --- running a command --- */

/* What stands against it, whatever its arguments; false: that is the reply. */
static bool may_run(struct call *call)
{
	struct engine *engine = call->engine;
	const struct command *command = call->command;
	const char *refusal;

	if (command_arity_wrong(command, call->argc, call->out))
		return false;
	if (!(command->flags & COMMAND_WRITE) || call->granted || engine->loading)
		return true;
	if (engine->settings->store.maxmemory > 0 &&
	    !store_make_room(engine->store, engine->now_ms) && (command->flags & COMMAND_DENYOOM)) {
		reply_error(call->out, "OOM command not allowed when used memory > 'maxmemory'.");
		return false;
	}
	refusal = engine->aof ? engine->log->refusal_or_null(engine->aof) : NULL;
	if (refusal)
		reply_error(call->out, refusal);
	return !refusal;
}

void engine_touched(struct call *call, int db, struct slice key)
{
	call->touched = true;
	watches_touch(call->engine->watches, db, key);
}

static void tell(struct call *call)
{
	struct engine *engine = call->engine;
	const int count = call->touched ? 0 : command_key_count(call->command, call->argc);

	for (int i = 0; i < count; i++) {
		const int index = command_key_index(call->command, call->argc, i);

		watches_touch(engine->watches, call->db, call->argv[index].text);
	}
	if (!engine->aof || engine->loading)
		return;
	/* Without memory for it, the call as it was made is better than a part. */
	if (call->log->len > 0 && !call->log->failed)
		engine->log->append_log(engine->aof, call->db, call->log);
	else
		engine->log->append(engine->aof, call->db, call->argc, call->argv);
}

static void run(struct call *call)
{
	struct out log;

	out_init(&log, 2);
	call->log = &log;
	call->changed = false;
	call->touched = false;
	call->command->run(call);
	if (call->changed)
		tell(call);
	call->log = NULL;
	out_fini(&log);
}

/* So short that reading the clock would cost as much: it is timed now and then only. */
static bool is_brief(const struct call *call)
{
	const int64_t slower_us = call->engine->settings->slowlog_slower_us;

	return call->command->flags & (COMMAND_FAST | COMMAND_BRIEF) &&
	       call->argc <= BRIEF_ARG_COUNT_MAX && (slower_us < 0 || slower_us >= BRIEF_US_MAX);
}

/* stands_for so many calls, those before it that were not timed. */
static void run_timed(struct call *call, unsigned index, unsigned stands_for)
{
	struct engine *engine = call->engine;
	const uint64_t before = engine->clock_ns();
	uint64_t ns;

	run(call);
	ns = engine->clock_ns() - before;
	engine->stats.ns[index] += ns * stands_for;
	slowlog_note(&engine->slowlog, call, ns / 1000);
	latency_note(&engine->latency, engine->settings->latency_threshold_ms, engine->now_ms,
		     ns / 1000000);
}

static void count_and_run(struct call *call, unsigned index)
{
	struct engine *engine = call->engine;
	const uint64_t before = engine->stats.calls[index]++;

	if (!engine->clock_ns || engine->loading)
		run(call);
	else if (!is_brief(call))
		run_timed(call, index, 1);
	else if (before % SAMPLE == 0)
		run_timed(call, index, before > 0 ? SAMPLE : 1);
	else
		run(call);
}

void engine_reset_stats(struct engine *engine)
{
	struct engine_stats *stats = &engine->stats;
	const size_t size = command_count() * sizeof(uint64_t);

	stats->commands = 0;
	stats->errors = 0;
	stats->kinds = (struct error_counts){0};
	memset(stats->calls, 0, size);
	memset(stats->failed, 0, size);
	memset(stats->ns, 0, size);
	store_figures(engine->store, &stats->store);
}

void engine_failed(struct engine *engine, const struct out *out)
{
	engine->stats.errors++;
	error_counts_add(&engine->stats.kinds, out->error_code, 1);
}

void engine_run(struct call *call)
{
	struct engine_stats *stats = &call->engine->stats;
	const unsigned errors = call->out->errors;
	unsigned index;

	if (!call->command)
		call->command = command_find_or_null(call->argc, call->argv);
	if (!call->command) {
		command_unknown(call->argc, call->argv, call->out);
		engine_failed(call->engine, call->out);
		return;
	}
	index = command_index(call->command);
	stats->commands++;
	if (may_run(call))
		count_and_run(call, index);
	if (call->out->errors != errors) {
		engine_failed(call->engine, call->out);
		stats->failed[index]++;
	}
}
