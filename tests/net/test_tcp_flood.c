/* Floods: the SYN queue, SYN cookies (RFC 4987), and that others go on meanwhile. */
#include "tcp_peer.h"

enum { BACKLOG = 4 }; /* peer_begin()'s; the SYN queue is as long here */

static const uint8_t linux_opts[] = {2, 4, 1400 >> 8, 1400 & 255, 4, 2, 1, 3, 3, 7, 0, 0};
static const struct seg linux_syn = {
	.flags = SYN, .wnd = PEER_WND, .opts = linux_opts, .opts_len = 10};

static struct tcp_config config_with_options(void)
{
	struct tcp_config config = host_config();

	config.timestamps = config.window_scale = config.sack = true;
	return config;
}

/* SYNs that nobody follows up; what answers them is lost. */
static void flood(struct peer *p, unsigned count)
{
	const uint16_t port = p->port;
	struct host_frame f;

	for (unsigned i = 0; i < count; i++) {
		p->port = (uint16_t)(10000 + i);
		peer_send(p, SYN, 0, 0, 0);
		while (host_output(p->h, &f))
			;
	}
	p->port = port;
}

static void accept_one(struct peer *p)
{
	p->conn = tcp_accept_or_null(p->h->net, p->listener, p);
	assert_non_null(p->conn);
}

/* RFC 4987 3.6 */
static void with_a_full_syn_queue_a_cookie_keeps_all_options(void **state)
{
	const struct tcp_config config = config_with_options();
	struct peer p = peer_begin(&config);
	struct seg answer;

	(void)state;
	flood(&p, BACKLOG);
	assert_int_equal(p.h->counters.tcp_cookies_sent, 0);
	p.ts = true;
	peer_send_seg(&p, &linux_syn);
	answer = peer_expect(&p, SYN | ACK, 0, 1, 0);
	assert_int_equal(answer.parsed.present, TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_TIMESTAMPS |
							TCP_OPT_SACK_PERMITTED);
	assert_int_equal(answer.parsed.ts_ecr, p.ts_val);
	assert_int_equal(p.h->counters.tcp_cookies_sent, 1);
	peer_send(&p, ACK | PSH, 1, 1, 100);
	accept_one(&p);
	assert_int_equal(p.h->counters.tcp_cookies_valid, 1);
	assert_int_equal(peer_pop(&p), 100);
	assert_int_equal(p.conn->snd_wscale, 7);
	assert_int_equal(p.conn->snd_wnd, PEER_WND << 7);
	assert_true(p.conn->sack && p.conn->timestamps);
	assert_int_equal(p.conn->snd_mss, 1360 - TCP_OPT_TIMESTAMPS_LEN);
	peer_expect(&p, ACK, 1, 101, 0);
	peer_push(&p, 500);
	peer_expect(&p, ACK | PSH, 1, 101, 500);
	peer_end(&p);
}

/* RFC 4987 3.6 */
static void without_timestamps_a_cookie_keeps_the_mss(void **state)
{
	struct tcp_config config = config_with_options();
	struct peer p;

	(void)state;
	config.syn_cookies = TCP_SYN_COOKIES_ALWAYS;
	p = peer_begin(&config);
	peer_send_seg(&p, &linux_syn);
	assert_int_equal(peer_expect(&p, SYN | ACK, 0, 1, 0).parsed.present, TCP_OPT_MSS);
	peer_send(&p, ACK, 1, 1, 0);
	accept_one(&p);
	assert_false(p.conn->sack || p.conn->timestamps || p.conn->wscale);
	assert_int_equal(p.conn->snd_mss, 1360);
	assert_int_equal(p.conn->snd_wnd, PEER_WND);
	peer_end(&p);
}

/* MUST-67 */
static void a_cookie_offers_the_mss_that_the_program_wants(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct tcp_config config = config_with_options();
		struct tcp_options options;
		struct peer p;

		(void)state;
		if (i)
			config.syn_cookies = TCP_SYN_COOKIES_ALWAYS;
		p = peer_begin(&config);
		tcp_options_default(p.h->net, &options);
		options.mss_max = 500;
		tcp_listener_options(p.listener, &options);
		peer_send_seg(&p, &linux_syn);
		assert_int_equal(peer_expect(&p, SYN | ACK, 0, 1, 0).parsed.mss, 500);
		assert_int_equal(p.h->counters.tcp_cookies_sent, i);
		peer_end(&p);
	}
}

/* RFC 4987 3.6: what is switched off here is not agreed on because a cookie came back. */
static void a_cookie_keeps_only_what_this_side_offers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct tcp_config config = host_config();
		struct peer p;

		config.timestamps = true;
		config.window_scale = i & 1;
		config.sack = i & 2;
		config.syn_cookies = TCP_SYN_COOKIES_ALWAYS;
		p = peer_begin(&config);
		p.ts = true;
		peer_send_seg(&p, &linux_syn);
		assert_int_equal(peer_expect(&p, SYN | ACK, 0, 1, 0).parsed.present,
				 TCP_OPT_MSS | TCP_OPT_TIMESTAMPS | (i & 1 ? TCP_OPT_WSCALE : 0) |
					 (i & 2 ? TCP_OPT_SACK_PERMITTED : 0));
		peer_send(&p, ACK, 1, 1, 0);
		accept_one(&p);
		assert_int_equal(p.conn->snd_wnd, i & 1 ? PEER_WND << 7 : PEER_WND);
		assert_int_equal(p.conn->sack, (i & 2) != 0);
		peer_end(&p);
	}
}

/* RFC 4987 3.6: without cookies about, a stray ACK costs no hash. */
static void an_ack_is_a_cookie_only_while_some_are_out(void **state)
{
	const struct tcp_config config = config_with_options();
	struct peer p = peer_begin(&config);

	(void)state;
	peer_send(&p, ACK, 1, 77, 0);
	peer_expect(&p, RST, 77, 0, 0);
	assert_int_equal(p.h->counters.tcp_cookies_invalid, 0);
	flood(&p, BACKLOG);
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, ACK, 1, 77, 0);
	peer_expect(&p, RST, 77, 0, 0);
	assert_int_equal(p.h->counters.tcp_cookies_invalid, 1);
	p.h->now_ns += TCP_COOKIE_LIFE_NS;
	peer_send(&p, ACK, 1, 1, 0);
	peer_expect(&p, RST, 1, 0, 0);
	assert_null(tcp_accept_or_null(p.h->net, p.listener, &p));
	assert_int_equal(p.h->counters.tcp_cookies_invalid, 1);
	peer_end(&p);
}

/* RFC 4987 3.6: the handshake's last packet was lost, and the first text; a reset would end what
 * the peer has every reason to believe open. */
static void what_follows_a_lost_beginning_waits_until_that_comes_again(void **state)
{
	struct tcp_config config = config_with_options();
	struct peer p;

	(void)state;
	config.syn_cookies = TCP_SYN_COOKIES_ALWAYS;
	p = peer_begin(&config);
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, ACK | PSH, 101, 1, 100);
	peer_send(&p, ACK | PSH | FIN, 201, 1, 100);
	peer_expect_nothing(&p);
	assert_null(tcp_accept_or_null(p.h->net, p.listener, &p));
	assert_int_equal(peer_drops(&p, DROP_tcp_cookie_ahead), 2);
	assert_int_equal(p.h->counters.tcp_cookies_invalid, 0);
	p.total = 0;
	peer_send(&p, ACK | PSH, 1, 1, 100);
	accept_one(&p);
	peer_expect(&p, ACK, 1, 101, 0);
	peer_send(&p, ACK | PSH, 101, 1, 100);
	assert_int_equal(peer_pop(&p), 200);
	peer_end(&p);
}

/* RFC 9293 3.10.7.2: silence has an end. */
static void what_follows_a_lost_beginning_meets_a_reset_when_cookies_are_over(void **state)
{
	struct tcp_config config = config_with_options();
	struct peer p;

	(void)state;
	config.syn_cookies = TCP_SYN_COOKIES_ALWAYS;
	p = peer_begin(&config);
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, ACK | PSH, 101, 1, 100);
	peer_expect_nothing(&p);
	peer_send(&p, ACK | PSH, 101, 2, 100); /* of what we never sent */
	peer_expect(&p, RST, 2, 0, 0);
	p.h->now_ns += TCP_COOKIE_LIFE_NS;
	peer_send(&p, ACK | PSH, 101, 1, 100);
	peer_expect(&p, RST, 1, 0, 0);
	peer_end(&p);
}

static void a_cookie_that_finds_the_accept_queue_full_may_come_again(void **state)
{
	struct tcp_config config = config_with_options();
	struct peer p;
	uint32_t irs[BACKLOG + 1];

	(void)state;
	config.syn_cookies = TCP_SYN_COOKIES_ALWAYS;
	p = peer_begin(&config);
	for (unsigned i = 0; i <= BACKLOG; i++) {
		p.port = (uint16_t)(PEER_PORT + i);
		peer_send(&p, SYN, 0, 0, 0);
		peer_expect(&p, SYN | ACK, 0, 1, 0);
		irs[i] = p.irs;
	}
	for (unsigned i = 0; i <= BACKLOG; i++) {
		p.port = (uint16_t)(PEER_PORT + i);
		p.irs = irs[i];
		peer_send(&p, ACK, 1, 1, 0);
	}
	assert_int_equal(peer_drops(&p, DROP_tcp_backlog_full), 1);
	accept_one(&p);
	peer_expect_nothing(&p);
	peer_send(&p, ACK | PSH, 1, 1, 10);
	assert_int_equal(p.h->counters.tcp_cookies_valid, BACKLOG + 1);
	peer_end(&p);
}

/* RFC 4987 */
static void a_flood_takes_no_memory_and_others_go_on_and_begin(void **state)
{
	struct tcp_config config = config_with_options();
	struct mem_use before, after;
	struct tcp_use use;
	struct peer p;

	(void)state;
	config.conn_max = 6;
	config.syn_queue_max = 1000;
	p = peer_established(&config);
	peer_push(&p, 100);
	mem_use_mt(&p.h->mem, &before);
	flood(&p, 2000);
	mem_use_mt(&p.h->mem, &after);
	assert_int_equal(after.data, before.data);
	tcp_use_mt(p.h->net, &use);
	assert_int_equal(use.conns, 6);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	peer_send(&p, ACK, 1, 101, 0);
	assert_int_equal(tcp_conn_flight(p.conn), 0);
	/* A new one takes the place of one that never proved itself. */
	p.port++;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, ACK, 1, 1, 0);
	assert_int_equal(p.h->counters.tcp_syns_evicted, 1);
	p.conn = tcp_accept_or_null(p.h->net, p.listener, &p);
	assert_non_null(p.conn);
	peer_end(&p);
}

static void without_cookies_the_oldest_that_did_not_answer_gives_way(void **state)
{
	struct tcp_config config = host_config();
	struct host_frame f;
	struct peer p;

	(void)state;
	config.syn_cookies = TCP_SYN_COOKIES_NEVER;
	p = peer_begin(&config);
	flood(&p, BACKLOG);
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect_nothing(&p);
	assert_int_equal(peer_drops(&p, DROP_tcp_backlog_full), 1);
	peer_after(&p, 1100 * MS);
	while (host_output(p.h, &f))
		;
	peer_send(&p, SYN, 0, 0, 0);
	assert_int_equal(p.h->counters.tcp_syns_evicted, 1);
	while (host_output(p.h, &f))
		;
	assert_int_equal(p.h->counters.tcp_cookies_sent, 0);
	peer_end(&p);
}

/* RFC 4987 3.6: of a flow that another shard owns, whose ACK meets no flow there. */
static void a_cookie_comes_back_to_the_listeners_shard_from_the_owners(void **state)
{
	const struct tcp_config config = config_with_options();
	struct peer p = peer_begin(&config);
	struct host *first = p.h, *owner = host_begin_beside(first, 1, &config);
	const struct net_endpoint local = {first->addr, RTE_BE16(HOST_PORT)};

	(void)state;
	flood(&p, BACKLOG);
	first->away = true;
	p.ts = true;
	p.h = owner;
	peer_send_seg(&p, &linux_syn);
	p.h = first;
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	assert_int_equal(first->counters.tcp_cookies_sent, 1);
	assert_int_equal(net_listen_foreign_rcu(first->tables, IPPROTO_TCP, local), 0);
	p.h = owner;
	peer_send(&p, ACK, 1, 1, 0);
	p.h = first;
	accept_one(&p);
	assert_int_equal(first->counters.tcp_cookies_valid, 1);
	assert_int_equal(net_listen_foreign_rcu(first->tables, IPPROTO_TCP, local), 1 << 0);
	p.h = owner; /* what follows finds it by the table */
	peer_send(&p, ACK | PSH, 1, 1, 100);
	p.h = first;
	assert_int_equal(peer_pop(&p), 100);
	peer_expect(&p, ACK, 1, 101, 0);
	assert_int_equal(owner->counters.tcp_rsts_sent, 0);
	p.h = owner;
	peer_send(&p, RST, 101, 0, 0);
	p.h = first;
	assert_int_equal(net_listen_foreign_rcu(first->tables, IPPROTO_TCP, local), 0);
	host_end(owner);
	peer_end(&p);
}

/* A second copy, or one that its flow's later segments overtook: who sent it is long gone. */
static void the_ack_of_a_cookie_opens_no_second_connection(void **state)
{
	struct tcp_config config = config_with_options();
	struct tcp_use use;
	struct peer p;

	(void)state;
	config.syn_cookies = TCP_SYN_COOKIES_ALWAYS;
	p = peer_begin(&config);
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, ACK, 1, 1, 0);
	accept_one(&p);
	peer_send(&p, ACK | FIN, 1, 1, 0);
	peer_expect(&p, ACK, 1, 2, 0);
	tcp_close(p.h->net, p.conn);
	peer_expect(&p, ACK | FIN, 1, 2, 0);
	peer_send(&p, ACK, 2, 2, 0);
	tcp_use_mt(p.h->net, &use);
	assert_int_equal(use.conns, 0);
	peer_send(&p, ACK, 1, 1, 0);
	peer_expect(&p, ACK, 2, 2, 0);
	assert_null(tcp_accept_or_null(p.h->net, p.listener, &p));
	assert_int_equal(p.h->counters.tcp_cookies_valid, 1);
	peer_after(&p, 2 * config.msl_ns + MS);
	tcp_use_mt(p.h->net, &use);
	assert_int_equal(use.timewait, 0);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(a_cookie_comes_back_to_the_listeners_shard_from_the_owners),
		host_test(with_a_full_syn_queue_a_cookie_keeps_all_options),
		host_test(the_ack_of_a_cookie_opens_no_second_connection),
		host_test(without_timestamps_a_cookie_keeps_the_mss),
		host_test(a_cookie_offers_the_mss_that_the_program_wants),
		host_test(a_cookie_keeps_only_what_this_side_offers),
		host_test(an_ack_is_a_cookie_only_while_some_are_out),
		host_test(what_follows_a_lost_beginning_waits_until_that_comes_again),
		host_test(what_follows_a_lost_beginning_meets_a_reset_when_cookies_are_over),
		host_test(a_cookie_that_finds_the_accept_queue_full_may_come_again),
		host_test(a_flood_takes_no_memory_and_others_go_on_and_begin),
		host_test(without_cookies_the_oldest_that_did_not_answer_gives_way),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
