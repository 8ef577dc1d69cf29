#include "shard/clock.h"
#include "shard/loop.h"
#include "shard/state.h"

#include <errno.h>

enum {
	SCAN_CHUNK = 64, /* entries of the array read after a turn that found nothing */
	/* The whole array is read again after so many calls, however busy the shard is: an entry's
	 * share of that is next to nothing. */
	SCAN_CALLS_MIN = 1024,
	SCAN_CALLS_PER_ENTRY = 8,
	TURNS_PER_CHUNK = 64,	     /* in one wait, however much other work they found */
	RESULTS_PER_CLOCK_LOOK = 16, /* of wait_next_n() */
};

/* One call that waits: what it looks for, and how far it has read the program's array. */
struct wait {
	const uint64_t *tokens;
	int count, scanned;
	struct shard_result *out;
	int found; /* offset, or number of results */
	/* 0: found; -EAGAIN: not yet; -EINVAL. */
	int (*look)(struct shard *shard, struct wait *wait);
	/* Reads up to n more entries of the array: 0 or -EINVAL. NULL: there is none. */
	int (*scan)(struct shard *shard, struct wait *wait, int n);
};

static bool stopping(const struct shard *shard)
{
	return __atomic_load_n(&shard->runtime->stopping, __ATOMIC_RELAXED);
}

/* However many results are ready, the NIC is not left alone for longer than the budget. Returns
 * when the turn was, 0: none was due. */
static uint64_t turn_if_due(struct shard *shard)
{
	uint64_t now_ns = clock_now_ns_mt();

	if (now_ns - shard->turned_ns < shard->runtime->config.rx_budget_ns)
		return 0;
	shard_turn(shard, now_ns);
	return now_ns;
}

/* The array is read to its end before the shard may sleep, and before the wait gives up. */
static int scan(struct shard *shard, struct wait *wait, bool all)
{
	return wait->scan ? wait->scan(shard, wait, all ? wait->count : SCAN_CHUNK) : 0;
}

static int give_up(struct shard *shard, struct wait *wait)
{
	int rc = scan(shard, wait, true);

	if (!rc)
		rc = wait->look(shard, wait);
	return rc == -EAGAIN ? -ETIMEDOUT : rc;
}

/* The one loop behind every wait. Also one that shall not last looks at what came of a turn, of
 * one: another one's empty reading of the NIC would cost as much as a packet's. */
static int run(struct shard *shard, struct wait *wait, uint64_t timeout_ns)
{
	uint64_t now_ns = turn_if_due(shard), deadline_ns = clock_after(now_ns, timeout_ns);
	unsigned turns = 0;
	bool busy;
	int rc;

	for (;;) {
		if (stopping(shard))
			return -ECANCELED;
		rc = wait->look(shard, wait);
		if (rc != -EAGAIN)
			return rc;
		if (!now_ns)
			deadline_ns = clock_after(now_ns = clock_now_ns_mt(), timeout_ns);
		else if ((now_ns = clock_now_ns_mt()) >= deadline_ns)
			return give_up(shard, wait);
		busy = shard_turn(shard, now_ns);
		if (busy && ++turns % TURNS_PER_CHUNK)
			continue;
		rc = scan(shard, wait, shard->idle.armed);
		if (!rc)
			rc = wait->look(shard, wait);
		if (rc != -EAGAIN)
			return rc;
		if (!busy)
			idle_pass(shard, now_ns, deadline_ns);
	}
}

/* --- one token --- */
static int look_at_one(struct shard *shard, struct wait *wait)
{
	struct op *op = token_find_or_null(&shard->tokens, *wait->tokens);

	if (!op || op->orphan)
		return -EINVAL;
	if (op->state != OP_DONE)
		return -EAGAIN;
	token_take(&shard->tokens, op, wait->out);
	return 0;
}

int shard_wait(struct shard *shard, uint64_t token, uint64_t timeout_ns, struct shard_result *out)
{
	struct wait wait = {.tokens = &token, .out = out, .look = look_at_one};

	return run(shard, &wait, timeout_ns);
}

/* --- any of an array ---
 *
 * Every operation has a hint: where in the program's array its token was last seen. A ready one is
 * returned if the array still says so there. The program usually changes one entry from call to
 * call, the one that was returned: it is read again, and entries that were added at the end. For
 * all other changes the whole array is read when there is nothing better to do, and now and then.
 */
static int learn_entry(struct shard *shard, const uint64_t tokens[], int i)
{
	struct op *op = token_find_or_null(&shard->tokens, tokens[i]);

	if (!op || op->orphan)
		return -EINVAL;
	op->hint = (uint32_t)i;
	if (op->state == OP_DONE)
		token_set_ready(&shard->tokens, op);
	return 0;
}

static int learn_range(struct shard *shard, const uint64_t tokens[], int from, int to)
{
	int rc = 0;

	for (int i = from; i < to && !rc; i++)
		rc = learn_entry(shard, tokens, i);
	return rc;
}

static int learn(struct shard *shard, const struct wait *wait)
{
	struct wait_memory *memory = &shard->waited;
	int rc, count = wait->count, known = memory->count;
	uint32_t often = SCAN_CALLS_MIN + SCAN_CALLS_PER_ENTRY * (uint32_t)count;

	if (shard->tokens.array != wait->tokens || ++memory->calls >= often) {
		rc = learn_range(shard, wait->tokens, 0, count);
		memory->calls = 0;
	} else {
		rc = memory->last >= 0 && memory->last < count && memory->last < known
			     ? learn_entry(shard, wait->tokens, memory->last)
			     : 0;
		if (!rc)
			rc = learn_range(shard, wait->tokens, known, count);
	}
	shard->tokens.array = rc ? NULL : wait->tokens;
	memory->count = count;
	memory->last = -1;
	return rc;
}

static int scan_more(struct shard *shard, struct wait *wait, int n)
{
	int to = wait->count - wait->scanned > n ? wait->scanned + n : wait->count;
	int rc = learn_range(shard, wait->tokens, wait->scanned, to);

	wait->scanned = to;
	if (rc)
		shard->tokens.array = NULL;
	return rc;
}

static int look_at_any(struct shard *shard, struct wait *wait)
{
	struct op *op;

	while ((op = TAILQ_FIRST(&shard->tokens.ready))) {
		if (op->hint < (uint32_t)wait->count &&
		    wait->tokens[op->hint] == op->result.token) {
			wait->found = (int)op->hint;
			token_take(&shard->tokens, op, wait->out);
			return 0;
		}
		token_set_aside(&shard->tokens, op);
	}
	return -EAGAIN;
}

int shard_wait_any(struct shard *shard, const uint64_t tokens[], int count, uint64_t timeout_ns,
		   struct shard_result *out, int *offset)
{
	struct wait wait = {.tokens = tokens,
			    .count = count,
			    .out = out,
			    .look = look_at_any,
			    .scan = scan_more};
	int rc = count < 0 ? -EINVAL : learn(shard, &wait);

	if (rc)
		return rc;
	rc = run(shard, &wait, timeout_ns);
	if (!rc) {
		shard->waited.last = wait.found;
		*offset = wait.found;
	}
	return rc;
}

/* --- whatever comes next --- */
static int look_at_next(struct shard *shard, struct wait *wait)
{
	while (wait->found < wait->count) {
		struct op *op = TAILQ_FIRST(&shard->tokens.aside);

		if (!op)
			op = TAILQ_FIRST(&shard->tokens.ready);
		if (!op)
			return -EAGAIN;
		token_take(&shard->tokens, op, &wait->out[wait->found++]);
		if (wait->found % RESULTS_PER_CLOCK_LOOK == 0)
			turn_if_due(shard);
	}
	return 0;
}

int shard_wait_next_n(struct shard *shard, int count, uint64_t timeout_ns, struct shard_result *out,
		      int *done)
{
	struct wait wait = {.count = count, .out = out, .look = look_at_next};
	int rc;

	*done = 0;
	if (count < 0)
		return -EINVAL;
	rc = run(shard, &wait, timeout_ns);
	*done = wait.found;
	return rc;
}
