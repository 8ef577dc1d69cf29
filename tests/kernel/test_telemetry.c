/*
 * What a running program tells over DPDK's telemetry socket, held against the load that a kernel
 * client made: connections, bytes, drops by reason, ports, configuration.
 */
#include "cmocka_all.h"
#include "echo_process.h"
#include "link.h"
#include "mem/counters.h"
#include "netns.h"
#include "peer.h"
#include "telemetry.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONN_COUNT = 64, EXCHANGE_LEN = 1000, TEST_SECONDS = 60 };

static struct {
	struct link link;
	struct echo echo;
	char name[32]; /* [runtime] name, as echo_start() writes it */
} world;

static void start(unsigned shard_count, const char *rest)
{
	char config[1024];

	alarm(TEST_SECONDS); /* a test that hangs ends the program */
	link_create(&world.link, 0);
	snprintf(world.name, sizeof(world.name), "test%d", (int)getpid());
	snprintf(config, sizeof(config), "%s%s", rest, world.link.port);
	echo_start(&world.echo, world.link.echo, shard_count, true, config);
}

static int setup(void **state)
{
	(void)state;
	start(2, "nap_us = 70\n[tcp]\nconn_max = 5000\n");
	return 0;
}

static int setup_sixteen_shards(void **state)
{
	(void)state;
	start(16, "[tcp]\nconn_max = 100\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	echo_clear(&world.echo);
	link_destroy(&world.link);
	return 0;
}

static json_t *ask(const char *command)
{
	return telemetry_ask(world.name, world.echo.program.pid, command);
}

/* The sum of a figure over all shards. */
static unsigned long sum(const char *command, const char *figure_name)
{
	return telemetry_sum(world.name, world.echo.program.pid, command, figure_name);
}

/* --- tests --- */

static void each_shard_shows_the_connections_and_bytes_that_it_served(void **state)
{
	unsigned long counts[2] = {0};
	int fds[CONN_COUNT], shard;
	char number[2] = "0";
	json_t *answer;

	(void)state;
	for (int i = 0; i < CONN_COUNT; i++) {
		fds[i] = peer_connect(0, &shard);
		assert_in_range(shard, 0, 1);
		counts[shard]++;
		peer_exchange(fds[i], EXCHANGE_LEN);
	}
	answer = ask("/clowder/shards");
	assert_int_equal(json_object_size(answer), 2);
	for (shard = 0; shard < 2; shard++) {
		json_t *dict, *alone;
		char command[] = "/clowder/shards,0";

		number[0] = (char)('0' + shard);
		command[sizeof(command) - 2] = number[0];
		dict = json_object_get(answer, number);
		assert_int_equal(telemetry_number(dict, "connections"), counts[shard]);
		assert_int_equal(telemetry_number(dict, "conn_accepted"), counts[shard]);
		assert_int_equal(telemetry_number(dict, "tcp_rx_bytes"),
				 counts[shard] * EXCHANGE_LEN);
		assert_int_equal(telemetry_number(dict, "listeners"), 1);
		assert_int_equal(telemetry_number(dict, "queue"), shard);
		assert_true(telemetry_number(dict, "rx_packets") >= counts[shard]);
		assert_true(telemetry_number(dict, "tx_packets") >= counts[shard]);
		assert_true(telemetry_number(dict, "mbufs_data") > 0);
		assert_true(telemetry_number(dict, "mbufs_data_total") >
			    telemetry_number(dict, "mbufs_data"));
		alone = ask(command);
		assert_int_equal(telemetry_number(alone, "connections"), counts[shard]);
		json_decref(alone);
	}
	json_decref(answer);
	for (int i = 0; i < CONN_COUNT; i++)
		close(fds[i]);
	echo_finish(&world.echo);
}

static void drops_have_the_names_of_their_reasons(void **state)
{
	static const char *const names[] = {
#define NAME(name, text) #name,
		DROP_LIST(NAME)
#undef NAME
	};
	json_t *answer = ask("/clowder/drops"), *shard;
	unsigned long before = sum("/clowder/drops", "tcp_no_port");
	const char *number;

	(void)state;
	assert_int_equal(json_object_size(answer), 2);
	json_object_foreach(answer, number, shard)
	{
		assert_int_equal(json_object_size(shard), DROP_COUNT);
		for (unsigned i = 0; i < DROP_COUNT; i++)
			telemetry_number(shard, names[i]);
	}
	json_decref(answer);
	for (int i = 0; i < 10; i++)
		assert_int_equal(peer_connect_error(7001), ECONNREFUSED);
	assert_int_equal(sum("/clowder/drops", "tcp_no_port"), before + 10);
	echo_finish(&world.echo);
}

static void ports_say_how_they_steer_and_why(void **state)
{
	json_t *answer = ask("/clowder/ports"), *port = json_object_get(answer, "0");

	(void)state;
	assert_int_equal(json_object_size(answer), 1);
	assert_string_equal(telemetry_text(port, "driver"), "net_tap");
	assert_non_null(strstr(telemetry_text(port, "device"), "iface=clowder0"));
	assert_int_equal(strlen(telemetry_text(port, "mac")), 17);
	assert_int_equal(telemetry_number(port, "queues"), 2);
	assert_true(telemetry_number(port, "mtu") >= 1500);
	assert_string_equal(telemetry_text(port, "steering"), "software");
	assert_non_null(strstr(telemetry_text(port, "why"), "reta size 0"));
	assert_non_null(strstr(telemetry_text(port, "why"), "come home by themselves"));
	json_decref(answer);
	echo_finish(&world.echo);
}

static void the_configuration_in_force_is_shown(void **state)
{
	json_t *answer = ask("/clowder/config");

	(void)state;
	assert_string_equal(telemetry_text(answer, "name"), world.name);
	assert_int_equal(telemetry_number(answer, "shards"), 2);
	assert_int_equal(telemetry_number(answer, "ports"), 1);
	assert_int_equal(telemetry_number(answer, "conn_max"), 5000);
	assert_int_equal(telemetry_number(answer, "nap_ns"), 70000);
	assert_int_equal(telemetry_number(answer, "mailbox_len"), 1024);
	json_decref(answer);
	echo_finish(&world.echo);
}

static void answers_come_while_all_shards_are_busy(void **state)
{
	const char *const argv[] = {CLIENT_PROGRAM, "-g", "-c",		"64",	   "-n", "2000",
				    "-l",	    "60", PEER_ADDRESS, ECHO_PORT, NULL};
	unsigned long rx, last = 0, grew = 0;
	struct program client;

	(void)state;
	program_start(&client, world.link.near, argv);
	echo_expect_connections(&world.echo, CONN_COUNT, 20);
	for (int i = 0; i < 100; i++) {
		rx = sum("/clowder/shards", "rx_packets");
		assert_true(rx >= last);
		grew += rx > last;
		last = rx;
		sum("/clowder/drops", "ip_bad");
		json_decref(ask("/clowder/ports"));
	}
	assert_true(grew > 10);
	assert_int_equal(program_wait(&client, 60), 0);
	program_clear(&client);
	assert_int_equal(sum("/clowder/shards", "conn_accepted"), CONN_COUNT);
	echo_finish(&world.echo);
}

static void more_shards_than_an_answer_holds_are_asked_one_by_one(void **state)
{
	json_t *answer = ask("/clowder/shards"), *shard;
	char command[32];

	(void)state;
	assert_true(json_is_array(answer));
	assert_int_equal(json_array_size(answer), 16);
	json_decref(answer);
	for (int i = 0; i < 16; i++) {
		snprintf(command, sizeof(command), "/clowder/shards,%d", i);
		shard = ask(command);
		assert_int_equal(telemetry_number(shard, "listeners"), 1);
		json_decref(shard);
	}
	answer = ask("/clowder/ports");
	shard = json_object_get(answer, "0");
	if (telemetry_number(shard, "queues") < 16) { /* with DPDK 22.11: 4 */
		assert_non_null(strstr(telemetry_text(shard, "why"), "for 16 shards"));
		assert_null(strstr(telemetry_text(shard, "why"), "come home"));
	}
	json_decref(answer);
	answer = ask("/clowder/shards,16");
	assert_true(json_is_null(answer));
	json_decref(answer);
	echo_finish(&world.echo);
}

/* The tool of DPDK, from Debian's package dpdk-dev, as people run it. */
static void the_tool_of_dpdk_prints_the_answers(void **state)
{
	static const char *const commands[] = {"/clowder/shards", "/clowder/drops",
					       "/clowder/ports", "/clowder/config"};
	char path[128];

	(void)state;
	if (try("which dpdk-telemetry.py > /dev/null")) {
		print_message("no dpdk-telemetry.py here\n");
		echo_finish(&world.echo);
		skip();
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		json_t *json;

		snprintf(path, sizeof(path), "%s/answer", work_dir());
		run("echo %s | dpdk-telemetry.py -f %s-%d > %s", commands[i], world.name,
		    (int)world.echo.program.pid, path);
		json = json_load_file(path, 0, NULL);
		assert_true(json_is_object(json_object_get(json, commands[i])));
		json_decref(json);
	}
	echo_finish(&world.echo);
}

static void no_runtime_directory_is_left_behind(void **state)
{
	pid_t pid = world.echo.program.pid;
	char dir[128];

	(void)state;
	assert_true(telemetry_dir(world.name, pid, dir));
	echo_finish(&world.echo);
	assert_false(telemetry_dir(world.name, pid, dir));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(each_shard_shows_the_connections_and_bytes_that_it_served),
		TEST(drops_have_the_names_of_their_reasons),
		TEST(ports_say_how_they_steer_and_why),
		TEST(the_configuration_in_force_is_shown),
		TEST(answers_come_while_all_shards_are_busy),
		cmocka_unit_test_setup_teardown(
			more_shards_than_an_answer_holds_are_asked_one_by_one, setup_sixteen_shards,
			teardown),
		TEST(the_tool_of_dpdk_prints_the_answers),
		TEST(no_runtime_directory_is_left_behind),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	if (getuid() != 0) /* what it would be then may belong to another user */
		setenv("RUNTIME_DIRECTORY", work_dir(), 1);
	netns_leave_home();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
