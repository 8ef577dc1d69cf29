/*
 * The calls of shard.h on queues: find the queue, make the token, leave the rest to the kind.
 */
#include "shard/loop.h"
#include "shard/shard.h"
#include "shard/state.h"

#include <errno.h>

uint16_t shard_index(const struct shard *shard)
{
	return shard->index;
}

struct mem *shard_mem(struct shard *shard)
{
	return &shard->mem;
}

/* 0 and the queue, if its kind has the operation. */
#define FIND(shard, qd, queue, operation)                                                          \
	do {                                                                                       \
		(queue) = queue_find_or_null(&(shard)->queues, qd);                                \
		if (!(queue))                                                                      \
			return -EBADF;                                                             \
		if (!(queue)->ops->operation)                                                      \
			return -EOPNOTSUPP;                                                        \
	} while (0)

/* The end of a call that makes a token. */
static int conclude(struct shard *shard, struct op *op, uint64_t token, int rc, uint64_t *out)
{
	if (rc)
		token_drop(&shard->tokens, op);
	else
		*out = token;
	return rc;
}

int shard_socket(struct shard *shard, enum shard_socket_type type, int32_t *qd)
{
	struct queue *queue = queue_open_or_null(
		&shard->queues, type == SHARD_STREAM ? &queue_ops_tcp : &queue_ops_udp);

	if (!queue)
		return -EMFILE;
	if (type == SHARD_STREAM)
		tcp_options_default(shard->net, &queue->tcp.options);
	*qd = queue->qd;
	return 0;
}

int shard_bind(struct shard *shard, int32_t qd, const struct net_endpoint *local)
{
	struct queue *queue;

	FIND(shard, qd, queue, bind);
	return queue->ops->bind(shard, queue, local);
}

int shard_listen(struct shard *shard, int32_t qd, int backlog)
{
	struct queue *queue;

	FIND(shard, qd, queue, listen);
	return queue->ops->listen(shard, queue, backlog);
}

int shard_accept(struct shard *shard, int32_t qd, uint64_t *token)
{
	struct queue *queue;
	struct op *op;
	uint64_t made;

	FIND(shard, qd, queue, accept);
	op = token_open_or_null(&shard->tokens, SHARD_OP_ACCEPT, qd);
	if (!op)
		return -EAGAIN;
	made = op->result.token;
	return conclude(shard, op, made, queue->ops->accept(shard, queue, op), token);
}

int shard_connect(struct shard *shard, int32_t qd, const struct net_endpoint *remote,
		  uint64_t *token)
{
	struct queue *queue;
	struct op *op;
	uint64_t made;

	FIND(shard, qd, queue, connect);
	op = token_open_or_null(&shard->tokens, SHARD_OP_CONNECT, qd);
	if (!op)
		return -EAGAIN;
	made = op->result.token;
	return conclude(shard, op, made, queue->ops->connect(shard, queue, op, remote), token);
}

int shard_push(struct shard *shard, int32_t qd, struct rte_mbuf *handle, const void *data,
	       uint32_t len, const struct net_endpoint *dest, uint64_t *token)
{
	struct queue *queue;
	struct op *op;
	uint64_t made;

	FIND(shard, qd, queue, push);
	if (dest && !queue->ops->addressed)
		return -EOPNOTSUPP;
	if (!len || len > UINT16_MAX)
		return -EINVAL;
	if (dest && queue->ops != &queue_ops_udp)
		return -ENOTSUP;
	op = token_open_or_null(&shard->tokens, SHARD_OP_PUSH, qd);
	if (!op)
		return -EAGAIN;
	op->m = handle;
	op->data = data;
	op->len = len;
	op->dest = dest ? *dest : (struct net_endpoint){0};
	made = op->result.token;
	return conclude(shard, op, made, queue->ops->push(shard, queue, op), token);
}

int shard_pop(struct shard *shard, int32_t qd, uint64_t *token)
{
	struct queue *queue;
	struct op *op;
	uint64_t made;

	FIND(shard, qd, queue, pop);
	op = token_open_or_null(&shard->tokens, SHARD_OP_POP, qd);
	if (!op)
		return -EAGAIN;
	made = op->result.token;
	return conclude(shard, op, made, queue->ops->pop(shard, queue, op), token);
}

int shard_shutdown(struct shard *shard, int32_t qd, unsigned how)
{
	struct queue *queue;

	FIND(shard, qd, queue, shutdown);
	return queue->ops->shutdown(shard, queue, how);
}

int shard_close_async(struct shard *shard, int32_t qd, uint64_t *token)
{
	struct queue *queue;
	struct op *op;

	FIND(shard, qd, queue, close);
	op = token_open_or_null(&shard->tokens, SHARD_OP_CLOSE, qd);
	if (!op)
		return -EAGAIN;
	*token = op->result.token;
	queue->closed = true;
	queue->ops->close(shard, queue, op);
	return 0;
}

/* SO_LINGER: the caller is held until the peer has everything, or the time is over; then it is a
 * close like any other. */
static void close_and_linger(struct shard *shard, struct queue *queue, struct op *op,
			     uint64_t linger_ns)
{
	struct shard_result nobody_asked;

	queue->ops->close(shard, queue, op);
	shard_run_until_done(shard, op, linger_ns);
	if (op->state == OP_DONE) {
		token_take(&shard->tokens, op, &nobody_asked);
	} else {
		queue->closing = NULL;
		token_drop(&shard->tokens, op);
		queue->ops->close(shard, queue, NULL);
	}
}

int shard_close(struct shard *shard, int32_t qd)
{
	struct queue *queue;
	struct op *op = NULL;
	uint64_t linger_ns;

	FIND(shard, qd, queue, close);
	linger_ns = queue->ops->linger_ns ? queue->ops->linger_ns(shard, queue) : 0;
	if (linger_ns)
		op = token_open_or_null(&shard->tokens, SHARD_OP_CLOSE, qd);
	queue->closed = true;
	if (op)
		close_and_linger(shard, queue, op, linger_ns);
	else
		queue->ops->close(shard, queue, NULL);
	return 0;
}

int shard_option_set(struct shard *shard, int32_t qd, int level, int name, const void *value,
		     uint32_t len)
{
	struct queue *queue;

	FIND(shard, qd, queue, option_set);
	return queue->ops->option_set(shard, queue, level, name, value, len);
}

int shard_option_get(struct shard *shard, int32_t qd, int level, int name, void *value,
		     uint32_t *len)
{
	struct queue *queue;

	FIND(shard, qd, queue, option_get);
	return queue->ops->option_get(shard, queue, level, name, value, len);
}

int shard_local(struct shard *shard, int32_t qd, struct net_endpoint *out)
{
	struct queue *queue;

	FIND(shard, qd, queue, local);
	return queue->ops->local(shard, queue, out);
}

int shard_remote(struct shard *shard, int32_t qd, struct net_endpoint *out)
{
	struct queue *queue;

	FIND(shard, qd, queue, remote);
	return queue->ops->remote(shard, queue, out);
}

int shard_channel(struct shard *shard, int peer, int32_t *qd)
{
	struct queue *queue;
	int rc;

	if (peer < 0 || peer >= shard->runtime->shard_count || peer == shard->index)
		return -EINVAL;
	queue = queue_open_or_null(&shard->queues, &queue_ops_channel);
	if (!queue)
		return -EMFILE;
	queue->peer = (uint16_t)peer;
	rc = channel_open(shard, (uint16_t)peer, queue);
	if (rc)
		queue_put(&shard->queues, queue);
	else
		*qd = queue->qd;
	return rc;
}
