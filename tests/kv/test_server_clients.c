/*
 * What kv does about its clients: who they are, what they may do, transactions, publish and
 * subscribe, limits. Each test that needs other settings has a kv of its own.
 */
#include "../kernel/cmocka_all.h"
#include "kv_process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOG_ALWAYS "--appendonly", "yes", "--appendfsync", "always"

enum { MIB = 1 << 20, GROUP_SECONDS = 170, LOG_DIR_LEN = 64 };

static void make_log_dir(char dir[LOG_DIR_LEN])
{
	strcpy(dir, "/tmp/clowder-kv-log-XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static void remove_log_dir(const char *dir)
{
	char command[LOG_DIR_LEN + 8];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

static int start_one(void **state)
{
	(void)state;
	alarm(GROUP_SECONDS); /* a test that hangs ends the program */
	kv_start(1, NULL);
	return 0;
}

/* Clients of one test may be served by two shards then, and their keys lie on both. */
static int start_two(void **state)
{
	(void)state;
	alarm(GROUP_SECONDS);
	kv_start(2, NULL);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	kv_stop();
	return 0;
}

/* --- the connection --- */

static void hello_chooses_the_protocol_and_reset_undoes_it(void **state)
{
	int fd = client_open();
	char line[64];

	(void)state;
	client_ask(fd, "HELLO 4\n", "-NOPROTO unsupported protocol version\n");
	client_ask(fd, "HELLO x\n", "-ERR Protocol version is not an integer or out of range\n");
	client_ask(fd, "HELLO 3 FOO\n", "-ERR Syntax error in HELLO option 'FOO'\n");
	client_ask(fd, "HELLO 3 SETNAME me\n",
		   "%7\n$6\nserver\n$5\nredis\n$7\nversion\n$6\n7.0.15\n$5\nproto\n:3\n$2\nid\n");
	client_line(fd, line, sizeof(line));
	client_expect(fd, "$4\nmode\n$10\nstandalone\n$4\nrole\n$6\nmaster\n$7\nmodules\n*0\n");
	client_ask(fd, "CLIENT GETNAME\nGET nothing\n", "$2\nme\n_\n");
	client_ask(fd, "SELECT 3\nSET only3 x\nRESET\n", "+OK\n+OK\n+RESET\n");
	client_ask(fd, "CLIENT GETNAME\nGET only3\n", "$-1\n$-1\n");
	client_ask(fd, "SELECT 16\nSELECT x\n",
		   "-ERR DB index is out of range\n"
		   "-ERR value is not an integer or out of range\n");
	close(fd);
}

static void without_the_password_nothing_is_done(void **state)
{
	int first = client_open(), fd;

	(void)state;
	client_ask(first, "CONFIG SET requirepass secret\n", "+OK\n");
	fd = client_open();
	client_ask(fd, "GET a\nMULTI\nFOO\n",
		   "-NOAUTH Authentication required.\n-NOAUTH Authentication required.\n"
		   "-ERR unknown command 'FOO', with args beginning with: \n");
	client_ask(fd, "AUTH secrets\nAUTH other secret\nAUTH \"\"\n",
		   "-WRONGPASS invalid username-password pair or user is disabled.\n"
		   "-WRONGPASS invalid username-password pair or user is disabled.\n"
		   "-WRONGPASS invalid username-password pair or user is disabled.\n");
	client_ask(fd, "AUTH default secret\nPING\n", "+OK\n+PONG\n");
	client_ask(fd, "RESET\nPING\nAUTH secret\nPING\n",
		   "+RESET\n-NOAUTH Authentication required.\n+OK\n+PONG\n");
	close(fd);
	fd = client_open();
	client_ask(fd, "*11\n", "-ERR Protocol error: unauthenticated multibulk length\n");
	client_expect_end(fd);
	client_ask(first, "CONFIG SET requirepass \"\"\n", "+OK\n");
	client_ask(first, "AUTH x\n",
		   "-ERR AUTH <password> called without any password configured for the default "
		   "user. Are you sure your configuration is correct?\n");
	close(first);
}

static void client_reply_keeps_answers_back(void **state)
{
	int fd = client_open();

	(void)state;
	client_ask(fd, "CLIENT REPLY SKIP\nPING\nECHO a\n", "$1\na\n");
	client_ask(
		fd,
		"CLIENT REPLY OFF\nPING\nSET off 1\nCLIENT REPLY SKIP\nCLIENT REPLY ON\nGET off\n",
		"+OK\n$1\n1\n");
	client_ask(fd, "CLIENT REPLY MAYBE\n", "-ERR syntax error\n");
	close(fd);
}

static void clients_can_be_found_and_killed(void **state)
{
	int fd = client_open(), victim = client_open(), other = client_open();
	char text[256], id[64], list[4096];
	const char *address;

	(void)state;
	client_ask(victim, "CLIENT SETNAME \"a b\"\nCLIENT SETNAME victim\nSELECT 2\nCLIENT ID\n",
		   "-ERR Client names cannot contain spaces, newlines or special characters.\n"
		   "+OK\n+OK\n");
	client_line(victim, id, sizeof(id));
	snprintf(text, sizeof(text), "CLIENT LIST ID %s\n", id + 1);
	client_say(fd, text);
	client_text(fd, list, sizeof(list));
	assert_non_null(strstr(list, " name=victim "));
	assert_non_null(strstr(list, " db=2 "));
	assert_non_null(strstr(list, " cmd=client|id "));
	address = strstr(list, " addr=");
	assert_non_null(address);
	snprintf(text, sizeof(text), "CLIENT KILL %.*s\nCLIENT KILL 1.1.1.1:1\n",
		 (int)strcspn(address + 6, " "), address + 6);
	client_ask(fd, text, "+OK\n-ERR No such client\n");
	client_expect_end(victim);
	client_ask(fd, "CLIENT KILL ID 0\nCLIENT KILL TYPE x\nCLIENT KILL ID 99999999\n",
		   "-ERR client-id should be greater than 0\n-ERR Unknown client type 'x'\n:0\n");
	client_ask(fd, "CLIENT KILL TYPE normal\n", ":1\n");
	client_expect_end(other);
	client_ask(fd, "CLIENT KILL TYPE normal SKIPME no\n", ":1\n");
	client_expect_end(fd);
}

static void a_pause_holds_commands_up_and_loses_none(void **state)
{
	int fd = client_open(), other = client_open();

	(void)state;
	client_ask(fd, "CLIENT PAUSE 400 WRITE\nGET paused\n", "+OK\n$-1\n");
	client_say(other, "GET paused\nSET paused 1\nGET paused\n");
	client_expect(other, "$-1\n");
	client_expect_silence(other);
	client_expect(other, "+OK\n$1\n1\n");
	client_ask(fd, "CLIENT PAUSE 100000 WRITE\nCLIENT PAUSE 1 WRITE\n", "+OK\n+OK\n");
	client_say(other, "SET paused 3\n");
	client_expect_silence(other);
	client_ask(fd, "CLIENT UNPAUSE\n", "+OK\n");
	client_expect(other, "+OK\n");
	client_ask(other, "SET paused 2\n", "+OK\n");
	client_ask(fd, "CLIENT PAUSE 300\n", "+OK\n");
	client_say(other, "PING\n");
	client_expect_silence(other);
	client_expect(other, "+PONG\n");
	client_ask(fd, "CLIENT PAUSE x\nCLIENT PAUSE -1\nCLIENT PAUSE 1 SOME\n",
		   "-ERR timeout is not an integer or out of range\n-ERR timeout is negative\n"
		   "-ERR CLIENT PAUSE mode must be WRITE or ALL\n");
	close(fd);
	close(other);
}

/* --- transactions --- */

static void a_transaction_runs_as_a_whole(void **state)
{
	int fd = client_open(), other = client_open();

	(void)state;
	client_ask(fd, "MULTI\nSET t 1\nGET t\nSELECT 1\nGET t\nPING\nGET t x\n",
		   "+OK\n+QUEUED\n+QUEUED\n+QUEUED\n+QUEUED\n+QUEUED\n"
		   "-ERR wrong number of arguments for 'get' command\n");
	client_ask(fd, "EXEC\nGET t\n",
		   "-EXECABORT Transaction discarded because of previous errors.\n$-1\n");
	client_ask(fd, "MULTI\nSET t 1\nSELECT 1\nGET t\nSELECT 77\nPING\n",
		   "+OK\n+QUEUED\n+QUEUED\n+QUEUED\n+QUEUED\n+QUEUED\n");
	client_ask(other, "GET t\n", "$-1\n");
	client_ask(fd, "EXEC\n", "*5\n+OK\n+OK\n$-1\n-ERR DB index is out of range\n+PONG\n");
	client_ask(fd, "GET t\nSELECT 0\nGET t\n", "$-1\n+OK\n$1\n1\n");
	client_ask(fd, "MULTI\nMULTI\nWATCH t\nEXEC\nEXEC\nDISCARD\n",
		   "+OK\n-ERR MULTI calls can not be nested\n"
		   "-ERR WATCH inside MULTI is not allowed\n*0\n-ERR EXEC without MULTI\n"
		   "-ERR DISCARD without MULTI\n");
	client_ask(fd, "MULTI\nSET t 2\nDISCARD\nGET t\n", "+OK\n+QUEUED\n+OK\n$1\n1\n");
	client_ask(fd, "MULTI\nSET t 2\nEXEC x\nEXEC\nGET t\n",
		   "+OK\n+QUEUED\n-EXECABORT Transaction discarded because of: wrong number of "
		   "arguments for 'exec' command\n-ERR EXEC without MULTI\n$1\n1\n");
	close(fd);
	close(other);
}

static void a_watched_key_that_changes_stops_the_transaction(void **state)
{
	int fd = client_open(), other = client_open();

	(void)state;
	client_ask(fd, "SET w 1\nWATCH w v\n", "+OK\n+OK\n");
	client_ask(other, "SET w 2\n", "+OK\n");
	client_ask(fd, "MULTI\nSET w 3\nEXEC\nGET w\n", "+OK\n+QUEUED\n*-1\n$1\n2\n");
	client_ask(fd, "WATCH w\nUNWATCH\n", "+OK\n+OK\n");
	client_ask(other, "SET w 3\n", "+OK\n");
	client_ask(fd, "MULTI\nGET w\nEXEC\n", "+OK\n+QUEUED\n*1\n$1\n3\n");
	client_ask(fd, "WATCH w\nMULTI\nDISCARD\nMULTI\n", "+OK\n+OK\n+OK\n+OK\n");
	client_ask(other, "SET w 4\n", "+OK\n");
	client_ask(fd, "GET w\nEXEC\n", "+QUEUED\n*1\n$1\n4\n");
	client_ask(fd, "WATCH w\n", "+OK\n");
	client_ask(fd, "SET w 5\nMULTI\nEXEC\n", "+OK\n+OK\n*-1\n");
	close(fd);
	close(other);
}

/* --- publish and subscribe --- */

static void what_is_published_reaches_channels_and_patterns(void **state)
{
	int one = client_open(), two = client_open(), fd = client_open();

	(void)state;
	client_ask(one, "SUBSCRIBE a b a\n",
		   "*3\n$9\nsubscribe\n$1\na\n:1\n*3\n$9\nsubscribe\n$1\nb\n:2\n"
		   "*3\n$9\nsubscribe\n$1\na\n:2\n");
	client_ask(two, "HELLO 3\n", "%7\n");
	do {
		char line[64];

		client_line(two, line, sizeof(line));
		if (strcmp(line, "*0") == 0)
			break;
	} while (1);
	client_ask(two, "PSUBSCRIBE a*\n", ">3\n$10\npsubscribe\n$2\na*\n:1\n");
	client_ask(fd, "PUBLISH a hello\nPUBLISH b there\nPUBLISH c x\n", ":2\n:1\n:0\n");
	client_expect(one,
		      "*3\n$7\nmessage\n$1\na\n$5\nhello\n*3\n$7\nmessage\n$1\nb\n$5\nthere\n");
	client_expect(two, ">4\n$8\npmessage\n$2\na*\n$1\na\n$5\nhello\n");
	client_ask(fd, "PUBSUB CHANNELS\nPUBSUB CHANNELS [b]\nPUBSUB NUMSUB a c\nPUBSUB NUMPAT\n",
		   "*2\n$1\na\n$1\nb\n*1\n$1\nb\n*4\n$1\na\n:1\n$1\nc\n:0\n:1\n");
	/* RESP2: nothing else, for its answer could not be told from a message. */
	client_ask(
		one, "GET a\nPING\nPING x\n",
		"-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT "
		"/ RESET are allowed in this context\n*2\n$4\npong\n$0\n\n*2\n$4\npong\n$1\nx\n");
	client_ask(two, "GET nothing\n", "_\n");
	client_ask(fd, "PUBLISH a self\n", ":2\n");
	client_expect(two, ">4\n$8\npmessage\n$2\na*\n$1\na\n$4\nself\n");
	client_expect(one, "*3\n$7\nmessage\n$1\na\n$4\nself\n");
	client_ask(one, "UNSUBSCRIBE a\nUNSUBSCRIBE\nUNSUBSCRIBE\nPING\n",
		   "*3\n$11\nunsubscribe\n$1\na\n:1\n*3\n$11\nunsubscribe\n$1\nb\n:0\n"
		   "*3\n$11\nunsubscribe\n$-1\n:0\n+PONG\n");
	client_ask(one, "SSUBSCRIBE s\n", "*3\n$10\nssubscribe\n$1\ns\n:1\n");
	client_ask(fd, "SPUBLISH s x\nPUBLISH s y\n", ":1\n:0\n");
	client_expect(one, "*3\n$8\nsmessage\n$1\ns\n$1\nx\n");
	close(two);
	client_ask(one, "RESET\nGET nothing\n", "+RESET\n$-1\n");
	close(one);
	close(fd);
}

/* A message is kept once, whoever it is for; a subscriber that does not read is cut off. */
static void a_subscriber_that_does_not_read_is_cut_off(void **state)
{
	enum { LEN = 100000, COUNT = 40 };
	int slow = client_open_small(4096), fd = client_open();
	char *message = malloc(LEN + 64);
	int len = snprintf(message, 64, "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$%d\r\n", LEN);
	char reply[8];

	(void)state;
	client_ask(fd, "CONFIG SET client-output-buffer-limit \"pubsub 1mb 0 0\"\n", "+OK\n");
	client_ask(slow, "SUBSCRIBE c\n", "*3\n$9\nsubscribe\n$1\nc\n:1\n");
	memset(message + len, 'm', LEN);
	memcpy(message + len + LEN, "\r\n", 2);
	for (int i = 0; i < COUNT; i++) {
		client_send(fd, message, (size_t)len + LEN + 2);
		client_line(fd, reply, sizeof(reply));
	}
	assert_string_equal(reply, ":0");
	client_expect_gone(slow);
	client_ask(
		fd,
		"CONFIG SET client-output-buffer-limit \"pubsub 32mb 8mb 60\"\nPUBSUB CHANNELS\n",
		"+OK\n*0\n");
	free(message);
	close(fd);
}

static void an_idle_client_is_disconnected_and_a_subscriber_is_not(void **state)
{
	int fd = client_open(), subscriber = client_open(), idle = client_open();

	(void)state;
	client_ask(subscriber, "SUBSCRIBE idle\n", "*3\n$9\nsubscribe\n$4\nidle\n:1\n");
	client_ask(fd, "CONFIG SET timeout 1\n", "+OK\n");
	client_expect_end(idle);
	close(fd);
	fd = client_open();
	client_ask(fd, "CONFIG SET timeout 0\nPUBLISH idle x\n", "+OK\n:1\n");
	client_expect(subscriber, "*3\n$7\nmessage\n$4\nidle\n$1\nx\n");
	close(subscriber);
	close(fd);
}

/* By CLIENT PAUSE, or because the network takes so long for what it asked for. */
static void who_is_kept_waiting_is_not_idle(void **state)
{
	enum { LEN = 100000, COUNT = 20, GET_US = 100000 };
	static const char get[] = "GET long\r\n";
	int fd = client_open(), slow = client_open_small(4096), paused;
	char *value = malloc(LEN + 3), set[64], text[COUNT * sizeof(get)] = "";

	(void)state;
	memset(value, 'v', LEN);
	memcpy(value + LEN, "\r\n", 3);
	client_send(fd, set,
		    (size_t)snprintf(set, sizeof(set), "*3\r\n$3\r\nSET\r\n$4\r\nlong\r\n$%d\r\n",
				     LEN));
	client_send(fd, value, LEN + 2);
	client_expect(fd, "+OK\n");
	client_ask(fd, "CONFIG SET timeout 1\n", "+OK\n");
	for (int i = 0; i < COUNT; i++)
		strcat(text, get);
	client_say(slow, text);
	for (int i = 0; i < COUNT; i++) {
		client_expect(slow, "$100000\n");
		client_expect_bytes(slow, value, LEN + 2);
		usleep(GET_US);
	}
	client_expect_end(fd);
	paused = client_open();
	client_ask(paused, "CLIENT PAUSE 2500\n", "+OK\n");
	client_ask(paused, "CONFIG SET timeout 0\n", "+OK\n");
	free(value);
	close(slow);
	close(paused);
}

/* Its output waits for it: what it is told then comes behind that, and is not told any more. */
static void who_has_said_quit_is_told_no_more_messages(void **state)
{
	enum { LEN = 100000, COUNT = 3, POLLS = 100 };
	int slow = client_open_small(4096), fd = client_open();
	char *message = malloc(LEN + 64), count[8] = "";
	int len = snprintf(message, 64, "*3\r\n$7\r\nPUBLISH\r\n$4\r\nquit\r\n$%d\r\n", LEN);

	(void)state;
	client_ask(slow, "SUBSCRIBE quit\n", "*3\n$9\nsubscribe\n$4\nquit\n:1\n");
	memset(message + len, 'm', LEN);
	memcpy(message + len + LEN, "\r\n", 2);
	for (int i = 0; i < COUNT; i++) {
		client_send(fd, message, (size_t)len + LEN + 2);
		client_expect(fd, ":1\n");
	}
	client_say(slow, "QUIT\n");
	for (int i = 0; i < POLLS && strcmp(count, ":0") != 0; i++) {
		client_ask(fd, "PUBSUB NUMSUB quit\n", "*2\n$4\nquit\n");
		client_line(fd, count, sizeof(count));
		usleep(20000);
	}
	client_say(fd, "PUBLISH quit late\n");
	client_line(fd, count, sizeof(count));
	for (int i = 0; i < COUNT; i++) {
		client_expect(slow, "*3\n$7\nmessage\n$4\nquit\n$100000\n");
		client_expect_bytes(slow, message + len, LEN + 2);
	}
	client_expect(slow, "+OK\n");
	client_expect_end(slow);
	free(message);
	close(fd);
}

/* --- the program --- */

static void settings_that_cannot_be_are_refused_with_a_line(void **state)
{
	static const char *const unknown[] = {"--no-such-setting", "1", NULL};
	static const char *const wrong[] = {"--maxmemory", "much", NULL};
	static const char *const missing[] = {"--port", NULL};
	static const char *const two_files[] = {"/dev/null", "x", NULL};

	(void)state;
	assert_int_equal(kv_fails(unknown, "no-such-setting"), 2);
	assert_int_equal(kv_fails(wrong, "kv: --maxmemory much: "), 2);
	assert_int_equal(kv_fails(missing, "kv: --port"), 2);
	assert_int_equal(kv_fails(two_files, "kv: x: "), 2);
}

static void kv_goes_on_when_nobody_reads_what_it_says(void **state)
{
	(void)state;
	kv_start(1, NULL);
	assert_int_equal(kv_stop_unheard(), 0);
}

static void what_was_answered_with_a_log_is_there_after_a_kill(void **state)
{
	char dir[LOG_DIR_LEN];
	const char *const options[] = {LOG_ALWAYS, "--dir", dir, NULL};
	int fd;

	(void)state;
	make_log_dir(dir);
	kv_start(1, options);
	fd = client_open();
	client_ask(fd, "SET logged 1\nMULTI\nINCR logged\nINCR logged\nEXEC\n",
		   "+OK\n+OK\n+QUEUED\n+QUEUED\n*2\n:2\n:3\n");
	kv_kill();
	close(fd);
	kv_start(1, options);
	fd = client_open();
	client_ask(fd, "GET logged\n", "$1\n3\n");
	kv_stop();
	close(fd);
	remove_log_dir(dir);
}

/* Each adds one before, and one after a step over both shards, and both of the same shard. */
static void a_transaction_that_the_end_interrupts_is_in_no_log_in_part(void **state)
{
	enum { ROUNDS = 3, COUNT = 400 };
	static const char transaction[] = "MULTI\r\nINCR {b}1\r\nINCR {foo}1\r\nSET foo x\r\n"
					  "RENAME foo b\r\nINCR {b}2\r\nINCR {foo}2\r\nEXEC\r\n";
	char dir[LOG_DIR_LEN], values[4][24];
	const char *const options[] = {"--appendonly", "yes", "--dir", dir, NULL};

	(void)state;
	make_log_dir(dir);
	for (int round = 0; round < ROUNDS; round++) {
		int fd;

		kv_start(2, options);
		fd = client_open();
		for (int i = 0; i < COUNT; i++)
			client_send(fd, transaction, strlen(transaction));
		client_expect(fd,
			      "+OK\n+QUEUED\n+QUEUED\n+QUEUED\n+QUEUED\n+QUEUED\n+QUEUED\n*6\n");
		kv_stop();
		close(fd);
		kv_start(2, options);
		fd = client_open();
		client_ask(fd, "MGET {b}1 {b}2 {foo}1 {foo}2\n", "*4\n");
		for (int i = 0; i < 4; i++)
			client_text(fd, values[i], sizeof(values[i]));
		assert_string_equal(values[0], values[1]);
		assert_string_equal(values[2], values[3]);
		kv_stop();
		close(fd);
	}
	remove_log_dir(dir);
}

/* Turns of the store and answers that wait for the disk alternate. */
static void changes_are_answered_while_nothing_expires_actively(void **state)
{
	char dir[LOG_DIR_LEN];
	const char *const options[] = {LOG_ALWAYS, "--dir", dir, NULL};
	int fd;

	(void)state;
	make_log_dir(dir);
	kv_start(1, options);
	fd = client_open();
	client_ask(fd, "DEBUG SET-ACTIVE-EXPIRE 0\n", "+OK\n");
	for (int i = 0; i < 1000; i++)
		client_ask(fd, "SET logged 1\n", "+OK\n");
	client_ask(fd, "DEBUG SET-ACTIVE-EXPIRE 1\n", "+OK\n");
	kv_stop();
	close(fd);
	remove_log_dir(dir);
}

/* "foo" is the second of two shards'. */
static void a_node_of_a_cluster_says_where_to_go(void **state)
{
	static const char *const options[] = {"--cluster", "yes", NULL};
	static const char moved[] = "-MOVED 12182 " KV_ADDRESS ":6380\n";
	int first, second;

	(void)state;
	kv_start(2, options);
	first = client_open();
	second = client_open_port(KV_PORT + 1);
	client_ask(first, "GET foo\n", moved);
	client_ask(first, "WATCH foo\n", moved);
	client_ask(first, "SSUBSCRIBE foo\n", moved);
	client_ask(first, "MULTI\nSET foo 1\n", "+OK\n-MOVED 12182 " KV_ADDRESS ":6380\n");
	client_ask(first, "EXEC\nSELECT 1\n",
		   "-EXECABORT Transaction discarded because of previous errors.\n"
		   "-ERR SELECT is not allowed in cluster mode\n");
	client_ask(second, "MULTI\nSET foo 1\nEXEC\nWATCH foo\n", "+OK\n+QUEUED\n*1\n+OK\n+OK\n");
	client_ask(second, "SSUBSCRIBE foo\n", "*3\n$10\nssubscribe\n$3\nfoo\n:1\n");
	client_ask(first, "PUBLISH foo x\n", ":0\n");
	close(first);
	close(second);
	kv_stop();
}

/* Twelve clients write without end; half of them do not read either. */
static void sigterm_under_load(unsigned shard_count)
{
	enum { COUNT = 12 };
	static const char load[] =
		"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
		"MGET a b c d e f g\r\nDBSIZE\r\nMULTI\r\nINCR a\r\nINCR b\r\nINCR c\r\nEXEC\r\n"
		"PUBLISH c x\r\nRENAME a d\r\n";
	char got[65536];
	int fds[COUNT];
	size_t at[COUNT] = {0};

	kv_start(shard_count, NULL);
	for (int i = 0; i < COUNT; i++)
		fds[i] = client_open();
	client_ask(fds[1], "SUBSCRIBE c\n", "*3\n$9\nsubscribe\n$1\nc\n:1\n");
	for (int round = 0; round < 8000; round++) {
		for (int i = 2; i < COUNT; i++) {
			ssize_t n = send(fds[i], load + at[i], sizeof(load) - 1 - at[i],
					 MSG_DONTWAIT | MSG_NOSIGNAL);

			at[i] = n > 0 ? (at[i] + (size_t)n) % (sizeof(load) - 1) : at[i];
			if (i % 2)
				recv(fds[i], got, sizeof(got), MSG_DONTWAIT);
		}
		if (round == 4000)
			kv_signal(SIGTERM);
	}
	kv_ended();
	for (int i = 0; i < COUNT; i++)
		close(fds[i]);
}

static void sigterm_under_load_ends_one_shard_in_order(void **state)
{
	(void)state;
	sigterm_under_load(1);
}

static void sigterm_under_load_ends_two_shards_in_order(void **state)
{
	(void)state;
	sigterm_under_load(2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_chooses_the_protocol_and_reset_undoes_it),
		cmocka_unit_test(without_the_password_nothing_is_done),
		cmocka_unit_test(client_reply_keeps_answers_back),
		cmocka_unit_test(clients_can_be_found_and_killed),
		cmocka_unit_test(a_pause_holds_commands_up_and_loses_none),
		cmocka_unit_test(a_transaction_runs_as_a_whole),
		cmocka_unit_test(a_watched_key_that_changes_stops_the_transaction),
		cmocka_unit_test(what_is_published_reaches_channels_and_patterns),
		cmocka_unit_test(a_subscriber_that_does_not_read_is_cut_off),
		cmocka_unit_test(an_idle_client_is_disconnected_and_a_subscriber_is_not),
		cmocka_unit_test(who_is_kept_waiting_is_not_idle),
		cmocka_unit_test(who_has_said_quit_is_told_no_more_messages),
	};
	const struct CMUnitTest programs[] = {
		cmocka_unit_test(settings_that_cannot_be_are_refused_with_a_line),
		cmocka_unit_test(kv_goes_on_when_nobody_reads_what_it_says),
		cmocka_unit_test(what_was_answered_with_a_log_is_there_after_a_kill),
		cmocka_unit_test(a_transaction_that_the_end_interrupts_is_in_no_log_in_part),
		cmocka_unit_test(changes_are_answered_while_nothing_expires_actively),
		cmocka_unit_test(a_node_of_a_cluster_says_where_to_go),
		cmocka_unit_test(sigterm_under_load_ends_one_shard_in_order),
		cmocka_unit_test(sigterm_under_load_ends_two_shards_in_order),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	kv_home();
	return cmocka_run_group_tests(tests, start_one, stop) +
	       cmocka_run_group_tests(tests, start_two, stop) +
	       cmocka_run_group_tests(programs, NULL, NULL);
}
