/*
 * The SDK's own client: against the SDK's server over shared memory, with no kernel in between,
 * and against a server on the kernel's TCP. It exits with 0 only if every byte was right, every
 * connection ended in order and no packet buffer was missing.
 */
#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { TEST_SECONDS = 100, CLIENT_SECONDS = 70 };

static struct {
	int ns;
	struct echo echo;
	struct program client, server;
	char client_config[64];
} world;

static int setup(void **state)
{
	(void)state;
	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	world.echo = (struct echo){0};
	world.ns = netns_create();
	netns_enter(world.ns);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	echo_clear(&world.echo);
	program_clear(&world.client);
	program_clear(&world.server);
	close(world.ns);
	return 0;
}

static void write_client_config(unsigned shard_count, const char *port)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "[runtime]\nshards = %u\nname = \"client%d\"\n[[port]]\n"
		 "address = \"10.99.0.3/24\"\n%s",
		 shard_count, (int)getpid(), port);
	config_write(world.client_config, text);
}

/* Runs the client to its end; every one of shard_count shards must have had requests. */
static void run_client(const char *address, const char *connections, const char *size,
		       const char *requests, unsigned shard_count)
{
	const char *const argv[] = {ECHO_CLIENT_PROGRAM,
				    "--config",
				    world.client_config,
				    "--connections",
				    connections,
				    "--size",
				    size,
				    "--requests",
				    requests,
				    "--limit",
				    "60",
				    address,
				    ECHO_PORT,
				    NULL};

	program_start(&world.client, world.ns, argv);
	for (unsigned i = 0; i < shard_count; i++) {
		const char *line = program_expect(&world.client, "shard ", CLIENT_SECONDS);

		assert_true(figure(line, "requests") > 0);
		assert_int_equal(figure(line, "failed"), 0);
	}
	program_expect(&world.client, "total connections", CLIENT_SECONDS);
	assert_int_equal(program_wait(&world.client, CLIENT_SECONDS), 0);
	program_clear(&world.client);
}

static void start_vhost_echo(unsigned shard_count)
{
	char port[256];

	snprintf(port, sizeof(port),
		 "[[port]]\ndevice = \"net_vhost0,iface=%s/vhost\"\naddress = \"10.99.0.2/24\"\n"
		 "mac = \"02:00:00:00:00:02\"\n",
		 work_dir());
	echo_start(&world.echo, world.ns, shard_count, false, port);
	snprintf(port, sizeof(port),
		 "device = \"net_virtio_user0,path=%s/vhost\"\nmac = \"02:00:00:00:00:03\"\n",
		 work_dir());
	write_client_config(shard_count, port);
}

static void two_processes_of_one_shard_talk_over_virtio_user(void **state)
{
	(void)state;
	start_vhost_echo(1);
	run_client("10.99.0.2", "16", "64", "500", 1);
	echo_finish(&world.echo);
}

static void two_processes_of_two_shards_talk_over_virtio_user(void **state)
{
	(void)state;
	start_vhost_echo(2);
	run_client("10.99.0.2", "64", "64", "200", 2);
	run_client("10.99.0.2", "8", "65535", "50", 2);
	echo_finish(&world.echo);
}

static void active_opens_of_two_shards_reach_a_server_of_the_kernel(void **state)
{
	const char *const argv[] = {KERNEL_ECHO_PROGRAM, "0.0.0.0", ECHO_PORT, NULL};

	(void)state;
	program_start(&world.server, world.ns, argv);
	program_expect(&world.server, "listening", 10);
	write_client_config(2, "device = \"net_tap0,iface=clowder0\"\n"
			       "kernel_address = \"10.99.0.1/24\"\n");
	run_client("10.99.0.1", "200", "1000", "50", 2);
	assert_int_equal(netns_tcp_figure("EstabResets"), 0);
}

static void a_refused_active_open_fails_and_nothing_is_left_over(void **state)
{
	const char *const argv[] = {ECHO_CLIENT_PROGRAM, "--config", world.client_config,
				    "10.99.0.1",	 ECHO_PORT,  NULL};

	(void)state;
	write_client_config(1, "device = \"net_tap0,iface=clowder0\"\n"
			       "kernel_address = \"10.99.0.1/24\"\n");
	program_start(&world.client, world.ns, argv);
	program_expect(&world.client, "after 0 requests: Connection refused", 20);
	program_expect(&world.client, "total connections 1 failed 1", 20);
	assert_int_equal(program_wait(&world.client, 20), 1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(two_processes_of_one_shard_talk_over_virtio_user),
		TEST(two_processes_of_two_shards_talk_over_virtio_user),
		TEST(active_opens_of_two_shards_reach_a_server_of_the_kernel),
		TEST(a_refused_active_open_fails_and_nothing_is_left_over),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
