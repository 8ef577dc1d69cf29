/*
 * Logs for another number of shards. Each old log is read as a whole, by an engine of its own: its
 * commands mean what they meant only among the keys of that shard (RENAME, FLUSHALL). Its keys are
 * then written to the bases of those who own them now. One file's appearance, the journal's, makes
 * the new logs the ones that count; a crash before it leaves the old ones, one after it is carried
 * on at the next start.
 */
#include "kv/aof_inside.h"
#include "kv/heap.h"
#include "kv/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PENDING_LEN_MAX = 1 << 20 };

static int say(const char *name, int error)
{
	fprintf(stderr, "kv: %s: %s\n", name, strerror(-error));
	return error;
}

static int64_t open_for_writing(struct aof_dir *dir, int shard, uint64_t generation)
{
	struct disk_op op = {.verb = DISK_OPEN, .fd = dir->fd};
	int64_t fd;

	manifest_file_name(shard, generation, op.name);
	fd = aof_dir_do(dir, &op);
	return fd < 0 ? say(op.name, (int)fd) : fd;
}

static int put(struct aof_dir *dir, const char *name, struct slice text)
{
	struct manifest_put put;

	manifest_put(&put, dir->disk, dir->fd, name, text);
	while (put.under_way) {
		disk_reap(dir->disk, true);
	}
	return put.result ? say(name, put.result) : 0;
}

/* --- the new bases --- */

struct bases {
	struct aof_dir *dir;
	struct sink *sinks;
	int *dbs; /* the last SELECT's, of each */
	int db;	  /* being visited */
	uint64_t keys;
	int error;
};

static int flush(struct bases *bases, struct sink *sink, bool sync)
{
	while (sink_under_way(sink) || sink_pending(sink) || (sync && sink->synced < sink->added)) {
		if (sink->write_error || sink->sync_error || sink->failed)
			return sink->failed	   ? -ENOMEM
			       : sink->write_error ? sink->write_error
						   : sink->sync_error;
		sink_write(sink, false);
		if (sync && !sink->write.under_way)
			sink_sync(sink);
		disk_reap(bases->dir->disk, true);
	}
	return 0;
}

static void visit(void *arg, struct entry *entry)
{
	struct bases *bases = arg;
	int owner = slot_owner(slot_of(entry_key(entry)), bases->dir->shard_count);
	struct sink *sink = &bases->sinks[owner];

	if (bases->dbs[owner] != bases->db)
		sink_add_select(sink, bases->db);
	bases->dbs[owner] = bases->db;
	aof_add_entry(sink, entry);
	bases->keys++;
	if (sink_pending(sink) > PENDING_LEN_MAX && bases->error == 0)
		bases->error = flush(bases, sink, false);
}

static int take_log(struct bases *bases, struct aof_dir *dir, const struct manifest *manifest)
{
	uint64_t lens[MANIFEST_FILE_COUNT_MAX];
	struct engine engine;
	int error = engine_init(&engine, &dir->settings, manifest->shard, dir->old_count);

	if (error)
		return error;
	error = aof_load(&engine, dir->fd, manifest, lens);
	for (bases->db = 0; bases->db < STORE_DB_COUNT && error == 0; bases->db++) {
		uint64_t cursor = 0;

		do
			cursor = store_scan(engine.store, bases->db, cursor, visit, bases);
		while (cursor && bases->error == 0);
		error = bases->error;
	}
	engine_fini(&engine);
	return error;
}

static int write_bases(struct bases *bases, struct aof_dir *dir)
{
	int error = 0;

	for (int i = 0; i < dir->shard_count && error == 0; i++) {
		int64_t fd = open_for_writing(dir, i, dir->generation + 1);

		if (fd < 0)
			return (int)fd;
		sink_attach(&bases->sinks[i], (int)fd, 0);
	}
	for (int i = 0; i < dir->old_count && error == 0; i++)
		error = take_log(bases, dir, &dir->old[i]);
	for (int i = 0; i < dir->shard_count && error == 0; i++)
		error = flush(bases, &bases->sinks[i], true);
	return error;
}

static int create_bases(struct aof_dir *dir)
{
	size_t count = (size_t)dir->shard_count;
	struct bases bases = {
		.dir = dir,
		.sinks = heap_alloc_or_null(count * sizeof(*bases.sinks)),
		.dbs = heap_alloc_or_null(count * sizeof(*bases.dbs)),
	};
	int error = -ENOMEM;

	if (bases.sinks && bases.dbs) {
		for (size_t i = 0; i < count; i++) {
			sink_init(&bases.sinks[i], dir->disk);
			bases.dbs[i] = -1;
		}
		error = write_bases(&bases, dir);
		while (dir->disk->count) /* after an error something may be under way */
			disk_reap(dir->disk, true);
		for (size_t i = 0; i < count; i++)
			sink_fini(&bases.sinks[i]);
	}
	heap_free(bases.sinks);
	heap_free(bases.dbs);
	if (error)
		return say("the logs cannot be written anew", error);
	fprintf(stderr,
		"kv: logs were written anew, for %d instead of %d shards: %" PRIu64 " keys\n",
		dir->shard_count, dir->old_count, bases.keys);
	return 0;
}

/* --- the journal: all new manifests, one after the other --- */

int aof_reshard(struct aof_dir *dir)
{
	char *text = heap_alloc_or_null((size_t)dir->shard_count * 2 * MANIFEST_LINE_LEN_MAX +
					MANIFEST_LEN_MAX);
	size_t len = 0;
	int error = text ? 0 : -ENOMEM;

	if (dir->old_count && error == 0)
		error = create_bases(dir);
	for (int i = 0; i < dir->shard_count && error == 0; i++) {
		struct manifest manifest = {
			.shard = i, .shard_count = dir->shard_count, .count = 1};

		manifest.generations[0] = dir->generation + 1;
		if (dir->old_count) {
			manifest.has_base = true;
			manifest.generations[manifest.count++] = dir->generation + 2;
		}
		len += manifest_print(&manifest, text + len);
	}
	if (error == 0)
		error = put(dir, AOF_JOURNAL, (struct slice){text, len});
	heap_free(text);
	return error;
}

static char *read_journal_or_null(struct aof_dir *dir, size_t *len, int *error)
{
	int fd = openat(dir->fd, AOF_JOURNAL, O_RDONLY | O_CLOEXEC);
	struct stat stat = {0};
	char *text = NULL;

	*error = fd < 0 || fstat(fd, &stat) ? -errno : 0;
	if (*error == 0) {
		text = heap_alloc_or_null((size_t)stat.st_size + 1);
		*error = text ? 0 : -ENOMEM;
	}
	if (*error == 0) {
		*len = (size_t)stat.st_size;
		*error = read(fd, text, *len) == stat.st_size ? 0 : -EIO;
	}
	if (fd >= 0)
		close(fd);
	return text;
}

/* The log's last file, empty, and the manifest that names it. */
static int put_manifest(struct aof_dir *dir, const struct manifest *manifest)
{
	char name[DISK_NAME_LEN], text[MANIFEST_LEN_MAX];
	int64_t fd = open_for_writing(dir, manifest->shard, manifest_generation(manifest));

	if (fd < 0)
		return (int)fd;
	close((int)fd);
	manifest_name(manifest->shard, name);
	return put(dir, name, (struct slice){text, manifest_print(manifest, text)});
}

static int remove_file(struct aof_dir *dir, const char *name)
{
	struct disk_op op = {.verb = DISK_UNLINK, .fd = dir->fd};
	int64_t result;

	snprintf(op.name, sizeof(op.name), "%s", name);
	result = aof_dir_do(dir, &op);
	if (result == -ENOENT)
		return 0;
	return result < 0 ? say(name, (int)result) : 0;
}

static int sync_names(struct aof_dir *dir)
{
	struct disk_op op = {.verb = DISK_FSYNC, .fd = dir->fd};
	int64_t result = aof_dir_do(dir, &op);

	return result < 0 ? say("the directory cannot be synced", (int)result) : 0;
}

/* It is as aof_reshard() writes it, as a whole; otherwise nothing may be changed. */
static int check_journal(struct aof_dir *dir, struct slice text)
{
	struct manifest manifest;
	int shard = 0;

	for (; text.len; shard++) {
		if (manifest_parse(&manifest, &text) || manifest.shard != shard ||
		    (shard > 0 && manifest.shard_count != dir->journal_count))
			return -EBADMSG;
		dir->journal_count = manifest.shard_count;
	}
	return shard > 0 && shard == dir->journal_count ? 0 : -EBADMSG;
}

/* What is left of more shards than there are now. A crash may have left any of them. */
static int remove_beyond(struct aof_dir *dir, const char *name)
{
	int shard;

	if (!manifest_name_parse(name, &shard) || shard < dir->journal_count)
		return 0;
	return remove_file(dir, name);
}

static int carry_out(struct aof_dir *dir, struct slice text)
{
	struct manifest manifest;
	int error = check_journal(dir, text);

	if (error)
		return say(AOF_JOURNAL, error);
	while (text.len && error == 0) {
		error = manifest_parse(&manifest, &text);
		if (error == 0)
			error = put_manifest(dir, &manifest);
	}
	if (error == 0)
		error = aof_dir_each_name(dir, remove_beyond);
	if (error == 0)
		error = sync_names(dir);
	if (error == 0)
		error = remove_file(dir, AOF_JOURNAL);
	return error ? error : sync_names(dir);
}

int aof_reshard_finish(struct aof_dir *dir)
{
	size_t len = 0;
	int error;
	char *text = read_journal_or_null(dir, &len, &error);

	if (error == 0)
		error = carry_out(dir, (struct slice){text, len});
	else if (error == -ENOENT)
		error = 0;
	else
		say(AOF_JOURNAL, error);
	heap_free(text);
	return error;
}
