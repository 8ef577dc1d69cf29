/*
 * The echo sample on a real device against the kernel's TCP. Linked once for each kind of device
 * (link_*.c). Each test has namespaces and an echo process of its own, and ends with
 * echo_finish(): no connection and no packet buffer is left over.
 */
#include "cmocka_all.h"
#include "echo_process.h"
#include "link.h"
#include "netns.h"
#include "peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONN_COUNT = 64, TEST_SECONDS = 150 };

static struct {
	struct link link;
	struct echo echo;
	unsigned long resets; /* of established connections, before the test */
} world;

static void start(unsigned shard_count, unsigned queue_count, const char *rest)
{
	char config[1024];

	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	world.echo = (struct echo){0};
	link_create(&world.link, queue_count);
	snprintf(config, sizeof(config), "%s%s", world.link.port, rest);
	echo_start(&world.echo, world.link.echo, shard_count, true, config);
	world.resets = netns_tcp_figure("EstabResets");
}

static int setup_two_shards(void **state)
{
	(void)state;
	start(2, 0, "");
	return 0;
}

static int setup_four_shards(void **state)
{
	(void)state;
	start(4, 2, "");
	return 0;
}

/* Clients are one router away, and the router's name for them is "far". */
static int setup_routed(void **state)
{
	(void)state;
	start(2, 0, "[[route]]\ndestination = \"10.98.0.0/24\"\ngateway = \"10.99.0.1\"\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	echo_clear(&world.echo);
	link_destroy(&world.link);
	return 0;
}

/* The end of a test in which no connection had a reason to be reset. */
static void finish_without_resets(void)
{
	echo_finish(&world.echo);
	assert_int_equal(netns_tcp_figure("EstabResets"), world.resets);
}

/* --- tests --- */

static void sixty_four_mebibytes_come_back_through_socat_unchanged(void **state)
{
	const char *dir = work_dir();
	char greeting[64] = "";
	FILE *file;

	(void)state;
	run("head -c 67108864 /dev/urandom > %s/sent", dir);
	run("socat -t 15 -b 65536 - TCP:" PEER_ADDRESS ":" ECHO_PORT " < %s/sent > %s/got", dir,
	    dir);
	snprintf(greeting, sizeof(greeting), "%s/got", dir);
	file = fopen(greeting, "r");
	assert_non_null(file);
	assert_non_null(fgets(greeting, sizeof(greeting), file));
	fclose(file);
	assert_int_equal(strncmp(greeting, "shard ", 6), 0);
	run("a=$(sha256sum < %s/sent); b=$(tail -c +%zu %s/got | sha256sum); [ \"$a\" = \"$b\" ]",
	    dir, strlen(greeting) + 1, dir);
	finish_without_resets();
}

static void a_thousand_parallel_connections_are_served(void **state)
{
	(void)state;
	run(CLIENT_PROGRAM " -g -c 1000 -n 20 " PEER_ADDRESS " " ECHO_PORT);
	finish_without_resets();
}

/* All are open before the first asks; the hash deals them out about evenly. */
static void ten_thousand_connections_are_open_at_once_on_two_shards(void **state)
{
	const char *const argv[] = {CLIENT_PROGRAM, "-g", "-c",		"10000",   "-n", "3",
				    "-l",	    "60", PEER_ADDRESS, ECHO_PORT, NULL};
	struct program client;

	(void)state;
	program_start(&client, world.link.near, argv);
	for (int shard = 0; shard < 2; shard++) {
		const char *line = program_expect(&client, "shard ", 60);

		assert_true(figure(line, "connections") > 4000);
		assert_int_equal(figure(line, "requests"), 3 * figure(line, "connections"));
	}
	assert_int_equal(program_wait(&client, 10), 0);
	program_clear(&client);
	finish_without_resets();
}

static void a_half_closing_client_gets_all_its_bytes_and_then_a_fin(void **state)
{
	int fd = peer_connect(0, NULL);
	size_t len;

	(void)state;
	len = peer_stuff(fd, 1 << 20);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	peer_receive(fd, len);
	peer_expect_fin(fd);
	close(fd);
	finish_without_resets();
}

static void a_connection_that_says_nothing_is_closed_in_order(void **state)
{
	int fd = peer_connect(0, NULL);

	(void)state;
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	peer_expect_fin(fd);
	close(fd);
	finish_without_resets();
}

/* The child writes without reading and is killed in the middle. */
static void connections_of_a_killed_client_are_forgotten(void **state)
{
	int ready[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		int fds[CONN_COUNT];

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; i < CONN_COUNT; i++)
			fds[i] = peer_connect(0, NULL);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;) {
			for (int i = 0; i < CONN_COUNT; i++)
				send(fds[i], "some bytes", 10, MSG_DONTWAIT | MSG_NOSIGNAL);
		}
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	echo_expect_connections(&world.echo, CONN_COUNT, 10);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	echo_finish(&world.echo);
}

static void a_reset_connection_is_forgotten(void **state)
{
	struct linger at_once = {.l_onoff = 1};
	int fd = peer_connect(0, NULL);

	(void)state;
	peer_stuff(fd, 100000);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
	echo_finish(&world.echo);
}

static void a_slow_reader_holds_up_only_itself(void **state)
{
	int slow_shard, shard, slow = peer_connect(4096, &slow_shard), fd;
	size_t len;

	(void)state;
	len = peer_stuff(slow, 64 << 20);
	assert_true(len < 64 << 20); /* the server takes no more than it can send back */
	do {
		fd = peer_connect(0, &shard);
		peer_exchange(fd, 1 << 20);
		close(fd);
	} while (shard != slow_shard);
	assert_int_equal(shutdown(slow, SHUT_WR), 0);
	peer_receive(slow, len);
	peer_expect_fin(slow);
	close(slow);
	finish_without_resets();
}

/* A router in between drops one packet in twenty, in both directions. */
static void all_bytes_come_through_five_percent_loss_both_ways(void **state)
{
	int far = netns_create();
	int fds[8];

	(void)state;
	run("ip link add ra type veth peer name rb && ethtool -K ra tx off > /dev/null");
	run("ip link set rb netns /proc/%d/fd/%d", (int)getpid(), far);
	run("ip address add 10.98.0.1/24 dev ra && ip link set ra up");
	run("echo 1 > /proc/sys/net/ipv4/ip_forward");
	run("nft \"add table ip t; add chain ip t f { type filter hook forward priority 0; }; "
	    "add rule ip t f numgen random mod 100 < 5 drop\"");
	netns_enter(far);
	run("ip address add 10.98.0.2/24 dev rb && ip link set rb up");
	run("ethtool -K rb tx off > /dev/null && ip route add default via 10.98.0.1");
	for (int i = 0; i < 8; i++)
		fds[i] = peer_connect(0, NULL);
	for (int i = 0; i < 8; i++) {
		peer_exchange(fds[i], 128 << 10);
		shutdown(fds[i], SHUT_WR);
	}
	for (int i = 0; i < 8; i++) {
		peer_expect_fin(fds[i]);
		close(fds[i]);
	}
	netns_enter(world.link.near);
	run("nft flush ruleset");
	echo_finish(&world.echo);
	close(far);
}

static void ping_is_answered(void **state)
{
	(void)state;
	run("ping -q -c 5 -i 0.05 -W 2 " PEER_ADDRESS);
	run("ping -q -c 3 -i 0.05 -W 2 -s 1400 " PEER_ADDRESS);
	echo_finish(&world.echo);
}

static void every_datagram_of_a_burst_comes_back(void **state)
{
	enum { COUNT = 64 };
	uint8_t seen[COUNT] = {0}, datagram[1400];
	int fd = peer_udp();

	(void)state;
	/* One first, as only few packets may wait for an ARP answer. */
	assert_int_equal(send(fd, "first", 5, 0), 5);
	assert_int_equal(recv(fd, datagram, sizeof(datagram), 0), 5);
	for (int i = 0; i < COUNT; i++) {
		memset(datagram, i, sizeof(datagram));
		assert_int_equal(send(fd, datagram, (size_t)(1 + 20 * i), 0), 1 + 20 * i);
	}
	for (int i = 0; i < COUNT; i++) {
		ssize_t n = recv(fd, datagram, sizeof(datagram), 0);

		assert_true(n > 0 && datagram[0] < COUNT && !seen[datagram[0]]);
		assert_int_equal(n, 1 + 20 * datagram[0]);
		assert_int_equal(datagram[n - 1], datagram[0]);
		seen[datagram[0]] = 1;
	}
	close(fd);
	echo_finish(&world.echo);
}

static void a_closed_port_is_refused(void **state)
{
	(void)state;
	assert_int_equal(peer_connect_error(7001), ECONNREFUSED);
	assert_int_equal(try("nc -z -w 5 " PEER_ADDRESS " 7001"), 1);
	assert_int_equal(try("nc -z -w 5 " PEER_ADDRESS " " ECHO_PORT), 0);
	echo_finish(&world.echo);
}

static void sigint_ends_open_connections_with_a_fin(void **state)
{
	int fds[CONN_COUNT];

	(void)state;
	for (int i = 0; i < CONN_COUNT; i++) {
		fds[i] = peer_connect(0, NULL);
		peer_exchange(fds[i], 1000);
	}
	/* Clients' last packets may be on their way to a shard that has left: they are not among
	 * the figures of the shards, but the exit status says that they came back, too. */
	world.echo.left_max = 2 * CONN_COUNT;
	program_signal(&world.echo.program, SIGINT);
	for (int i = 0; i < CONN_COUNT; i++) {
		peer_expect_fin(fds[i]);
		close(fds[i]);
	}
	echo_expect_end(&world.echo);
	assert_int_equal(netns_tcp_figure("EstabResets"), world.resets);
}

static void a_flow_is_served_by_one_shard_and_all_shards_serve(void **state)
{
	unsigned counts[4] = {0};
	int fds[CONN_COUNT], shard;

	(void)state;
	for (int i = 0; i < CONN_COUNT; i++) {
		fds[i] = peer_connect(0, &shard);
		assert_true(shard >= 0 && shard < 4);
		counts[shard]++;
	}
	for (int i = 0; i < 4; i++)
		assert_true(counts[i] > 0);
	for (int i = 0; i < CONN_COUNT; i++)
		peer_exchange(fds[i], 20000);
	for (int i = 0; i < CONN_COUNT; i++) {
		shutdown(fds[i], SHUT_WR);
		peer_expect_fin(fds[i]);
		close(fds[i]);
	}
	finish_without_resets();
}

#define ON_TWO_SHARDS(test)  cmocka_unit_test_setup_teardown(test, setup_two_shards, teardown)
#define ON_FOUR_SHARDS(test) cmocka_unit_test_setup_teardown(test, setup_four_shards, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ON_TWO_SHARDS(ping_is_answered),
		ON_TWO_SHARDS(a_closed_port_is_refused),
		ON_TWO_SHARDS(every_datagram_of_a_burst_comes_back),
		ON_TWO_SHARDS(a_connection_that_says_nothing_is_closed_in_order),
		ON_TWO_SHARDS(a_half_closing_client_gets_all_its_bytes_and_then_a_fin),
		ON_TWO_SHARDS(a_reset_connection_is_forgotten),
		ON_TWO_SHARDS(connections_of_a_killed_client_are_forgotten),
		ON_TWO_SHARDS(a_slow_reader_holds_up_only_itself),
		ON_TWO_SHARDS(sigint_ends_open_connections_with_a_fin),
		ON_TWO_SHARDS(sixty_four_mebibytes_come_back_through_socat_unchanged),
		ON_TWO_SHARDS(a_thousand_parallel_connections_are_served),
		ON_TWO_SHARDS(ten_thousand_connections_are_open_at_once_on_two_shards),
		ON_FOUR_SHARDS(a_flow_is_served_by_one_shard_and_all_shards_serve),
		cmocka_unit_test_setup_teardown(all_bytes_come_through_five_percent_loss_both_ways,
						setup_routed, teardown),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
