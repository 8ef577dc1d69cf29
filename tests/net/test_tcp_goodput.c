/*
 * Goodput over loss, round trip and buffer, in virtual time: one bulk transfer at a time through a
 * bottleneck. The table is kept in goodput.golden; a cell more than 3 % worse fails. After a change
 * that is meant to change it, in the build directory:
 *
 *      tests/net/test_tcp_goodput --write ../tests/net/goodput.golden
 */
#include "witness.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	SEEDS = 5,
	SEEDS_UNSTABLE = 25, /* where a single timeout weighs as much as a hundred losses */
	TOTAL_LEN = 8 << 20,
	SECONDS_MAX = 60,
	QUEUE_MAX = 512, /* frames: 6 ms */
	PUSH_LEN = 1448,
	PORT = 7,
	LOSSES = 4,
	RTTS = 3,
	BUFFERS = 2,
	CELLS = LOSSES * RTTS * BUFFERS,
	WORSE_PERCENT_MAX = 3,
	BOUND_PERCENT_MIN = 90,
	LINE_LEN_MAX = 120,
};

#define RATE 1000000000ull /* bits a second */

static const char head[] =
	"# One bulk transfer of 8 MiB, or 60 s of it, in virtual time; median of 5 seeds, of 25 at "
	"5 % and 0.1 ms.\n"
	"# Both directions: 1 Gbit/s, a drop-tail queue of 512 frames, MTU 1500, frames lost at "
	"random. CUBIC, SACK,\n"
	"# timestamps, window scale; SO_SNDBUF and SO_RCVBUF as given. rtt is the round trip of an "
	"empty path. Of all\n"
	"# runs together: fast recoveries, tail probes, undone reductions, and retransmission "
	"timeouts by what they\n"
	"# repaired (tests/net/witness.h): a segment lost again, a tail, nothing. What SACK could "
	"have repaired: none.\n"
	"# loss %   rtt ms  buffer KiB  goodput Mbit/s   fast probe  undo  again  tail  needless\n";

struct cell {
	uint32_t loss_per_100k, buffer_len;
	uint64_t rtt_ns;
	double goodput; /* Mbit/s */
	uint64_t fast_count, probe_count, undo_count, timeouts[TIMEOUT_CAUSES];
};

static struct cell cells[CELLS];

struct run {
	struct cell *cell;
	uint64_t now_ns;
	struct link link[2]; /* towards host i */
	struct host *h[2];
	struct tcp_listener *listener;
	struct tcp_conn *conn[2];
	struct witness witness; /* of host 0's sending */
	uint64_t pushed, received;
};

static void send_program(struct run *run)
{
	uint64_t cookie;
	int error;

	while (host_done(run->h[0], &cookie, &error))
		assert_int_equal(error, 0);
	if (tcp_conn_state(run->conn[0]) != TCP_ESTABLISHED)
		return;
	while (run->pushed < TOTAL_LEN) {
		uint32_t len = (uint32_t)RTE_MIN(TOTAL_LEN - run->pushed, (uint64_t)PUSH_LEN);
		int err = host_push(run->h[0], run->conn[0], run->pushed, len, 0);

		if (err) {
			assert_int_equal(err, -EAGAIN);
			return;
		}
		run->pushed += len;
	}
}

static void receive_program(struct run *run)
{
	int end;

	if (!run->conn[1])
		run->conn[1] = tcp_accept_or_null(run->h[1]->net, run->listener, run);
	if (!run->conn[1])
		return;
	run->received += host_pop_all(run->h[1], run->conn[1], run->received, &end);
	assert_int_equal(end, -EAGAIN);
}

static void take_in(struct run *run, unsigned i)
{
	struct link *link = &run->link[i];
	const struct host_frame *in;

	while ((in = link_take_or_null(link, run->now_ns))) {
		if (i == 1)
			witness_arrives(&run->witness, in, link->taken_tag);
		host_input(run->h[i], in);
		if (i == 0 && run->conn[0])
			witness_told(&run->witness, run->conn[0], link->taken_tag, run->now_ns);
	}
}

static void put_out(struct run *run, unsigned i)
{
	struct witness *witness = &run->witness;
	struct link *link = &run->link[!i];
	struct host_frame out;

	while (host_output(run->h[i], &out)) {
		link->tag = i == 0 ? witness_sends(witness, &out) : witness->newest_number;
		if (!link_send(link, &out, run->now_ns) && i == 0)
			witness_lost(witness, &out);
	}
}

/* Timers; each timeout of the sender has its cause. Returns what net_poll() does. */
static uint64_t poll_timers(struct run *run, unsigned i)
{
	struct host *h = run->h[i];
	uint64_t timeouts = h->counters.tcp_timeouts, next_ns = net_poll(h->net, run->now_ns);

	if (i == 0 && h->counters.tcp_timeouts > timeouts && run->witness.first_seq)
		run->cell->timeouts[witness_timeout(&run->witness, run->conn[0], run->now_ns)]++;
	return next_ns;
}

/* What is due now, on both sides, and then on to the next event. */
static void turn(struct run *run)
{
	uint64_t next_ns = UINT64_MAX;

	for (unsigned i = 0; i < 2; i++) {
		struct host *h = run->h[i];
		uint64_t timer_ns;

		h->now_ns = run->now_ns;
		take_in(run, i);
		poll_timers(run, i);
		mem_level_update(&h->mem);
		if (i == 0)
			send_program(run);
		else
			receive_program(run);
		put_out(run, i);
		timer_ns = poll_timers(run, i);
		if (timer_ns != UINT64_MAX) /* the wheel fires up to a tick late */
			timer_ns = RTE_MAX(timer_ns, run->now_ns) + WHEEL_TICK_NS;
		next_ns = RTE_MIN(next_ns, timer_ns);
	}
	for (unsigned i = 0; i < 2; i++)
		next_ns = RTE_MIN(next_ns, link_next_ns(&run->link[i]));
	assert_true(next_ns != UINT64_MAX && next_ns > run->now_ns);
	run->now_ns = next_ns;
}

static void begin(struct run *run, struct cell *cell, uint64_t seed)
{
	const struct link_rules rules = {
		.bits_per_second = RATE, .delay_ns = cell->rtt_ns / 2, .queue_max = QUEUE_MAX};
	const struct net_endpoint remote = {host_addr(1), RTE_BE16(PORT)};
	struct tcp_config config = host_config();

	*run = (struct run){.cell = cell, .now_ns = 1000 * S};
	witness_begin(&run->witness, TOTAL_LEN, PUSH_LEN);
	config.congestion = TCP_CONGESTION_CUBIC;
	config.sack = config.timestamps = config.window_scale = true;
	config.sndbuf_len = config.rcvbuf_len = cell->buffer_len;
	for (unsigned i = 0; i < 2; i++) {
		link_begin(&run->link[i], &rules, 2 * seed + i);
		run->h[i] = host_begin_small((uint16_t)i, &config, run->now_ns, 8191);
	}
	run->now_ns = run->h[0]->now_ns;
	run->listener = host_listen(run->h[1], PORT, 1);
	assert_int_equal(tcp_connect(run->h[0]->net, NULL, &remote, run, &run->conn[0]), 0);
	while (!run->conn[1])
		turn(run);
	for (unsigned i = 0; i < 2; i++)
		run->link[i].rules.loss_per_100k = cell->loss_per_100k;
}

static void end(struct run *run)
{
	witness_end(&run->witness);
	tcp_unlisten(run->h[1]->net, run->listener);
	for (unsigned i = 0; i < 2; i++) {
		tcp_close(run->h[i]->net, run->conn[i]);
		host_end(run->h[i]);
		link_end(&run->link[i]);
	}
}

/* Mbit/s from the moment the connection is open. */
static double transfer(struct cell *cell, uint64_t seed)
{
	struct run run;
	uint64_t start_ns;
	double goodput;

	begin(&run, cell, seed);
	start_ns = run.now_ns;
	while (run.received < TOTAL_LEN && run.now_ns < start_ns + SECONDS_MAX * S)
		turn(&run);
	goodput = (double)run.received * 8000 / (double)(run.now_ns - start_ns);
	cell->fast_count += run.h[0]->counters.tcp_fast_retransmits;
	cell->probe_count += run.h[0]->counters.tcp_tail_probes;
	cell->undo_count += run.h[0]->counters.tcp_undos;
	if (getenv("GOODPUT_VERBOSE"))
		print_message("loss %u rtt %lu buffer %u seed %lu: %.2f Mbit/s, lost %lu full %lu "
			      "rtx %lu fast %lu rto %lu\n",
			      cell->loss_per_100k, (unsigned long)(cell->rtt_ns / 1000),
			      cell->buffer_len, (unsigned long)seed, goodput,
			      (unsigned long)run.link[1].lost_count,
			      (unsigned long)run.link[1].full_count,
			      (unsigned long)run.h[0]->counters.tcp_retransmits,
			      (unsigned long)run.h[0]->counters.tcp_fast_retransmits,
			      (unsigned long)run.h[0]->counters.tcp_timeouts);
	end(&run);
	return goodput;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void measure(struct cell *cell)
{
	const unsigned seeds =
		cell->loss_per_100k == 5000 && cell->rtt_ns < MS ? SEEDS_UNSTABLE : SEEDS;
	double goodput[SEEDS_UNSTABLE];

	for (unsigned i = 0; i < seeds; i++)
		goodput[i] = transfer(cell, i + 1);
	qsort(goodput, seeds, sizeof(goodput[0]), by_value);
	cell->goodput = goodput[seeds / 2];
}

static int measure_all(void **state)
{
	static const uint32_t losses[] = {0, 100, 1000, 5000}, buffers[] = {64 << 10, 1 << 20};
	static const uint64_t rtts_ns[] = {MS / 10, 10 * MS, 100 * MS};
	struct cell *cell = cells;

	if (host_group_setup(state) != 0)
		return -1;
	for (unsigned l = 0; l < LOSSES; l++)
		for (unsigned r = 0; r < RTTS; r++)
			for (unsigned b = 0; b < BUFFERS; b++, cell++) {
				*cell = (struct cell){.loss_per_100k = losses[l],
						      .rtt_ns = rtts_ns[r],
						      .buffer_len = buffers[b]};
				measure(cell);
			}
	return 0;
}

/* --- the table --- */

static const char *golden_path;

static void print_cell(char line[LINE_LEN_MAX], const struct cell *cell)
{
	const unsigned long *timeouts = cell->timeouts;

	snprintf(line, LINE_LEN_MAX, "%8.1f %8.1f %11u %15.2f %6lu %5lu %5lu %6lu %5lu %9lu",
		 cell->loss_per_100k / 1000.0, (double)cell->rtt_ns / MS, cell->buffer_len >> 10,
		 cell->goodput, cell->fast_count, cell->probe_count, cell->undo_count,
		 timeouts[TIMEOUT_AGAIN], timeouts[TIMEOUT_TAIL], timeouts[TIMEOUT_NEEDLESS]);
}

static void no_cell_is_worse_than_the_golden_table(void **state)
{
	FILE *file = fopen(golden_path, "r");
	unsigned at = 0, worse = 0;
	char line[200], now[LINE_LEN_MAX];

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		double loss, rtt, goodput;
		unsigned buffer;
		const struct cell *cell = &cells[at];

		if (line[0] == '#')
			continue;
		assert_true(at++ < CELLS);
		print_cell(now, cell);
		assert_int_equal(sscanf(line, "%lf %lf %u %lf", &loss, &rtt, &buffer, &goodput), 4);
		if (strncmp(line, now, 29) != 0)
			fail_msg("the golden file has other cells: %s", line);
		if (cell->goodput >= goodput * (100 - WORSE_PERCENT_MAX) / 100)
			continue;
		print_error("-%s+%s\n", line, now);
		worse++;
	}
	fclose(file);
	assert_int_equal(at, CELLS);
	assert_int_equal(worse, 0);
}

/* RFC 9438 5.2: what CUBIC has on average at this loss and round trip, in its own region or in
 * Reno's, whichever is more; the Mathis bound for our congestion control. */
static void one_percent_of_loss_leaves_what_cubic_allows(void **state)
{
	const double p = 0.01, rtt = 0.01, mss = 1448, beta = 0.7, c = 0.4;
	const double cubic = pow(c * (3 + beta) / (4 * (1 - beta)), 0.25) * pow(rtt / p, 0.75);
	const double reno = sqrt(3 / (2 * p));
	const double bound = fmax(cubic, reno) * mss * 8 / rtt / 1e6;
	unsigned found = 0;

	(void)state;
	for (unsigned i = 0; i < CELLS; i++) {
		if (cells[i].loss_per_100k != 1000 || cells[i].rtt_ns != 10 * MS)
			continue;
		found++;
		if (cells[i].goodput < bound * BOUND_PERCENT_MIN / 100)
			fail_msg("%.2f Mbit/s of %.2f", cells[i].goodput, bound);
	}
	assert_int_equal(found, BUFFERS);
}

/* No cell stalls for a timeout where SACK could have repaired the loss (RFC 8985 3.1). */
static void no_timeout_repairs_what_sack_could_have_repaired(void **state)
{
	char line[LINE_LEN_MAX];

	(void)state;
	for (unsigned i = 0; i < CELLS; i++) {
		if (cells[i].timeouts[TIMEOUT_REPAIRABLE] == 0)
			continue;
		print_cell(line, &cells[i]);
		fail_msg("%lu timeouts: %s", cells[i].timeouts[TIMEOUT_REPAIRABLE], line);
	}
}

static void write_table(void **state)
{
	FILE *file = fopen(golden_path, "w");
	char line[LINE_LEN_MAX];

	(void)state;
	assert_non_null(file);
	fputs(head, file);
	for (unsigned i = 0; i < CELLS; i++) {
		print_cell(line, &cells[i]);
		fprintf(file, "%s\n", line);
	}
	assert_int_equal(fclose(file), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		host_test(no_cell_is_worse_than_the_golden_table),
		host_test(no_timeout_repairs_what_sack_could_have_repaired),
		host_test(one_percent_of_loss_leaves_what_cubic_allows),
	};
	const struct CMUnitTest writing[] = {
		host_test(write_table),
		host_test(no_timeout_repairs_what_sack_could_have_repaired),
	};

	if (argc < 2)
		return 2;
	golden_path = argv[argc - 1];
	if (argc == 3 && strcmp(argv[1], "--write") == 0)
		return cmocka_run_group_tests(writing, measure_all, host_group_teardown);
	return cmocka_run_group_tests(tests, measure_all, host_group_teardown);
}
