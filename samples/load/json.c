#include "load/json.h"

#include "load/workload.h"

#include <demi/ext.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *arrivals_name(enum arrivals_kind kind)
{
	static const char *const names[] = {
		[ARRIVALS_CLOSED] = "closed",
		[ARRIVALS_POISSON] = "poisson",
		[ARRIVALS_FIXED] = "fixed",
		[ARRIVALS_INCAST] = "incast",
	};

	return names[kind];
}

static double us(uint64_t ns)
{
	return (double)ns / 1e3;
}

static json_t *make_figures(const struct figures *f)
{
	json_t *latency = json_object(), *faults = json_object();

	for (unsigned i = 0; i < PERCENTILE_COUNT; i++)
		json_object_set_new(latency, percentile_name(i),
				    json_real(us(f->percentile_ns[i])));
	json_object_set_new(latency, "mean", json_real(f->mean_ns / 1e3));
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		json_object_set_new(faults, fault_key(i), json_integer((json_int_t)f->faults[i]));
	return json_pack(
		"{s:I,s:I,s:f,s:I,s:o,s:f,s:f,s:f,s:{s:f,s:f,s:f},s:{s:f,s:f},s:I,s:I,s:I,s:I,s:o}",
		"connections", (json_int_t)f->conn_count, "idle_connections",
		(json_int_t)f->idle_count, "rate", f->rate, "count", (json_int_t)f->count,
		"latency_us", latency, "busy_share", f->busy_share, "pause_share", f->pause_share,
		"pause_max_us", us(f->pause_ns_max), "lag_us", "p50", us(f->lag_p50_ns), "p99",
		us(f->lag_p99_ns), "max", us(f->lag_max_ns), "connect_us", "p50",
		us(f->connect_p50_ns), "p99", us(f->connect_p99_ns), "due", (json_int_t)f->due,
		"held_back", (json_int_t)f->held_back, "unfinished", (json_int_t)f->unfinished,
		"lost", (json_int_t)f->lost, "errors", faults);
}

static json_t *make_step(const struct summary *s)
{
	json_t *shards = json_array(), *curve = json_array();

	for (unsigned i = 0; i < s->shard_count; i++)
		json_array_append_new(shards, make_figures(&s->shards[i]));
	for (unsigned i = 0; i < CURVE_COUNT; i++)
		json_array_append_new(curve,
				      json_pack("[f,f]", s->curve_share[i], us(s->curve_ns[i])));
	return json_pack("{s:s,s:f,s:f,s:b,s:b,s:b,s:b,s:f,s:s,s:o,s:o,s:o}", "arrivals",
			 arrivals_name(s->arrivals), "offered", s->offered, "seconds", s->seconds,
			 "cut_short", s->cut_short, "generator_late", s->late, "generator_paused",
			 s->paused, "generator_exhausted", s->exhausted, "imbalance", s->imbalance,
			 "first_error", s->fault_text, "total", make_figures(&s->total), "shards",
			 shards, "percentiles", curve);
}

static json_t *make_plan(const struct plan *plan)
{
	static const char *const popularity[] = {"uniform", "zipf", "hot"};

	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:f,s:f,s:I,s:s,s:f}", "workload",
			 plan->workload->name, "connections", (json_int_t)plan->conn_count,
			 "idle_connections", (json_int_t)plan->idle_count, "depth",
			 (json_int_t)plan->depth, "size", (json_int_t)plan->size, "seed",
			 (json_int_t)plan->seed, "warmup_s", (double)plan->warm_ns / 1e9,
			 "measured_s", (double)plan->measure_ns / 1e9, "keys",
			 (json_int_t)plan->key_count, "popularity", popularity[plan->keys], "gets",
			 plan->get_share);
}

static json_t *make_best(const struct sweep *sweep)
{
	const struct summary *best = sweep_best_or_null(sweep);

	return best ? json_pack("{s:f,s:f,s:f}", "p99_limit_us", us(sweep->p99_limit_ns), "rate",
				best->total.rate, "p99_us",
				us(best->total.percentile_ns[PERCENTILE_P99]))
		    : json_null();
}

int json_write(const char *path, const struct plan *plan, const struct sweep *sweep)
{
	/* Shares have up to seven nines. */
	const size_t flags = JSON_INDENT(2) | JSON_REAL_PRECISION(10);
	json_t *steps = json_array(), *all;
	int rc;

	for (unsigned i = 0; i < sweep->step_count; i++)
		json_array_append_new(steps, make_step(&sweep->steps[i]));
	all = json_pack("{s:s,s:b,s:o,s:o}", "version", demi_version(), "interrupted",
			sweep->interrupted, "plan", make_plan(plan), "steps", steps);
	if (!all)
		return ENOMEM;
	if (!sweep->single)
		json_object_set_new(all, "best", make_best(sweep));
	if (strcmp(path, "-") == 0) {
		rc = json_dumpf(all, stdout, flags) || puts("") == EOF || fflush(stdout) ? EIO : 0;
	} else {
		rc = json_dump_file(all, path, flags) ? EIO : 0;
	}
	json_decref(all);
	return rc;
}
