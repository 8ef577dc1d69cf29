#include "talk.h"

#include "kv/reply.h"
#include "kv/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A log that remembers: struct aof is the talk here. */
static struct talk *talk_of(const struct aof *aof)
{
	return (struct talk *)(uintptr_t)aof;
}

static const char *refusal_or_null(const struct aof *aof)
{
	return talk_of(aof)->refusal;
}

static void add(struct talk *talk, const char *text, size_t len)
{
	const size_t at = strlen(talk->log);

	snprintf(talk->log + at, sizeof(talk->log) - at, "%.*s", (int)len, text);
}

static void append(struct aof *aof, int db, int argc, const struct arg *argv)
{
	struct talk *talk = talk_of(aof);
	char number[16];

	if (db)
		add(talk, number, (size_t)snprintf(number, sizeof(number), "%d ", db));
	for (int i = 0; i < argc; i++) {
		add(talk, argv[i].text.data, argv[i].text.len);
		add(talk, i + 1 < argc ? " " : "|", 1);
	}
}

static void append_log(struct aof *aof, int db, struct out *log)
{
	static const struct resp_limits limits = {.bulk_len_max = 1 << 20,
						  .query_len_max = 1 << 20};
	char text[4096];
	const size_t len = out_take(log, text, sizeof(text));
	struct resp_in in;

	assert_int_equal(log->len, 0);
	assert_int_equal(resp_in_init(&in, &limits), 0);
	resp_in_feed(&in, (struct slice){text, len});
	while (resp_in_next(&in) == RESP_COMMAND)
		append(aof, db, in.argc, in.argv);
	assert_null(in.error);
	assert_int_equal(resp_in_held(&in), 0);
	resp_in_fini(&in);
}

static void changes(struct aof *aof, int db, struct entry *entry)
{
	(void)aof, (void)db, (void)entry;
}

static void lost(struct aof *aof, int db, struct slice key)
{
	const struct arg argv[] = {{.text = SLICE("LOST")}, {.text = key}};

	append(aof, db, 2, argv);
}

static void swaps(struct aof *aof, int db_a, int db_b)
{
	(void)aof, (void)db_a, (void)db_b;
}

static const struct engine_log LOG = {
	.refusal_or_null = refusal_or_null,
	.append = append,
	.append_log = append_log,
	.changes = changes,
	.lost = lost,
	.swaps = swaps,
};

void talk_open(struct talk *talk)
{
	static const uint64_t seed[4] = {1, 2, 3, 4};

	*talk = (struct talk){.resp = 2};
	settings_init(&talk->settings);
	assert_int_equal(engine_init_seeded(&talk->engine, &talk->settings, 0, 1, seed), 0);
	talk->engine.now_ms = 1000000;
	talk->engine.aof = (struct aof *)talk;
	talk->engine.log = &LOG;
}

void talk_close(struct talk *talk)
{
	engine_fini(&talk->engine);
}

const char *talk_args(struct talk *talk, int argc, const struct arg *argv)
{
	struct out out;
	struct call call = {
		.engine = &talk->engine, .argc = argc, .argv = argv, .out = &out, .db = talk->db};

	out_init(&out, talk->resp);
	engine_run(&call);
	talk->reply_len = out_take(&out, talk->reply, sizeof(talk->reply) - 1);
	talk->reply[talk->reply_len] = 0;
	assert_false(out.failed);
	out_fini(&out);
	return talk->reply;
}

const char *talk_say(struct talk *talk, const char *line)
{
	char words[4096];
	struct arg argv[64];
	char *to = words;
	int argc = 0;

	assert_true(strlen(line) < sizeof(words));
	for (const char *at = line, *end = line + strlen(line);
	     split_next(&at, end, &to, &argv[argc].text) == SPLIT_WORD;) {
		argv[argc++].bytes = NULL;
		assert_true(argc < 64);
	}
	return talk_args(talk, argc, argv);
}

const char *talk_log(struct talk *talk)
{
	static char taken[sizeof(talk->log)];

	memcpy(taken, talk->log, sizeof(taken));
	talk->log[0] = 0;
	return taken;
}

int talk_setup(void **state)
{
	struct talk *talk = malloc(sizeof(*talk));

	assert_non_null(talk);
	talk_open(talk);
	*state = talk;
	return 0;
}

int talk_teardown(void **state)
{
	talk_close(*state);
	free(*state);
	return 0;
}
