#include "load/generator.h"

#include "load/clock.h"
#include "load/schedule.h"

#include <demi/libos.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	RESULT_COUNT = 16,    /* few: what is asked next leaves while other answers are looked at */
	CONNECTING_MAX = 128, /* handshakes of one shard in flight */
	LOOK_AFTER_NS = 1000000, /* so often some connections are looked after, */
	LOOK_AFTER_COUNT = 64,	 /* so many: all of 10,000 within a sixth of a second */
	STARVED_NS = 1000000,	 /* until what could not be sent is tried again */
	DRAIN_NS_MIN = 200000000,
	PAUSE_NS = 500000, /* no turn takes that long by itself */
};

/* --- one turn --- */

static void open_more(struct generator *g)
{
	for (; g->opened < g->conn_count && g->connecting < CONNECTING_MAX; g->opened++) {
		struct conn *conn = &g->conns[g->opened];

		if (!g->plan->workload->conn_per_request || conn->idle)
			conn_open(g, conn);
	}
}

/* Opens it again if it failed, and gives it up if it takes too long. */
static void look_after(struct generator *g, struct conn *conn)
{
	const uint64_t timeout_ns = g->plan->timeout_ns;
	const struct request *oldest = &conn->requests[conn->answered & conn->request_mask];

	if (conn->state == CONN_CONNECTING && g->now_ns - conn->since_ns > timeout_ns)
		conn_fail(g, conn, FAULT_TIMEOUT, "no connection in time");
	else if (conn_in_flight(conn) > 0 && g->now_ns - oldest->asked_ns > timeout_ns)
		conn_fail(g, conn, FAULT_TIMEOUT, NULL);
	else if (conn->state == CONN_CLOSED && g->plan->workload->conn_per_request)
		schedule_offer(g, conn);
	else if (conn->state == CONN_CLOSED && !conn->idle && g->now_ns >= conn->reopen_ns &&
		 g->connecting < CONNECTING_MAX)
		conn_open(g, conn);
}

/* A few at a time: to go through thousands at once would hold up what is due. */
static void look_after_some(struct generator *g)
{
	g->looked_after_ns = g->now_ns;
	for (unsigned i = 0; i < LOOK_AFTER_COUNT && i < g->opened; i++) {
		g->looked_after = g->looked_after < g->opened ? g->looked_after : 0;
		look_after(g, &g->conns[g->looked_after++]);
	}
}

static void flush(struct generator *g)
{
	for (unsigned i = 0; i < g->unflushed_count; i++) {
		g->unflushed[i]->unflushed = false;
		if (!g->unflushed[i]->blocked)
			conn_flush(g, g->unflushed[i]);
	}
	g->unflushed_count = 0;
}

static void flush_starved(struct generator *g)
{
	g->starved = false;
	for (unsigned i = 0; i < g->opened; i++) {
		g->conns[i].blocked = false;
		conn_flush(g, &g->conns[i]);
	}
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
				 .tv_nsec = (long)(ns % 1000000000u)};
}

/* How long a turn was to wait at most, having found nothing, and how long it did. */
struct rest {
	uint64_t asked_ns, took_ns;
};

/* What is there already, else the next result alone: so nobody waits for a batch to fill up. */
static int wait_some(struct generator *g, demi_qresult_t results[RESULT_COUNT], int *n,
		     struct rest *rest)
{
	static const struct timespec none;
	uint64_t rest_ns = schedule_rest_ns(g);
	struct timespec timeout;
	int error = demi_wait_next_n(results, RESULT_COUNT, n, &none);

	if (error != ETIMEDOUT || *n > 0)
		return error == ETIMEDOUT ? 0 : error;
	rest_ns = rest_ns > g->plan->spin_ns ? rest_ns - g->plan->spin_ns : 0;
	if (g->starved && rest_ns > STARVED_NS)
		rest_ns = STARVED_NS;
	if (rest_ns == 0)
		return 0;
	timeout = timespec_of(rest_ns);
	rest->asked_ns = rest_ns;
	rest->took_ns = clock_ns();
	error = demi_wait_next_n(results, 1, n, &timeout);
	rest->took_ns = clock_ns() - rest->took_ns;
	return error == ETIMEDOUT ? 0 : error;
}

/* Time in which there was something to do, of the part of the step that counts. */
static void note_time(struct generator *g, uint64_t from_ns, bool busy, const struct rest *rest)
{
	struct results *results = g->results;
	const uint64_t took_ns = g->now_ns - from_ns;

	if (g->phase != PHASE_STEP || from_ns < g->step.warm_end_ns || g->now_ns > g->step.end_ns)
		return;
	results_count(&results->window_ns, took_ns);
	if (busy)
		results_count(&results->busy_ns, took_ns - rest->took_ns);
	if (took_ns < rest->asked_ns + PAUSE_NS)
		return;
	results_count(&results->paused_ns, took_ns - rest->asked_ns);
	if (took_ns - rest->asked_ns > results->pause_ns_max)
		results->pause_ns_max = took_ns - rest->asked_ns;
}

/* Sends what is due, waits, and takes what came. 0 or errno. */
static int turn(struct generator *g)
{
	demi_qresult_t results[RESULT_COUNT];
	const uint64_t before_ns = g->now_ns, asked = g->results->asked;
	struct rest rest = {0};
	int n, error;

	g->now_ns = clock_ns(); /* what came took its time */
	schedule_due(g);
	open_more(g);
	flush(g);
	error = wait_some(g, results, &n, &rest);
	g->now_ns = clock_ns();
	note_time(g, before_ns, n > 0 || g->results->asked != asked, &rest);
	for (int i = 0; i < n; i++) {
		struct conn *conn = qd_map_get_or_null(&g->map, results[i].qr_qd);

		if (conn)
			conn_result(g, conn, &results[i]);
	}
	if (g->starved)
		flush_starved(g);
	if (g->now_ns - g->looked_after_ns >= LOOK_AFTER_NS)
		look_after_some(g);
	return error;
}

/* --- phases --- */

/* Every connection was tried: 0, or ETIMEDOUT if none of them is open then. */
static int open_all(struct generator *g)
{
	const uint64_t until_ns = g->now_ns + g->plan->timeout_ns;
	unsigned open = 0;
	int error = 0;

	while (!error && open < g->conn_count && g->now_ns < until_ns) {
		error = turn(g);
		open = 0;
		for (unsigned i = 0; i < g->opened; i++)
			open += g->conns[i].state == CONN_OPEN ||
				(g->plan->workload->conn_per_request && !g->conns[i].idle);
	}
	return !error && open == 0 && g->conn_count > 0 ? ETIMEDOUT : error;
}

/* Until all that the phase wants was asked and answered; past until_ns it is given up. */
static int finish(struct generator *g, uint64_t until_ns)
{
	int error = 0;

	while (!error && !schedule_done(g)) {
		error = turn(g);
		if (g->now_ns >= until_ns) {
			schedule_give_up(g);
			break;
		}
	}
	if (error == ECANCELED)
		schedule_cut(g);
	schedule_begin(g, PHASE_REST);
	return error;
}

/* As long as answers come there is no limit: values may be many. */
static int prepare(struct generator *g)
{
	uint64_t answered;
	int error = 0;

	schedule_begin(g, PHASE_PREPARE);
	while (!error && !schedule_done(g)) {
		const uint64_t until_ns = g->now_ns + 2 * g->plan->timeout_ns;

		answered = g->results->answered;
		while (!error && !schedule_done(g) && g->results->answered == answered &&
		       g->now_ns < until_ns)
			error = turn(g);
		if (!error && g->results->answered == answered && !schedule_done(g))
			error = ETIMEDOUT;
	}
	schedule_begin(g, PHASE_REST);
	return error;
}

/* But for idle connections that are lost already: they do not come back. */
static void reset_results(struct generator *g)
{
	const unsigned conn_count = g->results->conn_count, idle_count = g->results->idle_count;
	const uint64_t idle_conns_lost = g->results->idle_conns_lost;

	memset(g->results, 0, sizeof(*g->results));
	g->results->idle_conns_lost = idle_conns_lost;
	g->results->conn_count = conn_count;
	g->results->idle_count = idle_count;
}

/* Meets the others, and does what comes next until nothing does. */
static int steps(struct generator *g)
{
	const uint64_t drain_ns =
		g->plan->timeout_ns > DRAIN_NS_MIN ? g->plan->timeout_ns : DRAIN_NS_MIN;
	unsigned epoch;
	int error = 0;

	for (;;) {
		epoch = run_arrive(g->run);
		while (!error && run_epoch(g->run) == epoch)
			error = turn(g);
		if (error || g->run->over)
			return error;
		g->step = g->run->step;
		reset_results(g);
		schedule_begin(g, PHASE_STEP);
		while (!error && g->now_ns < g->step.start_ns)
			error = turn(g);
		for (unsigned i = 0; i < g->conn_count; i++)
			schedule_offer(g, &g->conns[i]);
		if (!error)
			error = finish(g, g->step.end_ns + drain_ns);
		g->results->until_ns = g->now_ns < g->step.end_ns ? g->now_ns : g->step.end_ns;
		if (error)
			return error;
	}
}

/* --- its life --- */

/* Shard i of n has the connections i, i + n, ... and its part of the idle ones. */
static unsigned part(unsigned all, unsigned shard, unsigned shard_count)
{
	return all / shard_count + (shard < all % shard_count);
}

static int create(struct generator *g, struct run *run, unsigned shard)
{
	const struct plan *plan = run->plan;
	const unsigned n = run->shard_count, asking = part(plan->conn_count, shard, n),
		       idle = part(plan->idle_count, shard, n);
	int error = 0;

	*g = (struct generator){.plan = plan,
				.run = run,
				.results = run->results[shard],
				.shard = shard,
				.conn_count = asking + idle,
				.servers = plan->servers,
				.server_count = plan->server_count,
				.due_ns = UINT64_MAX};
	g->now_ns = clock_ns();
	dice_init(&g->dice, dice_mix(plan->seed) + shard);
	g->results->conn_count = asking;
	g->results->idle_count = idle;
	g->conns = calloc(g->conn_count + 1, sizeof(*g->conns));
	g->unflushed = calloc(g->conn_count + 1, sizeof(*g->unflushed));
	if (!g->conns || !g->unflushed)
		return ENOMEM;
	if (plan->workload->begin)
		error = plan->workload->begin(g);
	for (unsigned i = 0; i < g->conn_count && !error; i++) {
		error = conn_init(&g->conns[i], i * n + shard, i < asking ? plan->depth : 1);
		g->conns[i].idle = i >= asking;
		g->conns[i].server = (i + shard) % g->server_count;
	}
	return error;
}

static void destroy(struct generator *g)
{
	if (g->plan->workload->end)
		g->plan->workload->end(g);
	for (unsigned i = 0; g->conns && i < g->conn_count; i++) {
		if (g->conns[i].state == CONN_OPEN)
			demi_close(g->conns[i].qd);
		conn_fini(&g->conns[i]);
	}
	free(g->conns);
	free(g->unflushed);
	qd_map_fini(&g->map);
}

int generator_run(struct run *run, unsigned shard)
{
	struct generator g;
	int error = create(&g, run, shard);

	if (!error)
		error = open_all(&g);
	if (!error)
		error = prepare(&g);
	if (!error)
		error = steps(&g);
	if (!error) {
		schedule_begin(&g, PHASE_PROBE);
		error = finish(&g, g.now_ns + run->plan->timeout_ns);
	}
	destroy(&g);
	if (error)
		demi_shard_stop();
	return error;
}
