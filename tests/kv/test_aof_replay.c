/* Reading a log again: what is whole, what is torn, and what is corrupt. */
#include "kv/aof_replay.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME "shard-0.1.aof"

/* A log's parts: each is whole or not there. */
static const char *const parts[] = {
	"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n",
	"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$11\r\n*1\r\n$4\r\nnoo\r\n",
	"*1\r\n$5\r\nMULTI\r\n*2\r\n$6\r\nSELECT\r\n$2\r\n15\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$"
	"0\r\n\r\n"
	"*2\r\n$3\r\nDEL\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n",
	"*3\r\n$6\r\nAPPEND\r\n$1\r\nb\r\n$3\r\n\r\n*\r\n",
};
enum { PART_COUNT = sizeof(parts) / sizeof(parts[0]) };
/* Commands that are carried out when so many parts are whole. */
static const unsigned commands_after[PART_COUNT + 1] = {0, 0, 1, 3, 4};

struct place {
	char dir[32];
	int fd;
	int stderr_fd;
	char text[4096]; /* what was run */
};

static int setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/kv-replay-XXXXXX"
							 : "/tmp/kv-replay-XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	place->fd = open(place->dir, O_RDONLY | O_DIRECTORY);
	/* What is said about hundreds of torn files is not looked at. */
	place->stderr_fd = dup(STDERR_FILENO);
	assert_non_null(freopen("/dev/null", "w", stderr));
	*state = place;
	return 0;
}

static int teardown(void **state)
{
	struct place *place = *state;

	fflush(stderr);
	dup2(place->stderr_fd, STDERR_FILENO);
	close(place->stderr_fd);
	unlinkat(place->fd, NAME, 0);
	unlinkat(place->fd, "shard-0.2.aof", 0);
	close(place->fd);
	rmdir(place->dir);
	free(place);
	return 0;
}

static void put(struct place *place, const char *name, const void *data, size_t len)
{
	int fd = openat(place->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static size_t file_len(struct place *place, const char *name)
{
	int fd = openat(place->fd, name, O_RDONLY);
	off_t len = lseek(fd, 0, SEEK_END);

	close(fd);
	return (size_t)len;
}

static int note(void *arg, int db, int argc, const struct arg *argv)
{
	struct place *place = arg;
	size_t len = strlen(place->text);

	len += (size_t)sprintf(place->text + len, "%d", db);
	for (int i = 0; i < argc; i++)
		len += (size_t)sprintf(place->text + len, " %.*s", (int)argv[i].text.len,
				       argv[i].text.data);
	sprintf(place->text + len, ";");
	return 0;
}

static int refuse(void *arg, int db, int argc, const struct arg *argv)
{
	(void)arg, (void)db, (void)argc, (void)argv;
	return -EINVAL;
}

static size_t whole(char *log)
{
	log[0] = '\0';
	for (unsigned i = 0; i < PART_COUNT; i++)
		strcat(log, parts[i]);
	return strlen(log);
}

static void what_was_logged_is_run_in_its_database(void **state)
{
	struct place *place = *state;
	struct aof_replay replay = {.dir_fd = place->fd, .run = note, .arg = place};
	const char *name = NAME;
	char log[1024];
	size_t len = whole(log);
	uint64_t last;

	put(place, NAME, log, len);
	assert_int_equal(aof_replay_files(&replay, &name, 1, true, &last), 0);
	assert_int_equal(last, len);
	assert_string_equal(place->text, "0 SET a *1\r\n$4\r\nnoo;15 SET b ;15 DEL a;"
					 "15 APPEND b \r\n*;");
}

/* Cut after each byte: what is whole is run, the rest is cut off the file. */
static void a_log_torn_at_any_byte_is_cut_at_the_last_whole_part(void **state)
{
	struct place *place = *state;
	const char *name = NAME;
	char log[1024];
	size_t len = whole(log);

	for (size_t torn = 0; torn < len; torn++) {
		struct aof_replay replay = {.dir_fd = place->fd, .run = note, .arg = place};
		size_t kept = 0;
		unsigned count = 0;
		uint64_t last;

		while (kept + strlen(parts[count]) <= torn)
			kept += strlen(parts[count++]);
		place->text[0] = '\0';
		put(place, NAME, log, torn);
		assert_int_equal(aof_replay_files(&replay, &name, 1, true, &last), 0);
		assert_int_equal(last, kept);
		assert_int_equal(file_len(place, NAME), kept);
		assert_int_equal(replay.commands, commands_after[count]);
	}
}

/* As a power cut leaves a file whose length was written before its contents. */
static void zeros_instead_of_the_end_are_a_torn_tail(void **state)
{
	struct place *place = *state;
	const char *name = NAME;
	char log[1024];
	size_t len = whole(log);

	for (size_t torn = 0; torn < len; torn++) {
		struct aof_replay replay = {.dir_fd = place->fd, .run = note, .arg = place};
		size_t kept = 0;
		unsigned count = 0;
		uint64_t last;

		while (kept + strlen(parts[count]) <= torn)
			kept += strlen(parts[count++]);
		place->text[0] = '\0';
		whole(log);
		memset(log + torn, 0, len - torn);
		put(place, NAME, log, len);
		assert_int_equal(aof_replay_files(&replay, &name, 1, true, &last), 0);
		assert_int_equal(last, kept);
	}
}

static void a_torn_tail_is_left_alone_if_it_may_not_be_cut(void **state)
{
	struct place *place = *state;
	struct aof_replay replay = {.dir_fd = place->fd, .run = note, .arg = place};
	const char *name = NAME;
	char log[1024];
	size_t len = whole(log);
	uint64_t last;

	put(place, NAME, log, len - 1);
	assert_int_equal(aof_replay_files(&replay, &name, 1, false, &last), -EBADMSG);
	assert_int_equal(file_len(place, NAME), len - 1);
	assert_string_equal(place->text, "");
}

/* Each bit by another one: it may still be a log (a key's byte), but none that ends early. But for
 * the word that ends a transaction: whether it came cannot be known without it. */
static void a_log_that_is_corrupt_in_its_middle_is_refused_and_left_alone(void **state)
{
	struct place *place = *state;
	const char *name = NAME;
	char log[1024];
	size_t len = whole(log), middle = len - strlen(parts[PART_COUNT - 1]);
	size_t exec = (size_t)(strstr(log, "EXEC") - log);
	unsigned refused = 0;

	for (size_t i = 0; i < middle; i++) {
		if (i >= exec && i < exec + 4)
			continue;
		for (unsigned flip = 1; flip < 256; flip <<= 1) {
			struct aof_replay replay = {.dir_fd = place->fd, .run = note, .arg = place};
			uint64_t last;
			int error;

			place->text[0] = '\0';
			whole(log);
			log[i] = (char)(log[i] ^ flip);
			put(place, NAME, log, len);
			error = aof_replay_files(&replay, &name, 1, true, &last);
			assert_int_equal(file_len(place, NAME), len);
			if (error == 0)
				continue; /* all of it was run */
			refused++;
			if (error == -EBADMSG)
				assert_string_equal(place->text, "");
		}
	}
	assert_true(refused > middle);
}

static void a_check_names_the_offset_of_what_is_wrong(void **state)
{
	struct place *place = *state;
	struct aof_replay replay = {.dir_fd = place->fd};
	struct aof_check check;
	char log[1024];
	size_t len = whole(log), at = strlen(parts[0]) + 4;

	log[at] = '?'; /* the dollar of SET */
	put(place, NAME, log, len);
	assert_int_equal(aof_replay_check(&replay, NAME, &check), 0);
	assert_false(check.torn);
	assert_int_equal(check.whole_len, strlen(parts[0]));
	assert_int_equal(check.bad_offset, at);
	assert_string_equal(check.problem, "an argument should begin here");
	/* At the very end, too: it is not the beginning of anything. */
	put(place, NAME, "*0\r\n", 4);
	assert_int_equal(aof_replay_check(&replay, NAME, &check), 0);
	assert_false(check.torn);
	assert_int_equal(check.bad_offset, 0);
}

static void transactions_do_not_nest_and_do_not_end_twice(void **state)
{
	static const char *const logs[] = {
		"*1\r\n$5\r\nMULTI\r\n*1\r\n$5\r\nmulti\r\n*1\r\n$4\r\nEXEC\r\n",
		"*1\r\n$4\r\nEXEC\r\n",
	};
	struct place *place = *state;

	for (unsigned i = 0; i < 2; i++) {
		struct aof_replay replay = {.dir_fd = place->fd};
		struct aof_check check;

		put(place, NAME, logs[i], strlen(logs[i]));
		assert_int_equal(aof_replay_check(&replay, NAME, &check), 0);
		assert_false(check.torn);
		assert_non_null(check.problem);
		assert_int_equal(check.whole_len, 0);
	}
}

static void only_the_last_file_that_holds_anything_may_be_torn(void **state)
{
	const char *names[] = {NAME, "shard-0.2.aof"};
	struct place *place = *state;
	struct aof_replay replay = {.dir_fd = place->fd, .run = note, .arg = place};
	char log[1024];
	size_t len = whole(log);
	uint64_t lens[2];

	put(place, names[0], log, len - 1);
	put(place, names[1], log, len);
	assert_int_equal(aof_replay_files(&replay, names, 2, true, lens), -EBADMSG);
	assert_int_equal(file_len(place, NAME), len - 1);
	put(place, names[1], "", 0);
	assert_int_equal(aof_replay_files(&replay, names, 2, true, lens), 0);
	assert_int_equal(lens[0], len - strlen(parts[PART_COUNT - 1]));
	assert_int_equal(lens[1], 0);
}

static void a_command_that_nobody_knows_ends_the_replay(void **state)
{
	struct place *place = *state;
	struct aof_replay replay = {.dir_fd = place->fd, .run = refuse};
	const char *name = NAME;
	char log[1024];
	size_t len = whole(log);
	uint64_t last;

	put(place, NAME, log, len);
	assert_int_equal(aof_replay_files(&replay, &name, 1, true, &last), -EINVAL);
	assert_int_equal(replay.commands, 1);
}

/* Longer than the window that is read at a time, and many of them. */
static void long_values_come_back_whole(void **state)
{
	enum { LEN = 5 << 20 };
	struct place *place = *state;
	struct aof_replay replay = {.dir_fd = place->fd};
	struct aof_check check;
	char *log = malloc(LEN * 2 + 1000);
	size_t len = (size_t)sprintf(log, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$%d\r\n", LEN), whole_len;

	memset(log + len, 'x', LEN);
	len += LEN;
	len += (size_t)sprintf(log + len, "\r\n");
	while (len < LEN * 2)
		len += (size_t)sprintf(log + len, "*1\r\n$4\r\nPING\r\n");
	whole_len = len;
	len += (size_t)sprintf(log + len, "*1\r\n$400\r\nPING\r\n");
	put(place, NAME, log, len);
	assert_int_equal(aof_replay_check(&replay, NAME, &check), 0);
	assert_true(check.torn);
	assert_int_equal(check.whole_len, whole_len);
	free(log);
}

/* Which took a minute for each five million bytes: the window was moved to each of them. */
static void a_torn_value_of_what_looks_like_requests_is_soon_seen_through(void **state)
{
	enum { LEN = 6 << 20, PROCESSOR_S = 10 };
	struct place *place = *state;
	struct aof_replay replay = {.dir_fd = place->fd};
	struct aof_check check;
	char *log = malloc(LEN + 100);
	size_t len = (size_t)sprintf(log, "*2\r\n$4\r\nPING\r\n$%d\r\n", LEN);
	const clock_t begun = clock();

	while (len < LEN)
		len += (size_t)sprintf(log + len, "\r\n*");
	put(place, NAME, log, len);
	assert_int_equal(aof_replay_check(&replay, NAME, &check), 0);
	assert_true(check.torn);
	assert_true(clock() - begun < PROCESSOR_S * CLOCKS_PER_SEC);
	/* The last of them is one. */
	len += (size_t)sprintf(log + len - 3, "\r\n*1\r\n$4\r\nPING\r\n") - 3;
	put(place, NAME, log, len);
	assert_int_equal(aof_replay_check(&replay, NAME, &check), 0);
	assert_false(check.torn);
	free(log);
}

static void a_file_that_is_missing_is_an_error(void **state)
{
	struct place *place = *state;
	struct aof_replay replay = {.dir_fd = place->fd};
	struct aof_check check;

	assert_int_equal(aof_replay_check(&replay, "shard-0.2.aof", &check), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_logged_is_run_in_its_database),
		TEST(a_log_torn_at_any_byte_is_cut_at_the_last_whole_part),
		TEST(zeros_instead_of_the_end_are_a_torn_tail),
		TEST(a_torn_tail_is_left_alone_if_it_may_not_be_cut),
		TEST(a_log_that_is_corrupt_in_its_middle_is_refused_and_left_alone),
		TEST(a_check_names_the_offset_of_what_is_wrong),
		TEST(transactions_do_not_nest_and_do_not_end_twice),
		TEST(only_the_last_file_that_holds_anything_may_be_torn),
		TEST(a_command_that_nobody_knows_ends_the_replay),
		TEST(long_values_come_back_whole),
		TEST(a_torn_value_of_what_looks_like_requests_is_soon_seen_through),
		TEST(a_file_that_is_missing_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
