#include "load/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of all pictures: both formats from one drawing. */
static const char style[] = "set encoding utf8\n"
			    "set grid back lc rgb '#d0d0d0'\n"
			    "set border 3 lc rgb '#606060'\n"
			    "set tics nomirror\n"
			    "set key top left\n"
			    "set linetype 1 lc rgb '#1b6ca8' lw 2 pt 7 ps 0.6\n"
			    "set linetype 2 lc rgb '#d1495b' lw 2 pt 7 ps 0.6\n"
			    "set linetype 3 lc rgb '#66a182' lw 2 pt 7 ps 0.6\n"
			    "set linetype 4 lc rgb '#edae49' lw 2 pt 7 ps 0.6\n";

static const char latency_script[] =
	"set title 'Latency against load'\n"
	"set xlabel 'answers a second'\n"
	"set ylabel 'latency (us)'\n"
	"set logscale y\n"
	"set format x '%.1s%c'\n"
	"draw = \"plot 'latency.dat' using 2:3 with linespoints title 'p50', "
	"'' using 2:5 with linespoints title 'p99', '' using 2:6 with linespoints title "
	"'p99.9'\"\n";

static const char shards_script[] = "set title 'Load of each shard'\n"
				    "set xlabel 'shard'\n"
				    "set ylabel 'answers a second'\n"
				    "set format y '%.0s%c'\n"
				    "set yrange [0:*]\n"
				    "set boxwidth 0.6\n"
				    "set style fill solid\n"
				    "set xtics 1\n"
				    "draw = \"plot 'shards.dat' using 1:2 with boxes notitle\"\n";

static const char percentiles_script[] =
	"set title 'Percentiles'\n"
	"set xlabel 'share of answers'\n"
	"set ylabel 'latency (us)'\n"
	"set logscale xy\n"
	"set xtics ('50 %%' 2, '90 %%' 10, '99 %%' 100, '99.9 %%' 1000, '99.99 %%' 10000, "
	"'99.999 %%' 100000)\n"
	"draw = \"plot 'percentiles.dat' using 1:2 with lines notitle\"\n";

static FILE *open_file(int dir, const char *name, const char *ending)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s%s", name, ending);
	fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

static int close_file(FILE *file)
{
	const int bad = ferror(file);

	return fclose(file) || bad ? EIO : 0;
}

/* --- data --- */

static int by_rate(const void *a, const void *b)
{
	const double x = (*(const struct summary *const *)a)->total.rate,
		     y = (*(const struct summary *const *)b)->total.rate;

	return (x > y) - (x < y);
}

/* A sweep closes in on its limit last: the points are drawn in their order along the curve. */
static void write_latency(FILE *out, const struct sweep *sweep)
{
	const struct summary *steps[SWEEP_STEP_MAX];

	for (unsigned i = 0; i < sweep->step_count; i++)
		steps[i] = &sweep->steps[i];
	qsort(steps, sweep->step_count, sizeof(steps[0]), by_rate);
	fprintf(out, "# offered/s answers/s");
	for (unsigned i = 0; i < PERCENTILE_COUNT; i++)
		fprintf(out, " %s", percentile_name(i));
	fprintf(out, " (us)\n");
	for (unsigned i = 0; i < sweep->step_count; i++) {
		const struct summary *step = steps[i];

		if (step->offered == 0 && !sweep->single)
			continue;
		fprintf(out, "%.1f %.1f", step->offered, step->total.rate);
		for (unsigned k = 0; k < PERCENTILE_COUNT; k++)
			fprintf(out, " %.3f", (double)step->total.percentile_ns[k] / 1e3);
		fprintf(out, "\n");
	}
}

/* Of a sweep the step that was best within the limit, else the last. */
static const struct summary *shown(const struct sweep *sweep)
{
	const struct summary *best = sweep->single ? NULL : sweep_best_or_null(sweep);

	return best ? best : &sweep->steps[sweep->step_count - 1];
}

static void write_shards(FILE *out, const struct sweep *sweep)
{
	const struct summary *step = shown(sweep);

	fprintf(out, "# shard answers/s\n");
	for (unsigned i = 0; i < step->shard_count; i++)
		fprintf(out, "%u %.1f\n", i, step->shards[i].rate);
}

/* x is 1 / (1 - share), so that each nine is as wide as the one before. */
static void write_percentiles(FILE *out, const struct sweep *sweep)
{
	const struct summary *step = shown(sweep);

	fprintf(out, "# 1/(1-share) us\n");
	for (unsigned i = 0; i < CURVE_COUNT; i++) {
		const double x = 1 / (1 - step->curve_share[i]);

		if (step->curve_ns[i] > 0 && x <= (double)step->total.count)
			fprintf(out, "%.3f %.3f\n", x, (double)step->curve_ns[i] / 1e3);
	}
}

/* --- pictures --- */

static int write_script(int dir, const char *name, const char *script)
{
	FILE *out = open_file(dir, name, ".gnuplot");

	if (!out)
		return errno;
	fprintf(out, "%s%s", style, script);
	fprintf(out,
		"set terminal svg size 800,500 background rgb 'white' font 'sans,12'\n"
		"set output '%s.svg'\n@draw\n"
		"set terminal pngcairo size 800,500 background rgb 'white' font 'sans,10'\n"
		"set output '%s.png'\n@draw\n",
		name, name);
	return close_file(out);
}

static void run_gnuplot(const char *directory, const char *name)
{
	char script[64];
	char *const argv[] = {"gnuplot", script, NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int rc, status = 0;

	snprintf(script, sizeof(script), "%s.gnuplot", name);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, directory);
	rc = posix_spawnp(&pid, "gnuplot", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc || waitpid(pid, &status, 0) != pid || status)
		fprintf(stderr, "load: gnuplot could not draw %s/%s\n", directory, script);
}

int plot_write(const char *directory, const struct sweep *sweep)
{
	static const struct {
		const char *name, *script;
		void (*write)(FILE *out, const struct sweep *sweep);
	} pictures[] = {
		{"latency", latency_script, write_latency},
		{"shards", shards_script, write_shards},
		{"percentiles", percentiles_script, write_percentiles},
	};
	int dir, error = 0;

	if (mkdir(directory, 0755) && errno != EEXIST)
		return errno;
	dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno;
	for (unsigned i = 0; i < sizeof(pictures) / sizeof(pictures[0]) && !error; i++) {
		FILE *out = open_file(dir, pictures[i].name, ".dat");

		if (!out) {
			error = errno;
			break;
		}
		pictures[i].write(out, sweep);
		error = close_file(out);
		if (!error)
			error = write_script(dir, pictures[i].name, pictures[i].script);
		if (!error)
			run_gnuplot(directory, pictures[i].name);
	}
	close(dir);
	return error;
}
