/* Where the telemetry socket goes; in a directory of the test's own that stands for /tmp. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nic/runtime_dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OTHER = 54321 }; /* a user */

static char tmp[64];
static struct runtime_dir dir;

static struct runtime_dir_world world_of(uid_t uid)
{
	return (struct runtime_dir_world){.run = "/nowhere/run", .tmp = tmp, .uid = uid};
}

static const char *in_tmp(const char *format, unsigned number)
{
	static char path[256];
	int len = snprintf(path, sizeof(path), "%s/", tmp);

	snprintf(path + len, sizeof(path) - (size_t)len, format, number);
	return path;
}

static int begin(void **state)
{
	(void)state;
	snprintf(tmp, sizeof(tmp), "/tmp/clowder-test-XXXXXX");
	return mkdtemp(tmp) == NULL || chmod(tmp, 01777) != 0;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", tmp);
	return system(command);
}

static bool is_dir(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void expect_path(const char *path)
{
	assert_string_equal(dir.path, path);
	assert_true(is_dir(path));
}

static void the_usual_directory_is_taken_where_it_can_be_written(void **state)
{
	struct runtime_dir_world world = world_of(getuid());
	char xdg[256];

	(void)state;
	snprintf(xdg, sizeof(xdg), "%s", in_tmp("user", 0));
	world.run = world.xdg = xdg;
	assert_int_equal(mkdir(xdg, 0700), 0);
	assert_true(runtime_dir_choose(&world, "echo-1", &dir));
	assert_string_equal(dir.base, xdg);
	assert_string_equal(dir.usual, xdg);
	expect_path(in_tmp("user/dpdk/echo-1", 0));
}

static void a_stale_directory_is_replaced_by_tmp(void **state)
{
	struct runtime_dir_world world = world_of(getuid());

	(void)state;
	world.xdg = "/nowhere/user";
	assert_true(runtime_dir_choose(&world, "echo-1", &dir));
	assert_string_equal(dir.base, tmp);
	expect_path(in_tmp("dpdk/echo-1", 0));
}

static void a_directory_that_was_given_is_taken_or_none(void **state)
{
	struct runtime_dir_world world = world_of(getuid());

	(void)state;
	world.given = "/nowhere/given";
	assert_false(runtime_dir_choose(&world, "echo-1", &dir));
	assert_false(is_dir(in_tmp("dpdk", 0)));
	world.given = tmp;
	assert_true(runtime_dir_choose(&world, "echo-1", &dir));
	expect_path(in_tmp("dpdk/echo-1", 0));
}

static void one_that_cannot_be_used_in_tmp_is_replaced_by_our_own(void **state)
{
	struct runtime_dir_world world = world_of(getuid());
	int fd = open(in_tmp("dpdk", 0), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (int i = 0; i < 2; i++) { /* made, and found */
		assert_true(runtime_dir_choose(&world, "echo-1", &dir));
		assert_string_equal(dir.base, in_tmp("clowder-%u", (unsigned)getuid()));
		expect_path(in_tmp("clowder-%u/dpdk/echo-1", (unsigned)getuid()));
	}
}

/* What others made could be taken away or read by them. */
static void what_belongs_to_another_user_is_not_used(void **state)
{
	const struct runtime_dir_world world = world_of(getuid() + 1);

	(void)state;
	if (getuid() == 0)
		skip(); /* root's is safe for all */
	assert_int_equal(mkdir(in_tmp("dpdk", 0), 0755), 0);
	assert_int_equal(mkdir(in_tmp("clowder-%u", (unsigned)world.uid), 0755), 0);
	assert_false(runtime_dir_choose(&world, "echo-1", &dir));
}

static void what_others_may_write_or_have_led_elsewhere_is_not_used(void **state)
{
	const struct runtime_dir_world world = world_of(getuid());
	const char *own;

	(void)state;
	assert_int_equal(mkdir(in_tmp("dpdk", 0), 0700), 0);
	assert_int_equal(chmod(in_tmp("dpdk", 0), 0777), 0);
	own = in_tmp("clowder-%u", (unsigned)getuid());
	assert_int_equal(symlink(tmp, own), 0);
	assert_false(runtime_dir_choose(&world, "echo-1", &dir));
	assert_int_equal(unlink(own), 0);
	assert_true(runtime_dir_choose(&world, "echo-1", &dir));
	assert_string_equal(dir.base, own);
}

static bool second_user_finds_one(void)
{
	const struct runtime_dir_world world = world_of(OTHER);

	return setresuid(OTHER, OTHER, OTHER) == 0 && runtime_dir_choose(&world, "echo-2", &dir);
}

static void a_second_user_has_a_directory_of_its_own(void **state)
{
	const struct runtime_dir_world world = {.run = tmp, .tmp = tmp};
	int status;
	pid_t child;

	(void)state;
	if (getuid() != 0)
		skip();
	assert_true(runtime_dir_choose(&world, "echo-1", &dir)); /* the first user's */
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(second_user_finds_one() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(is_dir(in_tmp("clowder-%u/dpdk/echo-2", OTHER)));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_usual_directory_is_taken_where_it_can_be_written),
		TEST(a_stale_directory_is_replaced_by_tmp),
		TEST(a_directory_that_was_given_is_taken_or_none),
		TEST(one_that_cannot_be_used_in_tmp_is_replaced_by_our_own),
		TEST(what_belongs_to_another_user_is_not_used),
		TEST(what_others_may_write_or_have_led_elsewhere_is_not_used),
		TEST(a_second_user_has_a_directory_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
