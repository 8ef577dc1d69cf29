/*
 * The echo sample as the program under test. It starts fresh in every test, and echo_finish()
 * asserts what every test promises: once its clients are gone no connection is left and every
 * shard holds as many packet buffers as when it began, while it runs and after SIGINT.
 */
#ifndef TESTS_KERNEL_ECHO_PROCESS_H
#define TESTS_KERNEL_ECHO_PROCESS_H

#include "program.h"

#include <stdbool.h>

#define ECHO_PORT "7000"

struct echo {
	struct program program;
	unsigned shard_count;
	unsigned left_max;  /* packets that a shard may still hold, for one that has gone */
	const char *pushes; /* its --pushes; NULL: its default */
	char config[64];    /* path */
};

/* Starts it in the namespace with [runtime] shards and the rest of the configuration; returns when
 * it is ready. greet: connections begin with a line that names their shard. */
void echo_start(struct echo *echo, int ns, unsigned shard_count, bool greet, const char *rest);
/* Waits for a new line of figures of each shard without connections and with as many buffers as
 * when idle. */
void echo_expect_idle(struct echo *echo, int seconds);
/* Waits until the shards have so many connections together. */
void echo_expect_connections(struct echo *echo, unsigned long count, int seconds);
/* Idle, SIGINT, exit status 0, all buffers back. */
void echo_finish(struct echo *echo);
/* The part after SIGINT. */
void echo_expect_end(struct echo *echo);
void echo_clear(struct echo *echo);

/* Writes text to a new file in the test's own directory. */
void config_write(char path[64], const char *text);
/* The directory; made at the first call, removed at exit. */
const char *work_dir(void);

#endif
