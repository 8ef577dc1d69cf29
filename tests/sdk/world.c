/* Worlds: demi_init, demi_fini, demi_shard_run, demi_shard_stop. */
#include "tests/mem/cmocka_all.h"
#include "tests/sdk/fake.h"

#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char said[1024];
static int real_stderr, pipe_fds[2];

static int begin(void **state)
{
	(void)state;
	fake_reset();
	unsetenv("CONFIG_PATH");
	unsetenv("LIBOS");
	return 0;
}

/* What goes to stderr between these two is in said. */
static void listen_to_stderr(void)
{
	assert_int_equal(pipe(pipe_fds), 0);
	real_stderr = dup(STDERR_FILENO);
	dup2(pipe_fds[1], STDERR_FILENO);
	close(pipe_fds[1]);
}

static void listened(void)
{
	ssize_t len;

	fflush(stderr);
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	len = read(pipe_fds[0], said, sizeof(said) - 1);
	said[len > 0 ? len : 0] = '\0';
	close(pipe_fds[0]);
}

static void demi_init_is_one_shard_in_this_thread(void **state)
{
	struct demi_args args = {.argc = 1, .argv = (char *const[]){"--whatever", NULL}};

	(void)state;
	assert_int_equal(demi_init(&args), 0);
	assert_int_equal(fake.config.shard_count, 1);
	assert_false(fake.pinned[0]);
	assert_int_equal(demi_shard_self(), 0);
	assert_int_equal(demi_shard_count(), 1);
	assert_int_equal(demi_fini(), 0);
	assert_int_equal(fake.left, 1);
	assert_int_equal(fake.ends, 1);
	assert_int_equal(demi_shard_self(), -1);
	assert_int_equal(demi_shard_count(), 0);
}

static void a_second_demi_init_is_eexist_and_says_nothing(void **state)
{
	(void)state;
	assert_int_equal(demi_init(NULL), 0);
	listen_to_stderr();
	assert_int_equal(demi_init(NULL), EEXIST);
	listened();
	assert_string_equal(said, "");
	assert_int_equal(fake.entered, 1);
	assert_int_equal(demi_fini(), 0);
}

static void a_world_can_follow_another(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(demi_init(NULL), 0);
		assert_int_equal(demi_fini(), 0);
	}
	assert_int_equal(fake.ends, 3);
}

static void a_failed_start_says_why_in_one_line(void **state)
{
	(void)state;
	fake.start_rc = -ENODEV;
	fake.why = "net_tap0: no such driver";
	listen_to_stderr();
	assert_int_equal(demi_init(NULL), ENODEV);
	listened();
	assert_string_equal(said, "clowder: net_tap0: no such driver\n");
	assert_int_equal(demi_socket(&(int){0}, AF_INET, SOCK_STREAM, 0), ENOSYS);
}

static void a_shard_that_cannot_be_entered_ends_the_runtime(void **state)
{
	(void)state;
	fake.enter_fails = 0;
	fake.enter_rc = -EPERM;
	listen_to_stderr();
	assert_int_equal(demi_init(NULL), EPERM);
	listened();
	assert_string_equal(said,
			    "clowder: this thread cannot be a shard: Operation not permitted\n");
	assert_int_equal(fake.ends, 1);
	assert_int_equal(demi_shard_count(), 0);
}

static void a_wrong_configuration_is_einval_with_its_line(void **state)
{
	(void)state;
	setenv("CONFIG_PATH", "/nonexistent/clowder.toml", 1);
	listen_to_stderr();
	assert_int_equal(demi_init(NULL), EINVAL);
	listened();
	assert_string_equal(said, "clowder: /nonexistent/clowder.toml: found no readable file: No "
				  "such file or directory; allowed: a TOML file of at most 1 MiB, "
				  "or no CONFIG_PATH\n");
	assert_int_equal(fake.entered, 0);
}

static void libos_may_name_the_one_transport(void **state)
{
	const char *const good[] = {"catnip", "clowder", ""};
	const char *const bad[] = {"catnap", "catpowder", "catloop", "Catnip", "x"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		setenv("LIBOS", good[i], 1);
		assert_int_equal(demi_init(NULL), 0);
		assert_int_equal(demi_fini(), 0);
	}
	for (int i = 0; i < 5; i++) {
		setenv("LIBOS", bad[i], 1);
		listen_to_stderr();
		assert_int_equal(demi_init(NULL), EINVAL);
		listened();
		assert_non_null(strstr(said, bad[i]));
		assert_non_null(strstr(said, "allowed: \"catnip\" or \"clowder\""));
	}
}

static void missing_buffers_at_the_end_are_reported(void **state)
{
	(void)state;
	assert_int_equal(demi_init(NULL), 0);
	fake.missing = 3;
	listen_to_stderr();
	assert_int_equal(demi_fini(), EIO);
	listened();
	assert_string_equal(said, "clowder: 3 packet buffers were not given back\n");
}

/* --- many shards --- */

static atomic_uint seen, ran;

static int remember_self(void *arg)
{
	assert_ptr_equal(arg, &seen);
	atomic_fetch_or(&seen, 1u << demi_shard_self());
	atomic_fetch_add(&ran, 1);
	if (demi_shard_count() != 3 || demi_init(NULL) != EEXIST || demi_fini() != EINVAL ||
	    demi_shard_run(NULL, remember_self, NULL) != EEXIST || fake.entered != 3)
		return 99;
	return 0;
}

static void every_shard_runs_main_once_all_are_up(void **state)
{
	(void)state;
	atomic_store(&seen, 0);
	atomic_store(&ran, 0);
	assert_int_equal(demi_shard_run(NULL, remember_self, &seen), 0);
	assert_int_equal(seen, 7);
	assert_int_equal(ran, 3);
	assert_int_equal(fake.left, 3);
	assert_int_equal(fake.ends, 1);
	assert_true(fake.pinned[0] && fake.pinned[1] && fake.pinned[2]);
	assert_int_equal(demi_shard_self(), -1);
}

static int fail_on_one(void *arg)
{
	(void)arg;
	return demi_shard_self() == 1 ? 42 : 0;
}

static void the_first_result_that_is_not_zero_wins(void **state)
{
	(void)state;
	assert_int_equal(demi_shard_run(NULL, fail_on_one, NULL), 42);
	assert_int_equal(fake.left, 3);
	assert_int_equal(fake.ends, 1);
}

static int count_run(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ran, 1);
	return 0;
}

static void when_a_shard_cannot_start_none_runs(void **state)
{
	(void)state;
	atomic_store(&ran, 0);
	fake.enter_fails = 2;
	fake.enter_rc = -ENOMEM;
	listen_to_stderr();
	assert_int_equal(demi_shard_run(NULL, count_run, NULL), ENOMEM);
	listened();
	assert_string_equal(said, "clowder: shard 2 cannot start: Cannot allocate memory\n");
	assert_int_equal(ran, 0);
	assert_int_equal(fake.left, fake.entered);
	assert_int_equal(fake.ends, 1);
}

static void on_signal(int number)
{
	(void)number;
	demi_shard_stop();
}

static int stop_and_look(void *arg)
{
	(void)arg;
	if (demi_shard_self() == 0) {
		raise(SIGUSR1);
		return demi_shard_stop();
	}
	return 0;
}

static void stop_reaches_the_runtime_from_a_signal_handler(void **state)
{
	(void)state;
	assert_int_equal(demi_shard_stop(), ENOSYS);
	signal(SIGUSR1, on_signal);
	assert_int_equal(demi_shard_run(NULL, stop_and_look, NULL), 0);
	signal(SIGUSR1, SIG_DFL);
	assert_int_equal(fake.stops, 2);
	assert_int_equal(demi_shard_stop(), ENOSYS);
}

static atomic_bool stopping;

static void *stop_all_the_time(void *arg)
{
	(void)arg;
	while (atomic_load(&stopping))
		demi_shard_stop();
	return NULL;
}

static void stop_may_race_with_the_end(void **state)
{
	pthread_t other;

	(void)state;
	atomic_store(&stopping, true);
	assert_int_equal(pthread_create(&other, NULL, stop_all_the_time, NULL), 0);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(demi_init(NULL), 0);
		assert_int_equal(demi_fini(), 0);
	}
	atomic_store(&stopping, false);
	pthread_join(other, NULL);
}

static void *use_a_foreign_thread(void *arg)
{
	*(int *)arg = demi_close(1);
	return NULL;
}

static void another_thread_has_no_world(void **state)
{
	pthread_t other;
	int result = 0;

	(void)state;
	assert_int_equal(demi_init(NULL), 0);
	assert_int_equal(pthread_create(&other, NULL, use_a_foreign_thread, &result), 0);
	pthread_join(other, NULL);
	assert_int_equal(result, ENOSYS);
	assert_int_equal(fake.calls, 0);
	assert_int_equal(demi_fini(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(demi_init_is_one_shard_in_this_thread, begin),
		cmocka_unit_test_setup(a_second_demi_init_is_eexist_and_says_nothing, begin),
		cmocka_unit_test_setup(a_world_can_follow_another, begin),
		cmocka_unit_test_setup(a_failed_start_says_why_in_one_line, begin),
		cmocka_unit_test_setup(a_shard_that_cannot_be_entered_ends_the_runtime, begin),
		cmocka_unit_test_setup(a_wrong_configuration_is_einval_with_its_line, begin),
		cmocka_unit_test_setup(libos_may_name_the_one_transport, begin),
		cmocka_unit_test_setup(missing_buffers_at_the_end_are_reported, begin),
		cmocka_unit_test_setup(every_shard_runs_main_once_all_are_up, begin),
		cmocka_unit_test_setup(the_first_result_that_is_not_zero_wins, begin),
		cmocka_unit_test_setup(when_a_shard_cannot_start_none_runs, begin),
		cmocka_unit_test_setup(stop_reaches_the_runtime_from_a_signal_handler, begin),
		cmocka_unit_test_setup(stop_may_race_with_the_end, begin),
		cmocka_unit_test_setup(another_thread_has_no_world, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
