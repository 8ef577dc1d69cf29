/*
 * Datagrams too long for the wire, which Linux cuts up: all of their bytes arrive, or none.
 */
#include "capture.h"
#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"
#include "peer.h"
#include "routed.h"
#include "telemetry.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	TEST_SECONDS = 60,
	LEN_MAX = 65507,
	FRAGMENTS_MAX = 8, /* of a datagram, as DPDK's reassembly has it */
	FRAGMENT_LEN = 1480,
	UDP_HEADER_LEN = 8,
};

#define FRAGMENTS "(ip.flags.mf == 1 || ip.frag_offset > 0) && ip.src == 10.98.0.2"

static struct {
	struct routed routed;
	struct program server;
	struct capture capture;
	char name[32];
} world;

static int setup(void **state)
{
	const char *const argv[] = {DIGEST_PROGRAM, NULL};
	char path[64], text[2048];

	(void)state;
	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	memset(&world, 0, sizeof(world));
	world.server.out = world.capture.dumpcap.out = -1;
	routed_create(&world.routed);
	snprintf(world.name, sizeof(world.name), "test%d", (int)getpid());
	snprintf(text, sizeof(text), "[runtime]\nshards = 2\nname = \"%s\"\n%s", world.name,
		 world.routed.config);
	config_write(path, text);
	setenv("CONFIG_PATH", path, 1);
	program_start(&world.server, world.routed.link.echo, argv);
	program_expect(&world.server, "digest: ready", 30);
	capture_start(&world.capture, world.routed.link.echo, "clowder0");
	netns_enter(world.routed.far);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	capture_clear(&world.capture);
	program_clear(&world.server);
	routed_destroy(&world.routed);
	return 0;
}

static uint64_t fnv1a(const uint8_t *bytes, size_t len)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static void send_datagram(int fd, uint8_t bytes[LEN_MAX], size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = pattern(len + i);
	assert_int_equal(send(fd, bytes, len, 0), (ssize_t)len);
}

static void expect_answer(size_t len)
{
	static uint8_t bytes[LEN_MAX];
	char expected[80], line[80] = "";
	int fd = peer_udp();

	send_datagram(fd, bytes, len);
	snprintf(expected, sizeof(expected), "bytes %zu fnv1a %016" PRIx64 "\n", len,
		 fnv1a(bytes, len));
	assert_true(recv(fd, line, sizeof(line) - 1, 0) > 0);
	assert_string_equal(line, expected);
	close(fd);
}

static unsigned long sum(const char *command, const char *key)
{
	return telemetry_sum(world.name, world.server.pid, command, key);
}

/* The exit status says whether every buffer came back. */
static void finish(void)
{
	bool whole = capture_stop(&world.capture);

	netns_enter(world.routed.link.near);
	program_signal(&world.server, SIGINT);
	assert_int_equal(program_wait(&world.server, 20), 0);
	if (!whole)
		skip();
	capture_judge(&world.capture, PEER_ADDRESS, true);
}

static void datagrams_that_linux_cut_up_arrive_whole(void **state)
{
	static const size_t lens[] = {
		1472, 1473, 2952, 2953, 4000, 9000, FRAGMENTS_MAX * FRAGMENT_LEN - UDP_HEADER_LEN};
	unsigned long reassembled;

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		expect_answer(lens[i]);
	reassembled = sum("/clowder/shards", "ip_reassembled");
	assert_int_equal(reassembled, 6); /* the first is no fragment */
	finish();
	fprintf(stderr, "fragments: %lu from Linux became %lu datagrams of up to %zu bytes\n",
		capture_count(&world.capture, FRAGMENTS), reassembled, lens[6]);
}

/* So does one that lost a fragment; what there is of it is given back in time. */
static void a_datagram_of_too_many_fragments_is_dropped_and_harms_nobody(void **state)
{
	static uint8_t bytes[LEN_MAX];
	struct timeval a_while = {.tv_usec = 300000};
	int fd = peer_udp();

	(void)state;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &a_while, sizeof(a_while));
	expect_answer(4000); /* and the addresses are known */
	send_datagram(fd, bytes, FRAGMENTS_MAX * FRAGMENT_LEN - UDP_HEADER_LEN + 1);
	send_datagram(fd, bytes, LEN_MAX);
	assert_int_equal(recv(fd, bytes, sizeof(bytes), 0), -1);
	assert_int_equal(errno, EAGAIN);
	close(fd);
	assert_true(sum("/clowder/drops", "ip_reassembly_full") > 0);
	expect_answer(4000);
	finish();
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(datagrams_that_linux_cut_up_arrive_whole),
		TEST(a_datagram_of_too_many_fragments_is_dropped_and_harms_nobody),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	if (getuid() != 0) /* what it would be then may belong to another user */
		setenv("RUNTIME_DIRECTORY", work_dir(), 1);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
