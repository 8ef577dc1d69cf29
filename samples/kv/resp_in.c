#include "kv/resp_in.h"

#include "kv/heap.h"
#include "kv/number.h"
#include "kv/resp_wait.h"
#include "kv/split.h"

#include <errno.h>
#include <stdio.h>

enum {
	ARGV_COUNT_MIN = 8,   /* arguments that there is always room for */
	KEPT_LEN_IDLE = 4096, /* more is given back when its command is done */
	BODY_LEN_FIRST = 16 * 1024,
	BODY_GROWTH = 4, /* of an argument's own bytes: room for so many times what has come */
	UNAUTHENTICATED_ARG_COUNT_MAX = 10,
	UNAUTHENTICATED_ARG_LEN_MAX = 16 * 1024,
};

int resp_in_init(struct resp_in *in, const struct resp_limits *limits)
{
	struct resp_in_state *state = heap_alloc_or_null(sizeof(*state));

	*in = (struct resp_in){.limits = limits, .state = state};
	in->argv = heap_alloc_or_null(ARGV_COUNT_MIN * sizeof(*in->argv));
	if (!state || !in->argv) {
		heap_free(state);
		heap_free(in->argv);
		return -ENOMEM;
	}
	*state = (struct resp_in_state){.argv_cap = ARGV_COUNT_MIN};
	return 0;
}

/* The command that was taken, or that failed: back to the beginning of the next. */
static void forget(struct resp_in *in)
{
	struct resp_in_state *state = in->state;

	for (int i = 0; state->owned_count > 0; i++) {
		if (in->argv[i].bytes)
			state->owned_count--;
		bytes_put(in->argv[i].bytes);
	}
	bytes_put(state->body);
	state->body = NULL;
	state->held_bytes = 0;
	if (state->kept_cap > KEPT_LEN_IDLE) {
		heap_free(state->kept);
		state->kept = NULL;
		state->kept_cap = 0;
	}
	state->kept_len = 0;
	state->part_len = 0;
	if (state->argv_cap > ARGV_COUNT_MIN) {
		struct arg *argv = heap_grow_or_null(in->argv, ARGV_COUNT_MIN * sizeof(*argv));

		in->argv = argv ? argv : in->argv;
		state->argv_cap = ARGV_COUNT_MIN;
	}
	state->argv_kept = 0;
	state->done = false;
	in->argc = 0;
}

void resp_in_fini(struct resp_in *in)
{
	if (!in->state)
		return;
	forget(in);
	heap_free(in->state->kept);
	heap_free(in->state);
	heap_free(in->argv);
	*in = (struct resp_in){0};
}

enum resp_status resp_fail(struct resp_in *in, const char *error)
{
	forget(in);
	in->state->phase = PHASE_FAILED;
	in->error = error;
	return RESP_ERROR;
}

enum resp_status resp_fail_no_memory(struct resp_in *in)
{
	return resp_fail(in, "out of memory");
}

void resp_in_feed(struct resp_in *in, struct slice data)
{
	in->state->at = data.data;
	in->state->end = data.data + data.len;
}

/* "*3\r\n" whole and ordinary, at almost no cost; false: somebody else looks at it. */
static bool take_short_number(struct resp_in_state *state, char kind, uint32_t *out)
{
	const char *at = state->at;
	uint32_t value;

	if (state->part_len > 0 || state->end - at < 7 || at[0] != kind || at[1] < '1' ||
	    at[1] > '9')
		return false;
	value = (uint32_t)(at[1] - '0');
	at += 2;
	for (int i = 0; i < 3 && *at >= '0' && *at <= '9'; i++)
		value = value * 10 + (uint32_t)(*at++ - '0');
	if (*at != '\r')
		return false;
	state->at = at + 2;
	*out = value;
	return true;
}

/* --- an array of bulk strings --- */

static enum resp_status read_count(struct resp_in *in)
{
	struct resp_in_state *state = in->state;
	enum resp_status status;
	struct slice line = {0};
	uint32_t number;
	int64_t count;

	if (take_short_number(state, '*', &number)) {
		count = number;
	} else {
		status = resp_take_line(in, '\r', &line,
					"Protocol error: too big mbulk count string");
		if (status != RESP_COMMAND)
			return status;
		if (!number_parse((struct slice){line.data + 1, line.len - 1}, &count) ||
		    count > RESP_ARG_COUNT_MAX)
			return resp_fail(in, "Protocol error: invalid multibulk length");
	}
	if (count > UNAUTHENTICATED_ARG_COUNT_MAX && in->limits->unauthenticated)
		return resp_fail(in, "Protocol error: unauthenticated multibulk length");
	state->arg_count = count > 0 ? (int32_t)count : 0;
	state->phase = count > 0 ? PHASE_LEN : PHASE_START;
	return RESP_COMMAND;
}

static enum resp_status fail_expected(struct resp_in *in, struct slice line)
{
	struct resp_in_state *state = in->state;

	snprintf(state->error, sizeof(state->error), "Protocol error: expected '$', got '%c'",
		 line.len > 0 ? line.data[0] : '\r');
	return resp_fail(in, state->error);
}

static enum resp_status read_len(struct resp_in *in)
{
	struct resp_in_state *state = in->state;
	enum resp_status status;
	struct slice line = {0};
	uint32_t number;
	int64_t len;

	if (take_short_number(state, '$', &number)) {
		len = number;
	} else {
		status = resp_take_line(in, '\r', &line,
					"Protocol error: too big bulk count string");
		if (status != RESP_COMMAND)
			return status;
		if (line.len == 0 || line.data[0] != '$')
			return fail_expected(in, line);
		if (!number_parse((struct slice){line.data + 1, line.len - 1}, &len) || len < 0)
			return resp_fail(in, "Protocol error: invalid bulk length");
	}
	if ((uint64_t)len > in->limits->bulk_len_max)
		return resp_fail(in, "Protocol error: invalid bulk length");
	if (len > UNAUTHENTICATED_ARG_LEN_MAX && in->limits->unauthenticated)
		return resp_fail(in, "Protocol error: unauthenticated bulk length");
	state->arg_len = (uint64_t)len;
	state->phase = PHASE_BODY;
	return RESP_COMMAND;
}

static bool add_arg(struct resp_in *in, struct slice text, struct bytes *bytes)
{
	struct resp_in_state *state = in->state;

	if (in->argc == state->argv_cap) {
		const size_t count = (size_t)state->argv_cap * 2;
		struct arg *argv = heap_grow_or_null(in->argv, count * sizeof(*argv));

		if (!argv || count > INT32_MAX)
			return false;
		in->argv = argv;
		state->argv_cap = (int32_t)count;
	}
	in->argv[in->argc++] = (struct arg){text, bytes};
	state->owned_count += bytes != NULL;
	state->phase = PHASE_BEHIND;
	state->skip = 2;
	return true;
}

/* A long argument that comes in pieces, into bytes of its own that grow as they come. */
static enum resp_status read_body_into_bytes(struct resp_in *in)
{
	struct resp_in_state *state = in->state;
	size_t part = (size_t)(state->end - state->at), have = state->body ? state->body->len : 0;
	size_t room;

	if (part > state->arg_len - have)
		part = state->arg_len - have;
	room = (have + part) * BODY_GROWTH;
	room = room < BODY_LEN_FIRST ? BODY_LEN_FIRST : room;
	room = room > state->arg_len ? state->arg_len : room;
	if (!state->body)
		state->body = bytes_create_or_null(0, room);
	if (!state->body || (state->body->cap < have + part && bytes_reserve(&state->body, room)))
		return resp_fail_no_memory(in);
	memcpy(state->body->data + have, state->at, part);
	state->body->len += part;
	state->held_bytes += part;
	state->at += part;
	if (have + part < state->arg_len)
		return resp_wait(in);
	if (!add_arg(in, (struct slice){state->body->data, state->body->len}, state->body))
		return resp_fail_no_memory(in);
	state->body = NULL;
	return RESP_COMMAND;
}

static enum resp_status read_body(struct resp_in *in)
{
	struct resp_in_state *state = in->state;
	const size_t fed = (size_t)(state->end - state->at);
	size_t more;

	if (state->part_len == 0 && !state->body && fed >= state->arg_len) {
		if (!add_arg(in, (struct slice){state->at, state->arg_len}, NULL))
			return resp_fail_no_memory(in);
		state->at += state->arg_len;
		return RESP_COMMAND;
	}
	if (state->arg_len >= RESP_OWN_LEN_MIN)
		return read_body_into_bytes(in);
	more = state->arg_len - state->part_len;
	if (fed < more)
		return resp_wait(in);
	if (!resp_reserve(in, more))
		return resp_fail_no_memory(in);
	resp_keep(state, state->at, more);
	state->at += more;
	state->part_len = 0;
	if (!add_arg(in,
		     (struct slice){state->kept + state->kept_len - state->arg_len, state->arg_len},
		     NULL))
		return resp_fail_no_memory(in);
	state->argv_kept = in->argc;
	return RESP_COMMAND;
}

/* Whatever two bytes stand for "\r\n"; Redis does not look at them either. */
static enum resp_status skip_behind(struct resp_in *in)
{
	struct resp_in_state *state = in->state;
	const size_t fed = (size_t)(state->end - state->at);
	const size_t skip = fed < state->skip ? fed : state->skip;

	state->at += skip;
	state->skip -= skip;
	if (state->skip > 0)
		return resp_wait(in);
	state->done = in->argc == state->arg_count;
	state->phase = state->done ? PHASE_START : PHASE_LEN;
	return RESP_COMMAND;
}

/* Short arguments that lie whole in what was fed, until something else comes. */
static enum resp_status take_whole_args(struct resp_in *in)
{
	struct resp_in_state *state = in->state;
	const uint64_t len_max = in->limits->bulk_len_max;
	const char *before;
	uint32_t len;

	while (in->argc < state->arg_count && in->argc < state->argv_cap) {
		before = state->at;
		if (!take_short_number(state, '$', &len))
			break;
		if (len > len_max || (size_t)(state->end - state->at) < (size_t)len + 2) {
			state->at = before;
			break;
		}
		in->argv[in->argc++] = (struct arg){{state->at, len}, NULL};
		state->at += len + 2;
	}
	state->done = in->argc == state->arg_count;
	if (state->done)
		state->phase = PHASE_START;
	return state->done ? RESP_COMMAND : read_len(in);
}

/* --- inline commands --- */

static enum resp_status read_inline(struct resp_in *in)
{
	struct resp_in_state *state = in->state;
	enum split_status split;
	enum resp_status status;
	struct slice line = {0}, text;
	const char *at, *end;
	char *to;

	status = resp_take_line(in, '\n', &line, "Protocol error: too big inline request");
	if (status != RESP_COMMAND)
		return status;
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	/* What is unquoted is never longer than it was: it is written over the line's copy. */
	if (line.data != state->kept && !resp_reserve(in, line.len + 1))
		return resp_fail_no_memory(in);
	at = line.data == state->kept ? line.data : resp_keep(state, line.data, line.len);
	end = at + line.len;
	to = state->kept;
	state->kept_len = line.len;
	while ((split = split_next(&at, end, &to, &text)) == SPLIT_WORD)
		if (!add_arg(in, text, NULL))
			return resp_fail_no_memory(in);
	if (split == SPLIT_UNBALANCED)
		return resp_fail(in, "Protocol error: unbalanced quotes in request");
	state->argv_kept = in->argc;
	state->phase = PHASE_START;
	state->done = in->argc > 0;
	if (!state->done)
		state->kept_len = 0;
	return RESP_COMMAND;
}

static enum resp_status read_some(struct resp_in *in)
{
	switch (in->state->phase) {
	case PHASE_START:
		in->state->phase = *in->state->at == '*' ? PHASE_COUNT : PHASE_INLINE;
		return RESP_COMMAND;
	case PHASE_INLINE:
		return read_inline(in);
	case PHASE_COUNT:
		return read_count(in);
	case PHASE_LEN:
		return take_whole_args(in);
	case PHASE_BODY:
		return read_body(in);
	case PHASE_BEHIND:
		return skip_behind(in);
	case PHASE_FAILED:
		break;
	}
	return RESP_ERROR;
}

enum resp_status resp_in_next(struct resp_in *in)
{
	struct resp_in_state *state = in->state;
	enum resp_status status = RESP_COMMAND;

	if (state->done)
		forget(in);
	while (status == RESP_COMMAND && !state->done) {
		if (state->at == state->end && state->phase != PHASE_FAILED)
			return resp_wait(in);
		status = read_some(in);
	}
	return status;
}
