/* Segments that somebody made up, at the very edges of what may be believed: each number that is
 * one off gets what RFC 5961 and RFC 7323 say, and changes nothing. */
#include "tcp_peer.h"

#include <errno.h>
#include <rte_common.h>

static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};

enum { WINDOW_END = 1 + 65535 }; /* of the host, before anything came */

static struct peer established_with_timestamps(void)
{
	struct tcp_config config = host_config();
	struct peer p;

	config.timestamps = true;
	p = peer_begin(&config);
	p.ts = true;
	peer_handshake(&p, mss, sizeof(mss));
	return p;
}

/* --- RST --- */

/* RFC 5961 3.2: 1) outside: silence, 2) the very next number: reset, 3) inside: a challenge. */
static void only_the_very_next_number_resets(void **state)
{
	static const struct {
		uint32_t seq;
		bool challenge;
	} rsts[] = {
		{101 - 0x40000000u, false},
		{1, false},
		{100, false},
		{102, true},
		{201, true},
		{301, true},
		{WINDOW_END - 1, true},
		{WINDOW_END + 101, false},
		{101 + 0x7fffffffu, false},
	};
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(rsts); i++) {
		for (uint8_t flags = RST; flags <= (RST | ACK); flags += ACK) {
			struct peer p = peer_established(&config);

			peer_send(&p, ACK | PSH, 1, 1, 100);
			peer_send(&p, ACK | PSH, 201, 1, 100); /* beyond a gap */
			peer_drain(&p);
			peer_send(&p, flags, rsts[i].seq, 1, 0);
			if (rsts[i].challenge)
				peer_expect(&p, ACK, 1, 101, 0);
			peer_expect_nothing(&p);
			assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
			assert_int_equal(peer_pop(&p), 100);
			peer_send(&p, flags, 101, 1, 0);
			assert_int_equal(tcp_conn_error(p.conn), ECONNRESET);
			peer_drain(&p);
			peer_end(&p);
		}
	}
}

/* RFC 5961 3.2: what counts is what was received, not what was acknowledged. */
static void while_an_ack_is_delayed_the_number_before_does_not_reset(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	p.conn->quick_acks = 0;
	peer_send(&p, ACK | PSH, 1, 1, 100);
	peer_expect_nothing(&p);
	peer_send(&p, RST, 1, 0, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	peer_drain(&p);
	peer_send(&p, RST, 101, 0, 0);
	assert_int_equal(tcp_conn_error(p.conn), ECONNRESET);
	peer_end(&p);
}

/* RFC 9293 3.5.3, RFC 5961 3.2: half-open connections are found out. */
static void a_peer_that_restarted_resets_with_the_number_of_the_challenge(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	struct seg challenge;
	uint32_t irs;

	(void)state;
	peer_send(&p, ACK | PSH, 1, 1, 100);
	peer_expect(&p, ACK, 1, 101, 0);
	p.iss += 12345678;
	irs = p.irs;
	peer_send(&p, SYN, 0, 0, 0);
	assert_true(peer_take(&p, &challenge));
	assert_int_equal(challenge.flags, ACK);
	assert_int_equal(p.irs, irs);
	peer_send(&p, RST, challenge.ack, 0, 0);
	assert_int_equal(tcp_conn_error(p.conn), ECONNRESET);
	peer_send(&p, SYN, 0, 0, 0); /* once more */
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_end(&p);
}

/* --- SYN --- */

/* RFC 5961 4.2: irrespective of the sequence number. */
static void a_syn_of_any_number_in_any_state_is_challenged(void **state)
{
	static const uint32_t seqs[] = {0,
					1,
					2,
					500,
					WINDOW_END - 1,
					WINDOW_END,
					WINDOW_END + 1,
					0x40000000u,
					0x7fffffffu,
					0x80000001u,
					0xc0000000u};
	static const enum tcp_state states[] = {TCP_ESTABLISHED, TCP_FIN_WAIT_1, TCP_FIN_WAIT_2,
						TCP_CLOSE_WAIT,	 TCP_CLOSING,	 TCP_LAST_ACK};
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(states) * RTE_DIM(seqs) * 2; i++) {
		enum tcp_state in = states[i / RTE_DIM(seqs) / 2];
		uint8_t flags = i % 2 ? SYN | ACK : SYN;
		struct peer p = peer_established(&config);
		bool fin = in == TCP_CLOSE_WAIT || in == TCP_LAST_ACK || in == TCP_CLOSING;
		bool ours = in != TCP_ESTABLISHED && in != TCP_CLOSE_WAIT;
		struct seg challenge;

		if (fin && in != TCP_CLOSING)
			peer_send(&p, ACK | FIN, 1, 1, 0);
		if (ours)
			assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), 0);
		peer_drain(&p);
		if (in == TCP_FIN_WAIT_2)
			peer_send(&p, ACK, 1, 2, 0);
		if (in == TCP_CLOSING)
			peer_send(&p, ACK | FIN, 1, 1, 0);
		peer_drain(&p);
		assert_int_equal(tcp_conn_state(p.conn), in);
		peer_send(&p, flags, seqs[i / 2 % RTE_DIM(seqs)], 1, 0);
		challenge = peer_expect(&p, ACK, 1 + ours, 1 + fin, 0);
		assert_int_equal(challenge.len, 0);
		peer_expect_nothing(&p);
		assert_int_equal(tcp_conn_state(p.conn), in);
		peer_end(&p);
	}
}

/* --- ACK --- */

/* RFC 5961 5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT. */
static void acks_are_believed_up_to_both_edges_and_not_beyond(void **state)
{
	/* 2,000 bytes were acknowledged, 100 are in flight; 60,000 was the largest window. */
	static const struct {
		uint32_t ack;
		bool good;
	} acks[] = {
		{2001 - PEER_WND, true}, {2001 - PEER_WND - 1, false}, {2001 + 100, true},
		{2001 + 101, false},	 {2001 - 0x7fffffffu, false},  {2001 + 0x7fffffffu, false},
	};
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(acks); i++) {
		struct peer p = peer_established(&config);

		peer_push(&p, 2000);
		peer_drain(&p);
		p.wnd = 500; /* it is smaller now */
		peer_send(&p, ACK, 1, 2001, 0);
		peer_push(&p, 100);
		peer_expect(&p, ACK | PSH, 2001, 1, 100);
		peer_send(&p, ACK | PSH, 1, acks[i].ack, 10);
		if (acks[i].good) {
			assert_int_equal(peer_pop(&p), 10);
			assert_int_equal(tcp_conn_flight(p.conn), acks[i].ack == 2101 ? 0 : 100);
		} else {
			peer_expect(&p, ACK, 2101, 1, 0);
			assert_int_equal(peer_pop(&p), 0);
			assert_int_equal(tcp_conn_flight(p.conn), 100);
			assert_int_equal(p.h->counters.tcp_challenges, 1);
		}
		peer_end(&p);
	}
}

/* --- timestamps --- */

/* RFC 7323 4.3, RFC 5961 5: else one forged segment makes PAWS drop all that the peer sends. */
static void the_timestamp_of_what_is_not_accepted_is_not_kept(void **state)
{
	static const struct seg forged[] = {
		{.flags = ACK, .seq = 1, .ack = 2, .wnd = PEER_WND},
		{.flags = ACK | PSH, .seq = 1, .ack = 2, .len = 10, .wnd = PEER_WND},
		{.flags = ACK | PSH, .seq = 1, .ack = 1u - 100000, .len = 10, .wnd = PEER_WND},
		{.flags = PSH, .seq = 1, .len = 10, .wnd = PEER_WND},
		{.flags = SYN, .seq = 1, .wnd = PEER_WND},
		{.flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = PEER_WND},
		{.flags = RST, .seq = 2, .wnd = PEER_WND},
		{.flags = ACK | PSH, .seq = 100000, .ack = 1, .len = 10, .wnd = PEER_WND},
	};

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(forged); i++) {
		struct peer p = established_with_timestamps();
		uint32_t honest = p.ts_val;

		p.ts_val += 1000000;
		peer_send_seg(&p, &forged[i]);
		peer_drain(&p);
		p.ts_val = honest + 1;
		peer_send(&p, ACK | PSH, 1, 1, 10);
		assert_int_equal(peer_pop(&p), 10);
		assert_int_equal(peer_expect(&p, ACK, 1, 11, 0).parsed.ts_ecr, honest + 1);
		peer_end(&p);
	}
}

/* RFC 7323 4.3: of segments that one ACK answers, the first one's, so that the round trip that the
 * peer measures has the delay of the ACK in it. */
static void a_delayed_ack_echoes_the_first_timestamp(void **state)
{
	struct peer p = established_with_timestamps();

	(void)state;
	p.conn->quick_acks = 0;
	p.ts_val = 6000;
	peer_send(&p, ACK | PSH, 1, 1, 10);
	p.ts_val = 6010;
	peer_send(&p, ACK | PSH, 11, 1, 10);
	peer_expect_nothing(&p);
	peer_after(&p, 50 * MS);
	assert_int_equal(peer_expect(&p, ACK, 1, 21, 0).parsed.ts_ecr, 6000);
	p.ts_val = 6020;
	peer_send(&p, ACK | PSH, 21, 1, 10);
	peer_after(&p, 50 * MS);
	assert_int_equal(peer_expect(&p, ACK, 1, 31, 0).parsed.ts_ecr, 6020);
	peer_end(&p);
}

/* RFC 7323 5.3: equal is not older. */
static void segments_of_one_and_the_same_millisecond_are_all_believed(void **state)
{
	struct peer p = established_with_timestamps();

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		peer_send(&p, ACK | PSH, 1 + i * 10, 1, 10);
	assert_int_equal(peer_pop(&p), 100);
	assert_int_equal(peer_drops(&p, DROP_tcp_paws), 0);
	peer_end(&p);
}

/* RFC 7323 5.2: before and after are modulo 2^32. */
static void the_timestamp_clock_may_wrap(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.timestamps = true;
	p = peer_begin(&config);
	p.ts = true;
	p.ts_val = 0xfffffffe;
	peer_handshake(&p, mss, sizeof(mss));
	for (uint32_t i = 0; i < 4; i++, p.ts_val++) {
		peer_send(&p, ACK | PSH, 1 + i * 10, 1, 10);
		peer_drain(&p);
	}
	assert_int_equal(peer_pop(&p), 40);
	p.ts_val = 0xfffffffe;
	peer_send(&p, ACK | PSH, 41, 1, 10);
	assert_int_equal(peer_drops(&p, DROP_tcp_paws), 1);
	peer_end(&p);
}

/* RFC 7323 3.2 */
static void once_agreed_every_segment_carries_a_timestamp_an_rst_too(void **state)
{
	struct peer p = established_with_timestamps();
	struct seg seg;

	(void)state;
	p.ts_val += 5;
	peer_send(&p, ACK | PSH, 1, 1, 10);
	peer_push(&p, 10);
	peer_after(&p, 300 * MS);    /* data, again, with the ACK */
	tcp_close(p.h->net, p.conn); /* bytes are unread */
	for (unsigned i = 0; i < 3; i++) {
		assert_true(peer_take(&p, &seg));
		assert_int_equal(seg.parsed.present, TCP_OPT_TIMESTAMPS);
		assert_int_equal(seg.parsed.ts_ecr, p.ts_val);
		if (seg.flags & RST)
			break;
	}
	assert_int_equal(seg.flags, RST | ACK);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(only_the_very_next_number_resets),
		host_test(while_an_ack_is_delayed_the_number_before_does_not_reset),
		host_test(a_peer_that_restarted_resets_with_the_number_of_the_challenge),
		host_test(a_syn_of_any_number_in_any_state_is_challenged),
		host_test(acks_are_believed_up_to_both_edges_and_not_beyond),
		host_test(the_timestamp_of_what_is_not_accepted_is_not_kept),
		host_test(a_delayed_ack_echoes_the_first_timestamp),
		host_test(segments_of_one_and_the_same_millisecond_are_all_believed),
		host_test(the_timestamp_clock_may_wrap),
		host_test(once_agreed_every_segment_carries_a_timestamp_an_rst_too),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
