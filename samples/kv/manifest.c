#include "kv/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- names --- */

void manifest_name(int shard, char name[DISK_NAME_LEN])
{
	snprintf(name, DISK_NAME_LEN, "shard-%d.manifest", shard);
}

void manifest_file_name(int shard, uint64_t generation, char name[DISK_NAME_LEN])
{
	snprintf(name, DISK_NAME_LEN, "shard-%d.%llu.aof", shard, (unsigned long long)generation);
}

bool manifest_name_parse(const char *name, int *shard)
{
	char again[DISK_NAME_LEN];

	if (sscanf(name, "shard-%9d.", shard) != 1 || *shard < 0)
		return false;
	manifest_name(*shard, again);
	return strcmp(name, again) == 0;
}

bool manifest_file_name_parse(const char *name, int *shard, uint64_t *generation)
{
	char again[DISK_NAME_LEN];
	unsigned long long number;

	if (sscanf(name, "shard-%9d.%18llu.", shard, &number) != 2 || *shard < 0)
		return false;
	*generation = number;
	manifest_file_name(*shard, *generation, again);
	return strcmp(name, again) == 0;
}

/* --- text --- */

static int print_line(const struct manifest *manifest, unsigned i, char line[MANIFEST_LINE_LEN_MAX])
{
	char name[DISK_NAME_LEN];

	manifest_file_name(manifest->shard, manifest->generations[i], name);
	return snprintf(
		line, MANIFEST_LINE_LEN_MAX, "file %s seq %llu type %c shard %d shards %d\n", name,
		(unsigned long long)manifest->generations[i],
		i == 0 && manifest->has_base ? 'b' : 'i', manifest->shard, manifest->shard_count);
}

size_t manifest_print(const struct manifest *manifest, char text[MANIFEST_LEN_MAX])
{
	char line[MANIFEST_LINE_LEN_MAX];
	size_t len = 0;

	for (unsigned i = 0; i < manifest->count; i++) {
		size_t line_len = (size_t)print_line(manifest, i, line);

		memcpy(text + len, line, line_len);
		len += line_len;
	}
	return len;
}

struct line {
	int shard, shard_count;
	unsigned long long generation;
	char type;
};

/* Its length, or -EINVAL. It must be what print_line() would print. */
static int parse_line(struct slice text, struct line *out)
{
	const char *end = memchr(text.data, '\n', text.len);
	struct manifest one = {.count = 1};
	char line[MANIFEST_LINE_LEN_MAX], again[MANIFEST_LINE_LEN_MAX], name[DISK_NAME_LEN];
	size_t len;

	if (!end || (size_t)(end - text.data) + 1 >= sizeof(line))
		return -EINVAL;
	len = (size_t)(end - text.data) + 1;
	memcpy(line, text.data, len);
	line[len] = '\0';
	if (sscanf(line, "file %63s seq %18llu type %c shard %9d shards %9d", name,
		   &out->generation, &out->type, &out->shard, &out->shard_count) != 5)
		return -EINVAL;
	one.shard = out->shard;
	one.shard_count = out->shard_count;
	one.generations[0] = out->generation;
	one.has_base = out->type == 'b';
	print_line(&one, 0, again);
	return strcmp(line, again) == 0 ? (int)len : -EINVAL;
}

static bool fits(const struct manifest *manifest, const struct line *line)
{
	if (manifest->count == 0)
		return line->shard >= 0 && line->shard < line->shard_count &&
		       line->shard_count <= MANIFEST_SHARD_COUNT_MAX;
	return manifest->count < MANIFEST_FILE_COUNT_MAX && line->type == 'i' &&
	       line->shard_count == manifest->shard_count &&
	       line->generation > manifest_generation(manifest);
}

int manifest_parse(struct manifest *manifest, struct slice *text)
{
	*manifest = (struct manifest){0};
	while (text->len) {
		struct line line;
		int len = parse_line(*text, &line);

		if (len < 0)
			return len;
		if (manifest->count && line.shard != manifest->shard)
			break;
		if (!fits(manifest, &line))
			return -EINVAL;
		if (manifest->count == 0) {
			manifest->shard = line.shard;
			manifest->shard_count = line.shard_count;
			manifest->has_base = line.type == 'b';
		}
		manifest->generations[manifest->count++] = line.generation;
		text->data += len;
		text->len -= (size_t)len;
	}
	return manifest->count ? 0 : -EINVAL;
}

int manifest_read(int dir_fd, int shard, struct manifest *manifest)
{
	char name[DISK_NAME_LEN], text[MANIFEST_LEN_MAX + 1];
	struct slice slice = {text, 0};
	ssize_t len;
	int fd, error;

	manifest_name(shard, name);
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text));
	error = len < 0 ? -errno : 0;
	close(fd);
	if (error)
		return error;
	slice.len = (size_t)len;
	error = manifest_parse(manifest, &slice);
	return error == 0 && (slice.len || manifest->shard != shard) ? -EINVAL : error;
}

uint64_t manifest_generation(const struct manifest *manifest)
{
	return manifest->count ? manifest->generations[manifest->count - 1] : 0;
}

/* --- replaced as one --- */

static void next(struct manifest_put *put, enum disk_verb verb, int fd)
{
	put->op.verb = verb;
	put->op.fd = fd;
	disk_start(put->disk, &put->op);
}

static void end(struct manifest_put *put, int result)
{
	if (put->fd >= 0)
		close(put->fd);
	put->fd = -1;
	put->result = result;
	put->under_way = false;
}

static void write_rest(struct manifest_put *put)
{
	put->op.iov[0] = (struct iovec){
		.iov_base = (char *)(uintptr_t)put->text.data + put->op.offset,
		.iov_len = put->text.len - put->op.offset,
	};
	put->op.iov_count = 1;
	next(put, DISK_WRITE, put->fd);
}

static void written(struct manifest_put *put)
{
	put->op.offset += (uint64_t)put->op.result;
	if (put->op.offset == put->text.len)
		next(put, DISK_SYNC, put->fd);
	else if (put->op.result == 0)
		end(put, -ENOSPC);
	else
		write_rest(put);
}

static void step(struct disk_op *op)
{
	struct manifest_put *put = op->arg;

	if (op->result < 0) {
		end(put, (int)op->result);
		return;
	}
	switch (op->verb) {
	case DISK_OPEN:
		put->fd = (int)op->result;
		write_rest(put);
		break;
	case DISK_WRITE:
		written(put);
		break;
	case DISK_SYNC: /* the names that the text has are durable before it is */
		next(put, DISK_FSYNC, put->dir_fd);
		break;
	case DISK_FSYNC:
		if (put->renamed) {
			end(put, 0);
			break;
		}
		put->renamed = true;
		next(put, DISK_RENAME, put->dir_fd);
		break;
	default:
		next(put, DISK_FSYNC, put->dir_fd);
	}
}

void manifest_put(struct manifest_put *put, struct disk *disk, int dir_fd, const char *name,
		  struct slice text)
{
	put->disk = disk;
	put->dir_fd = dir_fd;
	put->fd = -1;
	put->under_way = true;
	put->renamed = false;
	put->op = (struct disk_op){.done = step, .arg = put};
	put->text = text;
	snprintf(put->op.name, sizeof(put->op.name), "%s.tmp", name);
	snprintf(put->op.to_name, sizeof(put->op.to_name), "%s", name);
	next(put, DISK_OPEN, dir_fd);
}
