/*
 * Bulk data both ways between Clowder and Linux one router away, where nothing, one or five of a
 * hundred packets are lost, Linux as client and as server, and against a Linux that lacks one
 * option or another. Every byte is compared; tshark judges what Clowder sent, captured on its own
 * tap.
 */
#include "capture.h"
#include "cmocka_all.h"
#include "echo_process.h"
#include "link.h"
#include "netns.h"
#include "peer.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TEST_SECONDS = 400, CLIENT_SECONDS = 200, CONN_COUNT = 4, SHARD_COUNT = 2 };

#define ROUTE "[[route]]\ndestination = \"10.98.0.0/24\"\ngateway = \"10.99.0.1\"\n"

static struct {
	struct link link;
	int far; /* namespace of the Linux peer; link.near is the router */
	struct echo echo;
	struct capture capture;
	struct program client, server;
} world;

static int setup(void **state)
{
	(void)state;
	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	memset(&world, 0, sizeof(world));
	world.client.out = world.server.out = world.echo.program.out = -1;
	world.capture.tcpdump.out = -1;
	link_create(&world.link, 0);
	world.far = netns_create();
	run("ip link add ra type veth peer name rb && ethtool -K ra tx off > /dev/null");
	run("ip link set rb netns /proc/%d/fd/%d", (int)getpid(), world.far);
	run("ip address add 10.98.0.1/24 dev ra && ip link set ra up");
	run("echo 1 > /proc/sys/net/ipv4/ip_forward");
	netns_enter(world.far);
	run("ip address add 10.98.0.2/24 dev rb && ip link set rb up");
	run("ethtool -K rb tx off > /dev/null && ip route add default via 10.98.0.1");
	netns_enter(world.link.near);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	netns_enter(world.link.near);
	program_clear(&world.client);
	program_clear(&world.server);
	capture_clear(&world.capture);
	echo_clear(&world.echo);
	close(world.far);
	link_destroy(&world.link);
	return 0;
}

static void lose(unsigned percent)
{
	if (percent)
		run("nft \"add table ip t; add chain ip t f { type filter hook forward priority 0; "
		    "}; add rule ip t f numgen random mod 100 < %u drop\"",
		    percent);
}

static void judge(unsigned percent)
{
	netns_enter(world.link.near);
	if (!capture_stop(&world.capture))
		skip();
	capture_judge(&world.capture, PEER_ADDRESS, percent == 0);
}

/* Connects from the far side and sends and receives len bytes at the same time. */
static void linux_is_client(unsigned percent, size_t len)
{
	char config[1024];
	int fds[CONN_COUNT];

	snprintf(config, sizeof(config), "%s" ROUTE, world.link.port);
	echo_start(&world.echo, world.link.echo, SHARD_COUNT, true, config);
	lose(percent);
	capture_start(&world.capture, world.link.echo, CAPTURE_IFACE);
	netns_enter(world.far);
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
	netns_enter(world.link.near);
	try("nft flush ruleset");
	echo_expect_idle(&world.echo, 60);
	judge(percent);
	echo_finish(&world.echo);
}

static void linux_is_server(unsigned percent, const char *request_count)
{
	const char *const server[] = {KERNEL_ECHO_PROGRAM, "0.0.0.0", ECHO_PORT, NULL};
	char path[64], text[1024];
	int status;
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
				      "180",
				      "10.98.0.2",
				      ECHO_PORT,
				      NULL};

	snprintf(text, sizeof(text), "[runtime]\nshards = %u\nname = \"bulk%d\"\n%s" ROUTE,
		 SHARD_COUNT, (int)getpid(), world.link.port);
	config_write(path, text);
	lose(percent);
	program_start(&world.server, world.far, server);
	program_expect(&world.server, "listening", 20);
	capture_start(&world.capture, world.link.echo, CAPTURE_IFACE);
	program_start(&world.client, world.link.echo, client);
	program_expect(&world.client, "total connections 4 failed 0", CLIENT_SECONDS);
	status = program_wait(&world.client, 60);
	program_show(&world.client);
	assert_int_equal(status, 0);
	judge(percent);
}

static void linux_client_without_loss(void **state)
{
	(void)state;
	linux_is_client(0, 8 << 20);
}

static void linux_client_with_one_percent_loss(void **state)
{
	(void)state;
	linux_is_client(1, 1 << 20);
}

static void linux_client_with_five_percent_loss(void **state)
{
	(void)state;
	linux_is_client(5, 256 << 10);
}

static void linux_server_without_loss(void **state)
{
	(void)state;
	linux_is_server(0, "100");
}

static void linux_server_with_one_percent_loss(void **state)
{
	(void)state;
	linux_is_server(1, "20");
}

static void linux_server_with_five_percent_loss(void **state)
{
	(void)state;
	linux_is_server(5, "4");
}

/* The peer is set so that it lacks, or wants, one option; half with and half without loss. */
static void against(const char *setting, unsigned percent)
{
	netns_enter(world.far);
	run("sysctl -q -w net.ipv4.%s", setting);
	netns_enter(world.link.near);
	linux_is_client(percent, percent ? 256 << 10 : 2 << 20);
}

static void linux_client_that_asks_for_ecn(void **state)
{
	(void)state;
	against("tcp_ecn=1", 1);
}

static void linux_client_without_sack(void **state)
{
	(void)state;
	against("tcp_sack=0", 1);
}

static void linux_client_without_timestamps(void **state)
{
	(void)state;
	against("tcp_timestamps=0", 1);
}

static void linux_client_without_window_scaling(void **state)
{
	(void)state;
	against("tcp_window_scaling=0", 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(linux_client_without_loss),
		TEST(linux_client_with_one_percent_loss),
		TEST(linux_client_with_five_percent_loss),
		TEST(linux_server_without_loss),
		TEST(linux_server_with_one_percent_loss),
		TEST(linux_server_with_five_percent_loss),
		TEST(linux_client_that_asks_for_ecn),
		TEST(linux_client_without_sack),
		TEST(linux_client_without_timestamps),
		TEST(linux_client_without_window_scaling),
	};

	cmocka_set_test_filter(argc > 1 ? argv[1] : TESTS);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
