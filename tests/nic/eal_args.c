#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nic/eal_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct eal_args args;

static struct eal_facts facts_of(bool hugepages_enough, bool runtime_dir)
{
	struct eal_facts facts = {.hugepages_enough = hugepages_enough,
				  .runtime_dir = runtime_dir,
				  .file_prefix = "clowder-7"};

	CPU_ZERO(&facts.cpus);
	CPU_SET(0, &facts.cpus);
	CPU_SET(1, &facts.cpus);
	return facts;
}

static bool has(const char *arg)
{
	for (int i = 1; i < args.argc; i++)
		if (strcmp(args.argv[i], arg) == 0)
			return true;
	return false;
}

static void hugepages_are_used_when_there_are_enough(void **state)
{
	struct nic_eal_config config = {.program = "echo", .memory_len = 64 << 20};
	struct eal_facts facts = facts_of(true, true);

	(void)state;
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_true(args.hugepages);
	assert_true(has("--in-memory"));
	assert_false(has("--no-huge"));
	assert_string_equal(args.argv[0], "echo");
	assert_null(args.argv[args.argc]);
}

static void without_hugepages_small_pages_of_a_counted_size_are_used(void **state)
{
	struct nic_eal_config config = {.memory_len = 64 << 20};
	struct eal_facts facts = facts_of(false, true);

	(void)state;
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_false(args.hugepages);
	assert_true(has("--no-huge"));
	assert_true(has("--no-shconf"));
	assert_true(has("-m136")); /* 64, an eighth, and 64 */
	assert_int_equal(args.memory_mb, 136);
	assert_false(has("--in-memory"));
	assert_non_null(strstr(args.why, "136 MiB of 4 KiB pages"));
	assert_non_null(strstr(args.why, "--no-huge"));
}

static void hugepages_can_be_forbidden(void **state)
{
	struct nic_eal_config config = {.hugepages = NIC_HUGEPAGES_NEVER};
	struct eal_facts facts = facts_of(true, true);

	(void)state;
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_true(has("--no-huge"));
	assert_non_null(strstr(args.why, "configured so"));
}

static void hugepages_can_be_demanded_and_are_then_missed(void **state)
{
	struct nic_eal_config config = {.hugepages = NIC_HUGEPAGES_ALWAYS};
	struct eal_facts facts = facts_of(false, true);

	(void)state;
	assert_int_equal(eal_args_choose(&args, &config, &facts), -ENOMEM);
	assert_non_null(strstr(args.why, "vm.nr_hugepages=32"));
}

static void more_memory_is_asked_for_than_the_pools_take(void **state)
{
	(void)state;
	for (size_t len = 0; len < (size_t)1 << 34; len = len * 3 + 12345) {
		assert_true(eal_args_memory_len(len) > len + len / 16);
		assert_int_equal(eal_args_memory_len(len) % (2 << 20), 0);
	}
}

static void the_control_thread_floats_over_the_allowed_cpus(void **state)
{
	struct nic_eal_config config = {0};
	struct eal_facts facts = facts_of(false, true);

	(void)state;
	CPU_ZERO(&facts.cpus);
	for (int cpu = 2; cpu <= 5; cpu++)
		CPU_SET(cpu, &facts.cpus);
	CPU_SET(9, &facts.cpus);
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_true(has("--lcores=0@(2-5,9-9)"));
}

static void any_set_of_cpus_makes_a_list(void **state)
{
	struct nic_eal_config config = {0};
	struct eal_facts facts = facts_of(false, true);

	(void)state;
	CPU_ZERO(&facts.cpus);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu += 2)
		CPU_SET(cpu, &facts.cpus);
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_int_equal(strncmp(args.argv[args.argc - 1], "--", 2), 0);
}

static void pci_is_scanned_only_for_a_pci_port(void **state)
{
	struct nic_eal_config config = {.pci = true};
	struct eal_facts facts = facts_of(false, true);

	(void)state;
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_false(has("--no-pci"));
	config.pci = false;
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_true(has("--no-pci"));
}

static void telemetry_needs_a_directory_and_the_wish(void **state)
{
	struct nic_eal_config config = {.telemetry = true};
	struct eal_facts facts = facts_of(false, true);

	(void)state;
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_false(has("--no-telemetry"));
	assert_true(has("--file-prefix=clowder-7"));
	facts.runtime_dir = false;
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_true(has("--no-telemetry"));
	facts.runtime_dir = true;
	config.telemetry = false;
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_true(has("--no-telemetry"));
}

static void single_file_segments_are_for_hugepages(void **state)
{
	struct nic_eal_config config = {.single_file_segments = true};
	struct eal_facts facts = facts_of(true, true);

	(void)state;
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_true(has("--single-file-segments"));
	facts.hugepages_enough = false;
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_false(has("--single-file-segments"));
}

static void extra_arguments_are_split_at_blanks_and_come_last(void **state)
{
	struct nic_eal_config config = {.extra_args = "  --vdev=net_ring0 \t-d x.so "};
	struct eal_facts facts = facts_of(false, true);

	(void)state;
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_string_equal(args.argv[args.argc - 3], "--vdev=net_ring0");
	assert_string_equal(args.argv[args.argc - 2], "-d");
	assert_string_equal(args.argv[args.argc - 1], "x.so");
}

static void an_argument_that_makes_the_eal_exit_is_refused(void **state)
{
	struct nic_eal_config config = {.extra_args = "--vdev=net_ring0 --help"};
	struct eal_facts facts = facts_of(false, true);

	(void)state;
	assert_int_equal(eal_args_choose(&args, &config, &facts), -EINVAL);
	assert_non_null(strstr(args.why, "--help"));
	config.extra_args = "-h";
	assert_int_equal(eal_args_choose(&args, &config, &facts), -EINVAL);
}

static void too_many_extra_arguments_are_refused(void **state)
{
	char extra[EAL_ARGS_LEN * 2];
	struct nic_eal_config config = {.extra_args = extra};
	struct eal_facts facts = facts_of(false, true);

	(void)state;
	memset(extra, ' ', sizeof(extra));
	for (int i = 0; i < EAL_ARG_MAX; i++)
		extra[i * 2] = 'x';
	extra[sizeof(extra) - 1] = '\0';
	assert_int_equal(eal_args_choose(&args, &config, &facts), -EINVAL);
	assert_non_null(strstr(args.why, "too many"));
	memset(extra, 'x', sizeof(extra) - 1);
	assert_int_equal(eal_args_choose(&args, &config, &facts), -EINVAL);
	assert_non_null(strstr(args.why, "too long"));
}

static void the_log_level_is_warning_unless_asked(void **state)
{
	struct nic_eal_config config = {0};
	struct eal_facts facts = facts_of(false, true);

	(void)state;
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_true(has("--log-level=5"));
	config.log_level = 8;
	assert_int_equal(eal_args_choose(&args, &config, &facts), 0);
	assert_true(has("--log-level=8"));
	assert_true(has("--log-level=*:8"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hugepages_are_used_when_there_are_enough),
		cmocka_unit_test(without_hugepages_small_pages_of_a_counted_size_are_used),
		cmocka_unit_test(hugepages_can_be_forbidden),
		cmocka_unit_test(hugepages_can_be_demanded_and_are_then_missed),
		cmocka_unit_test(more_memory_is_asked_for_than_the_pools_take),
		cmocka_unit_test(the_control_thread_floats_over_the_allowed_cpus),
		cmocka_unit_test(any_set_of_cpus_makes_a_list),
		cmocka_unit_test(pci_is_scanned_only_for_a_pci_port),
		cmocka_unit_test(telemetry_needs_a_directory_and_the_wish),
		cmocka_unit_test(single_file_segments_are_for_hugepages),
		cmocka_unit_test(extra_arguments_are_split_at_blanks_and_come_last),
		cmocka_unit_test(an_argument_that_makes_the_eal_exit_is_refused),
		cmocka_unit_test(too_many_extra_arguments_are_refused),
		cmocka_unit_test(the_log_level_is_warning_unless_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
