/*
 * How a shard ends. Its program has returned, but packets for other shards still come to its device
 * queue, others transmit through it, and its own connections end in order: so it lingers, and
 * serves as before, until the programs of all shards have returned and none owes anybody anything.
 *
 *      running --> program returned --> has said all --> settled --> all settled --> left
 *                  closes its queues    peers' channels  owes        and nothing
 *                                       to it end        nothing     more to do
 *
 * Of what runs on the other shards only their programs can take long. What comes after the last of
 * them has returned is bounded by linger_ns.
 */
#include "mem/check.h"
#include "shard/clock.h"
#include "shard/loop.h"
#include "shard/runtime.h"
#include "shard/state.h"
#include "shard/thread.h"

static void close_queues(struct shard *shard)
{
	for (uint32_t i = 0; i < shard->queues.count; i++) {
		struct queue *queue = &shard->queues.slots[i];

		if (queue->ops && !queue->closed) {
			queue->closed = true;
			queue->ops->close(shard, queue, NULL);
		}
	}
}

static void abandon_queues(struct shard *shard)
{
	for (uint32_t i = 0; i < shard->queues.count; i++) {
		struct queue *queue = &shard->queues.slots[i];

		if (queue->ops)
			queue->ops->abandon(shard, queue);
	}
}

/* Results that nobody asked for; a popped buffer among them is still the program's. */
static void drop_results(struct shard *shard, struct op_list *list)
{
	struct shard_result result;
	struct op *op;

	while ((op = TAILQ_FIRST(list))) {
		token_take(&shard->tokens, op, &result);
		if (result.opcode == SHARD_OP_POP && result.pop.handle)
			mem_handle_free(&shard->mem, result.pop.handle);
	}
}

static void wake_others(const struct shard *shard)
{
	for (uint16_t i = 0; i < shard->runtime->shard_count; i++)
		if (i != shard->index)
			idle_wake_mt(&shard->runtime->shards[i].idle);
}

/* Peers see it with or after what was posted before; see take_mailboxes(). */
static void part(struct shard *shard, enum shard_stage stage)
{
	unsigned steps = stage - shard->stage;

	/* release; pairs with the acquire in take_mailboxes() */
	__atomic_store_n(&shard->stage, stage, __ATOMIC_RELEASE);
	__atomic_fetch_add(&shard->runtime->parted_count, steps, __ATOMIC_RELEASE);
	wake_others(shard);
}

static bool owes_nothing(const struct shard *shard)
{
	for (unsigned i = 0; i < shard->line_count; i++)
		if (shard->lines[i].count)
			return false;
	return !shard->queues.used && !shard->channels_busy && net_idle(shard->net);
}

static bool all_returned(struct runtime *runtime)
{
	/* acquire; pairs with the release in runtime_leave() */
	return __atomic_load_n(&runtime->returned_count, __ATOMIC_ACQUIRE) >=
	       __atomic_load_n(&runtime->entered_count, __ATOMIC_RELAXED);
}

/* Of a start that failed half-way, those who came. */
static bool all_settled(struct runtime *runtime)
{
	/* acquire; pairs with the release in settle() */
	return __atomic_load_n(&runtime->settled_count, __ATOMIC_ACQUIRE) >=
	       __atomic_load_n(&runtime->entered_count, __ATOMIC_RELAXED);
}

static void settle(struct shard *shard)
{
	__atomic_fetch_add(&shard->runtime->settled_count, 1, __ATOMIC_RELEASE);
	wake_others(shard);
}

/* A turn, and what it finished that nobody waits for; whether there was anything to do. */
static bool turn(struct shard *shard, uint64_t now_ns)
{
	bool work = shard_turn(shard, now_ns);

	drop_results(shard, &shard->tokens.ready);
	if (shard->stage == SHARD_RUNNING && !shard->channels_busy)
		part(shard, SHARD_RETURNED); /* all that its program said has been posted */
	return work;
}

static void linger(struct shard *shard, uint64_t linger_ns)
{
	struct runtime *runtime = shard->runtime;
	uint64_t now_ns = clock_now_ns_mt();
	uint64_t deadline_ns = linger_ns ? UINT64_MAX : now_ns;
	bool settled = false;

	do {
		bool together = settled && all_settled(runtime);
		bool work = turn(shard, now_ns);

		if (together && !work && owes_nothing(shard))
			return; /* what the others posted before they settled has been taken */
		if (!settled && owes_nothing(shard)) {
			settled = true;
			settle(shard);
		}
		now_ns = clock_now_ns_mt();
		if (deadline_ns == UINT64_MAX && all_returned(runtime))
			deadline_ns = clock_after(now_ns, linger_ns);
		if (!work)
			idle_pass(shard, now_ns, deadline_ns);
	} while (now_ns < deadline_ns);
	if (!settled)
		settle(shard);
}

static void resign(struct shard *shard)
{
	idle_busy(shard, clock_now_ns_mt()); /* interrupts off, awake */
	channels_leave(shard);
	shard_wake_posted(shard);
	__atomic_store_n(&shard->lcore_id, SHARD_NO_LCORE, __ATOMIC_RELAXED);
	part(shard, SHARD_LEFT);
}

void runtime_close_queues(struct shard *shard)
{
	close_queues(shard);
	drop_results(shard, &shard->tokens.ready);
	drop_results(shard, &shard->tokens.aside);
}

void runtime_leave(struct shard *shard, uint64_t linger_ns)
{
	runtime_close_queues(shard);
	channels_end(shard);
	__atomic_fetch_add(&shard->runtime->returned_count, 1, __ATOMIC_RELEASE);
	wake_others(shard); /* those that linger: from now on their time may be limited */
	linger(shard, linger_ns);
	abandon_queues(shard);
	drop_results(shard, &shard->tokens.ready);
	resign(shard);
	thread_end(shard);
}
