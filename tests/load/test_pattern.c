#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load/pattern.h"

#include <string.h>

enum { LEN = 100 };

static uint8_t whole[LEN], piece[LEN];

static void a_piece_is_the_same_wherever_it_is_cut(void **state)
{
	(void)state;
	pattern_fill(5, 1000, whole, LEN);
	for (uint32_t from = 0; from < LEN; from++) {
		for (uint32_t len = 0; from + len <= LEN; len++) {
			memset(piece, 0, LEN);
			pattern_fill(5, 1000 + from, piece, len);
			assert_memory_equal(piece, whole + from, len);
			assert_true(pattern_is(5, 1000 + from, whole + from, len));
		}
	}
}

static void one_wrong_bit_is_seen_anywhere(void **state)
{
	(void)state;
	pattern_fill(5, 1003, whole, LEN);
	for (uint32_t bit = 0; bit < LEN * 8; bit++) {
		whole[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(pattern_is(5, 1003, whole, LEN));
		whole[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(pattern_is(5, 1003, whole, LEN));
}

static void bytes_of_another_place_or_seed_are_seen(void **state)
{
	(void)state;
	pattern_fill(5, 0, whole, LEN);
	for (uint64_t i = 1; i < 10000; i++) {
		assert_false(pattern_is(5, i, whole, LEN));
		assert_false(pattern_is(5 + i, 0, whole, LEN));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_piece_is_the_same_wherever_it_is_cut),
		cmocka_unit_test(one_wrong_bit_is_seen_anywhere),
		cmocka_unit_test(bytes_of_another_place_or_seed_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
