#include "kv/heap.h"
#include "kv/join.h"
#include "kv/reply.h"
#include "kv/router_state.h"

#include <stdlib.h>

/* A command that was taken apart, until all answers are here. */
struct fan {
	struct router *router;
	struct session *session;
	struct hold *step;
	struct out *to;
	struct out_node *place; /* NULL: there was no memory, and the connection ends */
	struct errand *copy;	/* of the command, for joining; is never sent */
	size_t len;		/* what the errands take */
	int left;		/* answers to come, and one until all are asked */
	bool no_memory;
	int key_count;	  /* 0: all shards are asked for the same */
	uint8_t *owners;  /* of each key */
	size_t *lens;	  /* of the answer for each key, if each has one */
	int answer_count; /* of shards */
	struct out answers[];
};

enum { ANSWER_LEN = 512 }; /* of one that is a number, OK or an error */

static struct fan *create_or_null(struct router *router, const struct call *call, int key_count)
{
	const bool each = call->command->spread == SPREAD_MGET;
	const size_t answers = (size_t)router->engine->shard_count;
	const size_t lens_len = each ? (size_t)key_count * sizeof(size_t) : 0;
	struct fan *fan = heap_alloc_or_null(sizeof(*fan) + answers * sizeof(struct out) +
					     lens_len + (size_t)key_count);

	if (!fan)
		return NULL;
	*fan = (struct fan){.router = router,
			    .to = call->out,
			    .left = 1,
			    .key_count = key_count,
			    .answer_count = (int)answers};
	fan->lens = (size_t *)&fan->answers[answers];
	memset(fan->lens, 0, lens_len);
	fan->owners = (uint8_t *)fan->lens + lens_len;
	for (size_t i = 0; i < answers; i++)
		out_init(&fan->answers[i], call->out->resp);
	for (int i = 0; i < key_count; i++)
		fan->owners[i] = (uint8_t)router_owner(router, call, i);
	fan->copy = errand_create_or_null(&router->spares, ERRAND_RUN, call->out->resp, call->argv,
					  NULL, key_count ? 1 : call->argc, 0);
	if (fan->copy) {
		fan->copy->command = call->command;
		fan->copy->db = call->db;
	}
	return fan;
}

static void destroy(struct fan *fan)
{
	for (int i = 0; i < fan->answer_count; i++)
		out_fini(&fan->answers[i]);
	errand_destroy(&fan->router->spares, fan->copy);
	heap_free(fan);
}

/* --- joining --- */

/* Errors first. False: there is none. */
static bool join_errors(struct fan *fan, struct out *out)
{
	for (int i = 0; i < fan->answer_count; i++) {
		if (fan->answers[i].errors == 0)
			continue;
		out_move(out, &fan->answers[i]);
		return true;
	}
	return false;
}

static void join_sum(struct fan *fan, struct out *out)
{
	char text[ANSWER_LEN];
	int64_t sum = 0;

	for (int i = 0; i < fan->answer_count; i++) {
		const size_t len = out_take(&fan->answers[i], text, sizeof(text) - 1);

		text[len] = 0;
		if (len > 1)
			sum += strtoll(text + 1, NULL, 10);
	}
	reply_integer(out, sum);
}

/* Each key's answer is an array of one, behind those of the keys before it on its shard. */
static void join_each(struct fan *fan, struct out *out)
{
	char head[4];

	reply_array(out, (size_t)fan->key_count);
	for (int i = 0; i < fan->key_count; i++) {
		struct out *answer = &fan->answers[fan->owners[i]];
		const size_t len = fan->lens[i], head_len = len < sizeof(head) ? len : sizeof(head);

		out_take(answer, head, head_len);
		out_move_some(out, answer, len - head_len);
	}
}

static void join_all(struct fan *fan, struct out *out)
{
	struct call call = {.engine = fan->router->engine,
			    .session = fan->session,
			    .command = fan->copy->command,
			    .argc = fan->copy->argc,
			    .argv = fan->copy->argv,
			    .out = out,
			    .db = fan->copy->db};

	join_answers(&call, fan->answers, fan->answer_count);
}

static void join(struct fan *fan, struct out *out)
{
	const enum command_spread spread = fan->copy->command->spread;

	if (fan->no_memory)
		router_no_memory(out);
	else if (fan->key_count == 0)
		join_all(fan, out);
	else if (join_errors(fan, out))
		return;
	else if (spread == SPREAD_SUM)
		join_sum(fan, out);
	else if (spread == SPREAD_MGET)
		join_each(fan, out);
	else
		reply_status(out, "OK");
}

static void settle(struct fan *fan)
{
	struct router *router = fan->router;
	struct session *session = fan->session;
	struct hold *step = fan->step;
	const size_t len = fan->len;
	struct out joined;

	if (--fan->left > 0)
		return;
	out_init(&joined, fan->copy->reply.resp); /* HELLO may have been run meanwhile */
	join(fan, &joined);
	if (fan->place)
		out_fill(fan->to, fan->place, &joined);
	out_fini(&joined);
	destroy(fan);
	router_settle(router, session, step, len);
}

/* --- asking --- */

static bool answered(struct router *router, struct errand *errand)
{
	struct fan *fan = errand->fan;
	int part = 0;

	(void)router;
	if (errand->lost) {
		router_lost(&fan->answers[errand->index]);
	} else {
		out_move(&fan->answers[errand->index], &errand->reply);
		for (int i = 0; i < fan->key_count && part < errand->part_count; i++)
			if (fan->owners[i] == errand->index)
				fan->lens[i] = errand->part_lens[part++];
	}
	settle(fan);
	return false;
}

static void ask(struct fan *fan, struct errand *errand, const struct call *call, int index, int to)
{
	if (!errand) {
		fan->no_memory = true;
		return;
	}
	errand->done = answered;
	errand->fan = fan;
	errand->session = call->session;
	errand->index = index;
	errand->hold = fan->step;
	errand->command = call->command;
	errand->db = call->db;
	errand->granted = call->granted;
	errand->part = fan->key_count == 0;
	fan->left++;
	fan->len += errand->len;
	router_send(fan->router, errand, to);
}

static void ask_all(struct fan *fan, const struct call *call)
{
	struct router *router = fan->router;

	for (int i = 0; i < fan->answer_count; i++)
		ask(fan,
		    errand_create_or_null(&router->spares, ERRAND_RUN, call->out->resp, call->argv,
					  NULL, call->argc, 0),
		    call, i, i);
}

/* What of the command goes to one shard. Returns how many arguments. */
static int pick_for(const struct fan *fan, const struct call *call, int shard, int *pick)
{
	int count = 0;

	pick[count++] = 0;
	for (int i = 0; i < fan->key_count; i++) {
		const int at = command_key_index(call->command, call->argc, i);

		if (fan->owners[i] != shard)
			continue;
		for (int k = 0; k < call->command->key_step; k++)
			pick[count++] = at + k;
	}
	return count;
}

static void ask_owners(struct fan *fan, const struct call *call)
{
	struct router *router = fan->router;
	const bool each = call->command->spread == SPREAD_MGET;
	int *pick = heap_alloc_or_null((size_t)call->argc * sizeof(*pick));

	fan->no_memory = !pick;
	for (int shard = 0; pick && shard < router->engine->shard_count; shard++) {
		const int count = pick_for(fan, call, shard, pick);

		if (count > 1)
			ask(fan,
			    errand_create_or_null(&router->spares, each ? ERRAND_EACH : ERRAND_RUN,
						  call->out->resp, call->argv, pick, count,
						  each ? count - 1 : 0),
			    call, shard, shard);
	}
	heap_free(pick);
}

void fan_start(struct router *router, struct call *call, struct hold *step)
{
	const bool all = call->command->spread >= SPREAD_ALL;
	const int key_count = all ? 0 : command_key_count(call->command, call->argc);
	struct fan *fan = create_or_null(router, call, key_count);

	if (!fan || !fan->copy) {
		if (fan)
			destroy(fan);
		router_no_memory(call->out);
		return;
	}
	fan->session = call->session;
	fan->step = step;
	if (key_count == 0)
		ask_all(fan, call);
	else
		ask_owners(fan, call);
	if (step)
		hold_owe(step);
	else
		router->hooks.owe(call->session, fan->len);
	/* Behind what was said here meanwhile: who publishes to himself has the message first. */
	fan->place = out_add_place_or_null(call->out);
	settle(fan);
}
