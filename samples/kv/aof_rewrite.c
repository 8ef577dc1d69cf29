#include "kv/aof_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	SCAN_COUNT_MAX = 64,	    /* entries, or empty places, looked at in a turn */
	BASE_PENDING_LEN = 1 << 20, /* more than this waits to be written: the scan waits, too */
	BASE_SYNC_LEN = 32 << 20,   /* so that the last sync is no long one */
	RETRY_MIN_S = 1,
	RETRY_MAX_S = 60,
};
#define SECOND_NS UINT64_C(1000000000)

void aof_rewrite_init(struct aof *aof)
{
	aof->rewrite.log_fd = -1;
	sink_init(&aof->rewrite.base, aof->disk);
}

void aof_rewrite_fini(struct aof *aof)
{
	sink_fini(&aof->rewrite.base);
	if (aof->rewrite.log_fd >= 0)
		close(aof->rewrite.log_fd);
}

enum aof_rewrite_answer aof_rewrite(struct aof *aof)
{
	struct rewrite *rewrite = &aof->rewrite;

	if (rewrite->asked || rewrite->state != REWRITE_NONE)
		return AOF_REWRITE_UNDER_WAY;
	rewrite->asked = true;
	rewrite->retry_ns = 0;
	return AOF_REWRITE_STARTED;
}

bool aof_rewrite_idle(const struct aof *aof)
{
	enum rewrite_state state = aof->rewrite.state;

	return state == REWRITE_NONE || (aof->closing && state == REWRITE_UNMARK);
}

void aof_rewrite_cancel(struct aof *aof)
{
	struct rewrite *rewrite = &aof->rewrite;

	if (rewrite->state != REWRITE_NONE && rewrite->state < REWRITE_SWAP)
		rewrite->cancelled = true;
}

/* --- what is of that moment --- */

void aof_add_entry(struct sink *sink, const struct entry *entry)
{
	char scratch[ENTRY_SCRATCH_LEN], expire[24];
	uint64_t expire_ms = entry_expire_ms(entry);
	struct arg argv[] = {
		{.text = SLICE("SET")},
		{.text = entry_key(entry)},
		{.text = entry_string(entry, scratch), .bytes = entry_bytes_or_null(entry)},
		{.text = SLICE("PXAT")},
		{.text = {expire, 0}},
	};

	argv[4].text.len = (size_t)snprintf(expire, sizeof(expire), "%" PRIu64, expire_ms);
	sink_add_request(sink, expire_ms == STORE_NEVER ? 3 : 5, argv);
}

static void write_entry(struct aof *aof, int origin, struct entry *entry)
{
	struct rewrite *rewrite = &aof->rewrite;

	if (entry_mark(entry) == rewrite->mark)
		return;
	entry_set_mark(entry, rewrite->mark);
	if (rewrite->base_db != origin)
		sink_add_select(&rewrite->base, origin);
	rewrite->base_db = origin;
	aof_add_entry(&rewrite->base, entry);
	rewrite->entries++;
}

void aof_changes(struct aof *aof, int db, struct entry *entry)
{
	if (aof->rewrite.scanning)
		write_entry(aof, aof->rewrite.origin[db], entry);
}

void aof_swaps(struct aof *aof, int db_a, int db_b)
{
	int *origin = aof->rewrite.origin;
	int a = origin[db_a];

	origin[db_a] = origin[db_b];
	origin[db_b] = a;
}

/*
 * COPY reads a key that it does not change. If that is not written yet and its database is cleared
 * before the scan comes to it, then the COPY in the new log would find nothing.
 */
void aof_rewrite_reads(struct aof *aof, int db, int argc, const struct arg *argv)
{
	const struct command *command = command_find_or_null(argc, argv);
	int count = command ? command_key_count(command, argc) : 0;

	for (int i = 0; count > 1 && i < count; i++) {
		struct slice key = argv[command_key_index(command, argc, i)].text;
		struct entry *entry =
			store_peek_or_null(aof->engine->store, db, key, aof->engine->now_ms);

		if (entry)
			write_entry(aof, aof->rewrite.origin[db], entry);
	}
}

static void visit_to_write(void *arg, struct entry *entry)
{
	struct aof *aof = arg;

	write_entry(aof, aof->rewrite.scan_origin, entry);
}

static void visit_to_mark(void *arg, struct entry *entry)
{
	struct aof *aof = arg;

	entry_set_mark(entry, aof->rewrite.mark);
}

/* True: all databases have been visited. */
static bool scan_some(struct aof *aof, void (*visit)(void *arg, struct entry *entry))
{
	struct rewrite *rewrite = &aof->rewrite;

	for (int i = 0; i < SCAN_COUNT_MAX && rewrite->scan_origin < STORE_DB_COUNT; i++) {
		int db = 0;

		while (rewrite->origin[db] != rewrite->scan_origin)
			db++;
		rewrite->cursor = store_scan(aof->engine->store, db, rewrite->cursor, visit, aof);
		rewrite->scan_origin += rewrite->cursor == 0;
	}
	return rewrite->scan_origin == STORE_DB_COUNT;
}

/* --- it begins --- */

static bool grown(const struct aof *aof)
{
	const struct settings *settings = aof->engine->settings;
	uint64_t len = aof_len(aof);

	/* The least length is that of all shards' logs, which grow alike. */
	if (!settings->rewrite_percentage || len <= aof->rewritten_len ||
	    len * (uint64_t)aof->engine->shard_count < settings->rewrite_len_min)
		return false;
	return (len - aof->rewritten_len) * 100 >=
	       aof->rewritten_len * settings->rewrite_percentage;
}

static bool may_begin(const struct aof *aof)
{
	/* Under way: the last one's base may still be being removed. */
	return aof->now_ns >= aof->rewrite.retry_ns && !aof->closing && !aof->multi &&
	       !aof->has_next && !aof->rewrite.op.under_way;
}

static void open_file(struct aof *aof, uint64_t generation)
{
	struct disk_op *op = &aof->rewrite.op;

	op->verb = DISK_OPEN;
	op->fd = aof->dir_fd;
	manifest_file_name(aof->engine->shard, generation, op->name);
	disk_start(aof->disk, op);
}

/* What it came to is seen in the next turn. */
static void op_done(struct disk_op *op)
{
	(void)op;
}

static void note_failure(struct aof *aof)
{
	struct rewrite *rewrite = &aof->rewrite;

	rewrite->retry_wait_ns =
		rewrite->retry_wait_ns ? rewrite->retry_wait_ns * 2 : RETRY_MIN_S * SECOND_NS;
	if (rewrite->retry_wait_ns > RETRY_MAX_S * SECOND_NS)
		rewrite->retry_wait_ns = RETRY_MAX_S * SECOND_NS;
	rewrite->retry_ns = aof->now_ns + rewrite->retry_wait_ns;
	aof->figures.rewrites_failed++;
	aof->figures.last_rewrite_ok = false;
}

/* Each that failed has left one more log in the manifest, which has no room for the next. */
static void refuse(struct aof *aof)
{
	fprintf(stderr,
		"kv: shard %d: the log was not rewritten: it is of %u files, so often has that "
		"failed; the next start writes it anew\n",
		aof->engine->shard, aof->manifest.count);
	aof->rewrite.asked = false;
	note_failure(aof);
}

static void begin(struct aof *aof)
{
	struct rewrite *rewrite = &aof->rewrite;

	if (!(rewrite->asked || aof->gap || grown(aof)) || !may_begin(aof))
		return;
	if (!aof->gap && aof->manifest.count == MANIFEST_FILE_COUNT_MAX) {
		refuse(aof);
		return;
	}
	rewrite->asked = rewrite->cancelled = false;
	rewrite->op.done = op_done;
	rewrite->began_ns = aof->now_ns;
	rewrite->entries = 0;
	rewrite->base_generation = ++aof->generation;
	rewrite->log_generation = ++aof->generation;
	rewrite->base_db = -1;
	rewrite->scan_origin = 0;
	rewrite->cursor = 0;
	for (int i = 0; i < STORE_DB_COUNT; i++)
		rewrite->origin[i] = i;
	rewrite->mark = !rewrite->mark;
	store_mark_new(aof->engine->store, rewrite->mark);
	rewrite->scanning = true;
	aof->has_next = true;
	aof->shift[!aof->current] = aof->end;
	aof->db = -1;
	rewrite->state = REWRITE_OPEN_LOG;
	open_file(aof, rewrite->log_generation);
}

/* --- it fails --- */

static void fail(struct aof *aof, int error)
{
	struct rewrite *rewrite = &aof->rewrite;

	if (!aof->closing)
		fprintf(stderr, "kv: shard %d: the log was not rewritten: %s\n", aof->engine->shard,
			strerror(-error));
	if (aof->has_next && !aof->next_ready && !aof->gap) /* it belongs to the old log */
		sink_concat(aof_log(aof), aof_next(aof));
	if (!aof->next_ready)
		aof_drop_next(aof);
	note_failure(aof);
	rewrite->state = REWRITE_DROP;
}

/* Nothing is under way any more but the base's own. */
static void drop(struct aof *aof)
{
	struct rewrite *rewrite = &aof->rewrite;

	if (sink_under_way(&rewrite->base) || rewrite->op.under_way)
		return;
	if (rewrite->base.fd >= 0 && !rewrite->put.renamed) {
		rewrite->op.verb = DISK_UNLINK;
		rewrite->op.fd = aof->dir_fd;
		manifest_file_name(aof->engine->shard, rewrite->base_generation, rewrite->op.name);
		disk_start(aof->disk, &rewrite->op);
	}
	sink_fini(&rewrite->base);
	sink_init(&rewrite->base, aof->disk);
	rewrite->state = rewrite->scanning || rewrite->scan_origin < STORE_DB_COUNT ? REWRITE_UNMARK
										    : REWRITE_NONE;
	rewrite->scanning = false;
}

static void unmark(struct aof *aof)
{
	if (scan_some(aof, visit_to_mark) && !aof->rewrite.op.under_way)
		aof->rewrite.state = REWRITE_NONE;
}

/* --- it goes on --- */

static void put(struct aof *aof, enum rewrite_state state)
{
	struct rewrite *rewrite = &aof->rewrite;
	char name[DISK_NAME_LEN];
	size_t len = manifest_print(&rewrite->manifest, rewrite->text);

	manifest_name(aof->engine->shard, name);
	manifest_put(&rewrite->put, aof->disk, aof->dir_fd, name,
		     (struct slice){rewrite->text, len});
	rewrite->state = state;
}

static void log_opened(struct aof *aof)
{
	struct rewrite *rewrite = &aof->rewrite;

	if (rewrite->op.under_way)
		return;
	if (rewrite->op.result >= 0)
		rewrite->log_fd = (int)rewrite->op.result;
	if (rewrite->op.result < 0 || rewrite->cancelled) {
		fail(aof, rewrite->cancelled ? -ECANCELED : (int)rewrite->op.result);
		return;
	}
	if (aof->gap) { /* the old log is not to be gone on with: the new one comes with the base */
		rewrite->state = REWRITE_OPEN_BASE;
		open_file(aof, rewrite->base_generation);
		return;
	}
	rewrite->manifest = aof->manifest;
	rewrite->manifest.generations[rewrite->manifest.count++] = rewrite->log_generation;
	put(aof, REWRITE_ADD_LOG);
}

static void log_added(struct aof *aof)
{
	struct rewrite *rewrite = &aof->rewrite;

	if (rewrite->put.under_way)
		return;
	if (rewrite->put.result) {
		fail(aof, rewrite->put.result);
		return;
	}
	aof->manifest = rewrite->manifest;
	aof->next_ready = aof->has_next;
	if (rewrite->cancelled) {
		fail(aof, -ECANCELED);
		return;
	}
	rewrite->state = REWRITE_OPEN_BASE;
	open_file(aof, rewrite->base_generation);
}

static void base_opened(struct aof *aof)
{
	struct rewrite *rewrite = &aof->rewrite;

	if (rewrite->op.under_way)
		return;
	rewrite->put.renamed = false; /* no manifest names this base */
	if (rewrite->op.result >= 0)
		sink_attach(&rewrite->base, (int)rewrite->op.result, 0);
	if (rewrite->op.result < 0 || rewrite->cancelled)
		fail(aof, rewrite->cancelled ? -ECANCELED : (int)rewrite->op.result);
	else
		rewrite->state = REWRITE_SCAN;
}

/* Of the base; false: it has failed. */
static bool write_base(struct aof *aof)
{
	struct rewrite *rewrite = &aof->rewrite;
	struct sink *base = &rewrite->base;
	int error = rewrite->cancelled ? -ECANCELED : base->failed ? -ENOMEM : base->write_error;

	if (error == 0)
		error = base->sync_error;
	if (error) {
		fail(aof, error);
		return false;
	}
	sink_write(base, false);
	if (base->written - base->synced > BASE_SYNC_LEN)
		sink_sync(base);
	return true;
}

static void scan(struct aof *aof)
{
	struct rewrite *rewrite = &aof->rewrite;

	if (!write_base(aof) || sink_pending(&rewrite->base) > BASE_PENDING_LEN ||
	    !scan_some(aof, visit_to_write))
		return;
	rewrite->scanning = false;
	rewrite->state = REWRITE_FINISH;
}

static void finish(struct aof *aof)
{
	struct rewrite *rewrite = &aof->rewrite;
	struct sink *base = &rewrite->base;

	if (!write_base(aof) || base->written < base->added)
		return;
	sink_sync(base);
	/* With a gap the next log waits for the swap, otherwise it is the log by then. */
	if (base->synced < base->added || sink_under_way(base) || (aof->has_next && !aof->gap))
		return;
	rewrite->old = aof->manifest;
	rewrite->old_next = 0;
	rewrite->manifest = (struct manifest){
		.shard = aof->manifest.shard,
		.shard_count = aof->manifest.shard_count,
		.has_base = true,
		.count = 2,
		.generations = {rewrite->base_generation, rewrite->log_generation},
	};
	put(aof, REWRITE_SWAP);
}

static void swapped(struct aof *aof)
{
	struct rewrite *rewrite = &aof->rewrite;

	if (rewrite->put.under_way)
		return;
	if (rewrite->put.result) {
		fail(aof, rewrite->put.result);
		return;
	}
	fprintf(stderr,
		"kv: shard %d: the log was rewritten: %" PRIu64 " keys, %" PRIu64
		" bytes instead of %" PRIu64 "\n",
		aof->engine->shard, rewrite->entries, rewrite->base.added, aof->old_len);
	aof->manifest = rewrite->manifest;
	aof->old_len = rewrite->base.added;
	aof->next_ready = aof->has_next;
	sink_fini(&rewrite->base);
	sink_init(&rewrite->base, aof->disk);
	rewrite->retry_wait_ns = 0;
	aof->rewritten_len = aof->old_len + (aof->has_next ? aof_next(aof) : aof_log(aof))->added;
	aof->figures.rewrites++;
	aof->figures.last_rewrite_ok = true;
	aof->figures.last_rewrite_s = (int64_t)((aof->now_ns - rewrite->began_ns) / SECOND_NS);
	rewrite->state = REWRITE_UNLINK;
}

/* One after the other; what cannot be removed now is at the next start. */
static void unlink_old(struct aof *aof)
{
	struct rewrite *rewrite = &aof->rewrite;
	const struct manifest *old = &rewrite->old;

	if (rewrite->op.under_way || aof->has_next) /* the old log may still be open */
		return;
	if (rewrite->old_next < old->count &&
	    old->generations[rewrite->old_next] == rewrite->log_generation)
		rewrite->old_next++;
	if (rewrite->old_next == old->count) {
		rewrite->state = REWRITE_NONE;
		return;
	}
	rewrite->op.verb = DISK_UNLINK;
	rewrite->op.fd = aof->dir_fd;
	manifest_file_name(old->shard, old->generations[rewrite->old_next++], rewrite->op.name);
	disk_start(aof->disk, &rewrite->op);
}

void aof_rewrite_turn(struct aof *aof)
{
	static void (*const steps[])(struct aof * aof) = {
		[REWRITE_NONE] = begin,	       [REWRITE_OPEN_LOG] = log_opened,
		[REWRITE_ADD_LOG] = log_added, [REWRITE_OPEN_BASE] = base_opened,
		[REWRITE_SCAN] = scan,	       [REWRITE_FINISH] = finish,
		[REWRITE_SWAP] = swapped,      [REWRITE_UNLINK] = unlink_old,
		[REWRITE_DROP] = drop,	       [REWRITE_UNMARK] = unmark,
	};

	steps[aof->rewrite.state](aof);
}
