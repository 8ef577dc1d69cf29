#include "shard/loop.h"
#include "shard/state.h"

#include <errno.h>

static int push(struct shard *shard, struct queue *queue, struct op *op)
{
	bool sent;
	int rc = channel_push(shard, queue->peer, op, &sent);

	if (rc)
		return rc;
	if (sent) {
		token_wait_on(op, &queue->sent);
		shard_wake_posted(shard);
	}
	return 0;
}

static int pop(struct shard *shard, struct queue *queue, struct op *op)
{
	if (!TAILQ_EMPTY(&queue->takes) || !channel_pop(shard, queue->peer, op))
		token_wait_on(op, &queue->takes);
	return 0;
}

/* close_async: complete when the peer gave every message back. */
static void finish_if_quiet(struct shard *shard, struct queue *queue)
{
	if (!TAILQ_EMPTY(&queue->sent) || channel_leaving(shard, queue->peer, queue)) {
		queue_retry(&shard->queues, queue);
		return;
	}
	token_done(&shard->tokens, queue->closing, 0);
	queue->closing = NULL;
	queue_put(&shard->queues, queue);
}

static void ready(struct shard *shard, struct queue *queue)
{
	struct op *op;

	while ((op = TAILQ_FIRST(&queue->takes)) && channel_pop(shard, queue->peer, op))
		;
	if (queue->closing)
		finish_if_quiet(shard, queue);
}

static void close_queue(struct shard *shard, struct queue *queue, struct op *op)
{
	queue_fail(shard, &queue->takes, -ECANCELED);
	queue->closing = op;
	channel_close(shard, queue->peer, op ? queue : NULL);
	if (!op) {
		queue_fail(shard, &queue->sent, -ECANCELED);
		queue_put(&shard->queues, queue);
	} else {
		finish_if_quiet(shard, queue);
	}
}

static void abandon(struct shard *shard, struct queue *queue)
{
	channel_forget(shard, queue->peer, queue);
	queue_fail(shard, &queue->sent, -ECANCELED);
	finish_if_quiet(shard, queue);
}

const struct queue_ops queue_ops_channel = {
	.name = "channel",
	.push = push,
	.pop = pop,
	.close = close_queue,
	.ready = ready,
	.abandon = abandon,
};
