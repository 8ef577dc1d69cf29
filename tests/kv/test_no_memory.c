/*
 * Requests and commands without memory: whichever allocation fails, there is one answer or the
 * connection is to end, nothing leaks, and the next command runs. The heap is the test's own.
 */
#include "kv/heap.h"
#include "kv/reply.h"
#include "kv/resp_in.h"
#include "kv/split.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "talk.h"

static struct {
	size_t used;
	int left; /* allocations that succeed; negative: all do */
	bool failed;
} heap = {.left = -1};

void *heap_alloc_or_null(size_t size)
{
	return heap_grow_or_null(NULL, size);
}

void *heap_grow_or_null(void *block, size_t size)
{
	const size_t old = heap_size(block);
	void *grown;

	if (heap.left == 0) {
		heap.failed = true;
		return NULL;
	}
	heap.left -= heap.left > 0;
	grown = realloc(block, size ? size : 1);
	if (grown)
		heap.used += heap_size(grown) - old;
	return grown;
}

void heap_free(void *block)
{
	heap.used -= heap_size(block);
	free(block);
}

size_t heap_size(const void *block)
{
	return block ? malloc_usable_size((void *)(uintptr_t)block) : 0;
}

const char *heap_name(void)
{
	return "test";
}

/* The next so many allocations succeed; negative: all do. */
static void heap_allow(int left)
{
	heap.left = left;
	heap.failed = false;
}

/* --- requests --- */

static const struct resp_limits LIMITS = {.bulk_len_max = 1 << 20, .query_len_max = 1 << 20};

/* In pieces; the lengths of all arguments, and a million for each command. */
static enum resp_status parse(struct slice text, size_t piece, size_t *sum)
{
	enum resp_status status = RESP_MORE;
	struct resp_in in;

	*sum = 0;
	if (resp_in_init(&in, &LIMITS) != 0)
		return RESP_ERROR;
	for (size_t at = 0; at < text.len && status == RESP_MORE; at += piece) {
		const size_t part = piece < text.len - at ? piece : text.len - at;

		resp_in_feed(&in, (struct slice){text.data + at, part});
		while ((status = resp_in_next(&in)) == RESP_COMMAND) {
			*sum += 1000000;
			for (int i = 0; i < in.argc; i++)
				*sum += in.argv[i].text.len;
		}
	}
	if (status == RESP_ERROR)
		assert_string_equal(in.error, "out of memory");
	resp_in_fini(&in);
	return status;
}

static size_t write_requests(char *to)
{
	size_t len = (size_t)sprintf(to, "*30\r\n");

	for (int i = 0; i < 30; i++)
		len += (size_t)sprintf(to + len, "$20\r\nargument-%011d\r\n", i);
	len += (size_t)sprintf(to + len, "SET 'a b' c d e f g h i j k\r\n*2\r\n$5000\r\n");
	memset(to + len, 'v', 5000);
	len += 5000;
	return len + (size_t)sprintf(to + len, "\r\n$1\r\nx\r\n");
}

static void a_request_without_memory_ends_the_connection(void **state)
{
	static const size_t pieces[] = {1, 100, 10000};
	static char text[10000];
	const struct slice requests = {text, write_requests(text)};
	const size_t whole = 3000000 + 600 + 15 + 5001;
	enum resp_status status;
	size_t sum;

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		heap_allow(-1);
		assert_int_equal(parse(requests, pieces[i], &sum), RESP_MORE);
		assert_int_equal(sum, whole);
		for (int left = 0; left == 0 || heap.failed; left++) {
			heap_allow(left);
			status = parse(requests, pieces[i], &sum);
			/* Giving memory back may fail, which does no harm. */
			assert_true(status == RESP_ERROR ? heap.failed : sum == whole);
			assert_int_equal(heap.used, 0);
		}
	}
}

/* --- commands --- */

/* Behind one whole reply; NULL: it is none. */
static const char *behind_reply(const char *at)
{
	char *end;
	const long count = strtol(at + 1, &end, 10);
	const char *line = strstr(at, "\r\n");

	if (!line)
		return NULL;
	line += 2;
	switch (*at) {
	case '+':
	case '-':
	case ':':
		return line;
	case '$':
		return count < 0 ? line : line + count + 2;
	case '*':
		for (long i = 0; i < count && line; i++)
			line = behind_reply(line);
		return line;
	default:
		return NULL;
	}
}

static void run(struct talk *talk, const char *line, struct out *out)
{
	struct arg argv[16] = {0};
	struct call call = {.engine = &talk->engine, .argv = argv, .out = out};
	static char words[20000];
	char *to = words;

	for (const char *at = line, *end = line + strlen(line);
	     split_next(&at, end, &to, &argv[call.argc].text) == SPLIT_WORD;)
		call.argc++;
	engine_run(&call);
}

static const struct engine_log *talk_log_functions;

/* The test's log itself has memory. */
static void append_log(struct aof *aof, int db, struct out *log)
{
	const int left = heap.left;

	heap.left = -1;
	talk_log_functions->append_log(aof, db, log);
	heap.left = left;
}

/* What there is before: k is short, l is long, n a number. */
static void prepare(struct talk *talk)
{
	static struct engine_log functions;
	static char value[5000];
	const struct arg set[] = {
		{.text = SLICE("SET")}, {.text = SLICE("l")}, {.text = {value, sizeof(value)}}};

	memset(value, 'l', sizeof(value));
	heap_allow(-1);
	talk_open(talk);
	talk_log_functions = talk->engine.log;
	functions = *talk_log_functions;
	functions.append_log = append_log;
	talk->engine.log = &functions;
	talk_say(talk, "MSET k value n 5");
	talk_args(talk, 3, set);
	talk_log(talk);
}

static void assert_one_reply(struct out *out, const char *line)
{
	static char text[20000];
	size_t len;

	if (out->failed)
		return;
	len = out_take(out, text, sizeof(text) - 1);
	text[len] = 0;
	if (behind_reply(text) != text + len)
		fail_msg("%s: %.100s", line, text);
}

static void a_command_without_memory_answers_once_or_not_at_all(void **state)
{
	static const char *const lines[] = {
		"SET new v",	    "SET k longer-than-it-was EX 10",
		"SET k v GET",	    "SET l v GET PX 5",
		"SETEX new 10 v",   "GETSET l v",
		"GETDEL l",	    "GETEX l EX 10",
		"MSET a 1 b 2 c 3", "MSETNX a 1 b 2",
		"MGET k l n none",  "APPEND k \"\"",
		"APPEND n 5",	    "APPEND new v",
		"SETRANGE new 9 v", "SETRANGE l 9000 v",
		"GETRANGE l 0 -1",  "INCR n",
		"INCR new",	    "INCRBYFLOAT n 0.5",
		"SETBIT new 900 1", "SETBIT n 1 1",
		"BITOP OR new k l", "BITOP NOT k l",
		"LCS k l",	    "LCS k k IDX",
	};
	const size_t before = heap.used;
	static struct talk talk;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		for (int left = 0; left == 0 || heap.failed; left++) {
			struct out out;
			bool failed;

			prepare(&talk);
			out_init(&out, 2);
			heap_allow(left);
			run(&talk, lines[i], &out);
			failed = heap.failed;
			heap_allow(-1);
			assert_one_reply(&out, lines[i]);
			out_fini(&out);
			assert_says(&talk, "SET after v", "+OK\r\n");
			assert_says(&talk, "GET after", "$1\r\nv\r\n");
			talk_close(&talk);
			assert_int_equal(heap.used, before);
			heap.failed = failed;
		}
}

/* Better the call as it was made than half of what it came to. */
static void what_is_logged_is_whole(void **state)
{
	static struct talk talk;
	char line[1100] = "SETEX k 10 ", expected[2][1200];
	struct out out;
	int logged[2] = {0, 0};

	(void)state;
	memset(line + 11, 'v', 1000);
	snprintf(expected[0], sizeof(expected[0]), "%s|", line);
	snprintf(expected[1], sizeof(expected[1]), "SET k %s PXAT 1010000|", line + 11);
	for (int left = 0; left == 0 || heap.failed; left++) {
		bool failed;

		prepare(&talk);
		out_init(&out, 2);
		heap_allow(left);
		run(&talk, line, &out);
		failed = heap.failed;
		heap_allow(-1);
		if (talk.log[0]) {
			const bool second = strncmp(talk.log, "SET k", 5) == 0;

			assert_string_equal(talk.log, expected[second]);
			logged[second]++;
		}
		out_fini(&out);
		talk_close(&talk);
		heap.failed = failed;
	}
	assert_true(logged[0] > 0 && logged[1] > 0);
}

static void what_has_failed_has_changed_nothing(void **state)
{
	static struct talk talk;
	struct out out;

	(void)state;
	prepare(&talk);
	out_init(&out, 2);
	assert_non_null(out_reserve_or_null(&out, 1));
	heap_allow(0);
	run(&talk, "SETRANGE new 9 v", &out);
	run(&talk, "APPEND l v", &out);
	run(&talk, "SET k longer-than-it-was-by-far-and-so-in-need-of-room GET", &out);
	heap_allow(-1);
	assert_int_equal(out.errors, 3);
	assert_says(&talk, "GET new", "$-1\r\n");
	assert_says(&talk, "STRLEN l", ":5000\r\n");
	assert_says(&talk, "GET k", "$5\r\nvalue\r\n");
	assert_string_equal(talk_log(&talk), "");
	out_fini(&out);
	talk_close(&talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_without_memory_ends_the_connection),
		cmocka_unit_test(a_command_without_memory_answers_once_or_not_at_all),
		cmocka_unit_test(what_is_logged_is_whole),
		cmocka_unit_test(what_has_failed_has_changed_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
