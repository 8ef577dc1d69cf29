/* Requests: what they are, in whatever pieces they come, and what they may cost. */
#include "kv/heap.h"
#include "kv/resp_in.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct resp_limits LIMITS = {.bulk_len_max = 512 << 20, .query_len_max = 1 << 30};

/* Every command on a line of its own, its arguments between brackets; then the error, if any. */
static void write_commands(struct resp_in *in, char *to, size_t *len, size_t cap)
{
	enum resp_status status;

	while ((status = resp_in_next(in)) == RESP_COMMAND) {
		for (int i = 0; i < in->argc; i++)
			*len += (size_t)snprintf(to + *len, cap - *len, "[%.*s]",
						 (int)in->argv[i].text.len, in->argv[i].text.data);
		*len += (size_t)snprintf(to + *len, cap - *len, "\n");
	}
	if (status == RESP_ERROR)
		*len += (size_t)snprintf(to + *len, cap - *len, "%s", in->error);
}

/* In pieces of so many bytes, each in a block of its own that is gone when it is used up. */
static void parse(struct slice text, size_t piece, const struct resp_limits *limits, char *to,
		  size_t cap)
{
	struct resp_in in;
	size_t len = 0;

	*to = 0;
	assert_int_equal(resp_in_init(&in, limits), 0);
	for (size_t at = 0; at < text.len && !in.error; at += piece) {
		const size_t part = piece < text.len - at ? piece : text.len - at;
		char *block = malloc(part);

		assert_non_null(block);
		memcpy(block, text.data + at, part);
		resp_in_feed(&in, (struct slice){block, part});
		write_commands(&in, to, &len, cap);
		free(block);
	}
	resp_in_fini(&in);
}

static void assert_parses_limited(struct slice text, const char *expected,
				  const struct resp_limits *limits)
{
	char got[4096];

	for (size_t piece = 1; piece <= text.len; piece++) {
		parse(text, piece, limits, got, sizeof(got));
		assert_string_equal(got, expected);
	}
}

#define assert_parses(text, expected) assert_parses_limited(SLICE(text), expected, &LIMITS)

static void commands_come_out_as_they_went_in_however_split(void **state)
{
	(void)state;
	assert_parses("*1\r\n$4\r\nPING\r\n", "[PING]\n");
	assert_parses("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n*3\r\n$3\r\nSET\r\n$0\r\n\r\n$5\r\n1\r\n2\n"
		      "\r\n*1\r\n$1\r\nx\r\n",
		      "[GET][key]\n[SET][][1\r\n2\n]\n[x]\n");
	assert_parses("*10\r\n$1\r\n0\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n"
		      "$1\r\n6\r\n$1\r\n7\r\n$1\r\n8\r\n$1\r\n9\r\n*1\r\n$12\r\n123456789012\r\n",
		      "[0][1][2][3][4][5][6][7][8][9]\n[123456789012]\n");
	assert_parses("*0\r\n*-1\r\n*1\r\n$1\r\na\r\n", "[a]\n");
	/* As in Redis, any byte stands for the newline, and any two end an argument. */
	assert_parses("*1\rX$4\r\nPINGxx*1\r\n$1\r\na\r\n", "[PING]\n[a]\n");
}

static void what_waits_stays_whole_when_its_room_grows(void **state)
{
	char text[4096], expected[4096], got[4096];
	size_t len = (size_t)sprintf(text, "*100\r\n"), expected_len = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		len += (size_t)sprintf(text + len, "$15\r\nargument-%06d\r\n", i);
		expected_len += (size_t)sprintf(expected + expected_len, "[argument-%06d]", i);
	}
	strcpy(expected + expected_len, "\n");
	for (size_t piece = 1; piece < len; piece += 1 + piece / 3) {
		parse((struct slice){text, len}, piece, &LIMITS, got, sizeof(got));
		assert_string_equal(got, expected);
	}
}

static void inline_commands_are_split_and_unquoted_as_in_redis(void **state)
{
	(void)state;
	assert_parses("PING\r\n", "[PING]\n");
	assert_parses("\r\n\n  \t\r\nSET  key\tvalue \nGET key\r\n",
		      "[SET][key][value]\n[GET][key]\n");
	assert_parses("a\"b c\" \"\\x41\\n\\\"\\q\" 'it\\'s \\n' \"\" ''\n",
		      "[ab c][A\n\"q][it's \\n][][]\n");
	assert_parses("\"\\x4\"  \\x41\n*1\r\n$1\r\na\r\n", "[x4][\\x41]\n[a]\n");
	assert_parses("\"abc\nPING\n", "Protocol error: unbalanced quotes in request");
	assert_parses("PING\n\"abc\"d\n", "[PING]\nProtocol error: unbalanced quotes in request");
	assert_parses("'a\\'\n", "Protocol error: unbalanced quotes in request");
	assert_parses("\"a\\\n", "Protocol error: unbalanced quotes in request");
}

static void protocol_errors_are_those_of_redis(void **state)
{
	(void)state;
	assert_parses("*x\r\n", "Protocol error: invalid multibulk length");
	assert_parses("*\r\n", "Protocol error: invalid multibulk length");
	assert_parses("*01\r\n", "Protocol error: invalid multibulk length");
	assert_parses("*2147483648\r\n", "Protocol error: invalid multibulk length");
	assert_parses("*1\r\nPING\r\n", "Protocol error: expected '$', got 'P'");
	assert_parses("*1\r\n\r\n", "Protocol error: expected '$', got '\r'");
	assert_parses("*2\r\n$1\r\na\r\n:1\r\n", "Protocol error: expected '$', got ':'");
	assert_parses("*1\r\n$-1\r\n", "Protocol error: invalid bulk length");
	assert_parses("*1\r\n$\r\n", "Protocol error: invalid bulk length");
	assert_parses("*1\r\n$1x\r\n", "Protocol error: invalid bulk length");
	assert_parses("*1\r\n$536870913\r\n", "Protocol error: invalid bulk length");
	assert_parses("*1\r\n$1\r\na\r\n*a\r\n*1\r\n$1\r\na\r\n",
		      "[a]\nProtocol error: invalid multibulk length");
}

static void who_has_not_authenticated_may_send_little(void **state)
{
	static const struct resp_limits stranger = {
		.bulk_len_max = 512 << 20, .query_len_max = 1 << 30, .unauthenticated = true};

	(void)state;
	assert_parses_limited(SLICE("*11\r\n"), "Protocol error: unauthenticated multibulk length",
			      &stranger);
	assert_parses_limited(SLICE("*10\r\n$16385\r\n"),
			      "Protocol error: unauthenticated bulk length", &stranger);
	assert_parses_limited(SLICE("*10\r\n$16384\r\n"), "", &stranger);
}

static void a_line_without_an_end_is_an_error_at_64_kib(void **state)
{
	static const struct {
		const char *start, *error;
	} cases[] = {
		{"", "Protocol error: too big inline request"},
		{"*", "Protocol error: too big mbulk count string"},
		{"*1\r\n$", "Protocol error: too big bulk count string"},
		{"*1\r\n", "Protocol error: too big bulk count string"},
	};
	static const size_t pieces[] = {1, 1000, 65536, 100000};
	char *text = malloc(70000);
	char got[256];

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(text, '1', 70000);
		memcpy(text, cases[i].start, strlen(cases[i].start));
		for (size_t j = 0; j < sizeof(pieces) / sizeof(pieces[0]); j++) {
			parse((struct slice){text, 70000}, pieces[j], &LIMITS, got, sizeof(got));
			assert_string_equal(got, cases[i].error);
		}
		/* Its length counts, not when its end comes. */
		text[69000] = '\r';
		text[69001] = '\n';
		parse((struct slice){text, 70000}, 70000, &LIMITS, got, sizeof(got));
		assert_string_equal(got, cases[i].error);
	}
	free(text);
}

static void feed(struct resp_in *in, struct slice text, enum resp_status expected)
{
	resp_in_feed(in, text);
	assert_int_equal(resp_in_next(in), expected);
}

static void what_lies_whole_in_what_was_fed_is_not_copied(void **state)
{
	static const char text[] = "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n";
	struct resp_in in;

	(void)state;
	assert_int_equal(resp_in_init(&in, &LIMITS), 0);
	feed(&in, slice_of(text), RESP_COMMAND);
	assert_int_equal(in.argc, 2);
	assert_ptr_equal(in.argv[0].text.data, text + 8);
	assert_ptr_equal(in.argv[1].text.data, text + 17);
	assert_null(in.argv[1].bytes);
	assert_int_equal(resp_in_next(&in), RESP_MORE);
	assert_int_equal(resp_in_held(&in), 0);
	resp_in_fini(&in);
}

static void what_is_announced_costs_nothing(void **state)
{
	struct resp_in in;

	(void)state;
	assert_int_equal(resp_in_init(&in, &LIMITS), 0);
	feed(&in, SLICE("*1000000\r\n"), RESP_MORE);
	assert_true(resp_in_held(&in) < 1024);
	feed(&in, SLICE("$536870912\r\n"), RESP_MORE);
	feed(&in, SLICE("a"), RESP_MORE);
	assert_true(resp_in_held(&in) < 1024);
	resp_in_fini(&in);
}

static void a_long_argument_comes_in_bytes_that_may_be_kept(void **state)
{
	enum { LEN = 98304 };
	struct bytes *kept;
	struct resp_in in;
	char *piece = malloc(1000);

	(void)state;
	assert_non_null(piece);
	memset(piece, 'p', 1000);
	assert_int_equal(resp_in_init(&in, &LIMITS), 0);
	feed(&in, SLICE("*3\r\n$3\r\nSET\r\n$98304\r\n"), RESP_MORE);
	for (size_t left = LEN; left > 0;) {
		const size_t part = left < 1000 ? left : 1000;

		feed(&in, (struct slice){piece, part}, RESP_MORE);
		left -= part;
		assert_true(resp_in_held(&in) <= LEN - left + 1024);
	}
	feed(&in, SLICE("\r\n$1\r\nx\r\n*1\r\n$1\r\ny\r\n"), RESP_COMMAND);
	assert_int_equal(in.argc, 3);
	kept = in.argv[1].bytes;
	assert_non_null(kept);
	assert_int_equal(kept->len, LEN);
	assert_int_equal(kept->cap, LEN);
	assert_int_equal(kept->data[LEN - 1], 'p');
	assert_ptr_equal(in.argv[1].text.data, kept->data);
	assert_memory_equal(in.argv[0].text.data, "SET", 3);
	bytes_get(kept);
	assert_int_equal(resp_in_next(&in), RESP_COMMAND);
	assert_false(bytes_shared(kept));
	assert_int_equal(resp_in_next(&in), RESP_MORE);
	assert_int_equal(resp_in_held(&in), 0);
	bytes_put(kept);
	resp_in_fini(&in);
	free(piece);
}

static void a_command_that_grows_beyond_the_limit_is_an_error(void **state)
{
	static const struct resp_limits limits = {.bulk_len_max = 512 << 20,
						  .query_len_max = 100000};
	char piece[1000];
	enum resp_status status = RESP_MORE;
	size_t sent = 0;
	struct resp_in in;

	(void)state;
	memset(piece, 'p', sizeof(piece));
	assert_int_equal(resp_in_init(&in, &limits), 0);
	feed(&in, SLICE("*2\r\n$300000\r\n"), RESP_MORE);
	for (; status == RESP_MORE; sent += sizeof(piece)) {
		resp_in_feed(&in, (struct slice){piece, sizeof(piece)});
		status = resp_in_next(&in);
	}
	assert_int_equal(status, RESP_ERROR);
	assert_true(sent <= 101000);
	assert_int_equal(resp_in_next(&in), RESP_ERROR);
	assert_int_equal(resp_in_held(&in), 0);
	resp_in_fini(&in);
	/* Many small arguments are no way around it. */
	assert_int_equal(resp_in_init(&in, &limits), 0);
	feed(&in, SLICE("*1000000\r\n"), RESP_MORE);
	for (sent = 0, status = RESP_MORE; status == RESP_MORE; sent += 7) {
		resp_in_feed(&in, SLICE("$1\r\na\r\n"));
		status = resp_in_next(&in);
	}
	assert_int_equal(status, RESP_ERROR);
	assert_true(sent <= 100000);
	resp_in_fini(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_come_out_as_they_went_in_however_split),
		cmocka_unit_test(what_waits_stays_whole_when_its_room_grows),
		cmocka_unit_test(inline_commands_are_split_and_unquoted_as_in_redis),
		cmocka_unit_test(protocol_errors_are_those_of_redis),
		cmocka_unit_test(who_has_not_authenticated_may_send_little),
		cmocka_unit_test(a_line_without_an_end_is_an_error_at_64_kib),
		cmocka_unit_test(what_lies_whole_in_what_was_fed_is_not_copied),
		cmocka_unit_test(what_is_announced_costs_nothing),
		cmocka_unit_test(a_long_argument_comes_in_bytes_that_may_be_kept),
		cmocka_unit_test(a_command_that_grows_beyond_the_limit_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
