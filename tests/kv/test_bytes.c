/* Values that are counted by reference. */
#include "kv/bytes.h"
#include "kv/heap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void whoever_has_the_only_reference_may_change_them(void **state)
{
	struct bytes *bytes = bytes_create_or_null(3, 5);

	(void)state;
	assert_non_null(bytes);
	assert_false(bytes_shared(bytes));
	assert_ptr_equal(bytes_get(bytes), bytes);
	assert_true(bytes_shared(bytes));
	bytes_put(bytes);
	assert_false(bytes_shared(bytes));
	bytes_put(bytes);
	bytes_put(NULL);
}

static void what_is_inside_survives_that_they_grow(void **state)
{
	struct bytes *bytes = bytes_create_or_null(5, 5);

	(void)state;
	memcpy(bytes->data, "a\0b\0c", 5);
	assert_int_equal(bytes_reserve(&bytes, 3), 0);
	assert_int_equal(bytes->cap, 5);
	assert_int_equal(bytes_reserve(&bytes, 100000), 0);
	assert_int_equal(bytes->cap, 100000);
	assert_int_equal(bytes->len, 5);
	assert_memory_equal(bytes->data, "a\0b\0c", 5);
	assert_true(heap_size(bytes) >= sizeof(*bytes) + 100000);
	bytes_put(bytes);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
	struct bytes *bytes = bytes_create_or_null(1, 1);

	(void)state;
	assert_null(bytes_create_or_null(2, 1));
	assert_null(bytes_create_or_null(0, SIZE_MAX));
	assert_int_equal(bytes_reserve(&bytes, SIZE_MAX), -ENOMEM);
	assert_int_equal(bytes->cap, 1);
	bytes_put(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_has_the_only_reference_may_change_them),
		cmocka_unit_test(what_is_inside_survives_that_they_grow),
		cmocka_unit_test(sizes_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
