/*
 * What commands log makes the same data again, whenever it is replayed: random calls, seeded, on
 * one engine; what it has logged on another, long afterwards.
 */
#include "kv/engine.h"
#include "kv/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "talk.h"

/* A log that keeps everything: struct aof is the out. */
static struct out *out_of(struct aof *aof)
{
	return (struct out *)aof;
}

static const char *refusal_or_null(const struct aof *aof)
{
	(void)aof;
	return NULL;
}

static void append(struct aof *aof, int db, int argc, const struct arg *argv)
{
	(void)db;
	reply_array(out_of(aof), (size_t)argc);
	for (int i = 0; i < argc; i++)
		reply_bulk(out_of(aof), argv[i].text);
}

static void append_log(struct aof *aof, int db, struct out *log)
{
	(void)db;
	out_move(out_of(aof), log);
}

static void changes(struct aof *aof, int db, struct entry *entry)
{
	(void)aof, (void)db, (void)entry;
}

static void lost(struct aof *aof, int db, struct slice key)
{
	const struct arg argv[] = {{.text = SLICE("DEL")}, {.text = key}};

	append(aof, db, 2, argv);
}

static const struct engine_log LOG = {
	.refusal_or_null = refusal_or_null,
	.append = append,
	.append_log = append_log,
	.changes = changes,
	.lost = lost,
};

/* K: a key, V: a value, N: a number, T: a span or a moment, B: a bit's offset. */
static const char *const FORMS[] = {
	"SET K V",	   "SET K V EX T",    "SET K V PX T",	  "SET K V NX",
	"SET K V XX GET",  "SET K V KEEPTTL", "SET K V PXAT T",	  "SETEX K T V",
	"PSETEX K T V",	   "SETNX K V",	      "GETSET K V",	  "GETDEL K",
	"GETEX K EX T",	   "GETEX K PERSIST", "GETEX K PXAT T",	  "MSET K V K V",
	"MSETNX K V K V",  "APPEND K V",      "SETRANGE K B V",	  "INCR K",
	"DECRBY K N",	   "INCRBY K N",      "INCRBYFLOAT K N",  "INCRBYFLOAT K 0.1",
	"SETBIT K B 1",	   "SETBIT K B 0",    "BITOP XOR K K K",  "BITOP NOT K K",
	"BITOP AND K K K", "DEL K K",	      "PEXPIRE K T",	  "EXPIREAT K T",
	"PERSIST K",	   "RENAME K K",      "COPY K K REPLACE", "GET K",
};

static const char *word(char kind, uint32_t chance)
{
	static const char *const keys[] = {"a", "b", "c", "d", "e"};
	static const char *const values[] = {
		"", "0", "17", "-3", "3.5", "abc", "\xff", "long-long-long", "1e3", "99"};
	static const char *const numbers[] = {"0", "1", "-7", "1000000", "9223372036854775807"};
	static const char *const times[] = {"1", "3", "50", "1000", "-1", "1000050", "1100000"};
	static const char *const offsets[] = {"0", "1", "7", "9", "200"};

	switch (kind) {
	case 'K':
		return keys[chance % 5];
	case 'V':
		return values[chance % 10];
	case 'N':
		return numbers[chance % 5];
	case 'T':
		return times[chance % 7];
	default:
		return offsets[chance % 5];
	}
}

static uint32_t draw(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

static void say_something(struct talk *talk, uint32_t *seed)
{
	const char *form = FORMS[draw(seed) % (sizeof(FORMS) / sizeof(FORMS[0]))];
	struct arg argv[8] = {0};
	int argc = 0;

	for (const char *at = form; *at; at += *at == ' ') {
		const size_t len = strcspn(at, " ");

		if (len == 1 && strchr("KVNTB", *at))
			argv[argc++].text = slice_of(word(*at, draw(seed)));
		else
			argv[argc++].text = (struct slice){at, len};
		at += len;
	}
	talk_args(talk, argc, argv);
}

static void replay(struct talk *talk, struct out *log)
{
	static char text[1 << 16];
	struct resp_in in;
	size_t len;

	assert_int_equal(resp_in_init(&in, &talk->settings.limits), 0);
	while ((len = out_take(log, text, sizeof(text))) > 0) {
		resp_in_feed(&in, (struct slice){text, len});
		while (resp_in_next(&in) == RESP_COMMAND) {
			const char *reply = talk_args(talk, in.argc, in.argv);

			if (*reply == '-')
				fail_msg("%.*s: %s", (int)in.argv[0].text.len, in.argv[0].text.data,
					 reply);
		}
	}
	assert_int_equal(resp_in_held(&in), 0);
	resp_in_fini(&in);
}

/* The other engine has it, too. */
static void compare(void *arg, struct entry *entry)
{
	char scratch[ENTRY_SCRATCH_LEN], other_scratch[ENTRY_SCRATCH_LEN];
	struct talk *other = arg;
	const struct entry *found = store_peek_or_null(other->engine.store, 0, entry_key(entry), 0);

	assert_non_null(found);
	assert_true(slice_equal(entry_string(entry, scratch), entry_string(found, other_scratch)));
	assert_true(entry_expire_ms(entry) == entry_expire_ms(found));
}

static void what_commands_log_makes_the_same_data(void **state)
{
	static struct talk first, second;

	(void)state;
	for (uint32_t seed = 1; seed <= 60; seed++) {
		uint32_t chance = seed;
		uint64_t cursor = 0;
		struct out log;

		talk_open(&first);
		talk_open(&second);
		out_init(&log, 2);
		first.engine.aof = (struct aof *)&log;
		first.engine.log = &LOG;
		for (int i = 0; i < 500; i++) {
			say_something(&first, &chance);
			first.engine.now_ms += draw(&chance) % 3;
		}
		second.engine.loading = true;
		second.engine.now_ms = 0;
		replay(&second, &log);
		assert_true(store_size(first.engine.store, 0) ==
			    store_size(second.engine.store, 0));
		do
			cursor = store_scan(first.engine.store, 0, cursor, compare, &second);
		while (cursor);
		out_fini(&log);
		talk_close(&first);
		talk_close(&second);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_commands_log_makes_the_same_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
