#include "echo_process.h"

#include "cmocka_all.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { START_SECONDS = 30, END_SECONDS = 20 };

static char dir[32];
static pid_t dir_owner;

static void remove_dir(void)
{
	char command[64];

	if (getpid() != dir_owner)
		return;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		fprintf(stderr, "%s is left behind\n", dir);
}

const char *work_dir(void)
{
	if (!dir[0]) {
		strcpy(dir, "/tmp/clowder-test-XXXXXX");
		assert_non_null(mkdtemp(dir));
		dir_owner = getpid();
		atexit(remove_dir);
	}
	return dir;
}

void config_write(char path[64], const char *text)
{
	static unsigned number;
	FILE *file;

	snprintf(path, 64, "%s/%u.toml", work_dir(), number++);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

void echo_start(struct echo *echo, int ns, unsigned shard_count, bool greet, const char *rest)
{
	const char *argv[] = {ECHO_PROGRAM,
			      "--config",
			      echo->config,
			      "--port",
			      ECHO_PORT,
			      "--udp",
			      "--stats",
			      "0.1",
			      "--pushes",
			      echo->pushes ? echo->pushes : "32",
			      greet ? "--greet" : NULL,
			      NULL};
	char text[2048];

	snprintf(text, sizeof(text), "[runtime]\nshards = %u\nname = \"test%d\"\n%s", shard_count,
		 (int)getpid(), rest);
	config_write(echo->config, text);
	echo->shard_count = shard_count;
	program_start(&echo->program, ns, argv);
	program_expect(&echo->program, "echo: ready", START_SECONDS);
}

static bool buffers_are_back(const struct echo *echo, const char *line)
{
	unsigned long used = figure(line, "mbufs"), idle = figure(line, "idle");

	return used >= idle && used <= idle + echo->left_max;
}

void echo_expect_idle(struct echo *echo, int seconds)
{
	time_t give_up = time(NULL) + seconds;
	char name[32];

	program_skip(&echo->program);
	for (unsigned i = 0; i < echo->shard_count; i++) {
		const char *line;

		snprintf(name, sizeof(name), "shard %u cpu", i);
		do {
			line = program_expect(&echo->program, name, seconds);
			if (time(NULL) > give_up)
				fail_msg("not idle after %d seconds: %s", seconds, line);
		} while (figure(line, "connections") != 0 || !buffers_are_back(echo, line));
	}
}

void echo_expect_connections(struct echo *echo, unsigned long count, int seconds)
{
	unsigned long connections[64] = {0}, sum;
	time_t give_up = time(NULL) + seconds;
	unsigned shard;

	do {
		const char *line = program_expect(&echo->program, "connections", seconds);

		if (time(NULL) > give_up)
			fail_msg("no %lu connections after %d seconds: %s", count, seconds, line);
		if (sscanf(line, "shard %u", &shard) != 1 || shard >= 64)
			fail_msg("not a line of figures: %s", line);
		connections[shard] = figure(line, "connections");
		sum = 0;
		for (unsigned i = 0; i < echo->shard_count; i++)
			sum += connections[i];
	} while (sum != count);
}

void echo_expect_end(struct echo *echo)
{
	char name[32], line[512], last[512];
	int status = program_wait(&echo->program, END_SECONDS);
	size_t at;

	if (status) {
		program_show(&echo->program);
		fail_msg("echo ended with %d", status);
	}
	program_expect(&echo->program, "echo: ended in order", 1);
	for (unsigned i = 0; i < echo->shard_count; i++) {
		last[0] = 0;
		snprintf(name, sizeof(name), "shard %u cpu", i);
		for (at = 0; program_find(&echo->program, &at, name, line);)
			memcpy(last, line, sizeof(last));
		if (!buffers_are_back(echo, last)) {
			program_show(&echo->program);
			fail_msg("not as many buffers as at the start: %s", last);
		}
	}
}

void echo_finish(struct echo *echo)
{
	echo_expect_idle(echo, 10);
	program_signal(&echo->program, SIGINT);
	echo_expect_end(echo);
}

void echo_clear(struct echo *echo)
{
	program_clear(&echo->program);
}
