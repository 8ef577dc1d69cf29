/*
 * Programs on two hosts do whatever they can, from a seed: open, listen, push, pop, half-close,
 * close, reset, over a bad wire. However it goes: bytes that arrive are the right ones, each push
 * ends exactly once, and in the end nothing is left.
 */
#include "tcp_wire.h"

#include <errno.h>
#include <sys/socket.h>

enum {
	SOCKET_MAX = 24,
	PUSH_MAX = 64, /* of one socket at a time */
	STEPS = 3000,
	STORM_PORT = 7,
};

struct storm_socket {
	struct tcp_conn *conn;
	uint64_t base; /* of the pattern of what it sends; the other side's is base ^ 1 */
	uint64_t sent, received;
	uint32_t made, done; /* pushes */
	bool fin_sent, ended;
};

struct storm_side {
	struct host *h;
	struct tcp_listener *listener;
	struct storm_socket sockets[SOCKET_MAX];
	uint32_t generation[SOCKET_MAX]; /* cookies of closed sockets are never seen again */
};

struct storm {
	struct wire wire;
	uint64_t now_ns;
	struct storm_side side[2];
};

static uint32_t dice(struct storm *st, uint32_t sides)
{
	return wire_dice(&st->wire, sides);
}

static struct storm_socket *free_socket_or_null(struct storm_side *s)
{
	for (unsigned i = 0; i < SOCKET_MAX; i++)
		if (!s->sockets[i].conn)
			return &s->sockets[i];
	return NULL;
}

/* Both sides know the client's port, and so what the other one sends. */
static void begin(struct storm_socket *so, struct tcp_conn *conn, bool client)
{
	const struct net_endpoint e = client ? tcp_conn_local(conn) : tcp_conn_remote(conn);

	*so = (struct storm_socket){.conn = conn,
				    .base = (uint64_t)rte_be_to_cpu_16(e.port) << 20 | client};
}

static void open_one(struct storm *st, unsigned i)
{
	struct storm_side *s = &st->side[i];
	struct storm_socket *so = free_socket_or_null(s);
	const struct net_endpoint remote = {host_addr(!i), RTE_BE16(STORM_PORT)};
	struct tcp_conn *conn;

	if (!so || tcp_connect(s->h->net, NULL, &remote, so, &conn) != 0)
		return;
	begin(so, conn, true);
}

static void accept_one(struct storm_side *s)
{
	struct storm_socket *so = free_socket_or_null(s);
	struct tcp_conn *conn;

	if (!so)
		return;
	conn = tcp_accept_or_null(s->h->net, s->listener, so);
	if (conn)
		begin(so, conn, false);
}

static uint64_t cookie_of(const struct storm_side *s, const struct storm_socket *so)
{
	unsigned slot = (unsigned)(so - s->sockets);

	return (uint64_t)s->generation[slot] << 32 | (uint64_t)slot << 24 | so->made;
}

static void push_one(struct storm *st, struct storm_side *s, struct storm_socket *so)
{
	uint32_t len = 1 + dice(st, dice(st, 4) ? 200 : 9000);
	int err;

	if (so->made - so->done >= PUSH_MAX || mem_level_update(&s->h->mem) != MEM_PLENTY)
		return;
	err = host_push(s->h, so->conn, so->base * 1000 + so->sent, len, cookie_of(s, so));
	if (err == 0) {
		so->made++;
		so->sent += len;
	} else if (err == -EPIPE) {
		assert_true(so->fin_sent);
	} else {
		assert_true(err == -EAGAIN || err == -ENOTCONN || err == -ENOMEM ||
			    err == -tcp_conn_error(so->conn));
	}
}

static void pop_some(struct storm_side *s, struct storm_socket *so)
{
	int end;

	so->received += host_pop_all(s->h, so->conn, (so->base ^ 1) * 1000 + so->received, &end);
	if (end == 0)
		so->ended = true;
	else if (end == -EAGAIN)
		assert_false(so->ended && !tcp_conn_error(so->conn));
}

static void close_one(struct storm_side *s, struct storm_socket *so, bool reset)
{
	const struct linger linger = {.l_onoff = reset};

	assert_int_equal(
		tcp_option_set(s->h->net, so->conn, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
		0);
	tcp_close(s->h->net, so->conn);
	s->generation[so - s->sockets]++;
	so->conn = NULL;
}

static void take_done(struct storm_side *s)
{
	uint64_t cookie;
	int error;

	while (host_done(s->h, &cookie, &error)) {
		unsigned slot = cookie >> 24 & 0xff;
		struct storm_socket *so = &s->sockets[slot];

		assert_true(slot < SOCKET_MAX && so->conn);
		assert_int_equal(cookie >> 32, s->generation[slot]);
		assert_int_equal(cookie & 0xffffff, so->done);
		assert_true(error == 0 || error == -tcp_conn_error(so->conn));
		so->done++;
	}
}

static void act(struct storm *st, unsigned i)
{
	struct storm_side *s = &st->side[i];
	struct storm_socket *so = &s->sockets[dice(st, SOCKET_MAX)];

	take_done(s);
	accept_one(s);
	if (dice(st, 20) == 0)
		open_one(st, i);
	if (!so->conn)
		return;
	if (tcp_conn_error(so->conn) && dice(st, 4) == 0) {
		assert_int_equal(so->made, so->done);
		close_one(s, so, false);
		return;
	}
	switch (dice(st, 16)) {
	case 0:
		if (tcp_shutdown(s->h->net, so->conn, TCP_SHUT_WR) == 0)
			so->fin_sent = true;
		break;
	case 1:
		if (dice(st, 4) == 0)
			close_one(s, so, dice(st, 3) == 0);
		break;
	case 2:
	case 3:
	case 4:
	case 5:
		pop_some(s, so);
		break;
	case 6:
		if (dice(st, 40) == 0)
			assert_true(tcp_shutdown(s->h->net, so->conn, TCP_SHUT_RD) <= 0);
		break;
	default:
		push_one(st, s, so);
	}
}

static void turn(struct storm *st, uint64_t step_ns, bool acting)
{
	struct host_frame f;

	st->now_ns += step_ns;
	for (unsigned i = 0; i < 2; i++) {
		struct storm_side *s = &st->side[i];

		s->h->now_ns = st->now_ns;
		wire_deliver(&st->wire, i, s->h);
		net_poll(s->h->net, st->now_ns);
		if (acting)
			act(st, i);
		for (uint32_t n = dice(st, 30); n > 0 && host_output(s->h, &f); n--)
			wire_send(&st->wire, !i, &f, st->now_ns);
	}
}

static bool quiet(const struct storm *st)
{
	for (unsigned i = 0; i < 2; i++) {
		struct tcp_use use;

		tcp_use_mt(st->side[i].h->net, &use);
		if (use.conns || use.timewait || use.pushes || use.reassembly_len)
			return false;
	}
	return true;
}

static void run(uint64_t seed, const struct wire_rules *rules, bool timestamps)
{
	struct tcp_config config = host_config();
	struct storm st = {.now_ns = 1000 * S};

	config.timestamps = config.window_scale = timestamps;
	config.sack = seed % 4 < 2;
	config.rcvbuf_len = 16 * 1024;
	config.conn_max = 40;
	config.syn_max = 8;
	config.push_max = 300;
	config.timewait_max = 8;
	wire_begin(&st.wire, rules, seed);
	for (unsigned i = 0; i < 2; i++) {
		st.side[i].h = host_begin_small(i, &config, st.now_ns, 1023);
		st.side[i].listener = host_listen(st.side[i].h, STORM_PORT, 4);
	}
	st.now_ns = st.side[0].h->now_ns;
	for (unsigned step = 0; step < STEPS; step++)
		turn(&st, (1 + dice(&st, dice(&st, 100) ? 3 : 300)) * MS, true);
	for (unsigned i = 0; i < 2; i++) {
		struct storm_side *s = &st.side[i];

		take_done(s);
		for (unsigned n = 0; n < SOCKET_MAX; n++)
			if (s->sockets[n].conn)
				close_one(s, &s->sockets[n], false);
		tcp_unlisten(s->h->net, s->listener);
	}
	for (unsigned step = 0; !quiet(&st); step++) {
		if (step > 100000)
			fail_msg("seed %lu: connections that do not end", (unsigned long)seed);
		turn(&st, 20 * MS, false);
	}
	for (unsigned i = 0; i < 2; i++)
		host_end(st.side[i].h);
	wire_end(&st.wire);
}

static void whatever_programs_do_everything_ends(void **state)
{
	const struct wire_rules clean = {.delay_ns = 1 * MS};
	const struct wire_rules bad = {.loss_per_mille = 50,
				       .duplicate_per_mille = 50,
				       .reorder_per_mille = 100,
				       .corrupt_per_mille = 10,
				       .delay_ns = 2 * MS};

	(void)state;
	for (uint64_t seed = 1; seed <= 30; seed++)
		run(seed, seed % 3 ? &bad : &clean, seed % 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(whatever_programs_do_everything_ends),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
