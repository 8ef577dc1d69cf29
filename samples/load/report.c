#include "load/report.h"

static double us(uint64_t ns)
{
	return (double)ns / 1e3;
}

static void print_figures(FILE *out, const char *name, int number, const struct figures *f)
{
	char label[32];

	if (number >= 0)
		snprintf(label, sizeof(label), "%s %d", name, number);
	else
		snprintf(label, sizeof(label), "%s", name);
	fprintf(out, "%-9s %6u %10.0f", label, f->conn_count, f->rate);
	for (unsigned i = 0; i < PERCENTILE_COUNT; i++)
		fprintf(out, " %9.1f", us(f->percentile_ns[i]));
	fprintf(out, " %5.0f %9.1f\n", 100 * f->busy_share, us(f->lag_p99_ns));
}

static void print_faults(FILE *out, const struct summary *summary)
{
	const struct figures *f = &summary->total;

	fprintf(out, "errors: %llu", (unsigned long long)f->fault_count);
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		if (f->faults[i])
			fprintf(out, ", %s %llu", fault_key(i), (unsigned long long)f->faults[i]);
	}
	if (summary->fault_text[0])
		fprintf(out, "; the first: %s", summary->fault_text);
	fprintf(out, "\n");
	if (f->lost || f->unfinished)
		fprintf(out,
			"without an answer: %llu lost with their connection, %llu not answered at "
			"the end, which count with the age they had\n",
			(unsigned long long)f->lost, (unsigned long long)f->unfinished);
}

static void print_generator(FILE *out, const struct summary *summary)
{
	const struct figures *f = &summary->total;

	if (summary->offered > 0)
		fprintf(out,
			"generator: sends were late by p50 %.1f, p99 %.1f, max %.1f us; %.1f %% of "
			"the "
			"requests waited for a connection\n",
			us(f->lag_p50_ns), us(f->lag_p99_ns), us(f->lag_max_ns),
			f->due ? 100.0 * (double)f->held_back / (double)f->due : 0.0);
	if (f->pause_ns_max)
		fprintf(out,
			"generator: was away for %.2f %% of the time, %.1f us at the longest\n",
			100 * f->pause_share, us(f->pause_ns_max));
	if (summary->late || summary->paused)
		fprintf(out,
			"warning: the generator's own lateness is a part of these latencies\n");
	if (summary->exhausted)
		fprintf(out, "warning: a shard of the generator had no time left: %s\n",
			summary->offered > 0 ? "latencies are in part its own"
					     : "the server may be faster than this");
	if (summary->offered > 0 && f->rate < 0.98 * summary->offered)
		fprintf(out,
			"warning: of %.0f requests a second only %.0f were answered: latencies "
			"grow as long as this lasts\n",
			summary->offered, f->rate);
}

void report_summary(FILE *out, const struct summary *summary)
{
	const struct figures *f = &summary->total;

	fprintf(out, "%-9s %6s %10s", "", "conns", "rate/s");
	for (unsigned i = 0; i < PERCENTILE_COUNT; i++)
		fprintf(out, " %9s", percentile_name(i));
	fprintf(out, " %5s %9s   (us; time busy in %%)\n", "busy", "lag p99");
	for (unsigned i = 0; i < summary->shard_count && summary->shard_count > 1; i++)
		print_figures(out, "shard", (int)i, &summary->shards[i]);
	print_figures(out, "total", -1, f);
	fprintf(out, "answers %llu in %.1f s%s, mean %.1f us", (unsigned long long)f->count,
		summary->seconds, summary->cut_short ? " (cut short)" : "", f->mean_ns / 1e3);
	if (f->connect_p50_ns)
		fprintf(out, ", connect p50 %.1f p99 %.1f us", us(f->connect_p50_ns),
			us(f->connect_p99_ns));
	if (summary->shard_count > 1)
		fprintf(out, ", busiest shard %.2f of the mean", summary->imbalance);
	fprintf(out, "\n");
	print_generator(out, summary);
	print_faults(out, summary);
}

void report_step(FILE *out, const struct summary *summary)
{
	const struct figures *f;

	if (!summary) {
		fprintf(out, "%10s %10s", "offered/s", "rate/s");
		for (unsigned i = 0; i < PERCENTILE_COUNT; i++)
			fprintf(out, " %9s", percentile_name(i));
		fprintf(out, " %9s %6s\n", "lag p99", "errors");
		return;
	}
	f = &summary->total;
	if (summary->offered > 0)
		fprintf(out, "%10.0f", summary->offered);
	else
		fprintf(out, "%10s", "closed");
	fprintf(out, " %10.0f", f->rate);
	for (unsigned i = 0; i < PERCENTILE_COUNT; i++)
		fprintf(out, " %9.1f", us(f->percentile_ns[i]));
	fprintf(out, " %9.1f %6llu%s%s\n", us(f->lag_p99_ns), (unsigned long long)f->fault_count,
		summary->late	  ? " late"
		: summary->paused ? " away"
				  : "",
		summary->cut_short ? " cut short" : "");
}
