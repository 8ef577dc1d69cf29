/*
 * All shards send numbered messages to all others at once, through mailboxes that are far too
 * small, and free what they get late and out of order.
 */
#include "tests/shard/cm.h"
#include "tests/shard/crew.h"
#include "tests/shard/fake_nic.h"

#include <errno.h>
#include <string.h>

enum { SHARDS = 3, MESSAGES = 2000, UNDER_WAY_MAX = 24, KEPT_MAX = 10 };

/* Why a shard's part failed; cmocka's assertions are for the test's own thread. */
enum fault { NO_FAULT, FAULT_CALL, FAULT_WAIT, FAULT_FAILED, FAULT_ORDER, FAULT_LEN };

struct message {
	uint32_t from, to, number;
};

struct part {
	struct shard *shard;
	struct random dice;
	int32_t qds[SHARDS];
	uint32_t sent[SHARDS], received[SHARDS];
	unsigned pushes, sent_count, received_count;
	struct rte_mbuf *kept[KEPT_MAX];
	unsigned kept_count;
};

static enum fault send_one(struct part *part)
{
	uint16_t self = shard_index(part->shard);
	uint32_t to = (uint32_t)(self + 1 + random_next(&part->dice) % (SHARDS - 1)) % SHARDS;
	struct message message = {self, to, part->sent[to]};
	struct rte_mbuf *m;
	uint64_t token;

	if (part->sent[to] == MESSAGES)
		return NO_FAULT;
	m = mem_handle_alloc_or_null(shard_mem(part->shard), sizeof(message));
	if (!m)
		return NO_FAULT; /* later */
	memcpy(rte_pktmbuf_mtod(m, void *), &message, sizeof(message));
	if (shard_push(part->shard, part->qds[to], m, rte_pktmbuf_mtod(m, void *), sizeof(message),
		       NULL, &token))
		return FAULT_CALL;
	mem_handle_free(shard_mem(part->shard), m);
	part->sent[to]++;
	part->sent_count++;
	part->pushes++;
	return NO_FAULT;
}

/* Keeps a few buffers, and frees a random one of them for the new one. */
static void keep(struct part *part, struct rte_mbuf *m)
{
	unsigned victim = (unsigned)(random_next(&part->dice) % KEPT_MAX);

	if (part->kept_count < KEPT_MAX) {
		part->kept[part->kept_count++] = m;
		return;
	}
	mem_handle_free(shard_mem(part->shard), part->kept[victim]);
	part->kept[victim] = m;
}

static enum fault receive_one(struct part *part, const struct shard_result *result)
{
	struct message message;
	uint64_t token;

	if (result->pop.len != sizeof(message))
		return FAULT_LEN;
	memcpy(&message, result->pop.data, sizeof(message));
	if (message.to != shard_index(part->shard) || message.from >= SHARDS ||
	    message.number != part->received[message.from])
		return FAULT_ORDER;
	part->received[message.from]++;
	part->received_count++;
	keep(part, result->pop.handle);
	return shard_pop(part->shard, result->qd, &token) ? FAULT_CALL : NO_FAULT;
}

static enum fault take_result(struct part *part)
{
	struct shard_result result;
	int done, rc = shard_wait_next_n(part->shard, 1, 0, &result, &done);

	if (rc == -ETIMEDOUT)
		return NO_FAULT;
	if (rc)
		return FAULT_WAIT;
	if (result.opcode == SHARD_OP_FAILED)
		return FAULT_FAILED;
	if (result.opcode == SHARD_OP_POP)
		return receive_one(part, &result);
	part->pushes--;
	return NO_FAULT;
}

static enum fault open_channels(struct part *part)
{
	for (int peer = 0; peer < SHARDS; peer++) {
		uint64_t token;

		if (peer == shard_index(part->shard))
			continue;
		if (shard_channel(part->shard, peer, &part->qds[peer]) ||
		    shard_pop(part->shard, part->qds[peer], &token) ||
		    shard_pop(part->shard, part->qds[peer], &token))
			return FAULT_CALL;
	}
	return NO_FAULT;
}

/* What was freed goes home in the shard's next turn, so nobody stops turning before all are done.
 */
static enum fault turn_until_all_are_done(struct part *part, unsigned *done_count)
{
	enum fault fault = NO_FAULT;

	__atomic_fetch_add(done_count, 1, __ATOMIC_SEQ_CST);
	while (!fault && __atomic_load_n(done_count, __ATOMIC_SEQ_CST) < SHARDS)
		fault = take_result(part);
	return fault;
}

struct storm {
	uint64_t seed;
	unsigned done_count;
};

static int play(struct shard *shard, void *arg)
{
	const unsigned all = MESSAGES * (SHARDS - 1);
	struct storm *storm = arg;
	struct part part = {.shard = shard};
	enum fault fault;

	random_init(&part.dice, storm->seed, shard_index(shard));
	fault = open_channels(&part);
	while (!fault && (part.sent_count < all || part.received_count < all || part.pushes)) {
		if (part.pushes < UNDER_WAY_MAX && random_next(&part.dice) % 4)
			fault = send_one(&part);
		if (!fault)
			fault = take_result(&part);
		if (part.received_count == all) /* others wait for these */
			while (part.kept_count)
				mem_handle_free(shard_mem(shard), part.kept[--part.kept_count]);
	}
	return (int)(fault ? fault : turn_until_all_are_done(&part, &storm->done_count));
}

static void run_storm(uint64_t seed, enum shard_idle idle)
{
	struct storm storm = {.seed = seed};
	struct runtime_config config;

	fake_nic_reset();
	crew_config(&config, SHARDS);
	config.idle = idle;
	config.sleep_ns_max = 10000000;
	crew_start(&config);
	crew_linger_ns = UINT64_C(30000000000);
	for (unsigned i = 0; i < SHARDS; i++)
		crew_begin(i, play, &storm);
	for (unsigned i = 0; i < SHARDS; i++)
		assert_int_equal(crew_finish(i), NO_FAULT);
	assert_int_equal(crew_end(), 0);
}

static void every_message_arrives_once_and_in_order_and_all_buffers_come_home(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++)
		run_storm(seed, SHARD_IDLE_YIELD);
}

static void the_same_holds_when_shards_fall_asleep(void **state)
{
	(void)state;
	run_storm(4, SHARD_IDLE_ADAPTIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_arrives_once_and_in_order_and_all_buffers_come_home),
		cmocka_unit_test(the_same_holds_when_shards_fall_asleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
