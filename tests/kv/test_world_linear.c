/*
 * The server on two or three shards under clients that read and write the same keys at the same
 * time, over links that lose, double and reorder: each key's history is linearizable, and
 * transactions over shards are never seen in part.
 *
 *      test_kv_world_linear [SEEDS [FIRST]]      so many seeds of each kind (default 24)
 */
#include "tests/kv/history.h"
#include "tests/kv/world_kv.h"

#include "kv/slot.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLIENT_COUNT = 6, OP_COUNT = 36, KEY_COUNT = 4, SHARD_MAX = 3, TOTAL = 100 };

/* Two of the first shard, two of the last. */
static const char *const keys[KEY_COUNT] = {"foo", "bar", "a", "b"};

struct client {
	struct wire wires[SHARD_MAX]; /* forward mode: one is used */
	uint64_t dice;
	int number;
	unsigned refused, watched, torn; /* MOVED; EXEC that did not go through */
};

static struct world world;
static struct history histories[KEY_COUNT];
static struct client clients[CLIENT_COUNT];
static uint64_t seed_first = 1, seed_count = 24;

static unsigned roll(struct client *client, unsigned sides)
{
	client->dice = client->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(client->dice >> 33) % sides;
}

/* --- one operation --- */

/* What a reply says: ":5", "$1 5", "$-1", "+OK" is 1. */
static int64_t value_of(const char *reply)
{
	const char *line = reply ? strchr(reply, '\n') : NULL;

	if (!line) {
		fail_msg("no reply");
		return 0;
	}
	if (reply[0] == '$' && reply[1] != '-')
		return atoll(line + 1);
	if (reply[0] == ':')
		return atoll(reply + 1);
	if (reply[0] == '$')
		return HISTORY_NONE;
	if (reply[0] != '+')
		fail_msg("%s", reply);
	return 1;
}

/* In cluster mode the node is asked that a client without a map would ask, and then the one that it
 * names. */
static struct wire *wire_for(struct client *client, const char *key)
{
	const int owner = slot_owner(slot_of(slice_of(key)), world.shards);
	char line[64], moved[64];
	const char *reply;

	if (world.settings.mode == KV_FORWARD)
		return &client->wires[0];
	if (roll(client, 8) == 0) {
		snprintf(line, sizeof(line), "GET %s", key);
		snprintf(moved, sizeof(moved), "-MOVED %u 10.0.0.1:%d\r\n", slot_of(slice_of(key)),
			 WORLD_PORT + owner);
		reply = wire_ask_or_null(&client->wires[(owner + 1) % world.shards], line);
		assert_non_null(reply);
		assert_string_equal(reply, moved);
		client->refused++;
	}
	return &client->wires[owner];
}

static int64_t ask(struct wire *wire, const char *format, const char *key, int64_t value)
{
	char line[128];

	snprintf(line, sizeof(line), format, key, (long long)value);
	return value_of(wire_ask_or_null(wire, line));
}

/* GETSET by MULTI and EXEC. */
static int64_t take_and_set(struct wire *wire, const char *key, int64_t value)
{
	const char *reply;

	ask(wire, "MULTI", key, 0);
	ask(wire, "GET %s", key, 0);
	ask(wire, "SET %s %lld", key, value);
	reply = wire_ask_or_null(wire, "EXEC");
	assert_non_null(reply);
	assert_memory_equal(reply, "*2\r\n", 4);
	return value_of(reply + 4);
}

static void note(unsigned key, struct op op)
{
	struct history *history = &histories[key];

	assert_true(history->count < HISTORY_OP_MAX);
	op.ended_ns = demi_sim_now(world.sim);
	history->ops[history->count++] = op;
}

/* WATCH, GET, SET in EXEC: reading is one operation, and what goes through another. */
static void compare_and_set(struct client *client, struct wire *wire, unsigned key, int64_t value)
{
	struct op get = {OP_GET, client->number, 0, 0, demi_sim_now(world.sim), 0}, cas;
	const char *reply;

	ask(wire, "WATCH %s", keys[key], 0);
	get.told = ask(wire, "GET %s", keys[key], 0);
	note(key, get);
	cas = (struct op){OP_CAS, client->number, value, get.told, demi_sim_now(world.sim), 0};
	ask(wire, "MULTI", keys[key], 0);
	ask(wire, "SET %s %lld", keys[key], value);
	reply = wire_ask_or_null(wire, "EXEC");
	assert_non_null(reply);
	if (reply[0] == '*' && reply[1] == '1')
		note(key, cas);
	else
		client->watched++;
}

static void operate(struct client *client, int64_t value)
{
	static const char *const formats[] = {
		[OP_GET] = "GET %s",	      [OP_SET] = "SET %s %lld",
		[OP_SETNX] = "SETNX %s %lld", [OP_GETSET] = "GETSET %s %lld",
		[OP_INCR] = "INCR %s",	      [OP_DEL] = "DEL %s",
	};
	const unsigned key = roll(client, KEY_COUNT), kind = roll(client, OP_CAS + 2);
	struct wire *wire = wire_for(client, keys[key]);
	struct op op = {
		.client = client->number, .gave = value, .begun_ns = demi_sim_now(world.sim)};

	/* A history has a limit: two at once, and those under way. */
	if (histories[key].count + 2 * CLIENT_COUNT >= HISTORY_OP_MAX)
		return;
	if (kind == OP_CAS) {
		compare_and_set(client, wire, key, value);
	} else if (kind == OP_CAS + 1) {
		op.kind = OP_GETSET;
		op.told = take_and_set(wire, keys[key], value);
		note(key, op);
	} else {
		op.kind = (enum op_kind)kind;
		op.told = ask(wire, formats[kind], keys[key], value);
		note(key, op);
	}
}

static int open_wires(struct client *client)
{
	const int count = world.settings.mode == KV_CLUSTER ? world.shards : 1;
	int error = 0;

	for (int i = 0; i < count && !error; i++)
		error = wire_open(&client->wires[i], &world, i);
	return error;
}

static int operate_all(void *arg)
{
	struct client *client = &clients[demi_shard_self()];
	int error = open_wires(client);

	(void)arg;
	for (int i = 0; i < OP_COUNT && !error; i++)
		operate(client, client->number * 1000000 + i * 1000);
	return error;
}

/* --- transactions over shards --- */

/* The sum of foo and bar is always the same. */
static void move_or_look(struct client *client, struct wire *wire)
{
	const int amount = (int)roll(client, 7);
	const bool looks = roll(client, 2) == 0;
	const char *reply;
	int foo, bar;

	ask(wire, "MULTI", "", 0);
	ask(wire, looks ? "GET %s" : "DECRBY %s %lld", "foo", amount);
	ask(wire, looks ? "GET %s" : "INCRBY %s %lld", "bar", amount);
	reply = wire_ask_or_null(wire, "EXEC");
	assert_non_null(reply);
	if (sscanf(reply, looks ? "*2\r\n$%*d\r\n%d\r\n$%*d\r\n%d" : "*2\r\n:%d\r\n:%d", &foo,
		   &bar) != 2)
		fail_msg("%s", reply);
	client->torn += foo + bar != TOTAL;
}

/* Both are always counted up together: who is looked at later is not behind. */
static void count_or_look(struct client *client, struct wire *wire)
{
	const char *const first = roll(client, 2) ? "a" : "b", *const later =
								       *first == 'a' ? "b" : "a";
	int64_t before, after;

	if (roll(client, 2) == 0) {
		before = ask(wire, "GET %s", first, 0);
		after = ask(wire, "GET %s", later, 0);
		client->torn += after < before;
		return;
	}
	ask(wire, "MULTI", "", 0);
	ask(wire, "INCR %s", first, 0);
	ask(wire, "INCR %s", later, 0);
	assert_non_null(wire_ask_or_null(wire, "EXEC"));
}

/* Both on one shard, with a step between that takes both shards and some time. */
static void pair_or_look(struct client *client, struct wire *wire)
{
	const char *reply;
	long long one, other;

	if (roll(client, 2) == 0) {
		reply = wire_ask_or_null(wire, "MGET {foo}1 {foo}2");
		assert_non_null(reply);
		if (sscanf(reply, "*2\r\n$%*d\r\n%lld\r\n$%*d\r\n%lld", &one, &other) != 2)
			fail_msg("%s", reply);
		client->torn += one != other;
		return;
	}
	ask(wire, "MULTI", "", 0);
	ask(wire, "INCR %s", "{foo}1", 0);
	ask(wire, "COPY %s {foo} REPLACE", "{bar}", 0);
	ask(wire, "INCR %s", "{foo}2", 0);
	assert_non_null(wire_ask_or_null(wire, "EXEC"));
}

static int transfer(void *arg)
{
	struct client *client = &clients[demi_shard_self()];
	int error = wire_open(&client->wires[0], &world, 0);

	(void)arg;
	for (int i = 0; i < 2 * OP_COUNT && !error; i++) {
		switch (roll(client, 3)) {
		case 0:
			move_or_look(client, &client->wires[0]);
			break;
		case 1:
			count_or_look(client, &client->wires[0]);
			break;
		default:
			pair_or_look(client, &client->wires[0]);
		}
	}
	return error;
}

/* --- worlds --- */

static void make_links_bad(uint64_t seed)
{
	const struct demi_sim_path bad = {.size = sizeof(bad),
					  .loss_ppm = seed % 3 * 15000,
					  .duplicate_ppm = 10000,
					  .reorder_ppm = 50000,
					  .delay_ns = 500000 + seed % 5 * 200000,
					  .jitter_ns = 300000,
					  .reorder_ns = 2 * MS};

	assert_int_equal(demi_sim_link_set(world.sim, world.link, DEMI_SIM_BOTH, &bad), 0);
}

static void run_clients(uint64_t seed, enum kv_mode mode, int (*program)(void *arg))
{
	int result = -1;

	world_open(&world, seed, 2 + (int)(seed % 2), mode, CLIENT_COUNT);
	make_links_bad(seed);
	world_slow_down(seed % 4 * 15000);
	memset(histories, 0, sizeof(histories));
	for (int i = 0; i < CLIENT_COUNT; i++)
		clients[i] = (struct client){.dice = seed * 1000 + (unsigned)i, .number = i + 1};
	if (program == transfer) {
		assert_int_equal(demi_sim_enter(world.sim, world.client, 0), 0);
		assert_int_equal(wire_open(&clients[0].wires[0], &world, 0), 0);
		assert_non_null(wire_ask_or_null(&clients[0].wires[0],
						 "MSET foo 100 bar 0 a 0 b 0 {foo}1 0 {foo}2 0"));
		assert_int_equal(wire_close(&clients[0].wires[0]), 0);
		assert_int_equal(demi_sim_leave(world.sim), 0);
	}
	assert_int_equal(demi_sim_program(world.sim, world.client, -1, program, NULL), 0);
	for (int i = 0; i < CLIENT_COUNT; i++)
		while (demi_sim_result(world.sim, world.client, i, &result) == EBUSY)
			assert_int_equal(demi_sim_step(world.sim), 0);
	for (int i = 0; i < CLIENT_COUNT; i++) {
		assert_int_equal(demi_sim_result(world.sim, world.client, i, &result), 0);
		assert_int_equal(result, 0);
	}
	world_close(&world);
}

static void judge_keys(enum kv_mode mode)
{
	unsigned ops = 0, refused = 0, watched = 0;

	for (uint64_t seed = seed_first; seed < seed_first + seed_count; seed++) {
		run_clients(seed, mode, operate_all);
		for (int i = 0; i < KEY_COUNT; i++) {
			ops += histories[i].count;
			if (history_is_linearizable(&histories[i]))
				continue;
			history_print(&histories[i]);
			fail_msg("seed %llu: no order explains what was done to %s",
				 (unsigned long long)seed, keys[i]);
		}
		for (int i = 0; i < CLIENT_COUNT; i++) {
			refused += clients[i].refused;
			watched += clients[i].watched;
		}
	}
	print_message("%u operations judged, %u MOVED, %u EXEC not gone through\n", ops, refused,
		      watched);
	assert_true(watched > 0);
	assert_true(mode == KV_FORWARD || refused > 0);
}

static void each_key_is_linearizable_when_commands_are_forwarded(void **state)
{
	(void)state;
	judge_keys(KV_FORWARD);
}

static void each_key_is_linearizable_in_a_cluster(void **state)
{
	(void)state;
	judge_keys(KV_CLUSTER);
}

static void a_transaction_over_shards_is_never_seen_in_part(void **state)
{
	(void)state;
	for (uint64_t seed = seed_first; seed < seed_first + seed_count; seed++) {
		run_clients(seed, KV_FORWARD, transfer);
		for (int i = 0; i < CLIENT_COUNT; i++)
			if (clients[i].torn)
				fail_msg("seed %llu: client %d saw %u transactions in part",
					 (unsigned long long)seed, i, clients[i].torn);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_is_linearizable_when_commands_are_forwarded),
		cmocka_unit_test(each_key_is_linearizable_in_a_cluster),
		cmocka_unit_test(a_transaction_over_shards_is_never_seen_in_part),
	};

	if (argc > 1)
		seed_count = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		seed_first = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
