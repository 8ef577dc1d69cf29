#include "mem/slab.h"

#include "tests/mem/cmocka_all.h"
#include "tests/mem/dies.h"

#include <string.h>
#include <sys/mman.h>

struct thing {
	uint64_t a, b, c;
};

static void all_objects_are_handed_out_once_and_then_null(void **state)
{
	struct slab *slab = slab_create("things", sizeof(struct thing), 8, 100);
	struct thing *things[100];

	(void)state;
	assert_non_null(slab);
	assert_int_equal(slab_count(slab), 100);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(slab_used(slab), i);
		things[i] = slab_alloc_or_null(slab);
		assert_non_null(things[i]);
		things[i]->a = i;
		things[i]->c = ~(uint64_t)i;
	}
	assert_null(slab_alloc_or_null(slab));
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(things[i]->a, i);
		assert_int_equal(things[i]->c, ~(uint64_t)i);
		slab_free(slab, things[i]);
	}
	assert_int_equal(slab_used(slab), 0);
	slab_destroy(slab);
}

static void the_object_freed_last_comes_out_first(void **state)
{
	struct slab *slab = slab_create("things", sizeof(struct thing), 8, 3);
	struct thing *one = slab_alloc_or_null(slab), *two = slab_alloc_or_null(slab);

	(void)state;
	slab_free(slab, two);
	slab_free(slab, one);
	assert_ptr_equal(slab_alloc_or_null(slab), one);
	assert_ptr_equal(slab_alloc_or_null(slab), two);
	slab_free(slab, one);
	slab_free(slab, two);
	slab_destroy(slab);
}

static void objects_are_aligned_as_asked(void **state)
{
	(void)state;
	for (size_t align = 1; align <= 4096; align *= 2) {
		struct slab *slab = slab_create("aligned", 70, align, 5);
		void *object[5];

		assert_true(slab_object_size(slab) >= 70 && slab_object_size(slab) % align == 0);
		for (int i = 0; i < 5; i++) {
			object[i] = slab_alloc_or_null(slab);
			assert_int_equal((uintptr_t)object[i] % align, 0);
		}
		for (int i = 0; i < 5; i++)
			slab_free(slab, object[i]);
		slab_destroy(slab);
	}
}

static void a_slab_that_cannot_be_mapped_is_null(void **state)
{
	(void)state;
	assert_null(slab_create("huge", SIZE_MAX / 2, 8, 1000));
	assert_null(slab_create("wider than the address space", (size_t)1 << 45, 8, 8));
	assert_null(slab_create("empty", 8, 8, 0));
	assert_null(slab_create("nothing", 0, 8, 8));
	slab_destroy(NULL);
}

struct misuse {
	struct slab *slab;
	void *object;
};

static void free_it(void *arg)
{
	struct misuse *misuse = arg;

	slab_free(misuse->slab, misuse->object);
}

static void destroy_it(void *arg)
{
	slab_destroy(arg);
}

static void a_double_free_is_caught(void **state)
{
	struct slab *slab = slab_create("things", 24, 8, 10);
	struct misuse misuse = {slab, slab_alloc_or_null(slab)};

	(void)state;
	slab_free(slab, misuse.object);
	assert_true(dies(free_it, &misuse));
	slab_destroy(slab);
}

static void a_foreign_object_is_caught(void **state)
{
	struct slab *slab = slab_create("things", 24, 8, 10), *other;
	char *object = slab_alloc_or_null(slab);
	struct misuse inside = {slab, object + 8}, never_out = {slab, object + 24};
	struct misuse local = {slab, &inside}, before = {slab, object - 24}, null = {slab, NULL};
	struct misuse of_other;

	(void)state;
	other = slab_create("others", 24, 8, 10);
	of_other = (struct misuse){slab, slab_alloc_or_null(other)};
	assert_true(dies(free_it, &inside));
	assert_true(dies(free_it, &never_out));
	assert_true(dies(free_it, &local));
	assert_true(dies(free_it, &before));
	assert_true(dies(free_it, &null));
	assert_true(dies(free_it, &of_other));
	slab_free(slab, object);
	slab_free(other, of_other.object);
	slab_destroy(slab);
	slab_destroy(other);
}

static void a_slab_with_objects_out_is_not_destroyed(void **state)
{
	struct slab *slab = slab_create("things", 24, 8, 10);
	void *object = slab_alloc_or_null(slab);

	(void)state;
	assert_true(dies(destroy_it, slab));
	slab_free(slab, object);
	slab_destroy(slab);
}

/* Against a model: a set of live objects, each with its own pattern. */
static void a_long_random_run_never_hands_out_a_live_object(void **state)
{
	enum { COUNT = 1000, STEPS = 200000 };
	static uint32_t *live[COUNT];
	struct slab *slab = slab_create("random", 40, 8, COUNT);
	uint32_t live_count = 0, random = 12345;

	(void)state;
	for (uint32_t step = 0; step < STEPS; step++) {
		random = random * 1664525 + 1013904223;
		if (random >> 31 && live_count < COUNT) {
			uint32_t *object = slab_alloc_or_null(slab);

			assert_non_null(object);
			for (int w = 0; w < 10; w++)
				object[w] = live_count;
			live[live_count++] = object;
		} else if (live_count > 0) {
			uint32_t *object = live[--live_count];

			for (int w = 0; w < 10; w++)
				assert_int_equal(object[w], live_count);
			slab_free(slab, object);
		}
		assert_int_equal(slab_used(slab), live_count);
	}
	while (live_count > 0)
		slab_free(slab, live[--live_count]);
	slab_destroy(slab);
}

static void memory_is_not_touched_before_it_is_used(void **state)
{
	enum { PAGE = 4096, COUNT = 4096 };
	struct slab *slab = slab_create("lazy", PAGE, PAGE, COUNT);
	char *first = slab_alloc_or_null(slab);
	static unsigned char resident[COUNT];
	unsigned touched = 0;

	(void)state;
	first[0] = 1;
	assert_int_equal(mincore(first, (size_t)PAGE * COUNT, resident), 0);
	for (int i = 0; i < COUNT; i++)
		touched += resident[i] & 1;
	assert_in_range(touched, 1, 1024); /* at most two huge pages */
	slab_free(slab, first);
	slab_destroy(slab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_objects_are_handed_out_once_and_then_null),
		cmocka_unit_test(the_object_freed_last_comes_out_first),
		cmocka_unit_test(objects_are_aligned_as_asked),
		cmocka_unit_test(a_slab_that_cannot_be_mapped_is_null),
		cmocka_unit_test(a_double_free_is_caught),
		cmocka_unit_test(a_foreign_object_is_caught),
		cmocka_unit_test(a_slab_with_objects_out_is_not_destroyed),
		cmocka_unit_test(a_long_random_run_never_hands_out_a_live_object),
		cmocka_unit_test(memory_is_not_touched_before_it_is_used),
	};

	return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
