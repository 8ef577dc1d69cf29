/*
 * What cannot be started is refused before a device is touched, with a line that says where, what
 * was found and what is allowed; and what a device refuses, with a line that names it.
 */
#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEST_SECONDS = 60, END_SECONDS = 20 };

#define NULL_PORT "[[port]]\ndevice = \"net_null0\"\naddress = \"10.99.0.2/24\"\n"

/* Ends with 1 after a line that begins with "clowder: " and contains all of said[]. */
static void expect_refusal(const char *path, const char *const said[3])
{
	const char *const argv[] = {ECHO_PROGRAM, "--config", path, "--port", ECHO_PORT, NULL};
	struct program echo;
	const char *line;
	int ns = netns_current();

	alarm(TEST_SECONDS);
	program_start(&echo, ns, argv);
	line = program_expect(&echo, "clowder: ", END_SECONDS);
	assert_int_equal(strncmp(line, "clowder: ", 9), 0);
	for (int i = 0; i < 3 && said[i]; i++)
		if (!strstr(line, said[i]))
			fail_msg("no \"%s\" in: %s", said[i], line);
	assert_int_equal(program_wait(&echo, END_SECONDS), 1);
	program_clear(&echo);
	close(ns);
}

static void a_wrong_file_names_line_key_what_was_found_and_what_is_allowed(void **state)
{
	static const struct {
		const char *text, *where, *found, *allowed;
	} cases[] = {
		{"[runtime]\nshards = 0\n", ":2: [runtime] shards:", "found 0",
		 "allowed: a whole number, 1 to 64, or \"auto\""},
		{"[runtime]\n\nshards = \"many\"\n", ":3: [runtime] shards:", "found \"many\"",
		 "allowed: a whole number, 1 to 64, or \"auto\""},
		{"[runtime]\nshrads = 2\n", ":2: [runtime] shrads:", "did you mean \"shards\"",
		 "allowed: shards, cpus"},
		{"[tcp]\nconn_max = true\n", ":2: [tcp] conn_max:", "found true",
		 "allowed: a whole number, 1 to 4194304"},
		{"[[port]]\ndevice = \"net_null0\"\naddress = \"10.0.0.300/24\"\n",
		 ":3: [[port]] address:", "found \"10.0.0.300/24\"", "allowed: an IPv4 address"},
		{"[[port]]\naddress = \"10.0.0.2/24\"\n", ":1: [[port]] device:", "found nothing",
		 "it is required"},
		{NULL_PORT NULL_PORT "mtu = 100000\n", ":7: [[port]] mtu:", "found 100000",
		 "allowed: a whole number, 0 to 9216"},
		{"[sharding]\n", ":1: [sharding]:", "unknown section", "allowed: [runtime]"},
		{"[runtime\n", ":1:", "not TOML", "expected ']'"},
	};
	char path[64], where[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		config_write(path, cases[i].text);
		snprintf(where, sizeof(where), "%s%s", path, cases[i].where);
		expect_refusal(path,
			       (const char *const[3]){where, cases[i].found, cases[i].allowed});
	}
}

static void a_file_that_is_not_there_is_named(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/nothing.toml", work_dir());
	expect_refusal(path, (const char *const[3]){path, "found no readable file"});
}

static void a_device_that_cannot_be_opened_is_named(void **state)
{
	char path[64];

	(void)state;
	config_write(path, "[[port]]\ndevice = \"net_nothing0\"\naddress = \"10.99.0.2/24\"\n");
	expect_refusal(path, (const char *const[3]){"port 0 (net_nothing0)", "cannot be opened"});
	config_write(path,
		     NULL_PORT "[[port]]\ndevice = \"net_af_packet0,iface=nothing\"\naddress = "
			       "\"10.98.0.2/24\"\n");
	expect_refusal(path, (const char *const[3]){"port 1 (net_af_packet0,iface=nothing)"});
}

static void a_cpu_that_is_not_there_is_named(void **state)
{
	char path[64];

	(void)state;
	config_write(path, "[runtime]\nshards = 2\ncpus = [0, 4095]\n" NULL_PORT);
	expect_refusal(path, (const char *const[3]){"placement: cpu 4095 is not there"});
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_file_names_line_key_what_was_found_and_what_is_allowed),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(a_device_that_cannot_be_opened_is_named),
		cmocka_unit_test(a_cpu_that_is_not_there_is_named),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
