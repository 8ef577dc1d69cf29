#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "qd_map.h"

#include <stdlib.h>

enum { KEY_COUNT = 3000, STEP_COUNT = 300000 };

static void an_empty_map_has_nothing(void **state)
{
	struct qd_map map = {0};

	(void)state;
	assert_null(qd_map_get_or_null(&map, 7));
	assert_null(qd_map_take_or_null(&map, 7));
	qd_map_fini(&map);
}

/* Descriptors carry a shard in their high bits and a slot in the low ones. */
static int key(int i)
{
	return (i % 4) << 24 | i << 2;
}

static void puts_and_takes_in_any_order_agree_with_a_plain_array(void **state)
{
	static char there[KEY_COUNT];
	struct qd_map map = {0};
	uint32_t count = 0;
	int i;

	(void)state;
	srandom(1);
	for (int step = 0; step < STEP_COUNT; step++) {
		i = (int)(random() % KEY_COUNT);
		assert_int_equal(qd_map_get_or_null(&map, key(i)) != NULL, there[i]);
		if (there[i]) {
			assert_ptr_equal(qd_map_take_or_null(&map, key(i)), &there[i]);
			count--;
		} else {
			assert_int_equal(qd_map_put(&map, key(i), &there[i]), 0);
			count++;
		}
		there[i] = !there[i];
		assert_int_equal(map.used, count);
	}
	for (i = 0; i < KEY_COUNT; i++)
		assert_ptr_equal(qd_map_get_or_null(&map, key(i)), there[i] ? &there[i] : NULL);
	qd_map_fini(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_has_nothing),
		cmocka_unit_test(puts_and_takes_in_any_order_agree_with_a_plain_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
