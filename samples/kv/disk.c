#include "kv/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct disk *disk_create_or_null(void)
{
	struct disk *disk = disk_uring_create_or_null();

	if (disk)
		return disk;
	fprintf(stderr, "kv: the log is written by a thread: io_uring is not available (%s)\n",
		strerror(errno));
	return disk_thread_create_or_null();
}

void disk_destroy(struct disk *disk)
{
	if (disk)
		disk->class->destroy(disk);
}

void disk_start(struct disk *disk, struct disk_op *op)
{
	op->under_way = true;
	disk->count++;
	disk->class->start(disk, op);
}

void disk_submit(struct disk *disk)
{
	if (disk->count)
		disk->class->submit(disk);
}

void disk_reap(struct disk *disk, bool wait)
{
	if (!disk->count)
		return;
	if (wait)
		disk->class->submit(disk);
	disk->class->reap(disk, wait);
}

static int64_t do_call(const struct disk_op *op)
{
	switch (op->verb) {
	case DISK_OPEN:
		return openat(op->fd, op->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	case DISK_WRITE:
		return pwritev(op->fd, op->iov, op->iov_count, (off_t)op->offset);
	case DISK_SYNC:
		return fdatasync(op->fd);
	case DISK_FSYNC:
		return fsync(op->fd);
	case DISK_RENAME:
		return renameat(op->fd, op->name, op->fd, op->to_name);
	case DISK_UNLINK:
		return unlinkat(op->fd, op->name, 0);
	}
	errno = ENOSYS;
	return -1;
}

int64_t disk_do(const struct disk_op *op)
{
	int64_t result = do_call(op);

	return result < 0 ? -errno : result;
}

bool disk_done_whole(const struct disk_op *op)
{
	int64_t len = 0;

	for (int i = 0; op->verb == DISK_WRITE && i < op->iov_count; i++)
		len += (int64_t)op->iov[i].iov_len;
	return op->result >= 0 && (op->verb != DISK_WRITE || op->result == len);
}

void disk_end(struct disk *disk, struct disk_op *op, int64_t result)
{
	op->result = result;
	op->under_way = false;
	disk->count--;
	op->done(op);
}

void disk_roam(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t all;

	CPU_ZERO(&all);
	for (long i = 0; i < count && i < CPU_SETSIZE; i++)
		CPU_SET(i, &all);
	(void)sched_setaffinity(0, sizeof(all), &all);
}
