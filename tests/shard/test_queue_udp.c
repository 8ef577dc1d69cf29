#include "tests/shard/cm.h"
#include "tests/shard/solo.h"

#include <errno.h>

static const struct net_endpoint remote = {.addr = {RTE_BE32(0x0a000002)}, .port = RTE_BE16(53)};
static struct shard_result result;

static int32_t datagram(void)
{
	int32_t qd;

	assert_int_equal(shard_socket(solo, SHARD_DGRAM, &qd), 0);
	return qd;
}

static int push_to(int32_t qd, const char *text, const struct net_endpoint *dest, uint64_t *token)
{
	struct rte_mbuf *m = solo_sga(text);
	int rc = shard_push(solo, qd, m, rte_pktmbuf_mtod(m, void *), m->data_len, dest, token);

	solo_free(m);
	return rc;
}

static void a_push_is_done_at_once_and_binds_the_socket(void **state)
{
	uint64_t token;
	int32_t qd = datagram();

	(void)state;
	assert_int_equal(push_to(qd, "q", &remote, &token), 0);
	assert_int_equal(solo_result(token).opcode, SHARD_OP_PUSH);
	assert_int_equal(fake_datagrams_sent(solo->net), 1);
}

static void a_push_without_a_destination_is_refused(void **state)
{
	uint64_t token;

	(void)state;
	assert_int_equal(push_to(datagram(), "q", NULL, &token), -EDESTADDRREQ);
}

static void what_streams_do_is_not_for_datagrams(void **state)
{
	struct net_endpoint peer;
	uint64_t token;
	int32_t qd = datagram();

	(void)state;
	assert_int_equal(shard_listen(solo, qd, 1), -EOPNOTSUPP);
	assert_int_equal(shard_accept(solo, qd, &token), -EOPNOTSUPP);
	assert_int_equal(shard_connect(solo, qd, &remote, &token), -EOPNOTSUPP);
	assert_int_equal(shard_remote(solo, qd, &peer), -ENOTSUP);
}

static void a_socket_is_bound_once(void **state)
{
	struct net_endpoint local = solo_endpoint(0, 5353), got;
	int32_t qd = datagram();

	(void)state;
	assert_int_equal(shard_bind(solo, qd, &local), 0);
	assert_int_equal(shard_bind(solo, qd, &local), -EINVAL);
	assert_int_equal(shard_local(solo, qd, &got), 0);
	assert_int_equal(got.port, RTE_BE16(5353));
}

static void a_pop_tells_who_sent_the_datagram(void **state)
{
	int32_t qd = datagram();
	uint64_t first = solo_pop(qd), second = solo_pop(qd);

	(void)state;
	solo_assert_pending(first);
	fake_datagram(solo->net, "one");
	fake_datagram(solo->net, "two");
	result = solo_result(first);
	assert_int_equal(result.pop.from.port, RTE_BE16(53));
	assert_int_equal(result.pop.len, 3);
	solo_free(result.pop.handle);
	solo_assert_popped(second, "two");
}

static void pushes_without_room_wait_in_order_even_beyond_close(void **state)
{
	int32_t qd = datagram();
	uint64_t first, second;

	(void)state;
	fake_datagrams_blocked(solo->net, true);
	assert_int_equal(push_to(qd, "1", &remote, &first), 0);
	assert_int_equal(push_to(qd, "2", &remote, &second), 0);
	solo_assert_pending(first);
	assert_int_equal(shard_close(solo, qd), 0);
	solo_assert_failed(first, ECANCELED);
	solo_assert_failed(second, ECANCELED);
	assert_int_equal(solo->queues.used, 1);
	fake_datagrams_blocked(solo->net, false);
	solo_turn();
	assert_int_equal(fake_datagrams_sent(solo->net), 2);
	assert_int_equal(solo->queues.used, 0);
}

static void close_cancels_pops(void **state)
{
	int32_t qd = datagram();
	uint64_t token = solo_pop(qd);

	(void)state;
	assert_int_equal(shard_close(solo, qd), 0);
	solo_assert_failed(token, ECANCELED);
}

static void async_close_completes_when_everything_went(void **state)
{
	int32_t qd = datagram();
	uint64_t push, token;

	(void)state;
	fake_datagrams_blocked(solo->net, true);
	assert_int_equal(push_to(qd, "1", &remote, &push), 0);
	assert_int_equal(shard_close_async(solo, qd, &token), 0);
	solo_assert_pending(token);
	fake_datagrams_blocked(solo->net, false);
	assert_int_equal(solo_result(push).opcode, SHARD_OP_PUSH);
	assert_int_equal(solo_result(token).opcode, SHARD_OP_CLOSE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, solo_begin, solo_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_push_is_done_at_once_and_binds_the_socket),
		TEST(a_push_without_a_destination_is_refused),
		TEST(what_streams_do_is_not_for_datagrams),
		TEST(a_socket_is_bound_once),
		TEST(a_pop_tells_who_sent_the_datagram),
		TEST(pushes_without_room_wait_in_order_even_beyond_close),
		TEST(close_cancels_pops),
		TEST(async_close_completes_when_everything_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
