#include "tests/shard/cm.h"
#include "tests/shard/fake_nic.h"
#include "tests/shard/solo.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static const struct net_endpoint remote = {.addr = {RTE_BE32(0x0a000002)}, .port = RTE_BE16(80)};

static int32_t stream(void)
{
	int32_t qd;

	assert_int_equal(shard_socket(solo, SHARD_STREAM, &qd), 0);
	return qd;
}

static uint64_t accept_on(int32_t qd)
{
	uint64_t token;

	assert_int_equal(shard_accept(solo, qd, &token), 0);
	return token;
}

/* --- names and states --- */
static void a_queue_descriptor_is_positive_and_a_strange_one_is_bad(void **state)
{
	int32_t qd = stream();
	const int32_t strange[] = {0, -1, INT32_MAX, qd + 1, qd | 1 << 24};
	uint64_t token;

	(void)state;
	assert_true(qd > 0);
	for (unsigned i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		assert_int_equal(shard_pop(solo, strange[i], &token), -EBADF);
		assert_int_equal(shard_close(solo, strange[i]), -EBADF);
	}
	assert_int_equal(shard_close(solo, qd), 0);
	assert_int_equal(shard_close(solo, qd), -EBADF);
}

static void a_closed_descriptor_is_not_used_again_at_once(void **state)
{
	int32_t first = stream(), second;

	(void)state;
	assert_int_equal(shard_close(solo, first), 0);
	second = stream();
	assert_int_not_equal(first, second);
}

static void more_queues_than_configured_are_refused(void **state)
{
	int32_t qd;

	(void)state;
	for (unsigned i = 0; i < solo->queues.count; i++)
		stream();
	assert_int_equal(shard_socket(solo, SHARD_STREAM, &qd), -EMFILE);
}

static void bind_answers_as_the_table_says(void **state)
{
	struct net_endpoint ours = solo_endpoint(0x0a000001, 80), any = solo_endpoint(0, 80);
	struct net_endpoint theirs = solo_endpoint(0x0a000009, 80);
	int32_t a = stream(), b = stream();

	(void)state;
	assert_int_equal(shard_bind(solo, a, &theirs), -EADDRNOTAVAIL);
	assert_int_equal(shard_bind(solo, a, &ours), 0);
	assert_int_equal(shard_bind(solo, a, &ours), -EINVAL);
	assert_int_equal(shard_bind(solo, b, &ours), -EADDRINUSE);
	assert_int_equal(shard_bind(solo, b, &any), -EADDRINUSE);
	assert_int_equal(shard_close(solo, a), 0);
	assert_int_equal(shard_bind(solo, b, &any), 0);
}

static void port_0_is_chosen_at_bind(void **state)
{
	struct net_endpoint any = solo_endpoint(0x0a000001, 0), local;
	int32_t qd = stream();

	(void)state;
	assert_int_equal(shard_bind(solo, qd, &any), 0);
	assert_int_equal(shard_local(solo, qd, &local), 0);
	assert_true(rte_be_to_cpu_16(local.port) >= 32768 && rte_be_to_cpu_16(local.port) <= 60999);
}

static void listen_answers_as_the_table_says(void **state)
{
	struct net_endpoint local = solo_endpoint(0x0a000001, 80);
	struct tcp_conn *conn;
	int32_t qd = stream(), connected;
	uint64_t token;

	(void)state;
	assert_int_equal(shard_listen(solo, qd, 0), -EINVAL);
	assert_int_equal(shard_listen(solo, qd, 1), -EDESTADDRREQ);
	assert_int_equal(shard_accept(solo, qd, &token), -EINVAL);
	assert_int_equal(shard_bind(solo, qd, &local), 0);
	assert_int_equal(shard_listen(solo, qd, 1), 0);
	assert_int_equal(shard_listen(solo, qd, 1), -EADDRINUSE);
	assert_int_equal(shard_connect(solo, qd, &remote, &token), -EOPNOTSUPP);
	connected = solo_connected(&conn);
	assert_int_equal(shard_listen(solo, connected, 1), -EISCONN);
}

static void connect_answers_as_the_table_says(void **state)
{
	struct net_endpoint peer;
	uint64_t token, other;
	int32_t qd = stream();

	(void)state;
	assert_int_equal(shard_remote(solo, qd, &peer), -ENOTCONN);
	assert_int_equal(shard_connect(solo, qd, &remote, &token), 0);
	assert_int_equal(shard_connect(solo, qd, &remote, &other), -EINPROGRESS);
	assert_int_equal(shard_listen(solo, qd, 1), -EADDRINUSE);
	assert_int_equal(shard_pop(solo, qd, &other), -ENOTCONN);
	solo_assert_pending(token);
	fake_established(solo->net, fake_last());
	assert_int_equal(solo_result(token).opcode, SHARD_OP_CONNECT);
	assert_int_equal(shard_connect(solo, qd, &remote, &other), -EISCONN);
	assert_int_equal(shard_remote(solo, qd, &peer), 0);
	assert_int_equal(peer.port, RTE_BE16(80));
}

static void a_refused_connect_fails_and_may_be_tried_again(void **state)
{
	uint64_t token;
	int32_t qd = stream();
	int error = 0;
	uint32_t len = sizeof(error);

	(void)state;
	assert_int_equal(shard_connect(solo, qd, &remote, &token), 0);
	fake_fail(solo->net, fake_last(), ECONNREFUSED);
	solo_assert_failed(token, ECONNREFUSED);
	assert_int_equal(shard_option_get(solo, qd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	assert_int_equal(error, ECONNREFUSED);
	assert_int_equal(shard_connect(solo, qd, &remote, &token), 0);
	fake_established(solo->net, fake_last());
	assert_int_equal(solo_result(token).opcode, SHARD_OP_CONNECT);
}

/* --- accepts --- */
static void accepts_complete_in_order_whoever_comes_first(void **state)
{
	int32_t qd = solo_listening(80);
	struct shard_result result;
	uint64_t first, second, third;

	(void)state;
	fake_arrive(solo->net, 80);
	solo_turn();
	first = accept_on(qd);
	second = accept_on(qd);
	third = accept_on(qd);
	result = solo_result(first);
	assert_int_equal(result.opcode, SHARD_OP_ACCEPT);
	assert_int_equal(result.qd, qd);
	assert_int_not_equal(result.accept.qd, qd);
	assert_int_not_equal(result.accept.peer.port, 0);
	solo_assert_pending(second);
	fake_arrive(solo->net, 80);
	fake_arrive(solo->net, 80);
	solo_turn();
	assert_true(solo_result(third).accept.peer.port > solo_result(second).accept.peer.port);
}

static void closing_a_listener_cancels_its_accepts(void **state)
{
	int32_t qd = solo_listening(80);
	uint64_t token = accept_on(qd), other;

	(void)state;
	assert_int_equal(shard_close(solo, qd), 0);
	solo_assert_failed(token, ECANCELED);
	assert_int_equal(shard_accept(solo, qd, &other), -EBADF);
}

static void without_a_free_descriptor_a_connection_waits_for_one(void **state)
{
	int32_t qd = solo_listening(80), spare = 0;
	uint64_t token;

	(void)state;
	while (solo->queues.used < solo->queues.count)
		spare = stream();
	token = accept_on(qd);
	fake_arrive(solo->net, 80);
	solo_assert_pending(token);
	assert_int_equal(shard_close(solo, spare), 0);
	assert_int_equal(solo_result(token).opcode, SHARD_OP_ACCEPT);
}

/* --- pops --- */
static void pops_complete_in_order_with_what_arrives(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	uint64_t a = solo_pop(qd), b = solo_pop(qd), c;

	(void)state;
	solo_assert_pending(a);
	fake_receive(solo->net, conn, "one");
	fake_receive(solo->net, conn, "two");
	fake_receive(solo->net, conn, "three");
	solo_assert_popped(a, "one");
	solo_assert_popped(b, "two");
	c = solo_pop(qd);
	solo_assert_popped(c, "three");
}

static void a_fin_is_a_zero_length_pop_again_and_again(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	uint64_t a = solo_pop(qd), b = solo_pop(qd);

	(void)state;
	fake_receive(solo->net, conn, "last words");
	fake_fin(solo->net, conn);
	solo_assert_popped(a, "last words");
	solo_assert_popped(b, "");
	solo_assert_popped(solo_pop(qd), "");
}

static void a_reset_fails_every_pending_token_exactly_once(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	uint64_t sent, waiting, pop, other;
	struct shard_result result;

	(void)state;
	pop = solo_pop(qd);
	other = solo_pop(qd);
	sent = solo_push(qd, "sent");
	fake_room(solo->net, conn, 0);
	waiting = solo_push(qd, "waiting");
	fake_fail(solo->net, conn, ECONNRESET);
	solo_assert_failed(pop, ECONNRESET);
	solo_assert_failed(other, ECONNRESET);
	solo_assert_failed(sent, ECONNRESET);
	solo_assert_failed(waiting, ECONNRESET);
	assert_int_equal(shard_wait(solo, pop, 0, &result), -EINVAL);
	solo_assert_failed(solo_pop(qd), ECONNRESET);
}

/* MUST-47 */
static void whatever_ends_a_connection_is_what_its_tokens_say(void **state)
{
	static const int errors[] = {ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ECONNABORTED};

	(void)state;
	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct tcp_conn *conn;
		int32_t qd = solo_connected(&conn);
		uint64_t pop = solo_pop(qd), sent = solo_push(qd, "sent"), waiting, ending;

		fake_room(solo->net, conn, 0);
		waiting = solo_push(qd, "waiting");
		if (i % 2)
			assert_int_equal(shard_close_async(solo, qd, &ending), 0);
		fake_fail(solo->net, conn, errors[i]);
		solo_assert_failed(pop, i % 2 ? ECANCELED : errors[i]);
		solo_assert_failed(sent, errors[i]);
		solo_assert_failed(waiting, errors[i]);
		if (i % 2)
			solo_assert_failed(ending, errors[i]);
		else
			assert_int_equal(shard_close(solo, qd), 0);
	}
}

/* RFC 6056 3.3.1 */
static void chosen_ports_do_not_follow_each_other(void **state)
{
	const struct net_endpoint any = {0};
	uint16_t last = 0;
	unsigned followed = 0;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct net_endpoint local;
		int32_t qd = stream();

		assert_int_equal(shard_bind(solo, qd, &any), 0);
		assert_int_equal(shard_local(solo, qd, &local), 0);
		followed += rte_be_to_cpu_16(local.port) == last + 1;
		last = rte_be_to_cpu_16(local.port);
		assert_int_equal(shard_close(solo, qd), 0);
	}
	assert_true(followed <= 1);
}

/* --- pushes --- */
static void a_push_completes_when_it_was_acknowledged(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	uint64_t a = solo_push(qd, "one"), b = solo_push(qd, "two");

	(void)state;
	solo_assert_pending(a);
	fake_acknowledge(solo->net, conn, 1);
	assert_int_equal(solo_result(a).opcode, SHARD_OP_PUSH);
	solo_assert_pending(b);
	fake_acknowledge(solo->net, conn, 1);
	assert_int_equal(solo_result(b).opcode, SHARD_OP_PUSH);
}

static void pushes_without_room_wait_and_keep_their_order(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	uint64_t tokens[4];

	(void)state;
	fake_room(solo->net, conn, 1);
	tokens[0] = solo_push(qd, "one ");
	tokens[1] = solo_push(qd, "two ");
	tokens[2] = solo_push(qd, "three ");
	assert_memory_equal(conn->said, "one ", conn->said_len);
	fake_room(solo->net, conn, 1);
	solo_turn();
	tokens[3] = solo_push(qd, "four");
	assert_int_equal(conn->said_len, strlen("one two "));
	fake_room(solo->net, conn, 9);
	solo_turn();
	assert_int_equal(conn->said_len, strlen("one two three four"));
	assert_memory_equal(conn->said, "one two three four", conn->said_len);
	fake_acknowledge(solo->net, conn, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(solo_result(tokens[i]).opcode, SHARD_OP_PUSH);
}

static void a_push_that_waits_holds_its_buffer_only_once_the_program_has_let_go(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	struct rte_mbuf *m = solo_sga("bytes");
	uint64_t token;

	(void)state;
	fake_room(solo->net, conn, 0);
	assert_int_equal(
		shard_push(solo, qd, m, rte_pktmbuf_mtod(m, void *), m->data_len, NULL, &token), 0);
	assert_int_equal(pbuf_of(m)->send_count, 1);
	fake_room(solo->net, conn, 1);
	solo_turn();
	assert_int_equal(pbuf_of(m)->send_count, 1);
	solo_free(m);
	fake_acknowledge(solo->net, conn, 1);
	assert_int_equal(solo_result(token).opcode, SHARD_OP_PUSH);
}

static void shutdown_for_writing_comes_after_pushes_that_wait(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	struct rte_mbuf *m = solo_sga("late");
	uint64_t token;

	(void)state;
	fake_room(solo->net, conn, 0);
	solo_push(qd, "waits");
	assert_int_equal(shard_shutdown(solo, qd, TCP_SHUT_WR), 0);
	assert_false(conn->fin_sent);
	assert_int_equal(
		shard_push(solo, qd, m, rte_pktmbuf_mtod(m, void *), m->data_len, NULL, &token),
		-EPIPE);
	solo_free(m);
	fake_room(solo->net, conn, 1);
	solo_turn();
	assert_true(conn->fin_sent);
	assert_memory_equal(conn->said, "waits", 5);
}

static void a_push_with_a_destination_is_not_for_streams(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	struct rte_mbuf *m = solo_sga("x");
	uint64_t token;

	(void)state;
	assert_int_equal(
		shard_push(solo, qd, m, rte_pktmbuf_mtod(m, void *), m->data_len, &remote, &token),
		-ENOTSUP);
	solo_free(m);
}

/* --- the end --- */
static void close_cancels_every_pending_token(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	uint64_t pop = solo_pop(qd), push = solo_push(qd, "x");

	(void)state;
	assert_int_equal(shard_close(solo, qd), 0);
	solo_assert_failed(pop, ECANCELED);
	solo_assert_failed(push, ECANCELED);
	assert_int_equal(fake_conns(), 0);
}

static void close_cancels_a_connect(void **state)
{
	int32_t qd = stream();
	uint64_t token;

	(void)state;
	assert_int_equal(shard_connect(solo, qd, &remote, &token), 0);
	assert_int_equal(shard_close(solo, qd), 0);
	solo_assert_failed(token, ECANCELED);
}

static void pushes_that_wait_are_delivered_after_close(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	uint64_t sent, waiting;

	(void)state;
	fake_room(solo->net, conn, 1);
	sent = solo_push(qd, "first ");
	waiting = solo_push(qd, "second");
	assert_int_equal(shard_close(solo, qd), 0);
	solo_assert_failed(sent, ECANCELED);
	solo_assert_failed(waiting, ECANCELED);
	assert_int_equal(fake_conns(), 1);
	assert_int_equal(conn->said_len, 6);
	fake_room(solo->net, conn, 0);
	solo_turn();
	assert_int_equal(fake_conns(), 1);
	fake_room(solo->net, conn, 1);
	solo_turn();
	assert_int_equal(fake_conns(), 0); /* the stack has all, and does the rest */
	assert_int_equal(solo->queues.used, 0);
}

static void async_close_completes_when_the_peer_has_everything(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	uint64_t pop = solo_pop(qd), push, token;

	(void)state;
	fake_room(solo->net, conn, 0);
	push = solo_push(qd, "bytes");
	assert_int_equal(shard_close_async(solo, qd, &token), 0);
	solo_assert_failed(pop, ECANCELED);
	solo_assert_pending(token);
	assert_false(conn->fin_sent);
	fake_room(solo->net, conn, 1);
	solo_assert_pending(token);
	assert_true(conn->fin_sent);
	fake_finish(solo->net, conn);
	assert_int_equal(solo_result(push).opcode, SHARD_OP_PUSH);
	assert_int_equal(solo_result(token).opcode, SHARD_OP_CLOSE);
	assert_int_equal(fake_conns(), 0);
}

static void a_lingering_close_returns_when_the_peer_has_everything(void **state)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 30000};
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	uint64_t push = solo_push(qd, "bytes"), pop = solo_pop(qd);

	(void)state;
	assert_int_equal(shard_option_set(solo, qd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
			 0);
	fake_finish(solo->net, conn);
	assert_int_equal(shard_close(solo, qd), 0);
	assert_int_equal(fake_conns(), 0);
	assert_int_equal(solo_result(push).opcode, SHARD_OP_PUSH);
	solo_assert_failed(pop, ECANCELED);
	assert_int_equal(solo->tokens.pending_count, 0);
}

static void a_lingering_close_gives_up_when_its_time_is_over(void **state)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 1};
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	uint64_t push = solo_push(qd, "bytes");

	(void)state;
	assert_int_equal(shard_option_set(solo, qd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
			 0);
	assert_int_equal(shard_close(solo, qd), 0);
	assert_int_equal(fake_conns(), 0);
	solo_assert_failed(push, ECANCELED);
	assert_int_equal(solo->tokens.pending_count, 0);
	assert_int_equal(solo->queues.used, 0);
}

static void shutdown_for_reading_ends_pops_that_wait(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	uint64_t pop = solo_pop(qd);

	(void)state;
	assert_int_equal(shard_shutdown(solo, qd, TCP_SHUT_RD), 0);
	solo_assert_popped(pop, "");
}

static void async_close_of_a_connection_that_dies_fails(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);
	uint64_t token;

	(void)state;
	assert_int_equal(shard_close_async(solo, qd, &token), 0);
	fake_fail(solo->net, conn, ECONNRESET);
	solo_assert_failed(token, ECONNRESET);
}

static void async_close_without_a_connection_completes_at_once(void **state)
{
	uint64_t token;

	(void)state;
	assert_int_equal(shard_close_async(solo, stream(), &token), 0);
	assert_int_equal(solo_result(token).opcode, SHARD_OP_CLOSE);
}

static void options_before_connect_are_the_connections(void **state)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0}, got;
	uint32_t len = sizeof(got);
	int32_t qd = stream();
	uint64_t token;

	(void)state;
	assert_int_equal(shard_option_set(solo, qd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
			 0);
	assert_int_equal(shard_option_get(solo, qd, SOL_SOCKET, SO_LINGER, &got, &len), 0);
	assert_int_equal(got.l_onoff, 1);
	assert_int_equal(shard_connect(solo, qd, &remote, &token), 0);
	assert_true(fake_last()->options.linger);
	assert_int_equal(shard_option_set(solo, qd, SOL_SOCKET, SO_MARK, &len, sizeof(len)),
			 -ENOPROTOOPT);
}

static void leaving_frees_what_nobody_took(void **state)
{
	struct tcp_conn *conn;
	int32_t qd = solo_connected(&conn);

	(void)state;
	solo_pop(qd);
	solo_pop(qd);
	fake_receive(solo->net, conn, "never taken");
	fake_receive(solo->net, conn, "nor this");
	fake_receive(solo->net, conn, "not even popped");
	fake_room(solo->net, conn, 0);
	solo_push(qd, "never sent");
	solo_turn();
	/* the teardown asserts that no buffer is missing */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, solo_begin, solo_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_queue_descriptor_is_positive_and_a_strange_one_is_bad),
		TEST(a_closed_descriptor_is_not_used_again_at_once),
		TEST(more_queues_than_configured_are_refused),
		TEST(bind_answers_as_the_table_says),
		TEST(port_0_is_chosen_at_bind),
		TEST(listen_answers_as_the_table_says),
		TEST(connect_answers_as_the_table_says),
		TEST(a_refused_connect_fails_and_may_be_tried_again),
		TEST(accepts_complete_in_order_whoever_comes_first),
		TEST(closing_a_listener_cancels_its_accepts),
		TEST(without_a_free_descriptor_a_connection_waits_for_one),
		TEST(pops_complete_in_order_with_what_arrives),
		TEST(a_fin_is_a_zero_length_pop_again_and_again),
		TEST(a_reset_fails_every_pending_token_exactly_once),
		TEST(whatever_ends_a_connection_is_what_its_tokens_say),
		TEST(chosen_ports_do_not_follow_each_other),
		TEST(a_push_completes_when_it_was_acknowledged),
		TEST(pushes_without_room_wait_and_keep_their_order),
		TEST(a_push_that_waits_holds_its_buffer_only_once_the_program_has_let_go),
		TEST(shutdown_for_writing_comes_after_pushes_that_wait),
		TEST(a_push_with_a_destination_is_not_for_streams),
		TEST(close_cancels_every_pending_token),
		TEST(close_cancels_a_connect),
		TEST(pushes_that_wait_are_delivered_after_close),
		TEST(async_close_completes_when_the_peer_has_everything),
		TEST(a_lingering_close_returns_when_the_peer_has_everything),
		TEST(a_lingering_close_gives_up_when_its_time_is_over),
		TEST(shutdown_for_reading_ends_pops_that_wait),
		TEST(async_close_of_a_connection_that_dies_fails),
		TEST(async_close_without_a_connection_completes_at_once),
		TEST(options_before_connect_are_the_connections),
		TEST(leaving_frees_what_nobody_took),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
