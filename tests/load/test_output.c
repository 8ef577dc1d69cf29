/* What is written down: JSON that can be read back, and pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load/json.h"
#include "load/plot.h"
#include "load/workload.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct plan plan;
static struct sweep sweep;
static char dir[64];

static const char *path(const char *name)
{
	static char out[256];

	snprintf(out, sizeof(out), "%s/%s", dir, name);
	return out;
}

/* A step of two shards whose figures are all different. */
static void make_step(struct summary *step, double offered)
{
	*step = (struct summary){
		.arrivals = ARRIVALS_POISSON, .offered = offered, .seconds = 2, .shard_count = 2};
	step->total = (struct figures){.rate = offered,
				       .count = 5000,
				       .pause_ns_max = 77000,
				       .lag_p99_ns = 1500,
				       .conn_count = 64,
				       .lost = 3};
	for (unsigned i = 0; i < PERCENTILE_COUNT; i++)
		step->total.percentile_ns[i] = (i + 1) * 1000;
	step->total.faults[FAULT_WRONG] = 9;
	step->shards[0] = step->shards[1] = step->total;
	step->shards[1].rate = 1;
	step->late = true;
	snprintf(step->fault_text, sizeof(step->fault_text), "the first");
	for (unsigned i = 0; i < CURVE_COUNT; i++) {
		step->curve_share[i] = 1 - pow(10, -(double)i / 8);
		step->curve_ns[i] = (i + 1) * 100;
	}
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/load-output-XXXXXX");
	assert_non_null(mkdtemp(dir));
	plan = (struct plan){.workload = &workload_echo, .conn_count = 64, .size = 10};
	sweep = (struct sweep){.step_count = 2, .p99_limit_ns = 1000000};
	make_step(&sweep.steps[0], 1000);
	make_step(&sweep.steps[1], 2000);
	sweep.steps[1].total.fault_count = 0;
	sweep.interrupted = true;
	sweep.steps[0].cut_short = true;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"latency", "shards", "percentiles"};
	static const char *const endings[] = {".dat", ".gnuplot", ".svg", ".png"};
	char name[64];

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "%s%s", names[i / 4], endings[i % 4]);
		unlink(path(name));
	}
	unlink(path("all.json"));
	return rmdir(dir);
}

static double real_at(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	assert_non_null(value);
	return json_number_value(value);
}

static void every_figure_can_be_read_back(void **state)
{
	const json_t *step, *total;
	json_t *all;

	(void)state;
	assert_int_equal(json_write(path("all.json"), &plan, &sweep), 0);
	all = json_load_file(path("all.json"), 0, NULL);
	assert_non_null(all);
	assert_true(real_at(json_object_get(all, "plan"), "size") == 10);
	assert_int_equal(json_array_size(json_object_get(all, "steps")), 2);
	assert_true(json_is_true(json_object_get(all, "interrupted")));
	step = json_array_get(json_object_get(all, "steps"), 0);
	assert_true(json_is_true(json_object_get(step, "cut_short")));
	step = json_array_get(json_object_get(all, "steps"), 1);
	assert_true(json_is_false(json_object_get(step, "cut_short")));
	assert_true(real_at(step, "offered") == 2000);
	assert_true(json_is_true(json_object_get(step, "generator_late")));
	assert_string_equal(json_string_value(json_object_get(step, "first_error")), "the first");
	assert_int_equal(json_array_size(json_object_get(step, "percentiles")), CURVE_COUNT);
	for (unsigned i = 0; i < CURVE_COUNT; i++) {
		const json_t *point = json_array_get(json_object_get(step, "percentiles"), i);
		const double share = json_number_value(json_array_get(point, 0));

		assert_true(fabs(share - sweep.steps[1].curve_share[i]) < 1e-9);
	}
	assert_int_equal(json_array_size(json_object_get(step, "shards")), 2);
	total = json_object_get(step, "total");
	assert_true(real_at(total, "rate") == 2000);
	assert_true(real_at(total, "pause_max_us") == 77);
	assert_true(real_at(total, "lost") == 3);
	assert_true(real_at(json_object_get(total, "latency_us"), "p50") == 1);
	assert_true(real_at(json_object_get(total, "latency_us"), "max") == 6);
	assert_true(real_at(json_object_get(total, "lag_us"), "p99") == 1.5);
	assert_true(real_at(json_object_get(total, "errors"), "wrong") == 9);
	assert_true(real_at(json_object_get(all, "best"), "rate") == 2000);
	json_decref(all);
}

static void a_file_that_cannot_be_written_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(json_write(path("none/all.json"), &plan, &sweep), EIO);
	assert_int_equal(plot_write(path("none/plots"), &sweep), ENOENT);
}

static void pictures_are_drawn_from_data_that_stays(void **state)
{
	static const char *const names[] = {"latency", "shards", "percentiles"};
	const bool gnuplot = system("command -v gnuplot >/dev/null") == 0;
	char name[64];
	struct stat st;

	(void)state;
	assert_int_equal(plot_write(dir, &sweep), 0);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const endings[] = {".dat", ".gnuplot", ".svg", ".png"};

		for (unsigned k = 0; k < (gnuplot ? 4 : 2); k++) {
			snprintf(name, sizeof(name), "%s%s", names[i], endings[k]);
			assert_int_equal(stat(path(name), &st), 0);
			assert_true(st.st_size > 30);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_figure_can_be_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_cannot_be_written_is_an_error, setup,
						teardown),
		cmocka_unit_test_setup_teardown(pictures_are_drawn_from_data_that_stays, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
