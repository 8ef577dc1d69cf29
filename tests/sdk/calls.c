/* The calls of libos.h, sga.h, wait.h and ext.h: arguments, errors, conversions. */
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

enum { TCP_NODELAY = 1 }; /* <netinet/tcp.h> and net/tcp.h cannot be included together */

static struct sockaddr_in address(void)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(7777),
		.sin_addr.s_addr = inet_addr("10.99.0.2"),
	};
}

static const struct sockaddr *generic(const struct sockaddr_in *in)
{
	return (const struct sockaddr *)in;
}

static int begin(void **state)
{
	(void)state;
	fake_reset();
	unsetenv("CONFIG_PATH");
	unsetenv("LIBOS");
	return demi_init(NULL);
}

static int finish(void **state)
{
	(void)state;
	fake.rc = 0;
	fake.missing = 0;
	return demi_fini();
}

/* Runs every call with the arguments of a reasonable program; all must give the same. */
static void expect_all(int expected)
{
	const struct sockaddr_in in = address();
	struct sockaddr_in out;
	socklen_t out_len = sizeof(out);
	const struct timespec once = {0, 0};
	demi_sgarray_t sga = {0};
	demi_qtoken_t qt = 0;
	demi_qresult_t qr;
	int number = 1;

	assert_int_equal(demi_socket(&number, AF_INET, SOCK_STREAM, 0), expected);
	assert_int_equal(demi_bind(1, generic(&in), sizeof(in)), expected);
	assert_int_equal(demi_listen(1, 1), expected);
	assert_int_equal(demi_accept(&qt, 1), expected);
	assert_int_equal(demi_connect(&qt, 1, generic(&in), sizeof(in)), expected);
	assert_int_equal(demi_close(1), expected);
	assert_int_equal(demi_push(&qt, 1, &sga), expected);
	assert_int_equal(demi_pushto(&qt, 1, &sga, generic(&in), sizeof(in)), expected);
	assert_int_equal(demi_pop(&qt, 1), expected);
	assert_int_equal(demi_setsockopt(1, SOL_SOCKET, SO_RCVBUF, &number, sizeof(number)),
			 expected);
	assert_int_equal(demi_getsockopt(1, SOL_SOCKET, SO_RCVBUF, &number, &out_len), expected);
	assert_int_equal(demi_getpeername(1, (struct sockaddr *)&out, &out_len), expected);
	assert_int_equal(demi_create_pipe(&number, "name"), expected);
	assert_int_equal(demi_open_pipe(&number, "name"), expected);
	assert_int_equal(demi_sgafree(&sga), expected);
	assert_int_equal(demi_wait(&qr, qt, &once), expected);
	assert_int_equal(demi_wait_any(&qr, &number, &qt, 1, &once), expected);
	assert_int_equal(demi_wait_next_n(&qr, 1, &number, &once), expected);
	assert_int_equal(demi_shutdown(1, SHUT_WR), expected);
	assert_int_equal(demi_getsockname(1, (struct sockaddr *)&out, &out_len), expected);
	assert_int_equal(demi_async_close(&qt, 1), expected);
	assert_int_equal(demi_shard_channel(&number, 1), expected);
	assert_int_equal(demi_shard_stop(), expected);
}

static void describe_nothing(const char *text, void *arg)
{
	(void)text;
	(void)arg;
}

static void before_demi_init_every_call_is_enosys(void **state)
{
	struct demi_shard_figures figures = {.size = sizeof(figures)};
	const struct sockaddr_in in = address();

	(void)state;
	fake_reset();
	expect_all(ENOSYS);
	assert_int_equal(demi_fini(), ENOSYS);
	assert_int_equal(demi_describe(describe_nothing, NULL), ENOSYS);
	assert_int_equal(demi_shard_figures(0, &figures), ENOSYS);
	assert_int_equal(demi_shard_self(), -1);
	assert_int_equal(demi_shard_count(), 0);
	assert_int_equal(demi_shard_of(generic(&in), sizeof(in), generic(&in), sizeof(in)), -1);
	assert_null(demi_sgaalloc(1).sga_buf);
	assert_int_equal(fake.calls, 0);
}

static void a_socket_is_ipv4_stream_or_datagram(void **state)
{
	int qd = 0;

	(void)state;
	assert_int_equal(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), 0);
	assert_int_equal(fake.number, SHARD_STREAM);
	assert_int_equal(qd, 5);
	assert_int_equal(demi_socket(&qd, AF_INET, SOCK_DGRAM, IPPROTO_UDP), 0);
	assert_int_equal(fake.number, SHARD_DGRAM);
	fake.calls = 0;
	assert_int_equal(demi_socket(&qd, AF_INET6, SOCK_STREAM, 0), ENOTSUP);
	assert_int_equal(demi_socket(&qd, AF_UNIX, SOCK_STREAM, 0), ENOTSUP);
	assert_int_equal(demi_socket(&qd, AF_INET, SOCK_RAW, 0), ENOTSUP);
	assert_int_equal(demi_socket(&qd, AF_INET, -1, 0), ENOTSUP);
	assert_int_equal(demi_socket(&qd, AF_INET, SOCK_STREAM, IPPROTO_UDP), ENOTSUP);
	assert_int_equal(fake.calls, 0);
}

static void errors_of_the_stack_come_back_positive(void **state)
{
	int qd;

	(void)state;
	fake.rc = -EMFILE;
	assert_int_equal(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), EMFILE);
	fake.rc = -EBADF;
	assert_int_equal(demi_close(9), EBADF);
	assert_int_equal(fake.qd, 9);
	assert_int_equal(demi_listen(9, 1), EBADF);
}

static void errno_is_left_alone(void **state)
{
	int qd;

	(void)state;
	errno = ENOENT;
	assert_int_equal(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), 0);
	assert_int_equal(errno, ENOENT);
	fake.rc = -EBADF;
	assert_int_equal(demi_close(9), EBADF);
	assert_int_equal(errno, ENOENT);
	errno = 0;
}

static void an_address_has_the_right_length_and_family(void **state)
{
	struct sockaddr_in in = address();
	demi_qtoken_t qt;

	(void)state;
	assert_int_equal(demi_bind(1, generic(&in), sizeof(in) - 1), EINVAL);
	assert_int_equal(demi_bind(1, generic(&in), sizeof(struct sockaddr_storage)), EINVAL);
	assert_int_equal(demi_bind(1, generic(&in), 0), EINVAL);
	assert_int_equal(demi_connect(&qt, 1, generic(&in), 4), EINVAL);
	in.sin_family = AF_INET6;
	assert_int_equal(demi_bind(1, generic(&in), sizeof(in)), ENOTSUP);
	assert_int_equal(demi_connect(&qt, 1, generic(&in), sizeof(in)), ENOTSUP);
	assert_int_equal(fake.calls, 0);
}

static void an_address_may_lie_anywhere(void **state)
{
	const struct sockaddr_in in = address();
	char odd[1 + sizeof(in)];

	(void)state;
	memcpy(odd + 1, &in, sizeof(in));
	assert_int_equal(demi_bind(3, (const struct sockaddr *)(odd + 1), sizeof(in)), 0);
	assert_int_equal(fake.qd, 3);
	assert_int_equal(fake.address.addr.v4, inet_addr("10.99.0.2"));
	assert_int_equal(fake.address.port, htons(7777));
}

static void a_backlog_is_at_least_one(void **state)
{
	(void)state;
	assert_int_equal(demi_listen(1, 0), EINVAL);
	assert_int_equal(demi_listen(1, -1), EINVAL);
	assert_int_equal(fake.calls, 0);
	assert_int_equal(demi_listen(1, 4096), 0);
	assert_int_equal(fake.number, 4096);
}

static void an_sga_has_one_segment_of_the_size_asked_for(void **state)
{
	demi_sgarray_t sga = demi_sgaalloc(1000);

	(void)state;
	assert_non_null(sga.sga_buf);
	assert_int_equal(sga.sga_numsegs, 1);
	assert_int_equal(sga.sga_segs[0].sgaseg_len, 1000);
	memset(sga.sga_segs[0].sgaseg_buf, 1, 1000);
	assert_int_equal(demi_sgafree(&sga), 0);
}

static void an_sga_of_no_or_too_many_bytes_is_empty(void **state)
{
	const size_t sizes[] = {0, 65536, SIZE_MAX};
	demi_sgarray_t sga;

	(void)state;
	for (int i = 0; i < 3; i++) {
		sga = demi_sgaalloc(sizes[i]);
		assert_null(sga.sga_buf);
		assert_int_equal(sga.sga_numsegs, 0);
		assert_int_equal(demi_sgafree(&sga), EINVAL);
	}
	fake.rc = -ENOMEM;
	assert_null(demi_sgaalloc(1).sga_buf);
	fake.rc = 0;
	sga = demi_sgaalloc(65535);
	assert_int_equal(sga.sga_segs[0].sgaseg_len, 65535);
	assert_int_equal(demi_sgafree(&sga), 0);
}

static void an_sga_that_is_not_whole_is_not_freed(void **state)
{
	demi_sgarray_t sga = demi_sgaalloc(10);

	(void)state;
	fake.calls = 0;
	sga.sga_numsegs = 0;
	assert_int_equal(demi_sgafree(&sga), EINVAL);
	sga.sga_numsegs = 2;
	assert_int_equal(demi_sgafree(&sga), EINVAL);
	assert_int_equal(fake.calls, 0);
	sga.sga_numsegs = 1;
	sga.sga_segs[0].sgaseg_len = 0;
	assert_int_equal(demi_sgafree(&sga), 0);
}

static void a_push_is_one_segment_inside_its_buffer(void **state)
{
	const demi_sgarray_t whole = demi_sgaalloc(100);
	demi_sgarray_t sga = whole;
	char *bytes = whole.sga_segs[0].sgaseg_buf;
	demi_qtoken_t qt = 0;

	(void)state;
	assert_int_equal(demi_push(&qt, 4, &sga), 0);
	assert_int_equal(qt, 77);
	assert_false(fake.with_address);
	sga.sga_segs[0].sgaseg_buf = bytes + 40;
	sga.sga_segs[0].sgaseg_len = 60;
	assert_int_equal(demi_push(&qt, 4, &sga), 0);
	assert_ptr_equal(fake.data, bytes + 40);
	assert_int_equal(fake.len, 60);
	fake.calls = 0;
	sga.sga_segs[0].sgaseg_len = 61;
	assert_int_equal(demi_push(&qt, 4, &sga), EINVAL);
	sga.sga_segs[0].sgaseg_buf = bytes - 1;
	assert_int_equal(demi_push(&qt, 4, &sga), EINVAL);
	sga = whole;
	sga.sga_segs[0].sgaseg_len = 0;
	assert_int_equal(demi_push(&qt, 4, &sga), EINVAL);
	sga = whole;
	sga.sga_numsegs = 0;
	assert_int_equal(demi_push(&qt, 4, &sga), EINVAL);
	sga.sga_numsegs = 2;
	assert_int_equal(demi_push(&qt, 4, &sga), EINVAL);
	assert_int_equal(fake.calls, 0);
	sga = whole;
	assert_int_equal(demi_sgafree(&sga), 0);
}

static void a_datagram_goes_where_it_is_told_to(void **state)
{
	demi_sgarray_t sga = demi_sgaalloc(10);
	struct sockaddr_in in = address();
	demi_qtoken_t qt;

	(void)state;
	assert_int_equal(demi_pushto(&qt, 4, &sga, generic(&in), sizeof(in)), 0);
	assert_true(fake.with_address);
	assert_int_equal(fake.address.port, htons(7777));
	assert_int_equal(demi_pushto(&qt, 4, &sga, generic(&in), 3), EINVAL);
	in.sin_family = AF_UNIX;
	assert_int_equal(demi_pushto(&qt, 4, &sga, generic(&in), sizeof(in)), ENOTSUP);
	assert_int_equal(demi_sgafree(&sga), 0);
}

static void options_pass_through(void **state)
{
	int one = 1;
	socklen_t len = sizeof(one);

	(void)state;
	assert_int_equal(demi_setsockopt(1, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
	assert_int_equal(fake.level, IPPROTO_TCP);
	assert_int_equal(fake.number, TCP_NODELAY);
	assert_int_equal(fake.len, sizeof(one));
	assert_int_equal(demi_getsockopt(1, SOL_SOCKET, SO_ERROR, &one, &len), 0);
	assert_int_equal(fake.number, SO_ERROR);
	fake.rc = -ENOPROTOOPT;
	assert_int_equal(demi_getsockopt(1, 99, 99, &one, &len), ENOPROTOOPT);
}

static void a_name_is_cut_to_the_room_there_is(void **state)
{
	struct sockaddr_in out = {0};
	socklen_t len = sizeof(out);

	(void)state;
	fake.endpoint = (struct net_endpoint){.addr.v4 = inet_addr("10.1.2.3"), .port = htons(80)};
	assert_int_equal(demi_getpeername(1, (struct sockaddr *)&out, &len), 0);
	assert_int_equal(len, sizeof(out));
	assert_int_equal(out.sin_family, AF_INET);
	assert_int_equal(out.sin_port, htons(80));
	assert_int_equal(out.sin_addr.s_addr, inet_addr("10.1.2.3"));
	memset(&out, 0, sizeof(out));
	len = 4;
	assert_int_equal(demi_getsockname(1, (struct sockaddr *)&out, &len), 0);
	assert_int_equal(len, sizeof(out));
	assert_int_equal(out.sin_port, htons(80));
	assert_int_equal(out.sin_addr.s_addr, 0);
	fake.rc = -ENOTCONN;
	assert_int_equal(demi_getpeername(1, (struct sockaddr *)&out, &len), ENOTCONN);
}

static void pipes_check_their_name_and_are_not_there(void **state)
{
	char name[200];
	int qd;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[128] = '\0';
	assert_int_equal(demi_create_pipe(&qd, name), EINVAL);
	assert_int_equal(demi_open_pipe(&qd, name), EINVAL);
	assert_int_equal(demi_create_pipe(&qd, ""), EINVAL);
	assert_int_equal(demi_open_pipe(&qd, ""), EINVAL);
	name[127] = '\0';
	assert_int_equal(demi_create_pipe(&qd, name), ENOSYS);
	assert_int_equal(demi_open_pipe(&qd, name), ENOSYS);
}

static void shutdown_says_which_way(void **state)
{
	(void)state;
	assert_int_equal(demi_shutdown(2, SHUT_RD), 0);
	assert_int_equal(fake.number, TCP_SHUT_RD);
	assert_int_equal(demi_shutdown(2, SHUT_WR), 0);
	assert_int_equal(fake.number, TCP_SHUT_WR);
	assert_int_equal(demi_shutdown(2, SHUT_RDWR), 0);
	assert_int_equal(fake.number, TCP_SHUT_RD | TCP_SHUT_WR);
	assert_int_equal(demi_shutdown(2, 3), EINVAL);
	assert_int_equal(demi_shutdown(2, -1), EINVAL);
}

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
	struct sockaddr_in local = address(), remote = address();

	(void)state;
	remote.sin_port = htons(1);
	assert_int_equal(
		demi_shard_of(generic(&local), sizeof(local), generic(&remote), sizeof(remote)), 2);
	assert_int_equal(fake.flow.local_port, htons(7777));
	assert_int_equal(fake.flow.remote_port, htons(1));
	assert_int_equal(demi_shard_of(generic(&local), 1, generic(&remote), sizeof(remote)), -1);
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

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_demi_init_every_call_is_enosys),
		IN_A_WORLD(a_socket_is_ipv4_stream_or_datagram),
		IN_A_WORLD(errors_of_the_stack_come_back_positive),
		IN_A_WORLD(errno_is_left_alone),
		IN_A_WORLD(an_address_has_the_right_length_and_family),
		IN_A_WORLD(an_address_may_lie_anywhere),
		IN_A_WORLD(a_backlog_is_at_least_one),
		IN_A_WORLD(an_sga_has_one_segment_of_the_size_asked_for),
		IN_A_WORLD(an_sga_of_no_or_too_many_bytes_is_empty),
		IN_A_WORLD(an_sga_that_is_not_whole_is_not_freed),
		IN_A_WORLD(a_push_is_one_segment_inside_its_buffer),
		IN_A_WORLD(a_datagram_goes_where_it_is_told_to),
		IN_A_WORLD(options_pass_through),
		IN_A_WORLD(a_name_is_cut_to_the_room_there_is),
		IN_A_WORLD(pipes_check_their_name_and_are_not_there),
		IN_A_WORLD(shutdown_says_which_way),
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
