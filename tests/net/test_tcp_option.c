/* Keepalive, and options as the program sets and reads them. MUST-n are the ids of TCP.md. */
#include "tcp_peer.h"

#include <errno.h>
#include <linux/tcp.h>
#include <sys/socket.h>

static void set(struct peer *p, int level, int name, int value)
{
	assert_int_equal(tcp_option_set(p->h->net, p->conn, level, name, &value, sizeof(value)), 0);
}

static int get(struct peer *p, int level, int name)
{
	int value = -1;
	uint32_t len = sizeof(value);

	assert_int_equal(tcp_option_get(p->h->net, p->conn, level, name, &value, &len), 0);
	assert_int_equal(len, sizeof(value));
	return value;
}

/* --- keepalive --- */

/* MUST-25 */
static void without_keepalive_an_idle_connection_stays_for_days(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_after(&p, 7ull * 86400 * S);
	peer_expect_nothing(&p);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	peer_end(&p);
}

/* MUST-24, MUST-26, MUST-27, MUST-28, SHLD-12 */
static void keepalive_asks_after_two_idle_hours_without_data(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	set(&p, SOL_SOCKET, SO_KEEPALIVE, 1);
	peer_after(&p, 7199 * S);
	peer_expect_nothing(&p);
	peer_after(&p, 2 * S);
	peer_expect(&p, ACK, 0, 1, 0);
	peer_expect_nothing(&p);
	/* The answer starts the time anew. */
	peer_send(&p, ACK, 1, 1, 0);
	peer_after(&p, 7198 * S);
	peer_expect_nothing(&p);
	peer_after(&p, 4 * S);
	peer_expect(&p, ACK, 0, 1, 0);
	peer_end(&p);
}

/* MUST-29 */
static void one_lost_answer_is_not_death_and_silence_is(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	unsigned probes = 0;
	struct seg seg;

	(void)state;
	set(&p, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(&p, IPPROTO_TCP, TCP_KEEPIDLE, 10);
	set(&p, IPPROTO_TCP, TCP_KEEPINTVL, 2);
	set(&p, IPPROTO_TCP, TCP_KEEPCNT, 3);
	peer_after(&p, 11 * S);
	peer_expect(&p, ACK, 0, 1, 0);
	peer_after(&p, 2 * S);
	peer_expect(&p, ACK, 0, 1, 0);
	peer_send(&p, ACK, 1, 1, 0);
	peer_after(&p, 1 * S);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	for (unsigned i = 0; i < 200 && !tcp_conn_error(p.conn); i++) {
		peer_after(&p, 100 * MS);
		while (peer_take(&p, &seg))
			probes += !(seg.flags & RST);
	}
	assert_int_equal(probes, 3);
	assert_int_equal(tcp_conn_error(p.conn), ETIMEDOUT);
	peer_end(&p);
}

static void keepalive_does_not_ask_while_bytes_are_in_flight(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	struct seg seg;

	(void)state;
	set(&p, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(&p, IPPROTO_TCP, TCP_KEEPIDLE, 1);
	set(&p, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	peer_push(&p, 10);
	for (unsigned i = 0; i < 50; i++) {
		peer_after(&p, 100 * MS);
		while (peer_take(&p, &seg))
			assert_int_equal(seg.len, 10);
	}
	peer_end(&p);
}

/* --- the others --- */

static void what_is_set_is_what_is_read(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	struct linger linger = {.l_onoff = 1, .l_linger = 5}, read_back;
	uint32_t len = sizeof(read_back);

	(void)state;
	assert_int_equal(get(&p, SOL_SOCKET, SO_KEEPALIVE), 0);
	set(&p, SOL_SOCKET, SO_KEEPALIVE, 1);
	assert_int_equal(get(&p, SOL_SOCKET, SO_KEEPALIVE), 1);
	set(&p, IPPROTO_TCP, TCP_NODELAY, 1);
	assert_int_equal(get(&p, IPPROTO_TCP, TCP_NODELAY), 1);
	set(&p, IPPROTO_TCP, TCP_KEEPIDLE, 77);
	assert_int_equal(get(&p, IPPROTO_TCP, TCP_KEEPIDLE), 77);
	set(&p, IPPROTO_TCP, TCP_KEEPINTVL, 7);
	assert_int_equal(get(&p, IPPROTO_TCP, TCP_KEEPINTVL), 7);
	set(&p, IPPROTO_TCP, TCP_KEEPCNT, 5);
	assert_int_equal(get(&p, IPPROTO_TCP, TCP_KEEPCNT), 5);
	set(&p, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
	assert_int_equal(get(&p, IPPROTO_TCP, TCP_USER_TIMEOUT), 5000);
	set(&p, SOL_SOCKET, SO_RCVBUF, 100000);
	assert_int_equal(get(&p, SOL_SOCKET, SO_RCVBUF), 100000);
	set(&p, SOL_SOCKET, SO_SNDBUF, 1);
	assert_int_equal(get(&p, SOL_SOCKET, SO_SNDBUF), 4096);
	assert_int_equal(
		tcp_option_set(p.h->net, p.conn, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
		0);
	assert_int_equal(tcp_option_get(p.h->net, p.conn, SOL_SOCKET, SO_LINGER, &read_back, &len),
			 0);
	assert_memory_equal(&linger, &read_back, sizeof(linger));
	peer_end(&p);
}

static void options_that_are_none_or_nonsense_are_refused(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	int value = -1;

	(void)state;
	assert_int_equal(
		tcp_option_set(p.h->net, p.conn, SOL_SOCKET, SO_BROADCAST, &value, sizeof(value)),
		-ENOPROTOOPT);
	assert_int_equal(tcp_option_set(p.h->net, p.conn, 12345, 1, &value, sizeof(value)),
			 -ENOPROTOOPT);
	assert_int_equal(tcp_option_set(p.h->net, p.conn, IPPROTO_TCP, TCP_NODELAY, &value, 2),
			 -EINVAL);
	assert_int_equal(
		tcp_option_set(p.h->net, p.conn, IPPROTO_TCP, TCP_KEEPIDLE, &value, sizeof(value)),
		-EINVAL);
	assert_int_equal(
		tcp_option_set(p.h->net, p.conn, IPPROTO_TCP, TCP_KEEPCNT, &value, sizeof(value)),
		-EINVAL);
	assert_int_equal(tcp_option_set(p.h->net, p.conn, IPPROTO_TCP, TCP_USER_TIMEOUT, &value,
					sizeof(value)),
			 -EINVAL);
	assert_int_equal(
		tcp_option_set(p.h->net, p.conn, SOL_SOCKET, SO_LINGER, &value, sizeof(value)),
		-EINVAL);
	value = TCP_MSS_MIN - 1;
	assert_int_equal(
		tcp_option_set(p.h->net, p.conn, IPPROTO_TCP, TCP_MAXSEG, &value, sizeof(value)),
		-EINVAL);
	assert_int_equal(tcp_option_set(p.h->net, p.conn, IPPROTO_TCP, TCP_DEFER_ACCEPT, &value,
					sizeof(value)),
			 -ENOPROTOOPT);
	peer_end(&p);
}

static void so_error_and_tcp_info_tell_how_it_stands(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	struct tcp_info info = {0};
	uint32_t len = sizeof(info);

	(void)state;
	peer_push(&p, 3 * MSS);
	peer_expect(&p, ACK, 1, 1, MSS);
	peer_expect(&p, ACK, 1 + MSS, 1, MSS);
	assert_int_equal(tcp_option_get(p.h->net, p.conn, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	assert_int_equal(len, sizeof(info));
	assert_int_equal(info.tcpi_state, 1);
	assert_int_equal(info.tcpi_snd_mss, MSS);
	assert_int_equal(info.tcpi_unacked, 2);
	assert_int_equal(info.tcpi_snd_cwnd, 10);
	assert_int_equal(info.tcpi_notsent_bytes, MSS);
	assert_int_equal(get(&p, SOL_SOCKET, SO_ERROR), 0);
	peer_send(&p, RST, 1, 0, 0);
	assert_int_equal(get(&p, SOL_SOCKET, SO_ERROR), ECONNRESET);
	assert_int_equal(get(&p, SOL_SOCKET, SO_ERROR), 0);
	assert_int_equal(tcp_conn_error(p.conn), ECONNRESET);
	len = 4;
	assert_int_equal(tcp_option_get(p.h->net, p.conn, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	assert_int_equal(len, 4);
	assert_int_equal(info.tcpi_state, 7);
	peer_end(&p);
}

static struct tcp_info info_of(struct peer *p)
{
	struct tcp_info info;
	uint32_t len = sizeof(info);

	memset(&info, 0xff, sizeof(info));
	assert_int_equal(tcp_option_get(p->h->net, p->conn, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	assert_int_equal(len, sizeof(info));
	return info;
}

static void tcp_info_counts_what_went_and_came(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	struct tcp_info info;

	(void)state;
	info = info_of(&p);
	assert_int_equal(info.tcpi_segs_in, 2 - 1); /* the SYN made the connection */
	assert_int_equal(info.tcpi_segs_out, 1);
	assert_int_equal(info.tcpi_snd_ssthresh, 0x7fffffff);
	assert_int_equal(info.tcpi_advmss, MSS);
	assert_int_equal(info.tcpi_ca_state, TCP_CA_Open);
	peer_push(&p, 2 * MSS);
	peer_expect(&p, ACK, 1, 1, MSS);
	peer_expect(&p, ACK | PSH, 1 + MSS, 1, MSS);
	peer_after(&p, 50 * MS);
	peer_send(&p, ACK, 1, 1 + MSS, 0);
	peer_send(&p, ACK | PSH, 1, 1 + MSS, 100);
	peer_expect(&p, ACK, 1 + 2 * MSS, 101, 0);
	peer_send(&p, ACK | PSH, 201, 1 + MSS, 50);
	peer_expect(&p, ACK, 1 + 2 * MSS, 101, 0);
	peer_after(&p, 2 * S);
	peer_expect(&p, ACK | PSH, 1 + MSS, 101, MSS);
	info = info_of(&p);
	assert_int_equal(info.tcpi_ca_state, TCP_CA_Loss);
	assert_true(info.tcpi_retransmits > 0);
	assert_int_equal(info.tcpi_bytes_acked, MSS);
	assert_int_equal(info.tcpi_bytes_sent, 3 * MSS);
	assert_int_equal(info.tcpi_bytes_retrans, MSS);
	assert_int_equal(info.tcpi_total_retrans, 1);
	assert_int_equal(info.tcpi_bytes_received, 100);
	assert_int_equal(info.tcpi_rcv_ooopack, 1);
	assert_int_equal(info.tcpi_segs_in, 4);
	assert_int_equal(info.tcpi_data_segs_in, 2);
	assert_int_equal(info.tcpi_segs_out, 6);
	assert_int_equal(info.tcpi_data_segs_out, 3);
	assert_int_equal(info.tcpi_snd_wnd, PEER_WND);
	assert_true(info.tcpi_min_rtt <= info.tcpi_rtt);
	assert_in_range(info.tcpi_last_data_recv, 1990, 2020);
	peer_end(&p);
}

/* MUST-14, MUST-16 */
static void a_segment_size_of_the_programs_is_offered_and_kept_to(void **state)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	const struct seg syn = {.flags = SYN, .wnd = PEER_WND, .opts = mss, .opts_len = 4};
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	struct tcp_options options;
	const int small = 1000;

	(void)state;
	tcp_options_default(p.h->net, &options);
	assert_int_equal(tcp_options_set(&options, IPPROTO_TCP, TCP_MAXSEG, &small, sizeof(small)),
			 0);
	tcp_listener_options(p.listener, &options);
	peer_send_seg(&p, &syn);
	assert_int_equal(peer_expect(&p, SYN | ACK, 0, 1, 0).parsed.mss, 1000);
	peer_send(&p, ACK, 1, 1, 0);
	p.conn = tcp_accept_or_null(p.h->net, p.listener, &p);
	assert_int_equal(get(&p, IPPROTO_TCP, TCP_MAXSEG), 1000);
	peer_push(&p, 1500);
	peer_expect(&p, ACK, 1, 1, 1000);
	peer_expect(&p, ACK | PSH, 1001, 1, 500);
	/* Less is possible at any time, more is not. */
	set(&p, IPPROTO_TCP, TCP_MAXSEG, 1200);
	assert_int_equal(get(&p, IPPROTO_TCP, TCP_MAXSEG), 1000);
	set(&p, IPPROTO_TCP, TCP_MAXSEG, 200);
	assert_int_equal(get(&p, IPPROTO_TCP, TCP_MAXSEG), 200);
	assert_int_equal(p.conn->cc.mss, 200); /* what congestion control counts in */
	peer_send(&p, ACK, 1, 1501, 0);
	peer_push(&p, 300);
	peer_expect(&p, ACK, 1501, 1, 200);
	peer_expect(&p, ACK | PSH, 1701, 1, 100);
	peer_end(&p);
}

/* MUST-21, MUST-22, RFC 5482 2 */
static void a_user_timeout_ends_an_open_too(void **state)
{
	const struct tcp_config config = host_config();
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};
	struct peer p = peer_begin(&config);
	struct seg seg;

	(void)state;
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &p.conn), 0);
	p.host_port = rte_be_to_cpu_16(tcp_conn_local(p.conn).port);
	assert_int_equal(get(&p, IPPROTO_TCP, TCP_USER_TIMEOUT), 0); /* as configured */
	set(&p, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
	for (unsigned i = 0; i < 60; i++) {
		assert_true(i > 49 || !tcp_conn_error(p.conn));
		while (peer_take(&p, &seg))
			assert_int_equal(seg.flags, SYN);
		peer_after(&p, 100 * MS);
	}
	assert_int_equal(tcp_conn_error(p.conn), ETIMEDOUT);
	peer_end(&p);
}

static void what_linux_programs_set_and_ask_is_there(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	char name[20] = "................";
	uint32_t len = sizeof(name);

	(void)state;
	set(&p, SOL_SOCKET, SO_REUSEADDR, 1);
	assert_int_equal(get(&p, SOL_SOCKET, SO_REUSEADDR), 1);
	assert_int_equal(get(&p, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	assert_int_equal(get(&p, SOL_SOCKET, SO_DOMAIN), AF_INET);
	assert_int_equal(get(&p, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	assert_int_equal(get(&p, IPPROTO_TCP, TCP_MAXSEG), MSS);
	assert_int_equal(tcp_option_get(p.h->net, p.conn, IPPROTO_TCP, TCP_CONGESTION, name, &len),
			 0);
	assert_int_equal(len, 16);
	assert_string_equal(name, p.conn->cc.ops->name);
	len = 3;
	memset(name, '.', sizeof(name));
	assert_int_equal(tcp_option_get(p.h->net, p.conn, IPPROTO_TCP, TCP_CONGESTION, name, &len),
			 0);
	assert_int_equal(len, 3);
	assert_memory_equal(name, p.conn->cc.ops->name, 3);
	assert_int_equal(name[3], '.');
	/* ... and can be another one, before the connection is open and after. */
	assert_int_equal(
		tcp_option_set(p.h->net, p.conn, IPPROTO_TCP, TCP_CONGESTION, "newreno", 7), 0);
	assert_ptr_equal(p.conn->cc.ops, &tcp_newreno);
	assert_int_equal(p.conn->cc.cwnd, 10 * MSS);
	assert_int_equal(tcp_option_set(p.h->net, p.conn, IPPROTO_TCP, TCP_CONGESTION, "cubic", 6),
			 0);
	assert_ptr_equal(p.conn->cc.ops, &tcp_cubic);
	assert_int_equal(tcp_option_set(p.h->net, p.conn, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3),
			 -ENOENT);
	assert_int_equal(tcp_option_set(p.h->net, p.conn, IPPROTO_TCP, TCP_CONGESTION, "", 0),
			 -EINVAL);
	peer_end(&p);
}

static void accepted_connections_have_their_listeners_options(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	struct tcp_options options;
	const int on = 1;

	(void)state;
	tcp_options_default(p.h->net, &options);
	assert_int_equal(tcp_options_set(&options, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	tcp_listener_options(p.listener, &options);
	peer_handshake(&p, NULL, 0);
	assert_int_equal(get(&p, IPPROTO_TCP, TCP_NODELAY), 1);
	peer_end(&p);
}

/* MUST-48, MUST-49 */
static void diffserv_and_ttl_are_the_programs(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	struct host_frame f;

	(void)state;
	set(&p, IPPROTO_IP, 1 /* IP_TOS */, 0xbb); /* two bits of which are ECN's */
	assert_int_equal(get(&p, IPPROTO_IP, 1), 0xb8);
	set(&p, IPPROTO_IP, 2 /* IP_TTL */, 33);
	peer_push(&p, 10);
	assert_true(host_output(p.h, &f));
	assert_int_equal(f.bytes[15], 0xb8);
	assert_int_equal(f.bytes[22], 33);
	peer_end(&p);
}

static void a_bigger_receive_buffer_opens_the_window(void **state)
{
	const struct tcp_config config = host_config(); /* 64 KiB, no scale */
	struct peer p = peer_established(&config);

	(void)state;
	set(&p, SOL_SOCKET, SO_RCVBUF, 8192);
	p.conn->rcv_adv = p.conn->rxq.rcv_nxt + 8192; /* as if it had been so from the start */
	set(&p, SOL_SOCKET, SO_RCVBUF, 60000);
	peer_send(&p, ACK | PSH, 1, 1, 10);
	assert_in_range(peer_expect(&p, ACK, 1, 11, 0).wnd, 57000, 60000);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(without_keepalive_an_idle_connection_stays_for_days),
		host_test(keepalive_asks_after_two_idle_hours_without_data),
		host_test(one_lost_answer_is_not_death_and_silence_is),
		host_test(keepalive_does_not_ask_while_bytes_are_in_flight),
		host_test(what_is_set_is_what_is_read),
		host_test(options_that_are_none_or_nonsense_are_refused),
		host_test(so_error_and_tcp_info_tell_how_it_stands),
		host_test(tcp_info_counts_what_went_and_came),
		host_test(a_segment_size_of_the_programs_is_offered_and_kept_to),
		host_test(a_user_timeout_ends_an_open_too),
		host_test(what_linux_programs_set_and_ask_is_there),
		host_test(accepted_connections_have_their_listeners_options),
		host_test(diffserv_and_ttl_are_the_programs),
		host_test(a_bigger_receive_buffer_opens_the_window),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
