/*
 * Who serves a flow on a tap with two shards: the shard that listens, whatever the flow's hash,
 * also where the other one has returned; and what a shard opened comes home to it without being
 * handed over.
 */
#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"
#include "peer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONN_COUNT = 64, REQUEST_COUNT = 100, EXCHANGE_LEN = 20000, TEST_SECONDS = 60 };

#define CONFIG                                                                                     \
	"[runtime]\nshards = 2\n[[port]]\ndevice = \"net_tap0,iface=clowder0\"\n"                  \
	"address = \"" PEER_ADDRESS "/24\"\nkernel_address = \"10.99.0.1/24\"\n"

static struct {
	int ns;
	struct program program, server;
} world;

static int setup(void **state)
{
	char path[64];

	(void)state;
	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	world.ns = netns_create();
	netns_enter(world.ns);
	config_write(path, CONFIG);
	setenv("CONFIG_PATH", path, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	program_clear(&world.program);
	program_clear(&world.server);
	close(world.ns);
	return 0;
}

static void start_one_listener(void)
{
	program_start(&world.program, world.ns, (const char *const[]){ONE_LISTENER_PROGRAM, NULL});
	program_expect(&world.program, "one_listener: phase 0", 20);
}

static void next_phase(int phase)
{
	char line[32];

	program_signal(&world.program, SIGUSR1);
	snprintf(line, sizeof(line), "one_listener: phase %d", phase);
	program_expect(&world.program, line, 20);
}

static void end(void)
{
	program_signal(&world.program, SIGINT);
	if (program_wait(&world.program, 20)) {
		program_show(&world.program);
		fail_msg("it did not end in order");
	}
}

/* How many of the new connections each shard serves; all have exchanged bytes. */
static void connect_all(int fds[CONN_COUNT], unsigned counts[2])
{
	int shard;

	counts[0] = counts[1] = 0;
	for (int i = 0; i < CONN_COUNT; i++) {
		fds[i] = peer_connect(0, &shard);
		assert_in_range(shard, 0, 1);
		counts[shard]++;
	}
	for (int i = 0; i < CONN_COUNT; i++)
		peer_exchange(fds[i], EXCHANGE_LEN);
}

static void exchange_all(const int fds[CONN_COUNT])
{
	for (int i = 0; i < CONN_COUNT; i++)
		peer_exchange(fds[i], EXCHANGE_LEN);
}

static void close_all(const int fds[CONN_COUNT])
{
	for (int i = 0; i < CONN_COUNT; i++) {
		assert_int_equal(shutdown(fds[i], SHUT_WR), 0);
		peer_expect_fin(fds[i]);
		close(fds[i]);
	}
}

/* How many of 64 new UDP flows each shard answers. */
static void ask_by_udp(unsigned counts[2])
{
	counts[0] = counts[1] = 0;
	for (int i = 0; i < CONN_COUNT; i++) {
		char line[64] = "";
		int fd = peer_udp(), shard;

		for (int again = 0; again < 3; again++) {
			assert_int_equal(send(fd, "who?", 4, 0), 4);
			assert_true(recv(fd, line, sizeof(line) - 1, 0) > 0);
		}
		assert_int_equal(sscanf(line, "shard %d of", &shard), 1);
		assert_in_range(shard, 0, 1);
		counts[shard]++;
		close(fd);
	}
}

/* --- tests --- */

static void connections_go_to_the_shards_that_listen_and_stay_there(void **state)
{
	int old[CONN_COUNT], mixed[CONN_COUNT], new[CONN_COUNT];
	unsigned long resets = netns_tcp_figure("EstabResets");
	unsigned counts[2];

	(void)state;
	start_one_listener();
	connect_all(old, counts);
	assert_int_equal(counts[1], CONN_COUNT);
	next_phase(1);
	exchange_all(old);
	connect_all(mixed, counts);
	assert_true(counts[0] > 0 && counts[1] > 0);
	next_phase(2);
	exchange_all(old);
	exchange_all(mixed);
	connect_all(new, counts);
	assert_int_equal(counts[0], CONN_COUNT);
	close_all(old);
	close_all(mixed);
	close_all(new);
	end();
	assert_int_equal(netns_tcp_figure("EstabResets"), resets);
}

static void datagrams_go_to_the_shards_that_have_the_port(void **state)
{
	unsigned counts[2];

	(void)state;
	start_one_listener();
	ask_by_udp(counts);
	assert_int_equal(counts[1], CONN_COUNT);
	next_phase(1);
	ask_by_udp(counts);
	assert_true(counts[0] > 0 && counts[1] > 0);
	next_phase(2);
	ask_by_udp(counts);
	assert_int_equal(counts[0], CONN_COUNT);
	end();
}

/* The kernel spreads new flows over both queues: one of them is shard 1's, which only lingers. */
static void a_shard_that_returned_early_still_hands_over_what_comes_to_its_queue(void **state)
{
	unsigned long handed_in;
	int fds[CONN_COUNT];
	unsigned counts[2];
	const char *line;

	(void)state;
	start_one_listener();
	for (int phase = 1; phase <= 3; phase++)
		next_phase(phase);
	connect_all(fds, counts);
	assert_int_equal(counts[0], CONN_COUNT);
	exchange_all(fds);
	close_all(fds);
	ask_by_udp(counts);
	assert_int_equal(counts[0], CONN_COUNT);
	program_signal(&world.program, SIGINT);
	line = program_expect(&world.program, "shard 0 accepted", 20);
	assert_int_equal(figure(line, "accepted"), CONN_COUNT);
	handed_in = figure(line, "handed_in");
	line = program_expect(&world.program, "shard 1 accepted", 20);
	assert_true(figure(line, "handed_out") > 0);
	assert_true(handed_in > 0 && handed_in <= figure(line, "handed_out"));
	assert_int_equal(program_wait(&world.program, 20), 0);
}

/* The tap's kernel side spreads a new flow by a hash of its own, and then follows: only the answers
 * to the first packets may come to the wrong shard. */
static void what_a_shard_opens_comes_home_to_it(void **state)
{
	static const char *const server_argv[] = {KERNEL_ECHO_PROGRAM, "0.0.0.0", ECHO_PORT, NULL};
	static const char *const argv[] = {
		ACTIVE_OPENS_PROGRAM, "10.99.0.1", ECHO_PORT, "64", "100", NULL};
	const char *line;

	(void)state;
	program_start(&world.server, world.ns, server_argv);
	program_expect(&world.server, "listening", 10);
	program_start(&world.program, world.ns, argv);
	for (int i = 0; i < 2; i++) {
		line = program_expect(&world.program, "answers", 40);
		assert_int_equal(figure(line, "connected"), CONN_COUNT);
		assert_int_equal(figure(line, "answers"), CONN_COUNT * REQUEST_COUNT);
		assert_true(figure(line, "rx_packets") >= CONN_COUNT * REQUEST_COUNT);
		assert_true(figure(line, "handed_in") <= 2 * CONN_COUNT);
		assert_true(figure(line, "handed_out") <= 2 * CONN_COUNT);
	}
	assert_int_equal(program_wait(&world.program, 20), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(connections_go_to_the_shards_that_listen_and_stay_there),
		TEST(datagrams_go_to_the_shards_that_have_the_port),
		TEST(a_shard_that_returned_early_still_hands_over_what_comes_to_its_queue),
		TEST(what_a_shard_opens_comes_home_to_it),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
