#include "shard/state.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static int bind_to(struct shard *shard, struct queue *queue, const struct net_endpoint *local)
{
	if (queue->udp)
		return -EINVAL;
	return udp_open(shard->net, local, queue, &queue->udp);
}

/* A socket that was never bound gets an address of the system's choice. */
static int bind_any(struct shard *shard, struct queue *queue)
{
	static const struct net_endpoint any;

	return queue->udp ? 0 : bind_to(shard, queue, &any);
}

/* Datagrams are copied, so a push is done as soon as the stack took it. */
static int push(struct shard *shard, struct queue *queue, struct op *op)
{
	int rc = op->dest.port ? bind_any(shard, queue) : -EDESTADDRREQ;

	if (rc)
		return rc;
	rc = TAILQ_EMPTY(&queue->waiting)
		     ? udp_push(shard->net, queue->udp, op->data, op->len, &op->dest)
		     : -EAGAIN;
	if (rc == -EAGAIN && push_hold(op)) {
		token_wait_on(op, &queue->waiting);
		queue_retry(&shard->queues, queue);
		return 0;
	}
	if (!rc)
		token_done(&shard->tokens, op, 0);
	return rc;
}

static bool pop_now(struct shard *shard, struct queue *queue, struct op *op)
{
	struct rte_mbuf *m = udp_pop_or_null(shard->net, queue->udp, &op->result.pop.from);

	if (!m)
		return false;
	mem_handle_give(&shard->mem, m);
	op->result.pop.handle = m;
	op->result.pop.data = rte_pktmbuf_mtod(m, void *);
	op->result.pop.len = m->data_len;
	token_done(&shard->tokens, op, 0);
	return true;
}

static int pop(struct shard *shard, struct queue *queue, struct op *op)
{
	int rc = bind_any(shard, queue);

	if (rc)
		return rc;
	if (!TAILQ_EMPTY(&queue->takes) || !pop_now(shard, queue, op))
		token_wait_on(op, &queue->takes);
	return 0;
}

static void push_waiting(struct shard *shard, struct queue *queue)
{
	struct op *op;

	while ((op = TAILQ_FIRST(&queue->waiting))) {
		int rc = udp_push(shard->net, queue->udp, op->data, op->len, &op->dest);

		if (rc == -EAGAIN) {
			queue_retry(&shard->queues, queue);
			return;
		}
		push_release(op);
		token_done(&shard->tokens, op, rc);
	}
}

static void finish(struct shard *shard, struct queue *queue)
{
	if (queue->udp)
		udp_close(shard->net, queue->udp);
	queue->udp = NULL;
	if (queue->closing)
		token_done(&shard->tokens, queue->closing, 0);
	queue->closing = NULL;
	queue_put(&shard->queues, queue);
}

static void ready(struct shard *shard, struct queue *queue)
{
	struct op *op;

	while ((op = TAILQ_FIRST(&queue->takes)) && pop_now(shard, queue, op))
		;
	push_waiting(shard, queue);
	if (queue->closed && TAILQ_EMPTY(&queue->waiting))
		finish(shard, queue);
}

static void close_queue(struct shard *shard, struct queue *queue, struct op *op)
{
	struct op *next;

	queue_fail(shard, &queue->takes, -ECANCELED);
	queue->closing = op;
	for (struct op *push_op = TAILQ_FIRST(&queue->waiting); push_op && !op; push_op = next) {
		next = TAILQ_NEXT(push_op, link);
		push_detach(shard, push_op);
	}
	if (TAILQ_EMPTY(&queue->waiting))
		finish(shard, queue);
}

static void abandon(struct shard *shard, struct queue *queue)
{
	queue_fail(shard, &queue->waiting, -ECANCELED);
	finish(shard, queue);
}

static int option_get(struct shard *shard, struct queue *queue, int level, int name, void *value,
		      uint32_t *len)
{
	int none = 0;

	(void)shard;
	(void)queue;
	if (level != SOL_SOCKET || name != SO_ERROR)
		return -ENOPROTOOPT;
	if (*len < sizeof(none))
		return -EINVAL;
	memcpy(value, &none, sizeof(none));
	*len = sizeof(none);
	return 0;
}

static int option_set(struct shard *shard, struct queue *queue, int level, int name,
		      const void *value, uint32_t len)
{
	(void)shard, (void)queue, (void)level, (void)name, (void)value, (void)len;
	return -ENOPROTOOPT;
}

static int local_of(struct shard *shard, struct queue *queue, struct net_endpoint *out)
{
	(void)shard;
	*out = queue->udp ? udp_local(queue->udp) : (struct net_endpoint){0};
	return 0;
}

const struct queue_ops queue_ops_udp = {
	.name = "udp",
	.addressed = true,
	.bind = bind_to,
	.push = push,
	.pop = pop,
	.close = close_queue,
	.option_set = option_set,
	.option_get = option_get,
	.local = local_of,
	.ready = ready,
	.abandon = abandon,
};
