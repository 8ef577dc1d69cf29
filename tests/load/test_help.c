/* Whoever asks a program what it can do gets the answer on stdout, and no complaint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static const char *const programs[] = {ECHO, ECHO_CLIENT, KV, LOAD};

enum { PROGRAM_COUNT = sizeof(programs) / sizeof(programs[0]) };

static char said[8192]; /* on the stream that is looked at */

/* Its exit status. redirect: "2>&1 >/dev/null" is stderr alone. */
static int status_of(const char *program, const char *arguments, const char *redirect)
{
	char command[1024];
	FILE *pipe;
	size_t len;

	snprintf(command, sizeof(command), "'%s' %s %s", program, arguments, redirect);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	len = fread(said, 1, sizeof(said) - 1, pipe);
	said[len] = 0;
	return WEXITSTATUS(pclose(pipe));
}

static void help_is_printed_on_stdout_and_is_no_error(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
		assert_int_equal(status_of(programs[i], "--help", "2>/dev/null"), 0);
		assert_int_equal(strncmp(said, "usage: ", 7), 0);
		assert_int_equal(status_of(programs[i], "-h", "2>&1 >/dev/null"), 0);
		assert_string_equal(said, "");
	}
}

static void what_is_not_understood_is_an_error_and_stdout_stays_empty(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
		assert_int_equal(status_of(programs[i], "--no-such-thing", "2>/dev/null"), 2);
		assert_string_equal(said, "");
		assert_int_equal(status_of(programs[i], "--no-such-thing", "2>&1 >/dev/null"), 2);
		assert_non_null(strstr(said, "usage: "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_is_printed_on_stdout_and_is_no_error),
		cmocka_unit_test(what_is_not_understood_is_an_error_and_stdout_stays_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
