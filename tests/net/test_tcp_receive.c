/* Bytes on their way in: reassembly, delayed ACKs, the window that is offered. MUST-n and SHLD-n
 * are the ids of TCP.md. */
#include "tcp_peer.h"

#include <errno.h>

/* Quick ACKs are used up, and the program answers. */
static struct peer interactive(const struct tcp_config *config)
{
	struct peer p = peer_established(config);

	p.conn->quick_acks = 0;
	return p;
}

/* --- reassembly --- */

/* SHLD-31 */
static void bytes_out_of_order_are_put_in_order(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	struct tcp_use use;

	(void)state;
	peer_send(&p, ACK, 201, 1, 100);
	peer_expect(&p, ACK, 1, 1, 0);
	peer_send(&p, ACK, 101, 1, 100);
	peer_expect(&p, ACK, 1, 1, 0);
	assert_int_equal(peer_pop(&p), 0);
	tcp_use_mt(p.h->net, &use);
	assert_true(use.reassembly_len > 0);
	peer_send(&p, ACK, 1, 1, 100);
	peer_expect(&p, ACK, 1, 301, 0);
	assert_int_equal(peer_pop(&p), 300);
	tcp_use_mt(p.h->net, &use);
	assert_int_equal(use.reassembly_len, 0);
	peer_end(&p);
}

/* RFC 5681 4.2: so that the peer can count three. */
static void each_segment_beyond_a_gap_gets_a_duplicate_ack_of_its_own(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	for (uint32_t i = 1; i <= 3; i++)
		peer_send(&p, ACK, 1 + 100 * i, 1, 100);
	for (unsigned i = 0; i < 3; i++)
		peer_expect(&p, ACK, 1, 1, 0);
	peer_expect_nothing(&p);
	peer_end(&p);
}

static void a_fin_beyond_a_gap_waits_for_its_turn(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK | FIN, 101, 1, 100);
	peer_expect(&p, ACK, 1, 1, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	peer_send(&p, ACK, 1, 1, 100);
	assert_int_equal(tcp_conn_state(p.conn), TCP_CLOSE_WAIT);
	peer_expect(&p, ACK, 1, 202, 0);
	assert_int_equal(peer_pop(&p), 200);
	peer_end(&p);
}

static void a_forged_fin_beyond_a_gap_does_not_hide_the_true_one(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK | FIN, 5001, 1, 0);
	peer_expect(&p, ACK, 1, 1, 0);
	peer_send(&p, ACK | FIN, 1, 1, 10);
	assert_int_equal(tcp_conn_state(p.conn), TCP_CLOSE_WAIT);
	peer_end(&p);
}

static void a_segment_that_brings_old_and_new_bytes_gives_the_new_ones(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK, 1, 1, 100);
	peer_expect(&p, ACK, 1, 101, 0);
	peer_send(&p, ACK, 51, 1, 100);
	assert_int_equal(peer_pop(&p), 150);
	peer_end(&p);
}

/* --- delayed ACK --- */

/* RFC 5681 4.2 */
static void the_first_segments_are_acknowledged_at_once(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	for (uint32_t i = 0; i < TCP_QUICK_ACKS; i++) {
		peer_send(&p, ACK, 1 + i * 10, 1, 10);
		peer_expect(&p, ACK, 1, 11 + i * 10, 0);
	}
	peer_send(&p, ACK, 1 + TCP_QUICK_ACKS * 10, 1, 10);
	peer_expect_nothing(&p);
	peer_end(&p);
}

/* RFC 5681 4.2: what fills a gap, or a part of one, is acknowledged at once. */
static void what_fills_a_gap_is_acknowledged_at_once(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = interactive(&config);

	(void)state;
	peer_send(&p, ACK, 301, 1, 100);
	peer_expect(&p, ACK, 1, 1, 0);
	peer_send(&p, ACK, 1, 1, 100); /* a part */
	peer_expect(&p, ACK, 1, 101, 0);
	peer_send(&p, ACK, 101, 1, 200); /* the rest */
	peer_expect(&p, ACK, 1, 401, 0);
	peer_send(&p, ACK, 401, 1, 100); /* there is none any more */
	peer_expect_nothing(&p);
	peer_end(&p);
}

/* A sender that paused is in slow start again, and waits for each ACK. */
static void after_a_pause_the_first_segments_are_acknowledged_at_once(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = interactive(&config);

	(void)state;
	peer_send(&p, ACK, 1, 1, 10);
	peer_expect_nothing(&p);
	peer_after(&p, 3 * S);
	peer_expect(&p, ACK, 1, 11, 0);
	peer_send(&p, ACK, 11, 1, 10);
	peer_expect(&p, ACK, 1, 21, 0);
	peer_end(&p);
}

/* MUST-40, SHLD-18 */
static void a_delayed_ack_waits_forty_milliseconds_at_most(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = interactive(&config);

	(void)state;
	peer_send(&p, ACK, 1, 1, 10);
	peer_after(&p, 38 * MS);
	peer_expect_nothing(&p);
	assert_false(net_idle(p.h->net));
	peer_after(&p, 5 * MS);
	peer_expect(&p, ACK, 1, 11, 0);
	peer_expect_nothing(&p);
	assert_true(net_idle(p.h->net));
	peer_end(&p);
}

/* SHLD-19 */
static void every_second_full_segment_is_acknowledged_at_once(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = interactive(&config);

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		peer_send(&p, ACK, 1 + i * MSS, 1, MSS);
		if (i == 0)
			continue; /* it shows how long full segments are, and is a second one itself
				   */
		if (i % 2)
			peer_expect(&p, ACK, 1, 1 + (i + 1) * MSS, 0);
		peer_expect_nothing(&p);
	}
	peer_end(&p);
}

/* MUST-58, MUST-59 */
static void a_burst_is_acknowledged_once(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	for (uint32_t i = 0; i < 8; i++)
		peer_send(&p, ACK, 1 + i * MSS, 1, MSS);
	peer_expect(&p, ACK, 1, 1 + 8 * MSS, 0);
	peer_expect_nothing(&p);
	peer_end(&p);
}

static void an_answer_carries_the_ack_and_then_acks_wait_for_answers(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		peer_send(&p, ACK | PSH, 1 + i * 10, 1 + i * 20, 10);
		assert_int_equal(peer_pop(&p), 10);
		if (i > 0)
			peer_expect_nothing(&p);
		peer_push(&p, 20);
		peer_expect(&p, ACK | PSH, 1 + i * 20, 11 + i * 10, 20);
		peer_expect_nothing(&p);
	}
	peer_end(&p);
}

static void who_has_read_everything_and_waits_has_it_acknowledged(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = interactive(&config);

	(void)state;
	peer_send(&p, ACK | PSH, 1, 1, 10);
	peer_expect_nothing(&p);
	assert_int_equal(peer_pop(&p), 10);
	peer_expect(&p, ACK, 1, 11, 0);
	peer_end(&p);
}

/* --- the window that is offered --- */

/* SHLD-14 */
static void the_window_shrinks_as_bytes_wait_and_its_right_edge_stays(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	uint32_t at = 1, edge = 0;

	(void)state;
	config.rcvbuf_len = 20000;
	p = peer_established(&config);
	p.conn->rcv_mss = MSS;
	while (at < 1 + 20000) {
		uint32_t len = RTE_MIN((uint32_t)MSS, 20001 - at);
		struct seg ack;

		peer_send(&p, ACK, at, 1, len);
		at += len;
		ack = peer_expect(&p, ACK, 1, at, 0);
		assert_true(ack.ack + ack.wnd >= edge);
		edge = ack.ack + ack.wnd;
		assert_true(edge <= 20001);
	}
	assert_int_equal(edge, 20001);
	/* What lies beyond is not taken. */
	peer_send(&p, ACK, at, 1, 10);
	assert_int_equal(peer_expect(&p, ACK, 1, at, 0).wnd, 0);
	assert_int_equal(peer_pop(&p), 20000);
	assert_int_equal(peer_expect(&p, ACK, 1, at, 0).wnd, 20000);
	peer_end(&p);
}

/* SHLD-14: nothing comes after it, but what was offered is not taken back. */
static void a_fin_leaves_the_windows_right_edge_where_it_is(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	struct seg seg;
	uint32_t edge;

	(void)state;
	config.rcvbuf_len = 20000;
	p = peer_established(&config);
	peer_send(&p, ACK, 1, 1, MSS);
	seg = peer_expect(&p, ACK, 1, 1 + MSS, 0);
	edge = seg.ack + seg.wnd;
	peer_send(&p, ACK | FIN, 1 + MSS, 1, 0);
	seg = peer_expect(&p, ACK, 1, 2 + MSS, 0);
	assert_int_equal(seg.ack + seg.wnd, edge);
	assert_int_equal(peer_pop(&p), MSS);
	peer_expect_nothing(&p); /* and offering more would be in vain */
	peer_push(&p, 100);
	seg = peer_expect(&p, ACK | PSH, 1, 2 + MSS, 100);
	assert_int_equal(seg.ack + seg.wnd, edge);
	peer_end(&p);
}

/* MUST-39 */
static void a_shut_window_opens_by_a_segment_or_half_the_buffer(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	struct rte_mbuf *m;

	(void)state;
	config.rcvbuf_len = 9600;
	p = peer_established(&config);
	for (uint32_t i = 0; i < 8; i++) {
		peer_send(&p, ACK, 1 + 1200 * i, 1, 1200);
		peer_expect(&p, ACK, 1, 1 + 1200 * (i + 1), 0);
	}
	p.conn->rcv_mss = MSS;
	assert_int_equal(p.conn->rcv_adv, p.conn->rxq.rcv_nxt);
	assert_int_equal(tcp_pop(p.h->net, p.conn, &m), 1);
	rte_pktmbuf_free(m);
	peer_expect_nothing(&p);
	assert_int_equal(tcp_pop(p.h->net, p.conn, &m), 1);
	rte_pktmbuf_free(m);
	assert_int_equal(peer_expect(&p, ACK, 1, 9601, 0).wnd, 2400);
	peer_end(&p);
}

/* RFC 7323 2.2 */
static void the_window_is_scaled_but_in_a_syn(void **state)
{
	static const uint8_t opts[] = {2, 4, MSS >> 8, MSS & 255, 1, 3, 3, 4};
	struct tcp_config config = host_config();
	struct peer p;
	struct seg syn = {.flags = SYN, .wnd = 1000, .opts = opts, .opts_len = sizeof(opts)}, ack;

	(void)state;
	config.window_scale = true;
	config.rcvbuf_len = 1 << 20;
	p = peer_begin(&config);
	peer_send_seg(&p, &syn);
	assert_int_equal(peer_expect(&p, SYN | ACK, 0, 1, 0).wnd, 65535);
	p.wnd = 1000;
	peer_send(&p, ACK, 1, 1, 0);
	p.conn = tcp_accept_or_null(p.h->net, p.listener, &p);
	assert_int_equal(p.conn->snd_wnd, 16000);
	peer_send(&p, ACK, 1, 1, 10);
	ack = peer_expect(&p, ACK, 1, 11, 0);
	assert_in_range(ack.wnd, (1 << 20 >> 5) - 100, 1 << 20 >> 5);
	peer_end(&p);
}

static void with_scarce_memory_the_window_does_not_grow(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	struct seg ack;

	(void)state;
	config.rcvbuf_len = 20000;
	p = peer_established(&config);
	peer_send(&p, ACK, 1, 1, MSS);
	ack = peer_expect(&p, ACK, 1, 1 + MSS, 0);
	assert_int_equal(peer_pop(&p), MSS);
	peer_expect_nothing(&p);
	p.conn->quick_acks = 1;
	peer_send(&p, ACK, 1 + MSS, 1, 10);
	p.h->mem.level = MEM_SCARCE;
	assert_int_equal(peer_expect(&p, ACK, 1, 11 + MSS, 0).wnd, ack.wnd - 10);
	p.h->mem.level = MEM_PLENTY;
	peer_end(&p);
}

static void a_gap_that_is_filled_in_the_same_burst_needs_one_ack(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK, 101, 1, 100);
	peer_send(&p, ACK, 201, 1, 100);
	peer_send(&p, ACK, 1, 1, 100);
	peer_expect(&p, ACK, 1, 301, 0);
	peer_expect_nothing(&p);
	peer_end(&p);
}

static void a_fin_is_heard_with_a_shut_window(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.rcvbuf_len = 4096;
	p = peer_established(&config);
	for (uint32_t at = 0; at < 4380; at += 1460)
		peer_send(&p, ACK, 1 + at, 1, RTE_MIN(1460u, 4096 - at));
	peer_drain(&p);
	assert_int_equal(p.conn->rcv_adv, p.conn->rxq.rcv_nxt);
	peer_send(&p, ACK | FIN, 4097, 1, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_CLOSE_WAIT);
	peer_expect(&p, ACK, 1, 4098, 0);
	assert_int_equal(peer_pop(&p), 4096);
	peer_end(&p);
}

static void after_an_ack_had_to_go_alone_the_next_ones_do_not_wait_for_answers(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK | PSH, 1, 1, 10);
	assert_int_equal(peer_pop(&p), 10);
	peer_push(&p, 10);
	peer_expect(&p, ACK | PSH, 1, 11, 10);
	peer_send(&p, ACK | PSH, 11, 11, 10);
	assert_int_equal(peer_pop(&p), 10);
	peer_expect_nothing(&p);
	peer_after(&p, 50 * MS); /* no answer */
	peer_expect(&p, ACK, 11, 21, 0);
	peer_send(&p, ACK | PSH, 21, 11, 10);
	peer_expect(&p, ACK, 11, 31, 0);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(bytes_out_of_order_are_put_in_order),
		host_test(each_segment_beyond_a_gap_gets_a_duplicate_ack_of_its_own),
		host_test(a_fin_beyond_a_gap_waits_for_its_turn),
		host_test(a_forged_fin_beyond_a_gap_does_not_hide_the_true_one),
		host_test(a_segment_that_brings_old_and_new_bytes_gives_the_new_ones),
		host_test(the_first_segments_are_acknowledged_at_once),
		host_test(what_fills_a_gap_is_acknowledged_at_once),
		host_test(after_a_pause_the_first_segments_are_acknowledged_at_once),
		host_test(a_delayed_ack_waits_forty_milliseconds_at_most),
		host_test(every_second_full_segment_is_acknowledged_at_once),
		host_test(a_burst_is_acknowledged_once),
		host_test(an_answer_carries_the_ack_and_then_acks_wait_for_answers),
		host_test(who_has_read_everything_and_waits_has_it_acknowledged),
		host_test(the_window_shrinks_as_bytes_wait_and_its_right_edge_stays),
		host_test(a_fin_leaves_the_windows_right_edge_where_it_is),
		host_test(a_shut_window_opens_by_a_segment_or_half_the_buffer),
		host_test(the_window_is_scaled_but_in_a_syn),
		host_test(with_scarce_memory_the_window_does_not_grow),
		host_test(a_gap_that_is_filled_in_the_same_burst_needs_one_ack),
		host_test(a_fin_is_heard_with_a_shut_window),
		host_test(after_an_ack_had_to_go_alone_the_next_ones_do_not_wait_for_answers),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
