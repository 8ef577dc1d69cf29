/*
 * A load generator on all shards of the SDK: asks a server at a given rate, or as fast as it
 * answers, checks each answer, and says how long it took. See options.c for what it can do.
 *
 *      load.c ........ the program: begins, makes steps, is told to end
 *      options.c ..... the command line;  plan.h  what it came to
 *      run.c ......... what shards share: they meet between steps
 *      generator.c ... one shard;  schedule.c, conn.c, workload*.c  its parts
 *      arrivals.c .... when;  keys.c  what;  pattern.c  the bytes;  reply.c  Redis's answers
 *      results.c ..... what a shard counts;  summary.c  in figures;  sweep.c  the next step
 *      report.c ...... tables;  live.c  while it runs;  json.c;  plot.c  pictures
 */
#include "load/generator.h"
#include "load/json.h"
#include "load/options.h"
#include "load/plot.h"
#include "load/report.h"
#include "load/sweep.h"

#include <demi/ext.h>
#include <demi/shard.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_SIGNAL = 128 }; /* and the signal's number, as a shell has it */

static volatile sig_atomic_t signal_number; /* we were told to end; 0: not yet */

struct program {
	struct options options;
	struct run run;
	struct sweep sweep;
	FILE *out; /* stdout belongs to --json - */
	int error;
};

/* Runs on each shard; arg is the program. */
static int shard_main(void *arg)
{
	struct program *program = arg;
	const int shard = demi_shard_self();
	const int error = run_join(&program->run, (unsigned)shard, (unsigned)demi_shard_count());

	if (error) {
		demi_shard_stop();
		return error;
	}
	return generator_run(&program->run, (unsigned)shard);
}

/* The results of the last step become figures. 0 or errno. */
static int summarise(struct program *program)
{
	struct sweep *sweep = &program->sweep;
	const int error = summary_make(&sweep->steps[sweep->step_count], &program->run);

	if (error)
		return error;
	if (!sweep->single) {
		if (sweep->step_count == 0)
			report_step(program->out, NULL);
		report_step(program->out, &sweep->steps[sweep->step_count]);
	}
	sweep->step_count++;
	return 0;
}

/* The last shard to arrive has the results of all, and the sweep says what is next. */
static bool next(struct run *run, struct step *step)
{
	struct program *program = run->arg;

	if (run_epoch(run) > 0)
		program->error = summarise(program);
	return !program->error && sweep_next(&program->sweep, step);
}

static void on_signal(int number)
{
	if (!signal_number && demi_shard_stop())
		_exit(EXIT_SIGNAL + number); /* nothing runs that could end in order */
	signal_number = number;
}

/* The user has seen enough: what was measured until then are figures, too. 0 or errno. */
static int cut_short(struct program *program)
{
	program->sweep.interrupted = true;
	return program->run.over || !run_measured(&program->run) ? 0 : summarise(program);
}

/* Idle connections are tried after the last step: what is lost then is in no summary. */
static uint64_t idle_lost(const struct run *run)
{
	uint64_t lost = 0;

	for (unsigned i = 0; i < run->shard_count; i++)
		lost += run->results[i]->idle_conns_lost;
	return lost;
}

static void say_result(struct program *program)
{
	const struct sweep *sweep = &program->sweep;
	const struct summary *best = sweep_best_or_null(sweep);
	const unsigned idle_count = program->options.plan.idle_count;

	if (sweep->interrupted)
		fprintf(program->out, "interrupted%s\n",
			sweep->step_count ? ": this is what was measured until then"
					  : " before anything was measured");
	if (sweep->step_count == 0)
		return;
	if (sweep->single)
		report_summary(program->out, &sweep->steps[0]);
	else if (best)
		fprintf(program->out,
			"p99 within %.0f us: up to %.0f requests a second, p99 %.1f us\n",
			(double)sweep->p99_limit_ns / 1e3, best->total.rate,
			(double)best->total.percentile_ns[PERCENTILE_P99] / 1e3);
	else if (!sweep->interrupted)
		fprintf(program->out, "p99 was at no rate within %.0f us\n",
			(double)sweep->p99_limit_ns / 1e3);
	if (idle_count)
		fprintf(program->out, "idle connections: %u held, %llu lost%s\n", idle_count,
			(unsigned long long)idle_lost(&program->run),
			sweep->interrupted ? ", not tried at the end" : "");
}

/* Why it could not go on, with the first thing that went wrong on a connection. */
static void complain(const struct run *run, int error)
{
	const char *text = "";

	for (unsigned i = 0; i < run->shard_count && !*text; i++)
		text = run->results[i] ? run->results[i]->fault_text : "";
	fprintf(stderr, "load: %s%s%s\n", demi_strerror(error), *text ? ": " : "", text);
}

/* 0: all that was asked was answered, and rightly. EXIT_SIGNAL and more: it was interrupted. */
static int conclude(struct program *program)
{
	const struct options *o = &program->options;
	uint64_t faults = idle_lost(&program->run);
	int error = 0;

	say_result(program);
	if (o->json)
		error = json_write(o->json, &o->plan, &program->sweep);
	if (!error && o->plot && program->sweep.step_count)
		error = plot_write(o->plot, &program->sweep);
	if (error)
		fprintf(stderr, "load: %s\n", demi_strerror(error));
	for (unsigned i = 0; i < program->sweep.step_count; i++)
		faults += program->sweep.steps[i].total.fault_count;
	if (program->sweep.interrupted)
		return EXIT_SIGNAL + signal_number;
	return error || faults ? 1 : 0;
}

int main(int argc, char **argv)
{
	static struct program program;
	struct demi_args args = {.argc = argc, .argv = argv};
	struct sigaction action = {.sa_handler = on_signal};
	struct options *o = &program.options;
	struct live *live;
	int error, result = 1;

	if (!options_parse(o, argc, argv)) {
		options_usage(stderr);
		return 2;
	}
	if (o->help) {
		options_usage(stdout);
		return 0;
	}
	program.out = o->json && o->json[0] == '-' && !o->json[1] ? stderr : stdout;
	setvbuf(program.out, NULL, _IOLBF, 0); /* whole lines, into pipes too */
	program.sweep = (struct sweep){.single = !o->sweep,
				       .arrivals = o->sweep && o->plan.arrivals == ARRIVALS_CLOSED
							   ? ARRIVALS_POISSON
							   : o->plan.arrivals,
				       .rate = o->plan.rate,
				       .rate_max = o->rate_max,
				       .p99_limit_ns = o->p99_limit_ns};
	run_init(&program.run, &o->plan, next, &program);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	live = live_start_or_null(&program.run, o->sweep ? 0 : o->live_ns, program.out);
	error = demi_shard_run(&args, shard_main, &program);
	live_stop(live);
	if (error == ECANCELED && signal_number)
		error = cut_short(&program);
	if (!error)
		error = program.error;
	if (error)
		complain(&program.run, error);
	else
		result = conclude(&program);
	run_fini(&program.run);
	return result;
}
