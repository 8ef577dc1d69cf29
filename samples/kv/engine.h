/*
 * One shard's data and what runs commands on it: the store, who watches which keys, the log, and
 * counters. It knows nothing of connections and channels. One thread.
 */
#ifndef KV_ENGINE_H
#define KV_ENGINE_H

#include "kv/command.h"
#include "kv/settings.h"
#include "kv/store.h"

#include <stdbool.h>
#include <stdint.h>

struct aof;
struct server;
struct watches;

struct engine_stats {
	uint64_t commands, errors;
	uint64_t *calls, *failed, *usec; /* of each command, as command_at_or_null() counts them */
};

/* Of connections, counted by the server. */
struct engine_clients {
	unsigned connected, subscribers; /* now; subscribers: with subscriptions */
	uint64_t received, rejected; /* so far: accepted; of them told that there are too many */
	uint64_t received_bytes, sent_bytes;
	uint64_t out_limit_drops, query_limit_drops; /* ended, as they went beyond a limit */
};

struct engine {
	int shard, shard_count;
	uint64_t now_ms; /* milliseconds since 1970, of this turn */
	uint64_t now_ns; /* monotonic, of this turn */
	struct settings *settings;
	struct store *store;
	struct watches *watches;
	struct aof *aof; /* NULL: no log */
	bool loading;
	struct engine_stats stats;
	struct engine_clients clients;
	struct server *server; /* NULL: there is none (tests) */
	uint64_t random[4];
};

int engine_init(struct engine *engine, struct settings *settings, int shard, int shard_count);
void engine_fini(struct engine *engine);

/*
 * Runs a command whose keys are all here: checks arity, room and type, counts it, logs and tells
 * watchers what has changed. The reply, or the error, goes to call->out. engine, argc, argv, out,
 * session and db are set by the caller; the rest is the engine's.
 */
void engine_run(struct call *call);

#endif
