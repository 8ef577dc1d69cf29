/*
 * Peers that fall silent: idle ones that answer keepalives, and dead ones, with and without data
 * outstanding. A router in between cuts the wire; tshark looks at what Clowder sent on its own.
 */
#include "capture.h"
#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"
#include "peer.h"
#include "routed.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TEST_SECONDS = 120, END_SECONDS = 40, EXCHANGE_LEN = 10000, IDLE_SECONDS = 5 };

static struct {
	struct routed routed;
	struct program server;
	struct capture capture;
} world;

static int setup(void **state)
{
	(void)state;
	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	memset(&world, 0, sizeof(world));
	world.server.out = world.capture.dumpcap.out = -1;
	routed_create(&world.routed);
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

/* argv: the program and its arguments; rest: of the configuration. */
static void start(const char *const argv[], const char *rest)
{
	char path[64], text[2048];

	snprintf(text, sizeof(text), "[runtime]\nshards = 1\nname = \"silence%d\"\n%s%s",
		 (int)getpid(), world.routed.config, rest);
	config_write(path, text);
	setenv("CONFIG_PATH", path, 1);
	program_start(&world.server, world.routed.link.echo, argv);
	program_expect(&world.server, "patience: ready", 30);
	capture_start(&world.capture, world.routed.link.echo, "clowder0");
	netns_enter(world.routed.far);
}

static int open_and_use(void)
{
	int fd = peer_connect(0, NULL);

	peer_exchange(fd, EXCHANGE_LEN);
	return fd;
}

/* The router passes on no packet that rule matches, and says nothing of it. */
static void cut(const char *rule)
{
	netns_enter(world.routed.link.near);
	run("nft \"add table ip t; add chain ip t f { type filter hook forward priority 0; }; add "
	    "rule ip t f %s drop\"",
	    rule);
	netns_enter(world.routed.far);
}

static void mend(void)
{
	netns_enter(world.routed.link.near);
	run("nft flush ruleset");
	netns_enter(world.routed.far);
}

/* The server gives the connection up for that reason, no sooner than it may, and has everything
 * back; returns how many milliseconds after the peer's last byte. */
static unsigned long expect_end(int error, unsigned long silence_ms_min)
{
	unsigned long silence_ms;
	const char *line = program_expect(&world.server, "patience: ended", END_SECONDS);

	if (figure(line, "errno") != (unsigned long)error)
		fail_msg("not for %s: %s", strerror(error), line);
	silence_ms = figure(line, "silence_ms");
	assert_true(silence_ms >= silence_ms_min);
	line = program_expect(&world.server, "patience: all back", END_SECONDS);
	assert_int_equal(figure(line, "connections"), 0);
	assert_int_equal(figure(line, "tokens"), 0);
	assert_int_equal(figure(line, "mbufs"), figure(line, "idle"));
	return silence_ms;
}

/* The capture first: it would miss its device when the server has ended. */
static void finish(void)
{
	bool whole = capture_stop(&world.capture);

	netns_enter(world.routed.link.near);
	program_signal(&world.server, SIGINT);
	if (program_wait(&world.server, END_SECONDS) != 0) {
		program_show(&world.server);
		fail_msg("the server did not end in order");
	}
	if (!whole)
		skip();
	capture_judge(&world.capture, PEER_ADDRESS, false);
}

/* After the wire is mended Linux sends its bytes again, to a connection that is no more. */
static void expect_reset(int fd)
{
	char bytes[64];

	mend();
	assert_int_equal(recv(fd, bytes, sizeof(bytes), 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
}

/* --- keepalive --- */

static const char *const with_keepalive[] = {PATIENCE_PROGRAM, "keepalive", "1", "1", "3", NULL};

#define OURS   "ip.src == " PEER_ADDRESS
#define THEIRS "ip.src == 10.98.0.2"

/* MUST-24, MUST-27 */
static void an_idle_peer_that_answers_keepalives_keeps_its_connection(void **state)
{
	unsigned long probes, answers;
	int fd;

	(void)state;
	start(with_keepalive, "");
	fd = open_and_use();
	sleep(IDLE_SECONDS);
	peer_exchange(fd, EXCHANGE_LEN);
	shutdown(fd, SHUT_WR);
	peer_expect_fin(fd);
	close(fd);
	expect_end(0, 0);
	finish();
	probes = capture_count(&world.capture, "tcp.analysis.keep_alive && " OURS);
	answers = capture_count(&world.capture, "tcp.analysis.keep_alive_ack && " THEIRS);
	fprintf(stderr,
		"keepalive: idle for %d s: probes %lu, of them with data %lu, answers %lu\n",
		IDLE_SECONDS, probes,
		capture_count(&world.capture, "tcp.analysis.keep_alive && tcp.len > 0 && " OURS),
		answers);
	assert_true(probes >= 2); /* one a second, whatever a busy machine makes of it */
	assert_int_equal(answers, probes);
}

static void keepalives_of_linux_are_answered(void **state)
{
	const char *const argv[] = {PATIENCE_PROGRAM, NULL};
	int fd, second = 1, probe_count = 3;
	unsigned long probes, answers;

	(void)state;
	start(argv, "");
	fd = open_and_use();
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &second, sizeof(second));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &second, sizeof(second));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probe_count, sizeof(probe_count));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &second, sizeof(second));
	sleep(IDLE_SECONDS);
	peer_exchange(fd, EXCHANGE_LEN);
	shutdown(fd, SHUT_WR);
	peer_expect_fin(fd);
	close(fd);
	expect_end(0, 0);
	finish();
	probes = capture_count(&world.capture, "tcp.analysis.keep_alive && " THEIRS);
	answers = capture_count(&world.capture, "tcp.analysis.keep_alive_ack && " OURS);
	fprintf(stderr, "keepalive: of Linux, idle for %d s: probes %lu, answers %lu\n",
		IDLE_SECONDS, probes, answers);
	assert_true(probes >= 2);
	assert_int_equal(answers, probes);
}

/* One lost answer is not death, three are: a second of idleness, and three of waiting. MUST-29 */
static void a_dead_peer_is_found_out_by_keepalives(void **state)
{
	unsigned long silence_ms, probes;
	int fd;

	(void)state;
	start(with_keepalive, "");
	fd = open_and_use();
	cut("ip saddr " PEER_ADDRESS);
	silence_ms = expect_end(ETIMEDOUT, 3900);
	close(fd);
	finish();
	probes = capture_count(&world.capture, "tcp.analysis.keep_alive && " OURS);
	fprintf(stderr, "keepalive: dead peer: probes %lu, ETIMEDOUT after %lu ms\n", probes,
		silence_ms);
	assert_int_equal(probes, 3);
}

/* --- data outstanding --- */

static void die_with_data_outstanding(const char *const argv[], const char *rest, const char *what)
{
	unsigned long silence_ms;
	int fd;

	start(argv, rest);
	fd = open_and_use();
	cut("ip saddr " PEER_ADDRESS);
	assert_int_equal(send(fd, "who hears me?", 13, 0), 13);
	silence_ms = expect_end(ETIMEDOUT, 2000);
	expect_reset(fd);
	finish();
	fprintf(stderr, "dead peer: %s: ETIMEDOUT after %lu ms, retransmissions %lu\n", what,
		silence_ms, capture_count(&world.capture, "tcp.analysis.retransmission && " OURS));
}

/* RFC 5482 */
static void data_outstanding_waits_no_longer_than_the_user_timeout(void **state)
{
	const char *const argv[] = {PATIENCE_PROGRAM, "user-timeout", "2000", NULL};

	(void)state;
	die_with_data_outstanding(argv, "", "TCP_USER_TIMEOUT 2 s");
}

/* MUST-20, MUST-21 */
static void data_outstanding_waits_no_longer_than_the_configuration_says(void **state)
{
	const char *const argv[] = {PATIENCE_PROGRAM, NULL};

	(void)state;
	die_with_data_outstanding(argv, "[tcp]\nuser_timeout_s = 3\n", "user_timeout_s 3");
}

/* The router asks for the peer in vain and says so: a reason to give at the end, not to end. */
static void an_unreachable_host_is_the_reason_when_patience_ends(void **state)
{
	const char *const argv[] = {PATIENCE_PROGRAM, "user-timeout", "8000", NULL};
	unsigned long silence_ms;
	int fd;

	(void)state;
	start(argv, "");
	fd = open_and_use();
	assert_int_equal(send(fd, "who hears me?", 13, 0), 13);
	run("ip link set rb down");
	netns_enter(world.routed.link.near);
	run("ip neighbour flush dev ra");
	silence_ms = expect_end(EHOSTUNREACH, 0);
	close(fd);
	finish();
	fprintf(stderr, "dead peer: unreachable: EHOSTUNREACH after %lu ms\n", silence_ms);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(an_idle_peer_that_answers_keepalives_keeps_its_connection),
		TEST(keepalives_of_linux_are_answered),
		TEST(a_dead_peer_is_found_out_by_keepalives),
		TEST(data_outstanding_waits_no_longer_than_the_user_timeout),
		TEST(data_outstanding_waits_no_longer_than_the_configuration_says),
		TEST(an_unreachable_host_is_the_reason_when_patience_ends),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
