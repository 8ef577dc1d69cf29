/* A disk by system calls of a thread of its own: one after the other, in the order of their start.
 */
#include "kv/disk.h"

#include "kv/heap.h"

#include <errno.h>
#include <pthread.h>

struct disk_thread {
	struct disk disk;
	pthread_t thread;
	struct disk_op_list started; /* the owner's, until submit */
	/* Under the lock: */
	pthread_mutex_t lock;
	pthread_cond_t more, ended;
	struct disk_op_list todo, done;
	bool stop;
};

static struct disk_thread *thread_of(struct disk *disk)
{
	return (struct disk_thread *)disk;
}

static void *work(void *arg)
{
	struct disk_thread *thread = arg;
	bool cancel = false; /* the one before led here, and has failed */

	disk_roam();
	pthread_mutex_lock(&thread->lock);
	for (;;) {
		struct disk_op *op = STAILQ_FIRST(&thread->todo);

		if (!op && thread->stop)
			break;
		if (!op) {
			pthread_cond_wait(&thread->more, &thread->lock);
			continue;
		}
		STAILQ_REMOVE_HEAD(&thread->todo, link);
		pthread_mutex_unlock(&thread->lock);
		op->result = cancel ? -ECANCELED : disk_do(op);
		cancel = op->leads && !disk_done_whole(op);
		pthread_mutex_lock(&thread->lock);
		STAILQ_INSERT_TAIL(&thread->done, op, link);
		pthread_cond_signal(&thread->ended);
	}
	pthread_mutex_unlock(&thread->lock);
	return NULL;
}

static void start(struct disk *disk, struct disk_op *op)
{
	STAILQ_INSERT_TAIL(&thread_of(disk)->started, op, link);
}

static void submit(struct disk *disk)
{
	struct disk_thread *thread = thread_of(disk);

	if (STAILQ_EMPTY(&thread->started))
		return;
	pthread_mutex_lock(&thread->lock);
	STAILQ_CONCAT(&thread->todo, &thread->started);
	pthread_cond_signal(&thread->more);
	pthread_mutex_unlock(&thread->lock);
}

static void reap(struct disk *disk, bool wait)
{
	struct disk_thread *thread = thread_of(disk);
	struct disk_op_list done = STAILQ_HEAD_INITIALIZER(done);
	struct disk_op *op;

	pthread_mutex_lock(&thread->lock);
	while (wait && STAILQ_EMPTY(&thread->done))
		pthread_cond_wait(&thread->ended, &thread->lock);
	STAILQ_CONCAT(&done, &thread->done);
	pthread_mutex_unlock(&thread->lock);
	while ((op = STAILQ_FIRST(&done))) {
		STAILQ_REMOVE_HEAD(&done, link);
		disk_end(disk, op, op->result);
	}
}

static void destroy(struct disk *disk)
{
	struct disk_thread *thread = thread_of(disk);

	pthread_mutex_lock(&thread->lock);
	thread->stop = true;
	pthread_cond_signal(&thread->more);
	pthread_mutex_unlock(&thread->lock);
	pthread_join(thread->thread, NULL);
	pthread_cond_destroy(&thread->ended);
	pthread_cond_destroy(&thread->more);
	pthread_mutex_destroy(&thread->lock);
	heap_free(thread);
}

static const struct disk_class thread_class = {
	.name = "thread",
	.start = start,
	.submit = submit,
	.reap = reap,
	.destroy = destroy,
};

struct disk *disk_thread_create_or_null(void)
{
	struct disk_thread *thread = heap_alloc_or_null(sizeof(*thread));

	if (!thread)
		return NULL;
	*thread = (struct disk_thread){.disk.class = &thread_class};
	STAILQ_INIT(&thread->started);
	STAILQ_INIT(&thread->todo);
	STAILQ_INIT(&thread->done);
	pthread_mutex_init(&thread->lock, NULL);
	pthread_cond_init(&thread->more, NULL);
	pthread_cond_init(&thread->ended, NULL);
	if (pthread_create(&thread->thread, NULL, work, thread) == 0)
		return &thread->disk;
	pthread_cond_destroy(&thread->ended);
	pthread_cond_destroy(&thread->more);
	pthread_mutex_destroy(&thread->lock);
	heap_free(thread);
	return NULL;
}
