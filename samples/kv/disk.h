/*
 * What a log asks of the disk, without waiting for it: operations are started, sent off together,
 * and their ends seen later. There are two kinds: io_uring, and, where the kernel denies that (old,
 * or forbidden as in most containers), a thread that makes the system calls. Buffers and files are
 * not registered: these writes go to the page cache, where copying is what they cost. One thread.
 */
#ifndef KV_DISK_H
#define KV_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

enum { DISK_IOV_MAX = 64, DISK_NAME_LEN = 64, DISK_OP_COUNT_MAX = 32 };

enum disk_verb {
	DISK_OPEN,   /* name in directory fd, for writing, empty; result: the file */
	DISK_WRITE,  /* iov to fd at offset; result: how much, which may be less */
	DISK_SYNC,   /* contents of fd, fdatasync() */
	DISK_FSYNC,  /* of a directory: its names */
	DISK_RENAME, /* name to to_name in directory fd */
	DISK_UNLINK, /* name in directory fd */
};

struct disk_op {
	enum disk_verb verb;
	int fd;
	char name[DISK_NAME_LEN], to_name[DISK_NAME_LEN];
	struct iovec iov[DISK_IOV_MAX];
	int iov_count;
	uint64_t offset;
	/* The operation that is started next waits for this one, and ends with -ECANCELED if this
	 * one fails or writes less than it should. */
	bool leads;
	bool under_way; /* the disk's, as is link */
	int64_t result; /* or -errno */
	void (*done)(struct disk_op *op);
	void *arg;
	STAILQ_ENTRY(disk_op) link;
};
STAILQ_HEAD(disk_op_list, disk_op);

struct disk;

struct disk_class {
	const char *name;
	void (*start)(struct disk *disk, struct disk_op *op);
	void (*submit)(struct disk *disk);
	void (*reap)(struct disk *disk, bool wait);
	void (*destroy)(struct disk *disk);
};

struct disk {
	const struct disk_class *class;
	unsigned count; /* operations under way */
};

/* io_uring, or else a thread. NULL: no memory. */
struct disk *disk_create_or_null(void);
struct disk *disk_uring_create_or_null(void); /* errno says why */
struct disk *disk_thread_create_or_null(void);
/* Nothing may be under way. NULL: nothing. */
void disk_destroy(struct disk *disk);

/*
 * op and what it points to stay as they are until op->done was called; that may start others, and
 * op again. At most DISK_OP_COUNT_MAX at a time.
 */
void disk_start(struct disk *disk, struct disk_op *op);
/* Sends off what was started. */
void disk_submit(struct disk *disk);
/* Calls done of what has ended. wait: sends off what was started, and sleeps until something has
 * ended, if anything is under way. */
void disk_reap(struct disk *disk, bool wait);

/* For kinds of disks: carries op out by a system call, here and now. */
int64_t disk_do(const struct disk_op *op);
/* All that was asked has been done. */
bool disk_done_whole(const struct disk_op *op);
/* The calling thread may run on any core: it would inherit the shard's one, and wait there for the
 * shard, which never sleeps. */
void disk_roam(void);
/* Takes note of the end of op, and calls its done. */
void disk_end(struct disk *disk, struct disk_op *op, int64_t result);

#endif
