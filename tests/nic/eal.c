/* The EAL's start; once in this process, so the order of the tests matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nic/nic.h"

#include <errno.h>
#include <pthread.h>
#include <rte_lcore.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct nic_eal_config wanted = {
	.program = "some/path/test eal", .memory_len = 32 << 20, .telemetry = true};

static void what_was_refused_before_it_began_can_be_corrected(void **state)
{
	struct nic_eal_config config = wanted;
	const char *why = NULL;

	(void)state;
	config.hugepages = NIC_HUGEPAGES_ALWAYS;
	config.memory_len = (size_t)1 << 44;
	assert_int_equal(nic_eal_start(&config, &why), -ENOMEM);
	assert_non_null(strstr(why, "hugepages wanted"));
	assert_false(nic_eal_hugepages());
}

static void the_eal_starts_and_leaves_the_thread_unpinned(void **state)
{
	cpu_set_t before, after;
	const char *why = NULL;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(nic_eal_start(&wanted, &why), 0);
	assert_non_null(strstr(why, "--lcores="));
	assert_int_equal(sched_getaffinity(0, sizeof(after), &after), 0);
	assert_true(CPU_EQUAL(&before, &after));
	assert_int_equal(rte_lcore_count(), 1);
}

/* What dpdk-telemetry.py -f <prefix> does first. */
static void the_telemetry_socket_answers(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	const char *dir = getenv("RUNTIME_DIRECTORY");
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	char hello[1024] = "";
	const char *why;

	(void)state;
	assert_int_equal(nic_eal_start(&wanted, &why), 0);
	if (strstr(why, "--no-telemetry"))
		skip(); /* nowhere to put it: /tmp/dpdk is another user's */
	if (!dir)
		dir = getuid() == 0 ? "/var/run" : getenv("XDG_RUNTIME_DIR");
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%.40s/dpdk/test_eal-%d/dpdk_telemetry.v2",
		 dir ? dir : "/tmp", (int)getpid());
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_true(recv(fd, hello, sizeof(hello) - 1, 0) > 0);
	assert_non_null(strstr(hello, "DPDK"));
	close(fd);
}

static void a_second_start_checks_that_the_first_will_do(void **state)
{
	struct nic_eal_config config = wanted;
	const char *why = NULL;

	(void)state;
	assert_int_equal(nic_eal_start(&config, &why), 0);
	config.memory_len = (size_t)1 << 40;
	assert_int_equal(nic_eal_start(&config, &why), nic_eal_hugepages() ? 0 : -ENOMEM);
	config = wanted;
	config.pci = true;
	assert_int_equal(nic_eal_start(&config, &why), -EINVAL);
	assert_non_null(strstr(why, "without PCI"));
}

/* In a process of its own, because the EAL cannot be started again after it failed. */
static void an_eal_that_does_not_start_says_why_and_does_not_exit(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		struct nic_eal_config config = wanted;
		const char *why = "";
		int rc, again;

		config.extra_args = "--lcores=nonsense";
		rc = nic_eal_start(&config, &why);
		again = strstr(why, "did not start") ? nic_eal_start(&wanted, &why) : 0;
		exit(rc < 0 && again == -EIO && strstr(why, "did not start") ? 7 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void *register_twice(void *arg)
{
	unsigned *lcore = arg;

	if (nic_thread_register() || nic_thread_register())
		return NULL;
	*lcore = rte_lcore_id();
	nic_thread_unregister();
	nic_thread_unregister();
	return rte_lcore_id() == LCORE_ID_ANY ? arg : NULL;
}

static void a_thread_becomes_an_lcore_and_ceases_to_be_one(void **state)
{
	unsigned lcore = LCORE_ID_ANY, again = LCORE_ID_ANY;
	pthread_t thread;
	void *ok;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, register_twice, &lcore), 0);
	assert_int_equal(pthread_join(thread, &ok), 0);
	assert_non_null(ok);
	assert_int_not_equal(lcore, LCORE_ID_ANY);
	assert_int_not_equal(lcore, rte_get_main_lcore());
	assert_int_equal(pthread_create(&thread, NULL, register_twice, &again), 0);
	assert_int_equal(pthread_join(thread, &ok), 0);
	assert_int_equal(lcore, again);
}

static void the_control_thread_stays_the_main_lcore(void **state)
{
	(void)state;
	assert_int_equal(nic_thread_register(), 0);
	nic_thread_unregister();
	assert_int_equal(rte_lcore_id(), rte_get_main_lcore());
}

/* Started by main() before the EAL runs here: processes of their own, without and with
 * telemetry, looked at after their end. */
static pid_t ended[2];

static void a_process_leaves_no_runtime_directory_behind(void **state)
{
	const char *const dirs[] = {"/var/run", "/tmp", getenv("XDG_RUNTIME_DIR")};
	struct stat st;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(dirs) / sizeof(dirs[0]); i++) {
		char path[256];

		assert_true(ended[i % 2] > 0);
		snprintf(path, sizeof(path), "%s/dpdk/test_eal-%d",
			 dirs[i / 2] ? dirs[i / 2] : "/tmp", (int)ended[i % 2]);
		assert_int_not_equal(stat(path, &st), 0);
	}
}

static void run_and_end(bool telemetry)
{
	pid_t child = fork();
	const char *why;
	int status;

	if (child == 0) {
		struct nic_eal_config config = wanted;

		config.telemetry = telemetry;
		exit(nic_eal_start(&config, &why) ? 1 : 0);
	}
	if (waitpid(child, &status, 0) == child && status == 0)
		ended[telemetry] = child;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_leaves_no_runtime_directory_behind),
		cmocka_unit_test(an_eal_that_does_not_start_says_why_and_does_not_exit),
		cmocka_unit_test(what_was_refused_before_it_began_can_be_corrected),
		cmocka_unit_test(the_eal_starts_and_leaves_the_thread_unpinned),
		cmocka_unit_test(the_telemetry_socket_answers),
		cmocka_unit_test(a_second_start_checks_that_the_first_will_do),
		cmocka_unit_test(a_thread_becomes_an_lcore_and_ceases_to_be_one),
		cmocka_unit_test(the_control_thread_stays_the_main_lcore),
	};

	run_and_end(false);
	run_and_end(true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
