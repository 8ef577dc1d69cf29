/*
 * kv's connections, against the kernel's TCP: how requests may arrive, how replies leave, how a
 * connection ends, and what hostile or slow clients cost. One kv for all; it ends in order, with
 * every packet buffer back, when all tests are through.
 */
#include "../kernel/cmocka_all.h"
#include "kv_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MIB = 1 << 20, GROUP_SECONDS = 170 };

static int start(void **state)
{
	static const char *const options[] = {"--maxclients", "1500", "--timeout", "0",
					      "--maxmemory",  "1gb",  NULL};

	(void)state;
	alarm(GROUP_SECONDS); /* a test that hangs ends the program */
	kv_start(1, options);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	kv_stop();
	return 0;
}

static char *pattern_or_null(size_t len)
{
	char *data = malloc(len);

	for (size_t i = 0; data && i < len; i++)
		data[i] = (char)(i * 7 + i / 251);
	return data;
}

static void set_value(int fd, const char *key, const char *value, size_t len)
{
	char head[128];

	snprintf(head, sizeof(head), "*3\n$3\nSET\n$%zu\n%s\n$%zu\n", strlen(key), key, len);
	client_say(fd, head);
	client_send(fd, value, len);
	client_ask(fd, "\n", "+OK\n");
}

static void expect_bulk(int fd, const char *value, size_t len)
{
	char head[32];

	snprintf(head, sizeof(head), "$%zu\n", len);
	client_expect(fd, head);
	client_expect_bytes(fd, value, len);
	client_expect(fd, "\n");
}

/* --- how requests arrive --- */

static void ten_thousand_requests_in_one_write_are_answered_in_order(void **state)
{
	enum { COUNT = 10000 };
	int fd = client_open();
	char *text = malloc(COUNT * 64), *reply = malloc(COUNT * 64);
	size_t text_len = 0, reply_len = 0;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		text_len +=
			(size_t)sprintf(text + text_len, "*2\r\n$4\r\nECHO\r\n$5\r\n%05d\r\n", i);
		reply_len += (size_t)sprintf(reply + reply_len, "$5\r\n%05d\r\n", i);
	}
	client_send(fd, text, text_len);
	client_expect_bytes(fd, reply, reply_len);
	free(text);
	free(reply);
	close(fd);
}

static void requests_may_come_byte_by_byte(void **state)
{
	static const char text[] = "*3\r\n$3\r\nSET\r\n$4\r\nbyte\r\n$7\r\nby byte\r\nGET byte\r\n"
				   "*1\r\n$4\r\nPING\r\n";
	int fd = client_open();

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		client_send(fd, &text[i], 1);
		if (i % 8 == 0)
			usleep(500); /* so that they do come in pieces */
	}
	client_expect(fd, "+OK\n$7\nby byte\n+PONG\n");
	close(fd);
}

static void values_of_64_mebibytes_go_in_and_out(void **state)
{
	const size_t len = 64 * MIB;
	char *value = pattern_or_null(len);
	int fd = client_open();

	(void)state;
	assert_non_null(value);
	set_value(fd, "big", value, len);
	client_say(fd, "GET big\nEXISTS big\n");
	expect_bulk(fd, value, len);
	client_expect(fd, ":1\n");
	client_ask(fd, "DEL big\n", ":1\n");
	free(value);
	close(fd);
}

/* --- how many, how slow --- */

static void a_thousand_clients_are_served_side_by_side(void **state)
{
	enum { COUNT = 1000 };
	char text[64], reply[128];
	int fds[COUNT];

	(void)state;
	for (int i = 0; i < COUNT; i++)
		fds[i] = client_open();
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < COUNT; i++) {
			snprintf(text, sizeof(text), "SET c%d %d\nGET c%d\n", i, round * i, i);
			client_say(fds[i], text);
		}
		for (int i = 0; i < COUNT; i++) {
			snprintf(text, sizeof(text), "%d", round * i);
			snprintf(reply, sizeof(reply), "+OK\n$%zu\n%s\n", strlen(text), text);
			client_expect(fds[i], reply);
		}
	}
	for (int i = 0; i < COUNT; i++)
		close(fds[i]);
}

static void a_client_that_does_not_read_is_not_read_from_and_loses_nothing(void **state)
{
	enum { LEN = 100000, ASKED_MAX = 64 * MIB };
	static const char get[] = "*2\r\n$3\r\nGET\r\n$4\r\nslow\r\n";
	char *value = pattern_or_null(LEN);
	int slow = client_open_small(4096), other = client_open();
	size_t asked, before;

	(void)state;
	set_value(other, "slow", value, LEN);
	before = kv_resident();
	asked = client_stuff(slow, get, sizeof(get) - 1, ASKED_MAX);
	assert_true(asked < ASKED_MAX);
	assert_true(kv_resident() < before + 32 * MIB);
	client_ask(other, "PING\n", "+PONG\n");
	for (size_t i = 0; i < 40; i++)
		expect_bulk(slow, value, LEN);
	client_reset(slow);
	free(value);
	close(other);
}

static void half_sent_commands_cost_what_was_sent(void **state)
{
	enum { COUNT = 200 };
	static const char *const halves[] = {
		"*3\n$3\nSET\n$1\nx\n$500000000\nabc",
		"*1000000\n$1\nx\n",
		"*2\n$4\nEC",
		"GET half",
		"*2000000000\n",
	};
	int fds[COUNT], other = client_open();
	size_t before = kv_resident();

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		fds[i] = client_open();
		client_say(fds[i], halves[i % 5]);
	}
	client_ask(other, "PING\n", "+PONG\n");
	assert_true(kv_resident() < before + 32 * MIB);
	for (int i = 0; i < COUNT; i++) {
		if (i % 2)
			client_reset(fds[i]);
		else
			close(fds[i]);
	}
	client_ask(other, "PING\n", "+PONG\n");
	close(other);
}

static void clients_beyond_the_limit_are_told_so(void **state)
{
	int first = client_open(), refused;

	(void)state;
	client_ask(first, "CONFIG SET maxclients 1\n", "+OK\n");
	refused = client_open();
	client_expect(refused, "-ERR max number of clients reached\n");
	client_expect_end(refused);
	client_ask(first, "CONFIG SET maxclients 1500\n", "+OK\n");
	refused = client_open();
	client_ask(refused, "PING\n", "+PONG\n");
	close(refused);
	close(first);
}

/* No more than some of it is there at any time, however much one packet asks for. */
static void answers_that_nobody_wants_take_no_memory(void **state)
{
	enum { COUNT = 20000, SOME = 1000, KEYS_COUNT = 150, KEY_LEN = 200 };
	static const char line[] = "KEYS *\r\n";
	char text[SOME * (KEY_LEN + 16)], keys[KEYS_COUNT * sizeof(line)] = "";
	int fd = client_open();
	size_t before;

	(void)state;
	for (int i = 0; i < COUNT; i += SOME) {
		size_t len = 0;

		for (int k = i; k < i + SOME; k++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "SETNX %0*d x\r\n",
						KEY_LEN, k);
		client_send(fd, text, len);
		for (int k = 0; k < SOME; k++)
			client_expect(fd, ":1\n");
	}
	for (int i = 0; i < KEYS_COUNT; i++)
		strcat(keys, line);
	client_ask(fd, "CLIENT REPLY OFF\n", "");
	client_expect_silence(fd);
	before = kv_resident();
	client_say(fd, keys);
	client_ask(fd, "CLIENT REPLY ON\n", "+OK\n");
	print_message("%zu MiB more\n", (kv_resident() - before) / MIB);
	assert_true(kv_resident() < before + 400 * MIB); /* sanitizers keep 256 MiB for a while */
	client_ask(fd, "FLUSHALL\n", "+OK\n");
	close(fd);
}

static void there_may_be_as_many_clients_as_can_be_counted(void **state)
{
	enum { COUNT = 80 };
	int fds[COUNT];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		fds[i] = client_open();
		client_ask(fds[i], i ? "PING\n" : "CONFIG SET maxclients 4294967295\n",
			   i ? "+PONG\n" : "+OK\n");
	}
	client_ask(fds[0], "CONFIG SET maxclients 1500\n", "+OK\n");
	for (int i = 0; i < COUNT; i++)
		close(fds[i]);
}

static void a_command_beyond_the_limit_ends_its_connection_and_is_counted(void **state)
{
	static char part[3 * MIB / 2] = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$3000000\r\n";
	int fd = client_open(), greedy = client_open();
	char info[8192];

	(void)state;
	client_ask(fd, "CONFIG SET client-query-buffer-limit 1mb\n", "+OK\n");
	client_stuff(greedy, part, sizeof(part), sizeof(part));
	client_expect_gone(greedy);
	client_ask(fd, "CONFIG SET client-query-buffer-limit 1gb\n", "+OK\n");
	client_say(fd, "INFO stats\n");
	client_text(fd, info, sizeof(info));
	assert_non_null(strstr(info, "\r\nclient_query_buffer_limit_disconnections:1\r\n"));
	close(fd);
}

/* --- how it ends --- */

static void a_protocol_error_is_answered_and_ends_the_connection(void **state)
{
	static const struct {
		const char *text, *reply;
	} cases[] = {
		{"*1\n!4\nPING\n", "-ERR Protocol error: expected '$', got '!'\n"},
		{"*x\n", "-ERR Protocol error: invalid multibulk length\n"},
		{"*2\n$4\nECHO\n$-7\n", "-ERR Protocol error: invalid bulk length\n"},
		{"*2\n$4\nECHO\n$900000000\n", "-ERR Protocol error: invalid bulk length\n"},
		{"PING\nSET a \"b\n", "+PONG\n-ERR Protocol error: unbalanced quotes in request\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = client_open();

		client_ask(fd, cases[i].text, cases[i].reply);
		client_expect_end(fd);
	}
}

static void what_a_half_closing_client_asked_is_answered_before_the_end(void **state)
{
	enum { LEN = 3 * MIB };
	char *value = pattern_or_null(LEN);
	int fd = client_open();

	(void)state;
	set_value(fd, "half", value, LEN);
	client_say(fd, "GET half\nPING\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect_bulk(fd, value, LEN);
	client_expect(fd, "+PONG\n");
	client_expect_end(fd);
	free(value);
}

static void quit_is_answered_last(void **state)
{
	int fd = client_open();

	(void)state;
	client_ask(fd, "PING\nQUIT\nPING\n", "+PONG\n+OK\n");
	client_expect_end(fd);
}

static void connections_reset_in_the_middle_are_forgotten(void **state)
{
	static const char get[] = "GET middle\r\n";
	enum { LEN = MIB };
	char *value = pattern_or_null(LEN);
	int other = client_open();

	(void)state;
	set_value(other, "middle", value, LEN);
	for (int i = 0; i < 50; i++) {
		int fd = client_open();

		if (i % 3 == 0)
			client_say(fd, "*3\n$3\nSET\n$1\nx\n$100000\nabc");
		else if (i % 3 == 1)
			client_send(fd, get, sizeof(get) - 1);
		else
			client_say(fd, "MULTI\nSET x 1\nWATCH");
		if (i % 2)
			usleep(1000);
		client_reset(fd);
	}
	client_ask(other, "PING\n", "+PONG\n");
	for (int tries = 0; tries < 100; tries++) {
		client_say(other, "CLIENT LIST\n");
		if (client_text(other, value, LEN) < 600)
			break; /* only this one is left */
		usleep(20000);
	}
	client_say(other, "CLIENT LIST\n");
	assert_true(client_text(other, value, LEN) < 600);
	free(value);
	close(other);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_requests_in_one_write_are_answered_in_order),
		cmocka_unit_test(requests_may_come_byte_by_byte),
		cmocka_unit_test(values_of_64_mebibytes_go_in_and_out),
		cmocka_unit_test(a_thousand_clients_are_served_side_by_side),
		cmocka_unit_test(a_client_that_does_not_read_is_not_read_from_and_loses_nothing),
		cmocka_unit_test(half_sent_commands_cost_what_was_sent),
		cmocka_unit_test(a_command_beyond_the_limit_ends_its_connection_and_is_counted),
		cmocka_unit_test(clients_beyond_the_limit_are_told_so),
		cmocka_unit_test(there_may_be_as_many_clients_as_can_be_counted),
		cmocka_unit_test(answers_that_nobody_wants_take_no_memory),
		cmocka_unit_test(a_protocol_error_is_answered_and_ends_the_connection),
		cmocka_unit_test(what_a_half_closing_client_asked_is_answered_before_the_end),
		cmocka_unit_test(quit_is_answered_last),
		cmocka_unit_test(connections_reset_in_the_middle_are_forgotten),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	kv_home();
	return cmocka_run_group_tests(tests, start, stop);
}
