#include "kv/aof_replay.h"

#include "kv/aof_reader.h"
#include "kv/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { PROGRESS_LEN_MIN = 64 << 20, PROGRESS_STEPS = 10 };

static bool is_word(const struct aof_reader *reader, const char *word)
{
	struct slice text = reader->argv[0].text;

	return text.len == strlen(word) && strncasecmp(text.data, word, text.len) == 0;
}

static void say_unreadable(const struct aof_replay *replay, const char *name, int error)
{
	fprintf(stderr, "kv: shard %d: %s cannot be read: %s\n", replay->shard, name,
		strerror(-error));
}

/* --- check --- */

static const char *transaction_problem_or_null(const struct aof_reader *reader, bool *open)
{
	bool multi = is_word(reader, "MULTI"), exec = is_word(reader, "EXEC");

	if (multi && *open)
		return "MULTI within a transaction";
	if (exec && !*open)
		return "EXEC without MULTI";
	*open = multi || (*open && !exec);
	return NULL;
}

static void take_bad(struct aof_reader *reader, struct aof_check *check, const char *problem,
		     uint64_t offset)
{
	check->problem = problem;
	check->bad_offset = offset;
	check->torn = aof_reader_zeros(reader, offset);
}

static void take_torn(struct aof_reader *reader, struct aof_check *check)
{
	check->problem = "a length goes beyond the end, and whole requests follow";
	check->bad_offset = reader->begin;
	check->torn = !aof_reader_more_follows(reader);
}

static int check_requests(struct aof_reader *reader, struct aof_check *check)
{
	bool open = false;

	for (;;) {
		const char *problem;

		switch (aof_reader_next(reader)) {
		case AOF_READ_REQUEST:
			problem = transaction_problem_or_null(reader, &open);
			if (problem) {
				take_bad(reader, check, problem, reader->begin);
				return 0;
			}
			if (!open)
				check->whole_len = reader->end;
			break;
		case AOF_READ_END:
			check->torn = open; /* a transaction without its end */
			return 0;
		case AOF_READ_TORN:
			take_torn(reader, check);
			return 0;
		case AOF_READ_BAD:
			take_bad(reader, check, reader->problem, reader->bad_offset);
			return 0;
		case AOF_READ_ERROR:
			return reader->error;
		}
	}
}

int aof_replay_check(const struct aof_replay *replay, const char *name, struct aof_check *check)
{
	struct aof_reader reader;
	int error = aof_reader_open(&reader, replay->dir_fd, name);

	if (error == 0) {
		*check = (struct aof_check){.len = reader.len};
		error = check_requests(&reader, check);
		aof_reader_close(&reader);
	}
	if (error)
		say_unreadable(replay, name, error);
	return error;
}

/* --- run --- */

/* -1: there is no such database. */
static int selected(const struct aof_reader *reader)
{
	struct slice text = reader->argc == 2 ? reader->argv[1].text : SLICE("");
	int db = -1;

	for (size_t i = 0; i < text.len && i < 2; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return -1;
		db = (db < 0 ? 0 : db) * 10 + (text.data[i] - '0');
	}
	return text.len <= 2 && db < STORE_DB_COUNT ? db : -1;
}

static int run_request(struct aof_replay *replay, const struct aof_reader *reader, int *db)
{
	if (is_word(reader, "SELECT")) {
		*db = selected(reader);
		return *db < 0 ? -EINVAL : 0;
	}
	if (is_word(reader, "MULTI") || is_word(reader, "EXEC"))
		return 0;
	replay->commands++;
	return replay->run(replay->arg, *db, reader->argc, reader->argv);
}

static void say_progress(const struct aof_replay *replay, const char *name,
			 const struct aof_reader *reader, unsigned *step)
{
	uint64_t done = reader->end / (reader->len / PROGRESS_STEPS + 1);

	if (reader->len < PROGRESS_LEN_MIN || done <= *step)
		return;
	*step = (unsigned)done;
	fprintf(stderr, "kv: shard %d: loading %s: %u %%\n", replay->shard, name,
		*step * (100 / PROGRESS_STEPS));
}

static int run_requests(struct aof_replay *replay, const char *name, struct aof_reader *reader,
			uint64_t len)
{
	unsigned step = 0;
	int db = 0, error;

	while (reader->end < len) {
		if (aof_reader_next(reader) != AOF_READ_REQUEST) {
			/* It was sound when it was checked. */
			say_unreadable(replay, name, reader->error ? reader->error : -EIO);
			return reader->error ? reader->error : -EIO;
		}
		error = run_request(replay, reader, &db);
		if (error) {
			fprintf(stderr, "kv: shard %d: %s: at offset %" PRIu64 ": %.*s: %s\n",
				replay->shard, name, reader->begin,
				(int)(reader->argv[0].text.len < 32 ? reader->argv[0].text.len
								    : 32),
				reader->argv[0].text.data,
				error == -EINVAL ? "unknown command or wrong arguments"
						 : strerror(-error));
			return error;
		}
		say_progress(replay, name, reader, &step);
	}
	return 0;
}

int aof_replay_run(struct aof_replay *replay, const char *name, uint64_t len)
{
	struct aof_reader reader;
	int error = aof_reader_open(&reader, replay->dir_fd, name);

	if (error) {
		say_unreadable(replay, name, error);
		return error;
	}
	error = run_requests(replay, name, &reader, len);
	aof_reader_close(&reader);
	return error;
}

/* --- the files of a log --- */

static int cut(const struct aof_replay *replay, const char *name, const struct aof_check *check)
{
	int fd = openat(replay->dir_fd, name, O_WRONLY | O_CLOEXEC);
	int error = fd < 0 || ftruncate(fd, (off_t)check->whole_len) || fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	if (error)
		fprintf(stderr, "kv: shard %d: %s cannot be cut at offset %" PRIu64 ": %s\n",
			replay->shard, name, check->whole_len, strerror(-error));
	else
		fprintf(stderr,
			"kv: shard %d: %s is torn: cut at offset %" PRIu64 ", %" PRIu64
			" bytes of something that was not written whole are lost\n",
			replay->shard, name, check->whole_len, check->len - check->whole_len);
	return error;
}

static int refuse_torn(const struct aof_replay *replay, const char *name,
		       const struct aof_check *check, bool may_cut)
{
	fprintf(stderr, "kv: shard %d: %s is torn at offset %" PRIu64 ", %s\n", replay->shard, name,
		check->whole_len,
		may_cut ? "though files that came after it are not empty"
			: "and aof-load-truncated is no: redis-check-aof --fix cuts it");
	return -EBADMSG;
}

static int refuse_corrupt(const struct aof_replay *replay, const char *name,
			  const struct aof_check *check)
{
	fprintf(stderr,
		"kv: shard %d: %s is corrupt at offset %" PRIu64 ": %s (sound up to offset %" PRIu64
		" of %" PRIu64 "). Make a copy; redis-check-aof --fix cuts it there, and what "
		"follows is lost\n",
		replay->shard, name, check->bad_offset, check->problem, check->whole_len,
		check->len);
	return -EBADMSG;
}

/* All are checked before one is cut; torn: which one, or count. */
static int check_files(const struct aof_replay *replay, const char *const *names, unsigned count,
		       bool may_cut, struct aof_check *torn_check, unsigned *torn, uint64_t *lens)
{
	bool last = true; /* nothing comes after it */

	*torn = count;
	for (unsigned i = count; i-- > 0;) {
		struct aof_check check;
		int error = aof_replay_check(replay, names[i], &check);

		if (error)
			return error;
		if (check.problem && !check.torn)
			return refuse_corrupt(replay, names[i], &check);
		if (check.torn && !(last && may_cut))
			return refuse_torn(replay, names[i], &check, may_cut);
		if (check.torn) {
			*torn = i;
			*torn_check = check;
		}
		lens[i] = check.whole_len;
		last = last && check.len == 0;
	}
	return 0;
}

int aof_replay_files(struct aof_replay *replay, const char *const *names, unsigned count,
		     bool may_cut, uint64_t *lens)
{
	struct aof_check check;
	unsigned torn;
	int error = check_files(replay, names, count, may_cut, &check, &torn, lens);

	if (error == 0 && torn < count)
		error = cut(replay, names[torn], &check);
	for (unsigned i = 0; i < count && error == 0; i++)
		error = aof_replay_run(replay, names[i], lens[i]);
	return error;
}
