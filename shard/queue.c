#include "shard/queue.h"

#include "mem/check.h"
#include "shard/state.h"

#include <errno.h>
#include <stdlib.h>

enum { QD_SHARD_SHIFT = 24, QD_SLOT_MASK = (1 << QD_SHARD_SHIFT) - 1 };

int queues_init(struct queues *queues, uint8_t shard, uint32_t count)
{
	if (!count || count > QUEUE_SLOT_MAX)
		return -EINVAL;
	*queues = (struct queues){.count = count, .shard = shard};
	queues->slots = calloc(count, sizeof(*queues->slots));
	if (!queues->slots)
		return -ENOMEM;
	TAILQ_INIT(&queues->free);
	TAILQ_INIT(&queues->retry);
	TAILQ_INIT(&queues->bound);
	for (uint32_t i = 0; i < count; i++)
		TAILQ_INSERT_TAIL(&queues->free, &queues->slots[i], link);
	return 0;
}

void queues_fini(struct queues *queues)
{
	free(queues->slots);
	queues->slots = NULL;
}

struct queue *queue_open_or_null(struct queues *queues, const struct queue_ops *ops)
{
	struct queue *queue = TAILQ_FIRST(&queues->free);
	uint32_t slot;

	if (!queue)
		return NULL;
	TAILQ_REMOVE(&queues->free, queue, link);
	slot = (uint32_t)(queue - queues->slots) + 1; /* no qd is 0 */
	*queue = (struct queue){.ops = ops};
	queue->qd = (int32_t)((uint32_t)queues->shard << QD_SHARD_SHIFT | slot);
	TAILQ_INIT(&queue->takes);
	TAILQ_INIT(&queue->waiting);
	TAILQ_INIT(&queue->sent);
	queues->used++;
	return queue;
}

struct queue *queue_find_or_null(const struct queues *queues, int32_t qd)
{
	uint32_t slot = (uint32_t)qd & QD_SLOT_MASK;
	struct queue *queue;

	if (qd <= 0 || qd >> QD_SHARD_SHIFT != queues->shard || !slot || slot > queues->count)
		return NULL;
	queue = &queues->slots[slot - 1];
	return queue->ops && !queue->closed ? queue : NULL;
}

void queue_put(struct queues *queues, struct queue *queue)
{
	CHECK(TAILQ_EMPTY(&queue->takes) && TAILQ_EMPTY(&queue->waiting) &&
	      TAILQ_EMPTY(&queue->sent) && !queue->opening && !queue->closing);
	queue_unretry(queues, queue);
	queue->ops = NULL;
	TAILQ_INSERT_TAIL(&queues->free, queue, link);
	queues->used--;
}

void queue_retry(struct queues *queues, struct queue *queue)
{
	if (queue->retried)
		return;
	queue->retried = true;
	TAILQ_INSERT_TAIL(&queues->retry, queue, retry_link);
}

void queue_unretry(struct queues *queues, struct queue *queue)
{
	if (!queue->retried)
		return;
	queue->retried = false;
	TAILQ_REMOVE(&queues->retry, queue, retry_link);
}

void queue_fail(struct shard *shard, struct op_list *list, int error)
{
	struct op *op;

	while ((op = TAILQ_FIRST(list))) {
		push_release(op);
		token_done(&shard->tokens, op, error);
	}
}

/* --- pushes that wait --- */
bool push_hold(struct op *op)
{
	if (op->held)
		return true;
	if (pbuf_of(op->m)->send_count == UINT16_MAX)
		return false;
	op->held = true;
	pbuf_hold(op->m);
	return true;
}

void push_release(struct op *op)
{
	if (!op->held)
		return;
	op->held = false;
	pbuf_release(op->m);
}

bool push_detach(struct shard *shard, struct op *op)
{
	struct op *orphan = token_open_or_null(&shard->tokens, SHARD_OP_PUSH, op->result.qd);

	if (orphan) {
		orphan->m = op->m;
		orphan->data = op->data;
		orphan->len = op->len;
		orphan->dest = op->dest;
		orphan->held = op->held;
		orphan->list = op->list;
		TAILQ_INSERT_BEFORE(op, orphan, link);
		token_orphan(&shard->tokens, orphan);
		op->held = false;
	}
	push_release(op);
	token_done(&shard->tokens, op, -ECANCELED);
	return orphan;
}
