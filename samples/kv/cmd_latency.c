/* LATENCY: see latency.h. One event is watched, Redis's "command". */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/heap.h"
#include "kv/join_log.h"
#include "kv/reply.h"
#include "kv/skim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char event[] = "command";

/* What LATEST and DOCTOR tell of it. */
struct latest {
	uint64_t when_s, ms, ms_max; /* when_s 0: nothing has happened */
};

static struct latest latest_of(const struct latency *latency)
{
	struct latest latest = {0, 0, latency->ms_max};
	const struct latency_sample *sample;

	for (unsigned i = 0; (sample = latency_at_or_null(latency, i)) != NULL; i++) {
		latest.when_s = sample->when_s;
		latest.ms = sample->ms;
	}
	return latest;
}

static void reply_latest(struct call *call, const struct latest *latest)
{
	reply_array(call->out, latest->when_s != 0);
	if (latest->when_s == 0)
		return;
	reply_array(call->out, 4);
	reply_text(call->out, event);
	reply_integer(call->out, (int64_t)latest->when_s);
	reply_integer(call->out, (int64_t)latest->ms);
	reply_integer(call->out, (int64_t)latest->ms_max);
}

static void reply_doctor(struct call *call, const struct latest *latest)
{
	char text[256];

	if (call->engine->settings->latency_threshold_ms == 0)
		snprintf(
			text, sizeof(text),
			"Latency monitoring is disabled in this instance. You may use \"CONFIG SET "
			"latency-monitor-threshold <milliseconds>.\" in order to enable it.\n");
	else if (latest->when_s == 0)
		snprintf(text, sizeof(text),
			 "No latency spike was observed during the lifetime of this instance.\n");
	else
		snprintf(text, sizeof(text),
			 "Commands were slow: the last one took %" PRIu64
			 " ms, the slowest %" PRIu64 " ms. SLOWLOG GET shows which.\n",
			 latest->ms, latest->ms_max);
	reply_verbatim(call->out, slice_of(text));
}

void cmd_latency_latest(struct call *call)
{
	struct latest latest = latest_of(&call->engine->latency);

	reply_latest(call, &latest);
}

void cmd_latency_doctor(struct call *call)
{
	struct latest latest = latest_of(&call->engine->latency);

	if (call->part)
		reply_latest(call, &latest);
	else
		reply_doctor(call, &latest);
}

void join_latency_latest(struct call *call, struct out *answers, int count)
{
	struct latest all = {0};

	for (int i = 0; i < count; i++) {
		struct slice text;
		char *block = skim_take_or_null(&answers[i], &text);
		struct latest one = {0};

		if (block == NULL) {
			call->out->failed = true;
			continue;
		}
		if (skim_head(&text) == 1) {
			skim_head(&text);
			skim_whole(&text);
			one.when_s = (uint64_t)skim_head(&text);
			one.ms = (uint64_t)skim_head(&text);
			one.ms_max = (uint64_t)skim_head(&text);
		}
		heap_free(block);
		if (one.when_s > all.when_s) {
			all.when_s = one.when_s;
			all.ms = one.ms;
		}
		if (one.ms_max > all.ms_max)
			all.ms_max = one.ms_max;
	}
	if (call_is(call, 1, "doctor"))
		reply_doctor(call, &all);
	else
		reply_latest(call, &all);
}

static void reply_history(struct call *call, const struct latency_sample *samples, size_t count)
{
	reply_array(call->out, count);
	for (size_t i = 0; i < count; i++) {
		reply_array(call->out, 2);
		reply_integer(call->out, (int64_t)samples[i].when_s);
		reply_integer(call->out, (int64_t)samples[i].ms);
	}
}

void cmd_latency_history(struct call *call)
{
	struct latency_sample samples[LATENCY_SAMPLE_COUNT];
	const struct latency_sample *sample;
	size_t count = 0;

	while (call_is(call, 2, event) &&
	       (sample = latency_at_or_null(&call->engine->latency, (unsigned)count)) != NULL)
		samples[count++] = *sample;
	reply_history(call, samples, count);
}

static int compare(const void *a, const void *b)
{
	const struct latency_sample *one = a, *other = b;

	return one->when_s < other->when_s ? -1 : one->when_s > other->when_s;
}

/* All shards' samples in the order of their time; of one second there may be one of each shard. */
void join_latency_history(struct call *call, struct out *answers, int count)
{
	struct latency_sample *samples =
		heap_alloc_or_null((size_t)count * LATENCY_SAMPLE_COUNT * sizeof(*samples));
	size_t sum = 0;

	for (int i = 0; i < count && samples != NULL; i++) {
		struct slice text = {0};
		char *block = skim_take_or_null(&answers[i], &text);

		for (int64_t left = skim_head(&text); left > 0; left--) {
			skim_head(&text);
			samples[sum].when_s = (uint64_t)skim_head(&text);
			samples[sum++].ms = (uint64_t)skim_head(&text);
		}
		heap_free(block);
	}
	if (samples != NULL) {
		qsort(samples, sum, sizeof(*samples), compare);
		reply_history(call, samples, sum);
	} else {
		call->out->failed = true;
	}
	heap_free(samples);
}

void cmd_latency_reset(struct call *call)
{
	struct latency *latency = &call->engine->latency;
	bool asked = call->argc == 2, had = latency->ms_max != 0;

	for (int i = 2; i < call->argc; i++)
		asked = asked || call_is(call, i, event);
	if (asked)
		*latency = (struct latency){0};
	reply_integer(call->out, asked && had);
}

void cmd_latency_help(struct call *call)
{
	static const char *const lines[] = {
		"DOCTOR",
		"    A sentence about it.",
		"HISTORY command",
		"    When commands took long, and how many milliseconds.",
		"LATEST",
		"    The last time, and the longest.",
		"RESET [command]",
		"    Forgets them. 1: there were some.",
		NULL,
	};

	call_help(call, "LATENCY", lines);
}
