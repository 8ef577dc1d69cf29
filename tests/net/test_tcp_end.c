/* Every way to end a connection, in every state: what the peer is sent, what becomes of pushes. */
#include "tcp_peer.h"

#include <errno.h>
#include <sys/socket.h>

/* What the program does. */
enum call { CLOSE, CLOSE_UNREAD, CLOSE_HARD, SHUT_SEND, SHUT_RECEIVE, CALL_COUNT };

/* What comes of it: the flags of the next segment, 0: none, and the state; GONE: no connection. */
enum { GONE = -1 };

static const struct {
	enum tcp_state from;
	struct {
		uint8_t flags;
		int state;
	} to[CALL_COUNT];
} table[] = {
	{TCP_ESTABLISHED,
	 {[CLOSE] = {FIN | ACK, TCP_FIN_WAIT_1},
	  [CLOSE_UNREAD] = {RST | ACK, GONE},
	  [CLOSE_HARD] = {RST | ACK, GONE},
	  [SHUT_SEND] = {FIN | ACK, TCP_FIN_WAIT_1},
	  [SHUT_RECEIVE] = {0, TCP_ESTABLISHED}}},
	{TCP_FIN_WAIT_1,
	 {[CLOSE] = {0, TCP_FIN_WAIT_1},
	  [CLOSE_UNREAD] = {RST | ACK, GONE},
	  [CLOSE_HARD] = {RST | ACK, GONE},
	  [SHUT_SEND] = {0, TCP_FIN_WAIT_1},
	  [SHUT_RECEIVE] = {0, TCP_FIN_WAIT_1}}},
	{TCP_FIN_WAIT_2,
	 {[CLOSE] = {0, TCP_FIN_WAIT_2},
	  [CLOSE_UNREAD] = {RST | ACK, GONE},
	  [CLOSE_HARD] = {RST | ACK, GONE},
	  [SHUT_SEND] = {0, TCP_FIN_WAIT_2},
	  [SHUT_RECEIVE] = {0, TCP_FIN_WAIT_2}}},
	{TCP_CLOSE_WAIT,
	 {[CLOSE] = {FIN | ACK, TCP_LAST_ACK},
	  [CLOSE_UNREAD] = {RST | ACK, GONE},
	  [CLOSE_HARD] = {RST | ACK, GONE},
	  [SHUT_SEND] = {FIN | ACK, TCP_LAST_ACK},
	  [SHUT_RECEIVE] = {0, TCP_CLOSE_WAIT}}},
	{TCP_CLOSING,
	 {[CLOSE] = {0, TCP_CLOSING},
	  [CLOSE_UNREAD] = {RST | ACK, GONE},
	  [CLOSE_HARD] = {RST | ACK, GONE},
	  [SHUT_SEND] = {0, TCP_CLOSING},
	  [SHUT_RECEIVE] = {0, TCP_CLOSING}}},
	{TCP_LAST_ACK,
	 {[CLOSE] = {0, TCP_LAST_ACK},
	  [CLOSE_UNREAD] = {RST | ACK, GONE},
	  [CLOSE_HARD] = {RST | ACK, GONE},
	  [SHUT_SEND] = {0, TCP_LAST_ACK},
	  [SHUT_RECEIVE] = {0, TCP_LAST_ACK}}},
};

/* A connection in the state, with 100 bytes received if they shall stay unread. */
static struct peer in_state(const struct tcp_config *config, enum tcp_state state, bool unread)
{
	struct peer p = peer_established(config);
	uint32_t seq = 1;

	if (unread) {
		peer_send(&p, ACK | PSH, 1, 1, 100);
		seq = 101;
	}
	if (state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK)
		peer_send(&p, ACK | FIN, seq, 1, 0);
	if (state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT)
		assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), 0);
	peer_drain(&p);
	if (state == TCP_FIN_WAIT_2)
		peer_send(&p, ACK, seq, 2, 0);
	if (state == TCP_CLOSING)
		peer_send(&p, ACK | FIN, seq, 1, 0);
	peer_drain(&p);
	assert_int_equal(tcp_conn_state(p.conn), state);
	return p;
}

static void act(struct peer *p, enum call call)
{
	const struct linger hard = {.l_onoff = 1};

	switch (call) {
	case CLOSE_HARD:
		assert_int_equal(tcp_option_set(p->h->net, p->conn, SOL_SOCKET, SO_LINGER, &hard,
						sizeof(hard)),
				 0);
		tcp_close(p->h->net, p->conn);
		break;
	case CLOSE:
	case CLOSE_UNREAD:
		tcp_close(p->h->net, p->conn);
		break;
	case SHUT_SEND:
		assert_int_equal(tcp_shutdown(p->h->net, p->conn, TCP_SHUT_WR), 0);
		break;
	default:
		assert_int_equal(tcp_shutdown(p->h->net, p->conn, TCP_SHUT_RD), 0);
	}
}

/* MUST-12, SHLD-3, RFC 2525 2.17 */
static void each_call_in_each_state_does_what_the_table_says(void **state)
{
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]) * CALL_COUNT; i++) {
		enum tcp_state from = table[i / CALL_COUNT].from;
		enum call call = i % CALL_COUNT;
		uint8_t flags = table[i / CALL_COUNT].to[call].flags;
		int to = table[i / CALL_COUNT].to[call].state;
		struct peer p = in_state(&config, from, call == CLOSE_UNREAD);
		struct tcp_use use;
		struct seg seg = {0};

		act(&p, call);
		peer_take(&p, &seg);
		peer_expect_nothing(&p);
		tcp_use_mt(p.h->net, &use);
		if (seg.flags != flags || use.conns != (to != GONE) ||
		    (to != GONE && (int)tcp_conn_state(p.conn) != to))
			fail_msg("state %d, call %d: flags %#x, %u connections", from, call,
				 seg.flags, use.conns);
		peer_end(&p);
	}
}

/* --- pushes --- */

/* Shut down, what was pushed still goes, and each push hears of it; nothing may follow. */
static void shutting_down_delivers_what_was_pushed_and_refuses_more(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	int error = -1;

	(void)state;
	peer_push(&p, 100);
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_RD | TCP_SHUT_WR), 0);
	assert_int_equal(host_push(p.h, p.conn, 100, 1, 0), -EPIPE);
	peer_expect(&p, ACK | PSH | FIN, 1, 1, 100);
	peer_send(&p, ACK, 1, 102, 0);
	assert_int_equal(peer_done(&p, &error), 1);
	assert_int_equal(error, 0);
	peer_end(&p);
}

/* MUST-12 */
static void a_dead_connection_says_the_same_to_every_call(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	int error = 0, end;

	(void)state;
	peer_push(&p, 100);
	peer_drain(&p);
	peer_send(&p, RST, 1, 0, 0);
	assert_int_equal(peer_done(&p, &error), 1);
	assert_int_equal(error, -ECONNRESET);
	assert_int_equal(host_push(p.h, p.conn, 100, 1, 0), -ECONNRESET);
	assert_int_equal(host_pop_all(p.h, p.conn, 0, &end), 0);
	assert_int_equal(end, -ECONNRESET);
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), -ENOTCONN);
	tcp_close(p.h->net, p.conn);
	peer_expect_nothing(&p);
	peer_end(&p);
}

static void before_it_is_open_there_is_nothing_to_shut_down(void **state)
{
	const struct tcp_config config = host_config();
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};
	struct peer p = peer_begin(&config);

	(void)state;
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &p.conn), 0);
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), -ENOTCONN);
	assert_int_equal(host_push(p.h, p.conn, 0, 1, 0), -ENOTCONN);
	tcp_close(p.h->net, p.conn);
	peer_expect_nothing(&p);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(each_call_in_each_state_does_what_the_table_says),
		host_test(shutting_down_delivers_what_was_pushed_and_refuses_more),
		host_test(a_dead_connection_says_the_same_to_every_call),
		host_test(before_it_is_open_there_is_nothing_to_shut_down),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
