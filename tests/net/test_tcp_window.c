/* The window that the peer offers: which segments may tell it, and what a window that shrinks does.
 * MUST-n and SHLD-n are RFC 9293's. */
#include "tcp_peer.h"

#include <errno.h>
#include <rte_common.h>
#include <sys/socket.h>

/* A segment of the peer with a window of its own. */
static void tell(struct peer *p, uint32_t seq, uint32_t ack, uint32_t len, uint16_t wnd)
{
	const struct seg seg = {.flags = ACK | PSH, .seq = seq, .ack = ack, .len = len, .wnd = wnd};

	peer_send_seg(p, &seg);
	peer_drain(p);
}

/* --- which segment tells it --- */

/* RFC 9293 3.10.7.4: SND.WL1 < SEG.SEQ, or equal and SND.WL2 <= SEG.ACK; SND.UNA <= SEG.ACK. */
static void only_the_newest_segment_tells_the_window(void **state)
{
	const struct tcp_config config = host_config();

	(void)state;
	/* Wherever the peer's numbers begin. */
	for (unsigned i = 0; i < 4; i++) {
		struct peer p = peer_begin(&config);

		p.iss = i * 0x40000000u + 0x30000000u;
		peer_handshake(&p, NULL, 0);
		assert_int_equal(p.conn->snd_wnd, PEER_WND);
		peer_push(&p, 1000);
		peer_drain(&p);
		tell(&p, 1, 1, 0, 10000); /* the same numbers again */
		assert_int_equal(p.conn->snd_wnd, 10000);
		tell(&p, 1, 501, 0, 9000); /* a newer ACK */
		assert_int_equal(p.conn->snd_wnd, 9000);
		tell(&p, 1, 101, 0, 20000); /* an older one: reordered */
		assert_int_equal(p.conn->snd_wnd, 9000);
		tell(&p, 11, 501, 10, 8000); /* a newer number */
		assert_int_equal(p.conn->snd_wnd, 8000);
		tell(&p, 1, 501, 10, 30000); /* an older one */
		assert_int_equal(p.conn->snd_wnd, 8000);
		tell(&p, 21, 101, 10,
		     30000); /* a newer number, but the ACK is older than SND.UNA */
		assert_int_equal(p.conn->snd_wnd, 8000);
		tell(&p, 31, 1001, 10, 0);
		assert_int_equal(p.conn->snd_wnd, 0);
		peer_end(&p);
	}
}

/* RFC 9293 3.10.7.3: the answer to our SYN tells it first. */
static void the_answer_to_our_syn_tells_the_window_and_what_is_older_does_not(void **state)
{
	const struct tcp_config config = host_config();
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct peer p = peer_begin(&config);

		p.iss = i * 0x40000000u + 0x30000000u;
		assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &p.conn), 0);
		p.host_port = rte_be_to_cpu_16(tcp_conn_local(p.conn).port);
		peer_expect(&p, SYN, 0, 0, 0);
		peer_send(&p, SYN | ACK, 0, 1, 0);
		peer_drain(&p);
		assert_int_equal(p.conn->snd_wnd, PEER_WND);
		tell(&p, 1, 1, 10, 1234);
		assert_int_equal(p.conn->snd_wnd, 1234);
		peer_end(&p);
	}
}

/* RFC 7323 2.2: not in a SYN, of either side. */
static void the_window_of_a_syn_is_not_scaled(void **state)
{
	static const uint8_t opts[] = {2, 4, MSS >> 8, MSS & 255, 1, 3, 3, 7};
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};
	const struct seg answer = {
		.flags = SYN | ACK, .ack = 1, .wnd = 3000, .opts = opts, .opts_len = sizeof(opts)};
	const struct seg syn = {.flags = SYN, .wnd = 3000, .opts = opts, .opts_len = sizeof(opts)};
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.window_scale = true;
	p = peer_begin(&config);
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &p.conn), 0);
	p.host_port = rte_be_to_cpu_16(tcp_conn_local(p.conn).port);
	peer_expect(&p, SYN, 0, 0, 0);
	peer_send_seg(&p, &answer);
	peer_drain(&p);
	assert_int_equal(p.conn->snd_wnd, 3000);
	tell(&p, 1, 1, 0, 3000);
	assert_int_equal(p.conn->snd_wnd, 3000 << 7);
	peer_end(&p);
	/* Nor in the SYN-ACK of a simultaneous open, when the scale is known. */
	p = peer_begin(&config);
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &p.conn), 0);
	p.host_port = rte_be_to_cpu_16(tcp_conn_local(p.conn).port);
	peer_expect(&p, SYN, 0, 0, 0);
	peer_send_seg(&p, &syn);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send_seg(&p, &answer);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	assert_int_equal(p.conn->snd_wnd, 3000);
	peer_end(&p);
}

/* RFC 7323 2.2, 2.3: both scale, or nobody does, and by 14 at most. */
static void windows_are_scaled_if_both_sides_said_so(void **state)
{
	static const uint8_t opts[] = {2, 4, MSS >> 8, MSS & 255, 1, 3, 3, 15};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool ours = i & 1, theirs = i & 2, both = ours && theirs;
		struct tcp_config config = host_config();
		struct peer p;
		struct seg seg;

		config.window_scale = ours;
		config.rcvbuf_len = 1 << 20;
		p = peer_begin(&config);
		p.wnd = 1000;
		peer_handshake(&p, opts, theirs ? sizeof(opts) : 4);
		assert_int_equal(p.conn->snd_wnd, both ? 1000 << 14 : 1000);
		peer_send(&p, ACK | PSH, 1, 1, 10);
		assert_true(peer_take(&p, &seg));
		assert_in_range((uint32_t)seg.wnd << (both ? 5 : 0), both ? 1 << 19 : 60000,
				both ? 1 << 20 : 65535);
		peer_end(&p);
	}
}

/* MUST-1: and what is to the right of the sign bit is a window as well. */
static void the_largest_window_there_is_is_a_window(void **state)
{
	static const uint8_t opts[] = {2, 4, MSS >> 8, MSS & 255, 1, 3, 3, 14};

	(void)state;
	for (unsigned scaled = 0; scaled < 2; scaled++) {
		struct tcp_config config = host_config();
		struct peer p;

		config.window_scale = scaled;
		p = peer_begin(&config);
		p.wnd = 0xffff;
		peer_handshake(&p, opts, sizeof(opts));
		assert_int_equal(p.conn->snd_wnd, scaled ? 0xffffu << 14 : 0xffffu);
		peer_push(&p, 10 * MSS);
		for (uint32_t i = 0; i < 10; i++)
			peer_expect(&p, i == 9 ? ACK | PSH : ACK, 1 + i * MSS, 1, MSS);
		peer_end(&p);
	}
}

/* RFC 9293 3.8.6.2.2: a buffer may be larger than what a peer without window scale can be told;
 * reading from it then is no news. */
static void a_buffer_larger_than_can_be_told_makes_no_acks(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	uint32_t at = 1;
	struct seg seg;

	(void)state;
	config.rcvbuf_len = 1 << 20;
	p = peer_established(&config);
	assert_int_equal(peer_pop(&p), 0);
	peer_expect_nothing(&p);
	p.conn->quick_acks = 0;
	for (unsigned i = 0; i < 10; i++, at += 100) {
		peer_send(&p, ACK | PSH, at, 1, 100);
		assert_int_equal(p.conn->rxq.len, 100);
		peer_expect_nothing(&p);
		p.conn->interactive = true; /* so that reading makes no ACK of its own */
		assert_int_equal(peer_pop(&p), 100);
		peer_expect_nothing(&p);
		assert_int_equal(peer_pop(&p), 0);
		peer_expect_nothing(&p);
		peer_after(&p, 50 * MS);
		seg = peer_expect(&p, ACK, 1, at + 100, 0);
		assert_in_range(seg.wnd, 65535 - MSS, 65535);
	}
	peer_end(&p);
}

/* --- a window that shrinks --- */

/* Ten segments are in flight, ten more are queued. */
static struct peer ten_in_flight(const struct tcp_config *config)
{
	struct peer p = peer_established(config);

	peer_push(&p, 20 * MSS);
	for (uint32_t i = 0; i < 10; i++)
		peer_expect(&p, ACK, 1 + i * MSS, 1, MSS);
	peer_expect_nothing(&p);
	return p;
}

/* MUST-34, SHLD-15: nothing new; SHLD-16: what is inside still goes again, and it all ends well. */
static void a_window_that_shrank_is_kept_to_and_what_is_inside_goes_again(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = ten_in_flight(&config);
	uint32_t received = 1;
	struct seg seg;

	(void)state;
	tell(&p, 1, 1, 0, 3 * MSS); /* it keeps three of the ten, and drops them all */
	peer_after(&p, 250 * MS);
	peer_expect(&p, ACK, 1, 1, MSS);
	p.wnd = 3 * MSS;
	for (unsigned i = 0; i < 200 && received < 1 + 20 * MSS; i++) {
		peer_after(&p, 50 * MS);
		while (peer_take(&p, &seg)) {
			/* New is only what the window has room for. */
			assert_true(seq_leq(seg.seq + seg.len, received + 3 * MSS) ||
				    seq_leq(seg.seq + seg.len, 1 + 10 * MSS));
			if (seg.seq == received && seg.len > 0)
				received += seg.len;
		}
		peer_send(&p, ACK, 1, received, 0);
	}
	assert_int_equal(received, 1 + 20 * MSS);
	peer_end(&p);
}

/* SHLD-17, MUST-35, MUST-37: shut with bytes in flight that lie beyond it now. The peer drops them,
 * answers, and opens after ten minutes. */
static void a_window_that_shrank_to_nothing_is_probed_and_nobody_loses_patience(void **state)
{
	for (unsigned sack = 0; sack < 2; sack++) {
		static const uint8_t opts[] = {2, 4, MSS >> 8, MSS & 255, 4, 2};
		struct tcp_config config = host_config();
		struct peer p;
		unsigned asked = 0;
		struct seg seg;

		(void)state;
		config.sack = sack;
		p = peer_begin(&config);
		peer_handshake(&p, opts, sack ? 6 : 4);
		peer_push(&p, 10 * MSS);
		peer_drain(&p);
		p.wnd = 0;
		peer_send(&p, ACK, 1, 1, 0);
		for (unsigned i = 0; i < 600; i++) {
			peer_after(&p, 1 * S);
			while (peer_take(&p, &seg)) {
				assert_int_equal(seg.flags & RST, 0);
				asked++;
				peer_send(&p, ACK, 1, 1, 0);
			}
			assert_int_equal(tcp_conn_error(p.conn), 0);
		}
		assert_in_range(asked, 8, 40);
		p.wnd = PEER_WND;
		peer_send(&p, ACK, 1, 1, 0);
		for (uint32_t i = 0, una = 1; i < 200 && una < 1 + 10 * MSS; i++) {
			peer_after(&p, 1 * S);
			while (peer_take(&p, &seg))
				if (seg.seq == una)
					una += seg.len;
			peer_send(&p, ACK, 1, una, 0);
		}
		assert_int_equal(tcp_conn_flight(p.conn), 0);
		peer_end(&p);
	}
}

/* RFC 5961 3.2: only the very next number resets, and what lies beyond the window is not even
 * challenged: an RST keeps to a window that shrank. */
static void an_rst_lies_inside_a_window_that_shrank(void **state)
{
	const struct linger hard = {.l_onoff = 1};
	const struct tcp_config config = host_config();

	(void)state;
	for (uint32_t wnd = 0; wnd <= 2 * MSS; wnd += MSS) {
		struct peer p = ten_in_flight(&config);

		tell(&p, 1, 1 + MSS, 0, (uint16_t)wnd);
		assert_int_equal(tcp_option_set(p.h->net, p.conn, SOL_SOCKET, SO_LINGER, &hard,
						sizeof(hard)),
				 0);
		tcp_close(p.h->net, p.conn);
		peer_expect(&p, RST | ACK, 1 + MSS + wnd, 1, 0);
		peer_end(&p);
	}
}

/* MUST-37's other side, RFC 9293 3.8.3: a peer that shut its window and is gone is given up. */
static void a_peer_that_shut_its_window_and_fell_silent_is_given_up(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = ten_in_flight(&config);

	(void)state;
	tell(&p, 1, 1, 0, 0);
	for (unsigned i = 0; i < 400 && !tcp_conn_error(p.conn); i++) {
		peer_after(&p, 1 * S);
		peer_drain(&p);
	}
	assert_int_equal(tcp_conn_error(p.conn), ETIMEDOUT);
	peer_end(&p);
}

/* --- silly windows --- */

/* MUST-38, RFC 9293 3.8.6.2.1 (3): half of the largest window is worth a segment, less is not. */
static void half_of_the_largest_window_is_worth_sending(void **state)
{
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned half = 0; half < 2; half++) {
		struct peer p = peer_begin(&config);
		const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};

		p.wnd = 1000; /* never more: less than a full segment */
		peer_handshake(&p, mss, sizeof(mss));
		peer_push(&p, 3000);
		peer_expect(&p, ACK, 1, 1, 1000);
		p.wnd = half ? 500 : 499;
		peer_send(&p, ACK, 1, 1001, 0);
		if (half)
			peer_expect(&p, ACK, 1001, 1, 500);
		peer_expect_nothing(&p);
		peer_end(&p);
	}
}

/* MUST-39, RFC 9293 3.8.6.2.2: also in ACKs that go anyhow: the edge stays until it can move by a
 * segment. */
static void the_edge_does_not_creep_in_acks_that_go_anyhow(void **state)
{
	struct tcp_config config = host_config();
	uint32_t edge, at = 1;
	struct rte_mbuf *m;
	struct peer p;
	struct seg seg;

	(void)state;
	config.rcvbuf_len = 12000;
	p = peer_established(&config);
	for (; at < 1 + 9600; at += 1200) {
		peer_send(&p, ACK, at, 1, 1200);
		assert_true(peer_take(&p, &seg));
	}
	p.conn->rcv_mss = MSS;
	edge = seg.ack + seg.wnd;
	assert_int_equal(tcp_pop(p.h->net, p.conn, &m), 1);
	rte_pktmbuf_free(m);
	peer_push(&p, 10); /* carries an ACK, and a window: 1,200 bytes more are free */
	assert_true(peer_take(&p, &seg));
	assert_int_equal(seg.ack + seg.wnd, edge);
	assert_int_equal(tcp_pop(p.h->net, p.conn, &m), 1);
	rte_pktmbuf_free(m);
	peer_send(&p, ACK, at, 11, 10);
	assert_true(peer_take(&p, &seg));
	assert_true(seg.ack + seg.wnd >= edge + MSS);
	peer_end(&p);
}

/* Linux takes its fast path only where the header's field is the same as before. */
static void while_half_of_the_buffer_is_open_each_answer_tells_the_same_window(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	uint16_t wnd = 0;
	struct rte_mbuf *m;
	struct seg seg;

	(void)state;
	for (uint32_t i = 0; i < 40; i++) {
		peer_send(&p, ACK, 1 + 64 * i, 1 + 10 * i, 64);
		assert_int_equal(tcp_pop(p.h->net, p.conn, &m), 1);
		rte_pktmbuf_free(m);
		peer_push(&p, 10);
		assert_true(peer_take(&p, &seg));
		assert_int_equal(seg.ack, 1 + 64 * (i + 1));
		if (i > 0)
			assert_int_equal(seg.wnd, wnd);
		wnd = seg.wnd;
	}
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(only_the_newest_segment_tells_the_window),
		host_test(the_answer_to_our_syn_tells_the_window_and_what_is_older_does_not),
		host_test(the_window_of_a_syn_is_not_scaled),
		host_test(windows_are_scaled_if_both_sides_said_so),
		host_test(the_largest_window_there_is_is_a_window),
		host_test(a_buffer_larger_than_can_be_told_makes_no_acks),
		host_test(a_window_that_shrank_is_kept_to_and_what_is_inside_goes_again),
		host_test(a_window_that_shrank_to_nothing_is_probed_and_nobody_loses_patience),
		host_test(an_rst_lies_inside_a_window_that_shrank),
		host_test(a_peer_that_shut_its_window_and_fell_silent_is_given_up),
		host_test(half_of_the_largest_window_is_worth_sending),
		host_test(the_edge_does_not_creep_in_acks_that_go_anyhow),
		host_test(while_half_of_the_buffer_is_open_each_answer_tells_the_same_window),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
