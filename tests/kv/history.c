#include "tests/kv/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A set of ops that came first, and the value that they leave. */
struct been {
	uint64_t done;
	int64_t value;
	bool used;
};

struct search {
	const struct history *history;
	struct been *been;
	size_t room, count;
};

static bool apply(const struct op *op, int64_t *value)
{
	const int64_t before = *value;

	switch (op->kind) {
	case OP_GET:
		return op->told == before;
	case OP_SET:
		*value = op->gave;
		return true;
	case OP_SETNX:
		*value = before == HISTORY_NONE ? op->gave : before;
		return op->told == (before == HISTORY_NONE);
	case OP_GETSET:
	case OP_CAS:
		*value = op->gave;
		return op->told == before;
	case OP_INCR:
		*value = before == HISTORY_NONE ? 1 : before + 1;
		return op->told == *value;
	case OP_DEL:
		*value = HISTORY_NONE;
		return op->told == (before != HISTORY_NONE);
	}
	return false;
}

static size_t slot_of_been(const struct search *search, uint64_t done, int64_t value)
{
	uint64_t mixed = (done ^ (uint64_t)value * UINT64_C(0x9e3779b97f4a7c15)) *
			 UINT64_C(0xbf58476d1ce4e5b9);
	size_t i = (size_t)(mixed >> 20) & (search->room - 1);

	while (search->been[i].used &&
	       (search->been[i].done != done || search->been[i].value != value))
		i = (i + 1) & (search->room - 1);
	return i;
}

static void grow(struct search *search)
{
	struct search larger = {search->history, NULL, search->room ? search->room * 2 : 1024, 0};

	larger.been = calloc(larger.room, sizeof(*larger.been));
	if (!larger.been)
		abort();
	for (size_t i = 0; i < search->room; i++)
		if (search->been[i].used)
			larger.been[slot_of_been(&larger, search->been[i].done,
						 search->been[i].value)] = search->been[i];
	larger.count = search->count;
	free(search->been);
	*search = larger;
}

/* False: it was here before, and found no way. */
static bool first_time(struct search *search, uint64_t done, int64_t value)
{
	size_t i;

	if (search->count * 2 >= search->room)
		grow(search);
	i = slot_of_been(search, done, value);
	if (search->been[i].used)
		return false;
	search->been[i] = (struct been){done, value, true};
	search->count++;
	return true;
}

static bool find(struct search *search, uint64_t done, int64_t value)
{
	const struct history *history = search->history;
	uint64_t first_end_ns = UINT64_MAX;
	bool all = true;

	for (unsigned i = 0; i < history->count; i++) {
		if (done >> i & 1)
			continue;
		all = false;
		if (history->ops[i].ended_ns < first_end_ns)
			first_end_ns = history->ops[i].ended_ns;
	}
	if (all)
		return true;
	if (!first_time(search, done, value))
		return false;
	for (unsigned i = 0; i < history->count; i++) {
		int64_t after = value;

		if (!(done >> i & 1) && history->ops[i].begun_ns <= first_end_ns &&
		    apply(&history->ops[i], &after) && find(search, done | UINT64_C(1) << i, after))
			return true;
	}
	return false;
}

bool history_is_linearizable(const struct history *history)
{
	struct search search = {.history = history};
	const bool found = find(&search, 0, HISTORY_NONE);

	free(search.been);
	return found;
}

void history_print(const struct history *history)
{
	static const char *const words[] = {"GET", "SET", "SETNX", "GETSET", "INCR", "DEL", "CAS"};

	for (unsigned i = 0; i < history->count; i++) {
		const struct op *op = &history->ops[i];

		fprintf(stderr,
			"%12" PRIu64 " .. %12" PRIu64 " client %d %-6s gave %" PRId64
			" told %" PRId64 "\n",
			op->begun_ns, op->ended_ns, op->client, words[op->kind], op->gave,
			op->told);
	}
}
