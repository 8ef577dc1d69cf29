/* Active opens: SYN-SENT (RFC 9293 3.10.7.3), simultaneous opens, local ports. MUST-n are the ids
 * of TCP.md. */
#include "tcp_peer.h"

#include <errno.h>
#include <sys/socket.h>

static void connect_to_peer(struct peer *p)
{
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};

	assert_int_equal(tcp_connect(p->h->net, NULL, &remote, p, &p->conn), 0);
	p->host_port = rte_be_to_cpu_16(tcp_conn_local(p->conn).port);
}

static void an_active_open_completes(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_connected(&config);

	(void)state;
	assert_true(peer_ready(&p, tcp_conn_sock(p.conn)));
	assert_int_equal(tcp_conn_error(p.conn), 0);
	assert_int_equal(p.h->counters.conn_connected, 1);
	peer_push(&p, 10);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	peer_end(&p);
}

static void a_refused_open_says_so(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	connect_to_peer(&p);
	peer_expect(&p, SYN, 0, 0, 0);
	peer_send(&p, RST | ACK, 0, 1, 0);
	assert_true(peer_ready(&p, tcp_conn_sock(p.conn)));
	assert_int_equal(tcp_conn_state(p.conn), TCP_CLOSED);
	assert_int_equal(tcp_conn_error(p.conn), ECONNREFUSED);
	assert_int_equal(p.h->counters.conn_refused, 1);
	tcp_close(p.h->net, p.conn);
	peer_end(&p);
}

static void an_rst_that_acknowledges_nothing_of_ours_is_ignored(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	connect_to_peer(&p);
	peer_expect(&p, SYN, 0, 0, 0);
	peer_send(&p, RST, 0, 0, 0);
	peer_send(&p, RST | ACK, 0, 5, 0);
	peer_expect_nothing(&p);
	assert_int_equal(peer_drops(&p, DROP_tcp_unacceptable), 2);
	assert_int_equal(tcp_conn_state(p.conn), TCP_SYN_SENT);
	peer_end(&p);
}

/* RFC 9293 3.10.7.3, first: ISS < SEG.ACK <= SND.NXT, or an RST of its number. */
static void a_wrong_ack_in_syn_sent_gets_an_rst(void **state)
{
	static const uint32_t acks[] = {0, 2, 9, 0x7fffffff, 0x80000001, 0xffffffff};
	static const uint8_t flags[] = {SYN | ACK, ACK, ACK | FIN};
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	connect_to_peer(&p);
	peer_expect(&p, SYN, 0, 0, 0);
	for (unsigned i = 0; i < sizeof(acks) / sizeof(acks[0]) * sizeof(flags); i++) {
		uint32_t ack = acks[i / sizeof(flags)];

		peer_send(&p, flags[i % sizeof(flags)], 0, ack, 0);
		peer_expect(&p, RST, ack, 0, 0);
		assert_int_equal(tcp_conn_state(p.conn), TCP_SYN_SENT);
	}
	/* Right, but without SYN it opens nothing (fifth). */
	peer_send(&p, ACK, 0, 1, 0);
	peer_expect_nothing(&p);
	assert_int_equal(tcp_conn_state(p.conn), TCP_SYN_SENT);
	peer_send(&p, SYN | ACK, 0, 1, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	peer_end(&p);
}

/* RFC 9293 3.10.7.3, fourth: "continue at the sixth step". */
static void text_and_fin_that_come_with_the_syn_ack_are_taken(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	int end;

	(void)state;
	connect_to_peer(&p);
	peer_expect(&p, SYN, 0, 0, 0);
	peer_send(&p, SYN | ACK | FIN, 0, 1, 10);
	assert_int_equal(tcp_conn_state(p.conn), TCP_CLOSE_WAIT);
	peer_expect(&p, ACK, 1, 12, 0);
	assert_int_equal(host_pop_all(p.h, p.conn, 0, &end), 10);
	assert_int_equal(end, 0);
	peer_end(&p);
}

/* MUST-10 */
static void a_simultaneous_open_becomes_one_connection(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	connect_to_peer(&p);
	peer_expect(&p, SYN, 0, 0, 0);
	peer_send(&p, SYN, 0, 0, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_SYN_RECEIVED);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, SYN | ACK, 0, 1, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	assert_true(peer_ready(&p, tcp_conn_sock(p.conn)));
	peer_expect(&p, ACK, 1, 1, 0);
	peer_send(&p, ACK | PSH, 1, 1, 10);
	assert_int_equal(peer_pop(&p), 10);
	peer_end(&p);
}

/* MUST-10: whatever comes back, or comes again. */
static void a_simultaneous_open_survives_what_is_lost(void **state)
{
	static const uint8_t mss[] = {2, 4, 1000 >> 8, 1000 & 255};
	const struct seg syn = {.flags = SYN, .wnd = PEER_WND, .opts = mss, .opts_len = 4};
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct peer p = peer_begin(&config);

		connect_to_peer(&p);
		peer_expect(&p, SYN, 0, 0, 0);
		peer_send_seg(&p, &syn);
		peer_expect(&p, SYN | ACK, 0, 1, 0);
		if (i == 0) { /* ours was lost */
			peer_after(&p, 1100 * MS);
			peer_expect(&p, SYN | ACK, 0, 1, 0);
		} else if (i == 1) { /* the peer does not know of it, and asks again */
			peer_send_seg(&p, &syn);
			peer_expect(&p, SYN | ACK, 0, 1, 0);
		}
		if (i == 2) /* its SYN-ACK was lost, what it sends then was not */
			peer_send(&p, ACK | PSH, 1, 1, 10);
		else
			peer_send(&p, SYN | ACK, 0, 1, 0);
		assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
		assert_int_equal(tcp_conn_error(p.conn), 0);
		peer_expect(&p, ACK, 1, i == 2 ? 11 : 1, 0);
		peer_push(&p, 1500);
		peer_expect(&p, ACK, 1, i == 2 ? 11 : 1, 1000);
		peer_end(&p);
	}
}

/* MUST-10: bytes on the SYN-ACK begin behind its SYN. */
static void the_syn_ack_of_a_simultaneous_open_may_carry_bytes(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	connect_to_peer(&p);
	peer_expect(&p, SYN, 0, 0, 0);
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, SYN | ACK, 0, 1, 10);
	assert_int_equal(p.conn->rxq.len, 10);
	peer_expect(&p, ACK, 1, 11, 0);
	peer_end(&p);
}

/* MUST-11 */
static void an_rst_in_a_simultaneous_open_refuses_it(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	connect_to_peer(&p);
	peer_expect(&p, SYN, 0, 0, 0);
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, RST, 1, 0, 0);
	assert_int_equal(tcp_conn_error(p.conn), ECONNREFUSED);
	assert_int_equal(tcp_conn_state(p.conn), TCP_CLOSED);
	peer_end(&p);
}

/* MUST-22, MUST-23 */
static void a_syn_is_sent_again_for_three_minutes(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	unsigned count = 0;

	(void)state;
	connect_to_peer(&p);
	for (unsigned i = 0; i < 179; i++) {
		struct seg seg;

		while (peer_take(&p, &seg)) {
			assert_int_equal(seg.flags, SYN);
			count++;
		}
		assert_int_equal(tcp_conn_error(p.conn), 0);
		peer_after(&p, 1 * S);
	}
	assert_int_equal(count, 8); /* at 0, 1, 3, 7, 15, 31, 63, 127 s */
	peer_after(&p, 2 * S);
	assert_int_equal(tcp_conn_error(p.conn), ETIMEDOUT);
	assert_int_equal(p.h->counters.conn_timeout, 1);
	peer_end(&p);
}

/* MUST-46 */
static void opening_to_where_nobody_can_be_is_refused(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	static const rte_be32_t nowhere[] = {
		RTE_BE32(0),	      RTE_BE32(0x00000001), RTE_BE32(0x7f000001),
		RTE_BE32(0xffffffff), RTE_BE32(0xefffffff), RTE_BE32(0xf0000001),
	};
	struct net_endpoint remote = {.addr = {RTE_BE32(0xe0000001)}, .port = RTE_BE16(1)};
	const struct net_route all = {.gateway = host_addr(3)};
	struct tcp_conn *conn;

	(void)state;
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &conn), -EINVAL);
	remote.addr.v4 = RTE_BE32(0x0a0000ff);
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &conn), -EINVAL);
	for (unsigned i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		remote.addr.v4 = nowhere[i];
		assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &conn), -EINVAL);
	}
	remote.addr.v4 = RTE_BE32(0x08080808);
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &conn), -EHOSTUNREACH);
	assert_int_equal(net_route_add_mt(p.h->tables, &all), 0); /* not for want of a route */
	for (unsigned i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		remote.addr.v4 = nowhere[i];
		assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &conn), -EINVAL);
	}
	remote = (struct net_endpoint){host_addr(1), 0};
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &conn), -EINVAL);
	peer_end(&p);
}

/* MUST-43 */
static void an_open_takes_a_local_endpoint_and_no_flow_twice(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};
	struct net_endpoint local = {host_addr(0), RTE_BE16(1234)};
	struct tcp_conn *conn, *other;

	(void)state;
	assert_int_equal(tcp_connect(p.h->net, &local, &remote, &p, &conn), 0);
	assert_int_equal(tcp_conn_local(conn).port, RTE_BE16(1234));
	assert_int_equal(tcp_connect(p.h->net, &local, &remote, &p, &other), -EADDRINUSE);
	local.addr = host_addr(2);
	assert_int_equal(tcp_connect(p.h->net, &local, &remote, &p, &other), -EADDRNOTAVAIL);
	peer_end(&p);
}

/* The source address of the next frame. */
static struct ip_addr source_of_next(struct host *h)
{
	struct ip_addr source;
	struct host_frame f;

	assert_true(host_output(h, &f));
	memcpy(&source.v4, f.bytes + 26, sizeof(source.v4));
	return source;
}

/* MUST-44, MUST-45: the address is the interface's through which the route leads, and stays it for
 * as long as the connection lives, wherever routes lead later. */
static void without_a_local_address_the_routes_is_taken_and_kept(void **state)
{
	const struct tcp_config config = host_config();
	const struct net_route elsewhere = {
		.dst = host_addr(1), .prefix_len = 32, .gateway = host_addr(3)};
	struct peer p = peer_begin(&config);

	(void)state;
	connect_to_peer(&p);
	assert_true(ip_addr_eq(tcp_conn_local(p.conn).addr, p.h->addr));
	assert_true(ip_addr_eq(source_of_next(p.h), p.h->addr));
	p.irs = p.conn->iss;
	peer_send(&p, SYN | ACK, 0, 1, 0);
	assert_true(ip_addr_eq(source_of_next(p.h), p.h->addr));
	assert_int_equal(net_route_add_mt(p.h->tables, &elsewhere), 0);
	peer_push(&p, 10);
	assert_true(ip_addr_eq(source_of_next(p.h), p.h->addr));
	assert_true(ip_addr_eq(tcp_conn_local(p.conn).addr, p.h->addr));
	peer_end(&p);
}

static void without_a_free_port_an_open_fails(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};
	struct tcp_conn *conn;

	(void)state;
	config.port_high = config.port_low + 1;
	p = peer_begin(&config);
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &conn), 0);
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &conn), 0);
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &conn), -EADDRNOTAVAIL);
	peer_end(&p);
}

/* MUST-41, MUST-42 */
static void a_listener_beside_an_active_open_on_its_port_disturbs_nothing(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};
	const struct net_endpoint local = {host_addr(0), RTE_BE16(HOST_PORT)};

	(void)state;
	assert_int_equal(tcp_connect(p.h->net, &local, &remote, &p, &p.conn), 0);
	peer_expect(&p, SYN, 0, 0, 0);
	p.port++;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_SYN_SENT);
	peer_send(&p, ACK, 1, 1, 0);
	assert_non_null(tcp_accept_or_null(p.h->net, p.listener, &p));
	p.port--;
	p.irs = p.conn->iss;
	peer_send(&p, SYN | ACK, 0, 1, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	assert_null(tcp_accept_or_null(p.h->net, p.listener, &p));
	/* Nor does one that begins to listen now. */
	tcp_unlisten(p.h->net, p.listener);
	peer_send(&p, ACK | PSH, 1, 1, 10);
	host_listen(p.h, HOST_PORT, 4);
	assert_int_equal(peer_pop(&p), 10);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	peer_end(&p);
}

/* MUST-54, MUST-56, SHLD-26, RFC 5927 4 */
static void an_unreachable_port_ends_an_open_and_an_unreachable_host_does_not(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.pmtu_discovery = true;
	p = peer_begin(&config);
	connect_to_peer(&p);
	peer_expect(&p, SYN, 0, 0, 0);
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->iss, 3, 1, 0);
	assert_int_equal(tcp_conn_state(p.conn), TCP_SYN_SENT);
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->iss + 1, 3, 3, 0); /* not in flight */
	assert_int_equal(tcp_conn_state(p.conn), TCP_SYN_SENT);
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->iss, 3, 3, 0);
	assert_int_equal(tcp_conn_error(p.conn), ECONNREFUSED);
	tcp_close(p.h->net, p.conn);
	connect_to_peer(&p);
	peer_expect(&p, SYN, 0, 0, 0);
	/* Nothing of a SYN could be cut up. */
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->iss, 3, 4, 552);
	assert_int_equal(p.h->counters.tcp_pmtu_lowered, 0);
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->iss, 3, 2, 0); /* speaks no TCP */
	assert_int_equal(tcp_conn_error(p.conn), ECONNREFUSED);
	peer_end(&p);
}

/* What may pass (RFC 1122 4.2.3.9), or asks for less speed (RFC 6633), ends nothing. */
/* MUST-55, MUST-56, SHLD-25 */
static void icmp_errors_that_may_pass_end_no_connection(void **state)
{
	static const struct {
		uint8_t type, code;
		int error;
	} errors[] = {
		{3, 0, EHOSTUNREACH},  {3, 1, EHOSTUNREACH},  {3, 5, EHOSTUNREACH},  {4, 0, 0},
		{11, 0, EHOSTUNREACH}, {11, 1, EHOSTUNREACH}, {12, 0, EHOSTUNREACH},
	};
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]) * 2; i++) {
		bool open = i % 2;
		uint8_t type = errors[i / 2].type, code = errors[i / 2].code;
		struct peer p = open ? peer_connected(&config) : peer_begin(&config);
		uint32_t error_len = sizeof(int), cwnd;
		int error = -1;

		if (open) {
			peer_push(&p, 100);
			peer_expect(&p, ACK | PSH, 1, 1, 100);
		} else {
			connect_to_peer(&p);
			peer_expect(&p, SYN, 0, 0, 0);
		}
		cwnd = p.conn->cc.cwnd;
		tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->snd_una, type, code, 0);
		assert_int_equal(tcp_conn_state(p.conn), open ? TCP_ESTABLISHED : TCP_SYN_SENT);
		assert_int_equal(tcp_conn_error(p.conn), 0);
		assert_int_equal(p.conn->cc.cwnd, cwnd);
		peer_expect_nothing(&p);
		/* ... but the program may hear of it. */
		assert_int_equal(
			tcp_option_get(p.h->net, p.conn, SOL_SOCKET, SO_ERROR, &error, &error_len),
			0);
		assert_int_equal(error, errors[i / 2].error);
		peer_end(&p);
	}
}

/* MUST-20, MUST-22, SHLD-10 */
static void a_next_hop_beyond_which_nothing_answers_is_asked_whether_it_is_there(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	const struct net_endpoint remote = {host_addr(9), RTE_BE16(PEER_PORT)};
	const struct net_neigh_event event = {.neigh = {.addr = remote.addr,
							.mac = {{2, 0, 0, 0, 0, 10}},
							.confirmed_ns = p.h->now_ns},
					      .news = NEIGH_SEEN};
	unsigned syns = 0, asked_after = 0;
	struct host_frame f;

	(void)state;
	net_neigh_apply_mt(p.h->tables, &event, 1);
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &p.conn), 0);
	for (unsigned i = 0; i < 100 && !asked_after; i++) {
		while (host_output(p.h, &f)) {
			if (f.bytes[12] == 0x08 && f.bytes[13] == 0x06)
				asked_after = syns;
			else
				syns++;
		}
		peer_after(&p, 100 * MS);
	}
	/* The first, and R1 that were in vain. */
	assert_in_range(asked_after, 3, 4);
	peer_end(&p);
}

static void a_flow_that_is_not_ours_by_hash_is_in_the_listener_table_while_it_lives(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	const struct net_endpoint local = {host_addr(0), RTE_BE16(HOST_PORT)};
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};
	const struct net_endpoint from = {host_addr(0), RTE_BE16(1234)};

	(void)state;
	p.h->away = true;
	assert_int_equal(tcp_connect(p.h->net, &from, &remote, &p, &p.conn), 0);
	assert_int_equal(net_listen_foreign_rcu(p.h->tables, IPPROTO_TCP, from), 1);
	assert_int_equal(net_listen_foreign_rcu(p.h->tables, IPPROTO_TCP, local), 0);
	tcp_close(p.h->net, p.conn);
	assert_int_equal(net_listen_foreign_rcu(p.h->tables, IPPROTO_TCP, from), 0);
	peer_end(&p);
}

static void the_handshake_measures_the_round_trip_unless_its_syn_was_lost(void **state)
{
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned lost = 0; lost < 2; lost++) {
		struct peer p = peer_begin(&config);

		connect_to_peer(&p);
		peer_expect(&p, SYN, 0, 0, 0);
		if (lost) {
			peer_after(&p, 1010 * MS);
			peer_expect(&p, SYN, 0, 0, 0);
		}
		peer_after(&p, 100 * MS);
		peer_send(&p, SYN | ACK, 0, 1, 0);
		if (lost)
			assert_int_equal(p.conn->rtt.srtt_ns, 0); /* Karn, MUST-18 */
		else
			assert_in_range(p.conn->rtt.srtt_ns, 99 * MS, 101 * MS);
		assert_int_equal(p.conn->cc.cwnd, lost ? 536 : 5360);	       /* RFC 6928 2 */
		assert_int_equal(p.conn->rtt.rto_ns, lost ? 3 * S : 300 * MS); /* RFC 6298 5.7 */
		peer_end(&p);
	}
}

static void a_bigger_buffer_before_the_syn_gets_a_bigger_scale(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	const int len = 4 << 20;

	(void)state;
	config.window_scale = true;
	p = peer_begin(&config);
	connect_to_peer(&p);
	assert_int_equal(tcp_option_set(p.h->net, p.conn, SOL_SOCKET, SO_RCVBUF, &len, sizeof(len)),
			 0);
	assert_int_equal(peer_expect(&p, SYN, 0, 0, 0).parsed.wscale, 7);
	assert_int_equal(tcp_rxq_window(&p.conn->rxq), 4 << 20);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(an_active_open_completes),
		host_test(a_refused_open_says_so),
		host_test(an_rst_that_acknowledges_nothing_of_ours_is_ignored),
		host_test(a_wrong_ack_in_syn_sent_gets_an_rst),
		host_test(text_and_fin_that_come_with_the_syn_ack_are_taken),
		host_test(a_simultaneous_open_becomes_one_connection),
		host_test(a_simultaneous_open_survives_what_is_lost),
		host_test(the_syn_ack_of_a_simultaneous_open_may_carry_bytes),
		host_test(an_rst_in_a_simultaneous_open_refuses_it),
		host_test(a_syn_is_sent_again_for_three_minutes),
		host_test(opening_to_where_nobody_can_be_is_refused),
		host_test(an_open_takes_a_local_endpoint_and_no_flow_twice),
		host_test(without_a_local_address_the_routes_is_taken_and_kept),
		host_test(without_a_free_port_an_open_fails),
		host_test(a_listener_beside_an_active_open_on_its_port_disturbs_nothing),
		host_test(an_unreachable_port_ends_an_open_and_an_unreachable_host_does_not),
		host_test(icmp_errors_that_may_pass_end_no_connection),
		host_test(a_next_hop_beyond_which_nothing_answers_is_asked_whether_it_is_there),
		host_test(a_flow_that_is_not_ours_by_hash_is_in_the_listener_table_while_it_lives),
		host_test(the_handshake_measures_the_round_trip_unless_its_syn_was_lost),
		host_test(a_bigger_buffer_before_the_syn_gets_a_bigger_scale),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
