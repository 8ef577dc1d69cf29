/*
 * What a client of samples/kv may send, however it is split: the commands and the error are those
 * of the whole, and what is held is bounded by what came. The first byte of an input says how it is
 * split, 0 to 3 mean byte by byte; the rest is sent.
 */
#include "kv/resp_in.h"
#include "mem/check.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

/* What came out: as hashes, since it may be much. */
struct outcome {
	uint64_t commands, hash;
	const char *error;
	char error_text[128];
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void add(struct outcome *outcome, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		outcome->hash = (outcome->hash ^ bytes[i]) * UINT64_C(0x100000001b3);
}

static void add_command(struct outcome *outcome, const struct resp_in *in)
{
	CHECK(in->argc > 0);
	outcome->commands++;
	add(outcome, &in->argc, sizeof(in->argc));
	for (int i = 0; i < in->argc; i++) {
		const struct arg *arg = &in->argv[i];

		add(outcome, &arg->text.len, sizeof(arg->text.len));
		add(outcome, arg->text.data, arg->text.len);
		if (arg->bytes)
			CHECK(arg->bytes->data == arg->text.data &&
			      arg->bytes->len == arg->text.len);
	}
}

/* A piece lies in a block of its own length, which is gone when it is used up. */
static bool feed(struct resp_in *in, const uint8_t *data, size_t len, struct outcome *outcome)
{
	char *block = malloc(len);
	enum resp_status status;

	CHECK(block);
	memcpy(block, data, len);
	resp_in_feed(in, (struct slice){block, len});
	while ((status = resp_in_next(in)) == RESP_COMMAND)
		add_command(outcome, in);
	free(block);
	if (status == RESP_ERROR) {
		CHECK(in->error && strlen(in->error) < sizeof(outcome->error_text));
		outcome->error = strcpy(outcome->error_text, in->error);
		CHECK(resp_in_next(in) == RESP_ERROR);
	}
	return status == RESP_MORE;
}

static struct outcome parse(const uint8_t *data, size_t len, unsigned split,
			    const struct resp_limits *limits)
{
	struct outcome outcome = {.hash = 1};
	uint32_t chance = split;
	struct resp_in in;
	size_t part;

	CHECK(resp_in_init(&in, limits) == 0);
	for (size_t at = 0; at < len; at += part) {
		chance = chance * 1664525 + 1013904223;
		part = split < 4 ? 1 : 1 + (chance >> 16) % (split * split);
		part = part < len - at ? part : len - at;
		if (!feed(&in, data + at, part, &outcome))
			break;
		/* An argument of six bytes takes a struct arg, and an inline one of two. */
		CHECK(resp_in_held(&in) <= 64 + (at + part) * (1 + sizeof(struct arg) / 2));
	}
	resp_in_fini(&in);
	return outcome;
}

static void compare(const uint8_t *data, size_t len, unsigned split,
		    const struct resp_limits *limits)
{
	const struct outcome whole = parse(data, len, 100000, limits);
	const struct outcome pieces = parse(data, len, split, limits);

	CHECK(whole.commands == pieces.commands && whole.hash == pieces.hash);
	CHECK(!whole.error == !pieces.error);
	CHECK(!whole.error || strcmp(whole.error_text, pieces.error_text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static const struct resp_limits open = {.bulk_len_max = 512 << 20,
						.query_len_max = 1 << 30};
	static const struct resp_limits stranger = {
		.bulk_len_max = 512 << 20, .query_len_max = 1 << 30, .unauthenticated = true};
	/* What is held depends on the pieces: the limit may end one and not the other. */
	static const struct resp_limits narrow = {.bulk_len_max = 100, .query_len_max = 200};

	if (len < 2)
		return 0;
	compare(input + 1, len - 1, input[0], &open);
	compare(input + 1, len - 1, input[0], &stranger);
	parse(input + 1, len - 1, input[0], &narrow);
	return 0;
}
