/*
 * Tokens: what the program holds for an operation under way. A token is {generation 32, slot 24,
 * shard 8}; the slot holds the operation, in a table made at start.
 *
 *      free --token_open()--> pending --token_done()--> done --token_take()--> free
 *                                                       | ready: oldest first
 *                                                       | aside: not where wait_any() was told to
 * look
 *
 * Every step costs the same whatever is pending. Completing an operation twice is a CHECK.
 */
#ifndef SHARD_TOKEN_H
#define SHARD_TOKEN_H

#include "mem/counters.h"
#include "shard/shard.h"

#include <sys/queue.h>

enum { TOKEN_SLOT_MAX = 1 << 24 };

enum op_state { OP_FREE, OP_PENDING, OP_DONE };

struct op;
TAILQ_HEAD(op_list, op);

struct op {
	_Alignas(64) union {
		TAILQ_ENTRY(op) link;
		struct op *next_free;
	};
	struct op_list *list; /* the one it is on: its queue's, ready or aside; or NULL */
	uint32_t hint;	      /* where in the array of wait_any() the token was last seen */
	uint8_t state;
	bool orphan;		    /* no program knows the token: freed as soon as it is done */
	bool held;		    /* a waiting push has its own reference to m */
	struct shard_result result; /* its token is there always: of a free one, the next */

	/* what a push sends */
	struct rte_mbuf *m;
	const void *data;
	uint32_t len;
	struct net_endpoint dest;
};

struct tokens {
	struct op *slots;
	uint32_t count, pending_count;
	uint8_t shard;
	struct op *free; /* the last one that was freed first: it is in the cache */
	struct op_list ready, aside;
	/* The program's, of the last wait_any(), or NULL. A done operation's entry is fetched into
	 * the cache, as it will be compared soon; it may be gone by then, and is not read here. */
	const uint64_t *array;
	struct counters *counters;
};

/* count 1 .. TOKEN_SLOT_MAX. 0, -EINVAL, -ENOMEM. */
int tokens_init(struct tokens *tokens, uint8_t shard, uint32_t count, struct counters *counters);
void tokens_fini(struct tokens *tokens);

/* A pending operation on qd, on no list; NULL: token_max operations are under way. */
struct op *token_open_or_null(struct tokens *tokens, enum shard_opcode opcode, int32_t qd);
/* The operation was refused at once, and nobody has seen its token. */
void token_drop(struct tokens *tokens, struct op *op);
/* Puts a pending operation at the end of its queue's list. */
void token_wait_on(struct op *op, struct op_list *list);
/* Pending -> done; it leaves its queue's list. error: 0, or -errno, which makes the result FAILED.
 */
void token_done(struct tokens *tokens, struct op *op, int error);
/* Done -> free; the result is the caller's. */
void token_take(struct tokens *tokens, struct op *op, struct shard_result *out);
/* A done operation was not where the program's array was thought to have it; and was found again.
 */
void token_set_aside(struct tokens *tokens, struct op *op);
void token_set_ready(struct tokens *tokens, struct op *op);
/* The operation goes on, but its token ends here. */
void token_orphan(struct tokens *tokens, struct op *op);

/* The operation, pending or done; NULL: unknown, consumed, another shard's. Any value is safe. */
struct op *token_find_or_null(const struct tokens *tokens, uint64_t token);

/* Pending operations; any thread. */
static inline uint32_t tokens_pending_mt(const struct tokens *tokens)
{
	return __atomic_load_n(&tokens->pending_count, __ATOMIC_RELAXED);
}

#endif
