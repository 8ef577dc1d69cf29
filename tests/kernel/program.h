/*
 * A program under test as a child process: its output is read line by line, and it dies with the
 * test. What takes longer than it should fails the test, and the output is shown.
 */
#ifndef TESTS_KERNEL_PROGRAM_H
#define TESTS_KERNEL_PROGRAM_H

#include <stddef.h>
#include <sys/types.h>

struct program {
	pid_t pid; /* 0: none */
	int out;   /* stdout and stderr; -1: closed */
	char *text;
	size_t len, room;
	size_t seen; /* up to here program_expect() has looked */
};

/* Starts argv in the network namespace ns. */
void program_start(struct program *program, int ns, const char *const argv[]);
/* Waits for the next line that contains what, at most seconds, and returns it (valid until the
 * next call). */
const char *program_expect(struct program *program, const char *what, int seconds);
/* Passes over what it has said so far. */
void program_skip(struct program *program);
/* Waits for its end, at most seconds; its exit status, or 128 + the signal that ended it. */
int program_wait(struct program *program, int seconds);
void program_signal(struct program *program, int number);
/* The next line from *at on that contains what, as a copy in line; false if there is none. */
int program_find(const struct program *program, size_t *at, const char *what, char line[512]);
/* Ends it if it still runs, frees everything. */
void program_clear(struct program *program);
/* Prints what it said. */
void program_show(const struct program *program);

/* The number after " name " in a line of figures; fails the test if there is none. */
unsigned long figure(const char *line, const char *name);

#endif
