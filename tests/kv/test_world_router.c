/*
 * The server on several shards, in simulated worlds: commands reach the shards that own their keys,
 * whichever shard the client's connection is on.
 */
#include "tests/kv/world_kv.h"

#include "kv/slot.h"

#include <stdio.h>

static struct wire wires[4];

/* Names of nodes: of ports 6379 and 6380. */
#define LOWER_ID "8ee377f109a4400f41af801478647243dd501dcd"
#define UPPER_ID "3cc780cb36fd8880affbae1ab36ca39c606b935a"

struct exchange {
	const char *command, *reply; /* the reply without its last \r\n; ' ' for those between */
};

static void flatten(char *text)
{
	size_t to = 0;

	for (size_t i = 0; text[i]; i++)
		if (text[i] != '\r')
			text[to++] = text[i] == '\n' ? ' ' : text[i];
	text[to ? to - 1 : 0] = 0;
}

static void expect(struct wire *wire, const char *command, const char *wanted)
{
	const char *reply = wire_ask_or_null(wire, command);
	char text[4096];

	assert_non_null(reply);
	snprintf(text, sizeof(text), "%s", reply);
	flatten(text);
	if (strcmp(text, wanted) != 0)
		fail_msg("%s\n  gives  %s\n  not    %s", command, text, wanted);
}

static void expect_all(struct wire *wire, const struct exchange *exchanges)
{
	for (; exchanges->command; exchanges++)
		expect(wire, exchanges->command, exchanges->reply);
}

/* Enters the client; count connections, whose shards are the hash's choice. */
static void open_clients(struct world *world, uint64_t seed, int shards, int count)
{
	world_open(world, seed, shards, KV_FORWARD, 1);
	assert_int_equal(demi_sim_enter(world->sim, world->client, 0), 0);
	for (int i = 0; i < count; i++)
		assert_int_equal(wire_open(&wires[i], world, 0), 0);
}

static void close_clients(struct world *world, int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(wire_close(&wires[i]), 0);
	assert_int_equal(demi_sim_leave(world->sim), 0);
	world_close(world);
}

/* foo, a and e are in the upper half of the slots, bar, b and c in the lower one. */
static const struct exchange strings[] = {
	{"SET foo 1", "+OK"},
	{"SET bar 2", "+OK"},
	{"GET foo", "$1 1"},
	{"GET bar", "$1 2"},
	{"INCR foo", ":2"},
	{"INCR bar", ":3"},
	{"MSET a 10 b 20 c 30", "+OK"},
	{"MGET c nothing a b foo bar", "*6 $2 30 $-1 $2 10 $2 20 $1 2 $1 3"},
	{"EXISTS a b c nothing a", ":4"},
	{"DEL a b nothing", ":2"},
	{"MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"},
	{"TOUCH foo bar c d", ":3"},
	{"DBSIZE", ":3"},
	{"UNLINK foo bar c", ":3"},
	{"DBSIZE", ":0"},
	{"APPEND foo", "-ERR wrong number of arguments for 'append' command"},
	{NULL, NULL},
};

static void keys_are_where_their_slots_are(void **state)
{
	(void)state;
	for (int shards = 1; shards <= 3; shards++) {
		struct world world;

		assert_int_equal(slot_owner(slot_of(SLICE("foo")), 2), 1);
		assert_int_equal(slot_owner(slot_of(SLICE("bar")), 2), 0);
		open_clients(&world, 1, shards, 4);
		for (int i = 0; i < 4; i++)
			expect_all(&wires[i], strings);
		close_clients(&world, 4);
	}
}

static const struct exchange steps[] = {
	{"SET foo 1 PX 100000", "+OK"},
	{"RENAME foo bar", "+OK"},
	{"EXISTS foo", ":0"},
	{"GET bar", "$1 1"},
	{"RENAME foo bar", "-ERR no such key"},
	{"SET foo 2", "+OK"},
	{"RENAMENX foo bar", ":0"},
	{"COPY foo bar", ":0"},
	{"COPY foo bar REPLACE", ":1"},
	{"GET bar", "$1 2"},
	{"TTL bar", ":-1"},
	{"COPY foo bar DB 3", ":1"},
	{"COPY foo bar DB 99", "-ERR DB index is out of range"},
	{"SELECT 3", "+OK"},
	{"GET bar", "$1 2"},
	{"SELECT 0", "+OK"},
	{"MSETNX a 1 b 2 foo 3", ":0"},
	{"EXISTS a b", ":0"},
	{"MSETNX a 1 b 2", ":1"},
	{"MGET a b", "*2 $1 1 $1 2"},
	{"SET foo ohmytext", "+OK"},
	{"SET bar mynewtext", "+OK"},
	{"LCS foo bar", "$6 mytext"},
	{"LCS foo bar LEN", ":6"},
	{"SWAPDB 0 3", "+OK"},
	{"DBSIZE", ":1"},
	{"GET bar", "$1 2"},
	{"FLUSHALL", "+OK"},
	{"DBSIZE", ":0"},
	{NULL, NULL},
};

static void commands_over_several_shards_are_done_as_on_one(void **state)
{
	(void)state;
	for (int shards = 1; shards <= 3; shards++) {
		struct world world;

		open_clients(&world, 2, shards, 3);
		for (int i = 0; i < 3; i++)
			expect_all(&wires[i], steps);
		close_clients(&world, 3);
	}
}

static const struct exchange transactions[] = {
	{"MULTI", "+OK"},
	{"SET foo 1", "+QUEUED"},
	{"SET bar 1", "+QUEUED"},
	{"INCR bar", "+QUEUED"},
	{"MGET foo bar", "+QUEUED"},
	{"RENAME foo a", "+QUEUED"},
	{"PING", "+QUEUED"},
	{"SELECT 1", "+QUEUED"},
	{"SET foo 7", "+QUEUED"},
	{"SELECT 0", "+QUEUED"},
	{"EXISTS foo a", "+QUEUED"},
	{"DBSIZE", "+QUEUED"},
	{"INCR b x", "-ERR wrong number of arguments for 'incr' command"},
	{"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
	{"MULTI", "+OK"},
	{"SET foo 1", "+QUEUED"},
	{"SET bar 1", "+QUEUED"},
	{"INCR bar", "+QUEUED"},
	{"MGET foo bar", "+QUEUED"},
	{"RENAME foo a", "+QUEUED"},
	{"PING", "+QUEUED"},
	{"SELECT 1", "+QUEUED"},
	{"SET foo 7", "+QUEUED"},
	{"SELECT 0", "+QUEUED"},
	{"EXISTS foo a", "+QUEUED"},
	{"DBSIZE", "+QUEUED"},
	{"EXEC", "*11 +OK +OK :2 *2 $1 1 $1 2 +OK +PONG +OK +OK +OK :1 :2"},
	{"MULTI", "+OK"},
	{"EXEC", "*0"},
	{"MULTI", "+OK"},
	{"GET foo", "+QUEUED"},
	{"EXEC", "*1 $-1"},
	{"WATCH foo bar", "+OK"},
	{"MULTI", "+OK"},
	{"SET foo 1", "+QUEUED"},
	{"EXEC", "*1 +OK"},
	{"FLUSHALL", "+OK"},
	{NULL, NULL},
};

static void transactions_are_one_step_on_all_shards(void **state)
{
	(void)state;
	for (int shards = 1; shards <= 3; shards++) {
		struct world world;

		open_clients(&world, 3, shards, 3);
		for (int i = 0; i < 3; i++)
			expect_all(&wires[i], transactions);
		close_clients(&world, 3);
	}
}

static void what_is_watched_is_seen_on_every_shard(void **state)
{
	static const char *const keys[] = {"foo", "bar"};

	(void)state;
	for (int shards = 1; shards <= 3; shards++) {
		struct world world;

		open_clients(&world, 4, shards, 4);
		for (int i = 0; i < 16; i++) {
			struct wire *watcher = &wires[i % 4], *other = &wires[i / 4];
			char set[32];

			snprintf(set, sizeof(set), "SET %s x", keys[i % 2]);
			expect(watcher, "WATCH foo bar", "+OK");
			expect(other, set, "+OK");
			expect(watcher, "MULTI", "+OK");
			expect(watcher, "SET foo 1", "+QUEUED");
			expect(watcher, "SET bar 1", "+QUEUED");
			expect(watcher, "EXEC", "*-1");
			expect(watcher, "WATCH foo bar", "+OK");
			expect(watcher, "UNWATCH", "+OK");
			expect(other, set, "+OK");
			expect(watcher, "MULTI", "+OK");
			expect(watcher, "GET foo", "+QUEUED");
			expect(watcher, "DISCARD", "+OK");
		}
		expect(&wires[0], "WATCH foo bar", "+OK"); /* and goes */
		close_clients(&world, 4);
	}
}

static void one_connections_commands_keep_their_order(void **state)
{
	static const char pipeline[] =
		"SET foo 1\r\nRENAME foo bar\r\nGET bar\r\nGET foo\r\nSET foo 2\r\nMGET foo bar\r\n"
		"MULTI\r\nINCR foo\r\nINCR bar\r\nEXEC\r\nMGET bar foo\r\nCOPY foo bar REPLACE\r\n"
		"GET bar\r\nDEL foo bar\r\nEXISTS foo bar\r\n";
	static const char *const replies[] = {
		"+OK",		"+OK", "$1 1",	  "$-1",     "+OK",
		"*2 $1 2 $1 1", "+OK", "+QUEUED", "+QUEUED", "*2 :3 :2",
		"*2 $1 2 $1 3", ":1",  "$1 3",	  ":2",	     ":0",
	};

	(void)state;
	for (int shards = 1; shards <= 3; shards++) {
		struct world world;

		open_clients(&world, 5, shards, 4);
		for (int i = 0; i < 4; i++) {
			assert_int_equal(wire_send(&wires[i], pipeline, strlen(pipeline)), 0);
			for (size_t k = 0; k < sizeof(replies) / sizeof(replies[0]); k++) {
				const char *reply = wire_reply_or_null(&wires[i]);
				char text[256];

				assert_non_null(reply);
				snprintf(text, sizeof(text), "%s", reply);
				flatten(text);
				assert_string_equal(text, replies[k]);
			}
		}
		close_clients(&world, 4);
	}
}

static const struct exchange lower_node[] = {
	{"SET bar 1", "+OK"},
	{"SET {bar}2 2", "+OK"},
	{"SET b 3", "+OK"},
	{"GET foo", "-MOVED 12182 10.0.0.1:6380"},
	{"MGET bar {bar}2", "*2 $1 1 $1 2"},
	{"MGET bar b", "-CROSSSLOT Keys in request don't hash to the same slot"},
	{"MGET bar foo", "-CROSSSLOT Keys in request don't hash to the same slot"},
	{"DEL foo {foo}2", "-MOVED 12182 10.0.0.1:6380"},
	{"RENAME {bar}2 {bar}3", "+OK"},
	{"WATCH foo", "-MOVED 12182 10.0.0.1:6380"},
	{"MULTI", "+OK"},
	{"GET foo", "-MOVED 12182 10.0.0.1:6380"},
	{"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
	{"MULTI", "+OK"},
	{"INCR bar", "+QUEUED"},
	{"INCR b", "+QUEUED"},
	{"EXEC", "-CROSSSLOT Keys in request don't hash to the same slot"},
	{"MULTI", "+OK"},
	{"INCR bar", "+QUEUED"},
	{"DBSIZE", "+QUEUED"},
	{"EXEC", "*2 :2 :3"},
	{"MULTI", "+OK"},
	{"SELECT 1", "+QUEUED"},
	{"GET bar", "+QUEUED"},
	{"EXEC", "*2 -ERR SELECT is not allowed in cluster mode $1 2"},
	{"GET", "-ERR wrong number of arguments for 'get' command"},
	{"SELECT 1", "-ERR SELECT is not allowed in cluster mode"},
	{"SWAPDB 0 1", "-ERR SWAPDB is not allowed in cluster mode"},
	{"CLUSTER KEYSLOT foo", ":12182"},
	{"CLUSTER COUNTKEYSINSLOT 5061", ":2"},
	{"CLUSTER COUNTKEYSINSLOT 16384", "-ERR Invalid slot"},
	{"CLUSTER GETKEYSINSLOT 3300 10", "*1 $1 b"},
	{"CLUSTER GETKEYSINSLOT 3300 -1", "-ERR Invalid slot or number of keys"},
	{"CLUSTER GETKEYSINSLOT 5061 0", "*0"},
	{"CLUSTER MYID", "$40 " LOWER_ID},
	{"CLUSTER NODES",
	 "$197 " LOWER_ID " 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-8191 " UPPER_ID
	 " 10.0.0.1:6380@16380 master - 0 0 2 connected 8192-16383 "},
	{"CLUSTER SLOTS", "*2 *3 :0 :8191 *4 $8 10.0.0.1 :6379 $40 " LOWER_ID
			  " *0 *3 :8192 :16383 *4 $8 10.0.0.1 :6380 $40 " UPPER_ID " *0"},
	{"CLUSTER REPLICAS " UPPER_ID, "*0"},
	{"CLUSTER REPLICAS who", "-ERR Unknown node who"},
	{"CLUSTER MEET 1.2.3.4 5", "-ERR unknown subcommand 'MEET'. Try CLUSTER HELP."},
	{"READONLY", "+OK"},
	{"ASKING", "+OK"},
	{"DBSIZE", ":3"},
	{NULL, NULL},
};

static const struct exchange upper_node[] = {
	{"DBSIZE", ":0"},     {"GET bar", "-MOVED 5061 10.0.0.1:6379"},
	{"SET foo 1", "+OK"}, {"CLUSTER MYID", "$40 " UPPER_ID},
	{"FLUSHALL", "+OK"},  {"DBSIZE", ":0"},
	{NULL, NULL},
};

static void a_node_of_a_cluster_answers_for_its_slots(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, 6, 2, KV_CLUSTER, 1);
	assert_int_equal(demi_sim_enter(world.sim, world.client, 0), 0);
	assert_int_equal(wire_open(&wires[0], &world, 0), 0);
	assert_int_equal(wire_open(&wires[1], &world, 1), 0);
	expect_all(&wires[0], lower_node);
	expect_all(&wires[1], upper_node);
	expect(&wires[0], "DBSIZE", ":3");
	close_clients(&world, 2);
}

static void who_is_no_cluster_says_so(void **state)
{
	struct world world;

	(void)state;
	open_clients(&world, 7, 2, 1);
	expect(&wires[0], "CLUSTER INFO", "-ERR This instance has cluster support disabled");
	expect(&wires[0], "READONLY", "-ERR This instance has cluster support disabled");
	close_clients(&world, 1);
}

/* What is under way when a client goes, and when the server is told to end, is not missed. */
static void clients_go_and_the_server_ends_amid_it_all(void **state)
{
	static const char pipeline[] = "MSET foo 1 bar 2\r\nWATCH foo bar\r\nMULTI\r\nSET foo 2\r\n"
				       "SET bar 3\r\nRENAME foo a\r\nEXEC\r\nMGET a bar\r\n"
				       "RENAME a foo\r\nKEYS *\r\nWATCH foo bar\r\n";
	const struct timespec none = {0, 0};

	(void)state;
	for (int i = 0; i < 40; i++) {
		struct world world;
		demi_qresult_t qr;
		int count;

		open_clients(&world, (uint64_t)i, 3, 4);
		for (int k = 0; k < 4; k++) {
			demi_sgarray_t sga = demi_sgaalloc(strlen(pipeline));
			demi_qtoken_t qt;

			memcpy(sga.sga_segs[0].sgaseg_buf, pipeline, strlen(pipeline));
			assert_int_equal(demi_push(&qt, wires[k].qd, &sga), 0);
			assert_int_equal(demi_sgafree(&sga), 0);
		}
		for (int steps_left = i; steps_left > 0; steps_left--)
			demi_wait_next_n(&qr, 1, &count, &none);
		close_clients(&world, i % 5);
	}
}

/* All shards are asked, and the answers joined after HELLO was run. */
static void what_was_asked_before_hello_is_answered_in_the_protocol_of_then(void **state)
{
	static const char pipeline[] = "CLIENT LIST ID 99999\r\nRANDOMKEY\r\nHELLO 3\r\n";

	(void)state;
	for (int shards = 1; shards <= 3; shards++) {
		struct world world;

		open_clients(&world, 9, shards, 1);
		assert_int_equal(wire_send(&wires[0], pipeline, strlen(pipeline)), 0);
		assert_string_equal(wire_reply_or_null(&wires[0]), "$0\r\n\r\n");
		assert_string_equal(wire_reply_or_null(&wires[0]), "$-1\r\n");
		assert_int_equal(wire_reply_or_null(&wires[0])[0], '%');
		expect(&wires[0], "RANDOMKEY", "_");
		close_clients(&world, 1);
	}
}

static const struct exchange nobodies[] = {
	{"CLIENT KILL ADDR \"\"", ":0"},
	{"CLIENT KILL LADDR \"\" TYPE normal", ":0"},
	{"CLIENT KILL \"\"", "-ERR No such client"},
	{"CLIENT LIST ID 0", "$0 "},
	{"CLIENT LIST ID -1 99999", "$0 "},
	{"CLIENT LIST ID x", "-ERR Invalid client ID"},
	{NULL, NULL},
};

static void an_empty_address_is_no_clients(void **state)
{
	(void)state;
	for (int shards = 1; shards <= 2; shards++) {
		struct world world;

		open_clients(&world, 10, shards, 2);
		expect_all(&wires[0], nobodies);
		expect(&wires[1], "PING", "+PONG");
		close_clients(&world, 2);
	}
}

/* All that a client asked in one piece, told without waiting for an answer. */
static void say(struct wire *wire, const char *text)
{
	assert_int_equal(wire_send(wire, text, strlen(text)), 0);
}

/* EXEC waits for other shards while its client goes: what it would have subscribed to is nobody's.
 */
static void who_has_gone_is_not_subscribed_by_its_transaction(void **state)
{
	static const char transaction[] =
		"MULTI\r\nSUBSCRIBE c\r\nPSUBSCRIBE *\r\nDBSIZE\r\nEXEC\r\n";
	const struct linger at_once = {.l_onoff = 1};

	(void)state;
	for (int shards = 1; shards <= 3; shards++) {
		struct world world;

		open_clients(&world, 8, shards, 4);
		world_slow_down(MS);
		for (int i = 1; i < 4; i++) {
			say(&wires[i], transaction);
			assert_int_equal(demi_setsockopt(wires[i].qd, SOL_SOCKET, SO_LINGER,
							 &at_once, sizeof(at_once)),
					 0);
			assert_int_equal(wire_close(&wires[i]), 0);
		}
		for (int i = 0; i < 8; i++)
			expect(&wires[0], "PING", "+PONG");
		expect(&wires[0], "PUBLISH c hello", ":0");
		expect(&wires[0], "PUBSUB NUMSUB c", "*2 $1 c :0");
		world_slow_down(0);
		close_clients(&world, 1);
	}
}

/* Of a transaction that waits for another shard's keys, the rest does not run any more. */
static void the_server_ends_between_the_steps_of_transactions(void **state)
{
	static const char pipeline[] =
		"SET foo 1\r\nMULTI\r\nRENAME foo bar\r\nSET foo 1\r\nSET bar 2\r\nSET c 3\r\n"
		"COPY foo bar REPLACE\r\nSET foo 2\r\nSET bar 3\r\nSET c 4\r\nEXEC\r\n";

	(void)state;
	for (int i = 0; i < 60; i++) {
		struct world world;

		open_clients(&world, (uint64_t)i, 3, 4);
		for (int k = 0; k < 4; k++)
			assert_int_equal(wire_send(&wires[k], pipeline, strlen(pipeline)), 0);
		assert_int_equal(demi_sim_advance(world.sim, (uint64_t)i * 500), 0);
		close_clients(&world, 0);
	}
}

static void without_room_nothing_is_queued_as_redis_has_it(void **state)
{
	static const char oom[] = "-OOM command not allowed when used memory > 'maxmemory'.";
	static const char previous[] =
		"-EXECABORT Transaction discarded because of previous errors.";
	static const char *const all[] = {"SET foo 2", "GET foo", "PING", "MULTI", "WATCH foo"};
	static const struct exchange ends[] = {
		{"MULTI", "+OK"}, {"DISCARD", "+OK"},  {"MULTI", "+OK"},    {"EXEC", "*0"},
		{"MULTI", "+OK"}, {"RESET", "+RESET"}, {"GET foo", "$1 1"}, {NULL, NULL},
	};
	struct world world;

	(void)state;
	open_clients(&world, 10, 1, 2);
	expect(&wires[0], "SET foo 1", "+OK");
	expect(&wires[1], "MULTI", "+OK");
	expect(&wires[1], "SET foo 2", "+QUEUED");
	expect(&wires[0], "CONFIG SET maxmemory 1", "+OK");
	expect(&wires[1], "EXEC",
	       "-EXECABORT Transaction discarded because of: OOM command not allowed when used "
	       "memory > 'maxmemory'.");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		expect(&wires[0], "MULTI", "+OK");
		expect(&wires[0], all[i], oom);
		expect(&wires[0], "EXEC", previous);
	}
	expect_all(&wires[0], ends);
	close_clients(&world, 2);
}

/* A client's shard without room says nothing about keys of others, which have. */
static void room_is_asked_for_where_the_keys_are(void **state)
{
	static const char refused[] = "-EXECABORT Transaction discarded because of";
	struct world world;

	(void)state;
	open_clients(&world, 11, 2, 4);
	expect(&wires[0], "SETRANGE foo 1000000 x", ":1000001");
	expect(&wires[0], "CONFIG SET maxmemory 1mb", "+OK");
	for (int i = 0; i < 4; i++) {
		expect(&wires[i], "MULTI", "+OK");
		expect(&wires[i], "SET bar 2", "+QUEUED");
		expect(&wires[i], "EXEC", "*1 +OK");
		expect(&wires[i], "MULTI", "+OK");
		wire_ask_or_null(&wires[i], "SET foo 2"); /* refused now, or by EXEC */
		assert_memory_equal(wire_ask_or_null(&wires[i], "EXEC"), refused, strlen(refused));
	}
	close_clients(&world, 4);
}

static void expect_word(struct wire *wire, const char *command, const char *word)
{
	const char *reply = wire_ask_or_null(wire, command);

	assert_non_null(reply);
	if (!strstr(reply, word))
		fail_msg("%s\n  gives  %s\n  without  %s", command, reply, word);
}

static void errors_are_counted_by_kind_wherever_they_come_from(void **state)
{
	struct world world;

	(void)state;
	open_clients(&world, 12, 2, 1);
	expect(&wires[0], "RENAME foo bar", "-ERR no such key");
	expect(&wires[0], "RENAME foo a", "-ERR no such key");
	expect_word(&wires[0], "INFO errorstats", "errorstat_ERR:count=2\r\n");
	expect_word(&wires[0], "INFO commandstats", "cmdstat_rename:calls=2,");
	close_clients(&world, 1);
	world_open(&world, 13, 2, KV_CLUSTER, 1);
	assert_int_equal(demi_sim_enter(world.sim, world.client, 0), 0);
	assert_int_equal(wire_open(&wires[0], &world, 0), 0);
	expect_word(&wires[0], "GET foo", "-MOVED 12182 ");
	expect(&wires[0], "MULTI", "+OK");
	expect_word(&wires[0], "GET foo", "-MOVED 12182 ");
	expect_word(&wires[0], "WATCH foo", "-MOVED 12182 ");
	expect(&wires[0], "DISCARD", "+OK");
	expect_word(&wires[0], "INFO errorstats", "errorstat_MOVED:count=3\r\n");
	close_clients(&world, 1);
}

/* On any number of shards, and whichever of them the clients are on. */
static void what_is_evicted_for_a_transaction_was_not_left_alone_since_watch(void **state)
{
	(void)state;
	for (int shards = 1; shards <= 3; shards++) {
		struct world world;

		open_clients(&world, 9, shards, 4);
		for (int i = 1; i < 4; i++) {
			expect(&wires[0], "CONFIG SET maxmemory 0 maxmemory-policy volatile-ttl",
			       "+OK");
			expect(&wires[0], "SET foo 1 EX 1000", "+OK");
			expect(&wires[i], "WATCH foo", "+OK");
			expect(&wires[i], "MULTI", "+OK");
			expect(&wires[i], "PERSIST foo", "+QUEUED");
			expect(&wires[0], "CONFIG SET maxmemory 1", "+OK");
			expect(&wires[i], "EXEC", "*-1");
			expect(&wires[0], "EXISTS foo", ":0");
		}
		close_clients(&world, 4);
	}
}

/* Neither FIN nor RST comes of a client whose machine has lost its power. */
static void who_vanishes_without_a_word_is_forgotten(void **state)
{
	const struct demi_sim_path fine = {.size = sizeof(fine)};
	const struct demi_sim_path bad = {.size = sizeof(bad), .cut = 1};
	struct world world;

	(void)state;
	open_clients(&world, 11, 2, 3);
	expect(&wires[0], "SUBSCRIBE c", "*3 $9 subscribe $1 c :1");
	expect(&wires[1], "PUBLISH c x", ":1");
	assert_int_equal(demi_sim_link_set(world.sim, world.link, DEMI_SIM_BOTH, &bad), 0);
	assert_int_equal(demi_sim_leave(world.sim), 0);
	assert_int_equal(demi_sim_advance(world.sim, 700 * SEC), 0);
	assert_int_equal(demi_sim_link_set(world.sim, world.link, DEMI_SIM_BOTH, &fine), 0);
	assert_int_equal(demi_sim_enter(world.sim, world.client, 0), 0);
	assert_int_equal(wire_open(&wires[3], &world, 0), 0);
	expect(&wires[3], "PUBLISH c x", ":0");
	expect(&wires[3], "CLIENT KILL TYPE normal", ":0");
	close_clients(&world, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_where_their_slots_are),
		cmocka_unit_test(commands_over_several_shards_are_done_as_on_one),
		cmocka_unit_test(transactions_are_one_step_on_all_shards),
		cmocka_unit_test(what_is_watched_is_seen_on_every_shard),
		cmocka_unit_test(one_connections_commands_keep_their_order),
		cmocka_unit_test(a_node_of_a_cluster_answers_for_its_slots),
		cmocka_unit_test(who_is_no_cluster_says_so),
		cmocka_unit_test(clients_go_and_the_server_ends_amid_it_all),
		cmocka_unit_test(what_was_asked_before_hello_is_answered_in_the_protocol_of_then),
		cmocka_unit_test(an_empty_address_is_no_clients),
		cmocka_unit_test(who_vanishes_without_a_word_is_forgotten),
		cmocka_unit_test(who_has_gone_is_not_subscribed_by_its_transaction),
		cmocka_unit_test(the_server_ends_between_the_steps_of_transactions),
		cmocka_unit_test(without_room_nothing_is_queued_as_redis_has_it),
		cmocka_unit_test(room_is_asked_for_where_the_keys_are),
		cmocka_unit_test(errors_are_counted_by_kind_wherever_they_come_from),
		cmocka_unit_test(what_is_evicted_for_a_transaction_was_not_left_alone_since_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
