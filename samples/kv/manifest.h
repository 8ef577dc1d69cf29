/*
 * Which files are a shard's log, in order: at most one base, and what came after it. A file is
 * named by its shard and a generation, which only grows. The text is that of Redis's manifests, so
 * that redis-check-aof reads it, with two words more:
 *
 *	file shard-0.3.aof seq 3 type b shard 0 shards 2
 *	file shard-0.4.aof seq 4 type i shard 0 shards 2
 */
#ifndef KV_MANIFEST_H
#define KV_MANIFEST_H

#include "kv/disk.h"
#include "kv/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MANIFEST_FILE_COUNT_MAX = 32,
	MANIFEST_LINE_LEN_MAX = 128,
	MANIFEST_LEN_MAX = MANIFEST_FILE_COUNT_MAX * MANIFEST_LINE_LEN_MAX,
	MANIFEST_SHARD_COUNT_MAX = 16384, /* one slot each */
};

struct manifest {
	int shard, shard_count;
	bool has_base; /* the first one is */
	unsigned count;
	uint64_t generations[MANIFEST_FILE_COUNT_MAX];
};

void manifest_name(int shard, char name[DISK_NAME_LEN]);
void manifest_file_name(int shard, uint64_t generation, char name[DISK_NAME_LEN]);
/* The other way round; false: it is no such name. */
bool manifest_name_parse(const char *name, int *shard);
bool manifest_file_name_parse(const char *name, int *shard, uint64_t *generation);

/* Returns its length, MANIFEST_LEN_MAX at most. */
size_t manifest_print(const struct manifest *manifest, char text[MANIFEST_LEN_MAX]);
/*
 * Takes one shard's lines from the beginning of text, which then begins behind them. 0, or -EINVAL:
 * not such a text, or not whole.
 */
int manifest_parse(struct manifest *manifest, struct slice *text);
/* That of one shard. 0 or -errno. */
int manifest_read(int dir_fd, int shard, struct manifest *manifest);
/* The greatest of all; 0: there is none. */
uint64_t manifest_generation(const struct manifest *manifest);

/*
 * A small file's contents are replaced as one, and durably: written under another name, synced
 * with the directory, renamed, the directory synced again. Does not wait; the steps follow as
 * disk_reap() is called.
 */
struct manifest_put {
	struct disk *disk;
	struct disk_op op;
	int dir_fd, fd;
	struct slice text;
	bool under_way;
	bool renamed; /* the new contents may be there, even if it failed */
	int result;   /* when it is not under way any more: 0 or -errno */
};

/* text stays as it is until the end. */
void manifest_put(struct manifest_put *put, struct disk *disk, int dir_fd, const char *name,
		  struct slice text);

#endif
