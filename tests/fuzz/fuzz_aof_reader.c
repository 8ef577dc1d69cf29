/*
 * Any file as a log of samples/kv: it is read, refused, or cut where it is torn, and what is left
 * then is sound. The first byte of an input says how much of the rest lies before the end of the
 * reader's first window, with one long request in front of it; 0: there is none.
 */
#include "kv/aof_reader.h"
#include "kv/aof_replay.h"
#include "kv/store.h"
#include "mem/check.h"
#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW_LEN = 1 << 20, FRAME_LEN = 16 /* of "*1\r\n$1000000\r\n" and "\r\n" */ };

static int file;
static char name[64]; /* by which it can be opened */
static FILE *quiet;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	file = memfd_create("log", MFD_CLOEXEC);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	quiet = fopen("/dev/null", "we");
	CHECK(file >= 0 && quiet);
	return 0;
}

static void append(const void *data, size_t len)
{
	CHECK(write(file, data, len) == (ssize_t)len);
}

static void make_file(const uint8_t *input, size_t len)
{
	static char value[WINDOW_LEN];
	const size_t value_len = WINDOW_LEN - FRAME_LEN - input[0];

	CHECK(ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0);
	if (input[0]) {
		char header[FRAME_LEN];

		snprintf(header, sizeof(header), "*1\r\n$%zu\r\n", value_len);
		append(header, strlen(header));
		append(value, value_len);
		append("\r\n", 2);
	}
	append(input + 1, len - 1);
}

static uint64_t file_len(void)
{
	struct stat stat;

	CHECK(fstat(file, &stat) == 0);
	return (uint64_t)stat.st_size;
}

/* --- request by request --- */

/* Each argument is where it is in the file, one after the other. */
static void check_request(const struct aof_reader *reader)
{
	uint64_t at = reader->begin;

	CHECK(reader->argc > 0 && reader->begin < reader->end && reader->end <= reader->len);
	for (int i = 0; i < reader->argc; i++) {
		const struct slice text = reader->argv[i].text;
		const uint64_t begin =
			reader->window_offset + (uint64_t)(text.data - reader->window);
		char part[64];
		const size_t len = text.len < sizeof(part) ? text.len : sizeof(part);

		CHECK(begin > at && text.len <= reader->end && begin + text.len < reader->end);
		CHECK(pread(file, part, len, (off_t)begin) == (ssize_t)len);
		CHECK(memcmp(part, text.data, len) == 0);
		at = begin + text.len;
	}
}

static void read_all(void)
{
	struct aof_reader reader;
	enum aof_read read;
	uint64_t end = 0;

	CHECK(aof_reader_open(&reader, -1, name) == 0);
	while ((read = aof_reader_next(&reader)) == AOF_READ_REQUEST) {
		CHECK(reader.begin == end);
		check_request(&reader);
		end = reader.end;
	}
	CHECK(reader.begin == end && read != AOF_READ_ERROR);
	CHECK((read == AOF_READ_END) == (end == reader.len));
	if (read == AOF_READ_BAD)
		CHECK(reader.problem && reader.bad_offset >= end && reader.bad_offset < reader.len);
	aof_reader_close(&reader);
}

/* --- as a log --- */

static int run(void *arg, int db, int argc, const struct arg *argv)
{
	(void)arg;
	CHECK(db >= 0 && db < STORE_DB_COUNT && argc > 0 && argv);
	return 0;
}

static int replay_files(bool may_cut)
{
	struct aof_replay replay = {.dir_fd = -1, .run = run};
	const char *const names[] = {name};
	uint64_t len;

	return aof_replay_files(&replay, names, 1, may_cut, &len);
}

static struct aof_check check_file(void)
{
	const struct aof_replay replay = {.dir_fd = -1};
	struct aof_check check;

	CHECK(aof_replay_check(&replay, name, &check) == 0);
	CHECK(check.len == file_len() && check.whole_len <= check.len);
	CHECK(!check.problem ||
	      (check.bad_offset >= check.whole_len && check.bad_offset < check.len));
	if (!check.problem && !check.torn)
		CHECK(check.whole_len == check.len);
	return check;
}

static void replay_it(void)
{
	const struct aof_check check = check_file();
	const bool corrupt = check.problem && !check.torn;
	struct aof_check after;
	int error = replay_files(false);

	CHECK((error == -EBADMSG) == (corrupt || check.torn) && file_len() == check.len);
	error = replay_files(true);
	CHECK((error == -EBADMSG) == corrupt);
	CHECK(file_len() == (check.torn ? check.whole_len : check.len));
	if (corrupt)
		return;
	after = check_file();
	CHECK(!after.problem && !after.torn);
	CHECK(replay_files(false) == error); /* -EINVAL: a database that there is not */
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	FILE *loud = stderr;

	if (len < 1)
		return 0;
	make_file(input, len);
	read_all();
	if (input[0]) { /* the long request takes its time */
		check_file();
		return 0;
	}
	stderr = quiet; /* what is wrong with each */
	replay_it();
	stderr = loud;
	return 0;
}
