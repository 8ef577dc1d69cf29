/*
 * The echo sample on every kind of device that a machine without a NIC has: it starts with the
 * queue pairs that the device gives, serves, and ends in order with every packet buffer home.
 */
#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEST_SECONDS = 60, CLIENT_SECONDS = 40 };

#define ADDRESS "10.99.0.2"
#define TAP                                                                                        \
	"[[port]]\ndevice = \"net_tap0,iface=clowder0\"\naddress = \"" ADDRESS "/24\"\n"           \
	"kernel_address = \"10.99.0.1/24\"\n"
#define HUGEPAGES_FILE "/proc/sys/vm/nr_hugepages"

static struct {
	int near, far; /* namespaces: of the kernel's client, and of the program under test */
	struct echo echo;
	struct program client;
	long hugepages; /* reserved before the test; -1: untouched */
} world;

static int setup(void **state)
{
	(void)state;
	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	world.near = netns_create();
	world.far = netns_create();
	world.hugepages = -1;
	netns_enter(world.near);
	return 0;
}

static void give_hugepages_back(void)
{
	if (world.hugepages >= 0)
		try("echo %ld > " HUGEPAGES_FILE, world.hugepages);
	world.hugepages = -1;
}

static int teardown(void **state)
{
	(void)state;
	echo_clear(&world.echo);
	program_clear(&world.client);
	close(world.near);
	close(world.far);
	give_hugepages_back();
	return 0;
}

/* A veth pair from namespace ns, where it is va and has an address, to the program's, where it is
 * vb. */
static void make_veth(int ns, const char *address)
{
	netns_enter(ns);
	run("ip link add va address 02:00:00:00:00:0a type veth peer name vb");
	run("ethtool -K va tx off > /dev/null"); /* else checksums on a veth stay unfinished */
	run("ip address add %s dev va && ip link set va up", address);
	run("ip link set vb netns /proc/%d/fd/%d", (int)getpid(), world.far);
	netns_enter(world.far);
	run("ip link set vb up");
	netns_enter(world.near);
}

/* 64 connections, half of whose requests fit one packet and half do not. */
static void load(void)
{
	run(CLIENT_PROGRAM " -g -c 64 -n 50 " ADDRESS " " ECHO_PORT);
	run(CLIENT_PROGRAM " -g -c 64 -n 5 -s 20000 " ADDRESS " " ECHO_PORT);
}

static void serve(int ns, unsigned shard_count, const char *config)
{
	echo_start(&world.echo, ns, shard_count, true, config);
	load();
	echo_finish(&world.echo);
	echo_clear(&world.echo);
}

/* Not only inside a user namespace: then /proc/self/uid_map maps all ids to themselves. */
static bool real_root(void)
{
	unsigned long inside, outside, count = 0;
	FILE *file = fopen("/proc/self/uid_map", "r");

	assert_non_null(file);
	if (fscanf(file, "%lu %lu %lu", &inside, &outside, &count) != 3)
		count = 0;
	fclose(file);
	return getuid() == 0 && count == 4294967295;
}

/* What the program said about its ports, in its own lines at the start. */
static void expect_said(const char *what)
{
	char line[512];
	size_t at = 0;

	if (!program_find(&world.echo.program, &at, what, line)) {
		program_show(&world.echo.program);
		fail_msg("it did not say \"%s\"", what);
	}
}

/* --- tests --- */

static void a_tap_serves_one_shard_and_more_shards_than_cpus_or_queues(void **state)
{
	static const unsigned counts[] = {1, 2, 4, 6};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		serve(world.near, counts[i], "[tcp]\nconn_max = 1000\n" TAP);
}

static void af_packet_with_two_queues_serves_four_shards(void **state)
{
	(void)state;
	make_veth(world.near, "10.99.0.1/24");
	echo_start(&world.echo, world.far, 4, true,
		   "[[port]]\ndevice = \"net_af_packet0,iface=vb\"\naddress = \"" ADDRESS
		   "/24\"\nqueues = 2\n");
	expect_said("2 queue pair(s), steering software");
	load();
	echo_finish(&world.echo);
}

static void af_xdp_with_one_queue_serves_two_shards(void **state)
{
	(void)state;
	if (!real_root()) {
		print_message("net_af_xdp wants root\n");
		skip();
	}
	make_veth(world.near, "10.99.0.1/24");
	echo_start(&world.echo, world.far, 2, true,
		   "[[port]]\ndevice = \"net_af_xdp0,iface=vb\"\naddress = \"" ADDRESS "/24\"\n");
	expect_said("1 queue pair(s), steering software");
	load();
	/* The driver looks for what was sent when it sends the next time, so the last packets are
	 * not home before it is closed. */
	echo_expect_connections(&world.echo, 0, 10);
	program_signal(&world.echo.program, SIGINT);
	if (program_wait(&world.echo.program, 20)) {
		program_show(&world.echo.program);
		fail_msg("it did not end in order");
	}
	program_expect(&world.echo.program, "echo: ended in order", 1);
}

static void pcap_on_an_interface_serves_two_shards(void **state)
{
	(void)state;
	make_veth(world.near, "10.99.0.1/24");
	serve(world.far, 2,
	      "[[port]]\ndevice = \"net_pcap0,iface=vb\"\naddress = \"" ADDRESS "/24\"\n");
}

static void null_and_pcap_files_start_and_stop_with_any_number_of_shards(void **state)
{
	/* The header of an Ethernet capture without a packet. */
	static const unsigned char empty[24] = {0xd4, 0xc3, 0xb2, 0xa1,	    2,
						0,    4,    0,	  [17] = 4, [20] = 1};
	char path[64], config[512];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/empty.pcap", work_dir());
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(empty, sizeof(empty), 1, file), 1);
	assert_int_equal(fclose(file), 0);
	for (unsigned shard_count = 1; shard_count <= 4; shard_count += shard_count) {
		echo_start(&world.echo, world.near, shard_count, false,
			   "[[port]]\ndevice = \"net_null0\"\naddress = \"" ADDRESS "/24\"\n");
		echo_finish(&world.echo);
		echo_clear(&world.echo);
		snprintf(config, sizeof(config),
			 "[[port]]\ndevice = \"net_pcap0,rx_pcap=%s,tx_pcap=%s/out.pcap\"\n"
			 "address = \"" ADDRESS "/24\"\n",
			 path, work_dir());
		echo_start(&world.echo, world.near, shard_count, false, config);
		echo_finish(&world.echo);
		echo_clear(&world.echo);
	}
}

/* The client goes first: the driver does not survive a peer that leaves under traffic. */
static void two_processes_talk_over_memif(void **state)
{
	const char *const argv[] = {ECHO_CLIENT_PROGRAM,
				    "--config",
				    NULL,
				    "--connections",
				    "32",
				    "--size",
				    "1000",
				    "--requests",
				    "100",
				    "--limit",
				    "30",
				    ADDRESS,
				    ECHO_PORT,
				    NULL};
	const char *client_argv[sizeof(argv) / sizeof(argv[0])];
	char text[512], path[64];

	(void)state;
	snprintf(
		text, sizeof(text),
		"[[port]]\ndevice = \"net_memif0,role=server,socket-abstract=no,socket=%s/memif\"\n"
		"address = \"" ADDRESS "/24\"\nmac = \"02:00:00:00:00:02\"\n",
		work_dir());
	echo_start(&world.echo, world.near, 2, false, text);
	snprintf(text, sizeof(text),
		 "[runtime]\nshards = 2\n[[port]]\n"
		 "device = \"net_memif0,role=client,socket-abstract=no,socket=%s/memif\"\n"
		 "address = \"10.99.0.3/24\"\nmac = \"02:00:00:00:00:03\"\n",
		 work_dir());
	config_write(path, text);
	memcpy(client_argv, argv, sizeof(argv));
	client_argv[2] = path;
	program_start(&world.client, world.near, client_argv);
	for (int i = 0; i < 2; i++)
		assert_true(figure(program_expect(&world.client, "shard ", CLIENT_SECONDS),
				   "requests") > 0);
	assert_int_equal(figure(program_expect(&world.client, "total connections", CLIENT_SECONDS),
				"requests"),
			 3200);
	assert_int_equal(program_wait(&world.client, CLIENT_SECONDS), 0);
	echo_finish(&world.echo);
}

/* hwloc's choice is this process's cpus at most. */
static void auto_takes_as_many_shards_as_there_are_cores(void **state)
{
	const char *argv[] = {ECHO_PROGRAM, "--config", world.echo.config, "--port",
			      ECHO_PORT,    "--udp",	"--stats",	   "0.1",
			      "--greet",    NULL};
	const char *line;
	unsigned count;

	(void)state;
	config_write(world.echo.config, "[runtime]\nshards = \"auto\"\n" TAP);
	program_start(&world.echo.program, world.near, argv);
	line = program_expect(&world.echo.program, "shards: ", 30);
	assert_int_equal(sscanf(strstr(line, "shards: "), "shards: %u, on cpu", &count), 1);
	assert_in_range(count, 1, sysconf(_SC_NPROCESSORS_ONLN));
	program_expect(&world.echo.program, "echo: ready", 30);
	world.echo.shard_count = count;
	load();
	echo_finish(&world.echo);
}

/*
 * The second port's network is 10.97.0.0/24. Its peer does not answer ARP, so that only a static
 * neighbour leads there, and asks from 10.96.0.1, to which only the route leads.
 */
static void two_ports_serve_with_a_route_and_a_static_neighbour(void **state)
{
	int peer = netns_create();

	(void)state;
	make_veth(peer, "10.97.0.1/24");
	netns_enter(peer);
	run("echo 8 > /proc/sys/net/ipv4/conf/va/arp_ignore");
	run("ip address add 10.96.0.1/32 dev lo");
	run("ip route add 10.97.0.2/32 dev va src 10.96.0.1");
	netns_enter(world.far);
	echo_start(&world.echo, world.far, 2, true,
		   TAP "[[port]]\ndevice = \"net_af_packet0,iface=vb\"\n"
		       "address = \"10.97.0.2/24\"\n"
		       "[[route]]\ndestination = \"10.96.0.0/24\"\ngateway = \"10.97.0.1\"\n"
		       "[[neighbour]]\naddress = \"10.97.0.1\"\nmac = \"02:00:00:00:00:0a\"\n");
	load();
	netns_enter(peer);
	run(CLIENT_PROGRAM " -g -c 64 -n 50 10.97.0.2 " ECHO_PORT);
	run(CLIENT_PROGRAM " -g -c 64 -n 5 -s 20000 10.97.0.2 " ECHO_PORT);
	netns_enter(world.near);
	echo_finish(&world.echo);
	close(peer);
}

static void hugepages_are_used_where_they_are(void **state)
{
	FILE *file = fopen(HUGEPAGES_FILE, "r");

	(void)state;
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld", &world.hugepages), 1);
	fclose(file);
	if (!real_root() || try("echo %ld > " HUGEPAGES_FILE, world.hugepages + 400)) {
		world.hugepages = -1;
		print_message("hugepages cannot be reserved here\n");
		skip();
	}
	echo_start(&world.echo, world.near, 2, true,
		   "[tcp]\nconn_max = 1000\n[memory]\nhugepages = \"always\"\n" TAP);
	expect_said("eal: ");
	load();
	echo_finish(&world.echo);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tap_serves_one_shard_and_more_shards_than_cpus_or_queues),
		TEST(af_packet_with_two_queues_serves_four_shards),
		TEST(af_xdp_with_one_queue_serves_two_shards),
		TEST(pcap_on_an_interface_serves_two_shards),
		TEST(null_and_pcap_files_start_and_stop_with_any_number_of_shards),
		TEST(two_processes_talk_over_memif),
		TEST(auto_takes_as_many_shards_as_there_are_cores),
		TEST(two_ports_serve_with_a_route_and_a_static_neighbour),
		TEST(hugepages_are_used_where_they_are),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
