#include "kv/aof_inside.h"

#include "kv/heap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	RETRY_NS = 100 * 1000 * 1000,
	SYNC_NS = 1000 * 1000 * 1000,
	/* Between two looks at what is under way, when there is nothing else to do: who looks all
	 * the time takes the core from the kernel's threads that do it. */
	WAIT_NS = 100 * 1000,
	TAKE_LEN = 4096,
};

static bool always(const struct aof *aof)
{
	return aof->engine->settings->appendfsync == FSYNC_ALWAYS;
}

uint64_t aof_len(const struct aof *aof)
{
	uint64_t len = aof->old_len + aof->sinks[aof->current].added;

	return aof->has_next ? len + aof->sinks[!aof->current].added : len;
}

/* --- appending --- */

/* Where the end of the log is: what comes there is counted by append_end(). NULL: a gap. */
static struct sink *append_begin_or_null(struct aof *aof, uint64_t *before)
{
	struct sink *sink = aof->has_next ? aof_next(aof) : aof_log(aof);

	if (aof->gap && !aof->has_next) {
		aof->end++; /* something that is not durable */
		return NULL;
	}
	*before = sink->added;
	return sink;
}

static void append_end(struct aof *aof, struct sink *sink, uint64_t before)
{
	aof->end += sink->added - before;
	if (sink->failed)
		aof_begin_gap(aof, -ENOMEM);
}

static void add_word(struct sink *sink, const char *word)
{
	const struct arg argv[] = {{.text = slice_of(word)}};

	sink_add_request(sink, 1, argv);
}

/* What has to come before a request of that database. */
static void add_context(struct aof *aof, struct sink *sink, int db)
{
	if (aof->multi && !aof->multi_open) {
		aof->multi_at = aof->end;
		add_word(sink, "MULTI");
		aof->multi_open = true;
	}
	if (aof->db != db) {
		sink_add_select(sink, db);
		aof->db = db;
	}
}

void aof_append(struct aof *aof, int db, int argc, const struct arg *argv)
{
	uint64_t before;
	struct sink *sink = append_begin_or_null(aof, &before);

	if (!sink)
		return;
	add_context(aof, sink, db);
	sink_add_request(sink, argc, argv);
	append_end(aof, sink, before);
	if (aof->rewrite.scanning)
		aof_rewrite_reads(aof, db, argc, argv);
}

void aof_append_log(struct aof *aof, int db, struct out *log)
{
	char text[TAKE_LEN];
	uint64_t before;
	struct sink *sink = append_begin_or_null(aof, &before);
	size_t len;

	if (sink) {
		add_context(aof, sink, db);
		sink->failed |= log->failed;
		while ((len = out_take(log, text, sizeof(text))))
			sink_add(sink, (struct slice){text, len});
		append_end(aof, sink, before);
	}
	out_fini(log);
}

void aof_multi(struct aof *aof)
{
	aof->multi++;
}

void aof_exec(struct aof *aof)
{
	uint64_t before;
	struct sink *sink;

	if (--aof->multi || !aof->multi_open)
		return;
	aof->multi_open = false;
	sink = append_begin_or_null(aof, &before);
	if (!sink)
		return;
	add_word(sink, "EXEC");
	append_end(aof, sink, before);
}

void aof_lost(struct aof *aof, int db, struct slice key)
{
	const struct arg argv[] = {{.text = SLICE("DEL")}, {.text = key}};

	aof_append(aof, db, 2, argv);
}

/* --- what goes wrong --- */

static void set_refusal(struct aof *aof, int error)
{
	if (error)
		snprintf(aof->refusal, sizeof(aof->refusal),
			 "MISCONF Errors writing to the AOF file: %s", strerror(-error));
	else
		aof->refusal[0] = '\0';
}

void aof_drop_next(struct aof *aof)
{
	if (aof->rewrite.log_fd >= 0)
		close(aof->rewrite.log_fd);
	aof->rewrite.log_fd = -1;
	if (!aof->has_next)
		return;
	sink_fini(aof_next(aof));
	sink_init(aof_next(aof), aof->disk);
	aof->has_next = aof->next_ready = false;
}

void aof_begin_gap(struct aof *aof, int error)
{
	aof_rewrite_cancel(aof);
	aof->rewrite.asked = true;
	aof_drop_next(aof); /* it was never promised to anybody */
	if (aof->gap)
		return;
	aof->durable_at = aof_durable(aof);
	aof->gap = true;
	set_refusal(aof, error);
	fprintf(stderr,
		"kv: shard %d: %s: the log is not durable any more; writes are refused until it is "
		"rewritten\n",
		aof->engine->shard, strerror(-error));
}

static void end_gap(struct aof *aof)
{
	aof->gap = false;
	aof->write_error = 0; /* was the old file's */
	set_refusal(aof, 0);
	fprintf(stderr, "kv: shard %d: the log is whole and durable again\n", aof->engine->shard);
}

static void see_write_error(struct aof *aof, int error)
{
	if (error)
		aof->retry_ns = aof->now_ns + RETRY_NS;
	if (error == aof->write_error)
		return;
	aof->write_error = error;
	if (!aof->gap)
		set_refusal(aof, error);
	if (error)
		fprintf(stderr, "kv: shard %d: the log cannot be written: %s; trying again\n",
			aof->engine->shard, strerror(-error));
	else
		fprintf(stderr, "kv: shard %d: the log can be written again\n", aof->engine->shard);
}

static void see_errors(struct aof *aof)
{
	struct sink *log = aof_log(aof);

	if (log->write_ended)
		see_write_error(aof, log->write_error);
	log->write_ended = false;
	if (log->sync_error && !aof->gap) /* else the rewrite that helps is not given up */
		aof_begin_gap(aof, log->sync_error);
	log->sync_error = 0;
}

const char *aof_refusal_or_null(const struct aof *aof)
{
	if (aof->refusal[0])
		return aof->refusal;
	if (sink_pending(&aof->sinks[0]) + sink_pending(&aof->sinks[1]) >
	    2 * (uint64_t)AOF_PENDING_LEN_MAX)
		return "MISCONF The disk is too slow for the AOF file, too much waits to be "
		       "written";
	return NULL;
}

/* --- a turn --- */

static void sync_now_and_then(struct aof *aof, struct sink *log)
{
	if (log->synced == log->written || aof->now_ns < aof->sync_due_ns)
		return;
	if (log->sync.under_way) {
		aof->figures.fsyncs_delayed += !aof->sync_late;
		aof->sync_late = true;
		return;
	}
	sink_sync(log);
	aof->figures.fsyncs++;
	aof->sync_late = false;
	aof->sync_due_ns = aof->now_ns + SYNC_NS;
}

static void write_log(struct aof *aof)
{
	struct sink *log = aof_log(aof);
	bool sync = always(aof) || aof->has_next || aof->closing;

	if (!sync) {
		if (aof->write_error == 0 || aof->now_ns >= aof->retry_ns)
			sink_write(log, false);
		if (aof->engine->settings->appendfsync == FSYNC_EVERYSEC)
			sync_now_and_then(aof, log);
		return;
	}
	/* One at a time: what comes meanwhile is written, and made durable, together. */
	if (sink_under_way(log) || (aof->write_error && aof->now_ns < aof->retry_ns))
		return;
	sink_write(log, true);
	if (!log->write.under_way)
		sink_sync(log);
	aof->figures.fsyncs += log->sync.under_way;
}

/* The next file takes over when this one is durable as a whole, so that only the last is torn. */
static void switch_log(struct aof *aof)
{
	struct sink *log = aof_log(aof);

	if (!aof->next_ready || sink_under_way(log))
		return;
	if (!aof->gap && (log->synced < log->added || log->sync_error))
		return;
	if (aof->rewrite.state != REWRITE_UNLINK) /* it is in the manifest still */
		aof->old_len += log->added;
	sink_fini(log);
	sink_init(log, aof->disk);
	aof->current = !aof->current;
	aof->has_next = aof->next_ready = false;
	sink_attach(aof_log(aof), aof->rewrite.log_fd, 0);
	aof->rewrite.log_fd = -1;
	if (aof->gap)
		end_gap(aof);
}

static uint64_t deadline(const struct aof *aof)
{
	const struct sink *log = &aof->sinks[aof->current];
	uint64_t due = UINT64_MAX;

	if (aof->rewrite.state == REWRITE_SCAN || aof->rewrite.state == REWRITE_UNMARK)
		return aof->now_ns;
	if (aof->write_error)
		return aof->retry_ns;
	if (aof->disk->count)
		return aof->now_ns + WAIT_NS;
	if (sink_pending(log) || aof->has_next || aof->rewrite.state != REWRITE_NONE)
		return aof->now_ns;
	if (log->synced < log->written && aof->engine->settings->appendfsync == FSYNC_EVERYSEC)
		due = aof->sync_due_ns;
	if ((aof->rewrite.asked || aof->gap) && aof->rewrite.retry_ns < due)
		due = aof->rewrite.retry_ns;
	return due;
}

uint64_t aof_turn(struct aof *aof, uint64_t now_ns)
{
	aof->now_ns = now_ns;
	disk_reap(aof->disk, false);
	see_errors(aof);
	switch_log(aof);
	aof_rewrite_turn(aof);
	write_log(aof);
	disk_submit(aof->disk);
	return deadline(aof);
}

uint64_t aof_end(const struct aof *aof)
{
	return aof->end;
}

uint64_t aof_durable(const struct aof *aof)
{
	if (!always(aof))
		return aof->end;
	if (aof->gap)
		return aof->durable_at;
	return aof->shift[aof->current] + aof->sinks[aof->current].synced;
}

bool aof_busy(const struct aof *aof)
{
	const uint64_t pending = sink_pending(&aof->sinks[0]) + sink_pending(&aof->sinks[1]) +
				 sink_pending(&aof->rewrite.base);

	return !aof->refusal[0] && pending > AOF_PENDING_LEN_MAX;
}

void aof_figures(const struct aof *aof, struct aof_figures *out)
{
	*out = aof->figures;
	out->rewrite_in_progress = aof->rewrite.state != REWRITE_NONE;
	out->rewrite_scheduled = aof->rewrite.asked;
	out->current_rewrite_s =
		out->rewrite_in_progress
			? (int64_t)((aof->now_ns - aof->rewrite.began_ns) / SYNC_NS)
			: -1;
	out->last_write_ok = aof->write_error == 0 && !aof->gap;
	out->current_len = aof_len(aof);
	out->base_len = aof->rewritten_len;
	out->pending_len = sink_pending(&aof->sinks[0]) + sink_pending(&aof->sinks[1]);
	out->disk = aof->disk->class->name;
}

/* --- its life --- */

void aof_destroy(struct aof *aof)
{
	sink_fini(&aof->sinks[0]);
	sink_fini(&aof->sinks[1]);
	aof_rewrite_fini(aof);
	disk_destroy(aof->disk);
	if (aof->dir_fd >= 0)
		close(aof->dir_fd);
	heap_free(aof);
}

static bool settled(struct aof *aof)
{
	struct sink *log = aof_log(aof);

	return aof->disk->count == 0 && aof_rewrite_idle(aof) && !aof->has_next &&
	       log->synced == log->added;
}

/* What was begun and not ended: cut off, so that the file ends with something whole. */
static int take_back(struct aof *aof)
{
	const uint64_t len = aof->multi_at - aof->shift[aof->current];
	const int fd = aof_log(aof)->fd;

	return ftruncate(fd, (off_t)len) || fdatasync(fd) ? -errno : 0;
}

int aof_close(struct aof *aof)
{
	int error = 0;

	if (!aof)
		return 0;
	aof->closing = true;
	aof->rewrite.asked = false;
	aof_rewrite_cancel(aof);
	while (!settled(aof)) {
		aof->retry_ns = aof->now_ns;
		aof_turn(aof, aof->now_ns);
		disk_reap(aof->disk, true);
		error = aof_log(aof)->write_error;
		if (error == 0)
			error = aof_log(aof)->sync_error;
		if (error && aof->disk->count == 0)
			break;
		error = 0;
	}
	error = aof->gap ? -EIO : error;
	if (!error && aof->multi_open)
		error = take_back(aof);
	if (error)
		fprintf(stderr, "kv: shard %d: the end of the log is not on the disk: %s\n",
			aof->engine->shard, strerror(-error));
	aof->engine->aof = NULL;
	aof_destroy(aof);
	return error;
}
