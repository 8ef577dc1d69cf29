#include "kv/join_clients.h"

#include "kv/heap.h"
#include "kv/reply.h"
#include "kv/skim.h"

#include <stdlib.h>
#include <string.h>

/* One shard's answer, and what of it was not read yet. */
struct answer {
	char *block;
	struct slice text;
};

static void forget(struct answer *answers, int count)
{
	for (int i = 0; answers && i < count; i++)
		heap_free(answers[i].block);
	heap_free(answers);
}

/* NULL: no memory, and the connection fails. */
static struct answer *take_or_null(struct call *call, struct out *outs, int count)
{
	struct answer *answers = heap_alloc_or_null((size_t)count * sizeof(*answers));
	bool good = answers != NULL;

	for (int i = 0; i < count && answers; i++) {
		answers[i].block = skim_take_or_null(&outs[i], &answers[i].text);
		good &= answers[i].block != NULL;
	}
	if (good)
		return answers;
	forget(answers, answers ? count : 0);
	call->out->failed = true;
	return NULL;
}

void join_client_kill(struct call *call, struct out *outs, int count)
{
	struct answer *answers = take_or_null(call, outs, count);
	int64_t sum = 0;

	if (!answers)
		return;
	for (int i = 0; i < count; i++)
		sum += skim_head(&answers[i].text);
	if (call->argc > 3)
		reply_integer(call->out, sum);
	else if (sum > 0)
		reply_status(call->out, "OK");
	else
		reply_error(call->out, "ERR No such client");
	forget(answers, count);
}

/* A text's bytes: what stands before them in RESP3 is "txt:". */
static struct slice take_text(struct answer *answer)
{
	const bool verbatim = answer->text.len > 0 && answer->text.data[0] == '=';
	const int64_t len = skim_head(&answer->text);
	struct slice text = {answer->text.data, len > 0 ? (size_t)len : 0};

	if (verbatim && text.len >= 4) {
		text.data += 4;
		text.len -= 4;
	}
	return text;
}

void join_client_list(struct call *call, struct out *outs, int count)
{
	struct answer *answers = take_or_null(call, outs, count);
	size_t len = 0, room = 0;
	char *all;

	for (int i = 0; i < count && answers; i++)
		room += answers[i].text.len;
	all = answers ? heap_alloc_or_null(room + 1) : NULL;
	for (int i = 0; i < count && all; i++) {
		const struct slice text = take_text(&answers[i]);

		memcpy(all + len, text.data, text.len);
		len += text.len;
	}
	if (all)
		reply_verbatim(call->out, (struct slice){all, len});
	else
		call->out->failed = true;
	heap_free(all);
	forget(answers, count);
}

/* --- PUBSUB --- */

static int compare(const void *a, const void *b)
{
	const struct slice *left = a, *right = b;
	const size_t len = left->len < right->len ? left->len : right->len;
	const int order = len ? memcmp(left->data, right->data, len) : 0;

	return order ? order : (left->len > right->len) - (left->len < right->len);
}

/* Sorted, each once; NULL: no memory. The slices are the answers'. */
static struct slice *names_or_null(struct answer *answers, int count, size_t *name_count)
{
	size_t total = 0, kept = 0;
	struct slice *names;
	int64_t *counts = heap_alloc_or_null((size_t)count * sizeof(*counts));

	for (int i = 0; i < count && counts; i++) {
		counts[i] = skim_head(&answers[i].text);
		total += counts[i] > 0 ? (size_t)counts[i] : 0;
	}
	names = counts ? heap_alloc_or_null((total + 1) * sizeof(*names)) : NULL;
	total = 0;
	for (int i = 0; i < count && names; i++) {
		for (int64_t k = 0; k < counts[i]; k++) {
			const int64_t len = skim_head(&answers[i].text);

			names[total++] = (struct slice){answers[i].text.data, (size_t)len};
			answers[i].text.data += len + 2;
			answers[i].text.len -= (size_t)len + 2;
		}
	}
	heap_free(counts);
	if (!names)
		return NULL;
	qsort(names, total, sizeof(*names), compare);
	for (size_t i = 0; i < total; i++) {
		if (kept == 0 || !slice_equal(names[kept - 1], names[i]))
			names[kept++] = names[i];
	}
	*name_count = kept;
	return names;
}

static void join_names(struct call *call, struct out *outs, int count, bool only_count)
{
	struct answer *answers = take_or_null(call, outs, count);
	size_t name_count = 0;
	struct slice *names = answers ? names_or_null(answers, count, &name_count) : NULL;

	if (!names) {
		call->out->failed = true;
	} else if (only_count) {
		reply_integer(call->out, (int64_t)name_count);
	} else {
		reply_array(call->out, name_count);
		for (size_t i = 0; i < name_count; i++)
			reply_bulk(call->out, names[i]);
	}
	heap_free(names);
	forget(answers, count);
}

void join_pubsub_names(struct call *call, struct out *outs, int count)
{
	join_names(call, outs, count, false);
}

void join_pubsub_numpat(struct call *call, struct out *outs, int count)
{
	join_names(call, outs, count, true);
}

void join_pubsub_numsub(struct call *call, struct out *outs, int count)
{
	struct answer *answers = take_or_null(call, outs, count);

	if (!answers)
		return;
	for (int i = 0; i < count; i++)
		skim_head(&answers[i].text);
	reply_array(call->out, 2 * (size_t)(call->argc - 2));
	for (int k = 2; k < call->argc; k++) {
		int64_t sum = 0;

		for (int i = 0; i < count; i++) {
			skim_whole(&answers[i].text);
			sum += skim_head(&answers[i].text);
		}
		reply_bulk(call->out, call->argv[k].text);
		reply_integer(call->out, sum);
	}
	forget(answers, count);
}
