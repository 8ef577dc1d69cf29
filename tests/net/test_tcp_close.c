/* How connections end: FIN in each order, RST, linger, half-close, FIN-WAIT-2, and what
 * happens to pushes. MUST-n and SHLD-n are the ids of TCP.md. */
#include "tcp_peer.h"

#include <errno.h>
#include <sys/socket.h>

/* --- the orders --- */

/* MUST-13 */
static void an_active_close_ends_in_time_wait_without_a_connection_object(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_close_actively(&p);
	assert_int_equal(peer_use(&p).conns, 0);
	assert_int_equal(peer_use(&p).timewait, 1);
	assert_int_equal(p.h->counters.conn_closed, 1);
	peer_after(&p, 59 * S);
	assert_int_equal(peer_use(&p).timewait, 1);
	peer_after(&p, 2 * S);
	assert_int_equal(peer_use(&p).timewait, 0);
	peer_end(&p);
}

static void a_passive_close_ends_at_the_last_ack(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	int end;

	(void)state;
	peer_send(&p, ACK | FIN, 1, 1, 0);
	peer_expect(&p, ACK, 1, 2, 0);
	assert_true(peer_ready(&p, tcp_conn_sock(p.conn)));
	assert_int_equal(host_pop_all(p.h, p.conn, 0, &end), 0);
	assert_int_equal(end, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_CLOSE_WAIT);
	tcp_close(p.h->net, p.conn);
	peer_expect(&p, ACK | FIN, 1, 2, 0);
	peer_send(&p, ACK, 2, 2, 0);
	assert_int_equal(peer_use(&p).conns, 0);
	assert_int_equal(peer_use(&p).timewait, 0);
	peer_end(&p);
}

static void fin_and_ack_of_fin_may_come_together(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	tcp_close(p.h->net, p.conn);
	peer_expect(&p, ACK | FIN, 1, 1, 0);
	peer_send(&p, ACK | FIN, 1, 2, 0);
	peer_expect(&p, ACK, 2, 2, 0);
	assert_int_equal(peer_use(&p).timewait, 1);
	peer_end(&p);
}

static void a_simultaneous_close_goes_through_closing(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), 0);
	peer_expect(&p, ACK | FIN, 1, 1, 0);
	peer_send(&p, ACK | FIN, 1, 1, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_CLOSING);
	peer_expect(&p, ACK, 2, 2, 0);
	peer_send(&p, ACK, 2, 2, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_TIME_WAIT);
	assert_int_equal(peer_use(&p).timewait, 1);
	tcp_close(p.h->net, p.conn);
	assert_int_equal(peer_use(&p).conns, 0);
	peer_end(&p);
}

/* RFC 9293 3.6: our FIN was lost, in each state that it leads to; and nobody waits for ever. */
static void a_lost_fin_goes_again_in_each_state_until_patience_ends(void **state)
{
	static const enum tcp_state states[] = {TCP_FIN_WAIT_1, TCP_CLOSING, TCP_LAST_ACK};
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		enum tcp_state in = states[i % 3];
		bool closed = i < 3; /* else the program waits for it */
		struct peer p = peer_established(&config);
		uint32_t ack = in == TCP_FIN_WAIT_1 ? 1 : 2;
		unsigned count = 0;
		struct seg seg;

		if (in == TCP_LAST_ACK)
			peer_send(&p, ACK | FIN, 1, 1, 0);
		if (closed)
			tcp_close(p.h->net, p.conn);
		else
			assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), 0);
		while (peer_take(&p, &seg))
			assert_int_equal(seg.flags & RST, 0);
		if (in == TCP_CLOSING)
			peer_send(&p, ACK | FIN, 1, 1, 0);
		while (peer_take(&p, &seg))
			assert_int_equal(seg.ack, ack);
		for (unsigned n = 0; n < 99; n++) {
			peer_after(&p, 1 * S);
			while (peer_take(&p, &seg)) {
				assert_int_equal(seg.flags, ACK | FIN);
				assert_int_equal(seg.seq, 1);
				assert_int_equal(seg.ack, ack);
				count++;
			}
			assert_int_equal(peer_use(&p).conns, 1);
		}
		assert_in_range(count, 7, 9);
		peer_after(&p, 3 * S);
		if (closed)
			assert_int_equal(peer_use(&p).conns, 0);
		else
			assert_int_equal(tcp_conn_error(p.conn), ETIMEDOUT);
		peer_end(&p);
	}
}

static void a_half_closed_connection_still_receives(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), 0);
	assert_int_equal(host_push(p.h, p.conn, 0, 1, 0), -EPIPE);
	peer_expect(&p, ACK | FIN, 1, 1, 0);
	peer_send(&p, ACK, 1, 2, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_FIN_WAIT_2);
	assert_true(tcp_conn_finished(p.conn));
	peer_send(&p, ACK | PSH, 1, 2, 100);
	peer_expect(&p, ACK, 2, 101, 0);
	assert_int_equal(peer_pop(&p), 100);
	peer_after(&p, 1000 * S); /* FIN-WAIT-2 with a user has no end of its own */
	assert_int_equal(tcp_conn_state(p.conn), TCP_FIN_WAIT_2);
	peer_send(&p, ACK | FIN, 101, 2, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_TIME_WAIT);
	peer_end(&p);
}

static void a_half_closing_peer_still_gets_an_answer(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK | PSH | FIN, 1, 1, 100);
	peer_expect(&p, ACK, 1, 102, 0);
	assert_int_equal(peer_pop(&p), 100);
	peer_push(&p, 2000);
	tcp_close(p.h->net, p.conn);
	peer_expect(&p, ACK, 1, 102, MSS);
	peer_expect(&p, ACK | PSH | FIN, 1 + MSS, 102, 2000 - MSS);
	peer_send(&p, ACK, 102, 2002, 0);
	assert_int_equal(peer_use(&p).conns, 0);
	peer_end(&p);
}

static void bytes_pushed_before_close_are_delivered_and_their_cookies_are_not(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	int error;

	(void)state;
	peer_push(&p, 100);
	peer_expect(&p, ACK | PSH, 1, 1, 100);
	peer_push(&p, 100);
	tcp_close(p.h->net, p.conn);
	peer_expect(&p, ACK | PSH | FIN, 101, 1, 100);
	peer_send(&p, ACK, 1, 202, 0);
	assert_int_equal(peer_done(&p, &error), 0);
	assert_int_equal(peer_use(&p).pushes, 0);
	peer_end(&p);
}

/* --- with an RST --- */

/* SHLD-3, RFC 2525 2.17 */
static void closing_with_unread_bytes_resets(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK | PSH, 1, 1, 100);
	tcp_close(p.h->net, p.conn);
	peer_expect(&p, RST | ACK, 1, 101, 0);
	assert_int_equal(peer_use(&p).conns, 0);
	peer_end(&p);
}

/* MUST-12 */
static void closing_with_linger_zero_resets(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	const struct linger linger = {.l_onoff = 1};

	(void)state;
	peer_push(&p, 100);
	peer_expect(&p, ACK | PSH, 1, 1, 100);
	assert_int_equal(
		tcp_option_set(p.h->net, p.conn, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
		0);
	tcp_close(p.h->net, p.conn);
	peer_expect(&p, RST | ACK, 101, 1, 0);
	assert_int_equal(peer_use(&p).conns, 0);
	assert_int_equal(peer_use(&p).pushes, 0);
	peer_end(&p);
}

/* SHLD-3, RFC 2525 2.17 */
static void bytes_that_come_after_close_reset(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	tcp_close(p.h->net, p.conn);
	peer_expect(&p, ACK | FIN, 1, 1, 0);
	peer_send(&p, ACK | PSH, 1, 2, 100);
	peer_expect(&p, RST, 2, 0, 0);
	assert_int_equal(peer_drops(&p, DROP_tcp_after_close), 1);
	assert_int_equal(peer_use(&p).conns, 0);
	peer_end(&p);
}

static void an_rst_in_each_closing_state_ends_it(void **state)
{
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct peer p = peer_established(&config);

		if (i == 3) {
			peer_send(&p, ACK | FIN, 1, 1, 0);
			peer_expect(&p, ACK, 1, 2, 0);
		}
		tcp_close(p.h->net, p.conn);
		peer_expect(&p, ACK | FIN, 1, i == 3 ? 2 : 1, 0);
		if (i == 1)
			peer_send(&p, ACK, 1, 2, 0); /* FIN-WAIT-2 */
		if (i == 2) {
			peer_send(&p, ACK | FIN, 1, 1, 0); /* CLOSING */
			peer_expect(&p, ACK, 2, 2, 0);
		}
		peer_send(&p, RST, i >= 2 ? 2 : 1, 0, 0);
		assert_int_equal(peer_use(&p).conns, 0);
		assert_int_equal(peer_use(&p).timewait, 0);
		peer_end(&p);
	}
}

static void closing_an_open_that_is_not_done_forgets_it(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};

	(void)state;
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &p.conn), 0);
	p.host_port = rte_be_to_cpu_16(tcp_conn_local(p.conn).port);
	peer_expect(&p, SYN, 0, 0, 0);
	tcp_close(p.h->net, p.conn);
	assert_int_equal(peer_use(&p).conns, 0);
	peer_send(&p, SYN | ACK, 0, 1, 0);
	peer_expect(&p, RST, 1, 0, 0);
	peer_end(&p);
}

/* --- FIN-WAIT-2 --- */

static void an_orphan_does_not_wait_for_the_peers_fin_for_ever(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	tcp_close(p.h->net, p.conn);
	peer_expect(&p, ACK | FIN, 1, 1, 0);
	peer_send(&p, ACK, 1, 2, 0);
	peer_after(&p, 59 * S);
	assert_int_equal(peer_use(&p).conns, 1);
	peer_after(&p, 2 * S);
	assert_int_equal(peer_use(&p).conns, 0);
	peer_end(&p);
}

static void a_close_after_the_fin_was_acknowledged_starts_the_orphans_clock(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), 0);
	peer_expect(&p, ACK | FIN, 1, 1, 0);
	peer_send(&p, ACK, 1, 2, 0);
	peer_after(&p, 100 * S);
	tcp_close(p.h->net, p.conn);
	assert_int_equal(peer_use(&p).conns, 1);
	peer_after(&p, 61 * S);
	assert_int_equal(peer_use(&p).conns, 0);
	peer_end(&p);
}

/* --- the program's view --- */

static void shutting_the_reading_side_discards_what_comes(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	int end;

	(void)state;
	peer_send(&p, ACK | PSH, 1, 1, 100);
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_RD), 0);
	assert_int_equal(host_pop_all(p.h, p.conn, 0, &end), 0);
	assert_int_equal(end, 0);
	peer_send(&p, ACK | PSH, 101, 1, 100);
	peer_expect(&p, ACK, 1, 201, 0);
	tcp_close(p.h->net, p.conn);
	peer_expect(&p, ACK | FIN, 1, 201, 0);
	peer_end(&p);
}

static void bytes_before_a_timeout_can_still_be_read(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	int end;

	(void)state;
	peer_send(&p, ACK | PSH, 1, 1, 100);
	peer_push(&p, 100);
	for (unsigned i = 0; i < 110; i++) {
		peer_drain(&p);
		peer_after(&p, 1 * S);
	}
	assert_int_equal(tcp_conn_error(p.conn), ETIMEDOUT);
	assert_int_equal(host_pop_all(p.h, p.conn, 0, &end), 100);
	assert_int_equal(end, -ETIMEDOUT);
	peer_end(&p);
}

static void a_stack_that_owes_nothing_is_idle(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	assert_true(net_idle(p.h->net));
	peer_push(&p, 10);
	assert_false(net_idle(p.h->net));
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	peer_expect_nothing(&p);
	assert_false(net_idle(p.h->net));
	peer_send(&p, ACK, 1, 11, 0);
	peer_expect_nothing(&p);
	assert_true(net_idle(p.h->net));
	tcp_close(p.h->net, p.conn);
	assert_false(net_idle(p.h->net));
	peer_expect(&p, ACK | FIN, 11, 1, 0);
	peer_send(&p, ACK, 1, 12, 0);
	peer_expect_nothing(&p);
	assert_true(net_idle(p.h->net));
	peer_end(&p);
}

static void a_fin_that_comes_again_is_acknowledged_each_time(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK | FIN, 1, 1, 0);
	peer_expect(&p, ACK, 1, 2, 0);
	for (unsigned i = 0; i < 3; i++) {
		peer_send(&p, ACK | FIN, 1, 1, 0);
		peer_expect(&p, ACK, 1, 2, 0);
		peer_expect_nothing(&p);
	}
	/* One that is left of the window altogether, too. */
	peer_send(&p, ACK | PSH, 0, 1, 1);
	peer_expect(&p, ACK, 1, 2, 0);
	peer_send(&p, ACK | FIN, 0, 1, 0);
	peer_expect(&p, ACK, 1, 2, 0);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(an_active_close_ends_in_time_wait_without_a_connection_object),
		host_test(a_passive_close_ends_at_the_last_ack),
		host_test(fin_and_ack_of_fin_may_come_together),
		host_test(a_simultaneous_close_goes_through_closing),
		host_test(a_lost_fin_goes_again_in_each_state_until_patience_ends),
		host_test(a_half_closed_connection_still_receives),
		host_test(a_half_closing_peer_still_gets_an_answer),
		host_test(bytes_pushed_before_close_are_delivered_and_their_cookies_are_not),
		host_test(closing_with_unread_bytes_resets),
		host_test(closing_with_linger_zero_resets),
		host_test(bytes_that_come_after_close_reset),
		host_test(an_rst_in_each_closing_state_ends_it),
		host_test(closing_an_open_that_is_not_done_forgets_it),
		host_test(an_orphan_does_not_wait_for_the_peers_fin_for_ever),
		host_test(a_close_after_the_fin_was_acknowledged_starts_the_orphans_clock),
		host_test(shutting_the_reading_side_discards_what_comes),
		host_test(bytes_before_a_timeout_can_still_be_read),
		host_test(a_stack_that_owes_nothing_is_idle),
		host_test(a_fin_that_comes_again_is_acknowledged_each_time),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
