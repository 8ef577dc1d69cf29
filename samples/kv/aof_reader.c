#include "kv/aof_reader.h"

#include "kv/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WINDOW_LEN_MIN = 1 << 20,
	ARG_CAP_MIN = 16,
	NUMBER_LEN_MAX = 10, /* digits */
};

int aof_reader_open(struct aof_reader *reader, int dir_fd, const char *name)
{
	struct stat stat;

	*reader = (struct aof_reader){.fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC)};
	if (reader->fd < 0)
		return -errno;
	if (fstat(reader->fd, &stat) == 0 && S_ISREG(stat.st_mode)) {
		reader->len = (uint64_t)stat.st_size;
		(void)posix_fadvise(reader->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
		return 0;
	}
	aof_reader_close(reader);
	return -EINVAL;
}

void aof_reader_close(struct aof_reader *reader)
{
	close(reader->fd);
	heap_free(reader->window);
	heap_free(reader->argv);
	reader->window = NULL;
	reader->argv = NULL;
}

/* --- the window --- */

static int read_more(struct aof_reader *reader)
{
	uint64_t at = reader->window_offset + reader->window_len;
	ssize_t len;

	do
		len = pread(reader->fd, reader->window + reader->window_len,
			    reader->window_cap - reader->window_len, (off_t)at);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	if (len == 0)
		return -EIO; /* it was longer when it was opened */
	reader->window_len += (size_t)len;
	return 0;
}

/* The window begins at offset, and holds at least len bytes or all that there are. */
static int show(struct aof_reader *reader, uint64_t offset, size_t len)
{
	uint64_t shift = offset - reader->window_offset;

	if (offset < reader->window_offset || shift > reader->window_len)
		shift = reader->window_len;
	reader->window_len -= shift;
	if (shift && reader->window_len)
		memmove(reader->window, reader->window + shift, reader->window_len);
	reader->window_offset = offset;
	if (len > reader->len - offset)
		len = reader->len - offset;
	if (len > reader->window_cap || !reader->window) {
		size_t cap = len < WINDOW_LEN_MIN ? WINDOW_LEN_MIN : len + len / 2;
		char *grown = heap_grow_or_null(reader->window, cap);

		if (!grown)
			return -ENOMEM;
		reader->window = grown;
		reader->window_cap = cap;
	}
	while (reader->window_len < len) {
		int error = read_more(reader);

		if (error)
			return error;
	}
	return 0;
}

/* --- one request --- */

struct cursor {
	const char *text;
	size_t len, at;
	size_t need; /* PARSE_MORE: so much, at least */
	const char *problem;
};

enum parse { PARSE_OK, PARSE_MORE, PARSE_BAD };

static enum parse bad(struct cursor *cursor, const char *problem)
{
	cursor->problem = problem;
	return PARSE_BAD;
}

static enum parse more(struct cursor *cursor, size_t len)
{
	cursor->need = cursor->at + len;
	return PARSE_MORE;
}

static enum parse parse_end_of_line(struct cursor *cursor)
{
	for (int i = 0; i < 2; i++, cursor->at++) {
		if (cursor->at == cursor->len)
			return more(cursor, 1);
		if (cursor->text[cursor->at] != "\r\n"[i])
			return bad(cursor, "a line should end here");
	}
	return PARSE_OK;
}

/* "*3\r\n", "$5\r\n" */
static enum parse parse_header(struct cursor *cursor, char kind, uint64_t *value)
{
	unsigned digits = 0;

	if (cursor->at == cursor->len)
		return more(cursor, 1);
	if (cursor->text[cursor->at] != kind)
		return bad(cursor, kind == '*' ? "a request should begin here"
					       : "an argument should begin here");
	cursor->at++;
	for (*value = 0;; digits++, cursor->at++) {
		char digit;

		if (cursor->at == cursor->len)
			return more(cursor, 1);
		digit = cursor->text[cursor->at];
		if (digit < '0' || digit > '9' || digits == NUMBER_LEN_MAX)
			break;
		*value = *value * 10 + (uint64_t)(digit - '0');
	}
	return digits ? parse_end_of_line(cursor) : bad(cursor, "a number should be here");
}

static enum parse parse_argument(struct cursor *cursor, struct arg *arg)
{
	uint64_t len = 0;
	enum parse status = parse_header(cursor, '$', &len);

	if (status != PARSE_OK)
		return status;
	if (cursor->len - cursor->at < len)
		return more(cursor, len + 2);
	*arg = (struct arg){.text = {cursor->text + cursor->at, len}};
	cursor->at += len;
	return parse_end_of_line(cursor);
}

static bool reserve(struct aof_reader *reader, int count)
{
	struct arg *grown;
	int cap = reader->argv_cap ? reader->argv_cap * 2 : ARG_CAP_MIN;

	if (count <= reader->argv_cap)
		return true;
	grown = heap_grow_or_null(reader->argv, (size_t)cap * sizeof(*grown));
	if (!grown) {
		reader->error = -ENOMEM;
		return false;
	}
	reader->argv = grown;
	reader->argv_cap = cap;
	return true;
}

static enum parse parse_request(struct aof_reader *reader, struct cursor *cursor)
{
	uint64_t count = 0;
	enum parse status = parse_header(cursor, '*', &count);

	if (status != PARSE_OK)
		return status;
	if (count == 0 || count > RESP_ARG_COUNT_MAX) {
		cursor->at =
			0; /* not behind it, where the file may end: that would be a torn tail */
		return bad(cursor, "a request has no such number of arguments");
	}
	reader->argc = (int)count;
	for (int i = 0; i < (int)count; i++) {
		if (!reserve(reader, i + 1))
			return bad(cursor, "there is no memory");
		status = parse_argument(cursor, &reader->argv[i]);
		if (status != PARSE_OK)
			return status;
	}
	return PARSE_OK;
}

/* At begin, from a window that is made as large as it takes. */
static enum aof_read read_request(struct aof_reader *reader)
{
	size_t skip = (size_t)(reader->begin - reader->window_offset);

	for (;;) {
		struct cursor cursor = {.text = reader->window + skip,
					.len = reader->window_len - skip};
		enum parse status = parse_request(reader, &cursor);

		if (reader->error)
			return AOF_READ_ERROR;
		if (status == PARSE_OK) {
			reader->end = reader->begin + cursor.at;
			return AOF_READ_REQUEST;
		}
		if (status == PARSE_BAD) {
			reader->bad_offset = reader->begin + cursor.at;
			reader->problem = cursor.problem;
			return AOF_READ_BAD;
		}
		if (cursor.need > reader->len - reader->begin)
			return AOF_READ_TORN;
		/* The rest is put to the front: so a window's worth more is read at a time. */
		reader->error = show(reader, reader->begin, cursor.need + WINDOW_LEN_MIN);
		if (reader->error)
			return AOF_READ_ERROR;
		skip = 0;
	}
}

enum aof_read aof_reader_next(struct aof_reader *reader)
{
	reader->begin = reader->end;
	if (reader->begin == reader->len)
		return AOF_READ_END;
	if (!reader->window) {
		reader->error = show(reader, reader->begin, WINDOW_LEN_MIN);
		if (reader->error)
			return AOF_READ_ERROR;
	}
	return read_request(reader);
}

/* --- what a broken end is --- */

bool aof_reader_zeros(struct aof_reader *reader, uint64_t offset)
{
	while (offset < reader->len) {
		if (show(reader, offset, WINDOW_LEN_MIN))
			return false;
		for (size_t i = 0; i < reader->window_len; i++)
			if (reader->window[i])
				return false;
		offset += reader->window_len;
	}
	return true;
}

/* Behind the end of a line. */
static const char *star_or_null(const char *text, size_t len)
{
	const char *end = text + len, *at = text + 2;

	for (; at < end && (at = memchr(at, '*', (size_t)(end - at))); at++)
		if (at[-2] == '\r' && at[-1] == '\n')
			return at;
	return NULL;
}

/*
 * The next place from *offset on where a request may begin. What has been read is looked at where
 * it lies: there may be millions of such places.
 */
static bool next_star(struct aof_reader *reader, uint64_t *offset)
{
	for (;;) {
		const uint64_t window_end = reader->window_offset + reader->window_len;
		const size_t skip = (size_t)(*offset - reader->window_offset);
		const char *star = NULL;

		if (*offset + 2 < window_end)
			star = star_or_null(reader->window + skip, reader->window_len - skip);
		if (star) {
			*offset = reader->window_offset + (uint64_t)(star - reader->window);
			return true;
		}
		if (window_end >= reader->len)
			return false;
		if (*offset + 2 < window_end) /* two bytes may belong to what comes next */
			*offset = window_end - 2;
		if (show(reader, *offset, WINDOW_LEN_MIN))
			return false;
	}
}

bool aof_reader_more_follows(struct aof_reader *reader)
{
	const uint64_t begin = reader->begin;
	uint64_t offset = begin + 1;
	bool found = false;

	while (!found && next_star(reader, &offset)) {
		reader->begin = offset;
		found = read_request(reader) == AOF_READ_REQUEST;
	}
	reader->begin = begin;
	return found;
}
