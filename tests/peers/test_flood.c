/*
 * A SYN flood by hping3, from a namespace of its own and spoofed sources: what answers them ends at
 * a black hole of the router's. Meanwhile a Linux client opens connections, which get through.
 */
#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"
#include "openings.h"
#include "routed.h"
#include "telemetry.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	TEST_SECONDS = 300,
	OPENING_COUNT = 200,
	PACE_MS = 20,
	/* A SYN that the tap dropped comes again after 1, 2, 4, 8 and 16 s more. */
	GIVE_UP_MS = 40000,
	SYN_QUEUES_EMPTY_SECONDS = 60,
};

/* Packets, and seconds: whichever is first ends hping3. */
#define FLOOD_COUNT   "2000000"
#define FLOOD_SECONDS "7"

static const char *const every_20_us[2] = {"-i", "u20"}, *const at_once[2] = {"--flood"};

static struct {
	struct routed routed;
	int attacker;
	struct echo echo;
	struct program hping;
	char name[32]; /* [runtime] name, as echo_start() writes it */
} world;

static int setup(void **state)
{
	(void)state;
	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	memset(&world, 0, sizeof(world));
	world.echo.program.out = world.hping.out = -1;
	routed_create(&world.routed);
	world.attacker = routed_attach("aa", "ab", 97);
	run("ip route add blackhole default");
	snprintf(world.name, sizeof(world.name), "test%d", (int)getpid());
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	program_clear(&world.hping);
	echo_clear(&world.echo);
	close(world.attacker);
	routed_destroy(&world.routed);
	return 0;
}

static unsigned long sum(const char *command, const char *figure_name)
{
	return telemetry_sum(world.name, world.echo.program.pid, command, figure_name);
}

static unsigned long count(const char *figure_name)
{
	return sum("/clowder/shards", figure_name);
}

/* SYN-ACKs are sent again after 0.25, 0.5 .. 8 s, so that half-open connections end within 16 s. */
static void start(const char *cookies)
{
	char config[2048];

	snprintf(config, sizeof(config),
		 "%s[[route]]\ndestination = \"0.0.0.0/0\"\ngateway = \"10.99.0.1\"\n"
		 "[tcp]\nsyn_cookies = \"%s\"\nrto_initial_ms = 250\n",
		 world.routed.config, cookies);
	echo_start(&world.echo, world.routed.link.echo, 2, false, config);
}

/* pace: two arguments of hping3's. It must not outlive the test: it dies with timeout, and that
 * with the test. */
static void start_flood(const char *const pace[2])
{
	const char *const argv[] = {"/usr/bin/timeout",
				    "-s",
				    "INT",
				    FLOOD_SECONDS,
				    "/usr/bin/setpriv",
				    "--pdeathsig",
				    "KILL",
				    "/usr/sbin/hping3",
				    "-q",
				    "-n",
				    "-S",
				    "-p",
				    ECHO_PORT,
				    "--rand-source",
				    "-c",
				    FLOOD_COUNT,
				    "10.99.0.2",
				    pace[0],
				    pace[1],
				    NULL};

	program_start(&world.hping, world.attacker, argv);
	for (int i = 0; count("syn_received") < 100 && i < 1000; i++)
		usleep(10000);
}

static void print_drops(void)
{
	json_t *answer = telemetry_ask(world.name, world.echo.program.pid, "/clowder/drops,0");
	const char *name;
	json_t *value;

	fprintf(stderr, "flood: drops");
	json_object_foreach(answer, name, value)
	{
		unsigned long n = sum("/clowder/drops", name);

		if (n)
			fprintf(stderr, " %s %lu", name, n);
	}
	fprintf(stderr, "\n");
	json_decref(answer);
}

/* How many SYNs hping3 says that it sent. */
static unsigned long sent_count(void)
{
	char line[512];
	size_t at = 0;

	if (!program_find(&world.hping, &at, " packets transmitted", line)) {
		program_show(&world.hping);
		fail_msg("hping3 does not say how many packets it sent");
	}
	return strtoul(line, NULL, 10);
}

static void print(const char *what, const struct openings *openings)
{
	fprintf(stderr,
		"flood: %s: sent %lu, segments received %lu; opened %u of %u, echoed %u (%.1f %%) "
		"in "
		"ms p50 %.1f p99 %.1f max %.1f; cookies sent %lu valid %lu invalid %lu; half-open "
		"evicted %lu, now %lu\n",
		what, sent_count(), count("tcp_rx_segments"), openings->opened, openings->begun,
		openings->echoed, 100.0 * openings->echoed / openings->begun, openings->p50_ms,
		openings->p99_ms, openings->max_ms, count("tcp_cookies_sent"),
		count("tcp_cookies_valid"), count("tcp_cookies_invalid"), count("tcp_syns_evicted"),
		count("syn_received"));
	print_drops();
}

/* Connections are opened from when the flood has begun; it lasts longer than opening takes. */
static void flood(const char *what, const char *const pace[2], struct openings *openings)
{
	start_flood(pace);
	netns_enter(world.routed.far);
	openings_run(openings, OPENING_COUNT, PACE_MS, GIVE_UP_MS);
	netns_enter(world.routed.link.near);
	program_wait(&world.hping, 60);
	print(what, openings);
}

/* All that the flood had taken is there again. */
static void expect_all_back(void)
{
	echo_expect_idle(&world.echo, SYN_QUEUES_EMPTY_SECONDS);
	assert_int_equal(count("syn_received"), 0);
	echo_finish(&world.echo);
}

static void connections_open_while_syns_of_spoofed_sources_flood_in(void **state)
{
	struct openings openings;

	(void)state;
	start("auto");
	flood("cookies auto, a SYN in 20 us", every_20_us, &openings);
	assert_true(openings.echoed >= OPENING_COUNT * 99 / 100);
	assert_true(count("tcp_cookies_sent") > 0);
	assert_true(count("tcp_cookies_valid") > 0);
	expect_all_back();
}

static void connections_open_while_syns_come_as_fast_as_they_can(void **state)
{
	struct openings openings;

	(void)state;
	start("auto");
	flood("cookies auto, as fast as it can", at_once, &openings);
	assert_true(openings.echoed >= OPENING_COUNT * 99 / 100);
	expect_all_back();
}

/* For comparison: how many get through is printed, and that nothing is lost is asserted. */
static void a_flood_without_cookies_costs_connections_but_no_memory(void **state)
{
	struct openings openings;

	(void)state;
	start("never");
	flood("cookies never, a SYN in 20 us", every_20_us, &openings);
	assert_int_equal(count("tcp_cookies_sent"), 0);
	assert_true(count("tcp_syns_evicted") > 0);
	expect_all_back();
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(connections_open_while_syns_of_spoofed_sources_flood_in),
		TEST(connections_open_while_syns_come_as_fast_as_they_can),
		TEST(a_flood_without_cookies_costs_connections_but_no_memory),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	if (getuid() != 0) /* what it would be then may belong to another user */
		setenv("RUNTIME_DIRECTORY", work_dir(), 1);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
