/* A program on two shards, on the real stack, with a device that receives nothing. */
#include "tests/mem/cmocka_all.h"
#include "tests/sdk/quiet.h"

#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct timespec once = {0, 0};

enum { MESSAGE_COUNT = 1000, MESSAGE_LEN = 3000 };

static int send_all(int qd)
{
	for (int i = 0; i < MESSAGE_COUNT; i++) {
		demi_sgarray_t sga = demi_sgaalloc(MESSAGE_LEN);
		demi_qresult_t qr;
		demi_qtoken_t qt;

		if (sga.sga_buf == NULL)
			return 1;
		memset(sga.sga_segs[0].sgaseg_buf, i, MESSAGE_LEN);
		if (demi_push(&qt, qd, &sga) != 0 || demi_sgafree(&sga) != 0)
			return 2;
		if (demi_wait(&qr, qt, NULL) != 0 || qr.qr_opcode != DEMI_OPC_PUSH)
			return 3;
	}
	return demi_close(qd);
}

static int receive_all(int qd)
{
	for (int i = 0; i <= MESSAGE_COUNT; i++) {
		const unsigned char *bytes;
		demi_qresult_t qr;
		demi_qtoken_t qt;

		if (demi_pop(&qt, qd) != 0 || demi_wait(&qr, qt, NULL) != 0 ||
		    qr.qr_opcode != DEMI_OPC_POP)
			return 11;
		bytes = qr.qr_value.sga.sga_segs[0].sgaseg_buf;
		if (qr.qr_value.sga.sga_segs[0].sgaseg_len != (i < MESSAGE_COUNT ? MESSAGE_LEN : 0))
			return 12;
		if (i < MESSAGE_COUNT &&
		    (bytes[0] != (i & 255) || bytes[MESSAGE_LEN - 1] != bytes[0]))
			return 13;
		if (demi_sgafree(&qr.qr_value.sga) != 0)
			return 14;
	}
	return demi_close(qd);
}

static int talk(void *arg)
{
	const int self = demi_shard_self();
	int qd = -1;

	(void)arg;
	if (demi_shard_count() != 2 || demi_shard_channel(&qd, self) != EINVAL ||
	    demi_shard_channel(&qd, 2) != EINVAL || demi_shard_channel(&qd, 1 - self) != 0)
		return 20;
	return self == 0 ? send_all(qd) : receive_all(qd);
}

static void shards_talk_in_order_and_without_loss(void **state)
{
	(void)state;
	assert_int_equal(demi_shard_run(NULL, talk, NULL), 0);
	assert_int_equal(demi_shard_self(), -1);
}

/* What shard 0 made, shard 1 tries to use. */
static struct {
	demi_qtoken_t qt;
	demi_sgarray_t sga;
	int qd, done;
} made;

static int await(int *flag)
{
	demi_qresult_t qr;
	int count;

	while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE)) {
		const int error = demi_wait_next_n(&qr, 1, &count, &once);

		if (error != ETIMEDOUT)
			return error + 100;
	}
	return 0;
}

static int try_foreign(void)
{
	const int qd = socket_of(SOCK_DGRAM);
	demi_sgarray_t own = demi_sgaalloc(1);
	struct sockaddr_in to = address("10.0.0.2", 9);
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int bad = 0;

	bad |= bind_to(qd, "10.0.0.1", 54) != 0;
	bad |= demi_pop(&qt, made.qd) != EBADF;
	bad |= demi_close(made.qd) != EBADF;
	bad |= demi_wait(&qr, made.qt, &once) != EINVAL;
	bad |= demi_sgafree(&made.sga) != EINVAL;
	bad |= demi_pushto(&qt, qd, &made.sga, (struct sockaddr *)&to, sizeof(to)) != EINVAL;
	bad |= demi_sgafree(&own) != 0;
	return bad | (demi_close(qd) != 0);
}

static int share(void *arg)
{
	static int ready;
	int error;

	(void)arg;
	if (demi_shard_self() == 1) {
		error = await(&ready);
		error = error != 0 ? error : try_foreign();
		__atomic_store_n(&made.done, 1, __ATOMIC_RELEASE);
		return error;
	}
	made.qd = socket_of(SOCK_DGRAM);
	made.sga = demi_sgaalloc(10);
	if (bind_to(made.qd, "10.0.0.1", 53) != 0 || demi_pop(&made.qt, made.qd) != 0)
		return 31;
	__atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
	error = await(&made.done);
	if (error != 0)
		return error;
	return demi_close(made.qd) != 0 || demi_sgafree(&made.sga) != 0;
}

static void what_is_another_shards_is_refused(void **state)
{
	(void)state;
	assert_int_equal(demi_shard_run(NULL, share, NULL), 0);
}

static int wait_for_stop(void *arg)
{
	demi_qresult_t qr;
	int count;

	(void)arg;
	if (demi_shard_self() == 1)
		return demi_shard_stop();
	return demi_wait_next_n(&qr, 1, &count, NULL) == ECANCELED ? 0 : 41;
}

static void one_shard_stops_all(void **state)
{
	(void)state;
	assert_int_equal(demi_shard_run(NULL, wait_for_stop, NULL), 0);
}

/* Each shard opens the same port, and sees the figures of both. */
static int share_port(void *arg)
{
	struct demi_shard_figures figures = {.size = sizeof(figures)};
	const int a = socket_of(SOCK_STREAM), b = socket_of(SOCK_STREAM);

	(void)arg;
	if (bind_to(a, "10.0.0.1", 80) != 0 || demi_listen(a, 16) != 0)
		return 51;
	if (bind_to(b, "10.0.0.1", 80) != EADDRINUSE)
		return 52;
	for (int i = 0; i < 2; i++) {
		if (demi_shard_figures(i, &figures) != 0 || figures.mbufs_total == 0)
			return 53;
	}
	if (demi_shard_figures(2, &figures) != EINVAL)
		return 54;
	return demi_close(a) != 0 || demi_close(b) != 0;
}

static void a_port_can_be_opened_on_every_shard(void **state)
{
	(void)state;
	assert_int_equal(demi_shard_run(NULL, share_port, NULL), 0);
}

static int leave_all_open(void *arg)
{
	const int udp = socket_of(SOCK_DGRAM), tcp = socket_of(SOCK_STREAM);
	demi_qtoken_t qt;

	(void)arg;
	return bind_to(udp, "10.0.0.1", 53) != 0 || demi_pop(&qt, udp) != 0 ||
	       bind_to(tcp, "10.0.0.1", 80) != 0 || demi_listen(tcp, 1) != 0 ||
	       demi_accept(&qt, tcp) != 0;
}

static void what_a_shard_leaves_open_is_closed(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(demi_shard_run(NULL, leave_all_open, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shards_talk_in_order_and_without_loss),
		cmocka_unit_test(what_is_another_shards_is_refused),
		cmocka_unit_test(one_shard_stops_all),
		cmocka_unit_test(a_port_can_be_opened_on_every_shard),
		cmocka_unit_test(what_a_shard_leaves_open_is_closed),
	};
	int failed;

	if (quiet_config() != 0)
		return EXIT_FAILURE;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	quiet_config_remove();
	return failed;
}
