/*
 * The requests of a log file, one after the other, with where they are. Strict: arrays of bulk
 * strings and nothing else, so that what is not of our making is seen. Memory is bounded by the
 * longest request that is really there.
 */
#ifndef KV_AOF_READER_H
#define KV_AOF_READER_H

#include "kv/resp_in.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum aof_read {
	AOF_READ_REQUEST, /* argc, argv, begin, end: until the next call */
	AOF_READ_END,	  /* the file ends where a request does */
	AOF_READ_TORN,	  /* it ends within one, which begins at begin */
	AOF_READ_BAD,	  /* problem, at bad_offset, in what begins at begin */
	AOF_READ_ERROR,	  /* error: it cannot be read, or there is no memory */
};

struct aof_reader {
	int fd;
	uint64_t len; /* of the file */
	uint64_t begin, end, bad_offset;
	const char *problem;
	int error; /* -errno */
	int argc;
	struct arg *argv;
	int argv_cap;
	/* A window of the file: window[0] is the byte at window_offset. */
	char *window;
	size_t window_len, window_cap;
	uint64_t window_offset;
};

/* 0 or -errno. */
int aof_reader_open(struct aof_reader *reader, int dir_fd, const char *name);
void aof_reader_close(struct aof_reader *reader);
enum aof_read aof_reader_next(struct aof_reader *reader);
/* Nothing but zeros from offset on: what a file system leaves of a write that the power cut. */
bool aof_reader_zeros(struct aof_reader *reader, uint64_t offset);
/* After AOF_READ_TORN: behind the beginning there are whole requests, so that it is rather a length
 * that is corrupt. */
bool aof_reader_more_follows(struct aof_reader *reader);

#endif
