/* How large segments are, by route and by what routers said before. */
#include "net/path.h"
#include "tcp_peer.h"

static void add_route(struct host *h, uint16_t mtu, uint16_t mss)
{
	const struct net_route route = {
		.dst = host_addr(1), .prefix_len = 32, .mtu = mtu, .mss = mss};

	assert_int_equal(net_route_add_mt(h->tables, &route), 0);
}

/* Opens from the peer, which takes 1460 bytes; returns the MSS that the host told. */
static uint16_t opened_mss(struct peer *p)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	const struct seg syn = {.flags = SYN, .wnd = p->wnd, .opts = mss, .opts_len = sizeof(mss)};
	uint16_t told;

	peer_send_seg(p, &syn);
	told = peer_expect(p, SYN | ACK, 0, 1, 0).parsed.mss;
	peer_send(p, ACK, 1, 1, 0);
	p->conn = tcp_accept_or_null(p->h->net, p->listener, p);
	assert_non_null(p->conn);
	return told;
}

/* MUST-67 */
static void the_routes_mtu_limits_both_directions(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	add_route(p.h, 1240, 0);
	assert_int_equal(opened_mss(&p), 1200);
	peer_push(&p, 2400);
	peer_expect(&p, ACK, 1, 1, 1200);
	peer_expect(&p, ACK | PSH, 1201, 1, 1200);
	peer_end(&p);
}

static void the_routes_mss_clamps_both_directions(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	add_route(p.h, 1240, 1000);
	assert_int_equal(opened_mss(&p), 1000);
	peer_push(&p, 2000);
	peer_expect(&p, ACK, 1, 1, 1000);
	peer_expect(&p, ACK | PSH, 1001, 1, 1000);
	peer_end(&p);
}

static void a_cookie_tells_the_clamped_size_too(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.syn_cookies = TCP_SYN_COOKIES_ALWAYS;
	p = peer_begin(&config);
	add_route(p.h, 0, 1000);
	assert_int_equal(opened_mss(&p), 1000);
	assert_int_equal(p.conn->snd_mss <= 1000, 1);
	peer_end(&p);
}

/* RFC 1191 3, 6.3: and what is received may be as large as our link takes (7.2). */
static void a_new_connection_begins_with_what_the_last_one_learned(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.pmtu_discovery = true;
	p = peer_established(&config);
	peer_push(&p, MSS);
	peer_expect(&p, ACK | PSH, 1, 1, MSS);
	tcp_icmp_error(p.h->net, &p.conn->flow, p.conn->snd_una, 3, 4, 1040);
	peer_expect(&p, ACK, 1, 1, 1000);
	peer_expect(&p, ACK | PSH, 1001, 1, MSS - 1000);
	p.port++;
	assert_int_equal(opened_mss(&p), 1460);
	assert_int_equal(p.conn->snd_mss, 1000);
	p.port++;
	p.h->now_ns += PATH_LIFE_NS;
	assert_int_equal(opened_mss(&p), 1460);
	assert_int_equal(p.conn->snd_mss, MSS);
	peer_end(&p);
}

/* RFC 1122 2.3.2.1 */
static void acknowledged_data_confirms_the_gateway(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	const struct net_route route = {
		.dst = host_addr(1), .prefix_len = 32, .gateway = host_addr(9)};
	const struct net_neigh_event gateway = {.neigh = {.addr = host_addr(9),
							  .mac = {{2, 0, 0, 0, 0, 2}},
							  .confirmed_ns = p.h->now_ns},
						.news = NEIGH_ANSWERED};

	(void)state;
	assert_int_equal(net_route_add_mt(p.h->tables, &route), 0);
	net_neigh_apply_mt(p.h->tables, &gateway, 1);
	opened_mss(&p);
	peer_after(&p, 31 * S);
	peer_send(&p, ACK, 1, 1, 0); /* says nothing new */
	assert_int_equal(p.h->counters.arp_confirmed, 0);
	peer_push(&p, 100);
	peer_expect(&p, ACK | PSH, 1, 1, 100);
	peer_send(&p, ACK, 1, 101, 0);
	assert_int_equal(p.h->counters.arp_confirmed, 1);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(the_routes_mtu_limits_both_directions),
		host_test(the_routes_mss_clamps_both_directions),
		host_test(a_cookie_tells_the_clamped_size_too),
		host_test(acknowledged_data_confirms_the_gateway),
		host_test(a_new_connection_begins_with_what_the_last_one_learned),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
