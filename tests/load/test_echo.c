/* The echo server in a world of its own, where the shard's operations run out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "echo/server.h"

#include <arpa/inet.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/sim.h>
#include <demi/wait.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define SECOND UINT64_C(1000000000)

enum { CONN_COUNT = 100, PORT = 7 };

static struct demi_sim *world;
static struct server server;
static const struct options options = {.port = PORT, .push_count_max = 32};
static int server_host, client_host;

static int server_main(void *arg)
{
	(void)arg;
	return server_run(&server, &options);
}

/* On the server: 64 operations in all, of which 16 accept. */
static int setup(void **state)
{
	const struct demi_sim_host_options narrow = {.size = sizeof(narrow),
						     .config = "[runtime]\ntokens = 64\n"};
	int link;

	(void)state;
	assert_int_equal(demi_sim_create(&world, 1), 0);
	assert_int_equal(demi_sim_host(world, &narrow, &server_host), 0);
	assert_int_equal(demi_sim_host(world, NULL, &client_host), 0);
	assert_int_equal(demi_sim_link(world, server_host, 0, client_host, 0, &link), 0);
	assert_int_equal(demi_sim_program(world, server_host, 0, server_main, NULL), 0);
	assert_int_equal(demi_sim_run(world, SECOND / 10), ETIMEDOUT);
	assert_int_equal(demi_sim_enter(world, client_host, 0), 0);
	return 0;
}

static int teardown(void **state)
{
	int result;

	(void)state;
	assert_int_equal(demi_sim_leave(world), 0);
	assert_int_equal(demi_sim_stop(world, server_host), 0);
	assert_int_equal(demi_sim_run(world, 10 * SECOND), 0);
	assert_int_equal(demi_sim_result(world, server_host, 0, &result), 0);
	assert_int_equal(result, 0);
	return demi_sim_destroy(world);
}

/* 0, or why the operation that was begun with this error did not end well within a second. */
static int wait_for(int error, demi_qtoken_t qt, demi_qresult_t *result)
{
	const struct timespec timeout = {.tv_sec = 1};

	if (!error)
		error = demi_wait(result, qt, &timeout);
	return error || result->qr_opcode != DEMI_OPC_FAILED ? error : (int)result->qr_ret;
}

static int open_one(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	demi_qresult_t result;
	demi_qtoken_t qt = 0;
	int qd, error;

	inet_pton(AF_INET, "10.0.0.1", &to.sin_addr);
	assert_int_equal(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), 0);
	error = demi_connect(&qt, qd, (struct sockaddr *)&to, sizeof(to));
	assert_int_equal(wait_for(error, qt, &result), 0);
	return qd;
}

static void say(int qd)
{
	demi_sgarray_t sga = demi_sgaalloc(5);
	demi_qresult_t result;
	demi_qtoken_t qt = 0;
	int error;

	memcpy(sga.sga_segs[0].sgaseg_buf, "hello", 5);
	error = demi_push(&qt, qd, &sga);
	assert_int_equal(wait_for(error, qt, &result), 0);
	demi_sgafree(&sga);
}

/* How many bytes come back; 0: the server ends the connection; -1: nothing does within a second. */
static int heard(int qd)
{
	demi_qresult_t result;
	demi_qtoken_t qt = 0;
	int error = demi_pop(&qt, qd), len;

	error = wait_for(error, qt, &result);
	if (error)
		return -1;
	len = (int)result.qr_value.sga.sga_segs[0].sgaseg_len;
	demi_sgafree(&result.qr_value.sga);
	return len;
}

static void operations_that_ran_out_are_there_for_those_who_come_later(void **state)
{
	int qds[CONN_COUNT], qd;

	(void)state;
	for (int i = 0; i < CONN_COUNT; i++)
		qds[i] = open_one();
	/* Nobody is sent away: who got no place waits until others leave. */
	for (int i = 0; i < CONN_COUNT; i++) {
		for (int k = 0; k < 3; k++) {
			say(qds[i]);
			assert_int_equal(heard(qds[i]), 5);
		}
		demi_close(qds[i]);
	}
	qd = open_one();
	say(qd);
	assert_int_equal(heard(qd), 5);
	demi_close(qd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			operations_that_ran_out_are_there_for_those_who_come_later, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
