#include "net/tcp_recovery.h"

#include "net/stack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MSS = 1000, ISS = 1000000 };

static struct net net;
static struct counters counters;

/* segments full segments are in flight, the window is as large. */
static struct tcp_conn in_flight(uint32_t segments)
{
	struct tcp_conn conn = {
		.snd_una = ISS + 1,
		.rtx_nxt = ISS + 1,
		.rtx_end = ISS + 1,
		.snd_nxt = ISS + 1 + segments * MSS,
		.recover = ISS,
		.snd_mss = MSS,
	};

	net.counters = &counters;
	tcp_cc_init(&conn.cc, &tcp_newreno, MSS, false);
	conn.cc.cwnd = segments * MSS;
	return conn;
}

static void duplicates(struct tcp_conn *conn, unsigned count)
{
	while (count-- > 0)
		tcp_recovery_duplicate(&net, conn);
}

static void acked(struct tcp_conn *conn, uint32_t len)
{
	uint32_t flight_len = tcp_conn_flight(conn);

	conn->snd_una += len;
	tcp_recovery_progress(&net, conn, len, flight_len);
}

/* RFC 5681 3.2 and RFC 6582 3.2, with ten segments in flight of which the first is lost. */
static void recovery_halves_inflates_deflates(void **state)
{
	struct tcp_conn conn = in_flight(10);

	(void)state;
	duplicates(&conn, 3);
	assert_int_equal(conn.cc.ssthresh, 5 * MSS);
	assert_int_equal(conn.cc.cwnd, 8 * MSS);
	duplicates(&conn, 6);
	assert_int_equal(conn.cc.cwnd, 14 * MSS);
	acked(&conn, 4 * MSS);
	assert_int_equal(conn.cc.cwnd, 11 * MSS);
	acked(&conn, MSS / 2); /* less than a segment: no new one may go */
	assert_int_equal(conn.cc.cwnd, 10 * MSS + MSS / 2);
	conn.snd_nxt += 8 * MSS;
	acked(&conn, 5 * MSS + MSS / 2);
	assert_int_equal(conn.cc.cwnd, 5 * MSS);
	assert_int_equal(conn.recovery, TCP_RECOVERY_NONE);
}

static void leaving_recovery_with_little_in_flight_makes_no_burst(void **state)
{
	struct tcp_conn conn = in_flight(100);

	(void)state;
	duplicates(&conn, 3);
	acked(&conn, 100 * MSS);
	assert_int_equal(conn.cc.cwnd, 2 * MSS);
	assert_int_equal(conn.cc.ssthresh, 50 * MSS);
}

static void a_partial_ack_of_nearly_everything_leaves_a_segment(void **state)
{
	struct tcp_conn conn = in_flight(10);

	(void)state;
	duplicates(&conn, 3);
	acked(&conn, 10 * MSS - 1);
	assert_int_equal(conn.cc.cwnd, MSS);
	assert_int_equal(conn.recovery, TCP_RECOVERY_FAST);
}

static void the_window_has_a_top_in_recovery_too(void **state)
{
	struct tcp_conn conn = in_flight(10);

	(void)state;
	duplicates(&conn, 3);
	conn.cc.cwnd = TCP_CC_CWND_MAX - 1;
	duplicates(&conn, 1);
	assert_int_equal(conn.cc.cwnd, TCP_CC_CWND_MAX);
}

static void a_timeout_ends_fast_recovery_and_sends_everything_again(void **state)
{
	struct tcp_conn conn = in_flight(10);

	(void)state;
	duplicates(&conn, 3);
	tcp_recovery_timeout(&net, &conn);
	assert_int_equal(conn.recovery, TCP_RECOVERY_LOSS);
	assert_int_equal(conn.cc.cwnd, MSS);
	assert_int_equal(conn.rtx_nxt, conn.snd_una);
	assert_int_equal(conn.rtx_end, conn.snd_nxt);
	duplicates(&conn, 5); /* of before: they start nothing */
	assert_int_equal(conn.cc.cwnd, MSS);
	assert_int_equal(conn.recovery, TCP_RECOVERY_LOSS);
}

/* Numbers wrap: what was long ago is not ahead again after 2 GiB. */
static void a_loss_after_gigabytes_without_one_is_recovered_from(void **state)
{
	(void)state;
	for (unsigned steps = 1; steps <= 9; steps++) {
		struct tcp_conn conn = in_flight(10);

		for (unsigned i = 0; i < steps; i++) {
			acked(&conn, 1u << 29);
			conn.snd_nxt = conn.snd_una + 10 * MSS;
		}
		duplicates(&conn, 3);
		assert_int_equal(conn.recovery, TCP_RECOVERY_FAST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recovery_halves_inflates_deflates),
		cmocka_unit_test(leaving_recovery_with_little_in_flight_makes_no_burst),
		cmocka_unit_test(a_partial_ack_of_nearly_everything_leaves_a_segment),
		cmocka_unit_test(the_window_has_a_top_in_recovery_too),
		cmocka_unit_test(a_timeout_ends_fast_recovery_and_sends_everything_again),
		cmocka_unit_test(a_loss_after_gigabytes_without_one_is_recovered_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
