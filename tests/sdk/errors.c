/*
 * The table of errors of the API, on the real stack: a program that uses the public headers and the
 * shared library, with a device that receives nothing.
 */
#include "tests/mem/cmocka_all.h"
#include "tests/sdk/quiet.h"

#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

static const struct timespec once = {0, 0};

static int begin(void **state)
{
	(void)state;
	return demi_init(NULL);
}

/* 0 only if no packet buffer is missing. */
static int finish(void **state)
{
	(void)state;
	return demi_fini();
}

static void expect_failed(demi_qtoken_t qt, int error)
{
	demi_qresult_t qr;

	assert_int_equal(demi_wait(&qr, qt, &once), 0);
	assert_int_equal(qr.qr_opcode, DEMI_OPC_FAILED);
	assert_int_equal(qr.qr_ret, error);
	assert_int_equal(qr.qr_qt, qt);
	assert_int_equal(demi_wait(&qr, qt, &once), EINVAL);
}

static void no_such_queue_is_ebadf(void **state)
{
	const int qds[] = {-1, 0, 12345, INT32_MAX};
	struct sockaddr_in in = address("10.0.0.1", 1);
	socklen_t len = sizeof(in);
	demi_sgarray_t sga = demi_sgaalloc(1);
	demi_qtoken_t qt;
	int value = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(bind_to(qds[i], "10.0.0.1", 1), EBADF);
		assert_int_equal(demi_listen(qds[i], 1), EBADF);
		assert_int_equal(demi_accept(&qt, qds[i]), EBADF);
		assert_int_equal(connect_to(&qt, qds[i], "10.0.0.2", 1), EBADF);
		assert_int_equal(demi_close(qds[i]), EBADF);
		assert_int_equal(demi_async_close(&qt, qds[i]), EBADF);
		assert_int_equal(demi_push(&qt, qds[i], &sga), EBADF);
		assert_int_equal(demi_pushto(&qt, qds[i], &sga, (struct sockaddr *)&in, sizeof(in)),
				 EBADF);
		assert_int_equal(demi_pop(&qt, qds[i]), EBADF);
		assert_int_equal(demi_shutdown(qds[i], SHUT_WR), EBADF);
		assert_int_equal(demi_getpeername(qds[i], (struct sockaddr *)&in, &len), EBADF);
		assert_int_equal(demi_getsockname(qds[i], (struct sockaddr *)&in, &len), EBADF);
		len = sizeof(value);
		assert_int_equal(demi_getsockopt(qds[i], SOL_SOCKET, SO_RCVBUF, &value, &len),
				 EBADF);
		assert_int_equal(demi_setsockopt(qds[i], SOL_SOCKET, SO_RCVBUF, &value, len),
				 EBADF);
		len = sizeof(in);
	}
	assert_int_equal(demi_sgafree(&sga), 0);
}

static void a_closed_queue_is_ebadf_even_when_its_place_is_used_again(void **state)
{
	const int old = socket_of(SOCK_STREAM);
	int new;

	(void)state;
	assert_int_equal(demi_close(old), 0);
	assert_int_equal(demi_close(old), EBADF);
	assert_int_equal(bind_to(old, "10.0.0.1", 80), EBADF);
	new = socket_of(SOCK_STREAM);
	assert_int_equal(bind_to(new, "10.0.0.1", 80), 0);
	assert_int_equal(demi_close(new), 0);
}

static void bind_refuses_what_is_not_ours_taken_or_bound(void **state)
{
	const int a = socket_of(SOCK_STREAM), b = socket_of(SOCK_STREAM);

	(void)state;
	assert_int_equal(bind_to(a, "10.0.0.9", 80), EADDRNOTAVAIL);
	assert_int_equal(bind_to(a, "10.0.0.1", 80), 0);
	assert_int_equal(bind_to(a, "10.0.0.1", 81), EINVAL);
	assert_int_equal(bind_to(b, "10.0.0.1", 80), EADDRINUSE);
	assert_int_equal(bind_to(b, "10.0.0.1", 81), 0);
	assert_int_equal(demi_close(a), 0);
	assert_int_equal(demi_close(b), 0);
}

static void any_address_and_any_port_can_be_bound(void **state)
{
	const int qd = socket_of(SOCK_STREAM);
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	(void)state;
	assert_int_equal(bind_to(qd, "0.0.0.0", 0), 0);
	assert_int_equal(demi_listen(qd, 1), 0);
	assert_int_equal(demi_getsockname(qd, (struct sockaddr *)&in, &len), 0);
	assert_int_equal(in.sin_family, AF_INET);
	assert_int_not_equal(in.sin_port, 0);
	assert_int_equal(demi_close(qd), 0);
}

static void a_socket_that_was_not_bound_has_an_address_of_zeros(void **state)
{
	const int types[] = {SOCK_STREAM, SOCK_DGRAM};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		const int qd = socket_of(types[i]);
		struct sockaddr_in in;
		socklen_t len = sizeof(in);

		memset(&in, 1, sizeof(in));
		assert_int_equal(demi_getsockname(qd, (struct sockaddr *)&in, &len), 0);
		assert_int_equal(len, sizeof(in));
		assert_int_equal(in.sin_family, AF_INET);
		assert_int_equal(in.sin_port, 0);
		assert_int_equal(in.sin_addr.s_addr, 0);
		assert_int_equal(demi_close(qd), 0);
	}
}

static void a_port_is_free_again_after_close(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		const int qd = socket_of(SOCK_STREAM);

		assert_int_equal(bind_to(qd, "10.0.0.1", 80), 0);
		assert_int_equal(demi_listen(qd, 1), 0);
		assert_int_equal(demi_close(qd), 0);
	}
}

static void listen_needs_a_bound_stream_that_does_nothing_else(void **state)
{
	const int qd = socket_of(SOCK_STREAM), udp = socket_of(SOCK_DGRAM);
	demi_qtoken_t qt;

	(void)state;
	assert_int_equal(demi_listen(qd, 0), EINVAL);
	assert_int_equal(demi_listen(qd, 1), EDESTADDRREQ);
	assert_int_equal(bind_to(qd, "10.0.0.1", 80), 0);
	assert_int_equal(demi_accept(&qt, qd), EINVAL);
	assert_int_equal(demi_listen(qd, 1), 0);
	assert_int_equal(demi_listen(qd, 1), EADDRINUSE);
	assert_int_equal(connect_to(&qt, qd, "10.0.0.2", 80), EOPNOTSUPP);
	assert_int_equal(bind_to(udp, "10.0.0.1", 80), 0);
	assert_int_not_equal(demi_listen(udp, 1), 0);
	assert_int_equal(demi_close(udp), 0);
	assert_int_equal(demi_close(qd), 0);
}

static void a_connecting_socket_is_busy(void **state)
{
	const int qd = socket_of(SOCK_STREAM);
	demi_sgarray_t sga = demi_sgaalloc(1);
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	demi_qtoken_t connecting, qt;

	(void)state;
	assert_int_equal(demi_push(&qt, qd, &sga), ENOTCONN);
	assert_int_equal(demi_pop(&qt, qd), ENOTCONN);
	assert_int_equal(connect_to(&connecting, qd, "10.0.0.2", 80), 0);
	assert_int_equal(connect_to(&qt, qd, "10.0.0.2", 80), EINPROGRESS);
	assert_int_equal(demi_listen(qd, 1), EADDRINUSE);
	assert_int_equal(demi_push(&qt, qd, &sga), ENOTCONN);
	assert_int_equal(demi_getpeername(qd, (struct sockaddr *)&in, &len), ENOTCONN);
	assert_int_equal(demi_close(qd), 0);
	expect_failed(connecting, ECANCELED);
	assert_int_equal(demi_sgafree(&sga), 0);
}

static void connect_refuses_addresses_that_cannot_be_peers(void **state)
{
	const char *const bad[] = {"224.0.0.1", "255.255.255.255", "10.0.0.255", "0.0.0.0"};
	const int qd = socket_of(SOCK_STREAM);
	demi_qtoken_t qt;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_not_equal(connect_to(&qt, qd, bad[i], 80), 0);
	assert_int_not_equal(connect_to(&qt, qd, "10.0.0.2", 0), 0);
	assert_int_equal(demi_close(qd), 0);
}

static void close_cancels_what_is_outstanding(void **state)
{
	const int qd = socket_of(SOCK_STREAM), udp = socket_of(SOCK_DGRAM);
	demi_qtoken_t accepts[10], pop;

	(void)state;
	assert_int_equal(bind_to(qd, "10.0.0.1", 80), 0);
	assert_int_equal(demi_listen(qd, 1), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(demi_accept(&accepts[i], qd), 0);
	assert_int_equal(bind_to(udp, "10.0.0.1", 53), 0);
	assert_int_equal(demi_pop(&pop, udp), 0);
	assert_int_equal(demi_close(qd), 0);
	assert_int_equal(demi_close(udp), 0);
	for (int i = 0; i < 10; i++)
		expect_failed(accepts[i], ECANCELED);
	expect_failed(pop, ECANCELED);
}

static void a_wait_knows_its_tokens(void **state)
{
	const int udp = socket_of(SOCK_DGRAM);
	const struct timespec moment = {0, 1000000};
	demi_qtoken_t qts[2];
	demi_qresult_t qr;
	int offset = 7, count = 7;

	(void)state;
	assert_int_equal(bind_to(udp, "10.0.0.1", 53), 0);
	assert_int_equal(demi_pop(&qts[0], udp), 0);
	qts[1] = UINT64_C(0x123456789);
	assert_int_equal(demi_wait(&qr, qts[1], &once), EINVAL);
	assert_int_equal(demi_wait(&qr, 0, NULL), EINVAL);
	assert_int_equal(demi_wait(&qr, UINT64_MAX, NULL), EINVAL);
	assert_int_equal(demi_wait_any(&qr, &offset, qts, 2, NULL), EINVAL);
	assert_int_equal(demi_wait(&qr, qts[0], &once), ETIMEDOUT);
	assert_int_equal(demi_wait(&qr, qts[0], &moment), ETIMEDOUT);
	assert_int_equal(demi_wait_any(&qr, &offset, qts, 1, &once), ETIMEDOUT);
	assert_int_equal(demi_wait_any(&qr, &offset, qts, -1, &once), EINVAL);
	assert_int_equal(demi_wait_next_n(&qr, 1, &count, &once), ETIMEDOUT);
	assert_int_equal(count, 0);
	assert_int_equal(demi_close(udp), 0);
	assert_int_equal(demi_wait_any(&qr, &offset, qts, 1, NULL), 0);
	assert_int_equal(offset, 0);
	assert_int_equal(qr.qr_ret, ECANCELED);
	assert_int_equal(demi_wait_any(&qr, &offset, qts, 1, NULL), EINVAL);
}

static void wait_next_n_takes_results_that_nobody_asked_for(void **state)
{
	const int udp = socket_of(SOCK_DGRAM);
	demi_qtoken_t qts[5];
	demi_qresult_t qrs[8];
	int count = 0;

	(void)state;
	assert_int_equal(bind_to(udp, "10.0.0.1", 53), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(demi_pop(&qts[i], udp), 0);
	assert_int_equal(demi_close(udp), 0);
	assert_int_equal(demi_wait_next_n(qrs, 2, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_int_equal(demi_wait_next_n(qrs, 8, &count, &once), ETIMEDOUT);
	assert_int_equal(count, 3);
	for (int i = 0; i < 5; i++)
		assert_int_equal(demi_wait(qrs, qts[i], &once), EINVAL);
}

static void datagrams_go_out_and_know_their_limits(void **state)
{
	const int udp = socket_of(SOCK_DGRAM), tcp = socket_of(SOCK_STREAM);
	struct sockaddr_in to = address("10.0.0.2", 9);
	const struct sockaddr *dest = (const struct sockaddr *)&to;
	socklen_t len = sizeof(to);
	demi_sgarray_t sga = demi_sgaalloc(100), large = demi_sgaalloc(60000);
	demi_qresult_t qr;
	demi_qtoken_t qt;

	(void)state;
	assert_int_equal(bind_to(udp, "10.0.0.1", 53), 0);
	assert_int_equal(demi_pushto(&qt, udp, &sga, dest, sizeof(to)), 0);
	assert_int_equal(demi_wait(&qr, qt, NULL), 0);
	assert_int_equal(qr.qr_opcode, DEMI_OPC_PUSH);
	assert_int_equal(qr.qr_qd, udp);
	assert_int_equal(demi_pushto(&qt, tcp, &sga, dest, sizeof(to)), ENOTSUP);
	assert_int_equal(demi_getpeername(udp, (struct sockaddr *)&to, &len), ENOTSUP);
	if (demi_pushto(&qt, udp, &large, dest, sizeof(to)) == 0)
		expect_failed(qt, EMSGSIZE);
	assert_int_equal(demi_close(udp), 0);
	assert_int_equal(demi_close(tcp), 0);
	assert_int_equal(demi_sgafree(&sga), 0);
	assert_int_equal(demi_sgafree(&large), 0);
}

static void an_sga_is_freed_once(void **state)
{
	demi_sgarray_t sga = demi_sgaalloc(65535), other = {.sga_numsegs = 1};

	(void)state;
	memset(sga.sga_segs[0].sgaseg_buf, 1, 65535);
	assert_int_equal(demi_sgafree(&sga), 0);
	assert_int_equal(demi_sgafree(&sga), EINVAL);
	other.sga_buf = &other;
	assert_int_equal(demi_sgafree(&other), EINVAL);
	other.sga_buf = (void *)8;
	assert_int_equal(demi_sgafree(&other), EINVAL);
	assert_null(demi_sgaalloc(65536).sga_buf);
}

static void options_are_set_and_read(void **state)
{
	const int qd = socket_of(SOCK_STREAM);
	const int one = 1;
	struct linger linger = {.l_onoff = 1, .l_linger = 3};
	int value = 0;
	socklen_t len = sizeof(value);

	(void)state;
	assert_int_equal(demi_setsockopt(qd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
	assert_int_equal(demi_getsockopt(qd, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
	assert_int_equal(value, 1);
	assert_int_equal(demi_setsockopt(qd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	linger.l_linger = 0;
	len = sizeof(linger);
	assert_int_equal(demi_getsockopt(qd, SOL_SOCKET, SO_LINGER, &linger, &len), 0);
	assert_int_equal(linger.l_linger, 3);
	len = sizeof(value);
	assert_int_equal(demi_getsockopt(qd, SOL_SOCKET, SO_ERROR, &value, &len), 0);
	assert_int_equal(value, 0);
	assert_int_equal(demi_setsockopt(qd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)),
			 ENOPROTOOPT);
	assert_int_equal(demi_getsockopt(qd, 4711, 1, &value, &len), ENOPROTOOPT);
	assert_int_equal(demi_setsockopt(qd, IPPROTO_TCP, TCP_NODELAY, &one, 1), EINVAL);
	assert_int_equal(demi_close(qd), 0);
}

static void async_close_completes(void **state)
{
	const int qd = socket_of(SOCK_STREAM);
	demi_qresult_t qr;
	demi_qtoken_t qt;

	(void)state;
	assert_int_equal(demi_async_close(&qt, qd), 0);
	assert_int_equal(demi_close(qd), EBADF);
	assert_int_equal(demi_wait(&qr, qt, NULL), 0);
	assert_int_equal(qr.qr_opcode, DEMI_OPC_CLOSE);
	assert_int_equal(qr.qr_qd, qd);
}

static void a_stopped_shard_waits_no_more(void **state)
{
	const int udp = socket_of(SOCK_DGRAM);
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int offset, count;

	(void)state;
	assert_int_equal(bind_to(udp, "10.0.0.1", 53), 0);
	assert_int_equal(demi_pop(&qt, udp), 0);
	assert_int_equal(demi_shard_stop(), 0);
	assert_int_equal(demi_wait(&qr, qt, NULL), ECANCELED);
	assert_int_equal(demi_wait_any(&qr, &offset, &qt, 1, NULL), ECANCELED);
	assert_int_equal(demi_wait_next_n(&qr, 1, &count, NULL), ECANCELED);
	assert_int_equal(count, 0);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(no_such_queue_is_ebadf),
		IN_A_WORLD(a_closed_queue_is_ebadf_even_when_its_place_is_used_again),
		IN_A_WORLD(bind_refuses_what_is_not_ours_taken_or_bound),
		IN_A_WORLD(any_address_and_any_port_can_be_bound),
		IN_A_WORLD(a_socket_that_was_not_bound_has_an_address_of_zeros),
		IN_A_WORLD(a_port_is_free_again_after_close),
		IN_A_WORLD(listen_needs_a_bound_stream_that_does_nothing_else),
		IN_A_WORLD(a_connecting_socket_is_busy),
		IN_A_WORLD(connect_refuses_addresses_that_cannot_be_peers),
		IN_A_WORLD(close_cancels_what_is_outstanding),
		IN_A_WORLD(a_wait_knows_its_tokens),
		IN_A_WORLD(wait_next_n_takes_results_that_nobody_asked_for),
		IN_A_WORLD(datagrams_go_out_and_know_their_limits),
		IN_A_WORLD(an_sga_is_freed_once),
		IN_A_WORLD(options_are_set_and_read),
		IN_A_WORLD(async_close_completes),
		IN_A_WORLD(a_stopped_shard_waits_no_more),
	};
	int failed;

	if (quiet_config() != 0)
		return EXIT_FAILURE;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	quiet_config_remove();
	return failed;
}
