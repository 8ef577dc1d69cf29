/* LCS: the longest common subsequence of two strings, by dynamic programming. */
#include "kv/call.h"
#include "kv/cmd_string.h"
#include "kv/commands.h"
#include "kv/heap.h"
#include "kv/reply.h"

struct lcs_options {
	bool len, idx, with_match_len;
	int64_t match_len_min;
};

/*
 * cells[i * (b.len + 1) + j]: the length for the first i bytes of a and the first j of b.
 */
struct lcs {
	struct slice a, b;
	uint32_t *cells;
};

/* Bytes a_first.. of a are those of b from b_first on. */
struct lcs_match {
	uint32_t a_first, b_first, len;
};

static bool parse_options(struct call *call, struct lcs_options *options)
{
	*options = (struct lcs_options){0};
	for (int i = 3; i < call->argc; i++) {
		if (call_is(call, i, "idx")) {
			options->idx = true;
		} else if (call_is(call, i, "len")) {
			options->len = true;
		} else if (call_is(call, i, "withmatchlen")) {
			options->with_match_len = true;
		} else if (call_is(call, i, "minmatchlen") && i + 1 < call->argc) {
			if (!call_integer(call, ++i, &options->match_len_min))
				return false;
		} else {
			reply_error(call->out, CALL_SYNTAX_ERROR);
			return false;
		}
	}
	if (!options->idx || !options->len)
		return true;
	reply_error(call->out, "ERR If you want both the length and indexes, please just use IDX.");
	return false;
}

static uint32_t *cell(const struct lcs *lcs, size_t i, size_t j)
{
	return &lcs->cells[i * (lcs->b.len + 1) + j];
}

/* What it takes is limited as in Redis. False: it is too much, which is the reply. */
static bool fill(struct call *call, struct lcs *lcs)
{
	const uint64_t bytes_max = call->engine->settings->limits.bulk_len_max;
	uint64_t bytes;

	if (lcs->a.len >= UINT32_MAX - 1 || lcs->b.len >= UINT32_MAX - 1) {
		reply_error(call->out, "ERR String too long for LCS");
		return false;
	}
	if (__builtin_mul_overflow((uint64_t)lcs->a.len + 1,
				   ((uint64_t)lcs->b.len + 1) * sizeof(uint32_t), &bytes) ||
	    bytes > bytes_max) {
		reply_error(call->out, "ERR Insufficient memory, transient memory for LCS exceeds "
				       "proto-max-bulk-len");
		return false;
	}
	lcs->cells = heap_alloc_or_null(bytes);
	if (!lcs->cells) {
		reply_error(call->out,
			    "ERR Insufficient memory, failed allocating transient memory "
			    "for LCS");
		return false;
	}
	memset(lcs->cells, 0, (lcs->b.len + 1) * sizeof(uint32_t));
	for (size_t i = 1; i <= lcs->a.len; i++) {
		*cell(lcs, i, 0) = 0;
		for (size_t j = 1; j <= lcs->b.len; j++) {
			const uint32_t up = *cell(lcs, i - 1, j), left = *cell(lcs, i, j - 1);

			if (lcs->a.data[i - 1] == lcs->b.data[j - 1])
				*cell(lcs, i, j) = *cell(lcs, i - 1, j - 1) + 1;
			else
				*cell(lcs, i, j) = up > left ? up : left;
		}
	}
	return true;
}

/* The last match within the first *i bytes of a and *j of b, which move before it. False: none. */
static bool last_match(const struct lcs *lcs, size_t *i, size_t *j, struct lcs_match *match)
{
	while (*i > 0 && *j > 0 && lcs->a.data[*i - 1] != lcs->b.data[*j - 1]) {
		if (*cell(lcs, *i - 1, *j) > *cell(lcs, *i, *j - 1))
			--*i;
		else
			--*j;
	}
	match->len = 0;
	while (*i > 0 && *j > 0 && lcs->a.data[*i - 1] == lcs->b.data[*j - 1]) {
		--*i;
		--*j;
		match->len++;
	}
	match->a_first = (uint32_t)*i;
	match->b_first = (uint32_t)*j;
	return match->len > 0;
}

static void reply_range(struct out *out, uint32_t first, uint32_t len)
{
	reply_array(out, 2);
	reply_integer(out, first);
	reply_integer(out, (int64_t)first + len - 1);
}

static void reply_matches(struct call *call, const struct lcs *lcs,
			  const struct lcs_options *options)
{
	size_t i = lcs->a.len, j = lcs->b.len, count = 0;
	struct lcs_match match;
	struct out matches;

	out_init(&matches, call->out->resp);
	while (last_match(lcs, &i, &j, &match)) {
		if (match.len < options->match_len_min)
			continue;
		reply_array(&matches, 2 + options->with_match_len);
		reply_range(&matches, match.a_first, match.len);
		reply_range(&matches, match.b_first, match.len);
		if (options->with_match_len)
			reply_integer(&matches, match.len);
		count++;
	}
	reply_map(call->out, 2);
	reply_text(call->out, "matches");
	reply_array(call->out, count);
	out_move(call->out, &matches);
	reply_text(call->out, "len");
	reply_integer(call->out, *cell(lcs, lcs->a.len, lcs->b.len));
	out_fini(&matches);
}

static void reply_subsequence(struct call *call, const struct lcs *lcs)
{
	size_t i = lcs->a.len, j = lcs->b.len, at = *cell(lcs, i, j);
	char *text = heap_alloc_or_null(at);
	const size_t len = at;
	struct lcs_match match;

	if (!text) {
		string_fail(call);
		return;
	}
	while (last_match(lcs, &i, &j, &match)) {
		at -= match.len;
		memcpy(text + at, lcs->a.data + match.a_first, match.len);
	}
	reply_bulk(call->out, (struct slice){text, len});
	heap_free(text);
}

/* A missing key is an empty string. False: it is no string, which is the reply. */
static bool take(struct call *call, const struct entry *entry, char scratch[ENTRY_SCRATCH_LEN],
		 struct slice *text)
{
	if (entry && entry_type(entry) != VALUE_STRING) {
		reply_error(call->out, "ERR The specified keys must contain string values");
		return false;
	}
	*text = entry ? entry_string(entry, scratch) : SLICE("");
	return true;
}

void cmd_lcs(struct call *call)
{
	struct store *store = call->engine->store;
	const uint64_t now_ms = call->engine->now_ms;
	char scratch[2][ENTRY_SCRATCH_LEN];
	const struct entry *a, *b;
	struct lcs_options options;
	struct lcs lcs = {0};

	store_find_or_null(store, call->db, call_arg(call, 1), now_ms);
	b = store_find_or_null(store, call->db, call_arg(call, 2), now_ms);
	/* The first is looked up again: the look at the second may have changed the store. */
	a = store_peek_or_null(store, call->db, call_arg(call, 1), now_ms);
	if (!take(call, a, scratch[0], &lcs.a) || !take(call, b, scratch[1], &lcs.b) ||
	    !parse_options(call, &options) || !fill(call, &lcs))
		return;
	if (options.idx)
		reply_matches(call, &lcs, &options);
	else if (options.len)
		reply_integer(call->out, *cell(&lcs, lcs.a.len, lcs.b.len));
	else
		reply_subsequence(call, &lcs);
	heap_free(lcs.cells);
}
