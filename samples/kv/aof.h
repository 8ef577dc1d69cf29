/*
 * One shard's log: every change as a RESP request, appended by engine_run(), written once a turn of
 * the shard's loop, off the packet path. What is in it comes back at the next start.
 *
 *      <dir>/shard-<i>.manifest ........ its files in order, replaced as one (see manifest.h)
 *      <dir>/shard-<i>.<n>.aof ......... a base: one SET for each key, as of one moment
 *      <dir>/shard-<i>.<n+1>.aof ....... what came since then; the last one is appended to
 *
 *      aof_dir.c ...... before the shards start: whose directory it is, another number of shards
 *      aof.c .......... a shard's log: append, write, when what is durable
 *      aof_replay.c ... reading a log again;    aof_rewrite.c ... a new base while serving
 *      sink.c ......... writes a file without waiting;    disk.c ... io_uring, or a thread
 *
 * What is promised. `always`: a reply that waited for aof_durable() is about a change that survives
 * the loss of power. `everysec`: what is older than two seconds does. `no`: whenever the kernel
 * writes. After a kill -9 everything that aof_turn() wrote is there, whatever the setting; but only
 * with `always` do replies wait for it. Otherwise the last ones may be ahead of the files: by a
 * write under way, or, while a rewrite begins, by the time that some syncs take.
 *
 * A transaction is in the log as a whole or not at all, on each shard; a change that spans shards
 * (RENAME, MSETNX, EXEC under a hold) is one step for clients, but a crash or an orderly end in the
 * midst of it may leave one shard's part durable and another's not. No reply was given then, under
 * `always`.
 *
 * redis-check-aof reads manifests and files; redis-cli --pipe loads files into a server, in the
 * manifest's order. FLUSHALL, FLUSHDB and SWAPDB are in each shard's log and concern its keys only:
 * to load several shards' logs one after the other, rewrite them first (BGREWRITEAOF).
 *
 * One thread, but for aof_dir_*.
 */
#ifndef KV_AOF_H
#define KV_AOF_H

#include "kv/out.h"
#include "kv/resp_in.h"
#include "kv/settings.h"
#include "kv/slice.h"
#include "kv/store.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	/* More than this not yet written: aof_busy(). Twice as much: writes are refused. */
	AOF_PENDING_LEN_MAX = 64 << 20,
};

struct aof;
struct aof_dir;
struct engine;

/* --- the directory: once a process, before any shard's thread runs --- */

/*
 * Locks settings->dir against other servers, carries on what a crash interrupted, and makes logs
 * for shard_count shards: empty ones if there are none; if there are those of another number of
 * shards, they are read and written anew by slot_owner(), and go when that is durable. NULL: the
 * reason is on stderr (in use, corrupt, no room, a manifest is missing).
 */
struct aof_dir *aof_dir_open_or_null(const struct settings *settings, int shard_count);
/* When no shard has its log open any more. */
void aof_dir_close(struct aof_dir *dir);

/* --- a shard's log, on the shard's thread --- */

/*
 * Fills the engine, which is empty, with what its shard's log holds, cuts a torn tail off, and sets
 * engine->aof. engine->settings is read from now on, and when it changes (appendfsync,
 * rewrite_percentage, rewrite_len_min). Meanwhile engine->loading is true and engine->now_ms is 0:
 * nothing expires, is evicted or appended. It takes as long as it takes; progress goes to stderr,
 * as does the reason of a failure. 0 or -errno.
 */
int aof_open(struct engine *engine);
/*
 * Writes what is pending and waits until it is durable; what came behind an aof_multi() that had no
 * aof_exec() is taken back. A rewrite under way is given up. NULL: nothing. Sets engine->aof to
 * NULL. 0, or -errno: some of it is not on the disk.
 */
int aof_close(struct aof *aof);

/* --- for engine_run() and the store's events --- */

/*
 * Before a command of COMMAND_WRITE: NULL, or the error to be answered instead ("MISCONF ..."): the
 * disk does not take what is written, or is too slow for it. Not asked while the engine is loading,
 * nor for what EXEC runs (ask once, before it).
 */
const char *aof_refusal_or_null(const struct aof *aof);
/* A change that was made, as it was called. Copied, but for long arguments whose bytes are kept. */
void aof_append(struct aof *aof, int db, int argc, const struct arg *argv);
/* What run wrote to be logged instead (call->log): whole RESP requests. log is empty then. */
void aof_append_log(struct aof *aof, int db, struct out *log);
/*
 * What is appended between these is replayed as a whole or not at all; nothing appended: nothing is
 * written. They nest. They may be turns apart, if the shard is held meanwhile.
 */
void aof_multi(struct aof *aof);
void aof_exec(struct aof *aof);

/*
 * The store's events, to be passed on as they come (also while loading):
 * - changes: before an entry is changed or removed. Cheap if no rewrite is under way.
 * - lost: expired or evicted; becomes a DEL.
 * - swaps: after store_swap().
 */
void aof_changes(struct aof *aof, int db, struct entry *entry);
void aof_lost(struct aof *aof, int db, struct slice key);
void aof_swaps(struct aof *aof, int db_a, int db_b);

/* --- for the shard's loop --- */

/*
 * Once a turn, after commands ran and before sessions are flushed. Never waits: starts to write
 * what was appended, sees what was written, takes a rewrite some steps on. Returns when it wants to
 * be called next, at the latest, in ns like now_ns; now_ns itself: as soon as may be. UINT64_MAX:
 * when something was appended.
 */
uint64_t aof_turn(struct aof *aof, uint64_t now_ns);
/*
 * Positions in the stream of what was ever appended, which only grow. A reply may go out when
 * aof_durable() has reached what aof_end() was after its command had run. Without `always`
 * aof_durable() is aof_end(): nobody waits.
 */
uint64_t aof_end(const struct aof *aof);
uint64_t aof_durable(const struct aof *aof);
/*
 * The disk does not keep up: run no further commands on this shard until it is false again. Not
 * when it takes nothing at all: then writes are refused, and the rest goes on.
 */
bool aof_busy(const struct aof *aof);

/* --- for commands --- */

enum aof_rewrite_answer {
	AOF_REWRITE_STARTED,
	AOF_REWRITE_UNDER_WAY, /* already */
};

/* BGREWRITEAOF: begins at the next turn that is not within a transaction. */
enum aof_rewrite_answer aof_rewrite(struct aof *aof);

/* For INFO persistence and CONFIG; by Redis's names where there are any. */
struct aof_figures {
	bool rewrite_in_progress, rewrite_scheduled, last_rewrite_ok, last_write_ok;
	uint64_t rewrites, rewrites_failed;
	int64_t last_rewrite_s, current_rewrite_s; /* -1: none */
	uint64_t current_len, base_len;		   /* aof_current_size, aof_base_size */
	uint64_t pending_len;			   /* aof_buffer_length */
	uint64_t fsyncs, fsyncs_delayed; /* delayed: it was due, and the last one still ran */
	const char *disk;		 /* "io_uring" or "thread" */
};

void aof_figures(const struct aof *aof, struct aof_figures *out);

#endif
