/* A disk by io_uring: one system call sends off all that a turn has started, none sees the ends. */
#include "kv/disk.h"

#include "kv/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <sched.h>
#include <unistd.h>

struct disk_uring {
	struct disk disk;
	struct io_uring ring;
	unsigned unsent;
};

static struct disk_uring *uring_of(struct disk *disk)
{
	return (struct disk_uring *)disk;
}

static void prepare(struct io_uring_sqe *sqe, const struct disk_op *op)
{
	switch (op->verb) {
	case DISK_OPEN:
		io_uring_prep_openat(sqe, op->fd, op->name,
				     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		break;
	case DISK_WRITE:
		io_uring_prep_writev(sqe, op->fd, op->iov, (unsigned)op->iov_count, op->offset);
		break;
	case DISK_SYNC:
		io_uring_prep_fsync(sqe, op->fd, IORING_FSYNC_DATASYNC);
		break;
	case DISK_FSYNC:
		io_uring_prep_fsync(sqe, op->fd, 0);
		break;
	case DISK_RENAME:
		io_uring_prep_renameat(sqe, op->fd, op->name, op->fd, op->to_name, 0);
		break;
	case DISK_UNLINK:
		io_uring_prep_unlinkat(sqe, op->fd, op->name, 0);
		break;
	}
}

static void start(struct disk *disk, struct disk_op *op)
{
	struct disk_uring *uring = uring_of(disk);
	/* There is room for all that may be under way, and the kernel takes what it is given. */
	struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);

	if (!sqe) {
		disk_end(disk, op, -EAGAIN);
		return;
	}
	prepare(sqe, op);
	if (op->leads)
		io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
	io_uring_sqe_set_data(sqe, op);
	uring->unsent++;
}

static void submit(struct disk *disk)
{
	struct disk_uring *uring = uring_of(disk);
	int sent;

	if (!uring->unsent)
		return;
	sent = io_uring_submit(&uring->ring);
	if (sent > 0) /* otherwise (no memory, interrupted) the next turn tries again */
		uring->unsent -= (unsigned)sent < uring->unsent ? (unsigned)sent : uring->unsent;
}

static void reap(struct disk *disk, bool wait)
{
	struct disk_uring *uring = uring_of(disk);
	struct io_uring_cqe *cqe;

	if (wait && (uring->unsent || io_uring_wait_cqe(&uring->ring, &cqe)))
		return; /* interrupted: the caller asks again */
	while (io_uring_peek_cqe(&uring->ring, &cqe) == 0) {
		struct disk_op *op = io_uring_cqe_get_data(cqe);
		int result = cqe->res;

		io_uring_cqe_seen(&uring->ring, cqe);
		disk_end(disk, op, result);
	}
}

static void destroy(struct disk *disk)
{
	io_uring_queue_exit(&uring_of(disk)->ring);
	heap_free(disk);
}

static const struct disk_class uring_class = {
	.name = "io_uring",
	.start = start,
	.submit = submit,
	.reap = reap,
	.destroy = destroy,
};

/* All that we use; renameat and unlinkat came last, with 5.11. */
static int ring_check(struct io_uring *ring)
{
	static const int needed[] = {IORING_OP_OPENAT, IORING_OP_WRITEV, IORING_OP_FSYNC,
				     IORING_OP_RENAMEAT, IORING_OP_UNLINKAT};
	struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
	int error = probe ? 0 : -ENOSYS;

	for (unsigned i = 0; probe && i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!io_uring_opcode_supported(probe, needed[i]))
			error = -ENOSYS;
	io_uring_free_probe(probe);
	return error;
}

/*
 * The kernel's threads that do what cannot be done at once would inherit the shard's one core, and
 * wait there for the shard, which never sleeps.
 */
static void let_workers_roam(struct io_uring *ring)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t all;

	CPU_ZERO(&all);
	for (long i = 0; i < count && i < CPU_SETSIZE; i++)
		CPU_SET(i, &all);
	(void)io_uring_register_iowq_aff(ring, sizeof(all), &all);
}

struct disk *disk_uring_create_or_null(void)
{
	struct disk_uring *uring = heap_alloc_or_null(sizeof(*uring));
	int error;

	if (!uring) {
		errno = ENOMEM;
		return NULL;
	}
	*uring = (struct disk_uring){.disk.class = &uring_class};
	error = io_uring_queue_init(DISK_OP_COUNT_MAX, &uring->ring, 0);
	if (error == 0) {
		error = ring_check(&uring->ring);
		if (error)
			io_uring_queue_exit(&uring->ring);
	}
	if (error) {
		heap_free(uring);
		errno = -error;
		return NULL;
	}
	let_workers_roam(&uring->ring);
	return &uring->disk;
}
