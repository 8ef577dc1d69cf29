/* Bytes on their way out: segments, Nagle, silly windows, shut windows and their probes, full
 * queues. MUST-n and SHLD-n are the ids of TCP.md. */
#include "tcp_peer.h"

#include <errno.h>

/* --- sending --- */

/* MUST-61, MUST-60, SHLD-28 */
static void full_segments_are_cut_from_pushes_and_psh_marks_the_last(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_push(&p, 1000);
	peer_push(&p, 3000);
	peer_expect(&p, ACK, 1, 1, MSS);
	peer_expect(&p, ACK, 1 + MSS, 1, MSS);
	/* Nagle lets the rest go with them: nothing small is on its way. */
	peer_expect(&p, ACK | PSH, 1 + 2 * MSS, 1, 4000 - 2 * MSS);
	peer_end(&p);
}

/* Minshall: an echo of more than one segment must not wait for its peer's delayed ACK. */
static void the_short_end_of_a_long_push_waits_only_for_a_short_one_before_it(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_push(&p, MSS + 10);
	peer_expect(&p, ACK, 1, 1, MSS);
	peer_expect(&p, ACK | PSH, 1 + MSS, 1, 10);
	peer_push(&p, MSS + 10);
	peer_expect(&p, ACK, 11 + MSS, 1, MSS);
	peer_expect_nothing(&p);
	peer_send(&p, ACK, 1, 11 + MSS, 0);
	peer_expect(&p, ACK | PSH, 11 + 2 * MSS, 1, 10);
	peer_end(&p);
}

/* MUST-17, SHLD-7 */
static void nagle_holds_a_small_segment_back_until_the_ack_or_nodelay(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	const int on = 1;

	(void)state;
	peer_push(&p, 10);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	peer_push(&p, 10);
	peer_expect_nothing(&p);
	peer_send(&p, ACK, 1, 11, 0);
	peer_expect(&p, ACK | PSH, 11, 1, 10);
	peer_push(&p, 10);
	peer_expect_nothing(&p);
	assert_int_equal(
		tcp_option_set(p.h->net, p.conn, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on)),
		0);
	peer_expect(&p, ACK | PSH, 21, 1, 10);
	peer_push(&p, 10);
	peer_expect(&p, ACK | PSH, 31, 1, 10);
	peer_end(&p);
}

static void a_fin_takes_a_small_segment_along(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_push(&p, 10);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	peer_push(&p, 10);
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), 0);
	peer_expect(&p, ACK | PSH | FIN, 11, 1, 10);
	peer_end(&p);
}

/* A FIN takes a sequence number, and the window has none left. */
static void a_fin_does_not_go_where_the_window_ends_with_the_last_byte(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	p.wnd = 500;
	peer_handshake(&p, NULL, 0);
	peer_push(&p, 500);
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), 0);
	peer_expect(&p, ACK | PSH, 1, 1, 500);
	peer_expect_nothing(&p);
	peer_send(&p, ACK, 1, 501, 0);
	peer_expect(&p, ACK | FIN, 501, 1, 0);
	peer_end(&p);
}

static void the_peers_window_is_a_limit(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	p.wnd = 3 * MSS;
	peer_send(&p, ACK | PSH, 1, 1, 1);
	peer_expect(&p, ACK, 1, 2, 0);
	peer_push(&p, 20000);
	for (uint32_t i = 0; i < 3; i++)
		peer_expect(&p, ACK, 1 + i * MSS, 2, MSS);
	peer_expect_nothing(&p);
	peer_send(&p, ACK, 2, 1 + 3 * MSS, 0);
	peer_expect(&p, ACK, 1 + 3 * MSS, 2, MSS);
	peer_end(&p);
}

/* MUST-34, SHLD-15 */
static void a_window_that_shrinks_stops_new_bytes_and_nothing_else(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_push(&p, 10 * MSS);
	for (uint32_t i = 0; i < 10; i++)
		peer_expect(&p, i == 9 ? ACK | PSH : ACK, 1 + i * MSS, 1, MSS);
	peer_push(&p, 10 * MSS);
	p.wnd = 2 * MSS;
	peer_send(&p, ACK, 1, 1 + MSS, 0);
	peer_expect_nothing(&p);
	p.wnd = 10 * MSS;
	peer_send(&p, ACK, 1, 1 + MSS, 0);
	peer_expect(&p, ACK, 1 + 10 * MSS, 1, MSS);
	peer_end(&p);
}

/* MUST-38 */
static void a_sliver_of_a_window_is_not_used_until_the_timer_says_so(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	p.wnd = 100;
	peer_send(&p, ACK | PSH, 1, 1, 1);
	peer_expect(&p, ACK, 1, 2, 0);
	peer_push(&p, 1000);
	peer_expect_nothing(&p);
	peer_after(&p, 1100 * MS);
	peer_expect(&p, ACK, 1, 2, 100);
	peer_expect_nothing(&p);
	peer_send(&p, ACK, 2, 101, 0);
	peer_expect_nothing(&p);
	p.wnd = PEER_WND;
	peer_send(&p, ACK, 2, 101, 0);
	peer_expect(&p, ACK | PSH, 101, 2, 900);
	peer_end(&p);
}

/* --- the shut window --- */

/* MUST-35, MUST-36, MUST-37, SHLD-29, SHLD-30 */
static void a_shut_window_is_probed_ever_less_often_for_as_long_as_the_peer_answers(void **state)
{
	const struct tcp_config config = host_config(); /* R2 is 100 s */
	struct peer p = peer_established(&config);
	uint64_t probes[12], start_ns;
	unsigned count = 0;
	struct seg seg;

	(void)state;
	p.wnd = 0;
	peer_send(&p, ACK | PSH, 1, 1, 1);
	peer_expect(&p, ACK, 1, 2, 0);
	peer_push(&p, 100);
	peer_expect_nothing(&p);
	start_ns = p.h->now_ns;
	while (count < 12) {
		peer_after(&p, 50 * MS);
		if (!peer_take(&p, &seg))
			continue;
		assert_int_equal(seg.flags, ACK);
		assert_int_equal(seg.len, 0);
		assert_int_equal(seg.seq, 0);
		probes[count++] = p.h->now_ns;
		peer_send(&p, ACK, 2, 1, 0);
		assert_int_equal(tcp_conn_error(p.conn), 0);
	}
	assert_in_range(probes[0] - start_ns, 200 * MS, 1100 * MS);
	for (unsigned i = 2; i < 7; i++)
		assert_true(probes[i] - probes[i - 1] > (probes[i - 1] - probes[i - 2]) * 3 / 2);
	assert_true(probes[11] - probes[10] < 121 * S);
	assert_true(p.h->now_ns - start_ns > 200 * S);
	assert_int_equal(p.h->counters.tcp_zero_window_probes, 12);
	p.wnd = PEER_WND;
	peer_send(&p, ACK, 2, 1, 0);
	peer_expect(&p, ACK | PSH, 1, 2, 100);
	peer_end(&p);
}

static void a_peer_that_does_not_answer_probes_is_given_up(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	int error = 0;

	(void)state;
	p.wnd = 0;
	peer_send(&p, ACK | PSH, 1, 1, 1);
	peer_expect(&p, ACK, 1, 2, 0);
	peer_push(&p, 100);
	peer_expect_nothing(&p);
	for (unsigned i = 0; i < 300 && !tcp_conn_error(p.conn); i++) {

		peer_after(&p, 1 * S);
		peer_drain(&p);
	}
	assert_int_equal(tcp_conn_error(p.conn), ETIMEDOUT);
	assert_int_equal(peer_done(&p, &error), 1);
	assert_int_equal(error, -ETIMEDOUT);
	peer_end(&p);
}

static void a_closed_connection_does_not_wait_for_a_window_for_ever(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	struct tcp_use use;

	(void)state;
	p.wnd = 0;
	peer_send(&p, ACK, 1, 1, 0);
	peer_push(&p, 100);
	tcp_close(p.h->net, p.conn);
	for (unsigned i = 0; i < 300; i++) {
		struct seg seg;

		peer_after(&p, 1 * S);
		while (peer_take(&p, &seg))
			if (!(seg.flags & RST))
				peer_send(&p, ACK, 1, 1, 0);
	}
	tcp_use_mt(p.h->net, &use);
	assert_int_equal(use.conns, 0);
	assert_int_equal(use.pushes, 0);
	peer_end(&p);
}

static void a_fin_waits_for_a_shut_window_too(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	p.wnd = 0;
	peer_send(&p, ACK, 1, 1, 0);
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), 0);
	peer_expect_nothing(&p);
	p.wnd = 10;
	peer_send(&p, ACK, 1, 1, 0);
	peer_expect(&p, ACK | FIN, 1, 1, 0);
	peer_end(&p);
}

/* --- limits of the program's side --- */

static void a_full_send_queue_refuses_and_says_when_there_is_room(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.sndbuf_len = 8000;
	p = peer_established(&config);
	peer_push(&p, 5000);
	assert_int_equal(host_push(p.h, p.conn, p.total, 5000, 1), -EAGAIN);
	peer_ready(&p, NULL);
	for (uint32_t i = 0; i < 3; i++)
		peer_expect(&p, ACK, 1 + i * MSS, 1, MSS);
	peer_send(&p, ACK, 1, 1 + 3 * MSS, 0);
	assert_true(peer_ready(&p, tcp_conn_sock(p.conn)));
	peer_push(&p, 5000);
	peer_end(&p);
}

static void pushes_run_out_and_those_who_wait_hear_when_there_are_some(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	struct tcp_conn *first;
	uint32_t irs;
	int error;

	(void)state;
	config.push_max = 2;
	p = peer_established(&config);
	first = p.conn;
	irs = p.irs;
	peer_push(&p, 10);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	peer_push(&p, 10);

	p.port++;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, ACK, 1, 1, 0);
	p.conn = tcp_accept_or_null(p.h->net, p.listener, &p);
	assert_int_equal(host_push(p.h, p.conn, 0, 10, 7), -EAGAIN);
	peer_ready(&p, NULL);
	peer_after(&p, 1 * MS);
	assert_false(peer_ready(&p, tcp_conn_sock(p.conn)));

	p.port--;
	p.irs = irs;
	peer_send(&p, ACK, 1, 11, 0);
	assert_int_equal(peer_done(&p, &error), 1);
	peer_after(&p, 1 * MS);
	assert_true(peer_ready(&p, tcp_conn_sock(p.conn)));
	assert_int_equal(host_push(p.h, p.conn, 0, 10, 7), 0);
	(void)first;
	peer_end(&p);
}

static void who_waits_for_pushes_may_close_and_may_ask_twice(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	uint32_t irs;

	(void)state;
	config.push_max = 1;
	p = peer_established(&config);
	irs = p.irs;
	peer_push(&p, 10);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	p.port++;
	peer_handshake(&p, NULL, 0);
	assert_int_equal(host_push(p.h, p.conn, 0, 10, 7), -EAGAIN);
	assert_int_equal(host_push(p.h, p.conn, 0, 10, 7), -EAGAIN);
	p.port--;
	p.irs = irs;
	peer_send(&p, RST, 1, 0, 0); /* its push is done, and taken */
	assert_int_equal(peer_done(&p, &(int){0}), 1);
	peer_after(&p, 1 * MS);
	assert_true(peer_ready(&p, tcp_conn_sock(p.conn)));
	assert_int_equal(host_push(p.h, p.conn, 0, 10, 7), 0);
	assert_int_equal(host_push(p.h, p.conn, 0, 10, 7), -EAGAIN);
	tcp_close(p.h->net, p.conn);
	peer_after(&p, 1 * MS);
	assert_null(net_ready_take(p.h->net));
	peer_end(&p);
}

/* Pushes that are done are the shard's again once they were told of, and not when the ACK comes. */
static void the_last_ack_tells_of_room_also_while_pushes_have_run_out(void **state)
{
	static const unsigned counts[] = {2, 2, 1, 1};
	struct tcp_config config = host_config();
	struct tcp_conn *first;
	struct peer p;
	uint32_t irs;

	(void)state;
	config.push_max = 8;
	config.sndbuf_len = 20;
	config.nodelay = true;
	p = peer_established(&config);
	first = p.conn;
	irs = p.irs;
	peer_push(&p, 10);
	peer_push(&p, 10);
	assert_int_equal(host_push(p.h, first, 0, 10, 7), -EAGAIN); /* its own queue is full */
	peer_drain(&p);
	for (unsigned i = 0; i < RTE_DIM(counts); i++) {
		p.port++;
		peer_handshake(&p, NULL, 0);
		for (unsigned k = 0; k < counts[i]; k++)
			assert_int_equal(host_push(p.h, p.conn, 0, 10, 7), 0);
		peer_drain(&p);
	}
	assert_int_equal(peer_use(&p).pushes, 8);
	peer_ready(&p, NULL);

	p.port = PEER_PORT;
	p.irs = irs;
	peer_send(&p, ACK, 1, 21, 0);
	assert_int_equal(peer_done(&p, &(int){0}), 2);
	peer_after(&p, 1 * MS);
	assert_true(peer_ready(&p, tcp_conn_sock(first)));
	assert_int_equal(host_push(p.h, first, 0, 10, 7), 0);
	peer_end(&p);
}

/* A buffer can be sent to so many at one time; nobody's ACK tells of room then. */
static void a_buffer_that_is_pushed_too_often_is_pushed_later(void **state)
{
	enum { OFTEN = 16384 };
	struct tcp_config config = host_config();
	struct rte_mbuf *m;
	struct peer p;
	uint32_t irs;

	(void)state;
	config.push_max = 2 * OFTEN;
	p = peer_established(&config);
	irs = p.irs;
	m = mem_handle_alloc_or_null(&p.h->mem, 10);
	for (unsigned i = 0; i < OFTEN; i++)
		assert_int_equal(tcp_push(p.h->net, p.conn, m, rte_pktmbuf_mtod(m, void *), 10, i),
				 0);
	peer_drain(&p);
	p.port++;
	peer_handshake(&p, NULL, 0);
	assert_int_equal(tcp_push(p.h->net, p.conn, m, rte_pktmbuf_mtod(m, void *), 10, 7),
			 -EAGAIN);
	peer_ready(&p, NULL);
	p.port--;
	p.irs = irs;
	peer_send(&p, RST, 1, 0, 0); /* its pushes are done */
	assert_int_equal(peer_done(&p, &(int){0}), OFTEN);
	peer_after(&p, 1 * MS);
	assert_true(peer_ready(&p, tcp_conn_sock(p.conn)));
	assert_int_equal(tcp_push(p.h->net, p.conn, m, rte_pktmbuf_mtod(m, void *), 10, 7), 0);
	assert_int_equal(mem_handle_free(&p.h->mem, m), 0);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(full_segments_are_cut_from_pushes_and_psh_marks_the_last),
		host_test(nagle_holds_a_small_segment_back_until_the_ack_or_nodelay),
		host_test(the_short_end_of_a_long_push_waits_only_for_a_short_one_before_it),
		host_test(a_fin_takes_a_small_segment_along),
		host_test(a_fin_does_not_go_where_the_window_ends_with_the_last_byte),
		host_test(the_peers_window_is_a_limit),
		host_test(a_window_that_shrinks_stops_new_bytes_and_nothing_else),
		host_test(a_sliver_of_a_window_is_not_used_until_the_timer_says_so),
		host_test(a_shut_window_is_probed_ever_less_often_for_as_long_as_the_peer_answers),
		host_test(a_peer_that_does_not_answer_probes_is_given_up),
		host_test(a_closed_connection_does_not_wait_for_a_window_for_ever),
		host_test(a_fin_waits_for_a_shut_window_too),
		host_test(a_full_send_queue_refuses_and_says_when_there_is_room),
		host_test(pushes_run_out_and_those_who_wait_hear_when_there_are_some),
		host_test(who_waits_for_pushes_may_close_and_may_ask_twice),
		host_test(the_last_ack_tells_of_room_also_while_pushes_have_run_out),
		host_test(a_buffer_that_is_pushed_too_often_is_pushed_later),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
