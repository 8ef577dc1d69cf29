/* Two stacks back to back over a bad wire, from a seed: both directions at once, byte for byte, and
 * nothing missing at the end. */
#include "tcp_wire.h"

#include <errno.h>

enum { CHUNK_LEN_MAX = 20000 };

struct side {
	struct host *h;
	struct tcp_conn *conn;
	uint64_t sent, acked, received, total;
	uint64_t cookies, done;
	bool fin_sent, fin_received;
	uint32_t slowness; /* reads one turn in this many */
};

struct run {
	uint64_t now_ns;
	struct wire wire;
	struct side side[2];
	struct tcp_listener *listener;
	bool small_chunks;
};

static void push_some(struct run *run, struct side *s)
{
	while (s->sent < s->total && mem_level_update(&s->h->mem) == MEM_PLENTY) {
		uint32_t len = 1 + wire_dice(&run->wire, run->small_chunks ? 300 : CHUNK_LEN_MAX);
		int err;

		len = RTE_MIN(len, s->total - s->sent);
		err = host_push(s->h, s->conn, s->sent, len, s->cookies);
		if (err) {
			assert_true(err == -EAGAIN || err == -ENOMEM);
			return;
		}
		s->sent += len;
		s->cookies++;
	}
	if (s->sent == s->total && !s->fin_sent) {
		assert_int_equal(tcp_shutdown(s->h->net, s->conn, TCP_SHUT_WR), 0);
		s->fin_sent = true;
	}
}

static void program(struct run *run, struct side *s)
{
	uint64_t cookie;
	int error, end;

	if (!s->conn && run->listener)
		s->conn = tcp_accept_or_null(s->h->net, run->listener, s);
	if (!s->conn || tcp_conn_state(s->conn) == TCP_SYN_SENT)
		return;
	assert_int_equal(tcp_conn_error(s->conn), 0);
	push_some(run, s);
	while (host_done(s->h, &cookie, &error)) {
		assert_int_equal(error, 0);
		assert_int_equal(cookie, s->done);
		s->done++;
	}
	if (s->fin_received || wire_dice(&run->wire, s->slowness) != 0)
		return;
	s->received += host_pop_all(s->h, s->conn, s->received, &end);
	if (end == 0)
		s->fin_received = true;
	else
		assert_int_equal(end, -EAGAIN);
}

static bool finished(const struct run *run)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct side *s = &run->side[i];

		if (!s->conn || !s->fin_received || s->done != s->cookies || !s->fin_sent ||
		    !tcp_conn_finished(s->conn))
			return false;
	}
	return true;
}

static void turn(struct run *run, uint64_t step_ns)
{
	struct host_frame f;

	run->now_ns += step_ns;
	for (unsigned i = 0; i < 2; i++) {
		struct side *s = &run->side[i];

		s->h->now_ns = run->now_ns;
		wire_deliver(&run->wire, i, s->h);
		net_poll(s->h->net, run->now_ns);
		mem_level_update(&s->h->mem);
		program(run, s);
		/* A device that takes less than there is. */
		for (uint32_t n = wire_dice(&run->wire, 40); n > 0 && host_output(s->h, &f); n--)
			wire_send(&run->wire, !i, &f, run->now_ns);
	}
}

struct setup {
	struct wire_rules rules;
	uint64_t total[2];
	uint32_t slowness[2];
	uint32_t buffer_count;
	bool timestamps, small_chunks;
	uint64_t seconds_max;
};

static void transfer(uint64_t seed, const struct setup *setup)
{
	struct run run = {.now_ns = 1000 * S, .small_chunks = setup->small_chunks};
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(7)};
	struct tcp_config config = host_config();
	uint64_t end_ns;

	config.timestamps = config.window_scale = setup->timestamps;
	config.sack = seed % 4 != 0;
	config.rcvbuf_len = setup->timestamps ? 256 * 1024 : 32 * 1024;
	config.user_timeout_ns = 1000 * S;
	/* On a terrible wire the last retransmission may come later than 2 MSL. */
	config.msl_ns = 1000 * S;
	wire_begin(&run.wire, &setup->rules, seed);
	for (unsigned i = 0; i < 2; i++) {
		run.side[i].h = host_begin_small(i, &config, run.now_ns, setup->buffer_count);
		run.side[i].total = setup->total[i];
		run.side[i].slowness = RTE_MAX(setup->slowness[i], 1u);
	}
	run.now_ns = run.side[0].h->now_ns;
	run.listener = host_listen(run.side[1].h, 7, 8);
	assert_int_equal(
		tcp_connect(run.side[0].h->net, NULL, &remote, &run.side[0], &run.side[0].conn), 0);
	end_ns = run.now_ns + setup->seconds_max * S;
	while (!finished(&run)) {
		if (run.now_ns > end_ns)
			fail_msg("seed %lu: %lu of %lu and %lu of %lu bytes arrived in time",
				 (unsigned long)seed, (unsigned long)run.side[1].received,
				 (unsigned long)run.side[0].total,
				 (unsigned long)run.side[0].received,
				 (unsigned long)run.side[1].total);
		turn(&run, MS);
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(run.side[i].received, run.side[!i].total);
		tcp_close(run.side[i].h->net, run.side[i].conn);
	}
	tcp_unlisten(run.side[1].h->net, run.listener);
	for (unsigned i = 0; i < 2; i++)
		host_end(run.side[i].h);
	wire_end(&run.wire);
}

static void a_clean_wire_carries_both_directions(void **state)
{
	const struct setup setup = {
		.rules = {.delay_ns = 2 * MS},
		.total = {4 << 20, 3 << 20},
		.buffer_count = 4095,
		.timestamps = true,
		.seconds_max = 60,
	};

	(void)state;
	transfer(1, &setup);
}

static void a_bad_wire_carries_both_directions(void **state)
{
	const struct setup setup = {
		.rules = {.loss_per_mille = 20,
			  .duplicate_per_mille = 20,
			  .reorder_per_mille = 50,
			  .delay_ns = 3 * MS},
		.total = {2 << 20, 1 << 20},
		.buffer_count = 4095,
		.seconds_max = 3000,
	};
	struct setup with_timestamps = setup;

	(void)state;
	with_timestamps.timestamps = true;
	for (uint64_t seed = 1; seed <= 4; seed++)
		transfer(seed, seed % 2 ? &setup : &with_timestamps);
}

static void a_terrible_wire_delivers_in_the_end(void **state)
{
	const struct setup setup = {
		.rules = {.loss_per_mille = 200,
			  .duplicate_per_mille = 100,
			  .reorder_per_mille = 200,
			  .corrupt_per_mille = 50,
			  .delay_ns = 5 * MS},
		.total = {100000, 50000},
		.buffer_count = 4095,
		.timestamps = true,
		.seconds_max = 20000,
	};

	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++)
		transfer(seed, &setup);
}

static void a_slow_reader_gets_every_byte(void **state)
{
	const struct setup setup = {
		.rules = {.delay_ns = 1 * MS, .loss_per_mille = 10},
		.total = {1 << 20, 1000},
		.slowness = {1, 200},
		.buffer_count = 4095,
		.timestamps = true,
		.seconds_max = 3000,
	};

	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++)
		transfer(seed, &setup);
}

static void small_pushes_in_small_pools_arrive(void **state)
{
	const struct setup setup = {
		.rules = {.delay_ns = 1 * MS, .loss_per_mille = 5},
		.total = {300000, 300000},
		.slowness = {5, 5},
		.buffer_count = 255,
		.timestamps = true,
		.small_chunks = true,
		.seconds_max = 3000,
	};

	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++)
		transfer(seed, &setup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(a_clean_wire_carries_both_directions),
		host_test(a_bad_wire_carries_both_directions),
		host_test(a_terrible_wire_delivers_in_the_end),
		host_test(a_slow_reader_gets_every_byte),
		host_test(small_pushes_in_small_pools_arrive),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
