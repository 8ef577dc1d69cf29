#include "tests/shard/cm.h"

#include "shard/token.h"

#include <errno.h>

enum { COUNT = 4, SHARD = 3, QD = 77 };

static struct tokens tokens;
static struct counters counters;

static int begin(void **state)
{
	(void)state;
	counters = (struct counters){0};
	return tokens_init(&tokens, SHARD, COUNT, &counters);
}

static int end(void **state)
{
	(void)state;
	tokens_fini(&tokens);
	return 0;
}

static struct op *open_pop(void)
{
	return token_open_or_null(&tokens, SHARD_OP_POP, QD);
}

static void a_token_names_its_shard_and_finds_its_operation(void **state)
{
	struct op *op = open_pop();

	(void)state;
	assert_non_null(op);
	assert_int_equal(op->result.token & 0xff, SHARD);
	assert_int_not_equal(op->result.token, 0);
	assert_ptr_equal(token_find_or_null(&tokens, op->result.token), op);
}

static void strange_values_are_unknown(void **state)
{
	struct op *op = open_pop();
	uint64_t token = op->result.token;
	const uint64_t strange[] = {0, UINT64_MAX, token ^ 1,	 /* another shard's */
				    token + (UINT64_C(1) << 32), /* a later generation */
				    token | UINT64_C(0xffffff) << 8 /* no such slot */};

	(void)state;
	for (unsigned i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		assert_null(token_find_or_null(&tokens, strange[i]));
}

static void a_taken_token_is_unknown_even_when_its_slot_is_used_again(void **state)
{
	struct op *op = open_pop();
	uint64_t token = op->result.token;
	struct shard_result result;

	(void)state;
	token_done(&tokens, op, 0);
	token_take(&tokens, op, &result);
	assert_int_equal(result.token, token);
	assert_null(token_find_or_null(&tokens, token));
	assert_ptr_equal(open_pop(), op);
	assert_null(token_find_or_null(&tokens, token));
	assert_ptr_equal(token_find_or_null(&tokens, op->result.token), op);
}

static void more_than_the_table_holds_is_refused(void **state)
{
	struct op *op = NULL;

	(void)state;
	for (int i = 0; i < COUNT; i++)
		assert_non_null(op = open_pop());
	assert_null(open_pop());
	assert_int_equal(tokens_pending_mt(&tokens), COUNT);
	token_drop(&tokens, op);
	assert_non_null(open_pop());
}

static void results_are_ready_in_the_order_of_completion(void **state)
{
	struct op *a = open_pop(), *b = open_pop();

	(void)state;
	token_done(&tokens, b, 0);
	token_done(&tokens, a, 0);
	assert_ptr_equal(TAILQ_FIRST(&tokens.ready), b);
	assert_ptr_equal(TAILQ_NEXT(b, link), a);
	assert_int_equal(tokens_pending_mt(&tokens), 0);
	assert_int_equal(counters.tokens_done, 2);
}

static void an_error_makes_the_result_failed_with_a_positive_errno(void **state)
{
	struct op *op = open_pop();
	struct shard_result result;

	(void)state;
	token_done(&tokens, op, -ECONNRESET);
	token_take(&tokens, op, &result);
	assert_int_equal(result.opcode, SHARD_OP_FAILED);
	assert_int_equal(result.error, ECONNRESET);
	assert_int_equal(result.qd, QD);
}

static void completion_takes_the_operation_off_its_queues_list(void **state)
{
	struct op_list list = TAILQ_HEAD_INITIALIZER(list);
	struct op *a = open_pop(), *b = open_pop(), *c = open_pop();

	(void)state;
	token_wait_on(a, &list);
	token_wait_on(b, &list);
	token_wait_on(c, &list);
	token_done(&tokens, b, 0);
	assert_ptr_equal(TAILQ_FIRST(&list), a);
	assert_ptr_equal(TAILQ_NEXT(a, link), c);
	assert_null(TAILQ_NEXT(c, link));
}

static void an_orphan_is_free_as_soon_as_it_is_done(void **state)
{
	struct op *op = open_pop();
	uint64_t token = op->result.token;

	(void)state;
	token_orphan(&tokens, op);
	assert_ptr_equal(token_find_or_null(&tokens, token), op);
	token_done(&tokens, op, 0);
	assert_null(token_find_or_null(&tokens, token));
	assert_true(TAILQ_EMPTY(&tokens.ready));
}

static void what_was_set_aside_becomes_ready_again(void **state)
{
	struct op *op = open_pop();

	(void)state;
	token_done(&tokens, op, 0);
	token_set_aside(&tokens, op);
	assert_true(TAILQ_EMPTY(&tokens.ready));
	token_set_ready(&tokens, op);
	assert_ptr_equal(TAILQ_FIRST(&tokens.ready), op);
	assert_true(TAILQ_EMPTY(&tokens.aside));
}

static void a_table_has_at_least_one_slot_and_at_most_two_to_the_24(void **state)
{
	struct tokens other;

	(void)state;
	assert_int_equal(tokens_init(&other, 0, 0, &counters), -EINVAL);
	assert_int_equal(tokens_init(&other, 0, TOKEN_SLOT_MAX + 1, &counters), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_names_its_shard_and_finds_its_operation),
		TEST(strange_values_are_unknown),
		TEST(a_taken_token_is_unknown_even_when_its_slot_is_used_again),
		TEST(more_than_the_table_holds_is_refused),
		TEST(results_are_ready_in_the_order_of_completion),
		TEST(an_error_makes_the_result_failed_with_a_positive_errno),
		TEST(completion_takes_the_operation_off_its_queues_list),
		TEST(an_orphan_is_free_as_soon_as_it_is_done),
		TEST(what_was_set_aside_becomes_ready_again),
		TEST(a_table_has_at_least_one_slot_and_at_most_two_to_the_24),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
