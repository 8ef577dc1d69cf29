/* The judge of histories finds what is wrong, and nothing else. */
#include "tests/kv/history.h"
#include "tests/mem/cmocka_all.h"

#include <string.h>

#define NONE HISTORY_NONE

static bool judge(const struct op *ops, unsigned count)
{
	struct history history = {.count = count};

	memcpy(history.ops, ops, count * sizeof(*ops));
	return history_is_linearizable(&history);
}

#define JUDGE(...)                                                                                 \
	judge((const struct op[]){__VA_ARGS__},                                                    \
	      sizeof((const struct op[]){__VA_ARGS__}) / sizeof(struct op))

static void what_one_after_the_other_does_has_one_order(void **state)
{
	(void)state;
	assert_true(JUDGE(
		{OP_GET, 0, 0, NONE, 0, 1}, {OP_SET, 0, 5, 0, 2, 3}, {OP_INCR, 0, 0, 6, 4, 5},
		{OP_SETNX, 0, 9, 0, 6, 7}, {OP_GETSET, 0, 8, 6, 8, 9}, {OP_CAS, 0, 7, 8, 10, 11},
		{OP_DEL, 0, 0, 1, 12, 13}, {OP_DEL, 0, 0, 0, 14, 15}, {OP_SETNX, 0, 3, 1, 16, 17}));
}

static void what_overlaps_may_come_in_either_order(void **state)
{
	(void)state;
	assert_true(JUDGE({OP_SET, 0, 1, 0, 0, 10}, {OP_GET, 1, 0, NONE, 0, 10}));
	assert_true(JUDGE({OP_SET, 0, 1, 0, 0, 10}, {OP_GET, 1, 0, 1, 0, 10}));
	assert_true(JUDGE({OP_INCR, 0, 0, 2, 0, 10}, {OP_INCR, 1, 0, 1, 5, 20}));
	assert_true(JUDGE({OP_SET, 0, 1, 0, 0, 10}, {OP_SET, 1, 2, 0, 0, 10},
			  {OP_GET, 2, 0, 1, 11, 12}));
}

static void what_is_wrong_is_found(void **state)
{
	(void)state;
	/* An old value after the new one was answered. */
	assert_false(
		JUDGE({OP_SET, 0, 1, 0, 0, 1}, {OP_SET, 0, 2, 0, 2, 3}, {OP_GET, 1, 0, 1, 4, 5}));
	/* An increment that is lost. */
	assert_false(JUDGE({OP_INCR, 0, 0, 1, 0, 10}, {OP_INCR, 1, 0, 1, 0, 10}));
	/* A value that nobody gave. */
	assert_false(JUDGE({OP_SET, 0, 1, 0, 0, 10}, {OP_GET, 1, 0, 2, 0, 10}));
	/* Two who see the same two writes in different orders. */
	assert_false(JUDGE({OP_SET, 0, 1, 0, 0, 100}, {OP_SET, 1, 2, 0, 0, 100},
			   {OP_GET, 2, 0, 1, 10, 11}, {OP_GET, 2, 0, 2, 12, 13},
			   {OP_GET, 3, 0, 2, 10, 11}, {OP_GET, 3, 0, 1, 12, 13}));
	/* Two who both were first. */
	assert_false(JUDGE({OP_SETNX, 0, 1, 1, 0, 10}, {OP_SETNX, 1, 2, 1, 0, 10}));
	/* A compare-and-set that went through though another came between. */
	assert_false(
		JUDGE({OP_SET, 0, 1, 0, 0, 1}, {OP_INCR, 1, 0, 2, 2, 3}, {OP_CAS, 0, 9, 1, 4, 5}));
}

/* 64 that all overlap: it ends, and soon. */
static void much_that_overlaps_is_judged_in_time(void **state)
{
	struct history history = {.count = HISTORY_OP_MAX};

	(void)state;
	for (unsigned i = 0; i < HISTORY_OP_MAX; i++)
		history.ops[i] = (struct op){OP_INCR, (int)i, 0, HISTORY_OP_MAX - i, 0, 100};
	assert_true(history_is_linearizable(&history));
	history.ops[7].told = 1;
	assert_false(history_is_linearizable(&history));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_after_the_other_does_has_one_order),
		cmocka_unit_test(what_overlaps_may_come_in_either_order),
		cmocka_unit_test(what_is_wrong_is_found),
		cmocka_unit_test(much_that_overlaps_is_judged_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
