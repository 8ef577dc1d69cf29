#include "program.h"

#include "cmocka_all.h"
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	READ_LEN = 4096,
	/* What it may say before anybody reads: a program that prints figures would stop in the
	 * middle of a long test when the pipe is full, as if it had hung. */
	PIPE_LEN = 1 << 20,
};

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void program_start(struct program *program, int ns, const char *const argv[])
{
	int out[2];

	*program = (struct program){.out = -1};
	assert_int_equal(pipe(out), 0);
	assert_true(fcntl(out[1], F_SETPIPE_SZ, PIPE_LEN) >= PIPE_LEN);
	fflush(NULL);
	program->pid = fork();
	assert_true(program->pid >= 0);
	if (program->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		netns_enter(ns);
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		close(out[0]);
		close(out[1]);
		execv(argv[0], (char *const *)argv);
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(out[1]);
	program->out = out[0];
}

void program_show(const struct program *program)
{
	if (program->len)
		fprintf(stderr, "--- the program said:\n%.*s---\n", (int)program->len,
			program->text);
}

/* Reads what is there, waiting at most timeout_ms; false at the end of the output. */
static int read_more(struct program *program, int timeout_ms)
{
	struct pollfd pfd = {.fd = program->out, .events = POLLIN};
	ssize_t n;

	if (poll(&pfd, 1, timeout_ms) <= 0)
		return 1;
	if (program->room < program->len + READ_LEN + 1) {
		program->room = 2 * program->room + READ_LEN + 1;
		program->text = realloc(program->text, program->room);
		assert_non_null(program->text);
	}
	n = read(program->out, program->text + program->len, READ_LEN);
	if (n <= 0)
		return 0;
	program->len += (size_t)n;
	program->text[program->len] = 0;
	return 1;
}

int program_find(const struct program *program, size_t *at, const char *what, char line[512])
{
	const char *end;

	while (*at < program->len) {
		const char *begin = program->text + *at;

		end = memchr(begin, '\n', program->len - *at);
		if (!end)
			return 0;
		snprintf(line, 512, "%.*s", (int)(end - begin), begin);
		*at += (size_t)(end - begin) + 1;
		if (strstr(line, what))
			return 1;
	}
	return 0;
}

const char *program_expect(struct program *program, const char *what, int seconds)
{
	static char line[512];
	long long deadline = now_ms() + seconds * 1000LL;

	while (!program_find(program, &program->seen, what, line)) {
		int left = (int)(deadline - now_ms());

		if (left <= 0 || !read_more(program, left)) {
			program_show(program);
			fail_msg("%s before it said \"%s\"",
				 left <= 0 ? "the time was up" : "the program ended", what);
		}
	}
	return line;
}

void program_skip(struct program *program)
{
	size_t len;

	do {
		len = program->len;
		read_more(program, 0);
	} while (program->len > len);
	program->seen = len;
}

int program_wait(struct program *program, int seconds)
{
	long long deadline = now_ms() + seconds * 1000LL;
	int status = 0, left;

	do {
		left = (int)(deadline - now_ms());
		if (left <= 0) {
			program_show(program);
			fail_msg("the program did not end in %d seconds", seconds);
		}
	} while (read_more(program, left));
	waitpid(program->pid, &status, 0);
	program->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void program_signal(struct program *program, int number)
{
	assert_int_equal(kill(program->pid, number), 0);
}

void program_clear(struct program *program)
{
	if (program->pid > 0) {
		kill(program->pid, SIGKILL);
		waitpid(program->pid, NULL, 0);
	}
	if (program->out >= 0)
		close(program->out);
	free(program->text);
	*program = (struct program){.out = -1};
}

unsigned long figure(const char *line, const char *name)
{
	char spaced[64];
	const char *at;

	snprintf(spaced, sizeof(spaced), " %s ", name);
	at = strstr(line, spaced);
	if (!at) {
		fail_msg("no figure \"%s\" in: %s", name, line);
		return 0;
	}
	return strtoul(at + strlen(spaced), NULL, 10);
}
