/* What an attacker can make a shard hold, or send: each limit is reached, is counted, has the
 * answer that is configured, and is nobody else's misfortune. Memory is counted by the true size of
 * buffers. */
#include "tcp_peer.h"

#include "mem/pbuf.h"

#include <rte_common.h>

static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};

/* Data buffers that are held now, and what one of them takes. */
static uint32_t held(const struct peer *p)
{
	struct mem_use use;

	mem_use_mt(&p->h->mem, &use);
	return use.data - p->h->idle_use.data;
}

static uint32_t true_size(const struct peer *p)
{
	struct rte_mbuf *m = mem_data_or_null(&p->h->mem);
	uint32_t size = m->buf_len + (uint32_t)sizeof(*m) + m->priv_size;

	rte_pktmbuf_free(m);
	return size;
}

/* --- bytes beyond gaps --- */

/* Single bytes, each beyond a gap of its own, each in a buffer of 2 KiB. */
static void single_bytes_beyond_gaps_are_held_by_their_true_size(void **state)
{
	struct tcp_config config = host_config();
	struct peer p;
	uint32_t size;

	(void)state;
	config.reassembly_len = 1 << 30; /* the connection's own limits are what holds */
	p = peer_established(&config);
	size = true_size(&p);
	for (uint32_t at = 3; at < 60000; at += 2) {
		peer_send(&p, ACK, at, 1, 1);
		assert_true(held(&p) <= TCP_RXQ_RUNS_MIN + config.rcvbuf_len / TCP_RXQ_RUN_LEN);
		assert_true(peer_use(&p).reassembly_len <= 2 * config.rcvbuf_len);
		assert_int_equal(peer_use(&p).reassembly_len, (uint64_t)held(&p) * size);
		peer_drain(&p);
	}
	assert_true(held(&p) > 30);
	assert_true(peer_drops(&p, DROP_tcp_reassembly_full) > 29000);
	/* It is slow, and right: bytes in order are taken as ever, up to the next run of each. */
	for (unsigned i = 0; i < 200; i++)
		peer_send(&p, ACK, p.conn->rxq.rcv_nxt - p.iss, 1, MSS);
	assert_true(peer_pop(&p) >= 50 * MSS / 2);
	peer_send(&p, RST, p.conn->rxq.rcv_nxt - p.iss, 0, 0);
	assert_int_equal(peer_use(&p).reassembly_len, 0);
	assert_int_equal(held(&p), 0);
	peer_end(&p);
}

/* Of one shard's budget some connections, however greedy, leave others what they need. */
static void all_connections_of_a_shard_share_one_budget(void **state)
{
	enum { GREEDY = 20, BUDGET = 400000 };
	struct tcp_config config = host_config();
	struct peer p;
	uint64_t before;

	(void)state;
	config.reassembly_len = BUDGET;
	p = peer_begin(&config);
	for (unsigned i = 0; i < GREEDY; i++) {
		p.port = (uint16_t)(PEER_PORT + i);
		peer_handshake(&p, mss, sizeof(mss));
		for (uint32_t at = 3; at < 1000; at += 2) {
			peer_send(&p, ACK, at, 1, 1);
			assert_true(peer_use(&p).reassembly_len <= BUDGET);
		}
		peer_drain(&p);
	}
	assert_true((uint64_t)held(&p) * true_size(&p) <= BUDGET);
	assert_true(peer_use(&p).reassembly_len > BUDGET * 3 / 4);
	before = peer_drops(&p, DROP_tcp_reassembly_full);
	assert_true(before > 0);
	/* One that has lost nothing does not notice. */
	p.port++;
	peer_handshake(&p, mss, sizeof(mss));
	for (uint32_t at = 1; at < 1 + 20 * MSS; at += MSS) {
		peer_send(&p, ACK, at, 1, MSS);
		assert_int_equal(peer_pop(&p), MSS);
	}
	assert_int_equal(peer_drops(&p, DROP_tcp_reassembly_full), before);
	peer_end(&p);
}

/* Nobody will read it: the peer sends it again, and hears then that nobody is there. */
static void what_lies_beyond_a_gap_is_freed_when_the_program_closes(void **state)
{
	const struct tcp_config config = host_config();
	struct peer p = peer_established(&config);

	(void)state;
	peer_send(&p, ACK, 101, 1, 100);
	assert_int_equal(held(&p), 1);
	tcp_close(p.h->net, p.conn);
	assert_int_equal(held(&p), 0);
	assert_int_equal(peer_use(&p).reassembly_len, 0);
	assert_int_equal(peer_use(&p).conns, 1);
	peer_end(&p);
}

/* What waits in order for a program that does not read is bounded by its buffer, by true size. */
static void who_does_not_read_holds_thrice_the_buffer_at_most(void **state)
{
	static const uint32_t lens[] = {1, 100, 700, MSS};
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(lens); i++) {
		struct peer p = peer_established(&config);
		uint32_t size = true_size(&p);

		for (uint32_t n = 0; n < 70000 / lens[i] + 10; n++) {
			peer_send(&p, ACK | PSH, p.conn->rxq.rcv_nxt - p.iss, 1, lens[i]);
			peer_drain(&p);
			assert_true((uint64_t)held(&p) * size <= 3ull * config.rcvbuf_len + size);
		}
		assert_true(p.conn->rxq.len >= config.rcvbuf_len / 2);
		assert_int_equal(peer_pop(&p) > 0, 1);
		assert_int_equal(held(&p), 0);
		peer_end(&p);
	}
}

/* --- what is sent in answer --- */

/* RFC 5961 7, RFC 9293 3.10.7.4: nothing that is not accepted is answered by more than it was. */
static void a_flood_of_what_is_not_accepted_is_not_multiplied(void **state)
{
	static const struct seg floods[] = {
		{.flags = RST, .seq = 2, .wnd = PEER_WND},
		{.flags = SYN, .seq = 2, .wnd = PEER_WND},
		{.flags = ACK, .seq = 0, .ack = 1, .wnd = PEER_WND},
		{.flags = ACK, .seq = 1, .ack = 2, .wnd = PEER_WND},
		{.flags = ACK | FIN, .seq = 100000, .ack = 1, .wnd = PEER_WND},
		{.flags = ACK, .seq = 100000, .ack = 1, .len = 1, .wnd = PEER_WND},
		{.flags = ACK, .seq = 65536, .ack = 1, .len = 1, .wnd = PEER_WND},
		{.flags = 0, .seq = 1, .len = 1, .wnd = PEER_WND},
	};
	const struct tcp_config config = host_config();

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(floods); i++) {
		struct peer p = peer_established(&config);
		unsigned sent = 0;

		for (unsigned n = 0; n < 10000; n++) { /* in one second */
			peer_send_seg(&p, &floods[i]);
			sent += peer_drain(&p);
			p.h->now_ns += 100000;
		}
		peer_after(&p, 1 * MS);
		assert_true(sent <= 10u * TCP_TEXT_CHALLENGES_MAX + 1);
		if (floods[i].len == 0 && !(floods[i].flags & FIN))
			assert_in_range(sent, 9, 11);
		assert_int_equal(sent > 0, floods[i].flags != 0);
		if (floods[i].flags)
			assert_int_equal(p.h->counters.tcp_challenges_limited, 10000 - sent);
		assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
		assert_int_equal(held(&p), 0);
		peer_end(&p);
	}
}

/* --- queues --- */

/* The SYN queue of a listener, that of the shard, the accept queue, connections: one by one. */
static void each_queue_has_its_own_limit_counter_and_answer(void **state)
{
	static const struct {
		uint32_t syn_queue_max, syn_max, backlog, conn_max;
		bool finish; /* handshakes, so that they wait to be accepted */
		unsigned room;
		enum drop_reason reason;
		uint8_t answer;
	} limits[] = {
		{3, 32, 8, 64, false, 3, DROP_tcp_backlog_full, 0},
		{0, 32, 5, 64, false, 5, DROP_tcp_backlog_full, 0},
		{30, 6, 8, 64, false, 6, DROP_tcp_backlog_full, 0},
		{30, 32, 4, 64, true, 4, DROP_tcp_backlog_full, 0},
		{30, 32, 30, 7, true, 7, DROP_tcp_conn_max, RST | ACK},
		{30, 32, 30, 7, false, 7, DROP_tcp_conn_max, RST | ACK},
	};

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(limits); i++) {
		struct tcp_config config = host_config();
		struct seg seg = {0};
		struct peer p;

		config.syn_cookies = TCP_SYN_COOKIES_NEVER;
		config.syn_queue_max = limits[i].syn_queue_max;
		config.syn_max = limits[i].syn_max;
		config.conn_max = limits[i].conn_max;
		p = peer_begin(&config);
		p.host_port++;
		p.listener = host_listen(p.h, p.host_port, limits[i].backlog);
		for (unsigned n = 0; n <= limits[i].room; n++) {
			p.port = (uint16_t)(PEER_PORT + n);
			assert_int_equal(peer_drops(&p, limits[i].reason), 0);
			peer_send(&p, SYN, 0, 0, 0);
			if (n == limits[i].room)
				break;
			peer_expect(&p, SYN | ACK, 0, 1, 0);
			if (limits[i].finish)
				peer_send(&p, ACK, 1, 1, 0);
		}
		assert_int_equal(peer_drops(&p, limits[i].reason), 1);
		p.irs = 0;
		assert_int_equal(peer_take(&p, &seg), limits[i].answer != 0);
		assert_int_equal(seg.flags, limits[i].answer);
		assert_int_equal(peer_use(&p).conns, limits[i].room);
		assert_int_equal(peer_use(&p).syn_received, limits[i].finish ? 0 : limits[i].room);
		peer_end(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(single_bytes_beyond_gaps_are_held_by_their_true_size),
		host_test(all_connections_of_a_shard_share_one_budget),
		host_test(what_lies_beyond_a_gap_is_freed_when_the_program_closes),
		host_test(who_does_not_read_holds_thrice_the_buffer_at_most),
		host_test(a_flood_of_what_is_not_accepted_is_not_multiplied),
		host_test(each_queue_has_its_own_limit_counter_and_answer),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
