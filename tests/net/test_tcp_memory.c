/* When something runs out: buffers, reassembly, connections; neighbours that do not answer. Nothing
 * crashes, nothing is lost, everything is back at the end (host_end checks). */
#include "tcp_peer.h"

#include <errno.h>

enum { HOARD_MAX = 8192 };

struct hoard {
	unsigned count;
	struct rte_mbuf *m[HOARD_MAX];
};

static void take_all(struct hoard *hoard, struct rte_mempool *pool)
{
	hoard->count = 0;
	while (hoard->count < HOARD_MAX && (hoard->m[hoard->count] = rte_pktmbuf_alloc(pool)))
		hoard->count++;
}

static void give_back(struct hoard *hoard)
{
	while (hoard->count > 0)
		rte_pktmbuf_free(hoard->m[--hoard->count]);
}

static struct hoard hoard;

static void an_ack_without_a_buffer_is_sent_when_there_is_one(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	take_all(&hoard, p.h->mem.small);
	peer_send(&p, ACK | PSH, 1, 1, 10);
	peer_expect_nothing(&p);
	peer_expect_nothing(&p);
	assert_true(peer_drops(&p, DROP_mem_none) >= 1);
	assert_int_equal(net_poll(p.h->net, p.h->now_ns), p.h->now_ns); /* it does not sleep */
	give_back(&hoard);
	peer_expect(&p, ACK, 1, 11, 0);
	peer_expect_nothing(&p);
	peer_end(&p);
}

/* RFC 2883 4: what came twice is told once there is a buffer to tell it in. */
static void a_d_sack_without_a_buffer_is_told_when_there_is_one(void **state)
{
	static const uint8_t opts[] = {2, 4, MSS >> 8, MSS & 255, 1, 1, 4, 2};
	struct tcp_config config = host_config();
	struct peer p;
	struct seg seg;

	(void)state;
	config.sack = true;
	p = peer_begin(&config);
	peer_handshake(&p, opts, sizeof(opts));
	peer_send(&p, ACK | PSH, 1, 1, 100);
	peer_expect(&p, ACK, 1, 101, 0);
	take_all(&hoard, p.h->mem.small);
	peer_send(&p, ACK | PSH, 1, 1, 100);
	peer_expect_nothing(&p);
	give_back(&hoard);
	seg = peer_expect(&p, ACK, 1, 101, 0);
	assert_int_equal(seg.parsed.sack_count, 1);
	assert_int_equal(seg.parsed.sack[0].start - p.iss, 1);
	assert_int_equal(seg.parsed.sack[0].end - p.iss, 101);
	peer_send(&p, ACK | PSH, 101, 1, 100);
	seg = peer_expect(&p, ACK, 1, 201, 0);
	assert_int_equal(seg.parsed.sack_count, 0); /* told once */
	peer_end(&p);
}

static void a_segment_without_a_buffer_is_sent_when_there_is_one(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_push(&p, 5000);
	take_all(&hoard, p.h->mem.small);
	peer_expect_nothing(&p);
	assert_int_equal(p.conn->snd_nxt, p.conn->snd_una);
	give_back(&hoard);
	peer_expect(&p, ACK, 1, 1, MSS);
	peer_expect(&p, ACK, 1 + MSS, 1, MSS);
	peer_end(&p);
}

static void a_syn_ack_and_a_fin_without_a_buffer_are_sent_when_there_is_one(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	take_all(&hoard, p.h->mem.small);
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect_nothing(&p);
	give_back(&hoard);
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, ACK, 1, 1, 0);
	p.conn = tcp_accept_or_null(p.h->net, p.listener, &p);
	take_all(&hoard, p.h->mem.small);
	assert_int_equal(tcp_shutdown(p.h->net, p.conn, TCP_SHUT_WR), 0);
	peer_expect_nothing(&p);
	give_back(&hoard);
	peer_expect(&p, ACK | FIN, 1, 1, 0);
	peer_end(&p);
}

static void an_rst_without_a_buffer_is_counted_and_forgotten(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);

	(void)state;
	p.host_port = 9;
	take_all(&hoard, p.h->mem.small);
	peer_send(&p, SYN, 0, 0, 0);
	give_back(&hoard);
	peer_expect_nothing(&p);
	assert_int_equal(peer_drops(&p, DROP_mem_none), 1);
	peer_end(&p);
}

static void who_finds_no_buffer_does_not_stop_the_others(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	/* A push of two segments needs more buffers; a whole push is its own. */
	peer_push(&p, 2000);
	p.port++;
	peer_send(&p, SYN, 0, 0, 0);
	p.port--;
	peer_expect(&p, ACK, 1, 1, MSS);
	p.port++;
	peer_expect(&p, SYN | ACK, 0, 1, 0);
	peer_send(&p, ACK, 1, 1, 0);
	p.conn = tcp_accept_or_null(p.h->net, p.listener, &p);
	p.port--;
	peer_after(&p, 220 * MS); /* the first connection wants to send again */
	p.port++;
	p.total = 0;
	peer_push(&p, 100);
	take_all(&hoard, p.h->mem.small);
	peer_expect(&p, ACK | PSH, 1, 1, 100);
	give_back(&hoard);
	peer_end(&p);
}

static void with_low_memory_a_syn_is_dropped_and_open_connections_go_on(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PEER_PORT)};
	struct tcp_conn *conn;

	(void)state;
	take_all(&hoard, p.h->mem.data);
	for (unsigned i = 0; i < 800; i++)
		rte_pktmbuf_free(hoard.m[--hoard.count]); /* under a quarter */
	mem_level_update(&p.h->mem);
	assert_int_equal(p.h->mem.level, MEM_LOW);
	p.port++;
	peer_send(&p, SYN, 0, 0, 0);
	peer_expect_nothing(&p);
	assert_int_equal(peer_drops(&p, DROP_mem_low_syn), 1);
	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &conn), -ENOBUFS);
	p.port--;
	/* One push each. */
	peer_push(&p, 10);
	assert_int_equal(host_push(p.h, p.conn, p.total, 10, 1), -EAGAIN);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	peer_send(&p, ACK | PSH, 1, 1, 10);
	peer_expect(&p, ACK, 11, 11, 0);
	assert_int_equal(peer_pop(&p), 10);
	give_back(&hoard);
	peer_end(&p);
}

static void with_scarce_memory_only_bytes_in_order_are_taken(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	take_all(&hoard, p.h->mem.data);
	for (unsigned i = 0; i < 300; i++)
		rte_pktmbuf_free(hoard.m[--hoard.count]);
	mem_level_update(&p.h->mem);
	assert_int_equal(p.h->mem.level, MEM_SCARCE);
	peer_send(&p, ACK | PSH, 101, 1, 100);
	peer_expect(&p, ACK, 1, 1, 0);
	assert_int_equal(peer_drops(&p, DROP_mem_low_tcp), 1);
	peer_send(&p, ACK | PSH, 1, 1, 100);
	peer_expect(&p, ACK, 1, 101, 0);
	give_back(&hoard);
	peer_end(&p);
}

static void with_scarce_memory_who_does_not_read_or_is_not_read_gets_no_more(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_push(&p, 10);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	p.h->mem.level = MEM_SCARCE;
	assert_int_equal(host_push(p.h, p.conn, p.total, 10, 1), -EAGAIN);
	take_all(&hoard, p.h->mem.data);
	for (unsigned i = 0; i < 300; i++)
		rte_pktmbuf_free(hoard.m[--hoard.count]);
	/* One packet may wait; of the second, only the ACK is taken. */
	for (uint32_t i = 0; i < 2; i++)
		peer_send(&p, ACK | PSH, 1 + i * MSS, i == 1 ? 11 : 1, MSS);
	assert_int_equal(peer_drops(&p, DROP_mem_low_tcp), 1);
	assert_true(peer_ready(&p, tcp_conn_sock(p.conn)));
	peer_push(&p, 10);
	assert_int_equal(peer_pop(&p), MSS);
	peer_send(&p, ACK | PSH, 1 + MSS, 11, MSS);
	assert_int_equal(peer_pop(&p), MSS);
	give_back(&hoard);
	peer_end(&p);
}

static void with_nothing_but_the_reserve_acks_are_heard_and_bytes_come_later(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);
	unsigned count = 0;
	int error;

	(void)state;
	peer_push(&p, 10);
	peer_expect(&p, ACK | PSH, 1, 1, 10);
	/* A program takes whatever it can get. */
	while ((hoard.m[count] = mem_handle_alloc_or_null(&p.h->mem, 10)))
		count++;
	assert_true(count > 3000);
	peer_send(&p, ACK | PSH, 1, 11, 100);
	assert_int_equal(peer_done(&p, &error), 1);
	assert_int_equal(peer_drops(&p, DROP_mem_low_tcp), 1);
	while (count > 0)
		assert_int_equal(mem_handle_free(&p.h->mem, hoard.m[--count]), 0);
	peer_send(&p, ACK | PSH, 1, 11, 100);
	assert_int_equal(peer_pop(&p), 100);
	peer_end(&p);
}

static void beyond_the_reassembly_budget_bytes_are_dropped_and_come_again(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;

	(void)state;
	config.reassembly_len = 5000; /* two packets, by true size */
	p = peer_established(&config);
	for (uint32_t i = 3; i >= 1; i--) {
		peer_send(&p, ACK | PSH, 1 + i * MSS, 1, MSS);
		peer_expect(&p, ACK, 1, 1, 0);
	}
	assert_int_equal(peer_drops(&p, DROP_tcp_reassembly_full), 1);
	peer_send(&p, ACK | PSH, 1, 1, MSS);
	peer_send(&p, ACK | PSH, 1 + MSS, 1, MSS);
	peer_expect(&p, ACK, 1, 1 + 4 * MSS, 0);
	assert_int_equal(peer_pop(&p), 4 * MSS);
	peer_end(&p);
}

static void tiny_segments_cannot_hold_more_memory_than_the_buffer_allows(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	struct mem_use use;

	(void)state;
	config.rcvbuf_len = 60000;
	p = peer_established(&config);
	for (uint32_t i = 0; i < 3000; i++) {
		peer_send(&p, ACK | PSH, 1 + i, 1, 1);
		peer_drain(&p);
	}
	mem_use_mt(&p.h->mem, &use);
	assert_in_range(use.data - p.h->idle_use.data, 1, 10);
	assert_int_equal(peer_pop(&p), 3000);
	peer_end(&p);
}

/* --- neighbours --- */

static struct tcp_conn *connect_to_stranger(struct peer *p)
{
	const struct net_endpoint remote = {{RTE_BE32(0x0a000042)}, RTE_BE16(80)};
	struct tcp_conn *conn;

	assert_int_equal(tcp_connect(p->h->net, NULL, &remote, p, &conn), 0);
	return conn;
}

static unsigned frames_of_type(struct host *h, uint16_t ether_type)
{
	struct host_frame f;
	unsigned count = 0;

	while (host_output(h, &f))
		count += (f.bytes[12] << 8 | f.bytes[13]) == ether_type;
	return count;
}

static void a_syn_waits_for_its_neighbour(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	struct tcp_conn *conn = connect_to_stranger(&p);
	const struct net_neigh_event news = {.neigh = {.addr = {RTE_BE32(0x0a000042)},
						       .mac = {{2, 0, 0, 0, 0, 66}},
						       .confirmed_ns = p.h->now_ns},
					     .news = NEIGH_ANSWERED};

	(void)state;
	assert_int_equal(frames_of_type(p.h, RTE_ETHER_TYPE_IPV4), 0);
	assert_int_equal(frames_of_type(p.h, RTE_ETHER_TYPE_ARP), 1);
	net_neigh_apply_mt(p.h->tables, &news, 1);
	peer_after(&p, 1 * MS);
	assert_int_equal(frames_of_type(p.h, RTE_ETHER_TYPE_IPV4), 1);
	assert_int_equal(tcp_conn_state(conn), TCP_SYN_SENT);
	peer_end(&p);
}

static void an_open_to_a_neighbour_that_does_not_answer_fails_in_seconds(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_begin(&config);
	struct tcp_conn *conn = connect_to_stranger(&p);

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(frames_of_type(p.h, RTE_ETHER_TYPE_IPV4), 0);
		peer_after(&p, 100 * MS);
	}
	assert_int_equal(tcp_conn_error(conn), EHOSTUNREACH);
	assert_true(peer_ready(&p, tcp_conn_sock(conn)));
	tcp_close(p.h->net, conn);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(an_ack_without_a_buffer_is_sent_when_there_is_one),
		host_test(a_d_sack_without_a_buffer_is_told_when_there_is_one),
		host_test(a_segment_without_a_buffer_is_sent_when_there_is_one),
		host_test(a_syn_ack_and_a_fin_without_a_buffer_are_sent_when_there_is_one),
		host_test(an_rst_without_a_buffer_is_counted_and_forgotten),
		host_test(who_finds_no_buffer_does_not_stop_the_others),
		host_test(with_low_memory_a_syn_is_dropped_and_open_connections_go_on),
		host_test(with_scarce_memory_only_bytes_in_order_are_taken),
		host_test(with_scarce_memory_who_does_not_read_or_is_not_read_gets_no_more),
		host_test(with_nothing_but_the_reserve_acks_are_heard_and_bytes_come_later),
		host_test(beyond_the_reassembly_budget_bytes_are_dropped_and_come_again),
		host_test(tiny_segments_cannot_hold_more_memory_than_the_buffer_allows),
		host_test(a_syn_waits_for_its_neighbour),
		host_test(an_open_to_a_neighbour_that_does_not_answer_fails_in_seconds),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
