/* What comes back: timeouts, results, figures, texts. */
#include "tests/mem/cmocka_all.h"
#include "tests/sdk/fake.h"

#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void timeouts_become_nanoseconds(void **state)
{
	const struct {
		struct timespec in;
		uint64_t ns;
	} good[] = {
		{{0, 0}, 0},
		{{0, 999999999}, 999999999},
		{{3, 5}, UINT64_C(3000000005)},
		{{INT64_MAX, 0}, SHARD_FOREVER},
		{{INT64_MAX / 100, 999999999}, SHARD_FOREVER},
	};
	const struct timespec bad[] = {{0, 1000000000}, {0, -1}, {-1, 0}};
	demi_qresult_t qr;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(demi_wait(&qr, 1, &good[i].in), 0);
		assert_int_equal(fake.timeout_ns, good[i].ns);
	}
	assert_int_equal(demi_wait(&qr, 1, NULL), 0);
	assert_int_equal(fake.timeout_ns, SHARD_FOREVER);
	fake.calls = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(demi_wait(&qr, 1, &bad[i]), EINVAL);
	assert_int_equal(fake.calls, 0);
}

static void a_popped_buffer_is_an_sga_with_its_sender(void **state)
{
	demi_sgarray_t sga = demi_sgaalloc(10);
	demi_qresult_t qr;

	(void)state;
	fake.results[0] = (struct shard_result){
		.opcode = SHARD_OP_POP,
		.qd = 8,
		.token = 9,
		.pop = {.handle = sga.sga_buf,
			.data = sga.sga_segs[0].sgaseg_buf,
			.len = 10,
			.from = {.addr.v4 = inet_addr("10.0.0.9"), .port = htons(9)}},
	};
	memset(&qr, 0xff, sizeof(qr));
	assert_int_equal(demi_wait(&qr, 9, NULL), 0);
	assert_int_equal(qr.qr_opcode, DEMI_OPC_POP);
	assert_int_equal(qr.qr_qd, 8);
	assert_int_equal(qr.qr_qt, 9);
	assert_int_equal(qr.qr_ret, 0);
	assert_ptr_equal(qr.qr_value.sga.sga_buf, sga.sga_buf);
	assert_int_equal(qr.qr_value.sga.sga_numsegs, 1);
	assert_int_equal(qr.qr_value.sga.sga_segs[0].sgaseg_len, 10);
	assert_int_equal(qr.qr_value.sga.sga_addr.sin_addr.s_addr, inet_addr("10.0.0.9"));
	assert_int_equal(demi_sgafree(&sga), 0);
}

static void the_end_of_a_stream_is_an_empty_sga_that_can_be_freed(void **state)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;

	(void)state;
	fake.results[0] = (struct shard_result){.opcode = SHARD_OP_POP};
	assert_int_equal(demi_wait(&qr, 1, NULL), 0);
	assert_int_equal(qr.qr_ret, 0);
	assert_int_equal(qr.qr_value.sga.sga_numsegs, 1);
	assert_int_equal(qr.qr_value.sga.sga_segs[0].sgaseg_len, 0);
	assert_int_equal(demi_push(&qt, 1, &qr.qr_value.sga), EINVAL);
	fake.calls = 0;
	assert_int_equal(demi_sgafree(&qr.qr_value.sga), 0);
	assert_int_equal(fake.calls, 0);
}

static void an_accept_gives_the_new_queue_and_its_peer(void **state)
{
	demi_qresult_t qr;

	(void)state;
	fake.results[0] = (struct shard_result){
		.opcode = SHARD_OP_ACCEPT,
		.qd = 1,
		.accept = {.qd = 2, .peer = {.addr.v4 = inet_addr("10.0.0.9"), .port = htons(5)}},
	};
	assert_int_equal(demi_wait(&qr, 1, NULL), 0);
	assert_int_equal(qr.qr_opcode, DEMI_OPC_ACCEPT);
	assert_int_equal(qr.qr_qd, 1);
	assert_int_equal(qr.qr_value.ares.qd, 2);
	assert_int_equal(qr.qr_value.ares.addr.sin_family, AF_INET);
	assert_int_equal(qr.qr_value.ares.addr.sin_port, htons(5));
}

static void a_failed_operation_is_a_result(void **state)
{
	const demi_qtoken_t qts[3] = {1, 2, 3};
	demi_qresult_t qr;
	int offset;

	(void)state;
	fake.results[0] = (struct shard_result){.opcode = SHARD_OP_FAILED, .error = ECONNRESET};
	assert_int_equal(demi_wait_any(&qr, &offset, qts, 3, NULL), 0);
	assert_int_equal(fake.number, 3);
	assert_int_equal(offset, 1);
	assert_int_equal(qr.qr_opcode, DEMI_OPC_FAILED);
	assert_int_equal(qr.qr_ret, ECONNRESET);
	assert_null(qr.qr_value.sga.sga_buf);
}

static void a_wait_without_a_result_writes_none(void **state)
{
	demi_qresult_t qr, before;
	const demi_qtoken_t qt = 1;
	int offset;

	(void)state;
	memset(&qr, 0x5a, sizeof(qr));
	before = qr;
	fake.rc = -ETIMEDOUT;
	assert_int_equal(demi_wait(&qr, 1, NULL), ETIMEDOUT);
	assert_int_equal(demi_wait_any(&qr, &offset, &qt, 1, NULL), ETIMEDOUT);
	fake.rc = -ECANCELED;
	assert_int_equal(demi_wait(&qr, 1, NULL), ECANCELED);
	assert_memory_equal(&qr, &before, sizeof(qr));
}

static void wait_next_n_fetches_more_than_one_round_of_results(void **state)
{
	const struct timespec second = {1, 0};
	demi_qresult_t *qrs = calloc(300, sizeof(*qrs));
	int count = 0;

	(void)state;
	fake.result_count = 300;
	for (int i = 0; i < 300; i++)
		fake.results[i] = (struct shard_result){.opcode = SHARD_OP_PUSH, .token = 1000 + i};
	assert_int_equal(demi_wait_next_n(qrs, 300, &count, &second), 0);
	assert_int_equal(count, 300);
	for (int i = 0; i < 300; i++)
		assert_int_equal(qrs[i].qr_qt, 1000 + i);
	assert_int_equal(fake.timeout_ns, UINT64_C(1000000000));
	free(qrs);
}

static void wait_next_n_counts_what_came_before_expiry(void **state)
{
	demi_qresult_t qrs[4];
	int count = -1;

	(void)state;
	fake.result_count = 2;
	assert_int_equal(demi_wait_next_n(qrs, 4, &count, NULL), ETIMEDOUT);
	assert_int_equal(count, 2);
	count = -1;
	assert_int_equal(demi_wait_next_n(qrs, -1, &count, NULL), EINVAL);
}

static void figures_fit_the_callers_struct(void **state)
{
	struct demi_shard_figures all = {.size = sizeof(all)};
	struct {
		struct demi_shard_figures known;
		char beyond[8];
	} longer;
	uint32_t shorter[3] = {8, 0, 0x5a5a5a5a};

	(void)state;
	assert_int_equal(demi_shard_figures(0, &all), 0);
	assert_int_equal(all.size, sizeof(all));
	assert_int_equal(all.cpu, 100);
	assert_int_equal(all.dropped, 15);
	assert_int_equal(all.mbufs_used, 60);
	assert_int_equal(all.connections, 5);
	memset(&longer, 0x5a, sizeof(longer));
	longer.known.size = sizeof(longer);
	assert_int_equal(demi_shard_figures(0, &longer.known), 0);
	assert_int_equal(longer.known.size, sizeof(longer.known));
	assert_int_equal(longer.beyond[0], 0x5a);
	assert_int_equal(demi_shard_figures(0, (struct demi_shard_figures *)shorter), 0);
	assert_int_equal(shorter[0], 8);
	assert_int_equal(shorter[1], 100);
	assert_int_equal(shorter[2], 0x5a5a5a5a);
	shorter[0] = 7;
	assert_int_equal(demi_shard_figures(0, (struct demi_shard_figures *)shorter), EINVAL);
	assert_int_equal(demi_shard_figures(1, &all), EINVAL);
	assert_int_equal(demi_shard_figures(-1, &all), EINVAL);
}

static void the_owner_of_a_flow_is_asked_as_our_side_sees_it(void **state)
{
	struct sockaddr_in local = fake_address(), remote = fake_address();

	(void)state;
	remote.sin_port = htons(1);
	assert_int_equal(demi_shard_of((const struct sockaddr *)&local, sizeof(local),
				       (const struct sockaddr *)&remote, sizeof(remote)),
			 2);
	assert_int_equal(fake.flow.local_port, htons(7777));
	assert_int_equal(fake.flow.remote_port, htons(1));
	assert_int_equal(demi_shard_of((const struct sockaddr *)&local, 1,
				       (const struct sockaddr *)&remote, sizeof(remote)),
			 -1);
}

static void count_line(const char *text, void *arg)
{
	assert_non_null(text);
	(*(int *)arg)++;
}

static void describe_hands_out_lines(void **state)
{
	int lines = 0;

	(void)state;
	assert_int_equal(demi_describe(count_line, &lines), 0);
	assert_int_equal(lines, 2);
}

static void version_and_errors_have_texts(void **state)
{
	(void)state;
	assert_string_equal(demi_version(), "0.1.0");
	assert_string_equal(demi_strerror(ENOSYS), "Function not implemented");
	assert_string_equal(demi_strerror(0), "Success");
	assert_string_equal(demi_strerror(-1), "Unknown error");
	assert_string_equal(demi_strerror(99999), "Unknown error");
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fake_begin, fake_finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(timeouts_become_nanoseconds),
		IN_A_WORLD(a_popped_buffer_is_an_sga_with_its_sender),
		IN_A_WORLD(the_end_of_a_stream_is_an_empty_sga_that_can_be_freed),
		IN_A_WORLD(an_accept_gives_the_new_queue_and_its_peer),
		IN_A_WORLD(a_failed_operation_is_a_result),
		IN_A_WORLD(a_wait_without_a_result_writes_none),
		IN_A_WORLD(wait_next_n_fetches_more_than_one_round_of_results),
		IN_A_WORLD(wait_next_n_counts_what_came_before_expiry),
		IN_A_WORLD(figures_fit_the_callers_struct),
		IN_A_WORLD(the_owner_of_a_flow_is_asked_as_our_side_sees_it),
		IN_A_WORLD(describe_hands_out_lines),
		IN_A_WORLD(version_and_errors_have_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
