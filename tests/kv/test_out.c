/* What goes out: in order, whatever of it is filled in later. */
#include "kv/heap.h"
#include "kv/out.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_takes(struct out *out, const char *expected)
{
	char text[256];
	const size_t ready = out_ready(out), len = out_take(out, text, sizeof(text) - 1);

	text[len] = 0;
	assert_string_equal(text, expected);
	assert_int_equal(ready, len);
}

static void text_comes_out_in_order_in_any_pieces(void **state)
{
	char in[20000], to[20000];
	struct out out;

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (char)(i * 31 + i / 251);
	out_init(&out, 2);
	for (size_t at = 0, step = 1; at < sizeof(in); at += step, step = step % 700 + 1) {
		if (step > sizeof(in) - at)
			step = sizeof(in) - at;
		if (step % 3)
			out_add(&out, (struct slice){in + at, step});
		else
			memcpy(out_reserve_or_null(&out, step), in + at, step);
	}
	assert_int_equal(out.len, sizeof(in));
	for (size_t at = 0; at < sizeof(in);)
		at += out_take(&out, to + at, at % 1000 + 1);
	assert_memory_equal(in, to, sizeof(in));
	assert_int_equal(out.len, 0);
	assert_true(out.room <= 512);
	out_trim(&out);
	assert_int_equal(out.room, 0);
	out_fini(&out);
}

static void bytes_are_sent_by_reference_and_given_back(void **state)
{
	struct bytes *bytes = bytes_create_or_null(5000, 5000);
	struct out out;
	char to[6000];

	(void)state;
	memset(bytes->data, 'v', bytes->len);
	out_init(&out, 2);
	out_add(&out, SLICE("<"));
	out_add_bytes(&out, bytes);
	out_add(&out, SLICE(">"));
	assert_true(bytes_shared(bytes));
	assert_int_equal(out_take(&out, to, 100), 100);
	assert_true(bytes_shared(bytes));
	assert_int_equal(out_take(&out, to + 100, sizeof(to)), 4902);
	assert_false(bytes_shared(bytes));
	assert_memory_equal(to, "<v", 2);
	assert_memory_equal(to + 5000, "v>", 2);
	out_add_bytes(&out, bytes);
	out_fini(&out);
	assert_false(bytes_shared(bytes));
	bytes_put(bytes);
}

/* By pieces that end anywhere, values by reference among them. */
static void some_of_an_answer_moves_and_the_rest_stays(void **state)
{
	struct bytes *bytes = bytes_create_or_null(5000, 5000);
	struct out from, out;
	char wanted[10010], to[10010];

	(void)state;
	memset(bytes->data, 'v', bytes->len);
	for (size_t step = 1; step < 12000; step = step * 3 + 1) {
		size_t moved = 0;

		out_init(&from, 2);
		out_init(&out, 2);
		out_add(&from, SLICE("<"));
		out_add_bytes(&from, bytes);
		out_add(&from, SLICE("-"));
		out_add_bytes(&from, bytes);
		out_add(&from, SLICE(">"));
		memset(wanted, 'v', sizeof(wanted));
		wanted[0] = '<';
		wanted[5001] = '-';
		wanted[10002] = '>';
		for (; from.len > 0; moved += step) {
			out_move_some(&out, &from, step);
			assert_int_equal(out.len + from.len, 10003);
			assert_true(from.len == 0 || out.len == moved + step);
		}
		assert_int_equal(out_take(&out, to, sizeof(to)), 10003);
		assert_memory_equal(to, wanted, 10003);
		out_fini(&from);
		out_fini(&out);
		assert_false(bytes_shared(bytes));
	}
	bytes_put(bytes);
}

static void nothing_overtakes_a_place_that_is_not_filled(void **state)
{
	struct out out, answer;
	struct out_node *first, *second;

	(void)state;
	out_init(&out, 2);
	out_init(&answer, 2);
	out_add(&out, SLICE("a"));
	first = out_add_place_or_null(&out);
	out_add(&out, SLICE("c"));
	second = out_add_place_or_null(&out);
	out_add(&out, SLICE("e"));
	assert_takes(&out, "a");
	out_add(&answer, SLICE("d"));
	out_fill(&out, second, &answer);
	assert_takes(&out, "");
	assert_int_equal(out.len, 3);
	out_add(&answer, SLICE("b"));
	out_fill(&out, first, &answer);
	assert_int_equal(out.len, 4);
	assert_takes(&out, "bcde");
	assert_int_equal(out.len, 0);
	out_fini(&answer);
	out_fini(&out);
}

static void a_place_takes_long_answers_and_empty_ones(void **state)
{
	struct bytes *bytes = bytes_create_or_null(4096, 4096);
	struct out out, answer;
	struct out_node *place;
	char to[5000];

	(void)state;
	memset(bytes->data, 'v', bytes->len);
	out_init(&out, 2);
	out_init(&answer, 3);
	place = out_add_place_or_null(&out);
	out_add(&out, SLICE(">"));
	out_add(&answer, SLICE("<"));
	out_add_bytes(&answer, bytes);
	out_fill(&out, place, &answer);
	assert_int_equal(answer.len, 0);
	assert_int_equal(answer.room, 0);
	assert_true(out.room > 600);
	assert_int_equal(out_ready(&out), 4098);
	assert_int_equal(out_take(&out, to, sizeof(to)), 4098);
	assert_int_equal(to[4097], '>');
	place = out_add_place_or_null(&out);
	out_fill(&out, place, &answer);
	out_add(&out, SLICE("x"));
	assert_takes(&out, "x");
	/* Never taken: given back with all that is within. */
	place = out_add_place_or_null(&out);
	out_add_bytes(&answer, bytes);
	out_fill(&out, place, &answer);
	out_add_place_or_null(&out);
	out_fini(&out);
	out_fini(&answer);
	assert_false(bytes_shared(bytes));
	bytes_put(bytes);
}

static void answers_move_with_their_places_and_counts(void **state)
{
	struct out out, from, answer;
	struct out_node *place;
	char text[3000];

	(void)state;
	memset(text, 't', sizeof(text));
	out_init(&out, 2);
	out_init(&from, 2);
	out_init(&answer, 2);
	out_add(&out, SLICE("1"));
	out_add(&from, SLICE("2"));
	from.errors = 1;
	out_move(&out, &from);
	assert_int_equal(from.len, 0);
	assert_int_equal(out.errors, 1);
	out_move(&out, &from);
	assert_int_equal(out.errors, 1);
	place = out_add_place_or_null(&from);
	out_add(&from, SLICE("4"));
	out_move(&out, &from);
	assert_takes(&out, "12");
	out_add(&answer, SLICE("3"));
	out_fill(&out, place, &answer);
	assert_takes(&out, "34");
	out_add(&from, (struct slice){text, sizeof(text)});
	out_move(&out, &from);
	assert_int_equal(out_ready(&out), sizeof(text));
	assert_int_equal(from.room, 0);
	assert_true(out.room > sizeof(text));
	while (out_take(&out, text, sizeof(text)))
		;
	assert_true(out.room < 1000);
	out_fini(&out);
	out_fini(&from);
	out_fini(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_comes_out_in_order_in_any_pieces),
		cmocka_unit_test(bytes_are_sent_by_reference_and_given_back),
		cmocka_unit_test(some_of_an_answer_moves_and_the_rest_stays),
		cmocka_unit_test(nothing_overtakes_a_place_that_is_not_filled),
		cmocka_unit_test(a_place_takes_long_answers_and_empty_ones),
		cmocka_unit_test(answers_move_with_their_places_and_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
