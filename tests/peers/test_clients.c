/*
 * Everyday clients of a Linux one router away, as people use them: what they send comes back
 * unchanged, and a half close is seen through.
 */
#include "capture.h"
#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"
#include "peer.h"
#include "routed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEST_SECONDS = 150 };

static struct {
	struct routed routed;
	struct echo echo;
	struct capture capture;
	unsigned long resets; /* of established connections, before the test */
} world;

static int setup(void **state)
{
	(void)state;
	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	memset(&world, 0, sizeof(world));
	world.echo.program.out = world.capture.dumpcap.out = -1;
	routed_create(&world.routed);
	echo_start(&world.echo, world.routed.link.echo, 2, false, world.routed.config);
	capture_start(&world.capture, world.routed.link.echo, "clowder0");
	netns_enter(world.routed.far);
	world.resets = netns_tcp_figure("EstabResets");
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

/* How often something was sent twice is printed, not judged: a busy machine may be the reason. */
static void finish(void)
{
	bool whole;

	assert_int_equal(netns_tcp_figure("EstabResets"), world.resets);
	netns_enter(world.routed.link.near);
	echo_expect_idle(&world.echo, 20);
	whole = capture_stop(&world.capture);
	echo_finish(&world.echo);
	if (!whole)
		skip();
	capture_judge(&world.capture, PEER_ADDRESS, false);
}

/* It sends a FIN after its last byte, and ends at ours. */
static void nc_gets_all_its_bytes_back_after_it_half_closed(void **state)
{
	const char *dir = work_dir();

	(void)state;
	run("head -c 8388608 /dev/urandom > %s/sent", dir);
	run("nc -N -w 15 " PEER_ADDRESS " " ECHO_PORT " < %s/sent > %s/got", dir, dir);
	run("cmp %s/sent %s/got", dir, dir);
	finish();
}

static void a_hundred_ncs_at_once_get_their_bytes_back(void **state)
{
	const char *dir = work_dir();

	(void)state;
	run("seq 1 20000 > %s/sent", dir);
	run("for i in $(seq 100); do nc -N -w 15 " PEER_ADDRESS " " ECHO_PORT
	    " < %s/sent > %s/got.$i & done; wait",
	    dir, dir);
	run("for i in $(seq 100); do cmp %s/sent %s/got.$i || exit 1; done", dir, dir);
	finish();
}

/* It reads nothing while it sends, so all must fit into the buffers in between; and it does not end
 * by itself. */
static void curl_gets_back_what_it_sent(void **state)
{
	const char *dir = work_dir();

	(void)state;
	run("head -c 100000 /dev/urandom | base64 > %s/sent; : > %s/got", dir, dir);
	run("curl -s -N -m 18 telnet://" PEER_ADDRESS ":" ECHO_PORT
	    " < %s/sent > %s/got & c=$!; for i in $(seq 150); do cmp -s %s/sent %s/got && break; "
	    "sleep 0.1; done; kill $c; wait $c; cmp %s/sent %s/got",
	    dir, dir, dir, dir, dir, dir);
	finish();
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(nc_gets_all_its_bytes_back_after_it_half_closed),
		TEST(a_hundred_ncs_at_once_get_their_bytes_back),
		TEST(curl_gets_back_what_it_sent),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
