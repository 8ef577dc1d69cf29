/* A simulated world: programs, driving by hand, time, and that it is the same again. */
#include "tests/sim/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct timespec once = {0, 0};

static int one = 1;

static void a_program_echoes_to_a_client_driven_by_hand(void **state)
{
	struct pair p = pair_new(1);
	int result = -1;

	(void)state;
	assert_int_equal(demi_sim_program(p.world, p.server, 0, echo_server, &one), 0);
	assert_int_equal(demi_sim_enter(p.world, p.client, 0), 0);
	assert_int_equal(echo_client(p.server, 10000), 0);
	assert_int_equal(demi_sim_leave(p.world), 0);
	assert_int_equal(demi_sim_run(p.world, SEC), 0);
	assert_int_equal(demi_sim_result(p.world, p.server, 0, &result), 0);
	assert_int_equal(result, 0);
	assert_int_equal(demi_sim_destroy(p.world), 0);
}

static struct demi_sim_path path_of(uint32_t loss_ppm, uint64_t delay_ns)
{
	return (struct demi_sim_path){
		.size = sizeof(struct demi_sim_path), .loss_ppm = loss_ppm, .delay_ns = delay_ns};
}

/* An echo under all that a wire can do; its digest. */
static uint64_t rough_echo(uint64_t seed, const char *trace, uint64_t *now_ns)
{
	struct pair p = pair_new(seed);
	struct demi_sim_path path = path_of(30000, 3 * MS);
	struct demi_sim_link_figures figures = {.size = sizeof(figures)};
	uint64_t digest;

	path.jitter_ns = MS;
	path.duplicate_ppm = path.corrupt_ppm = path.reorder_ppm = path.truncate_ppm = 10000;
	path.rate_bps = 100000000;
	path.queue_packets = 50;
	assert_int_equal(demi_sim_trace(p.world, trace), 0);
	assert_int_equal(demi_sim_link_set(p.world, p.link, DEMI_SIM_BOTH, &path), 0);
	assert_int_equal(demi_sim_program(p.world, p.server, 0, echo_server, &one), 0);
	assert_int_equal(demi_sim_enter(p.world, p.client, 0), 0);
	assert_int_equal(echo_client(p.server, 150000), 0);
	assert_int_equal(demi_sim_leave(p.world), 0);
	assert_int_equal(demi_sim_run(p.world, 600 * SEC), 0);
	assert_int_equal(demi_sim_link_figures(p.world, p.link, DEMI_SIM_A_TO_B, &figures), 0);
	assert_true(figures.lost > 0);
	*now_ns = demi_sim_now(p.world);
	digest = demi_sim_digest(p.world);
	assert_int_equal(demi_sim_destroy(p.world), 0);
	return digest;
}

static size_t slurp(const char *path, char *out, size_t len)
{
	FILE *file = fopen(path, "rb");
	size_t n;

	assert_non_null(file);
	n = fread(out, 1, len, file);
	fclose(file);
	return n;
}

static void two_runs_of_a_seed_are_alike_to_the_last_byte(void **state)
{
	enum { TRACE_LEN = 8 << 20 };
	char one_path[] = "/tmp/clowder-sim-XXXXXX", two_path[] = "/tmp/clowder-sim-XXXXXX";
	char *first = malloc(TRACE_LEN), *second = malloc(TRACE_LEN);
	uint64_t now_a, now_b, now_c;
	size_t len;

	(void)state;
	close(mkstemp(one_path));
	close(mkstemp(two_path));
	const uint64_t a = rough_echo(42, one_path, &now_a);
	const uint64_t b = rough_echo(42, two_path, &now_b);
	const uint64_t c = rough_echo(43, NULL, &now_c);
	assert_true(a == b && a != c && now_a == now_b);
	len = slurp(one_path, first, TRACE_LEN);
	assert_true(len > 150000);
	assert_int_equal(slurp(two_path, second, TRACE_LEN), len);
	assert_memory_equal(first, second, len);
	unlink(one_path);
	unlink(two_path);
	free(first);
	free(second);
}

static void a_partition_holds_bytes_back_until_it_heals(void **state)
{
	struct pair p = pair_new(5);
	struct demi_sim_path cut = path_of(0, MS), healed = path_of(0, MS);
	const struct timespec second = {1, 0};
	const struct sockaddr_in there = address_of(p.server, ECHO_PORT);
	demi_sgarray_t sga;
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int qd = -1;

	(void)state;
	cut.cut = 1;
	demi_sim_link_set(p.world, p.link, DEMI_SIM_BOTH, &healed);
	demi_sim_program(p.world, p.server, 0, echo_server, &one);
	assert_int_equal(demi_sim_enter(p.world, p.client, 0), 0);
	assert_int_equal(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), 0);
	assert_int_equal(demi_connect(&qt, qd, (const struct sockaddr *)&there, sizeof(there)), 0);
	assert_int_equal(wait_for(qt, &qr), 0);
	demi_sim_link_set(p.world, p.link, DEMI_SIM_BOTH, &cut);
	sga = demi_sgaalloc(100);
	memset(sga.sga_segs[0].sgaseg_buf, 1, 100);
	assert_int_equal(demi_push(&qt, qd, &sga), 0);
	assert_int_equal(demi_sgafree(&sga), 0);
	assert_int_equal(demi_wait(&qr, qt, &second), ETIMEDOUT);
	demi_sim_link_set(p.world, p.link, DEMI_SIM_BOTH, &healed);
	assert_int_equal(wait_for(qt, &qr), 0);
	assert_true(demi_sim_now(p.world) < 4 * SEC);
	assert_int_equal(demi_close(qd), 0);
	demi_sim_leave(p.world);
	assert_int_equal(demi_sim_run(p.world, SEC), 0);
	assert_int_equal(demi_sim_destroy(p.world), 0);
}

static void a_timeout_is_exact_in_virtual_time(void **state)
{
	struct pair p = pair_new(6);
	const struct timespec timeout = {1, 234567891};
	demi_qresult_t qr;
	demi_qtoken_t qt;
	uint64_t before;
	int qd;

	(void)state;
	assert_int_equal(demi_sim_enter(p.world, p.server, 0), 0);
	qd = listen_here(p.server);
	assert_int_equal(demi_accept(&qt, qd), 0);
	before = demi_sim_now(p.world);
	assert_int_equal(demi_wait(&qr, qt, &timeout), ETIMEDOUT);
	assert_int_equal(demi_sim_now(p.world) - before, 1234567891);
	/* No time in which nothing is waited for. */
	assert_int_equal(demi_wait(&qr, qt, &once), ETIMEDOUT);
	assert_int_equal(demi_sim_now(p.world) - before, 1234567891);
	assert_int_equal(demi_sim_advance(p.world, 17), 0);
	assert_int_equal(demi_sim_now(p.world) - before, 1234567908);
	assert_int_equal(demi_sim_destroy(p.world), 0);
}

static void a_wait_that_can_never_end_is_cancelled(void **state)
{
	struct pair p = pair_new(7);
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int qd;

	(void)state;
	assert_int_equal(demi_sim_enter(p.world, p.server, 0), 0);
	qd = listen_here(p.server);
	assert_int_equal(demi_accept(&qt, qd), 0);
	assert_int_equal(demi_wait(&qr, qt, NULL), ECANCELED);
	/* And the world goes on. */
	assert_int_equal(demi_sim_enter(p.world, p.client, 0), 0);
	const struct sockaddr_in there = address_of(p.server, ECHO_PORT);
	demi_qtoken_t connecting;
	int client = -1;
	assert_int_equal(demi_socket(&client, AF_INET, SOCK_STREAM, 0), 0);
	assert_int_equal(
		demi_connect(&connecting, client, (const struct sockaddr *)&there, sizeof(there)),
		0);
	assert_int_equal(wait_for(connecting, &qr), 0);
	assert_int_equal(demi_sim_enter(p.world, p.server, 0), 0);
	assert_int_equal(wait_for(qt, &qr), 0);
	assert_int_equal(qr.qr_opcode, DEMI_OPC_ACCEPT);
	assert_int_equal(demi_sim_destroy(p.world), 0);
}

/* What was asked for in one world and not waited for, before the test went to another. */
static void a_shard_that_was_left_for_another_world_goes_on(void **state)
{
	struct pair p = pair_new(8), q = pair_new(9);
	const struct sockaddr_in there = address_of(p.server, ECHO_PORT);
	const struct timespec second = {1, 0};
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int qd = -1;

	(void)state;
	assert_int_equal(demi_sim_enter(p.world, p.server, 0), 0);
	listen_here(p.server);
	assert_int_equal(demi_sim_enter(p.world, p.client, 0), 0);
	assert_int_equal(demi_sim_advance(p.world, SEC), 0);
	assert_int_equal(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), 0);
	assert_int_equal(demi_connect(&qt, qd, (const struct sockaddr *)&there, sizeof(there)), 0);
	assert_int_equal(demi_sim_enter(q.world, q.client, 0), 0);
	while (demi_sim_step(p.world) == 0 && demi_sim_now(p.world) < 2 * SEC)
		;
	assert_int_equal(demi_sim_enter(p.world, p.client, 0), 0);
	assert_int_equal(demi_wait(&qr, qt, &once), 0);
	assert_int_equal(qr.qr_opcode, DEMI_OPC_CONNECT);
	/* The end of one world is not the other's. */
	assert_int_equal(demi_sim_destroy(q.world), 0);
	assert_int_equal(demi_pop(&qt, qd), 0);
	assert_int_equal(demi_wait(&qr, qt, &second), ETIMEDOUT);
	assert_int_equal(demi_sim_destroy(p.world), 0);
}

static int poll_until_told(void *arg)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int polls = 0;
	const int qd = listen_here(0);

	if (demi_accept(&qt, qd) != 0)
		return -1;
	while (!*(volatile int *)arg && polls < 100000 && demi_wait(&qr, qt, &once) == ETIMEDOUT)
		polls++;
	return polls;
}

static void a_program_that_only_polls_gets_somewhere(void **state)
{
	struct pair p = pair_new(8);
	int told = 0, result = 0;

	(void)state;
	assert_int_equal(demi_sim_program(p.world, p.server, 0, poll_until_told, &told), 0);
	assert_int_equal(demi_sim_result(p.world, p.server, 0, &result), EBUSY);
	assert_int_equal(demi_sim_advance(p.world, MS), 0);
	told = 1;
	assert_int_equal(demi_sim_run(p.world, MS), 0);
	assert_int_equal(demi_sim_result(p.world, p.server, 0, &result), 0);
	assert_in_range(result, 999, 1010);
	assert_int_equal(demi_sim_destroy(p.world), 0);
}

static void programs_that_wait_for_ever_are_found_out(void **state)
{
	struct pair p = pair_new(9);

	(void)state;
	assert_int_equal(demi_sim_program(p.world, p.server, 0, echo_server, &one), 0);
	assert_int_equal(demi_sim_run(p.world, 3600 * SEC), EDEADLK);
	assert_int_equal(demi_sim_destroy(p.world), 0);
}

static void a_leap_of_the_clock_makes_timers_due(void **state)
{
	struct pair p = pair_new(10);
	struct demi_sim_path cut = path_of(0, 0);
	const struct sockaddr_in there = address_of(p.server, ECHO_PORT);
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int qd = -1;

	(void)state;
	cut.cut = 1;
	demi_sim_link_set(p.world, p.link, DEMI_SIM_BOTH, &cut);
	assert_int_equal(demi_sim_enter(p.world, p.client, 0), 0);
	assert_int_equal(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), 0);
	assert_int_equal(demi_connect(&qt, qd, (const struct sockaddr *)&there, sizeof(there)), 0);
	assert_int_equal(demi_wait(&qr, qt, &once), ETIMEDOUT);
	assert_int_equal(demi_sim_clock_jump(p.world, p.client, 1000 * SEC), 0);
	assert_int_not_equal(wait_for(qt, &qr), 0);
	assert_true(demi_sim_now(p.world) < 400 * SEC);
	assert_int_equal(demi_close(qd), 0);
	assert_int_equal(demi_sim_destroy(p.world), 0);
}

static void worlds_come_and_go_by_the_hundred(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct pair p = pair_new(seed);
		struct demi_sim_figures figures = {.size = sizeof(figures)};

		assert_int_equal(demi_sim_program(p.world, p.server, 0, echo_server, &one), 0);
		assert_int_equal(demi_sim_enter(p.world, p.client, 0), 0);
		assert_int_equal(echo_client(p.server, 1000), 0);
		demi_sim_leave(p.world);
		assert_int_equal(demi_sim_run(p.world, 10 * SEC), 0);
		assert_int_equal(demi_sim_advance(p.world, 200 * SEC), 0);
		assert_int_equal(demi_sim_figures(p.world, &figures), 0);
		assert_int_equal(figures.buffers_used, 0);
		assert_int_equal(demi_sim_destroy(p.world), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_echoes_to_a_client_driven_by_hand),
		cmocka_unit_test(two_runs_of_a_seed_are_alike_to_the_last_byte),
		cmocka_unit_test(a_partition_holds_bytes_back_until_it_heals),
		cmocka_unit_test(a_timeout_is_exact_in_virtual_time),
		cmocka_unit_test(a_wait_that_can_never_end_is_cancelled),
		cmocka_unit_test(a_shard_that_was_left_for_another_world_goes_on),
		cmocka_unit_test(a_program_that_only_polls_gets_somewhere),
		cmocka_unit_test(programs_that_wait_for_ever_are_found_out),
		cmocka_unit_test(a_leap_of_the_clock_makes_timers_due),
		cmocka_unit_test(worlds_come_and_go_by_the_hundred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
