/*
 * Paths that take smaller packets than the wire: routers that say so, and routers that do not.
 *
 *      Clowder --- [near] ra ---- 1280 bytes ---- rb [far, a router too] rc --- rd [beyond]
 */
#include "capture.h"
#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"
#include "peer.h"
#include "routed.h"
#include "telemetry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TEST_SECONDS = 150, BULK_LEN = 4 << 20, NARROW_MTU = 1280 };

#define TOO_BIG	 "icmp.type == 3 && icmp.code == 4 && ip.dst == " PEER_ADDRESS
#define OUR_TCP	 "tcp && !icmp && ip.src == " PEER_ADDRESS
#define ALL_WIDE "tcp && !icmp && ip.len > 1280"

static struct {
	struct routed routed;
	int beyond; /* 10.96.0.2, whose own wire takes 1500 bytes */
	struct echo echo;
	struct capture capture;
	char name[32]; /* [runtime] name, as echo_start() writes it */
} world;

static int setup(void **state)
{
	(void)state;
	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	memset(&world, 0, sizeof(world));
	world.echo.program.out = world.capture.dumpcap.out = -1;
	snprintf(world.name, sizeof(world.name), "test%d", (int)getpid());
	routed_create(&world.routed);
	run("ip link set ra mtu %d && ip route add 10.96.0.0/24 via 10.98.0.2", NARROW_MTU);
	netns_enter(world.routed.far);
	run("ip link set rb mtu %d", NARROW_MTU);
	world.beyond = routed_attach("rc", "rd", 96);
	netns_enter(world.routed.link.near);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	capture_clear(&world.capture);
	echo_clear(&world.echo);
	close(world.beyond);
	routed_destroy(&world.routed);
	return 0;
}

/* tool: what the configuration says of the route to the far end, in lines. */
static void start(const char *tool)
{
	char config[2048];

	snprintf(config, sizeof(config),
		 "%s[[route]]\ndestination = \"10.96.0.0/24\"\ngateway = \"10.99.0.1\"\n%s",
		 world.routed.config, tool);
	echo_start(&world.echo, world.routed.link.echo, 2, true, config);
	capture_start(&world.capture, world.routed.link.echo, "clowder0");
}

static void exchange_from_beyond(void)
{
	int fd;

	netns_enter(world.beyond);
	fd = peer_connect(0, NULL);
	peer_exchange(fd, BULK_LEN);
	shutdown(fd, SHUT_WR);
	peer_expect_fin(fd);
	close(fd);
	netns_enter(world.routed.link.near);
}

static unsigned long count(const char *figure_name)
{
	return telemetry_sum(world.name, world.echo.program.pid, "/clowder/shards", figure_name);
}

/* How often something was sent twice is printed, not judged: a busy machine may be the reason. */
static void finish(void)
{
	bool whole;

	echo_expect_idle(&world.echo, 20);
	whole = capture_stop(&world.capture);
	echo_finish(&world.echo);
	if (!whole)
		skip();
	capture_judge(&world.capture, PEER_ADDRESS, false);
}

/* RFC 1191 */
static void segments_become_as_small_as_a_router_says(void **state)
{
	unsigned long lowered, again;

	(void)state;
	start("");
	exchange_from_beyond();
	lowered = count("tcp_pmtu_lowered");
	exchange_from_beyond();
	again = count("tcp_pmtu_lowered");
	finish();
	fprintf(stderr,
		"path MTU: connections lowered %lu, of a second one %lu; ICMP errors %lu, our "
		"packets %lu, above 1280 bytes %lu, of 1280 bytes %lu\n",
		lowered, again - lowered, capture_count(&world.capture, TOO_BIG),
		capture_count(&world.capture, OUR_TCP),
		capture_count(&world.capture, ALL_WIDE " && ip.src == " PEER_ADDRESS),
		capture_count(&world.capture, OUR_TCP " && ip.len == 1280"));
	assert_int_equal(lowered, 1);
	assert_int_equal(again, lowered); /* what is known of the path goes for the next, too */
	assert_true(capture_count(&world.capture, OUR_TCP " && ip.len == 1280") > 100);
}

/* Both routers drop what is too big in silence. */
static void dig_black_hole(void)
{
	const char *rules = "add table ip t; add chain ip t o { type filter hook output priority "
			    "0; }; add rule ip t o icmp type destination-unreachable drop";

	run("nft \"%s\"", rules);
	netns_enter(world.routed.far);
	run("nft \"%s\"", rules);
	netns_enter(world.routed.link.near);
}

/* The tool is a line of the route's. */
static void through_a_black_hole(const char *tool)
{
	dig_black_hole();
	start(tool);
	exchange_from_beyond();
	finish();
	assert_int_equal(capture_count(&world.capture, "icmp"), 0);
	assert_int_equal(capture_count(&world.capture, ALL_WIDE), 0);
}

static void a_routes_mss_leads_around_a_black_hole(void **state)
{
	(void)state;
	through_a_black_hole("mss = 1240\n");
}

static void a_routes_mtu_leads_around_a_black_hole(void **state)
{
	(void)state;
	through_a_black_hole("mtu = 1280\n");
}

/* Linux is told the path's MTU here, and asks for more than that all the same. */
static void a_black_hole_without_a_tool_ends_a_connection_in_time(void **state)
{
	int fd;

	(void)state;
	dig_black_hole();
	start("[tcp]\nuser_timeout_s = 3\n");
	netns_enter(world.beyond);
	run("ip route change default via 10.96.0.1 mtu lock 1280 advmss 1460");
	fd = peer_connect(0, NULL);
	peer_stuff(fd, 100000);
	netns_enter(world.routed.link.near);
	echo_expect_idle(&world.echo, 30);
	assert_int_equal(count("conn_timeout"), 1);
	close(fd);
	finish();
	fprintf(stderr, "black hole: without a tool %lu packets above 1280 bytes in 3 s\n",
		capture_count(&world.capture, ALL_WIDE));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(segments_become_as_small_as_a_router_says),
		TEST(a_routes_mss_leads_around_a_black_hole),
		TEST(a_routes_mtu_leads_around_a_black_hole),
		TEST(a_black_hole_without_a_tool_ends_a_connection_in_time),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	if (getuid() != 0) /* what it would be then may belong to another user */
		setenv("RUNTIME_DIRECTORY", work_dir(), 1);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
