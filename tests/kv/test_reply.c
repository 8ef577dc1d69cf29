/* Replies as they are on the wire, in both versions of the protocol. */
#include "kv/reply.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_sent(struct out *out, const char *expected)
{
	char text[512];
	const size_t len = out_take(out, text, sizeof(text) - 1);

	text[len] = 0;
	assert_string_equal(text, expected);
}

static void what_both_versions_have_is_the_same(void **state)
{
	(void)state;
	for (int resp = 2; resp <= 3; resp++) {
		struct out out;

		out_init(&out, resp);
		reply_status(&out, "OK");
		reply_error(&out, "ERR syntax error");
		reply_errorf(&out, "ERR '%s' is %d", "a\r\nb", 5);
		assert_int_equal(out.errors, 2);
		assert_sent(&out, "+OK\r\n-ERR syntax error\r\n-ERR 'a  b' is 5\r\n");
		reply_integer(&out, INT64_MIN);
		reply_bulk(&out, SLICE("a\r\nb"));
		reply_bulk(&out, SLICE(""));
		reply_text(&out, "text");
		reply_bulk_integer(&out, -12);
		reply_array(&out, 3);
		assert_sent(&out, ":-9223372036854775808\r\n$4\r\na\r\nb\r\n$0\r\n\r\n$4\r\ntext"
				  "\r\n$3\r\n-12\r\n*3\r\n");
		out_fini(&out);
	}
}

static void an_error_may_quote_what_is_long(void **state)
{
	char word[5001];
	struct out out;

	(void)state;
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = 0;
	out_init(&out, 2);
	reply_errorf(&out, "ERR %s!\r\n\n", word);
	assert_int_equal(out_ready(&out), strlen("-ERR !\r\n") + 5000);
	out_fini(&out);
}

static void say_what_the_versions_differ_in(struct out *out)
{
	reply_double(out, 1.5);
	reply_double(out, -INFINITY);
	reply_boolean(out, true);
	reply_boolean(out, false);
	reply_null(out);
	reply_null_array(out);
	reply_verbatim(out, SLICE("some"));
	reply_map(out, 2);
	reply_set(out, 3);
	reply_push(out, 4);
}

static void version_2_says_it_with_what_it_has(void **state)
{
	struct out out;

	(void)state;
	out_init(&out, 2);
	say_what_the_versions_differ_in(&out);
	assert_sent(&out, "$3\r\n1.5\r\n$4\r\n-inf\r\n:1\r\n:0\r\n$-1\r\n*-1\r\n$4\r\nsome\r\n"
			  "*4\r\n*3\r\n*4\r\n");
	out_fini(&out);
}

static void version_3_has_words_for_it(void **state)
{
	struct out out;

	(void)state;
	out_init(&out, 3);
	say_what_the_versions_differ_in(&out);
	assert_sent(&out, ",1.5\r\n,-inf\r\n#t\r\n#f\r\n_\r\n_\r\n=8\r\ntxt:some\r\n"
			  "%2\r\n~3\r\n>4\r\n");
	out_fini(&out);
}

static void long_values_are_not_copied_and_short_ones_are(void **state)
{
	struct bytes *longer = bytes_create_or_null(BYTES_LEN_MIN, BYTES_LEN_MIN);
	struct bytes *shorter = bytes_create_or_null(3, 3);
	char to[BYTES_LEN_MIN + 100];
	struct out out;

	(void)state;
	out_init(&out, 2);
	memset(longer->data, 'l', longer->len);
	memcpy(shorter->data, "abc", 3);
	reply_bulk_bytes(&out, shorter);
	assert_false(bytes_shared(shorter));
	assert_sent(&out, "$3\r\nabc\r\n");
	reply_bulk_bytes(&out, longer);
	assert_true(bytes_shared(longer));
	assert_int_equal(out_take(&out, to, sizeof(to)), BYTES_LEN_MIN + 9);
	assert_memory_equal(to, "$4096\r\nlll", 10);
	assert_memory_equal(to + BYTES_LEN_MIN + 6, "l\r\n", 3);
	assert_false(bytes_shared(longer));
	reply_bulk(&out, (struct slice){longer->data, longer->len});
	assert_int_equal(out_take(&out, to, sizeof(to)), BYTES_LEN_MIN + 9);
	assert_memory_equal(to + BYTES_LEN_MIN + 6, "l\r\n", 3);
	out_fini(&out);
	bytes_put(longer);
	bytes_put(shorter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_both_versions_have_is_the_same),
		cmocka_unit_test(version_2_says_it_with_what_it_has),
		cmocka_unit_test(version_3_has_words_for_it),
		cmocka_unit_test(an_error_may_quote_what_is_long),
		cmocka_unit_test(long_values_are_not_copied_and_short_ones_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
