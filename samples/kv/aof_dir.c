/* The directory of the logs: whose it is, what is in it, what does not belong there any more. */
#include "kv/aof_inside.h"
#include "kv/heap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_NAME "kv.lock"

static int say(const struct aof_dir *dir, const char *what, int error)
{
	fprintf(stderr, "kv: %s: %s%s%s\n", dir->settings.dir, what, error ? ": " : "",
		error ? strerror(-error) : "");
	return error ? error : -EBADMSG;
}

static void op_done(struct disk_op *op)
{
	(void)op;
}

int64_t aof_dir_do(struct aof_dir *dir, struct disk_op *op)
{
	op->done = op_done;
	disk_start(dir->disk, op);
	while (op->under_way) {
		disk_reap(dir->disk, true);
	}
	return op->result;
}

static int lock(struct aof_dir *dir)
{
	dir->fd = open(dir->settings.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0)
		return say(dir, "cannot be opened", -errno);
	dir->lock_fd = openat(dir->fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (dir->lock_fd < 0)
		return say(dir, LOCK_NAME, -errno);
	if (flock(dir->lock_fd, LOCK_EX | LOCK_NB))
		return say(dir, "another server writes its logs there", 0);
	return 0;
}

/* --- what is there --- */

int aof_dir_each_name(struct aof_dir *dir, int (*visit)(struct aof_dir *dir, const char *name))
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!names) {
		error = -errno;
		if (fd >= 0)
			close(fd);
		return say(dir, "cannot be read", error);
	}
	while (error == 0 && (entry = readdir(names)))
		error = visit(dir, entry->d_name);
	closedir(names);
	return error;
}

static int read_manifests(struct aof_dir *dir)
{
	struct manifest first;
	int error = manifest_read(dir->fd, 0, &first);

	if (error == -ENOENT)
		return 0; /* whether there are others is seen by look() */
	if (error)
		return say(dir, "shard-0.manifest cannot be read", error);
	dir->old = heap_alloc_or_null((size_t)first.shard_count * sizeof(*dir->old));
	if (!dir->old)
		return say(dir, "its manifests", -ENOMEM);
	dir->old_count = first.shard_count;
	for (int i = 0; i < dir->old_count; i++) {
		char name[DISK_NAME_LEN];

		error = manifest_read(dir->fd, i, &dir->old[i]);
		if (error == 0 && dir->old[i].shard_count != dir->old_count)
			error = -EINVAL;
		manifest_name(i, name);
		if (error)
			return say(dir, name, error);
		if (manifest_generation(&dir->old[i]) > dir->generation)
			dir->generation = manifest_generation(&dir->old[i]);
	}
	return 0;
}

static bool is_named(const struct aof_dir *dir, int shard, uint64_t generation)
{
	const struct manifest *manifest = &dir->old[shard];

	for (unsigned i = 0; i < manifest->count; i++)
		if (manifest->generations[i] == generation)
			return true;
	return false;
}

/* A log's file that no manifest knows is removed later, if all of these are there. */
static int look(struct aof_dir *dir, const char *name)
{
	uint64_t generation;
	int shard;

	if (manifest_name_parse(name, &shard) && shard >= dir->old_count) {
		fprintf(stderr, "kv: %s: %s is there, but the logs are of %d shards\n",
			dir->settings.dir, name, dir->old_count);
		return -EBADMSG;
	}
	if (!manifest_file_name_parse(name, &shard, &generation))
		return 0;
	if (dir->old_count == 0) {
		fprintf(stderr, "kv: %s: %s is there, but shard-0.manifest is missing\n",
			dir->settings.dir, name);
		return -EBADMSG;
	}
	if (generation > dir->generation)
		dir->generation = generation;
	return 0;
}

/* What a crash left in the midst of making it, or of removing it. */
static int remove_stale(struct aof_dir *dir, const char *name)
{
	struct disk_op op = {.verb = DISK_UNLINK, .fd = dir->fd};
	size_t len = strlen(name);
	uint64_t generation;
	char stem[DISK_NAME_LEN];
	int shard;

	snprintf(stem, sizeof(stem), "%.*s", len > 4 ? (int)len - 4 : 0, name);
	if (manifest_file_name_parse(name, &shard, &generation)) {
		if (shard < dir->old_count && is_named(dir, shard, generation))
			return 0;
	} else if (len <= 4 || strcmp(name + len - 4, ".tmp") != 0 ||
		   !(manifest_name_parse(stem, &shard) || strcmp(stem, AOF_JOURNAL) == 0)) {
		return 0;
	}
	snprintf(op.name, sizeof(op.name), "%s", name);
	(void)aof_dir_do(dir, &op); /* it harms nobody, and the next start tries again */
	return 0;
}

/* --- its life --- */

static void forget(struct aof_dir *dir)
{
	heap_free(dir->old);
	dir->old = NULL;
	dir->old_count = 0;
	dir->generation = 0;
}

static int take_stock(struct aof_dir *dir)
{
	int error;

	forget(dir);
	error = read_manifests(dir);
	return error ? error : aof_dir_each_name(dir, look);
}

/* So many rewrites have failed that no manifest has room for another. */
static bool is_crowded(const struct aof_dir *dir)
{
	for (int i = 0; i < dir->old_count; i++)
		if (dir->old[i].count == MANIFEST_FILE_COUNT_MAX)
			return true;
	return false;
}

static int write_anew(struct aof_dir *dir)
{
	/* What an attempt has left that failed takes the room that this one needs. */
	int error = aof_dir_each_name(dir, remove_stale);

	if (error == 0)
		error = aof_reshard(dir);
	/* Those that are there will do, unless the journal says that they are no more. */
	if (error && dir->old_count == dir->shard_count &&
	    faccessat(dir->fd, AOF_JOURNAL, F_OK, 0) && errno == ENOENT)
		return 0;
	if (error == 0)
		error = aof_reshard_finish(dir);
	return error ? error : take_stock(dir);
}

static int prepare(struct aof_dir *dir)
{
	int error = aof_reshard_finish(dir);

	if (error == 0)
		error = take_stock(dir);
	if (error == 0 && (dir->old_count != dir->shard_count || is_crowded(dir)))
		error = write_anew(dir);
	return error ? error : aof_dir_each_name(dir, remove_stale);
}

struct aof_dir *aof_dir_open_or_null(const struct settings *settings, int shard_count)
{
	struct aof_dir *dir = heap_alloc_or_null(sizeof(*dir));
	int error;

	if (!dir)
		return NULL;
	/* A limit of the files' length is an error of a write, not the end of the program. */
	signal(SIGXFSZ, SIG_IGN);
	*dir = (struct aof_dir){.fd = -1,
				.lock_fd = -1,
				.shard_count = shard_count,
				.settings = *settings,
				.disk = disk_create_or_null()};
	error = dir->disk ? lock(dir) : -ENOMEM;
	if (error == 0)
		error = prepare(dir);
	disk_destroy(dir->disk);
	dir->disk = NULL;
	forget(dir);
	if (error == 0)
		return dir;
	aof_dir_close(dir);
	return NULL;
}

void aof_dir_close(struct aof_dir *dir)
{
	if (!dir)
		return;
	if (dir->lock_fd >= 0)
		close(dir->lock_fd);
	if (dir->fd >= 0)
		close(dir->fd);
	heap_free(dir);
}
