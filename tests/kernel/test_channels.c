/*
 * Channels between two shards on a tap: messages in order, whole and all, also through full
 * mailboxes; and bytes that one shard's connection received and another shard's sends.
 */
#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"
#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEST_SECONDS = 60, LOAD_SECONDS = 40, FORWARD_LEN = 32 << 20, ONWARD_PORT = 7001 };

static struct {
	int ns;
	struct program program;
} world;

static int setup(void **state)
{
	char path[64];

	(void)state;
	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	world.ns = netns_create();
	netns_enter(world.ns);
	config_write(path, "[runtime]\nshards = 2\nmailbox_entries = 64\n[[port]]\n"
			   "device = \"net_tap0,iface=clowder0\"\naddress = \"" PEER_ADDRESS
			   "/24\"\nkernel_address = \"10.99.0.1/24\"\n");
	setenv("CONFIG_PATH", path, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	program_clear(&world.program);
	close(world.ns);
	return 0;
}

/* Each shard's line of figures shows count messages both ways; at least pushing were under way at
 * a time. */
static void expect_load(const char *kind, const char *count, unsigned long pushing)
{
	const char *line;

	program_start(&world.program, world.ns,
		      (const char *const[]){CHANNEL_LOAD_PROGRAM, kind, count, NULL});
	for (int i = 0; i < 2; i++) {
		line = program_expect(&world.program, "shard ", LOAD_SECONDS);
		assert_int_equal(figure(line, "sent"), strtoul(count, NULL, 10));
		assert_int_equal(figure(line, "got"), strtoul(count, NULL, 10));
		assert_true(figure(line, "pushing_max") >= pushing);
	}
	if (program_wait(&world.program, LOAD_SECONDS)) {
		program_show(&world.program);
		fail_msg("it did not end in order");
	}
}

static int listen_onward(void)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(ONWARD_PORT)};
	struct timeval give_up = {.tv_sec = 20};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &give_up, sizeof(give_up));
	assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof(local)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* A child sends the pattern and a FIN. */
static pid_t send_pattern(int fd)
{
	pid_t pid = fork();
	uint8_t chunk[16384];

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (uint64_t at = 0; at < FORWARD_LEN; at += sizeof(chunk)) {
		for (size_t i = 0; i < sizeof(chunk); i++)
			chunk[i] = pattern(at + i);
		for (size_t done = 0; done < sizeof(chunk);) {
			ssize_t n = send(fd, chunk + done, sizeof(chunk) - done, MSG_NOSIGNAL);

			if (n <= 0)
				_exit(1);
			done += (size_t)n;
		}
	}
	_exit(shutdown(fd, SHUT_WR) ? 1 : 0);
}

/* --- tests --- */

static void a_hundred_thousand_messages_go_to_and_fro(void **state)
{
	(void)state;
	expect_load("pingpong", "50000", 0);
}

static void a_hundred_thousand_messages_each_way_fit_through_full_mailboxes(void **state)
{
	(void)state;
	expect_load("stream", "100000", 200);
}

static void what_one_shard_receives_another_sends_byte_for_byte(void **state)
{
	int listener = listen_onward(), in, out, status;
	pid_t sender;

	(void)state;
	program_start(&world.program, world.ns,
		      (const char *const[]){FORWARD_PROGRAM, "10.99.0.1", "7001", NULL});
	program_expect(&world.program, "forward: ready", 20);
	out = accept(listener, NULL, NULL);
	assert_true(out >= 0);
	in = peer_connect(0, NULL);
	sender = send_pattern(in);
	peer_receive(out, FORWARD_LEN);
	peer_expect_fin(out);
	close(out);
	assert_int_equal(waitpid(sender, &status, 0), sender);
	assert_int_equal(status, 0);
	peer_expect_fin(in);
	close(in);
	close(listener);
	if (program_wait(&world.program, 20)) {
		program_show(&world.program);
		fail_msg("it did not end in order");
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hundred_thousand_messages_go_to_and_fro),
		TEST(a_hundred_thousand_messages_each_way_fit_through_full_mailboxes),
		TEST(what_one_shard_receives_another_sends_byte_for_byte),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
