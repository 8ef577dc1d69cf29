#include "tests/shard/cm.h"

#include "shard/place.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

/* Two NUMA nodes of 4 cores with 2 hyperthreads each: cpus 0..7 on node 0, 8..15 on node 1; the
 * threads of a core are neighbours. */
static const char big[] = "numa:2 core:4 pu:2";
static char why[PLACE_WHY_LEN];

static struct place choose(struct place_request request)
{
	struct place place;

	assert_int_equal(place_choose(&request, &place, why), 0);
	return place;
}

static void assert_cpus(const struct place *place, const int *cpus, unsigned count)
{
	assert_int_equal(place->shard_count, count);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(place->cpus[i], cpus[i]);
}

static void auto_is_one_shard_per_core_of_the_nics_node(void **state)
{
	struct place place = choose((struct place_request){.numa_node = 1, .synthetic = big});

	(void)state;
	assert_cpus(&place, (const int[]){8, 10, 12, 14}, 4);
	assert_int_equal(place.numa_nodes[0], 1);
	assert_false(place.shared);
}

static void auto_without_a_node_is_one_shard_per_core_of_the_machine(void **state)
{
	struct place place = choose((struct place_request){.numa_node = -1, .synthetic = big});

	(void)state;
	assert_cpus(&place, (const int[]){0, 2, 4, 6, 8, 10, 12, 14}, 8);
}

static void the_nics_node_comes_first_and_hyperthreads_last(void **state)
{
	struct place place =
		choose((struct place_request){.shard_count = 16, .numa_node = 1, .synthetic = big});

	(void)state;
	assert_cpus(&place, (const int[]){8, 10, 12, 14, 0, 2, 4, 6, 9, 11, 13, 15, 1, 3, 5, 7},
		    16);
	assert_int_equal(place.numa_nodes[4], 0);
	assert_false(place.shared);
}

static void more_shards_than_cpus_share_them_in_turn(void **state)
{
	struct place place = choose((struct place_request){
		.shard_count = 5, .numa_node = -1, .synthetic = "core:1 pu:2"});

	(void)state;
	assert_cpus(&place, (const int[]){0, 1, 0, 1, 0}, 5);
	assert_true(place.shared);
}

static void chosen_cpus_are_taken_as_they_are(void **state)
{
	const int cpus[] = {3, 1};
	struct place place = choose((struct place_request){
		.cpus = cpus, .cpu_count = 2, .numa_node = -1, .synthetic = big});

	(void)state;
	assert_cpus(&place, cpus, 2);
	place = choose((struct place_request){
		.shard_count = 3, .cpus = cpus, .cpu_count = 2, .numa_node = -1, .synthetic = big});
	assert_cpus(&place, (const int[]){3, 1, 3}, 3);
	assert_true(place.shared);
}

static void a_cpu_that_is_not_there_is_refused_by_name(void **state)
{
	const int cpus[] = {3, 99};
	struct place place;
	struct place_request request = {
		.cpus = cpus, .cpu_count = 2, .numa_node = -1, .synthetic = big};

	(void)state;
	assert_int_equal(place_choose(&request, &place, why), -EINVAL);
	assert_non_null(strstr(why, "99"));
}

static void more_than_64_shards_are_refused(void **state)
{
	struct place place;
	struct place_request request = {.shard_count = 65, .numa_node = -1, .synthetic = big};

	(void)state;
	assert_int_equal(place_choose(&request, &place, why), -EINVAL);
}

static void auto_on_a_huge_machine_stops_at_64(void **state)
{
	struct place place =
		choose((struct place_request){.numa_node = -1, .synthetic = "numa:2 core:64 pu:2"});

	(void)state;
	assert_int_equal(place.shard_count, 64);
}

static void a_node_without_cpus_leaves_the_whole_machine(void **state)
{
	struct place place = choose((struct place_request){.numa_node = 7, .synthetic = big});

	(void)state;
	assert_int_equal(place.shard_count, 8);
}

static void this_machine_gives_cpus_that_the_process_may_use(void **state)
{
	struct place place = choose((struct place_request){.shard_count = 3, .numa_node = -1});
	cpu_set_t set;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_true(CPU_ISSET(place.cpus[i], &set));
}

static void a_process_bound_to_one_cpu_gets_only_that_one(void **state)
{
	struct place place;
	cpu_set_t before, one;
	int cpu = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	for (cpu = CPU_SETSIZE - 1; !CPU_ISSET(cpu, &before); cpu--)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	place = choose((struct place_request){.numa_node = -1});
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_cpus(&place, &cpu, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auto_is_one_shard_per_core_of_the_nics_node),
		cmocka_unit_test(auto_without_a_node_is_one_shard_per_core_of_the_machine),
		cmocka_unit_test(the_nics_node_comes_first_and_hyperthreads_last),
		cmocka_unit_test(more_shards_than_cpus_share_them_in_turn),
		cmocka_unit_test(chosen_cpus_are_taken_as_they_are),
		cmocka_unit_test(a_cpu_that_is_not_there_is_refused_by_name),
		cmocka_unit_test(more_than_64_shards_are_refused),
		cmocka_unit_test(auto_on_a_huge_machine_stops_at_64),
		cmocka_unit_test(a_node_without_cpus_leaves_the_whole_machine),
		cmocka_unit_test(this_machine_gives_cpus_that_the_process_may_use),
		cmocka_unit_test(a_process_bound_to_one_cpu_gets_only_that_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
