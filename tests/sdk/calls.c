/* The calls of libos.h, sga.h and ext.h: arguments and errors. */
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

/* Runs every call with the arguments of a reasonable program; all must give the same. */
static void expect_all(int expected)
{
	const struct sockaddr_in in = fake_address();
	struct sockaddr_in out;
	socklen_t out_len = sizeof(out);
	const struct timespec once = {0, 0};
	demi_sgarray_t sga = {0};
	demi_qtoken_t qt = 0;
	demi_qresult_t qr;
	int number = 1;

	assert_int_equal(demi_socket(&number, AF_INET, SOCK_STREAM, 0), expected);
	assert_int_equal(demi_bind(1, fake_generic(&in), sizeof(in)), expected);
	assert_int_equal(demi_listen(1, 1), expected);
	assert_int_equal(demi_accept(&qt, 1), expected);
	assert_int_equal(demi_connect(&qt, 1, fake_generic(&in), sizeof(in)), expected);
	assert_int_equal(demi_close(1), expected);
	assert_int_equal(demi_push(&qt, 1, &sga), expected);
	assert_int_equal(demi_pushto(&qt, 1, &sga, fake_generic(&in), sizeof(in)), expected);
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
	const struct sockaddr_in in = fake_address();

	(void)state;
	fake_reset();
	expect_all(ENOSYS);
	assert_int_equal(demi_fini(), ENOSYS);
	assert_int_equal(demi_describe(describe_nothing, NULL), ENOSYS);
	assert_int_equal(demi_shard_figures(0, &figures), ENOSYS);
	assert_int_equal(demi_shard_self(), -1);
	assert_int_equal(demi_shard_count(), 0);
	assert_int_equal(
		demi_shard_of(fake_generic(&in), sizeof(in), fake_generic(&in), sizeof(in)), -1);
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
	struct sockaddr_in in = fake_address();
	demi_qtoken_t qt;

	(void)state;
	assert_int_equal(demi_bind(1, fake_generic(&in), sizeof(in) - 1), EINVAL);
	assert_int_equal(demi_bind(1, fake_generic(&in), sizeof(struct sockaddr_storage)), EINVAL);
	assert_int_equal(demi_bind(1, fake_generic(&in), 0), EINVAL);
	assert_int_equal(demi_connect(&qt, 1, fake_generic(&in), 4), EINVAL);
	in.sin_family = AF_INET6;
	assert_int_equal(demi_bind(1, fake_generic(&in), sizeof(in)), ENOTSUP);
	assert_int_equal(demi_connect(&qt, 1, fake_generic(&in), sizeof(in)), ENOTSUP);
	assert_int_equal(fake.calls, 0);
}

static void an_address_may_lie_anywhere(void **state)
{
	const struct sockaddr_in in = fake_address();
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
	struct sockaddr_in in = fake_address();
	demi_qtoken_t qt;

	(void)state;
	assert_int_equal(demi_pushto(&qt, 4, &sga, fake_generic(&in), sizeof(in)), 0);
	assert_true(fake.with_address);
	assert_int_equal(fake.address.port, htons(7777));
	assert_int_equal(demi_pushto(&qt, 4, &sga, fake_generic(&in), 3), EINVAL);
	in.sin_family = AF_UNIX;
	assert_int_equal(demi_pushto(&qt, 4, &sga, fake_generic(&in), sizeof(in)), ENOTSUP);
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

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fake_begin, fake_finish)

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
