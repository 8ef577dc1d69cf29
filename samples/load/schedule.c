#include "load/schedule.h"

/* --- connections with room, in an open loop --- */

static void put_waiting(struct generator *g, struct conn *conn)
{
	if (conn->waiting)
		return;
	conn->waiting = true;
	conn->next_waiting = NULL;
	if (g->waiting_first) {
		g->waiting_last->next_waiting = conn;
	} else {
		g->waiting_first = conn;
		g->waiting_since_ns = g->now_ns;
	}
	g->waiting_last = conn;
}

static void drop_waiting(struct generator *g)
{
	struct conn *conn;

	while ((conn = g->waiting_first)) {
		g->waiting_first = conn->next_waiting;
		conn->waiting = false;
	}
}

static bool has_room(const struct generator *g, const struct conn *conn)
{
	if (conn->idle)
		return g->phase == PHASE_PROBE && conn->state == CONN_OPEN && conn->asked == 0;
	if (g->plan->workload->conn_per_request)
		return conn->state == CONN_CLOSED && g->now_ns >= conn->reopen_ns;
	return conn->state == CONN_OPEN && conn_in_flight(conn) < g->plan->depth;
}

/* Those that failed meanwhile are left out; they come back when they are open again. */
static struct conn *take_waiting_or_null(struct generator *g)
{
	struct conn *conn;

	while ((conn = g->waiting_first)) {
		g->waiting_first = conn->next_waiting;
		conn->waiting = false;
		if (has_room(g, conn))
			return conn;
	}
	return NULL;
}

/* --- asking --- */

static void ask(struct generator *g, struct conn *conn, uint64_t due_ns)
{
	struct request *request = conn_next_request(g, conn);

	request->due_ns = due_ns;
	request->counted =
		g->phase == PHASE_STEP && due_ns >= g->step.warm_end_ns && due_ns < g->step.end_ns;
	if (request->counted)
		results_count(&g->results->due_counted, 1);
	g->plan->workload->draw(g, conn, request);
	conn_ask(g, conn);
}

static bool prepare(struct generator *g, struct conn *conn)
{
	struct request *request = conn_next_request(g, conn);

	if (g->prepared || !g->plan->workload->prepare(g, conn, request))
		return false;
	request->due_ns = g->now_ns;
	conn_ask(g, conn);
	return true;
}

/* As many as may be in flight, at once. */
static void ask_closed(struct generator *g, struct conn *conn)
{
	if (conn_in_flight(conn) > 0 || g->now_ns < g->step.start_ns || g->now_ns >= g->step.end_ns)
		return;
	do {
		ask(g, conn, g->now_ns);
	} while (has_room(g, conn));
}

void schedule_offer(struct generator *g, struct conn *conn)
{
	if (!has_room(g, conn))
		return;
	if (g->phase == PHASE_PREPARE) {
		while (has_room(g, conn) && prepare(g, conn))
			;
	} else if (g->phase == PHASE_PROBE) {
		g->probes_left += conn->idle;
		if (conn->idle)
			ask(g, conn, g->now_ns);
	} else if (g->phase == PHASE_STEP && g->step.arrivals == ARRIVALS_CLOSED) {
		ask_closed(g, conn);
	} else if (g->phase == PHASE_STEP) {
		put_waiting(g, conn);
	}
}

/* How late the generator is: a connection was free, and the request was due. */
static void note_lag(struct generator *g, uint64_t due_ns, uint64_t free_since_ns)
{
	const uint64_t could_ns = due_ns > free_since_ns ? due_ns : free_since_ns;

	if (due_ns < g->step.warm_end_ns || due_ns >= g->step.end_ns)
		return;
	histogram_add(&g->results->lag, g->now_ns > could_ns ? g->now_ns - could_ns : 0);
	if (free_since_ns > due_ns)
		results_count(&g->results->held_back, 1);
}

void schedule_due(struct generator *g)
{
	uint64_t free_since_ns;
	struct conn *conn;

	if (g->phase != PHASE_STEP || g->step.arrivals == ARRIVALS_CLOSED)
		return;
	while (g->due_ns <= g->now_ns && g->due_ns < g->step.end_ns) {
		conn = take_waiting_or_null(g);
		if (!conn)
			return;
		free_since_ns = g->waiting_since_ns;
		note_lag(g, g->due_ns, free_since_ns);
		ask(g, conn, g->due_ns);
		if (has_room(g, conn)) {
			put_waiting(g, conn);
			g->waiting_since_ns = free_since_ns; /* it never was empty */
		}
		g->due_ns = arrivals_next_ns(&g->arrivals);
	}
}

/* --- phases --- */

static void begin_arrivals(struct generator *g)
{
	const struct plan *plan = g->plan;
	const unsigned asking = g->results->conn_count;
	const double rate = g->step.rate * asking / plan->conn_count;

	g->due_ns = UINT64_MAX;
	if (g->step.arrivals == ARRIVALS_CLOSED || asking == 0)
		return;
	arrivals_init(&g->arrivals, g->step.arrivals, rate, asking, g->shard, g->run->shard_count,
		      g->step.start_ns, dice_next(&g->dice));
	g->due_ns = arrivals_next_ns(&g->arrivals);
}

void schedule_begin(struct generator *g, enum generator_phase phase)
{
	drop_waiting(g);
	g->phase = phase;
	if (phase == PHASE_STEP)
		begin_arrivals(g);
	if (phase == PHASE_PREPARE)
		g->prepared = !g->plan->workload->prepare;
	g->probes_left = 0;
	for (unsigned i = 0; i < g->conn_count; i++)
		schedule_offer(g, &g->conns[i]);
}

bool schedule_done(const struct generator *g)
{
	if (g->phase == PHASE_PREPARE)
		return (g->prepared || g->plan->workload->prepared(g)) && g->in_flight == 0;
	if (g->phase == PHASE_PROBE)
		return g->probes_left == 0;
	if (g->phase == PHASE_STEP && g->step.arrivals != ARRIVALS_CLOSED &&
	    g->due_ns < g->step.end_ns)
		return false;
	return g->now_ns >= g->step.end_ns && g->in_flight == 0;
}

static void note_unfinished(struct generator *g, uint64_t due_ns)
{
	results_count(&g->results->unfinished, 1);
	histogram_add(&g->results->latency, g->now_ns - due_ns);
}

/* What was due until then and never sent. */
static void note_unsent(struct generator *g, uint64_t until_ns)
{
	for (; g->phase == PHASE_STEP && g->due_ns < until_ns;
	     g->due_ns = arrivals_next_ns(&g->arrivals)) {
		if (g->due_ns < g->step.warm_end_ns)
			continue;
		results_count(&g->results->due_counted, 1);
		note_unfinished(g, g->due_ns);
	}
}

void schedule_give_up(struct generator *g)
{
	note_unsent(g, g->step.end_ns);
	for (unsigned i = 0; i < g->conn_count; i++) {
		struct conn *conn = &g->conns[i];

		if (conn_in_flight(conn) > 0)
			conn_fail(g, conn, FAULT_TIMEOUT, NULL);
	}
	g->prepared = true;
	g->probes_left = 0;
}

void schedule_cut(struct generator *g)
{
	note_unsent(g, g->now_ns < g->step.end_ns ? g->now_ns : g->step.end_ns);
	for (unsigned i = 0; i < g->conn_count && g->phase == PHASE_STEP; i++) {
		const struct conn *conn = &g->conns[i];

		for (uint64_t n = conn->answered; n < conn->asked; n++) {
			const struct request *request = &conn->requests[n & conn->request_mask];

			if (request->counted)
				note_unfinished(g, request->due_ns);
		}
	}
}

uint64_t schedule_rest_ns(const struct generator *g)
{
	const uint64_t rest_ns_max = 10000000;
	uint64_t until_ns;

	if (g->phase != PHASE_STEP)
		return 1000000;
	until_ns = g->now_ns < g->step.start_ns ? g->step.start_ns : g->step.end_ns;
	if (g->waiting_first && g->due_ns < until_ns)
		until_ns = g->due_ns;
	if (until_ns <= g->now_ns)
		return rest_ns_max;
	return until_ns - g->now_ns < rest_ns_max ? until_ns - g->now_ns : rest_ns_max;
}
