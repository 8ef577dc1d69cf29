/*
 * An engine for unit tests: commands go in as a line, as redis-cli would take it, and the reply
 * comes back as it is on the wire. What it logs is kept as lines, too.
 */
#ifndef TESTS_KV_TALK_H
#define TESTS_KV_TALK_H

#include "kv/engine.h"
#include "kv/settings.h"

#include <stddef.h>

struct talk {
	struct settings settings;
	struct engine engine;
	int db, resp;
	char reply[8192];
	size_t reply_len;
	char log[8192];	     /* "SET k v|DEL k|", with the database before it if that is not 0 */
	const char *refusal; /* of the log; NULL: it takes everything */
};

void talk_open(struct talk *talk);
void talk_close(struct talk *talk);
/* The reply, until the next call. */
const char *talk_say(struct talk *talk, const char *line);
/* Arguments of any bytes. */
const char *talk_args(struct talk *talk, int argc, const struct arg *argv);
/* What was logged since the last call. */
const char *talk_log(struct talk *talk);

#define assert_says(talk, line, expected) assert_string_equal(talk_say(talk, line), expected)

/* A test's state is a talk of its own. */
int talk_setup(void **state);
int talk_teardown(void **state);
#define TALK_TEST(name) cmocka_unit_test_setup_teardown(name, talk_setup, talk_teardown)

#endif
