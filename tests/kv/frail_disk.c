#include "frail_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct frail frail;

struct disk *__real_disk_create_or_null(void);
struct disk *__wrap_disk_create_or_null(void);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

uint64_t frail_random(void)
{
	frail.random ^= frail.random << 13;
	frail.random ^= frail.random >> 7;
	frail.random ^= frail.random << 17;
	return frail.random >> 11;
}

static struct frail_file *named_or_null(const char *name)
{
	for (unsigned i = 0; i < frail.file_count; i++)
		if (strcmp(frail.files[i].name, name) == 0)
			return &frail.files[i];
	return NULL;
}

static struct frail_file *add_or_null(const char *name)
{
	struct frail_file *file = named_or_null(name);

	if (!file && frail.file_count < FRAIL_FILE_COUNT_MAX)
		file = &frail.files[frail.file_count++];
	if (file)
		*file = (struct frail_file){0};
	if (file)
		snprintf(file->name, sizeof(file->name), "%.*s", DISK_NAME_LEN - 1, name);
	return file;
}

static void name_of(int fd, char name[256])
{
	char link[64], path[256];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len < 0 ? 0 : len] = '\0';
	strcpy(name, strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
}

/* One that was opened without the disk was made durable then. */
static struct frail_file *written_or_null(const struct disk_op *op)
{
	char name[256];
	struct frail_file *file;

	name_of(op->fd, name);
	file = named_or_null(name);
	if (file || op->verb != DISK_WRITE)
		return file;
	file = add_or_null(name);
	if (file) {
		file->written = file->synced = op->offset;
		file->known = true;
	}
	return file;
}

static void note(const struct disk_op *op)
{
	struct frail_file *file = written_or_null(op);

	switch (op->verb) {
	case DISK_OPEN:
		add_or_null(op->name);
		break;
	case DISK_WRITE:
		if (file && op->offset + (uint64_t)op->result > file->written)
			file->written = op->offset + (uint64_t)op->result;
		break;
	case DISK_SYNC:
		if (file)
			file->synced = file->written;
		break;
	case DISK_FSYNC:
		for (unsigned i = 0; i < frail.file_count; i++)
			frail.files[i].known = true;
		break;
	case DISK_RENAME: /* what it is called by now is seen by the other's being there */
	case DISK_UNLINK:
		file = named_or_null(op->name);
		if (file)
			*file = frail.files[--frail.file_count];
		break;
	}
}

static int failure(const struct disk_op *op)
{
	if (frail.dead)
		return -EIO;
	if (op->verb == DISK_WRITE)
		return frail.fail_write;
	if (op->verb == DISK_SYNC)
		return frail.fail_sync;
	return op->verb == DISK_OPEN ? frail.fail_open : 0;
}

/* Its first so many bytes only. */
static int64_t do_part(const struct disk_op *op, uint64_t len)
{
	struct disk_op part = *op;
	int i = 0;

	for (; i < part.iov_count && part.iov[i].iov_len <= len; i++)
		len -= part.iov[i].iov_len;
	if (i < part.iov_count) {
		part.iov[i].iov_len = len;
		part.iov_count = i + 1;
	}
	return disk_do(&part);
}

static int64_t carry_out(struct disk_op *op)
{
	int error = failure(op);
	uint64_t len = 0;

	frail.done++;
	if (!frail.dead && frail.dies_at && frail.done == frail.dies_at) {
		frail.dead = true;
		if (op->verb != DISK_WRITE || !frail.tears)
			return -EIO;
	}
	if (error)
		return error;
	for (int i = 0; op->verb == DISK_WRITE && i < op->iov_count; i++)
		len += op->iov[i].iov_len;
	if (op->verb == DISK_WRITE && (frail.dead || (frail.lazy && frail_random() % 4 == 0)))
		len = frail_random() % len + !frail.dead;
	if (op->verb == DISK_WRITE && frail.swallows)
		return (int64_t)len;
	op->result = op->verb == DISK_WRITE ? do_part(op, len) : disk_do(op);
	if (op->result >= 0)
		note(op);
	frail.syncs += op->verb == DISK_SYNC;
	return frail.dead ? -EIO : op->result;
}

static void start(struct disk *disk, struct disk_op *op)
{
	unsigned syncs = 0;
	struct disk_op *other;

	(void)disk;
	STAILQ_INSERT_TAIL(&frail.ops, op, link);
	STAILQ_FOREACH (other, &frail.ops, link)
		syncs += other->verb == DISK_SYNC && other->fd == op->fd;
	if (op->verb == DISK_SYNC && syncs > frail.syncs_max)
		frail.syncs_max = syncs;
}

static void submit(struct disk *disk)
{
	(void)disk;
}

static bool held(const struct disk_op *op, bool wait)
{
	if (op->verb == DISK_SYNC && frail.holds_syncs &&
	    (!frail.holds_fd || frail.holds_fd == op->fd))
		return true;
	return frail.lazy && !wait && frail_random() % 3 == 0;
}

/* In their order: each one's led one comes right behind it. */
static void reap(struct disk *disk, bool wait)
{
	struct disk_op_list ops = STAILQ_HEAD_INITIALIZER(ops),
			    kept = STAILQ_HEAD_INITIALIZER(kept);
	struct disk_op *op;
	bool cancel = false, keep = false, led = false;

	STAILQ_CONCAT(&ops, &frail.ops);
	while ((op = STAILQ_FIRST(&ops))) {
		int64_t whole = 0, result;
		bool leads = op->leads;

		STAILQ_REMOVE_HEAD(&ops, link);
		if (keep || (!led && held(op, wait))) {
			keep = leads;
			STAILQ_INSERT_TAIL(&kept, op, link);
			continue;
		}
		for (int i = 0; op->verb == DISK_WRITE && i < op->iov_count; i++)
			whole += (int64_t)op->iov[i].iov_len;
		result = cancel ? -ECANCELED : carry_out(op);
		led = leads && !frail.holds_syncs;
		cancel = leads && (result < 0 || (op->verb == DISK_WRITE && result < whole));
		disk_end(disk, op, result);
	}
	STAILQ_CONCAT(&kept, &frail.ops); /* what was started meanwhile */
	STAILQ_CONCAT(&frail.ops, &kept);
}

static void destroy(struct disk *disk)
{
	(void)disk;
	STAILQ_INIT(&frail.ops);
}

static const struct disk_class frail_class = {
	.name = "frail",
	.start = start,
	.submit = submit,
	.reap = reap,
	.destroy = destroy,
};

struct disk *__wrap_disk_create_or_null(void)
{
	if (!frail.armed)
		return __real_disk_create_or_null();
	frail.disk = (struct disk){.class = &frail_class};
	STAILQ_INIT(&frail.ops);
	return &frail.disk;
}

/* Of a file that the disk does not know of: when a log is loaded. */
int __wrap_fdatasync(int fd)
{
	struct frail_file *file;
	char name[256];

	name_of(fd, name);
	file = named_or_null(name);
	if (file)
		file->synced = file->written;
	return __real_fdatasync(fd);
}

void frail_arm(uint64_t seed)
{
	frail = (struct frail){.armed = true, .random = seed * 2654435761 + 88172645463325252};
}

void frail_disarm(void)
{
	frail.armed = false;
}

static void lose(int dir_fd, const struct frail_file *file)
{
	uint64_t len = file->synced + frail_random() % (file->written - file->synced + 1);
	int fd = openat(dir_fd, file->name, O_WRONLY);

	if (fd < 0)
		return;
	if (ftruncate(fd, (off_t)len) == 0 && frail_random() % 2)
		(void)!ftruncate(fd, (off_t)file->written); /* its length was kept, not its end */
	close(fd);
}

void frail_lose_power(int dir_fd)
{
	for (unsigned i = 0; i < frail.file_count; i++) {
		const struct frail_file *file = &frail.files[i];

		if (!file->known && frail_random() % 2)
			unlinkat(dir_fd, file->name, 0);
		else
			lose(dir_fd, file);
	}
}
