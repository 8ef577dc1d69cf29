/*
 * NULL for every pointer of every call, where the compiler cannot see it. The library's files are
 * compiled at -O3 for this program: that is where a nonnull attribute on a definition would take
 * the checks away.
 */
#include "tests/mem/cmocka_all.h"
#include "tests/sdk/fake.h"

#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void *volatile nothing;

static struct sockaddr_in in = {.sin_family = AF_INET};
static demi_qtoken_t qt;
static demi_qresult_t qr;
static demi_sgarray_t sga;
static int number;
static socklen_t len = sizeof(in);

static const struct sockaddr *addr(void)
{
	return (const struct sockaddr *)&in;
}

static int begin(void **state)
{
	(void)state;
	fake_reset();
	unsetenv("CONFIG_PATH");
	return demi_init(nothing);
}

static int finish(void **state)
{
	(void)state;
	return demi_fini();
}

static void null_queues_and_sockets_are_einval(void **state)
{
	(void)state;
	assert_int_equal(demi_create_pipe(nothing, "name"), EINVAL);
	assert_int_equal(demi_create_pipe(&number, nothing), EINVAL);
	assert_int_equal(demi_open_pipe(nothing, "name"), EINVAL);
	assert_int_equal(demi_open_pipe(&number, nothing), EINVAL);
	assert_int_equal(demi_socket(nothing, AF_INET, SOCK_STREAM, 0), EINVAL);
	assert_int_equal(demi_bind(1, nothing, sizeof(in)), EINVAL);
	assert_int_equal(demi_accept(nothing, 1), EINVAL);
	assert_int_equal(demi_connect(nothing, 1, addr(), sizeof(in)), EINVAL);
	assert_int_equal(demi_connect(&qt, 1, nothing, sizeof(in)), EINVAL);
	assert_int_equal(fake.calls, 0);
}

static void null_data_is_einval(void **state)
{
	demi_sgarray_t empty = {.sga_numsegs = 1};

	(void)state;
	sga = demi_sgaalloc(10);
	assert_int_equal(demi_push(nothing, 1, &sga), EINVAL);
	assert_int_equal(demi_push(&qt, 1, nothing), EINVAL);
	empty.sga_segs[0] = sga.sga_segs[0];
	assert_int_equal(demi_push(&qt, 1, &empty), EINVAL);
	assert_int_equal(demi_pushto(nothing, 1, &sga, addr(), sizeof(in)), EINVAL);
	assert_int_equal(demi_pushto(&qt, 1, nothing, addr(), sizeof(in)), EINVAL);
	assert_int_equal(demi_pushto(&qt, 1, &sga, nothing, sizeof(in)), EINVAL);
	assert_int_equal(demi_pop(nothing, 1), EINVAL);
	assert_int_equal(demi_sgafree(nothing), EINVAL);
	assert_int_equal(demi_sgafree(&empty), EINVAL);
	assert_int_equal(fake.calls, 0);
	assert_int_equal(demi_sgafree(&sga), 0);
}

static void null_options_and_names_are_einval(void **state)
{
	struct sockaddr *out = (struct sockaddr *)&in;

	(void)state;
	assert_int_equal(demi_setsockopt(1, SOL_SOCKET, SO_RCVBUF, nothing, 4), EINVAL);
	assert_int_equal(demi_getsockopt(1, SOL_SOCKET, SO_RCVBUF, nothing, &len), EINVAL);
	assert_int_equal(demi_getsockopt(1, SOL_SOCKET, SO_RCVBUF, &number, nothing), EINVAL);
	assert_int_equal(demi_getpeername(1, nothing, &len), EINVAL);
	assert_int_equal(demi_getpeername(1, out, nothing), EINVAL);
	assert_int_equal(demi_getsockname(1, nothing, &len), EINVAL);
	assert_int_equal(demi_getsockname(1, out, nothing), EINVAL);
	assert_int_equal(demi_async_close(nothing, 1), EINVAL);
	assert_int_equal(fake.calls, 0);
}

static void null_results_are_einval(void **state)
{
	(void)state;
	assert_int_equal(demi_wait(nothing, 1, NULL), EINVAL);
	assert_int_equal(demi_wait_any(nothing, &number, &qt, 1, NULL), EINVAL);
	assert_int_equal(demi_wait_any(&qr, nothing, &qt, 1, NULL), EINVAL);
	assert_int_equal(demi_wait_any(&qr, &number, nothing, 1, NULL), EINVAL);
	assert_int_equal(demi_wait_any(&qr, &number, &qt, -1, NULL), EINVAL);
	assert_int_equal(demi_wait_next_n(nothing, 1, &number, NULL), EINVAL);
	assert_int_equal(demi_wait_next_n(&qr, 1, nothing, NULL), EINVAL);
	assert_int_equal(fake.calls, 0);
}

static void null_shards_are_einval(void **state)
{
	int (*volatile no_main)(void *arg) = NULL;
	void (*volatile no_line)(const char *text, void *arg) = NULL;

	(void)state;
	assert_int_equal(demi_shard_run(NULL, no_main, NULL), EINVAL);
	assert_int_equal(demi_describe(no_line, NULL), EINVAL);
	assert_int_equal(demi_shard_channel(nothing, 1), EINVAL);
	assert_int_equal(demi_shard_figures(0, nothing), EINVAL);
	assert_int_equal(demi_shard_of(nothing, sizeof(in), addr(), sizeof(in)), -1);
	assert_int_equal(demi_shard_of(addr(), sizeof(in), nothing, sizeof(in)), -1);
	assert_int_equal(fake.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(null_queues_and_sockets_are_einval, begin, finish),
		cmocka_unit_test_setup_teardown(null_data_is_einval, begin, finish),
		cmocka_unit_test_setup_teardown(null_options_and_names_are_einval, begin, finish),
		cmocka_unit_test_setup_teardown(null_results_are_einval, begin, finish),
		cmocka_unit_test_setup_teardown(null_shards_are_einval, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
