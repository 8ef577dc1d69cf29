/*
 * The server on two shards when memory fails, once at each moment of a pipeline that needs every
 * way between shards: the client has an error or loses its connection, nobody else notices, no
 * shard stays held, and nothing is lost track of. And how much memory a client can make them take.
 */
#include "tests/kv/world_kv.h"

#include "kv/errand.h"
#include "kv/heap.h"

#include <stdio.h>
#include <stdlib.h>

static struct wire good, victim;
static unsigned fail_after; /* 0: never; else so many allocations from now */
static unsigned failed_count, alloc_count;

void *__real_heap_alloc_or_null(size_t size);
void *__wrap_heap_alloc_or_null(size_t size);
void *__wrap_heap_alloc_or_null(size_t size)
{
	alloc_count++;
	if (fail_after && --fail_after == 0) {
		failed_count++;
		return NULL;
	}
	return __real_heap_alloc_or_null(size);
}

static size_t under_way, under_way_max; /* arguments of all errands that there are */

static size_t args_len(const struct errand *errand)
{
	size_t len = 0;

	for (int i = 0; i < errand->argc; i++)
		len += errand->argv[i].text.len;
	return len;
}

/* Errands are made of used memory mostly. */
struct errand *__real_errand_create_or_null(struct errand_spares *spares, enum errand_task task,
					    int resp, const struct arg *argv, const int *pick,
					    int count, int part_count);
struct errand *__wrap_errand_create_or_null(struct errand_spares *spares, enum errand_task task,
					    int resp, const struct arg *argv, const int *pick,
					    int count, int part_count);
struct errand *__wrap_errand_create_or_null(struct errand_spares *spares, enum errand_task task,
					    int resp, const struct arg *argv, const int *pick,
					    int count, int part_count)
{
	struct errand *errand;

	if (fail_after && --fail_after == 0) {
		failed_count++;
		return NULL;
	}
	errand = __real_errand_create_or_null(spares, task, resp, argv, pick, count, part_count);
	under_way += errand ? args_len(errand) : 0;
	under_way_max = under_way > under_way_max ? under_way : under_way_max;
	return errand;
}

void __real_errand_destroy(struct errand_spares *spares, struct errand *errand);
void __wrap_errand_destroy(struct errand_spares *spares, struct errand *errand);
void __wrap_errand_destroy(struct errand_spares *spares, struct errand *errand)
{
	under_way -= errand ? args_len(errand) : 0;
	__real_errand_destroy(spares, errand);
}

static const char pipeline[] =
	"SET foo 1\r\nSET bar 2\r\nMGET foo bar\r\nMSET foo 3 bar 4\r\nWATCH foo bar\r\nMULTI\r\n"
	"INCR foo\r\nINCR bar\r\nRENAME foo {bar}1\r\nMGET {bar}1 bar\r\nDBSIZE\r\nEXEC\r\n"
	"COPY bar foo REPLACE\r\nLCS foo bar\r\nMSETNX foo 1 new 2\r\nDEL foo bar {bar}1\r\n"
	"WATCH foo\r\nMULTI\r\nSET foo 1\r\nEXEC\r\nWATCH bar\r\nMULTI\r\nSET bar 1\r\nEXEC\r\n"
	"WATCH foo\r\nUNWATCH\r\nKEYS *\r\nSWAPDB 0 1\r\nPING\r\n";

static void expect(const char *command, const char *wanted)
{
	const char *reply = wire_ask_or_null(&good, command);

	assert_non_null(reply);
	assert_string_equal(reply, wanted);
}

/* Over both shards and back, and a step. */
static void all_is_well(void)
{
	expect("FLUSHALL", "+OK\r\n");
	expect("MSET foo 1 bar 2", "+OK\r\n");
	expect("RENAME foo bar", "+OK\r\n");
	expect("MGET foo bar", "*2\r\n$-1\r\n$1\r\n1\r\n");
	expect("DBSIZE", ":1\r\n");
}

static void whatever_fails_for_want_of_memory_fails_alone(void **state)
{
	struct world world;
	bool enough = false;

	(void)state;
	world_open(&world, 1, 2, KV_FORWARD, 1);
	assert_int_equal(demi_sim_enter(world.sim, world.client, 0), 0);
	assert_int_equal(wire_open(&good, &world, 0), 0);
	for (unsigned n = 1; !enough; n++) {
		const char *reply;

		assert_int_equal(wire_open(&victim, &world, 0), 0);
		assert_string_equal(wire_ask_or_null(&victim, "PING"), "+PONG\r\n");
		fail_after = n;
		assert_int_equal(wire_send(&victim, pipeline, strlen(pipeline)), 0);
		do
			reply = wire_reply_or_null(&victim);
		while (reply && strcmp(reply, "+PONG\r\n") != 0);
		enough = fail_after != 0;
		fail_after = 0;
		assert_int_equal(wire_close(&victim), 0);
		all_is_well();
	}
	print_message("%u allocations failed, one at a time\n", failed_count);
	assert_true(failed_count > 20);
	assert_int_equal(wire_close(&good), 0);
	assert_int_equal(demi_sim_leave(world.sim), 0);
	world_close(&world);
}

enum { LONG_LEN = 30000 };

/* begin, which ends before an argument, and a long one of foo's shard. */
static void say_long(const char *begin)
{
	static char line[LONG_LEN + 100];
	int len = snprintf(line, sizeof(line), "%s$%d\r\n{foo}%0*d\r\n", begin, LONG_LEN,
			   LONG_LEN - 5, 0);

	assert_int_equal(wire_send(&victim, line, (size_t)len), 0);
}

/* Of the first shard. */
static void open_victim(const struct world *world)
{
	assert_int_equal(wire_open(&victim, world, 0), 0);
	while (atoi(wire_ask_or_null(&victim, "CLIENT ID") + 1) % 2 == 0) {
		assert_int_equal(wire_close(&victim), 0);
		assert_int_equal(wire_open(&victim, world, 0), 0);
	}
}

/* The other shard computes for long. */
static void what_one_client_has_asked_of_others_is_bounded(void **state)
{
	static const char *const begins[] = {
		"*3\r\n$3\r\nSET\r\n$3\r\nfoo\r\n",
		"*5\r\n$4\r\nMSET\r\n$3\r\nbar\r\n$1\r\n1\r\n$3\r\nfoo\r\n",
		"*2\r\n$5\r\nWATCH\r\n",
	};
	enum { COUNT = 80, LEN_MAX = 1 << 20 };
	struct world world;

	(void)state;
	world_open(&world, 2, 2, KV_FORWARD, 1);
	assert_int_equal(demi_sim_enter(world.sim, world.client, 0), 0);
	open_victim(&world);
	for (size_t k = 0; k < sizeof(begins) / sizeof(begins[0]); k++) {
		under_way_max = under_way;
		world_slow_shard_down(1, 500 * MS);
		for (int i = 0; i < COUNT; i++)
			say_long(begins[k]);
		world_slow_down(0);
		for (int i = 0; i < COUNT; i++)
			assert_string_equal(wire_reply_or_null(&victim), "+OK\r\n");
		assert_in_range(under_way_max, LEN_MAX / 2, LEN_MAX + LONG_LEN + 100);
	}
	assert_int_equal(wire_close(&victim), 0);
	assert_int_equal(demi_sim_leave(world.sim), 0);
	world_close(&world);
	assert_int_equal(under_way, 0);
}

/* A reply that lacks a part is not filled up with what is behind it. */
static void a_value_comes_whole_or_not_at_all(void **state)
{
	enum { LEN = 5000 };
	static const char gets[] = "GET foo\r\nGET bar\r\nGET foo\r\nGET bar\r\nPING\r\n";
	static char value[LEN + 1], set[LEN + 64], whole[LEN + 64];
	struct world world;
	bool enough = false;

	(void)state;
	memset(value, 'v', LEN);
	snprintf(whole, sizeof(whole), "$%d\r\n%s\r\n", LEN, value);
	world_open(&world, 2, 2, KV_FORWARD, 1);
	assert_int_equal(demi_sim_enter(world.sim, world.client, 0), 0);
	assert_int_equal(wire_open(&good, &world, 0), 0);
	for (int i = 0; i < 2; i++) {
		snprintf(set, sizeof(set), "SET %s %s\r\n", i ? "foo" : "bar", value);
		assert_int_equal(wire_send(&good, set, strlen(set)), 0);
		assert_string_equal(wire_reply_or_null(&good), "+OK\r\n");
	}
	for (unsigned n = 1; !enough; n++) {
		const char *reply;

		assert_int_equal(wire_open(&victim, &world, 0), 0);
		assert_string_equal(wire_ask_or_null(&victim, "PING"), "+PONG\r\n");
		fail_after = n;
		assert_int_equal(wire_send(&victim, gets, strlen(gets)), 0);
		while ((reply = wire_reply_or_null(&victim)) && strcmp(reply, "+PONG\r\n") != 0)
			if (reply[0] != '-')
				assert_string_equal(reply, whole);
		enough = fail_after != 0;
		fail_after = 0;
		assert_int_equal(wire_close(&victim), 0);
	}
	assert_int_equal(wire_close(&good), 0);
	assert_int_equal(demi_sim_leave(world.sim), 0);
	world_close(&world);
}

/* Short ones, one by reference, one that is nowhere; and as many as there may be. */
static void what_many_keys_hold_comes_in_few_blocks(void **state)
{
	enum { COUNT = 2000, LEN = 6000 };
	static char line[16 * COUNT], wanted[2 * LEN + 100];
	struct world world;
	int len;

	(void)state;
	world_open(&world, 3, 2, KV_FORWARD, 1);
	assert_int_equal(demi_sim_enter(world.sim, world.client, 0), 0);
	assert_int_equal(wire_open(&victim, &world, 0), 0);
	len = snprintf(line, sizeof(line), "*3\r\n$3\r\nSET\r\n$3\r\nfoo\r\n$%d\r\n%0*d\r\n", LEN,
		       LEN, 0);
	assert_int_equal(wire_send(&victim, line, (size_t)len), 0);
	assert_string_equal(wire_reply_or_null(&victim), "+OK\r\n");
	assert_string_equal(wire_ask_or_null(&victim, "SET bar 2"), "+OK\r\n");
	snprintf(wanted, sizeof(wanted),
		 "*5\r\n$%d\r\n%0*d\r\n$1\r\n2\r\n$-1\r\n$%d\r\n%0*d\r\n$1\r\n2\r\n", LEN, LEN, 0,
		 LEN, LEN, 0);
	assert_string_equal(wire_ask_or_null(&victim, "MGET foo bar nowhere foo bar"), wanted);
	len = snprintf(line, sizeof(line), "*%d\r\n$4\r\nMGET\r\n", COUNT + 1);
	for (int i = 0; i < COUNT; i++)
		len += snprintf(line + len, sizeof(line) - (size_t)len, "$3\r\n%s\r\n",
				i % 2 ? "bar" : "foz");
	alloc_count = 0;
	assert_int_equal(wire_send(&victim, line, (size_t)len), 0);
	assert_non_null(wire_reply_or_null(&victim));
	assert_in_range(alloc_count, 1, COUNT / 10);
	assert_int_equal(wire_close(&victim), 0);
	assert_int_equal(demi_sim_leave(world.sim), 0);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_fails_for_want_of_memory_fails_alone),
		cmocka_unit_test(what_many_keys_hold_comes_in_few_blocks),
		cmocka_unit_test(what_one_client_has_asked_of_others_is_bounded),
		cmocka_unit_test(a_value_comes_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
