/* Patterns, as Redis 7.0.15 matches them: each line was asked of it. */
#include "kv/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct line {
	const char *pattern, *text;
	bool matches;
};

static void check(const struct line *lines, size_t count, bool nocase)
{
	for (size_t i = 0; i < count; i++)
		if (glob_match(slice_of(lines[i].pattern), slice_of(lines[i].text), nocase) !=
		    lines[i].matches)
			fail_msg("'%s' against '%s'", lines[i].pattern, lines[i].text);
}

#define CHECK(nocase, ...)                                                                         \
	do {                                                                                       \
		static const struct line lines[] = {__VA_ARGS__};                                  \
		check(lines, sizeof(lines) / sizeof(lines[0]), nocase);                            \
	} while (0)

static void stars_and_question_marks_match_runs_and_bytes(void **state)
{
	(void)state;
	CHECK(false, {"*", "a", true}, {"a*", "a", true}, {"*a", "ba", true}, {"*a", "ab", false},
	      {"a*b*c", "axxbyyc", true}, {"a*b*c", "axxbyycd", false}, {"?", "a", true},
	      {"?", "ab", false}, {"a?c", "abc", true}, {"**", "abc", true}, {"a**", "a", true},
	      {"*?", "a", true}, {"*a*a", "aba", true}, {"*ab", "aab", true}, {"", "a", false},
	      {"abc", "abcd", false}, {"abcd", "abc", false}, {"*.txt*", "x.txt", true});
}

static void empty_text_matches_the_empty_pattern_only(void **state)
{
	(void)state;
	CHECK(false, {"", "", true}, {"*", "", false}, {"?", "", false});
}

static void classes_have_ranges_negation_and_escapes(void **state)
{
	(void)state;
	CHECK(false, {"[abc]", "b", true}, {"[abc]", "d", false}, {"[^abc]", "d", true},
	      {"[^abc]", "a", false}, {"[a-c]x", "bx", true}, {"[c-a]x", "bx", true},
	      {"[a-c]x", "dx", false}, {"[a\\-c]", "b", false}, {"[a\\-c]", "-", true},
	      {"[\\]]", "]", true}, {"[]]", "]", false}, {"[^]", "]", true}, {"[a-]", "-", false},
	      {"[-a]", "-", true}, {"[abc", "b", true}, {"[abc", "bc", false}, {"[", "a", false},
	      {"[^", "a", true}, {"*[0-9]", "key7", true}, {"[!a]", "b", false},
	      {"[!a]", "!", true}, {"[a-z]*[0-9]", "q-1", true}, {"[\\", "\\", true});
}

static void a_backslash_takes_the_next_byte_as_it_is(void **state)
{
	(void)state;
	CHECK(false, {"\\*", "*", true}, {"\\*", "a", false}, {"a\\?", "a?", true},
	      {"a\\", "a\\", true}, {"\\\\", "\\", true}, {"\\[a]", "[a]", true},
	      {"*\\*", "a*", true}, {"\\a", "a", true});
}

static void case_is_ignored_if_asked(void **state)
{
	(void)state;
	CHECK(true, {"MAX*", "maxmemory", true}, {"[A-C]", "b", true}, {"[a-c]", "B", true},
	      {"[B]", "b", true}, {"a", "A", true}, {"\\A", "a", true}, {"[\\A]", "a", false});
	CHECK(false, {"MAX*", "maxmemory", false}, {"[A-C]", "b", false});
}

static void zeros_and_high_bytes_are_bytes_like_others(void **state)
{
	(void)state;
	assert_true(glob_match(SLICE("a\0*"), SLICE("a\0b"), false));
	assert_false(glob_match(SLICE("a\0"), SLICE("a"), false));
	assert_true(glob_match(SLICE("[\x80-\xff]"), SLICE("\xe4"), false));
	assert_true(glob_match(SLICE("[\x01-\xff]"), SLICE("\x00"), false));
	assert_false(glob_match(SLICE("[\x01-\xff]"), SLICE("\x02"), false));
}

/* Backtracking over all stars would take longer than anybody waits. */
static void many_stars_cost_no_more_than_the_product_of_the_lengths(void **state)
{
	enum { STARS = 2000, LEN = 4000 };
	char *pattern = malloc(2 * STARS + 1), *text = malloc(LEN);

	(void)state;
	for (int i = 0; i < STARS; i++) {
		pattern[2 * i] = '*';
		pattern[2 * i + 1] = 'a';
	}
	pattern[2 * STARS] = 'b';
	memset(text, 'a', LEN);
	assert_false(glob_match((struct slice){pattern, 2 * STARS + 1}, (struct slice){text, LEN},
				false));
	assert_true(
		glob_match((struct slice){pattern, 2 * STARS}, (struct slice){text, LEN}, false));
	free(pattern);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stars_and_question_marks_match_runs_and_bytes),
		cmocka_unit_test(empty_text_matches_the_empty_pattern_only),
		cmocka_unit_test(classes_have_ranges_negation_and_escapes),
		cmocka_unit_test(a_backslash_takes_the_next_byte_as_it_is),
		cmocka_unit_test(case_is_ignored_if_asked),
		cmocka_unit_test(zeros_and_high_bytes_are_bytes_like_others),
		cmocka_unit_test(many_stars_cost_no_more_than_the_product_of_the_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
