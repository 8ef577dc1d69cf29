/*
 * Bulk data both ways between Clowder and a Linux client one router away, where none, one or five
 * of a hundred packets are lost, and against a Linux that lacks one option or another. Every byte
 * is compared; tshark judges what Clowder sent, captured on its own tap.
 */
#include "capture.h"
#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"
#include "peer.h"
#include "routed.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TEST_SECONDS = 400, CONN_COUNT = 4, SHARD_COUNT = 2 };

static struct {
	struct routed routed;
	struct echo echo;
	struct capture capture;
} world;

static int setup(void **state)
{
	(void)state;
	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	memset(&world, 0, sizeof(world));
	world.echo.program.out = -1;
	world.capture.dumpcap.out = -1;
	routed_create(&world.routed);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	capture_clear(&world.capture);
	echo_clear(&world.echo);
	routed_destroy(&world.routed);
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
	netns_enter(world.routed.link.near);
	if (!capture_stop(&world.capture))
		skip();
	capture_judge(&world.capture, PEER_ADDRESS, percent == 0);
}

/* Connects from the far side and sends and receives len bytes at the same time. */
static void linux_is_client(unsigned percent, size_t len)
{
	int fds[CONN_COUNT];

	echo_start(&world.echo, world.routed.link.echo, SHARD_COUNT, true, world.routed.config);
	lose(percent);
	capture_start(&world.capture, world.routed.link.echo, "clowder0");
	netns_enter(world.routed.far);
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
	netns_enter(world.routed.link.near);
	try("nft flush ruleset");
	echo_expect_idle(&world.echo, 60);
	judge(percent);
	echo_finish(&world.echo);
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

/* The peer is set so that it lacks, or wants, one option; half with and half without loss. */
static void against(const char *setting, unsigned percent)
{
	netns_enter(world.routed.far);
	run("sysctl -q -w net.ipv4.%s", setting);
	netns_enter(world.routed.link.near);
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
		TEST(linux_client_without_loss),	   TEST(linux_client_with_one_percent_loss),
		TEST(linux_client_with_five_percent_loss), TEST(linux_client_that_asks_for_ecn),
		TEST(linux_client_without_sack),	   TEST(linux_client_without_timestamps),
		TEST(linux_client_without_window_scaling),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
