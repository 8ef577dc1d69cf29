/* What a shard remembers of paths' MTUs. No EAL. */
#include "net/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define IP(a, b, c, d)                                                                             \
	((struct ip_addr){RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))})

enum { NOW = 1000 };

/* RFC 1191 3 */
static void what_was_learned_holds_for_that_destination_only(void **state)
{
	struct path_cache cache = {.seed = 7};

	(void)state;
	assert_int_equal(path_mtu(&cache, IP(10, 0, 0, 2), 1500, NOW), 1500);
	assert_int_equal(path_lower(&cache, IP(10, 0, 0, 2), 1500, 1300, NOW), 1300);
	assert_int_equal(path_mtu(&cache, IP(10, 0, 0, 2), 1500, NOW), 1300);
	assert_int_equal(path_mtu(&cache, IP(10, 0, 0, 3), 1500, NOW), 1500);
	/* A smaller link stays smaller. */
	assert_int_equal(path_mtu(&cache, IP(10, 0, 0, 2), 1000, NOW), 1000);
}

/* RFC 1191 3, 7.1; 552: the least that is believed */
static void a_path_only_becomes_smaller_and_not_too_small(void **state)
{
	struct path_cache cache = {.seed = 7};
	const struct ip_addr to = IP(10, 0, 0, 2);

	(void)state;
	assert_int_equal(path_lower(&cache, to, 1500, 1500, NOW), 1500);
	assert_int_equal(path_lower(&cache, to, 1500, 9000, NOW), 1500);
	assert_false(cache.used);
	assert_int_equal(path_lower(&cache, to, 9000, 0, NOW), 8166);
	assert_int_equal(path_lower(&cache, to, 1500, 0, NOW), 1492);
	assert_int_equal(path_lower(&cache, to, 1006, 0, NOW), 552);
	assert_int_equal(path_lower(&cache, to, 1500, 68, NOW), 552);
	assert_int_equal(path_mtu(&cache, to, 1500, NOW), 552);
}

/* RFC 1191 6.3 */
static void after_ten_minutes_the_links_mtu_is_tried_again(void **state)
{
	struct path_cache cache = {.seed = 7};
	const struct ip_addr to = IP(10, 0, 0, 2);

	(void)state;
	path_lower(&cache, to, 1500, 1300, NOW);
	assert_int_equal(path_mtu(&cache, to, 1500, NOW + PATH_LIFE_NS - 1), 1300);
	assert_int_equal(path_mtu(&cache, to, 1500, NOW + PATH_LIFE_NS), 1500);
	path_lower(&cache, to, 1500, 1200, NOW + PATH_LIFE_NS);
	assert_int_equal(path_mtu(&cache, to, 1500, 2 * PATH_LIFE_NS), 1200);
}

static void the_oldest_gives_way_and_none_is_kept_twice(void **state)
{
	struct path_cache cache = {.seed = 7};
	unsigned kept = 0, used = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		path_lower(&cache, (struct ip_addr){i + 1}, 1500, 1300, NOW + i);
	for (unsigned i = 0; i < 10000; i++)
		kept += path_mtu(&cache, (struct ip_addr){i + 1}, 1500, NOW) == 1300;
	assert_int_equal(kept, PATH_SETS * PATH_WAYS);
	assert_int_equal(path_mtu(&cache, (struct ip_addr){10000}, 1500, NOW), 1300);
	path_lower(&cache, (struct ip_addr){10000}, 1300, 1200, NOW + 1);
	for (unsigned i = 0; i < PATH_SETS * PATH_WAYS; i++)
		used += cache.paths[i / PATH_WAYS][i % PATH_WAYS].remote.v4 == 10000;
	assert_int_equal(used, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_learned_holds_for_that_destination_only),
		cmocka_unit_test(a_path_only_becomes_smaller_and_not_too_small),
		cmocka_unit_test(after_ten_minutes_the_links_mtu_is_tried_again),
		cmocka_unit_test(the_oldest_gives_way_and_none_is_kept_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
