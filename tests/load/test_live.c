/* The live table: what its lines say of a time that the test makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load/clock.h"
#include "load/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS UINT64_C(1000000)

static _Atomic uint64_t time_ns;

uint64_t clock_ns(void)
{
	return time_ns;
}

static const struct plan plan;
static struct run run;

static bool next(struct run *r, struct step *step)
{
	(void)r;
	*step = (struct step){.arrivals = ARRIVALS_CLOSED};
	return true;
}

/* The step began a tenth of a second ago, when the table was there for long: rates are by that
 * time, not by the time between two lines. */
static void rates_are_by_the_time_that_has_passed(void **state)
{
	const struct timespec a_while = {.tv_nsec = (long)(100 * MS)};
	char *text, *line;
	double seconds, asked, answered;
	long long in_flight;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct live *live;

	(void)state;
	run_init(&run, &plan, next, NULL);
	assert_int_equal(run_join(&run, 0, 1), 0);
	run_arrive(&run);
	time_ns = run.step.start_ns + 100 * MS;
	run.results[0]->asked = 100;
	run.results[0]->answered = 90;
	live = live_start_or_null(&run, 20 * MS, out);
	assert_non_null(live);
	nanosleep(&a_while, NULL);
	live_stop(live);
	fclose(out);
	line = strchr(text, '\n');
	assert_non_null(line);
	assert_int_equal(sscanf(line, "%lf %lf %lf %lld", &seconds, &asked, &answered, &in_flight),
			 4);
	assert_true(asked > 999 && asked < 1001);
	assert_true(answered > 899 && answered < 901);
	assert_int_equal(in_flight, 10);
	free(text);
	run_fini(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_by_the_time_that_has_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
