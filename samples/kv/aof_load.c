/* A log comes back: an engine is filled with what its files hold, and the last is open again. */
#include "kv/aof_inside.h"

#include "kv/aof_replay.h"
#include "kv/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct load {
	struct engine *engine;
	uint64_t failed;
};

static int run(void *arg, int db, int argc, const struct arg *argv)
{
	struct load *load = arg;
	bool no_memory;
	struct out out;
	struct call call = {
		.engine = load->engine,
		.command = command_find_or_null(argc, argv),
		.argc = argc,
		.argv = argv,
		.out = &out,
		.db = db,
	};

	if (!call.command || !(call.command->flags & COMMAND_WRITE))
		return -EINVAL;
	out_init(&out, 2);
	engine_run(&call);
	load->failed += out.errors != 0;
	/* Without memory it is a part of what there was: that is not to be served, or logged anew.
	 */
	no_memory = out.errors && strcmp(out.error_code, "OOM") == 0;
	out_fini(&out);
	return no_memory ? -ENOMEM : 0;
}

static int replay(struct engine *engine, int dir_fd, const struct manifest *manifest,
		  uint64_t *lens)
{
	char names[MANIFEST_FILE_COUNT_MAX][DISK_NAME_LEN];
	const char *list[MANIFEST_FILE_COUNT_MAX];
	struct load load = {.engine = engine};
	struct aof_replay replay = {
		.dir_fd = dir_fd, .shard = manifest->shard, .run = run, .arg = &load};
	int error;

	for (unsigned i = 0; i < manifest->count; i++) {
		manifest_file_name(manifest->shard, manifest->generations[i], names[i]);
		list[i] = names[i];
	}
	error = aof_replay_files(&replay, list, manifest->count,
				 engine->settings->aof_load_truncated, lens);
	if (error == 0 && load.failed)
		fprintf(stderr,
			"kv: shard %d: %" PRIu64 " of the log's %" PRIu64
			" commands answered with an error\n",
			manifest->shard, load.failed, replay.commands);
	return error;
}

int aof_load(struct engine *engine, int dir_fd, const struct manifest *manifest,
	     uint64_t lens[MANIFEST_FILE_COUNT_MAX])
{
	int error;

	/* As nothing expires, each command finds what it found when it ran; what did expire is
	 * removed by a DEL of the log. */
	store_keep_expired(engine->store, true);
	engine->loading = true;
	error = replay(engine, dir_fd, manifest, lens);
	engine->loading = false;
	store_keep_expired(engine->store, false);
	engine_reset_stats(engine);
	return error;
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Durable as it is: what is in it was replayed and is shown to clients. -errno is said on stderr.
 */
static int open_durable(const struct aof *aof, uint64_t generation)
{
	char name[DISK_NAME_LEN];
	int fd, error;

	manifest_file_name(aof->manifest.shard, generation, name);
	fd = openat(aof->dir_fd, name, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && fdatasync(fd) == 0)
		return fd;
	error = -errno;
	fprintf(stderr, "kv: shard %d: %s: %s\n", aof->manifest.shard, name, strerror(-error));
	if (fd >= 0)
		close(fd);
	return error;
}

/* Each but the last, too: a process that was killed had not synced the one before it, perhaps. */
static int open_files(struct aof *aof, const uint64_t *lens)
{
	const unsigned last = aof->manifest.count - 1;
	int fd;

	for (unsigned i = 0; i < last; i++) {
		fd = open_durable(aof, aof->manifest.generations[i]);
		if (fd < 0)
			return fd;
		close(fd);
		aof->old_len += lens[i];
	}
	fd = open_durable(aof, aof->manifest.generations[last]);
	if (fd < 0)
		return fd;
	sink_attach(aof_log(aof), fd, lens[last]);
	aof->end = lens[last];
	return 0;
}

static int load_and_open(struct aof *aof)
{
	uint64_t lens[MANIFEST_FILE_COUNT_MAX];
	int error = manifest_read(aof->dir_fd, aof->engine->shard, &aof->manifest);

	if (error == 0 && aof->manifest.shard_count != aof->engine->shard_count)
		error = -EINVAL; /* nobody called aof_dir_open_or_null() */
	if (error) {
		fprintf(stderr, "kv: shard %d: its manifest cannot be read: %s\n",
			aof->engine->shard, strerror(-error));
		return error;
	}
	error = aof_load(aof->engine, aof->dir_fd, &aof->manifest, lens);
	if (error)
		return error;
	aof->generation = manifest_generation(&aof->manifest);
	return open_files(aof, lens);
}

static bool begin_rewrite(struct aof *aof)
{
	return aof_rewrite(aof) == AOF_REWRITE_STARTED;
}

int aof_open(struct engine *engine)
{
	static const struct engine_log log = {
		.refusal_or_null = aof_refusal_or_null,
		.append = aof_append,
		.append_log = aof_append_log,
		.changes = aof_changes,
		.lost = aof_lost,
		.swaps = aof_swaps,
		.figures = aof_figures,
		.rewrite = begin_rewrite,
	};
	struct aof *aof = heap_alloc_or_null(sizeof(*aof));
	int error;

	if (!aof)
		return -ENOMEM;
	*aof = (struct aof){
		.engine = engine,
		.dir_fd = open_dir(engine->settings->dir),
		.disk = disk_create_or_null(),
		.db = -1,
		.figures = {.last_rewrite_ok = true, .last_rewrite_s = -1},
	};
	sink_init(&aof->sinks[0], aof->disk);
	sink_init(&aof->sinks[1], aof->disk);
	aof_rewrite_init(aof);
	error = aof->dir_fd < 0 ? aof->dir_fd : aof->disk ? load_and_open(aof) : -ENOMEM;
	if (error) {
		aof_destroy(aof);
		return error;
	}
	aof->rewritten_len = aof_len(aof);
	engine->aof = aof;
	engine->log = &log;
	return 0;
}
