/*
 * One shard's data and what runs commands on it: the store, who watches which keys, the log, and
 * counters. It knows nothing of connections and channels. One thread.
 */
#ifndef KV_ENGINE_H
#define KV_ENGINE_H

#include "kv/command.h"
#include "kv/error_counts.h"
#include "kv/latency.h"
#include "kv/rates.h"
#include "kv/settings.h"
#include "kv/slowlog.h"
#include "kv/store.h"

#include <stdbool.h>
#include <stdint.h>

struct aof;
struct aof_figures;
struct server;
struct watches;

struct engine_stats {
	uint64_t commands, errors;
	/* Of each command, as command_index() counts them. Brief ones are timed by samples. */
	uint64_t *calls, *failed, *ns;
	struct error_counts kinds; /* of errors */
	struct rates rates;
	struct store_figures store; /* what the store had counted at CONFIG RESETSTAT */
};

/* What the engine asks of the log, and tells it; aof.h says what each means. */
struct engine_log {
	const char *(*refusal_or_null)(const struct aof *aof);
	void (*append)(struct aof *aof, int db, int argc, const struct arg *argv);
	void (*append_log)(struct aof *aof, int db, struct out *log);
	void (*changes)(struct aof *aof, int db, struct entry *entry);
	void (*lost)(struct aof *aof, int db, struct slice key);
	void (*swaps)(struct aof *aof, int db_a, int db_b);
	void (*figures)(const struct aof *aof, struct aof_figures *out); /* for INFO */
	bool (*rewrite)(struct aof *aof); /* BGREWRITEAOF; false: it is under way */
};

/* Of connections, counted by the server. */
struct engine_clients {
	unsigned connected;	     /* now */
	uint64_t received, rejected; /* so far: accepted; of them told that there are too many */
	uint64_t received_bytes, sent_bytes;
	uint64_t out_limit_drops, query_limit_drops; /* ended, as they went beyond a limit */
};

struct engine {
	int shard, shard_count;
	uint64_t now_ms;     /* milliseconds since 1970, of this turn */
	uint64_t now_ns;     /* monotonic, of this turn */
	uint64_t started_ms; /* when the server was started: whoever sets now_ms sets it once */
	struct settings *settings;
	struct store *store;
	struct watches *watches;
	struct aof *aof;	      /* NULL: no log */
	const struct engine_log *log; /* of aof: its functions */
	bool loading;
	uint64_t (*clock_ns)(void); /* to time commands by; NULL: they are not timed */
	/* Who a session's client is, for SLOWLOG. NULL: nobody knows. */
	void (*describe)(const struct session *session, char peer[SLOWLOG_PEER_LEN],
			 char name[SLOWLOG_NAME_LEN]);
	struct slowlog slowlog; /* of commands that were timed, if not by a sample */
	struct latency latency; /* likewise */
	struct engine_stats stats;
	struct engine_clients clients;
	struct server *server; /* NULL: there is none (tests) */
	uint64_t random[4];
};

/* Chance comes from the system, or from a seed. settings stay the caller's. 0 or -errno. */
int engine_init(struct engine *engine, struct settings *settings, int shard, int shard_count);
int engine_init_seeded(struct engine *engine, struct settings *settings, int shard, int shard_count,
		       const uint64_t seed[4]);
void engine_fini(struct engine *engine);

/*
 * Runs a command whose keys are all here: checks arity, room and type, counts it, logs and tells
 * watchers what has changed. The reply, or the error, goes to call->out. engine, argc, argv, out,
 * session and db are set by the caller; the rest is the engine's.
 */
void engine_run(struct call *call);
/* What was counted of commands and by the store begins at 0 again. */
void engine_reset_stats(struct engine *engine);
/* Counts the last error in out, of a command that did not get as far as engine_run(). */
void engine_failed(struct engine *engine, const struct out *out);
/*
 * For run functions: this key was changed, watchers are told. Who does not call it has all keys of
 * the call told of if it sets call->changed; who changed only some of them, or one in another
 * database, calls it for each.
 */
void engine_touched(struct call *call, int db, struct slice key);

#endif
