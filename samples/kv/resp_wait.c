#include "kv/resp_wait.h"

#include "kv/heap.h"

enum {
	KEPT_LEN_MIN = 256, /* the first room for what waits for more */
};

size_t resp_in_held(const struct resp_in *in)
{
	const struct resp_in_state *state = in->state;

	return state->kept_len + state->held_bytes + (size_t)in->argc * sizeof(*in->argv);
}

bool resp_reserve(struct resp_in *in, size_t len)
{
	struct resp_in_state *state = in->state;
	size_t cap = state->kept_cap ? state->kept_cap : KEPT_LEN_MIN;
	char *kept;

	if (state->kept_cap - state->kept_len >= len)
		return true;
	while (cap - state->kept_len < len)
		cap *= 2;
	kept = heap_alloc_or_null(cap);
	if (!kept)
		return false;
	if (state->kept_len > 0)
		memcpy(kept, state->kept, state->kept_len);
	for (int i = 0; i < state->argv_kept; i++)
		if (!in->argv[i].bytes)
			in->argv[i].text.data = kept + (in->argv[i].text.data - state->kept);
	heap_free(state->kept);
	state->kept = kept;
	state->kept_cap = cap;
	return true;
}

char *resp_keep(struct resp_in_state *state, const char *data, size_t len)
{
	char *to = state->kept + state->kept_len;

	if (len > 0)
		memcpy(to, data, len);
	state->kept_len += len;
	return to;
}

/*
 * The arguments that point into what was fed, before the caller has it back. Nothing of a part is
 * kept while there are such: it was kept when all of what was fed before was used up.
 */
static bool keep_args(struct resp_in *in)
{
	struct resp_in_state *state = in->state;
	size_t len = 0;

	for (int i = state->argv_kept; i < in->argc; i++)
		len += in->argv[i].bytes ? 0 : in->argv[i].text.len;
	/* A byte more, so that there is a block and an empty argument points into it. */
	if (!resp_reserve(in, len + 1))
		return false;
	for (int i = state->argv_kept; i < in->argc; i++) {
		struct arg *arg = &in->argv[i];

		if (!arg->bytes)
			arg->text.data = resp_keep(state, arg->text.data, arg->text.len);
	}
	state->argv_kept = in->argc;
	return true;
}

enum resp_status resp_wait(struct resp_in *in)
{
	struct resp_in_state *state = in->state;
	const size_t len = (size_t)(state->end - state->at);

	if (state->phase == PHASE_START)
		return RESP_MORE;
	if (!keep_args(in) || !resp_reserve(in, len))
		return resp_fail_no_memory(in);
	resp_keep(state, state->at, len);
	state->part_len += len;
	state->at = state->end;
	in->over_limit = resp_in_held(in) > in->limits->query_len_max;
	return in->over_limit ? resp_fail(in, "client query buffer limit exceeded") : RESP_MORE;
}

enum resp_status resp_take_line(struct resp_in *in, char last, struct slice *line,
				const char *too_big)
{
	struct resp_in_state *state = in->state;
	const size_t behind = last == '\r', fed = (size_t)(state->end - state->at);
	const char *found = NULL;
	size_t len = state->part_len;

	/* Its '\r' came as the last byte of what was fed before. */
	if (behind && len > 0 && state->kept[state->kept_len - 1] == '\r') {
		if (fed == 0)
			return RESP_MORE;
		state->at++;
		len--;
	} else {
		found = fed ? memchr(state->at, last, fed) : NULL;
		len += found ? (size_t)(found - state->at) : fed;
		if (len > RESP_INLINE_LEN_MAX)
			return resp_fail(in, too_big);
		if (!found || found + behind >= state->end)
			return resp_wait(in);
	}
	if (state->part_len == 0) {
		*line = (struct slice){state->at, len};
	} else {
		const size_t more = found ? (size_t)(found - state->at) : 0;

		if (!resp_reserve(in, more))
			return resp_fail_no_memory(in);
		if (found)
			resp_keep(state, state->at, more);
		*line = (struct slice){state->kept + state->kept_len - state->part_len - more, len};
		state->kept_len -= state->part_len + more;
		state->part_len = 0;
	}
	if (found)
		state->at = found + 1 + behind;
	return RESP_COMMAND;
}
