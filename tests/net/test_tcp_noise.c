/*
 * A peer that sends anything, from a seed: any flags, numbers around every edge, any option bytes,
 * ICMP errors; while the program does what it likes and memory comes and goes. Nothing breaks (the
 * invariants of every connection are checked in this build), and everything is given back.
 */
#include "tcp_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { STEPS = 1500, PORTS = 3, HOARD_MAX = 600 };

struct noise {
	struct peer p;
	uint64_t random;
	struct tcp_conn *conns[PORTS * 2];
	struct rte_mbuf *hoard[HOARD_MAX];
	unsigned hoard_count;
};

static uint32_t dice(struct noise *n, uint32_t sides)
{
	n->random ^= n->random << 13;
	n->random ^= n->random >> 7;
	n->random ^= n->random << 17;
	return (uint32_t)(n->random >> 11) % sides;
}

/* Around 0, a small distance, a window, or anywhere. */
static uint32_t offset(struct noise *n)
{
	switch (dice(n, 6)) {
	case 0:
		return 0;
	case 1:
	case 2:
		return dice(n, 5) - 2;
	case 3:
		return dice(n, 4000) - 2000;
	case 4:
		return dice(n, 140000) - 70000;
	default:
		return dice(n, UINT32_MAX);
	}
}

/* Any connection of the host, half-open ones too. */
static const struct tcp_conn *any_or_null(struct noise *n)
{
	const struct tcp_conn *conn = TAILQ_FIRST(&n->p.h->net->tcp.all);

	for (uint32_t i = dice(n, 8); i > 0 && conn; i--)
		conn = TAILQ_NEXT(conn, all_link) ? TAILQ_NEXT(conn, all_link) : conn;
	return conn;
}

/* What one of them would find fitting. */
static void fit(struct noise *n, struct seg *seg)
{
	const struct tcp_conn *conn = any_or_null(n);

	if (!conn)
		return;
	n->p.port = rte_be_to_cpu_16(conn->flow.remote_port);
	n->p.host_port = rte_be_to_cpu_16(conn->flow.local_port);
	n->p.irs = conn->iss;
	seg->seq = conn->rxq.rcv_nxt - n->p.iss;
	seg->ack = (dice(n, 2) ? conn->snd_nxt : conn->snd_una) - conn->iss;
}

static void send_something(struct noise *n)
{
	static const uint8_t flags[] = {ACK,	   ACK,	      ACK,	 ACK,	    ACK | PSH,
					ACK | PSH, ACK | PSH, ACK | PSH, ACK | FIN, SYN,
					SYN | ACK, URG | ACK, 0};
	static const uint8_t rare[] = {RST, RST | ACK, FIN, SYN | FIN, 0xff};
	uint8_t opts[20];
	struct seg seg = {.flags = flags[dice(n, sizeof(flags))],
			  .wnd = (uint16_t)(dice(n, 3) ? 60000 : dice(n, 3000)),
			  .opts = opts};

	if (dice(n, 20) == 0)
		seg.flags = rare[dice(n, sizeof(rare))];
	n->p.port = (uint16_t)(PEER_PORT + dice(n, PORTS));
	n->p.host_port = HOST_PORT;
	n->p.multicast = dice(n, 50) == 0;
	if (dice(n, 10) < 8)
		fit(n, &seg);
	if (dice(n, 4) == 0)
		seg.seq += offset(n);
	if (dice(n, 4) == 0)
		seg.ack += offset(n);
	if (dice(n, 2))
		seg.len = dice(n, dice(n, 2) ? 1400 : 3);
	n->p.ts = dice(n, 8);
	n->p.ts_val += dice(n, 40) ? dice(n, 20) : offset(n);
	if (dice(n, 8) == 0) {
		seg.opts_len = dice(n, sizeof(opts));
		for (unsigned i = 0; i < seg.opts_len; i++)
			opts[i] = (uint8_t)dice(n, dice(n, 2) ? 10 : 256);
	}
	peer_send_seg(&n->p, &seg);
	n->p.multicast = false;
}

static void send_icmp(struct noise *n)
{
	const struct tcp_conn *conn = any_or_null(n);
	struct net_flow flow;

	if (!conn)
		return;
	flow = conn->flow;
	tcp_icmp_error(n->p.h->net, &flow, conn->snd_una + (dice(n, 2) ? 0 : offset(n)),
		       (uint8_t)dice(n, 14), (uint8_t)dice(n, 16), (uint16_t)dice(n, 2000));
}

static struct tcp_conn **free_slot_or_null(struct noise *n)
{
	for (unsigned i = 0; i < PORTS * 2; i++)
		if (!n->conns[i])
			return &n->conns[i];
	return NULL;
}

static void open_or_accept(struct noise *n)
{
	const struct net_endpoint remote = {
		host_addr(1), rte_cpu_to_be_16((uint16_t)(PEER_PORT + dice(n, PORTS)))};
	struct tcp_conn **slot = free_slot_or_null(n);

	if (!slot)
		return;
	if (dice(n, 3))
		*slot = tcp_accept_or_null(n->p.h->net, n->p.listener, n);
	else if (tcp_connect(n->p.h->net, NULL, &remote, n, slot) != 0)
		*slot = NULL;
}

static void act(struct noise *n)
{
	struct tcp_conn **slot = &n->conns[dice(n, PORTS * 2)], *conn = *slot;
	struct net *net = n->p.h->net;
	const struct linger linger = {.l_onoff = dice(n, 4) == 0};
	struct rte_mbuf *m;
	uint64_t cookie;
	int error;

	while (host_done(n->p.h, &cookie, &error))
		;
	while (net_ready_take(net))
		;
	if (!conn)
		return;
	switch (dice(n, 8)) {
	case 0:
		tcp_shutdown(net, conn, 1 + dice(n, 3));
		break;
	case 1:
		if (dice(n, 3) && !tcp_conn_error(conn))
			break;
		tcp_option_set(net, conn, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		tcp_close(net, conn);
		*slot = NULL;
		break;
	case 2:
	case 3:
		if (tcp_pop(net, conn, &m) == 1)
			rte_pktmbuf_free(m);
		break;
	default:
		host_push(n->p.h, conn, 0, 1 + dice(n, 3000), 1);
	}
}

/* Memory gets scarce, and plenty again. */
static void hoard_or_release(struct noise *n)
{
	struct rte_mempool *pool = dice(n, 2) ? n->p.h->mem.data : n->p.h->mem.small;

	if (dice(n, 2)) {
		while (n->hoard_count > 0)
			rte_pktmbuf_free(n->hoard[--n->hoard_count]);
		return;
	}
	for (unsigned i = dice(n, 400); i > 0 && n->hoard_count < HOARD_MAX; i--) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

		if (!m)
			return;
		n->hoard[n->hoard_count++] = m;
	}
}

static void take_output(struct noise *n)
{
	struct host_frame f;

	for (uint32_t count = dice(n, 6); count > 0 && host_output(n->p.h, &f); count--)
		;
}

static void make_noise(uint64_t seed)
{
	struct tcp_config config = host_config();
	struct noise *n = calloc(1, sizeof(*n));

	assert_non_null(n);
	config.conn_max = 8;
	config.syn_max = 4;
	config.timewait_max = 3;
	config.push_max = 40;
	config.rcvbuf_len = 8192;
	config.reassembly_len = 20000;
	config.timestamps = seed % 2;
	config.window_scale = seed % 3 == 0;
	config.sack = seed % 4 < 2;
	config.user_timeout_ns = 20 * S;
	n->random = seed * 0x9e3779b97f4a7c15u + 1;
	n->p = (struct peer){.iss = PEER_ISS, .wnd = PEER_WND, .ts_val = 5000};
	n->p.h = host_begin_small(0, &config, 1000 * S, 511);
	n->p.listener = host_listen(n->p.h, HOST_PORT, 3);
	for (unsigned step = 0; step < STEPS; step++) {
		send_something(n);
		if (dice(n, 20) == 0)
			send_icmp(n);
		if (dice(n, 4) == 0)
			open_or_accept(n);
		act(n);
		if (dice(n, 60) == 0)
			hoard_or_release(n);
		take_output(n);
		host_after(n->p.h, dice(n, 30) ? dice(n, 20) * MS : dice(n, 5) * S);
	}
	while (n->hoard_count > 0)
		rte_pktmbuf_free(n->hoard[--n->hoard_count]);
	host_end(n->p.h);
	free(n);
}

static void whatever_a_peer_sends_nothing_breaks(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++)
		make_noise(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(whatever_a_peer_sends_nothing_breaks),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
