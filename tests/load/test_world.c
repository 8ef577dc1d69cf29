/*
 * The load generator's honesty. In a simulated world the time that a request takes is known: a
 * server serves one after another, in the order in which they come, for times that are known; the
 * wire takes none. What the generator reports must be the truth within 2 %: by theory (M/D/1,
 * M/M/1), or by the schedule that follows from the moments at which requests were due.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load/clock.h"
#include "load/dice.h"
#include "load/generator.h"
#include "load/summary.h"

#include <arpa/inet.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/sim.h>
#include <demi/wait.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)

enum {
	PORT = 7,
	ACCEPT_COUNT = 16,
	QUEUE_MAX = 1024, /* requests that wait at the server */
	RESULT_COUNT = 64,
	SERVED_MAX = 400000,
};

static const uint64_t MEAN_NS = 1 * MS; /* of a service */
static const uint64_t STALL_NS = 100 * MS;

/* --- the server --- */

enum service { DETERMINISTIC, EXPONENTIAL };

struct job {
	int qd;
	demi_sgarray_t sga;
	uint64_t done_ns;
};

static struct {
	enum service service;
	uint64_t stall_from_ns; /* it does nothing for STALL_NS then; 0: never */
	int corrupt_from;	/* answers from this one on are wrong; -1: none */
	int silent_from;	/* this one and those behind it are not answered; -1: none */
	int close_from; /* the connection ends with each answer from this one on; -1: none */
	int listener;
	struct dice dice;
	struct job jobs[QUEUE_MAX];
	unsigned begin, end;	       /* of the jobs, modulo their count */
	uint64_t free_ns;	       /* all of them are done */
	bool over;		       /* nobody asks any more */
	unsigned accept_max, accepted; /* connections; 0: any number */
	uint64_t served, answered;
	uint64_t here_ns[SERVED_MAX]; /* what each took, from when it had come */
} server;

static struct demi_sim *world;
static bool brief; /* where a sanitizer watches */

uint64_t clock_ns(void)
{
	return demi_sim_now(world);
}

static uint64_t draw_service_ns(void)
{
	if (server.service == DETERMINISTIC)
		return MEAN_NS;
	return (uint64_t)(-log(dice_unit(&server.dice)) * (double)MEAN_NS);
}

/* One more job begins when the last one is done, and not during the stall. */
static void put_job(int qd, const demi_sgarray_t *sga)
{
	struct job *job = &server.jobs[server.end++ % QUEUE_MAX];
	const uint64_t now_ns = clock_ns(), from_ns = server.stall_from_ns;
	uint64_t begin_ns = now_ns > server.free_ns ? now_ns : server.free_ns;

	if (from_ns && begin_ns >= from_ns && begin_ns < from_ns + STALL_NS)
		begin_ns = from_ns + STALL_NS;
	*job = (struct job){.qd = qd, .sga = *sga, .done_ns = begin_ns + draw_service_ns()};
	server.free_ns = job->done_ns;
	if (server.served < SERVED_MAX)
		server.here_ns[server.served] = job->done_ns - now_ns;
	server.served++;
}

static void answer_what_is_done(void)
{
	while (server.begin != server.end) {
		struct job *job = &server.jobs[server.begin % QUEUE_MAX];
		demi_qtoken_t qt;

		if (job->done_ns > clock_ns())
			return;
		server.begin++;
		if (server.corrupt_from >= 0 && server.corrupt_from-- == 0)
			((uint8_t *)job->sga.sga_segs[0].sgaseg_buf)[5] ^= 1;
		if (server.silent_from < 0 || server.answered < (uint64_t)server.silent_from)
			demi_push(&qt, job->qd, &job->sga);
		demi_sgafree(&job->sga);
		if (server.close_from >= 0 && server.answered >= (uint64_t)server.close_from &&
		    server.answered < (uint64_t)server.silent_from)
			demi_close(job->qd);
		server.answered++;
	}
}

/* No more than so many connections: those beyond are ended at once. */
static void accept_or_end(int qd)
{
	demi_qtoken_t qt;

	if (server.accept_max && ++server.accepted > server.accept_max)
		demi_close(qd);
	else
		demi_pop(&qt, qd);
}

static void take_result(demi_qresult_t *qr)
{
	demi_sgarray_t *sga = &qr->qr_value.sga;
	demi_qtoken_t qt;

	if (qr->qr_opcode == DEMI_OPC_ACCEPT) {
		accept_or_end(qr->qr_value.ares.qd);
		demi_accept(&qt, server.listener);
	} else if (qr->qr_opcode == DEMI_OPC_POP && sga->sga_segs[0].sgaseg_len == 0) {
		demi_sgafree(sga);
		demi_close(qr->qr_qd);
	} else if (qr->qr_opcode == DEMI_OPC_POP) {
		put_job(qr->qr_qd, sga);
		demi_pop(&qt, qr->qr_qd);
	}
}

/* Until nobody asks any more. */
static int server_main(void *arg)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	demi_qresult_t results[RESULT_COUNT];
	demi_qtoken_t qt;

	(void)arg;
	if (demi_socket(&server.listener, AF_INET, SOCK_STREAM, 0) ||
	    demi_bind(server.listener, (struct sockaddr *)&in, sizeof(in)) ||
	    demi_listen(server.listener, 256))
		return 1;
	for (int i = 0; i < ACCEPT_COUNT; i++)
		demi_accept(&qt, server.listener);
	while (!server.over) {
		uint64_t rest_ns = 10 * MS;
		struct timespec timeout = {0};
		int n, error;

		if (server.begin != server.end &&
		    server.jobs[server.begin % QUEUE_MAX].done_ns - clock_ns() < rest_ns)
			rest_ns = server.jobs[server.begin % QUEUE_MAX].done_ns - clock_ns();
		timeout.tv_sec = (time_t)(rest_ns / SECOND);
		timeout.tv_nsec = (long)(rest_ns % SECOND);
		error = demi_wait_next_n(results, 1, &n, &timeout);
		if (error && error != ETIMEDOUT)
			return error;
		for (int i = 0; i < n; i++)
			take_result(&results[i]);
		answer_what_is_done();
	}
	for (; server.begin != server.end; server.begin++)
		demi_sgafree(&server.jobs[server.begin % QUEUE_MAX].sga);
	return 0;
}

/* --- the generator --- */

static struct plan plan;
static struct run run;
static struct summary summary;
static uint64_t idle_lost, ended_ns; /* when the last program had ended */
static uint64_t stop_ns;	     /* the clients are told to end then; 0: never */
static bool measured;		     /* and there are figures */

static bool next(struct run *r, struct step *step)
{
	if (run_epoch(r) > 0) {
		assert_int_equal(summary_make(&summary, r), 0);
		return false;
	}
	*step = (struct step){.arrivals = r->plan->arrivals, .rate = r->plan->rate};
	return true;
}

static unsigned client_shard_count, client_over_count;

static int client_main(void *arg)
{
	const unsigned shard = (unsigned)demi_shard_self();
	int error = run_join(&run, shard, client_shard_count);

	(void)arg;
	if (!error)
		error = generator_run(&run, shard);
	server.over = ++client_over_count == client_shard_count;
	return error;
}

static void plan_for(enum arrivals_kind arrivals, double load, unsigned conn_count, double seconds)
{
	plan = (struct plan){.workload = &workload_echo,
			     .server_count = 1,
			     .arrivals = arrivals,
			     .rate = load * (double)SECOND / (double)MEAN_NS,
			     .conn_count = conn_count,
			     .depth = 1,
			     .warm_ns = SECOND,
			     .measure_ns = (uint64_t)(seconds * (double)SECOND),
			     .timeout_ns = 30 * SECOND,
			     .seed = 1,
			     .size = 64};
	plan.servers[0] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(PORT)};
	inet_pton(AF_INET, "10.0.0.1", &plan.servers[0].sin_addr);
	client_shard_count = 1;
	client_over_count = 0;
	stop_ns = 0;
	memset(&server, 0, sizeof(server));
	server.corrupt_from = server.silent_from = server.close_from = -1;
	dice_init(&server.dice, 2);
}

/* The plan in a world of its own; what came of it is in summary. */
static void measure(void)
{
	struct demi_sim_host_options client = {.size = sizeof(client),
					       .shards = client_shard_count};
	int server_host, client_host, link, result;

	assert_int_equal(demi_sim_create(&world, 1), 0);
	assert_int_equal(demi_sim_host(world, NULL, &server_host), 0);
	assert_int_equal(demi_sim_host(world, &client, &client_host), 0);
	assert_int_equal(demi_sim_link(world, server_host, 0, client_host, 0, &link), 0);
	run_init(&run, &plan, next, NULL);
	assert_int_equal(demi_sim_program(world, server_host, 0, server_main, NULL), 0);
	assert_int_equal(demi_sim_program(world, client_host, -1, client_main, NULL), 0);
	if (stop_ns) {
		assert_int_equal(demi_sim_run(world, stop_ns), ETIMEDOUT);
		assert_int_equal(demi_sim_stop(world, client_host), 0);
	}
	assert_int_equal(demi_sim_run(world, 3600 * SECOND), 0);
	for (unsigned i = 0; i < client_shard_count; i++) {
		assert_int_equal(demi_sim_result(world, client_host, (int)i, &result), 0);
		assert_int_equal(result, stop_ns ? ECANCELED : 0);
	}
	measured = run_measured(&run);
	if (stop_ns && measured)
		assert_int_equal(summary_make(&summary, &run), 0);
	assert_int_equal(demi_sim_result(world, server_host, 0, &result), 0);
	assert_int_equal(result, 0);
	ended_ns = clock_ns();
	assert_int_equal(demi_sim_destroy(world), 0);
	idle_lost = 0;
	for (unsigned i = 0; i < client_shard_count; i++)
		idle_lost += run.results[i]->idle_conns_lost;
	run_fini(&run);
}

static void assert_near(double got, double truth, double tolerance)
{
	if (fabs(got - truth) > tolerance * truth)
		fail_msg("%.3f us is reported, %.3f us is the truth: %+.2f %%", got / 1e3,
			 truth / 1e3, 100 * (got / truth - 1));
}

static double reported(double share)
{
	for (unsigned i = 0; i < PERCENTILE_COUNT; i++) {
		if (percentile_share(i) == share)
			return (double)summary.total.percentile_ns[i];
	}
	fail_msg("there is no such percentile");
	return 0;
}

/* --- what is true --- */

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double quantile_of(const uint64_t *sorted, uint64_t count, double share)
{
	const uint64_t rank = (uint64_t)ceil(share * (double)count);

	return (double)sorted[rank ? rank - 1 : 0];
}

/* Crommelin's formula: how likely a request waits at most t for service in M/D/1; times in
 * services. */
static double md1_waits_at_most(double load, double t)
{
	double sum = 0, term;

	for (unsigned k = 0; k <= (unsigned)t; k++) {
		const double x = load * (t - k);

		term = exp(x);
		for (unsigned i = 1; i <= k; i++)
			term *= -x / i;
		sum += term;
	}
	return (1 - load) * sum;
}

static double md1_quantile_ns(double load, double share)
{
	double low = 0, high = 30;

	for (int i = 0; i < 60; i++) {
		const double middle = (low + high) / 2;

		if (md1_waits_at_most(load, middle) < share)
			low = middle;
		else
			high = middle;
	}
	return (1 + high) * (double)MEAN_NS;
}

/* The time in M/M/1 is exponential itself. */
static double mm1_quantile_ns(double load, double share)
{
	return -log(1 - share) / (1 - load) * (double)MEAN_NS;
}

/* --- tests --- */

static void an_idle_server_of_one_service_time_is_reported_as_that(void **state)
{
	(void)state;
	plan_for(ARRIVALS_FIXED, 0.5, 8, 20);
	measure();
	assert_int_equal(summary.total.count, 10000);
	assert_near(reported(0.5), (double)MEAN_NS, 0.02);
	assert_near(reported(0.9999), (double)MEAN_NS, 0.02);
	assert_near(summary.total.rate, 500, 0.001);
	assert_int_equal(summary.total.fault_count, 0);
	assert_false(summary.late);
}

/* Against what the server really did, which leaves nothing to chance. Every request found a free
 * connection, so it came when it was due. */
static void assert_as_served(void)
{
	static const double shares[] = {0.5, 0.9, 0.99, 0.999, 0.9999};
	const unsigned count = brief ? 4 : 5;

	assert_true(server.served < SERVED_MAX);
	assert_int_equal(summary.total.held_back, 0);
	qsort(server.here_ns, server.served, sizeof(server.here_ns[0]), by_size);
	for (unsigned i = 0; i < count; i++)
		assert_near(reported(shares[i]),
			    quantile_of(server.here_ns, server.served, shares[i]), 0.02);
}

/* Theory holds for ever, a sample for a while: so many answers put p99 within 1 %, about. A tenth
 * of them, where the world is slow, are held against the server's schedule alone. */
static void assert_theory(double load, double seconds, double (*truth)(double load, double share))
{
	static const double shares[] = {0.5, 0.9, 0.99};

	plan_for(ARRIVALS_POISSON, load, 128, brief ? seconds / 10 : seconds);
	server.service = truth == mm1_quantile_ns ? EXPONENTIAL : DETERMINISTIC;
	measure();
	for (unsigned i = 0; i < 3 && !brief; i++)
		assert_near(reported(shares[i]), truth(load, shares[i]), 0.02);
	assert_as_served();
}

static void poisson_arrivals_at_a_fixed_service_time_are_m_d_1(void **state)
{
	(void)state;
	assert_theory(0.5, 300, md1_quantile_ns);
}

static void poisson_arrivals_at_exponential_service_times_are_m_m_1(void **state)
{
	(void)state;
	assert_theory(0.5, 600, mm1_quantile_ns);
}

/*
 * A server that stalls once, and 8 connections: most of what is due in the stall cannot even be
 * sent, and counts all the same. The truth follows from when requests are due; who counts from when
 * they were sent sees 8 slow ones at most, and is off by far more than 2 %.
 */
static void a_stall_is_seen_by_all_that_were_due_in_it(void **state)
{
	static uint64_t truth[5000];
	const uint64_t gap_ns = 2 * MS, count = 5000;
	uint64_t free_ns = 0, from_ns;

	(void)state;
	plan_for(ARRIVALS_FIXED, 0.5, 8, 10);
	from_ns = server.stall_from_ns = 5 * SECOND;
	measure();
	assert_int_equal(summary.total.count, count);
	/* From the first one that is due after the warm-up on; when that was does not matter much:
	 * one request more or less of 100 in the stall. */
	for (uint64_t i = 0; i < count; i++) {
		const uint64_t due_ns = SECOND + i * gap_ns + gap_ns / 2;
		uint64_t begin_ns = due_ns > free_ns ? due_ns : free_ns;

		if (begin_ns >= from_ns && begin_ns < from_ns + STALL_NS)
			begin_ns = from_ns + STALL_NS;
		free_ns = begin_ns + MEAN_NS;
		truth[i] = free_ns - due_ns;
	}
	qsort(truth, count, sizeof(truth[0]), by_size);
	qsort(server.here_ns, server.served, sizeof(server.here_ns[0]), by_size);
	assert_near(reported(0.5), quantile_of(truth, count, 0.5), 0.02);
	assert_near(reported(0.9), quantile_of(truth, count, 0.9), 0.02);
	assert_near(reported(0.99), quantile_of(truth, count, 0.99), 0.02);
	assert_near(reported(0.999), quantile_of(truth, count, 0.999), 0.02);
	assert_near(reported(1), quantile_of(truth, count, 1), 0.02);
	/* Counted from the sends, the tail would look like this. */
	assert_true(quantile_of(server.here_ns, server.served, 0.99) < 0.5 * reported(0.99));
	assert_true(summary.total.held_back > 30);
	assert_false(summary.late); /* it was not the generator's fault */
}

/* A closed loop of 4 is a queue that always has 4 in it. */
static void a_closed_loop_takes_as_long_as_all_its_requests(void **state)
{
	(void)state;
	plan_for(ARRIVALS_CLOSED, 1, 4, 10);
	measure();
	assert_near(reported(0.5), 4.0 * (double)MEAN_NS, 0.02);
	assert_near(reported(0.99), 4.0 * (double)MEAN_NS, 0.02);
	assert_near(summary.total.rate, 1000, 0.01);
}

/* Three times what the server can: what was not answered counts with the age it had. */
static void an_overloaded_server_looks_no_better_than_it_is(void **state)
{
	(void)state;
	plan_for(ARRIVALS_FIXED, 3, 16, 5);
	plan.timeout_ns = SECOND;
	measure();
	assert_near(summary.total.rate, 1000, 0.01);
	assert_int_equal(summary.total.count + summary.total.lost - 16, summary.total.due);
	assert_true(summary.total.unfinished > 5000);
	/* The last answer came 7 seconds after the beginning, to the 7,000th of 18,000 requests. */
	assert_true(reported(0.99) > 4.0 * (double)SECOND * 0.98);
	assert_near(reported(1), 4.67 * (double)SECOND, 0.02);
}

static void every_connection_of_an_incast_asks_at_once(void **state)
{
	(void)state;
	plan_for(ARRIVALS_INCAST, 0.5, 20, 10);
	measure();
	/* 20 at once: the k-th is answered after k services. */
	assert_near(reported(0.5), 10.0 * (double)MEAN_NS, 0.02);
	assert_near(reported(0.9), 18.0 * (double)MEAN_NS, 0.02);
	assert_near(reported(1), 20.0 * (double)MEAN_NS, 0.02);
}

static void one_wrong_bit_of_an_answer_is_an_error(void **state)
{
	(void)state;
	plan_for(ARRIVALS_FIXED, 0.5, 8, 2);
	server.corrupt_from = 700;
	measure();
	assert_int_equal(summary.total.faults[FAULT_WRONG], 1);
	assert_int_equal(summary.total.fault_count, 1);
	assert_int_equal(summary.total.lost, 1);
	assert_string_equal(summary.fault_text, "the answer is not what was sent");
}

static void a_connection_for_each_request_counts_from_when_it_was_due(void **state)
{
	(void)state;
	plan_for(ARRIVALS_FIXED, 0.5, 16, 5);
	plan.workload = &workload_connect;
	measure();
	assert_int_equal(summary.total.count, 2500);
	assert_near(reported(0.5), (double)MEAN_NS, 0.02);
	assert_int_equal(summary.total.fault_count, 0);
}

/* One server for both: each shard alone would find it half as busy. */
static void two_shards_measure_one_server_together(void **state)
{
	(void)state;
	plan_for(ARRIVALS_FIXED, 0.5, 9, 10);
	client_shard_count = 2;
	measure();
	assert_int_equal(summary.total.count, 5000);
	assert_int_equal(summary.shard_count, 2);
	assert_int_equal(summary.shards[0].conn_count, 5);
	assert_int_equal(summary.shards[1].conn_count, 4);
	assert_near((double)summary.shards[0].count, 5000 * 5.0 / 9, 0.002);
	assert_near(summary.imbalance, 10.0 / 9, 0.002);
	assert_true(reported(1) > 1.5 * (double)MEAN_NS); /* they met at the server */
	assert_true(reported(1) <= 2 * (double)MEAN_NS * 1.01);
}

static void idle_connections_stay_idle_and_work_at_the_end(void **state)
{
	(void)state;
	plan_for(ARRIVALS_FIXED, 0.5, 8, 10);
	plan.idle_count = 100;
	measure();
	assert_int_equal(summary.total.idle_count, 100);
	assert_int_equal(idle_lost, 0);
	/* What was asked in 1 s and 10 s, and each idle one once. */
	assert_int_equal(server.served, 5500 + 100);
	assert_true(ended_ns < 12 * SECOND); /* and nobody is waited for */
}

static void an_idle_connection_that_is_dead_is_found(void **state)
{
	(void)state;
	plan_for(ARRIVALS_FIXED, 0.5, 8, 2);
	plan.idle_count = 100;
	server.corrupt_from = 1500 + 50; /* the answer to one of them */
	measure();
	assert_int_equal(idle_lost, 1);
	assert_int_equal(summary.total.fault_count, 0);
}

/* So many that the first ones are lost while the last ones are opened. */
static void idle_connections_that_were_lost_before_anything_was_measured_count(void **state)
{
	(void)state;
	plan_for(ARRIVALS_FIXED, 0.5, 8, 2);
	plan.idle_count = 300;
	plan.timeout_ns = SECOND;
	server.accept_max = 70;
	measure();
	assert_int_equal(idle_lost, 238);
}

/* The first ones answer and end; the others are dead, and must not be taken for tried. */
static void a_dead_idle_connection_is_found_beside_one_that_ends_when_it_was_tried(void **state)
{
	(void)state;
	plan_for(ARRIVALS_FIXED, 0.5, 8, 2);
	plan.idle_count = 10;
	plan.timeout_ns = SECOND;
	server.close_from = 1500;
	server.silent_from = 1505;
	measure();
	assert_int_equal(idle_lost, 10);
}

static void a_run_that_is_cut_short_has_the_figures_of_what_was_measured(void **state)
{
	(void)state;
	plan_for(ARRIVALS_FIXED, 0.5, 8, 20);
	client_shard_count = 2;
	stop_ns = 6 * SECOND;
	measure();
	assert_true(measured);
	assert_true(summary.cut_short);
	assert_near(summary.seconds, 5, 0.02);
	assert_near((double)summary.total.count, 2500, 0.02);
	assert_near(summary.total.rate, 500, 0.02);
	assert_near(reported(0.5), (double)MEAN_NS, 0.02);
	assert_int_equal(summary.total.fault_count, 0);
	assert_int_equal(summary.total.lost, 0);
}

/* Whoever ends a run because nothing comes any more sees in the figures that nothing came. */
static void what_was_not_answered_when_a_run_is_cut_short_counts_with_its_age(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		plan_for(i ? ARRIVALS_CLOSED : ARRIVALS_FIXED, 0.5, 4, 20);
		server.stall_from_ns = 5 * SECOND;
		stop_ns = 5 * SECOND + 80 * MS;
		measure();
		assert_true(measured);
		assert_near(reported(1), 80.0 * (double)MS, 0.06);
		/* 4 on their connections, and those that were due and found none. */
		assert_in_range(summary.total.unfinished, i ? 4 : 39, i ? 4 : 41);
		assert_int_equal(summary.total.count, summary.total.due);
	}
}

static void a_run_that_is_cut_short_while_it_warms_up_has_no_figures(void **state)
{
	(void)state;
	plan_for(ARRIVALS_FIXED, 0.5, 8, 20);
	stop_ns = SECOND / 2;
	measure();
	assert_false(measured);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_server_of_one_service_time_is_reported_as_that),
		cmocka_unit_test(poisson_arrivals_at_a_fixed_service_time_are_m_d_1),
		cmocka_unit_test(poisson_arrivals_at_exponential_service_times_are_m_m_1),
		cmocka_unit_test(a_stall_is_seen_by_all_that_were_due_in_it),
		cmocka_unit_test(a_closed_loop_takes_as_long_as_all_its_requests),
		cmocka_unit_test(an_overloaded_server_looks_no_better_than_it_is),
		cmocka_unit_test(every_connection_of_an_incast_asks_at_once),
		cmocka_unit_test(one_wrong_bit_of_an_answer_is_an_error),
		cmocka_unit_test(a_connection_for_each_request_counts_from_when_it_was_due),
		cmocka_unit_test(two_shards_measure_one_server_together),
		cmocka_unit_test(idle_connections_stay_idle_and_work_at_the_end),
		cmocka_unit_test(an_idle_connection_that_is_dead_is_found),
		cmocka_unit_test(
			idle_connections_that_were_lost_before_anything_was_measured_count),
		cmocka_unit_test(
			a_dead_idle_connection_is_found_beside_one_that_ends_when_it_was_tried),
		cmocka_unit_test(a_run_that_is_cut_short_has_the_figures_of_what_was_measured),
		cmocka_unit_test(what_was_not_answered_when_a_run_is_cut_short_counts_with_its_age),
		cmocka_unit_test(a_run_that_is_cut_short_while_it_warms_up_has_no_figures),
	};

	brief = argc > 1 && strcmp(argv[1], "brief") == 0;
	if (argc > 1 && !brief)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
