/*
 * Linux and Clowder on two taps with our own relay between them: 200 ms of round trip, frames out
 * of order, twice, lost; and Linux as server. Every byte is
 * compared; tshark judges what Clowder sent, as the relay saw it: no sniffer sees what DPDK's
 * af_packet sends, and the relay's capture misses nothing.
 */
#include "capture.h"
#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"
#include "peer.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TEST_SECONDS = 200, SHARD_COUNT = 2, CONN_COUNT = 4 };

#define PORT "[[port]]\ndevice = \"net_af_packet0,iface=ta\"\naddress = \"" PEER_ADDRESS "/24\"\n"

static struct {
	int near, far; /* Clowder's namespace, and Linux's */
	struct program relay, client, server;
	struct echo echo;
	struct capture capture; /* the relay's, of ta */
} world;

static int setup(void **state)
{
	(void)state;
	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	memset(&world, 0, sizeof(world));
	world.relay.out = world.echo.program.out = world.client.out = world.server.out = -1;
	world.near = netns_create();
	world.far = netns_create();
	netns_enter(world.far);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	echo_clear(&world.echo);
	program_clear(&world.client);
	program_clear(&world.server);
	program_clear(&world.relay);
	close(world.near);
	close(world.far);
	return 0;
}

/* Delay of one direction in microseconds, the rest in per mille of its frames. */
static void start(const char *delay_us, const char *reorder, const char *drop,
		  const char *duplicate)
{
	char near[16], far[16];
	const char *const argv[] = {
		RELAY_PROGRAM,	    near, "ta", far, "tb", "1", delay_us, reorder, drop, duplicate,
		world.capture.file, NULL};

	snprintf(world.capture.file, sizeof(world.capture.file), "%s/relay.pcap", work_dir());
	snprintf(near, sizeof(near), "%d", world.near);
	snprintf(far, sizeof(far), "%d", world.far);
	program_start(&world.relay, world.far, argv);
	program_expect(&world.relay, "relay: ready", 20);
	run("ip address add 10.99.0.1/24 dev tb && ip link set tb txqueuelen 10000 up");
	netns_enter(world.near);
	run("ip link set ta txqueuelen 10000 up");
	netns_enter(world.far);
}

static void start_echo(const char *rest)
{
	char config[1024];

	snprintf(config, sizeof(config), PORT "%s", rest);
	echo_start(&world.echo, world.near, SHARD_COUNT, true, config);
}

static void judge(bool no_loss)
{
	program_signal(&world.relay, SIGINT);
	assert_int_equal(program_wait(&world.relay, 60), 0);
	program_show(&world.relay);
	capture_judge(&world.capture, PEER_ADDRESS, no_loss);
}

static void finish(void)
{
	echo_finish(&world.echo);
	judge(false);
}

/* Clowder connects out, Linux echoes. */
static void linux_is_server(const char *drop, const char *request_count, unsigned shard_count,
			    bool no_loss)
{
	const char *const server[] = {KERNEL_ECHO_PROGRAM, "0.0.0.0", ECHO_PORT, NULL};
	char path[64], text[1024];
	const char *const client[] = {ECHO_CLIENT_PROGRAM,
				      "--config",
				      path,
				      "--connections",
				      "4",
				      "--size",
				      "65535",
				      "--requests",
				      request_count,
				      "--limit",
				      "100",
				      "10.99.0.1",
				      ECHO_PORT,
				      NULL};
	int status;

	start("0", "0", drop, "0");
	snprintf(text, sizeof(text), "[runtime]\nshards = %u\nname = \"relay%d\"\n" PORT,
		 shard_count, (int)getpid());
	config_write(path, text);
	program_start(&world.server, world.far, server);
	program_expect(&world.server, "listening", 20);
	program_start(&world.client, world.near, client);
	status = program_wait(&world.client, 120);
	program_show(&world.client);
	assert_int_equal(status, 0);
	judge(no_loss);
}

/* RFC 8985 7.2: nothing is sent twice. With a shard that polls for itself: one that is handed its
 * packets cannot know that the other, whose core it shares with the relay and Linux here, was held
 * up for longer than a probe waits. */
static void linux_server_without_loss(void **state)
{
	(void)state;
	linux_is_server("0", "100", 1, true);
}

static void linux_server_without_loss_and_two_shards(void **state)
{
	(void)state;
	linux_is_server("0", "100", SHARD_COUNT, false);
}

static void linux_server_with_one_percent_loss(void **state)
{
	(void)state;
	linux_is_server("10", "20", SHARD_COUNT, false);
}

static void linux_server_with_five_percent_loss(void **state)
{
	(void)state;
	linux_is_server("50", "4", SHARD_COUNT, false);
}

static void exchange_on_each(size_t len)
{
	int fds[CONN_COUNT];

	for (int i = 0; i < CONN_COUNT; i++)
		fds[i] = peer_connect(0, NULL);
	for (int i = 0; i < CONN_COUNT; i++) {
		peer_exchange(fds[i], len);
		shutdown(fds[i], SHUT_WR);
	}
	for (int i = 0; i < CONN_COUNT; i++) {
		peer_expect_fin(fds[i]);
		close(fds[i]);
	}
}

static void bytes_survive_reordering(void **state)
{
	(void)state;
	start("1000", "50", "0", "0");
	start_echo("");
	exchange_on_each(1 << 20);
	finish();
}

static void bytes_survive_duplicates(void **state)
{
	(void)state;
	start("1000", "0", "0", "50");
	start_echo("");
	exchange_on_each(1 << 20);
	finish();
}

static void bytes_survive_all_at_once(void **state)
{
	(void)state;
	start("5000", "30", "10", "4");
	start_echo("");
	exchange_on_each(256 << 10);
	finish();
}

/*
 * With 200 ms of round trip a window without scaling moves 64 KiB a round. The transfer takes at
 * least its bytes / 64 KiB rounds then, 32 s for 10 MiB; with a window of 2 MiB, slow start
 * included, a few seconds. The bound is not one of speed but of rounds, and a loaded machine has
 * room under it.
 */
static void a_long_path_is_filled_beyond_64_kib_a_round(void **state)
{
	enum { LEN = 10 << 20, ROUND_MS = 200, WINDOW_LEN = 64 << 10 };
	struct timespec begun, ended;
	long ms;
	int fd;

	(void)state;
	start("100000", "0", "0", "0");
	world.echo.pushes = "2048"; /* one is a packet: 32 would be 46 KiB a round */
	start_echo("[tcp]\nrcvbuf_bytes = 4194304\nsndbuf_bytes = 4194304\n");
	fd = peer_connect(0, NULL);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	peer_exchange(fd, LEN);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	ms = (ended.tv_sec - begun.tv_sec) * 1000 + (ended.tv_nsec - begun.tv_nsec) / 1000000;
	fprintf(stderr, "long path: %d bytes each way in %ld ms, %.1f KiB a round of %d ms\n", LEN,
		ms, (double)LEN / 1024 * ROUND_MS / (double)ms, ROUND_MS);
	assert_true(ms < (long)(LEN / WINDOW_LEN) * ROUND_MS);
	shutdown(fd, SHUT_WR);
	peer_expect_fin(fd);
	close(fd);
	finish();
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(linux_server_without_loss),
		TEST(linux_server_without_loss_and_two_shards),
		TEST(linux_server_with_one_percent_loss),
		TEST(linux_server_with_five_percent_loss),
		TEST(bytes_survive_reordering),
		TEST(bytes_survive_duplicates),
		TEST(bytes_survive_all_at_once),
		TEST(a_long_path_is_filled_beyond_64_kib_a_round),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
