#include "log_place.h"
#include "frail_disk.h"

#include "kv/aof_inside.h"
#include "kv/split.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void log_place_make(struct log_place *place)
{
	*place = (struct log_place){0};
	/* In memory if there is such a place: there are many syncs. */
	strcpy(place->path,
	       access("/dev/shm", W_OK) == 0 ? "/dev/shm/kv-log-XXXXXX" : "/tmp/kv-log-XXXXXX");
	assert_non_null(mkdtemp(place->path));
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY);
	place->stderr_fd = dup(STDERR_FILENO);
	if (!getenv("KV_LOG_LOUD"))
		assert_non_null(freopen("/dev/null", "w", stderr));
	settings_init(&place->settings);
	place->settings.appendonly = true;
	place->settings.appendfsync = FSYNC_ALWAYS;
	place->settings.rewrite_percentage = 0;
	strcpy(place->settings.dir, place->path);
}

void log_place_remove(struct log_place *place)
{
	DIR *names = opendir(place->path);
	struct dirent *entry;

	while ((entry = readdir(names)))
		unlinkat(place->fd, entry->d_name, 0);
	closedir(names);
	rmdir(place->path);
	close(place->fd);
	fflush(stderr);
	dup2(place->stderr_fd, STDERR_FILENO);
	close(place->stderr_fd);
}

int log_place_setup(void **state)
{
	*state = malloc(sizeof(struct log_place));
	frail_disarm();
	log_place_make(*state);
	return 0;
}

int log_place_teardown(void **state)
{
	frail_disarm();
	log_place_remove(*state);
	free(*state);
	return 0;
}

int log_place_open(struct log_place *place, int shard, int shard_count)
{
	static const uint64_t seed[4] = {1, 2, 3, 4};
	int error = -1;

	place->dir = aof_dir_open_or_null(&place->settings, shard_count);
	if (!place->dir)
		return error;
	assert_int_equal(
		engine_init_seeded(&place->engine, &place->settings, shard, shard_count, seed), 0);
	place->engine.now_ms = LOG_PLACE_NOW_MS;
	place->engine.clock_ns = place->clock_ns;
	error = aof_open(&place->engine);
	if (error)
		log_place_close(place);
	return error;
}

void log_place_close(struct log_place *place)
{
	aof_close(place->engine.aof);
	engine_fini(&place->engine);
	aof_dir_close(place->dir);
	place->dir = NULL;
}

void log_place_crash(struct log_place *place)
{
	aof_destroy(place->engine.aof);
	place->engine.aof = NULL;
	log_place_close(place);
}

const char *log_place_say(struct log_place *place, int db, const char *line)
{
	char words[4096];
	struct arg argv[64];
	struct out out;
	struct call call = {.engine = &place->engine, .argv = argv, .out = &out, .db = db};
	char *to = words;
	size_t len;

	for (const char *at = line, *end = line + strlen(line);
	     split_next(&at, end, &to, &argv[call.argc].text) == SPLIT_WORD;)
		argv[call.argc++].bytes = NULL;
	out_init(&out, 2);
	engine_run(&call);
	len = out_take(&out, place->reply, sizeof(place->reply) - 1);
	place->reply[len] = '\0';
	out_fini(&out);
	return place->reply;
}

void log_place_settle(struct log_place *place)
{
	struct aof *aof = place->engine.aof;

	/* Not within the time of retries. */
	for (int i = 0; i < 100000; i++) {
		uint64_t due = aof_turn(aof, aof->now_ns);

		if (due > aof->now_ns && aof->disk->count == 0)
			return;
		if (aof->disk->count)
			disk_reap(aof->disk, true);
	}
	fail_msg("the log does not come to rest");
}

/* --- digest --- */

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ ((const unsigned char *)data)[i]) * 1099511628211;
	return (hash ^ (hash >> 29)) * 0xbf58476d1ce4e5b9;
}

struct digest {
	int db;
	size_t count;
	uint64_t hashes[4096];
};

static void visit(void *arg, struct entry *entry)
{
	struct digest *digest = arg;
	char scratch[ENTRY_SCRATCH_LEN];
	struct slice key = entry_key(entry), value = entry_string(entry, scratch);
	uint64_t expire_ms = entry_expire_ms(entry);
	uint64_t hash = mix(14695981039346656037u, &digest->db, sizeof(digest->db));

	hash = mix(hash, key.data, key.len);
	hash = mix(hash, value.data, value.len);
	hash = mix(hash, &expire_ms, sizeof(expire_ms));
	assert_true(digest->count < sizeof(digest->hashes) / sizeof(digest->hashes[0]));
	digest->hashes[digest->count++] = hash;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t log_place_digest(struct log_place *place)
{
	struct digest digest = {0};
	uint64_t sum = 0, last = 0;

	for (digest.db = 0; digest.db < STORE_DB_COUNT; digest.db++) {
		uint64_t cursor = 0;

		do
			cursor = store_scan(place->engine.store, digest.db, cursor, visit, &digest);
		while (cursor);
	}
	/* What was visited twice counts once. */
	qsort(digest.hashes, digest.count, sizeof(digest.hashes[0]), compare);
	for (size_t i = 0; i < digest.count; i++) {
		if (i == 0 || digest.hashes[i] != last)
			sum += digest.hashes[i];
		last = digest.hashes[i];
	}
	return sum;
}

uint64_t log_place_file_len(struct log_place *place, const char *name)
{
	int fd = openat(place->fd, name, O_RDONLY);
	off_t len = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (fd >= 0)
		close(fd);
	return (uint64_t)len;
}
