#include "shard/token.h"

#include "mem/check.h"

#include <errno.h>
#include <rte_prefetch.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_SHIFT = 8, SHARD_MASK = 0xff, SLOT_MASK = TOKEN_SLOT_MAX - 1 };

#define GENERATION (UINT64_C(1) << 32)

/* The slot's next token. No generation is 0, so that no token is. */
static uint64_t next_of(uint64_t token)
{
	token += GENERATION;
	return token < GENERATION ? token + GENERATION : token;
}

static void move(struct op *op, struct op_list *to)
{
	if (op->list)
		TAILQ_REMOVE(op->list, op, link);
	op->list = to;
	if (to)
		TAILQ_INSERT_TAIL(to, op, link);
}

/* One writer, read by telemetry. */
static void count_pending(struct tokens *tokens, int change)
{
	__atomic_store_n(&tokens->pending_count, tokens->pending_count + (uint32_t)change,
			 __ATOMIC_RELAXED);
}

int tokens_init(struct tokens *tokens, uint8_t shard, uint32_t count, struct counters *counters)
{
	if (!count || count > TOKEN_SLOT_MAX)
		return -EINVAL;
	*tokens = (struct tokens){.count = count, .shard = shard, .counters = counters};
	tokens->slots = aligned_alloc(_Alignof(struct op), count * sizeof(*tokens->slots));
	if (!tokens->slots)
		return -ENOMEM;
	memset(tokens->slots, 0, count * sizeof(*tokens->slots));
	TAILQ_INIT(&tokens->ready);
	TAILQ_INIT(&tokens->aside);
	for (uint32_t i = count; i-- > 0;) {
		struct op *op = &tokens->slots[i];

		op->result.token = next_of((uint64_t)i << SLOT_SHIFT | shard);
		op->next_free = tokens->free;
		tokens->free = op;
	}
	return 0;
}

void tokens_fini(struct tokens *tokens)
{
	free(tokens->slots);
	tokens->slots = NULL;
}

struct op *token_open_or_null(struct tokens *tokens, enum shard_opcode opcode, int32_t qd)
{
	struct op *op = tokens->free;

	if (!op)
		return NULL;
	DEBUG_CHECK(op->state == OP_FREE && !op->list);
	tokens->free = op->next_free;
	op->state = OP_PENDING;
	op->hint = 0;
	op->orphan = op->held = false;
	op->m = NULL;
	op->result = (struct shard_result){.opcode = opcode, .qd = qd, .token = op->result.token};
	count_pending(tokens, 1);
	counter_add(&tokens->counters->tokens_made, 1);
	return op;
}

static void release(struct tokens *tokens, struct op *op)
{
	move(op, NULL);
	op->state = OP_FREE;
	op->result.token = next_of(op->result.token);
	op->next_free = tokens->free;
	tokens->free = op;
}

void token_drop(struct tokens *tokens, struct op *op)
{
	CHECK(op->state == OP_PENDING);
	count_pending(tokens, -1);
	release(tokens, op);
}

void token_wait_on(struct op *op, struct op_list *list)
{
	CHECK(op->state == OP_PENDING);
	move(op, list);
}

void token_done(struct tokens *tokens, struct op *op, int error)
{
	CHECK(op->state == OP_PENDING);
	count_pending(tokens, -1);
	counter_add(&tokens->counters->tokens_done, 1);
	if (op->orphan) {
		release(tokens, op);
		return;
	}
	op->state = OP_DONE;
	if (error) {
		op->result.opcode = SHARD_OP_FAILED;
		op->result.error = -error;
	}
	if (tokens->array)
		rte_prefetch0(&tokens->array[op->hint]);
	move(op, &tokens->ready);
}

void token_take(struct tokens *tokens, struct op *op, struct shard_result *out)
{
	CHECK(op->state == OP_DONE);
	*out = op->result;
	release(tokens, op);
}

void token_set_aside(struct tokens *tokens, struct op *op)
{
	DEBUG_CHECK(op->state == OP_DONE);
	move(op, &tokens->aside);
}

void token_set_ready(struct tokens *tokens, struct op *op)
{
	DEBUG_CHECK(op->state == OP_DONE);
	if (op->list != &tokens->aside)
		return;
	move(op, NULL); /* it is older than what is ready now */
	op->list = &tokens->ready;
	TAILQ_INSERT_HEAD(&tokens->ready, op, link);
}

void token_orphan(struct tokens *tokens, struct op *op)
{
	if (op->state == OP_DONE)
		release(tokens, op);
	else
		op->orphan = true;
}

struct op *token_find_or_null(const struct tokens *tokens, uint64_t token)
{
	uint64_t slot = token >> SLOT_SHIFT & SLOT_MASK;
	struct op *op;

	if ((token & SHARD_MASK) != tokens->shard || slot >= tokens->count)
		return NULL;
	op = &tokens->slots[slot];
	return op->state != OP_FREE && op->result.token == token ? op : NULL;
}
