#include "kv/slowlog.h"

#include "kv/call.h"
#include "kv/engine.h"
#include "kv/heap.h"

#include <stdio.h>

enum { NOTE_LEN = 64 };

void slowlog_init(struct slowlog *slowlog)
{
	TAILQ_INIT(&slowlog->entries);
	slowlog->count = 0;
	slowlog->next = 0;
}

static void trim(struct slowlog *slowlog, uint64_t count_max)
{
	while (slowlog->count > count_max) {
		struct slowlog_entry *last = TAILQ_LAST(&slowlog->entries, slowlog_list);

		TAILQ_REMOVE(&slowlog->entries, last, link);
		heap_free(last);
		slowlog->count--;
	}
}

void slowlog_clear(struct slowlog *slowlog)
{
	trim(slowlog, 0);
}

void slowlog_fini(struct slowlog *slowlog)
{
	slowlog_clear(slowlog);
}

static size_t put(char **to, struct slice text)
{
	memcpy(*to, text.data, text.len);
	*to += text.len;
	return text.len;
}

/* What is shown of an argument: all of it, or its beginning and how much more there was. */
static struct slice show(char **to, struct slice text)
{
	struct slice shown = {*to, 0};
	char note[NOTE_LEN];

	if (text.len <= SLOWLOG_ARG_LEN_MAX) {
		shown.len = put(to, text);
		return shown;
	}
	snprintf(note, sizeof(note), "... (%zu more bytes)", text.len - SLOWLOG_ARG_LEN_MAX);
	shown.len = put(to, (struct slice){text.data, SLOWLOG_ARG_LEN_MAX});
	shown.len += put(to, slice_of(note));
	return shown;
}

/* What a password is or may be: of AUTH, of HELLO with AUTH and its user, of CONFIG SET. */
static bool secret(const struct call *call, int i)
{
	const char *name = call->command->name;

	if (strcmp(name, "auth") == 0)
		return i >= 1;
	if (strcmp(name, "hello") == 0)
		return i >= 3 && (call_is(call, i - 1, "auth") || call_is(call, i - 2, "auth"));
	return i >= 3 && strcmp(name, "config|set") == 0 && call_is(call, i - 1, "requirepass");
}

/* A password is nobody's to read. */
static struct slice readable(const struct call *call, int i)
{
	return secret(call, i) ? SLICE("(redacted)") : call_arg(call, i);
}

static struct slowlog_entry *entry_create_or_null(const struct call *call)
{
	const int shown = call->argc < SLOWLOG_ARG_COUNT_MAX ? call->argc : SLOWLOG_ARG_COUNT_MAX;
	struct slowlog_entry *entry = heap_alloc_or_null(
		sizeof(*entry) + (size_t)shown * (SLOWLOG_ARG_LEN_MAX + NOTE_LEN));
	char *text, note[NOTE_LEN];

	if (entry == NULL)
		return NULL;
	text = (char *)(entry + 1);
	entry->argc = shown;
	for (int i = 0; i < shown; i++)
		entry->argv[i] = show(&text, readable(call, i));
	if (call->argc > shown) {
		snprintf(note, sizeof(note), "... (%d more arguments)", call->argc - shown + 1);
		text = (char *)(uintptr_t)entry->argv[shown - 1].data;
		entry->argv[shown - 1] = show(&text, slice_of(note));
	}
	return entry;
}

void slowlog_note(struct slowlog *slowlog, const struct call *call, uint64_t us)
{
	const struct engine *engine = call->engine;
	const struct settings *settings = engine->settings;
	struct slowlog_entry *entry;

	if (settings->slowlog_slower_us < 0 || us < (uint64_t)settings->slowlog_slower_us ||
	    (call->command->flags & COMMAND_SKIP_SLOWLOG) != 0)
		return;
	entry = entry_create_or_null(call);
	if (entry == NULL)
		return;
	entry->id = slowlog->next++ * (uint64_t)engine->shard_count + (uint64_t)engine->shard;
	entry->when_ms = engine->now_ms;
	entry->us = us;
	entry->peer[0] = 0;
	entry->name[0] = 0;
	if (call->session != NULL && engine->describe != NULL)
		engine->describe(call->session, entry->peer, entry->name);
	TAILQ_INSERT_HEAD(&slowlog->entries, entry, link);
	slowlog->count++;
	trim(slowlog, settings->slowlog_len_max);
}
