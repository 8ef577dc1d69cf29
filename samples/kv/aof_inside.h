/* What the files of the log share among themselves. */
#ifndef KV_AOF_INSIDE_H
#define KV_AOF_INSIDE_H

#include "kv/aof.h"
#include "kv/engine.h"
#include "kv/manifest.h"
#include "kv/sink.h"

/*
 * A rewrite: from one moment on changes go to a new file, and what was there at that moment is
 * written to a new base, in steps; then the manifest is replaced and the old files go.
 *
 *      manifest:  [base, log]         --- the new log is added: its name is durable
 *                 [base, log, next]   --- the old log is finished; the new base is written, synced
 *                 [new base, next]    --- old files are unlinked
 *
 * An entry is of that moment as long as it has not the mark that new ones have since then. It is
 * written when the scan comes to it, or before it is changed, whichever is first.
 */
enum rewrite_state {
	REWRITE_NONE,
	REWRITE_OPEN_LOG,
	REWRITE_ADD_LOG,
	REWRITE_OPEN_BASE,
	REWRITE_SCAN,
	REWRITE_FINISH,
	REWRITE_SWAP,
	REWRITE_UNLINK,
	REWRITE_DROP,	/* it failed: waits for what is under way, removes the new base */
	REWRITE_UNMARK, /* then marks what was not written: the next rewrite needs all alike */
};

struct rewrite {
	enum rewrite_state state;
	bool asked, cancelled;
	bool scanning; /* the moment was, and not all of it is written */
	struct disk_op op;
	struct manifest_put put;
	struct manifest manifest; /* what is put */
	char text[MANIFEST_LEN_MAX];
	struct sink base;
	uint64_t base_generation, log_generation;
	int base_db, log_fd;
	bool mark;		    /* of what is new or written */
	int origin[STORE_DB_COUNT]; /* what a database was called at that moment */
	int scan_origin;
	uint64_t cursor;
	struct manifest old; /* whose files go */
	unsigned old_next;
	uint64_t began_ns, retry_ns, retry_wait_ns;
	uint64_t entries; /* written */
};

struct aof {
	struct engine *engine;
	int dir_fd;
	struct disk *disk;
	struct manifest manifest; /* as it is on the disk */
	uint64_t generation;	  /* the greatest used so far */
	uint64_t old_len;	  /* of all files but the one that is appended to */
	uint64_t rewritten_len;	  /* of all when the last rewrite had ended */

	/* The file that is appended to, and, while that is to be finished, the one after it. */
	struct sink sinks[2];
	int current;
	bool has_next, next_ready; /* ready: it is in the manifest, and
				    * may be written once the other is durable */
	uint64_t shift[2];	   /* position of a sink's offset 0 */
	uint64_t end;
	/* Some of what was appended is not in the log and never will be (fsync failed, or there was
	 * no memory): nothing more is added to it, only a rewrite helps. durable_at stays. */
	bool gap;
	uint64_t durable_at;

	int db; /* the last SELECT's */
	unsigned multi;
	bool multi_open;
	uint64_t multi_at; /* the position where it was opened */

	bool closing;
	int write_error;
	uint64_t retry_ns, sync_due_ns, now_ns;
	bool sync_late;
	char refusal[160];
	struct aof_figures figures;
	struct rewrite rewrite;
};

static inline struct sink *aof_log(struct aof *aof)
{
	return &aof->sinks[aof->current];
}

static inline struct sink *aof_next(struct aof *aof)
{
	return &aof->sinks[!aof->current];
}

uint64_t aof_len(const struct aof *aof);
/* Nothing more goes to the log; a rewrite is asked for. */
void aof_begin_gap(struct aof *aof, int error);
/* What waits for the next file goes; the file is closed. */
void aof_drop_next(struct aof *aof);
void aof_destroy(struct aof *aof);

/* --- aof_dir.c, aof_reshard.c --- */

struct aof_dir {
	int fd, lock_fd;
	struct disk *disk;
	struct settings settings; /* of the engines that logs are read by */
	int shard_count;
	/* What is there: manifests of so many shards, without a gap. */
	int old_count;
	struct manifest *old;
	uint64_t generation;
	int journal_count; /* of shards, in the journal that is carried out */
};

#define AOF_JOURNAL "shards.journal"
/* Carries op out and waits for it: its result. */
int64_t aof_dir_do(struct aof_dir *dir, struct disk_op *op);
/* Every name there; each may be removed. Not 0: ends with it. */
int aof_dir_each_name(struct aof_dir *dir, int (*visit)(struct aof_dir *dir, const char *name));
/*
 * Writes the logs of dir->old_count shards anew for dir->shard_count, or empty ones if there are
 * none. The journal says that it is done: what then is left is aof_reshard_finish()'s. 0 or -errno,
 * said on stderr.
 */
int aof_reshard(struct aof_dir *dir);
/* If there is a journal: manifests become what it says, and it goes. 0 or -errno, said on stderr.
 */
int aof_reshard_finish(struct aof_dir *dir);

/* --- aof_load.c --- */

/* Fills the engine with what the files hold, and sets their lens. 0 or -errno, said on stderr. */
int aof_load(struct engine *engine, int dir_fd, const struct manifest *manifest,
	     uint64_t lens[MANIFEST_FILE_COUNT_MAX]);

/* --- aof_rewrite.c --- */

/* What makes the entry again. */
void aof_add_entry(struct sink *sink, const struct entry *entry);
void aof_rewrite_init(struct aof *aof);
void aof_rewrite_fini(struct aof *aof);
/* Begins one if it is asked for or due, or takes it on. */
void aof_rewrite_turn(struct aof *aof);
/* It will fail, as soon as what is under way has ended. */
void aof_rewrite_cancel(struct aof *aof);
bool aof_rewrite_idle(const struct aof *aof);
/* A command that was just appended may have read keys that are not yet written. */
void aof_rewrite_reads(struct aof *aof, int db, int argc, const struct arg *argv);

#endif
