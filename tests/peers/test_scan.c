/*
 * What nmap finds out about a machine that runs Clowder: its guess at the system, how far sequence
 * numbers and IP ids can be told in advance, and which service it takes the echo server for. What
 * it found is printed; a prediction must be out of reach.
 */
#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"
#include "openings.h"
#include "peer.h"
#include "routed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEST_SECONDS = 250, SCAN_SECONDS = 200 };

static struct {
	struct routed routed;
	struct echo echo;
	struct program nmap;
	struct openings openings;
} world;

static int setup(void **state)
{
	(void)state;
	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	memset(&world, 0, sizeof(world));
	world.echo.program.out = world.nmap.out = -1;
	routed_create(&world.routed);
	echo_start(&world.echo, world.routed.link.echo, 2, false, world.routed.config);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	program_clear(&world.nmap);
	echo_clear(&world.echo);
	routed_destroy(&world.routed);
	return 0;
}

static void scan(int ns)
{
	const char *const argv[] = {"/usr/bin/nmap",
				    "-n",
				    "-Pn",
				    "-v",
				    "-O",
				    "-sV",
				    "--osscan-guess",
				    "--max-os-tries",
				    "1",
				    "-p",
				    ECHO_PORT ",7001",
				    "--host-timeout",
				    "180s",
				    PEER_ADDRESS,
				    NULL};

	program_start(&world.nmap, ns, argv);
	assert_int_equal(program_wait(&world.nmap, SCAN_SECONDS), 0);
}

/* The line of its report that begins so, printed; it is gone with the next call. */
static const char *finding(const char *begin)
{
	static char line[512];
	size_t at = 0;

	while (program_find(&world.nmap, &at, begin, line)) {
		if (strncmp(line, begin, strlen(begin)) == 0) {
			fprintf(stderr, "nmap: %s\n", line);
			return line;
		}
	}
	program_show(&world.nmap);
	fail_msg("nmap does not say \"%s\"", begin);
	return NULL;
}

/* Its report wraps the fingerprint, anywhere. */
static void print_fingerprint(void)
{
	char line[512];
	size_t at = 0;

	fprintf(stderr, "nmap: fingerprint: ");
	while (program_find(&world.nmap, &at, "OS:", line)) {
		if (strncmp(line, "OS:", 3) == 0)
			fprintf(stderr, "%s", line + 3);
	}
	fprintf(stderr, "\n");
}

static void print_guess(void)
{
	static const char *const begins[] = {"OS details: ", "Aggressive OS guesses: ",
					     "No OS matches", "Too many fingerprints"};
	char line[512];

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		size_t at = 0;

		if (program_find(&world.nmap, &at, begins[i], line))
			fprintf(stderr, "nmap: %.160s\n", line);
	}
}

static void nmap_predicts_neither_sequence_numbers_nor_ip_ids(void **state)
{
	unsigned difficulty;
	const char *line;

	(void)state;
	scan(world.routed.link.near);
	assert_non_null(strstr(finding(ECHO_PORT "/tcp"), " open "));
	assert_non_null(strstr(finding("7001/tcp"), " closed "));
	print_guess();
	print_fingerprint();
	/* A logarithm of how far the differences between ISNs scatter, times 8; 256: over all
	 * of the 32 bits. */
	line = finding("TCP Sequence Prediction: ");
	assert_int_equal(sscanf(line, "TCP Sequence Prediction: Difficulty=%u", &difficulty), 1);
	assert_true(difficulty >= 200 && strstr(line, "Good luck!"));
	line = finding("IP ID Sequence Generation: ");
	if (!strstr(line, "All zeros") && !strstr(line, "Randomized"))
		fail_msg("IP ids may be predicted");
	/* The odd segments and options of its probes did no harm. */
	openings_run(&world.openings, 10, 1, 20000);
	assert_int_equal(world.openings.echoed, 10);
	echo_finish(&world.echo);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(nmap_predicts_neither_sequence_numbers_nor_ip_ids),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
