/* Attackers off the path, who forge segments and ICMP errors without seeing the connection: what
 * they make this side send is bounded, and the connection goes on (RFC 5961, RFC 5927). */
#include "tcp_peer.h"

#include <errno.h>

enum { CONNS = 40 };

/* The segments that the host sends now, to this peer's port. */
static unsigned answers(struct peer *p)
{
	unsigned count = 0;
	struct seg seg;

	while (peer_take(p, &seg))
		count++;
	return count;
}

/* CONNS connections, from ports PEER_PORT on. */
static struct peer many_established(uint32_t per_second)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	struct tcp_config config = host_config();
	struct peer p;

	config.challenge_acks_per_second = per_second;
	p = peer_begin(&config);
	for (unsigned i = 0; i < CONNS; i++) {
		p.port = (uint16_t)(PEER_PORT + i);
		peer_handshake(&p, mss, sizeof(mss));
	}
	return p;
}

/* One forged RST in each connection's window; returns how many were answered. */
static unsigned rst_all(struct peer *p)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CONNS; i++) {
		p->port = (uint16_t)(PEER_PORT + i);
		peer_send(p, RST, 2, 0, 0);
		count += answers(p);
	}
	return count;
}

/* --- challenge ACKs --- */

/* RFC 5961 7 */
static void the_challenges_of_all_connections_have_a_limit_that_nobody_can_count(void **state)
{
	unsigned counts[10], different = 0;
	struct peer p = many_established(20);

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(counts); i++) {
		peer_after(&p, 1 * S);
		counts[i] = rst_all(&p);
		assert_in_range(counts[i], 10, 29);
		different += counts[i] != counts[0];
	}
	assert_true(different >= RTE_DIM(counts) / 2);
	assert_int_equal(p.h->counters.tcp_challenges + p.h->counters.tcp_challenges_limited,
			 CONNS * RTE_DIM(counts));
	peer_end(&p);
}

/* RFC 5961 7 */
static void without_a_limit_each_connection_is_challenged(void **state)
{
	struct peer p = many_established(0);

	(void)state;
	assert_int_equal(rst_all(&p), CONNS);
	assert_int_equal(p.h->counters.tcp_challenges, CONNS);
	peer_end(&p);
}

/* RFC 5961 7 */
static void one_connection_under_attack_does_not_use_up_the_challenges_of_the_others(void **state)
{
	struct peer p = many_established(2 * CONNS);
	unsigned count = 0;

	(void)state;
	peer_after(&p, 1 * S);
	p.port = PEER_PORT;
	for (unsigned i = 0; i < 1000; i++) {
		peer_send(&p, RST, 2 + i, 0, 0);
		peer_send(&p, SYN, 2 + i, 0, 0);
		count += answers(&p);
	}
	assert_int_equal(count, 1);
	assert_int_equal(rst_all(&p), CONNS - 1);
	peer_end(&p);
}

/* RFC 5961 7, RFC 5961 5.2 */
static void acks_of_what_was_never_sent_are_answered_ten_times_a_second(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	unsigned count = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		peer_send(&p, ACK, 1, 2 + i, i % 2 * 100);
		count += answers(&p);
		peer_after(&p, 1 * MS);
	}
	assert_in_range(count, 5, 11);
	assert_int_equal(peer_pop(&p), 0);
	peer_end(&p);
}

/* --- bytes outside the window --- */

/* RFC 5961 7 */
static void bytes_outside_the_window_are_answered_but_not_without_end(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	unsigned count = 0;

	(void)state;
	peer_send(&p, ACK | PSH, 1, 1, 100);
	peer_expect(&p, ACK, 1, 101, 0);
	for (unsigned i = 0; i < 1000; i++) {
		peer_send(&p, ACK, i % 2 ? 1 : 100000, 1, 100);
		count += answers(&p);
	}
	assert_int_equal(count, TCP_TEXT_CHALLENGES_MAX);
	assert_int_equal(p.h->counters.tcp_challenges_limited, 1000 - count);
	peer_send(&p, ACK | PSH, 101, 1, 100); /* what is new is acknowledged all the same */
	peer_expect(&p, ACK, 1, 201, 0);
	peer_after(&p, 100 * MS);
	peer_send(&p, ACK, 1, 1, 100);
	peer_expect(&p, ACK, 1, 201, 0);
	assert_int_equal(peer_pop(&p), 200);
	peer_end(&p);
}

/* RFC 5961 7, RFC 7323 5.3 */
static void bytes_with_old_timestamps_are_answered_but_not_without_end(void **state)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	struct tcp_config config = host_config();
	unsigned count = 0;
	struct peer p;

	(void)state;
	config.timestamps = true;
	p = peer_begin(&config);
	p.ts = true;
	peer_handshake(&p, mss, sizeof(mss));
	p.ts_val -= 1000;
	for (unsigned i = 0; i < 1000; i++) {
		peer_send(&p, ACK, 1, 1, 100);
		count += answers(&p);
	}
	assert_int_equal(count, TCP_TEXT_CHALLENGES_MAX);
	p.ts_val += 1000;
	peer_send(&p, ACK | PSH, 1, 1, 100);
	peer_expect(&p, ACK, 1, 101, 0);
	peer_end(&p);
}

/* RFC 5961 7 */
static void bytes_after_the_fin_are_answered_but_not_without_end(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	unsigned count = 0;

	(void)state;
	peer_send(&p, ACK | FIN, 1, 1, 0);
	peer_expect(&p, ACK, 1, 2, 0);
	for (unsigned i = 0; i < 1000; i++) {
		peer_send(&p, ACK, 2, 1, 100);
		count += answers(&p);
	}
	assert_int_equal(count, TCP_TEXT_CHALLENGES_MAX);
	peer_after(&p, 200 * MS);
	peer_send(&p, ACK | FIN, 1, 1, 0);
	peer_expect(&p, ACK, 1, 2, 0);
	peer_end(&p);
}

/* MUST-36, RFC 5961 7: whatever the form of the probe. */
static void every_probe_of_a_shut_window_is_answered(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.rcvbuf_len = 4096;
	p = peer_established(&config);
	for (uint32_t at = 0; at < 4380; at += 1460)
		peer_send(&p, ACK, 1 + at, 1, RTE_MIN(1460u, 4096 - at));
	answers(&p);
	for (unsigned i = 0; i < 20; i++) {
		peer_after(&p, 200 * MS);
		peer_send(&p, ACK, i % 2 ? 4097 : 4096, 1, i % 2);
		assert_int_equal(peer_expect(&p, ACK, 1, 4097, 0).wnd, 0);
	}
	assert_int_equal(peer_pop(&p), 4096);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(the_challenges_of_all_connections_have_a_limit_that_nobody_can_count),
		host_test(without_a_limit_each_connection_is_challenged),
		host_test(one_connection_under_attack_does_not_use_up_the_challenges_of_the_others),
		host_test(acks_of_what_was_never_sent_are_answered_ten_times_a_second),
		host_test(bytes_outside_the_window_are_answered_but_not_without_end),
		host_test(bytes_with_old_timestamps_are_answered_but_not_without_end),
		host_test(bytes_after_the_fin_are_answered_but_not_without_end),
		host_test(every_probe_of_a_shut_window_is_answered),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
