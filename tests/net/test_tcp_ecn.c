/* SHLD-8: explicit congestion notification, RFC 3168. */
#include "tcp_peer.h"

#include "net/tcp_ecn.h"

#include <linux/tcp.h>

enum { ECT0 = 2, CE = 3 };

static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};

/* The peer asks for ECN with its SYN. */
static struct peer asked(const struct tcp_config *config, uint8_t syn_flags, uint8_t answer_flags)
{
	const struct seg syn = {
		.flags = syn_flags, .wnd = PEER_WND, .opts = mss, .opts_len = sizeof(mss)};
	struct peer p = peer_begin(config);

	peer_send_seg(&p, &syn);
	peer_expect(&p, answer_flags, 0, 1, 0);
	peer_send(&p, ACK, 1, 1, 0);
	p.conn = tcp_accept_or_null(p.h->net, p.listener, &p);
	assert_non_null(p.conn);
	return p;
}

static struct peer agreed(void)
{
	const struct tcp_config config = host_config();

	return asked(&config, SYN | ECE | CWR, SYN | ACK | ECE);
}

/* The host asks or does not; the peer answers with these flags. */
static struct peer answered(struct tcp_config *config, enum tcp_ecn ecn, uint8_t flags)
{
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};
	const struct seg answer = {
		.flags = flags, .ack = 1, .wnd = PEER_WND, .opts = mss, .opts_len = sizeof(mss)};
	struct peer p;

	config->ecn = ecn;
	p = peer_begin(config);
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &p.conn), 0);
	p.host_port = rte_be_to_cpu_16(tcp_conn_local(p.conn).port);
	assert_int_equal(
		peer_expect(&p, ecn == TCP_ECN_ALWAYS ? SYN | ECE | CWR : SYN, 0, 0, 0).tos, 0);
	peer_send_seg(&p, &answer);
	peer_expect(&p, ACK, 1, 1, 0);
	return p;
}

/* --- agreeing --- */

/* SHLD-8, RFC 3168 6.1.1 */
static void a_peer_that_asks_is_answered_and_data_can_be_marked(void **state)
{
	struct peer p = agreed();
	struct tcp_info info;

	(void)state;
	peer_push(&p, 100);
	assert_int_equal(peer_expect(&p, ACK | PSH, 1, 1, 100).tos, ECT0);
	tcp_info_fill(p.h->net, p.conn, &info);
	assert_int_equal(info.tcpi_options, TCPI_OPT_ECN);
	peer_end(&p);
}

/* RFC 3168 6.1.1 */
static void a_peer_that_does_not_ask_gets_no_mark(void **state)
{
	static const uint8_t syns[] = {SYN, SYN | ECE, SYN | CWR};
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct peer p = asked(&config, syns[i], SYN | ACK);

		peer_push(&p, 100);
		assert_int_equal(peer_expect(&p, ACK | PSH, 1, 1, 100).tos, 0);
		peer_end(&p);
	}
}

/* RFC 3168 6.1.1 */
static void it_can_be_forbidden(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.ecn = TCP_ECN_NEVER;
	p = asked(&config, SYN | ECE | CWR, SYN | ACK);
	peer_push(&p, 100);
	assert_int_equal(peer_expect(&p, ACK | PSH, 1, 1, 100).tos, 0);
	peer_end(&p);
}

/* RFC 3168 6.1.1 */
static void a_host_that_asks_takes_only_a_proper_answer(void **state)
{
	static const uint8_t answers[] = {SYN | ACK | ECE, SYN | ACK, SYN | ACK | ECE | CWR};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct tcp_config config = host_config();
		struct peer p = answered(&config, TCP_ECN_ALWAYS, answers[i]);

		peer_push(&p, 100);
		assert_int_equal(peer_expect(&p, ACK | PSH, 1, 1, 100).tos, i == 0 ? ECT0 : 0);
		peer_end(&p);
	}
}

/* RFC 3168 6.1.1 */
static void an_answer_that_nobody_asked_for_agrees_to_nothing(void **state)
{
	struct tcp_config config = host_config();
	struct peer p = answered(&config, TCP_ECN_PASSIVE, SYN | ACK | ECE);

	(void)state;
	peer_push(&p, 100);
	assert_int_equal(peer_expect(&p, ACK | PSH, 1, 1, 100).tos, 0);
	peer_end(&p);
}

/* RFC 3168 6.1.1.1 */
static void a_lost_syn_is_sent_again_without_asking(void **state)
{
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.ecn = TCP_ECN_ALWAYS;
	p = peer_begin(&config);
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &p.conn), 0);
	p.host_port = rte_be_to_cpu_16(tcp_conn_local(p.conn).port);
	peer_expect(&p, SYN | ECE | CWR, 0, 0, 0);
	peer_after(&p, 1100 * MS);
	peer_expect(&p, SYN, 0, 0, 0);
	peer_end(&p);
}

/* RFC 3168 6.1.1.1 */
static void a_peer_that_stops_asking_is_believed(void **state)
{
	const struct seg ask = {
		.flags = SYN | ECE | CWR, .wnd = PEER_WND, .opts = mss, .opts_len = sizeof(mss)};
	const struct seg plain = {
		.flags = SYN, .wnd = PEER_WND, .opts = mss, .opts_len = sizeof(mss)};
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	peer_send_seg(&p, &ask);
	peer_expect(&p, SYN | ACK | ECE, 0, 1, 0);
	peer_send_seg(&p, &plain);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_end(&p);
}

/* The cookie's timestamp remembers it. */
static void expect_by_cookie(struct peer *p, uint8_t syn_flags, bool agreed)
{
	const struct seg syn = {.flags = syn_flags, .wnd = PEER_WND, .opts = mss, .opts_len = 4};
	const uint64_t reductions = p->h->counters.tcp_ecn_reductions;

	peer_send_seg(p, &syn);
	peer_expect(p, SYN | ACK | (agreed ? ECE : 0), 0, 1, 0);
	peer_send(p, ACK, 1, 1, 0);
	p->conn = tcp_accept_or_null(p->h->net, p->listener, p);
	assert_non_null(p->conn);
	peer_push(p, 100);
	assert_int_equal(peer_expect(p, ACK | PSH, 1, 1, 100).tos, agreed ? ECT0 : 0);
	peer_send(p, ACK | ECE, 1, 51, 0);
	assert_int_equal(p->h->counters.tcp_ecn_reductions - reductions, agreed);
}

static struct peer cookies_always(enum tcp_ecn ecn, bool ts)
{
	struct tcp_config config = host_config();
	struct peer p;

	config.timestamps = true;
	config.syn_cookies = TCP_SYN_COOKIES_ALWAYS;
	config.ecn = ecn;
	p = peer_begin(&config);
	p.ts = ts;
	return p;
}

/* RFC 3168 6.1.1, RFC 4987 3.6 */
static void a_connection_by_syn_cookie_can_do_it_whatever_its_number(void **state)
{
	struct peer p = cookies_always(TCP_ECN_PASSIVE, true);

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		p.port++;
		p.total = 0;
		expect_by_cookie(&p, SYN | ECE | CWR, true);
		tcp_close(p.h->net, p.conn);
		peer_expect(&p, ACK | FIN, 101, 1, 0);
		peer_send(&p, RST | ACK, 1, 102, 0);
	}
	assert_int_equal(p.h->counters.tcp_cookies_valid, 8);
	peer_end(&p);
}

/* RFC 3168 6.1.1, RFC 4987 3.6 */
static void a_connection_by_syn_cookie_cannot_if_the_cookie_did_not_say_so(void **state)
{
	static const struct {
		enum tcp_ecn ecn;
		uint8_t syn;
		bool ts;
	} cases[] = {{TCP_ECN_PASSIVE, SYN | ECE | CWR, false},
		     {TCP_ECN_PASSIVE, SYN, true},
		     {TCP_ECN_NEVER, SYN | ECE | CWR, true}};

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(cases); i++) {
		struct peer p = cookies_always(cases[i].ecn, cases[i].ts);

		expect_by_cookie(&p, cases[i].syn, false);
		peer_end(&p);
	}
}

/* --- the receiver --- */

static void text(struct peer *p, uint32_t seq, uint8_t flags, uint8_t tos)
{
	const struct seg seg = {.flags = ACK | flags,
				.seq = seq,
				.ack = 1,
				.len = 100,
				.wnd = PEER_WND,
				.tos = tos};

	peer_send_seg(p, &seg);
}

/* RFC 3168 6.1.3 */
static void a_mark_is_echoed_until_the_window_was_reduced(void **state)
{
	struct peer p = agreed();

	(void)state;
	text(&p, 1, 0, ECT0);
	peer_expect(&p, ACK, 1, 101, 0);
	text(&p, 101, 0, CE);
	assert_int_equal(peer_expect(&p, ACK | ECE, 1, 201, 0).tos, 0);
	text(&p, 201, 0, ECT0);
	peer_expect(&p, ACK | ECE, 1, 301, 0);
	text(&p, 301, CWR, ECT0);
	peer_expect(&p, ACK, 1, 401, 0);
	text(&p, 401, CWR, CE); /* the next mark */
	peer_expect(&p, ACK | ECE, 1, 501, 0);
	peer_end(&p);
}

/* RFC 3168 6.1.3 */
static void a_new_mark_is_told_at_once(void **state)
{
	struct peer p = agreed();

	(void)state;
	text(&p, 1, 0, ECT0);
	peer_expect(&p, ACK, 1, 101, 0);
	p.conn->quick_acks = 0;
	text(&p, 101, 0, ECT0);
	peer_expect_nothing(&p);
	peer_after(&p, 50 * MS);
	peer_expect(&p, ACK, 1, 201, 0);
	text(&p, 201, 0, CE);
	peer_expect(&p, ACK | ECE, 1, 301, 0);
	text(&p, 301, 0, CE);
	peer_expect_nothing(&p);
	peer_end(&p);
}

/* RFC 3168 6.1.3 */
static void a_mark_means_nothing_where_nobody_agreed(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	text(&p, 1, 0, CE);
	peer_expect(&p, ACK, 1, 101, 0);
	peer_push(&p, 10 * MSS);
	for (uint32_t i = 0; i < 10; i++)
		peer_expect(&p, i == 9 ? ACK | PSH : ACK, 1 + i * MSS, 101, MSS);
	peer_send(&p, ACK | ECE, 101, 1 + MSS, 0);
	assert_true(p.conn->cc.cwnd > 10 * MSS);
	peer_end(&p);
}

/* --- the sender --- */

static struct peer ten_in_flight(void)
{
	struct peer p = agreed();

	peer_push(&p, 30 * MSS);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(peer_expect(&p, ACK, 1 + i * MSS, 1, MSS).tos, ECT0);
	peer_expect_nothing(&p);
	return p;
}

/* RFC 3168 6.1.2 */
static void an_echo_reduces_once_a_window_and_new_data_says_so(void **state)
{
	struct peer p = ten_in_flight();
	uint32_t cwnd;

	(void)state;
	peer_send(&p, ACK | ECE, 1, 1 + MSS, 0);
	cwnd = p.conn->cc.cwnd;
	assert_int_equal(cwnd, 5 * MSS);
	for (uint32_t i = 2; i <= 5; i++)
		peer_send(&p, ACK | ECE, 1, 1 + i * MSS, 0);
	assert_int_equal(p.conn->cc.cwnd, cwnd);
	assert_int_equal(p.h->counters.tcp_ecn_reductions, 1);
	peer_expect_nothing(&p);
	peer_send(&p, ACK | ECE, 1, 1 + 7 * MSS, 0);
	peer_expect(&p, ACK | CWR, 1 + 10 * MSS, 1, MSS);
	peer_expect(&p, ACK, 1 + 11 * MSS, 1, MSS);
	peer_send(&p, ACK, 1, 1 + 10 * MSS, 0);
	peer_send(&p, ACK | ECE, 1, 1 + 11 * MSS, 0); /* of the next window */
	assert_int_equal(p.h->counters.tcp_ecn_reductions, 2);
	peer_end(&p);
}

/* RFC 3168 6.1.2 */
static void acks_of_what_was_in_flight_at_the_mark_let_nothing_grow(void **state)
{
	struct peer p = ten_in_flight();

	(void)state;
	peer_send(&p, ACK | ECE, 1, 1 + MSS, 0);
	assert_int_equal(p.conn->cc.cwnd, 5 * MSS);
	peer_send(&p, ACK, 1, 1 + 9 * MSS, 0);
	assert_int_equal(p.conn->cc.cwnd, 5 * MSS);
	peer_end(&p);
}

/* Numbers wrap: what was long ago is not ahead again after 2 GiB. */
static void gigabytes_after_the_last_mark_the_window_grows_and_a_mark_is_heard(void **state)
{
	struct peer p = ten_in_flight();
	struct tcp_conn conn = {.ecn = true,
				.ecn_recover = p.conn->iss,
				.snd_una = p.conn->snd_una,
				.cc = p.conn->cc};

	(void)state;
	for (unsigned i = 1; i <= 9; i++) {
		conn.snd_una += 1u << 29;
		conn.snd_nxt = conn.snd_una + 10 * MSS;
		tcp_ecn_ack_received(p.h->net, &conn, ACK, 10 * MSS);
		assert_false(conn.cc.held);
	}
	tcp_ecn_ack_received(p.h->net, &conn, ACK | ECE, 10 * MSS);
	assert_int_equal(p.h->counters.tcp_ecn_reductions, 1);
	assert_true(conn.cc.held);
	peer_end(&p);
}

/* RFC 3168 6.1.5 */
static void what_is_sent_again_is_not_marked(void **state)
{
	struct peer p = ten_in_flight();

	(void)state;
	peer_after(&p, 220 * MS);
	assert_int_equal(peer_expect(&p, ACK, 1, 1, MSS).tos, 0);
	peer_end(&p);
}

/* RFC 3168 6.1.4: nor are segments without bytes. */
static void what_carries_no_bytes_is_not_marked(void **state)
{
	struct peer p = agreed();

	(void)state;
	text(&p, 1, 0, ECT0);
	assert_int_equal(peer_expect(&p, ACK, 1, 101, 0).tos, 0);
	text(&p, 301, 0, ECT0); /* beyond a gap */
	assert_int_equal(peer_expect(&p, ACK, 1, 101, 0).tos, 0);
	peer_send(&p, ACK, 0, 1, 0); /* a keepalive */
	assert_int_equal(peer_expect(&p, ACK, 1, 101, 0).tos, 0);
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), 0);
	assert_int_equal(peer_expect(&p, ACK | FIN, 1, 101, 0).tos, 0);
	tcp_close(p.h->net, p.conn);
	peer_end(&p);
}

/* RFC 3168 6.1.6: what fits into a window that is nearly shut, to see whether it is still so. */
static void a_probe_is_not_marked(void **state)
{
	struct peer p = agreed();

	(void)state;
	p.wnd = 100;
	peer_send(&p, ACK, 1, 1, 0);
	peer_push(&p, 10 * MSS);
	peer_expect_nothing(&p);
	peer_after(&p, 220 * MS);
	assert_int_equal(peer_expect(&p, ACK, 1, 1, 100).tos, 0);
	peer_end(&p);
}

/* RFC 3168 6.1.2 */
static void a_mark_is_not_undone(void **state)
{
	struct peer p = ten_in_flight();

	(void)state;
	peer_send(&p, ACK | ECE, 1, 1 + MSS, 0);
	tcp_cc_on_undo(&p.conn->cc);
	assert_int_equal(p.conn->cc.cwnd, 5 * MSS);
	peer_end(&p);
}

/* RFC 3168 6.1.2 */
static void any_reduction_is_told(void **state)
{
	struct peer p = ten_in_flight();

	(void)state;
	peer_after(&p, 220 * MS);
	peer_expect(&p, ACK, 1, 1, MSS);
	peer_send(&p, ACK, 1, 1 + 10 * MSS, 0);
	peer_expect(&p, ACK | CWR, 1 + 10 * MSS, 1, MSS);
	peer_expect(&p, ACK, 1 + 11 * MSS, 1, MSS);
	peer_end(&p);
}

/* RFC 3168 6.1.2: the timeout has reduced the window; the slow start after it goes on. */
static void an_echo_after_a_timeout_neither_reduces_nor_holds(void **state)
{
	struct peer p = ten_in_flight();

	(void)state;
	peer_after(&p, 220 * MS);
	peer_expect(&p, ACK, 1, 1, MSS);
	peer_send(&p, ACK | ECE, 1, 1 + MSS, 0);
	peer_send(&p, ACK | ECE, 1, 1 + 2 * MSS, 0);
	assert_int_equal(p.conn->cc.cwnd, 3 * MSS);
	assert_int_equal(p.conn->cc.ssthresh, 5 * MSS);
	assert_int_equal(p.h->counters.tcp_ecn_reductions, 0);
	peer_end(&p);
}

/* RFC 3168 5: the codepoint is the two low bits. */
static void the_programs_type_of_service_stays_beside_the_marks(void **state)
{
	struct peer p = agreed();

	(void)state;
	p.conn->options.tos = 0xb9; /* EF, and a bit that is not the program's */
	peer_push(&p, 100);
	assert_int_equal(peer_expect(&p, ACK | PSH, 1, 1, 100).tos, 0xb8 | ECT0);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(a_peer_that_asks_is_answered_and_data_can_be_marked),
		host_test(a_peer_that_does_not_ask_gets_no_mark),
		host_test(it_can_be_forbidden),
		host_test(a_host_that_asks_takes_only_a_proper_answer),
		host_test(an_answer_that_nobody_asked_for_agrees_to_nothing),
		host_test(a_lost_syn_is_sent_again_without_asking),
		host_test(a_peer_that_stops_asking_is_believed),
		host_test(a_connection_by_syn_cookie_can_do_it_whatever_its_number),
		host_test(a_connection_by_syn_cookie_cannot_if_the_cookie_did_not_say_so),
		host_test(a_mark_is_echoed_until_the_window_was_reduced),
		host_test(a_new_mark_is_told_at_once),
		host_test(a_mark_means_nothing_where_nobody_agreed),
		host_test(an_echo_reduces_once_a_window_and_new_data_says_so),
		host_test(acks_of_what_was_in_flight_at_the_mark_let_nothing_grow),
		host_test(gigabytes_after_the_last_mark_the_window_grows_and_a_mark_is_heard),
		host_test(what_is_sent_again_is_not_marked),
		host_test(what_carries_no_bytes_is_not_marked),
		host_test(a_probe_is_not_marked),
		host_test(a_mark_is_not_undone),
		host_test(any_reduction_is_told),
		host_test(an_echo_after_a_timeout_neither_reduces_nor_holds),
		host_test(the_programs_type_of_service_stays_beside_the_marks),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
