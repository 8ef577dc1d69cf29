#include "shard/loop.h"
#include "tests/shard/cm.h"
#include "tests/shard/crew.h"
#include "tests/shard/fake_nic.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Far longer than a test takes: who waits that long hangs. */
#define LINGER_NS UINT64_C(30000000000)

static struct shard_result result;
static int32_t qd0, qd1;

static int begin(void **state)
{
	struct runtime_config config;

	(void)state;
	fake_nic_reset();
	crew_config(&config, 3);
	crew_start(&config);
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_int_equal(crew_end(), 0);
	return 0;
}

struct open_call {
	int peer;
	int32_t qd;
	uint64_t *token;
};

static int open_channel(struct shard *shard, void *arg)
{
	struct open_call *call = arg;

	return shard_channel(shard, call->peer, &call->qd);
}

static int open_to(unsigned index, int peer, int32_t *qd)
{
	struct open_call call = {.peer = peer};
	int rc = crew_call(index, open_channel, &call);

	*qd = call.qd;
	return rc;
}

static void open_both(void)
{
	assert_int_equal(open_to(0, 1, &qd0), 0);
	assert_int_equal(open_to(1, 0, &qd1), 0);
}

static uint64_t push_text(unsigned index, int32_t qd, const char *text)
{
	struct rte_mbuf *m = crew_sga(index, text);
	uint64_t token;

	assert_int_equal(crew_push(index, qd, m, &token), 0);
	assert_int_equal(crew_free(index, m), 0);
	return token;
}

static uint64_t pop(unsigned index, int32_t qd)
{
	uint64_t token;

	assert_int_equal(crew_pop(index, qd, &token), 0);
	return token;
}

static void assert_popped(unsigned index, uint64_t token, const char *text)
{
	assert_int_equal(crew_poll(index, token, &result), 0);
	assert_int_equal(result.opcode, SHARD_OP_POP);
	assert_int_equal(result.pop.len, strlen(text));
	if (*text)
		assert_memory_equal(result.pop.data, text, strlen(text));
	else
		assert_null(result.pop.handle);
}

/* Sooner or later: a shard that lingers refuses a message when it comes to it. */
static void expect_refused(unsigned index, uint64_t token)
{
	while (crew_poll(index, token, &result) == -ETIMEDOUT)
		;
	assert_int_equal(result.opcode, SHARD_OP_FAILED);
	assert_int_equal(result.error, ECONNRESET);
}

static void assert_failed(unsigned index, uint64_t token, int error)
{
	assert_int_equal(crew_poll(index, token, &result), 0);
	assert_int_equal(result.opcode, SHARD_OP_FAILED);
	assert_int_equal(result.error, error);
}

static void a_channel_leads_to_another_shard_and_is_open_once(void **state)
{
	int32_t qd;

	(void)state;
	assert_int_equal(open_to(0, 0, &qd), -EINVAL);
	assert_int_equal(open_to(0, 3, &qd), -EINVAL);
	assert_int_equal(open_to(0, -1, &qd), -EINVAL);
	assert_int_equal(open_to(0, 1, &qd), 0);
	assert_int_equal(open_to(0, 1, &qd), -EADDRINUSE);
	assert_int_equal(open_to(0, 2, &qd), 0);
}

static void a_message_arrives_without_a_copy_and_its_push_ends_when_it_is_freed(void **state)
{
	struct rte_mbuf *m, *got;
	uint64_t pushed, popped;

	(void)state;
	open_both();
	m = crew_sga(0, "hello");
	assert_int_equal(crew_push(0, qd0, m, &pushed), 0);
	popped = pop(1, qd1);
	assert_popped(1, popped, "hello");
	got = result.pop.handle;
	assert_ptr_equal(result.pop.data, rte_pktmbuf_mtod(m, void *));
	assert_ptr_equal(mem_handle_check(&crew_shard(1)->mem, got, result.pop.data, 5), got);
	assert_int_equal(crew_poll(0, pushed, &result), -ETIMEDOUT);
	assert_int_equal(crew_free(1, got), 0);
	crew_turn(1); /* sends what was freed home */
	assert_int_equal(crew_poll(0, pushed, &result), 0);
	assert_int_equal(result.opcode, SHARD_OP_PUSH);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	assert_int_equal(crew_free(0, m), 0);
}

static void messages_wait_for_a_peer_that_opens_its_end_later(void **state)
{
	(void)state;
	assert_int_equal(open_to(0, 1, &qd0), 0);
	push_text(0, qd0, "one");
	push_text(0, qd0, "two");
	crew_turn(1);
	assert_int_equal(open_to(1, 0, &qd1), 0);
	assert_popped(1, pop(1, qd1), "one");
	assert_int_equal(crew_free(1, result.pop.handle), 0);
	assert_popped(1, pop(1, qd1), "two");
	assert_int_equal(crew_free(1, result.pop.handle), 0);
}

static void a_pop_that_waits_gets_the_next_message(void **state)
{
	uint64_t a, b;

	(void)state;
	open_both();
	a = pop(1, qd1);
	b = pop(1, qd1);
	assert_int_equal(crew_poll(1, a, &result), -ETIMEDOUT);
	push_text(0, qd0, "first");
	push_text(0, qd0, "second");
	assert_popped(1, b, "second");
	assert_int_equal(crew_free(1, result.pop.handle), 0);
	assert_popped(1, a, "first");
	assert_int_equal(crew_free(1, result.pop.handle), 0);
}

static void a_full_mailbox_keeps_messages_pending_and_in_order(void **state)
{
	enum { COUNT = 20 }; /* a mailbox holds 7 */
	uint64_t pushed[COUNT];
	char text[8];

	(void)state;
	open_both();
	for (int i = 0; i < COUNT; i++) {
		snprintf(text, sizeof(text), "%02d", i);
		pushed[i] = push_text(0, qd0, text);
	}
	for (int i = 0; i < COUNT; i++) {
		snprintf(text, sizeof(text), "%02d", i);
		crew_turn(0);
		assert_popped(1, pop(1, qd1), text);
		assert_int_equal(crew_free(1, result.pop.handle), 0);
	}
	crew_turn(1);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(crew_poll(0, pushed[i], &result), 0);
}

/* More than 16 bits count. */
enum { MAILBOX_LEN = 256, TOO_MANY = 65536 + MAILBOX_LEN - 1 };

static int begin_with_many_tokens(void **state)
{
	struct runtime_config config;

	(void)state;
	fake_nic_reset();
	crew_config(&config, 2);
	config.token_max = TOO_MANY;
	config.mailbox_len = MAILBOX_LEN;
	crew_start(&config);
	return 0;
}

/* Until it is refused; how often it was not. */
static int push_one_buffer_again_and_again(struct shard *shard, void *arg)
{
	struct rte_mbuf *m = arg;
	uint64_t token;
	int rc, count = 0;

	while (!(rc = shard_push(shard, qd0, m, rte_pktmbuf_mtod(m, void *), m->data_len, NULL,
				 &token)))
		count++;
	assert_int_equal(rc, -EAGAIN);
	return count;
}

/* All that is there; how much that was. */
static int read_all(struct shard *shard, void *arg)
{
	uint64_t *token = arg;
	int count = 0;

	for (;; count++) {
		if (!*token)
			assert_int_equal(shard_pop(shard, qd1, token), 0);
		if (shard_wait(shard, *token, 0, &result))
			return count;
		*token = 0;
		assert_int_equal(result.pop.len, 1);
		assert_int_equal(mem_handle_free(shard_mem(shard), result.pop.handle), 0);
	}
}

static void pushes_of_one_buffer_wait_as_far_as_they_can_be_counted(void **state)
{
	struct rte_mbuf *m, *other;
	uint64_t token = 0;
	int count;

	(void)state;
	open_both();
	m = crew_sga(0, "x");
	count = crew_call(0, push_one_buffer_again_and_again, m);
	assert_int_equal(crew_free(0, m), 0);
	while (count > 0) {
		crew_turn(0);
		count -= crew_call(1, read_all, &token);
	}
	assert_int_equal(count, 0);
	crew_turn(1);
	crew_turn(0);
	m = crew_sga(0, "x");
	other = crew_sga(0, "y"); /* not the same buffer, given back twice */
	assert_ptr_not_equal(m, other);
	assert_int_equal(crew_free(0, m), 0);
	assert_int_equal(crew_free(0, other), 0);
}

static void close_is_the_end_of_the_stream_behind_all_messages(void **state)
{
	struct rte_mbuf *m;
	uint64_t token;

	(void)state;
	open_both();
	for (int i = 0; i < 10; i++) /* more than the mailbox holds */
		push_text(0, qd0, "x");
	assert_int_equal(crew_close(0, qd0), 0);
	for (int i = 0; i < 10; i++) {
		assert_popped(1, pop(1, qd1), "x");
		assert_int_equal(crew_free(1, result.pop.handle), 0);
		crew_turn(0);
	}
	crew_turn(1);
	assert_popped(1, pop(1, qd1), "");
	assert_popped(1, pop(1, qd1), "");
	m = crew_sga(1, "late");
	assert_int_equal(crew_push(1, qd1, m, &token), -ECONNRESET);
	assert_int_equal(crew_free(1, m), 0);
}

static void close_cancels_pending_tokens(void **state)
{
	uint64_t pushed, popped;

	(void)state;
	open_both();
	popped = pop(0, qd0);
	pushed = push_text(0, qd0, "x");
	assert_int_equal(crew_close(0, qd0), 0);
	assert_failed(0, popped, ECANCELED);
	assert_failed(0, pushed, ECANCELED);
}

static void a_message_to_an_end_that_was_closed_is_refused(void **state)
{
	uint64_t pushed;

	(void)state;
	open_both();
	pushed = push_text(0, qd0, "x");
	assert_int_equal(crew_close(1, qd1), 0);
	crew_turn(1);
	assert_failed(0, pushed, ECONNRESET);
}

static void a_channel_may_be_opened_again_once_both_ends_were_closed(void **state)
{
	int32_t qd;

	(void)state;
	open_both();
	assert_int_equal(crew_close(0, qd0), 0);
	assert_int_equal(open_to(0, 1, &qd), -EADDRINUSE);
	assert_int_equal(crew_close(1, qd1), 0);
	crew_turn(0);
	crew_turn(1);
	open_both();
	push_text(0, qd0, "again");
	assert_popped(1, pop(1, qd1), "again");
	assert_int_equal(crew_free(1, result.pop.handle), 0);
}

static int close_async(struct shard *shard, void *arg)
{
	struct open_call *call = arg;
	uint64_t token = 0;
	int rc = shard_close_async(shard, call->qd, &token);

	*call->token = token;
	return rc;
}

static void async_close_completes_when_every_message_was_let_go(void **state)
{
	uint64_t pushed, closed;
	struct open_call call = {.token = &closed};
	struct rte_mbuf *got;

	(void)state;
	open_both();
	pushed = push_text(0, qd0, "x");
	call.qd = qd0;
	assert_int_equal(crew_call(0, close_async, &call), 0);
	assert_popped(1, pop(1, qd1), "x");
	got = result.pop.handle;
	assert_int_equal(crew_poll(0, closed, &result), -ETIMEDOUT);
	assert_int_equal(crew_free(1, got), 0);
	crew_turn(1);
	assert_int_equal(crew_poll(0, pushed, &result), 0);
	assert_int_equal(crew_poll(0, closed, &result), 0);
	assert_int_equal(result.opcode, SHARD_OP_CLOSE);
}

static void async_close_waits_for_messages_for_which_there_was_no_room(void **state)
{
	enum { COUNT = 10 }; /* a mailbox holds 7 */
	uint64_t pushed[COUNT], closed;
	struct open_call call = {.token = &closed};

	(void)state;
	open_both();
	for (int i = 0; i < COUNT; i++)
		pushed[i] = push_text(0, qd0, "x");
	call.qd = qd0;
	assert_int_equal(crew_call(0, close_async, &call), 0);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(crew_poll(0, closed, &result), -ETIMEDOUT);
		assert_popped(1, pop(1, qd1), "x");
		assert_int_equal(crew_free(1, result.pop.handle), 0);
		crew_turn(1);
	}
	assert_int_equal(crew_poll(0, closed, &result), 0);
	assert_int_equal(result.opcode, SHARD_OP_CLOSE);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(crew_poll(0, pushed[i], &result), 0);
		assert_int_equal(result.opcode, SHARD_OP_PUSH);
	}
}

static int begin_with_few_tokens(void **state)
{
	struct runtime_config config;

	(void)state;
	fake_nic_reset();
	crew_config(&config, 2);
	config.token_max = 10;
	crew_start(&config);
	return 0;
}

static void close_loses_no_message_where_tokens_are_out(void **state)
{
	enum { COUNT = 10 }; /* a mailbox holds 7, and there are no more tokens */
	uint64_t pushed[COUNT];

	(void)state;
	open_both();
	for (int i = 0; i < COUNT; i++)
		pushed[i] = push_text(0, qd0, "x");
	assert_int_equal(crew_close(0, qd0), 0);
	for (int i = 0; i < COUNT; i++) {
		assert_popped(1, pop(1, qd1), "x");
		assert_int_equal(crew_free(1, result.pop.handle), 0);
		crew_turn(1);
		crew_turn(0);
	}
	assert_popped(1, pop(1, qd1), "");
	for (int i = 0; i < COUNT; i++)
		assert_failed(0, pushed[i], ECANCELED);
}

/* --- a shard's program ends --- */
/* Shard 1 has gone, one way or the other, and shard 0 knows. */
static void go(void (*how)(unsigned index))
{
	how(1);
	while (!crew_shard(0)->ends[1].peer_gone)
		crew_turn(0);
}

static void returns(unsigned index)
{
	crew_linger_ns = LINGER_NS;
	crew_return(index);
}

static void expect_what_was_sent_to_fail(void (*how)(unsigned index))
{
	struct rte_mbuf *m;
	uint64_t pushed, waiting = 0, popped, token;

	open_both();
	pushed = push_text(0, qd0, "unread");
	for (int i = 0; i < 10; i++)
		waiting = push_text(0, qd0, "x");
	popped = pop(0, qd0);
	go(how);
	expect_refused(0, pushed);
	expect_refused(0, waiting);
	assert_popped(0, popped, "");
	m = crew_sga(0, "late");
	assert_int_equal(crew_push(0, qd0, m, &token), -ECONNRESET);
	assert_int_equal(crew_free(0, m), 0);
}

static void expect_what_it_said_to_be_read(void (*how)(unsigned index))
{
	open_both();
	push_text(1, qd1, "farewell");
	go(how);
	assert_popped(0, pop(0, qd0), "farewell");
	assert_int_equal(crew_free(0, result.pop.handle), 0);
	assert_popped(0, pop(0, qd0), "");
}

static void what_was_sent_to_a_shard_fails_when_its_program_returns(void **state)
{
	(void)state;
	expect_what_was_sent_to_fail(returns);
}

static void what_was_sent_to_a_shard_fails_when_it_leaves(void **state)
{
	(void)state;
	expect_what_was_sent_to_fail(crew_leave);
}

static void what_a_shard_said_before_its_program_returned_is_still_read(void **state)
{
	(void)state;
	expect_what_it_said_to_be_read(returns);
}

static void what_a_shard_said_before_it_left_is_still_read(void **state)
{
	(void)state;
	expect_what_it_said_to_be_read(crew_leave);
}

/* More than the mailbox holds: the rest follows while the shard lingers. */
static void all_that_a_shard_said_before_its_program_returned_is_read(void **state)
{
	(void)state;
	open_both();
	for (int i = 0; i < 20; i++)
		push_text(1, qd1, "farewell");
	go(returns);
	for (int i = 0; i < 20; i++) {
		assert_popped(0, pop(0, qd0), "farewell");
		assert_int_equal(crew_free(0, result.pop.handle), 0);
	}
	assert_popped(0, pop(0, qd0), "");
}

static void a_channel_to_a_shard_whose_program_returned_is_at_its_end(void **state)
{
	struct rte_mbuf *m;
	uint64_t token;

	(void)state;
	go(returns); /* it never opened its end */
	assert_int_equal(open_to(0, 1, &qd0), 0);
	assert_popped(0, pop(0, qd0), "");
	m = crew_sga(0, "late");
	assert_int_equal(crew_push(0, qd0, m, &token), -ECONNRESET);
	assert_int_equal(crew_free(0, m), 0);
}

/* Sent before the sender knew, to an end that nobody opened. */
static void what_nobody_opened_a_channel_for_is_refused_when_the_program_returns(void **state)
{
	uint64_t pushed;

	(void)state;
	assert_int_equal(open_to(0, 1, &qd0), 0);
	pushed = push_text(0, qd0, "unread");
	go(returns);
	expect_refused(0, pushed);
}

static void bytes_that_came_by_channel_may_go_on_by_channel(void **state)
{
	int32_t to2, at2;
	uint64_t first, second;
	struct rte_mbuf *m, *got;

	(void)state;
	open_both();
	assert_int_equal(open_to(1, 2, &to2), 0);
	assert_int_equal(open_to(2, 1, &at2), 0);
	m = crew_sga(0, "parcel");
	assert_int_equal(crew_push(0, qd0, m, &first), 0);
	assert_popped(1, pop(1, qd1), "parcel");
	got = result.pop.handle;
	assert_int_equal(crew_push(1, to2, got, &second), 0);
	assert_int_equal(crew_free(1, got), 0);
	assert_popped(2, pop(2, at2), "parcel");
	got = result.pop.handle;
	assert_ptr_equal(result.pop.data, rte_pktmbuf_mtod(m, void *));
	crew_turn(1);
	assert_int_equal(crew_poll(0, first, &result), -ETIMEDOUT);
	assert_int_equal(crew_free(2, got), 0);
	crew_turn(2);
	assert_int_equal(crew_poll(1, second, &result), 0);
	crew_turn(1);
	assert_int_equal(crew_poll(0, first, &result), 0);
	assert_int_equal(crew_free(0, m), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_channel_leads_to_another_shard_and_is_open_once),
		TEST(a_message_arrives_without_a_copy_and_its_push_ends_when_it_is_freed),
		TEST(messages_wait_for_a_peer_that_opens_its_end_later),
		TEST(a_pop_that_waits_gets_the_next_message),
		TEST(a_full_mailbox_keeps_messages_pending_and_in_order),
		cmocka_unit_test_setup_teardown(
			pushes_of_one_buffer_wait_as_far_as_they_can_be_counted,
			begin_with_many_tokens, end),
		TEST(close_is_the_end_of_the_stream_behind_all_messages),
		TEST(close_cancels_pending_tokens),
		TEST(a_message_to_an_end_that_was_closed_is_refused),
		TEST(a_channel_may_be_opened_again_once_both_ends_were_closed),
		TEST(async_close_completes_when_every_message_was_let_go),
		TEST(async_close_waits_for_messages_for_which_there_was_no_room),
		cmocka_unit_test_setup_teardown(close_loses_no_message_where_tokens_are_out,
						begin_with_few_tokens, end),
		TEST(what_was_sent_to_a_shard_fails_when_its_program_returns),
		TEST(what_was_sent_to_a_shard_fails_when_it_leaves),
		TEST(what_a_shard_said_before_its_program_returned_is_still_read),
		TEST(what_a_shard_said_before_it_left_is_still_read),
		TEST(all_that_a_shard_said_before_its_program_returned_is_read),
		TEST(a_channel_to_a_shard_whose_program_returned_is_at_its_end),
		TEST(what_nobody_opened_a_channel_for_is_refused_when_the_program_returns),
		TEST(bytes_that_came_by_channel_may_go_on_by_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
