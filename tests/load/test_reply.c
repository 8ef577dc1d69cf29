#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load/reply.h"

#include <stdio.h>
#include <string.h>

static struct reply reply;
static char told[4096]; /* what came, as text */

static void say(const char *text)
{
	strncat(told, text, sizeof(told) - strlen(told) - 1);
}

static void note(enum reply_event event, const uint8_t *data, uint32_t used)
{
	char line[256];

	if (event == REPLY_BULK) {
		snprintf(line, sizeof(line), "%.*s", (int)used, (const char *)data);
		say(line);
	} else if (event == REPLY_DONE && reply.type == '$') {
		say(reply.bulk_len < 0 ? "(nil);" : ";");
	} else if (event == REPLY_DONE) {
		snprintf(line, sizeof(line), "%c%s;", reply.type, reply.line);
		say(line);
	} else if (event == REPLY_BAD) {
		say("bad");
	}
}

/* Feeds text in pieces of a given length; what came of it. */
static const char *feed(const char *text, uint32_t piece)
{
	const uint8_t *data = (const uint8_t *)text;
	uint32_t left = (uint32_t)strlen(text);

	reply = (struct reply){0};
	told[0] = 0;
	while (left > 0) {
		uint32_t used, len = left < piece ? left : piece;
		const enum reply_event event = reply_feed(&reply, data, len, &used);

		note(event, data, used);
		if (event == REPLY_BAD)
			break;
		assert_in_range(used, 1, len);
		data += used;
		left -= used;
	}
	return told;
}

static void replies_are_the_same_however_they_are_cut(void **state)
{
	static const char text[] = "+OK\r\n$5\r\nhello\r\n$-1\r\n$0\r\n\r\n_\r\n:42\r\n"
				   "$11\r\n\r\n$3\r\nabc\r\n\r\n-ERR no such thing\r\n+PONG\r\n";

	(void)state;
	for (uint32_t piece = 1; piece <= sizeof(text); piece++)
		assert_string_equal(feed(text, piece), "+OK;hello;(nil);;_;:42;\r\n$3\r\nabc\r\n;"
						       "-ERR no such thing;+PONG;");
}

static void what_is_no_reply_is_refused(void **state)
{
	static const char *const texts[] = {
		"OK\r\n",
		"$x\r\n",
		"$\r\n",
		"$-2\r\n",
		"$5\r\nhelloXX",
		"$5 \r\nhello\r\n",
		"$ 5\r\nhello\r\n",
		"$+5\r\nhello\r\n",
		"$-0\r\n\r\n",
		"$99999999999\r\n",
		"+OK\n",
		"*1\r\n",
		"$5\r\nhello\rX",
		"$99999999999999999999999\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (uint32_t piece = 1; piece < 20; piece++)
			assert_non_null(strstr(feed(texts[i], piece), "bad"));
	}
}

static void a_line_without_end_costs_no_memory(void **state)
{
	char text[1000];

	(void)state;
	memset(text, 'e', sizeof(text));
	memcpy(text, "-ERR ", 5);
	memcpy(text + sizeof(text) - 3, "\r\n", 3);
	feed(text, 7);
	assert_int_equal(told[0], '-');
	assert_int_equal(strlen(reply.line), REPLY_LINE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_the_same_however_they_are_cut),
		cmocka_unit_test(what_is_no_reply_is_refused),
		cmocka_unit_test(a_line_without_end_costs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
