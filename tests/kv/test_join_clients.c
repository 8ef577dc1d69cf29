/* What several shards say of their clients becomes one answer; and arguments that outlive a call.
 */
#include "kv/join.h"
#include "kv/reply.h"
#include "kv/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SHARD_COUNT = 2, ARG_MAX = 6 };

/* Both answers as they are on the wire, joined as those of the command. */
static void assert_joined(int resp, const char *name, int argc, const char *const *words,
			  const char *one, const char *two, const char *expected)
{
	const char *const texts[SHARD_COUNT] = {one, two};
	struct arg argv[ARG_MAX] = {{.bytes = NULL}};
	struct out answers[SHARD_COUNT], out;
	struct call call = {.command = command_by_name_or_null(slice_of(name)),
			    .argc = argc,
			    .argv = argv,
			    .out = &out};
	char text[1024];
	size_t len;

	assert_non_null(call.command);
	for (int i = 0; i < argc; i++)
		argv[i].text = slice_of(words[i]);
	out_init(&out, resp);
	for (int i = 0; i < SHARD_COUNT; i++) {
		out_init(&answers[i], resp);
		out_add(&answers[i], slice_of(texts[i]));
	}
	join_answers(&call, answers, SHARD_COUNT);
	len = out_take(&out, text, sizeof(text) - 1);
	text[len] = 0;
	assert_string_equal(text, expected);
	for (int i = 0; i < SHARD_COUNT; i++)
		out_fini(&answers[i]);
	out_fini(&out);
}

static void subscribers_of_all_shards_are_counted(void **state)
{
	const char *const words[] = {"PUBSUB", "NUMSUB", "a", "b"};

	(void)state;
	assert_joined(2, "publish", 3, words, ":2\r\n", ":3\r\n", ":5\r\n");
	assert_joined(2, "pubsub|numsub", 4, words, "*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:0\r\n",
		      "*4\r\n$1\r\na\r\n:2\r\n$1\r\nb\r\n:5\r\n",
		      "*4\r\n$1\r\na\r\n:3\r\n$1\r\nb\r\n:5\r\n");
}

static void a_channel_that_two_shards_know_is_one(void **state)
{
	const char *const words[] = {"PUBSUB", "CHANNELS"};

	(void)state;
	assert_joined(2, "pubsub|channels", 2, words, "*2\r\n$1\r\nb\r\n$2\r\naa\r\n",
		      "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "*3\r\n$1\r\na\r\n$2\r\naa\r\n$1\r\nb\r\n");
	assert_joined(2, "pubsub|numpat", 2, words, "*1\r\n$1\r\nb\r\n",
		      "*2\r\n$1\r\na\r\n$1\r\nb\r\n", ":2\r\n");
	assert_joined(2, "pubsub|channels", 2, words, "*0\r\n", "*0\r\n", "*0\r\n");
}

static void client_lists_are_put_one_behind_the_other(void **state)
{
	const char *const words[] = {"CLIENT", "LIST"};

	(void)state;
	assert_joined(2, "client|list", 2, words, "$5\r\nid=1\n\r\n", "$5\r\nid=2\n\r\n",
		      "$10\r\nid=1\nid=2\n\r\n");
	assert_joined(3, "client|list", 2, words, "=9\r\ntxt:id=1\n\r\n", "=4\r\ntxt:\r\n",
		      "=9\r\ntxt:id=1\n\r\n");
	assert_joined(2, "client|list", 2, words, "-ERR syntax error\r\n", "-ERR syntax error\r\n",
		      "-ERR syntax error\r\n");
}

static void a_client_is_killed_if_any_shard_had_it(void **state)
{
	const char *const words[] = {"CLIENT", "KILL", "1.2.3.4:5", "6"};

	(void)state;
	assert_joined(2, "client|kill", 3, words, ":0\r\n", ":1\r\n", "+OK\r\n");
	assert_joined(2, "client|kill", 3, words, ":0\r\n", ":0\r\n", "-ERR No such client\r\n");
	assert_joined(2, "client|kill", 4, words, ":2\r\n", ":1\r\n", ":3\r\n");
}

/* --- what MULTI queues --- */

static void queued_arguments_are_there_when_their_input_is_gone(void **state)
{
	struct bytes *bytes = bytes_create_or_null(5, 5);
	struct transaction transaction;
	char text[] = "setkey";
	const struct arg argv[] = {{.text = {text, 3}},
				   {.text = {text + 3, 3}},
				   {.text = {bytes->data, 5}, .bytes = bytes},
				   {.text = {NULL, 0}}};

	(void)state;
	memcpy(bytes->data, "value", 5);
	transaction_open(&transaction, 3);
	for (int i = 0; i < 20; i++)
		assert_true(transaction_add(&transaction, NULL, 1 + i % 4, argv));
	memset(text, 'x', sizeof(text));
	bytes_put(bytes);
	assert_int_equal(transaction.count, 20);
	for (int i = 0; i < 20; i++) {
		const struct router_step *step = &transaction.steps[i];

		assert_int_equal(step->argc, 1 + i % 4);
		assert_int_equal(step->db, 3);
		assert_memory_equal(step->argv[0].text.data, "set", 3);
		if (step->argc > 1)
			assert_memory_equal(step->argv[1].text.data, "key", 3);
		if (step->argc > 2)
			assert_memory_equal(step->argv[2].text.data, "value", 5);
	}
	assert_true(transaction.len > 20 * 3);
	transaction_clear(&transaction);
	assert_false(transaction.open);
	transaction_clear(&transaction);
}

/* A shard had no memory for all of its answer: what it announces is not there. */
static void an_answer_that_is_not_whole_ends_the_connection(void **state)
{
	static const char *const names[] = {"client|list", "pubsub|channels", "pubsub|numsub",
					    "client|kill"};
	struct arg argv[2] = {{.text = SLICE("x")}, {.text = SLICE("y")}};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct out answers[SHARD_COUNT], out;
		struct call call = {.command = command_by_name_or_null(slice_of(names[i])),
				    .argc = 2,
				    .argv = argv,
				    .out = &out};

		out_init(&out, 2);
		for (int k = 0; k < SHARD_COUNT; k++) {
			out_init(&answers[k], 2);
			out_add(&answers[k], slice_of(k ? "*1\r\n$100000\r\n" : "$100000\r\n"));
			answers[k].failed = true;
		}
		join_answers(&call, answers, SHARD_COUNT);
		assert_true(out.failed);
		assert_int_equal(out.len, 0);
		for (int k = 0; k < SHARD_COUNT; k++)
			out_fini(&answers[k]);
		out_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subscribers_of_all_shards_are_counted),
		cmocka_unit_test(a_channel_that_two_shards_know_is_one),
		cmocka_unit_test(client_lists_are_put_one_behind_the_other),
		cmocka_unit_test(a_client_is_killed_if_any_shard_had_it),
		cmocka_unit_test(an_answer_that_is_not_whole_ends_the_connection),
		cmocka_unit_test(queued_arguments_are_there_when_their_input_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
