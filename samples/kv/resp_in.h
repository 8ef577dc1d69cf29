/*
 * Requests as they come in on a connection: RESP arrays of bulk strings, or inline commands.
 * Sans-IO: bytes are fed as they arrive, and commands taken out. What lies whole in what was fed is
 * not copied. Memory is bounded by what has arrived, not by what was announced; protocol errors are
 * Redis's, word by word. One thread.
 */
#ifndef KV_RESP_IN_H
#define KV_RESP_IN_H

#include "kv/bytes.h"
#include "kv/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RESP_INLINE_LEN_MAX = 64 * 1024,
	RESP_ARG_COUNT_MAX = INT32_MAX,
	/* An argument of at least so many bytes that comes in pieces is put together in bytes of
	 * its own, which the command may keep. */
	RESP_OWN_LEN_MIN = BYTES_LEN_MIN,
};

struct arg {
	struct slice text;
	/* Holds text, or NULL. Who wants to keep it calls bytes_get(). */
	struct bytes *bytes;
};

struct resp_limits {
	uint64_t bulk_len_max;	/* proto-max-bulk-len */
	uint64_t query_len_max; /* client-query-buffer-limit: of one command */
	/* Not authenticated: 10 arguments of 16 KiB, as in Redis. A connection has limits of its
	 * own for this, or two that it points to in turn. */
	bool unauthenticated;
};

enum resp_status {
	RESP_MORE,    /* all that was fed is used up; feed more */
	RESP_COMMAND, /* in->argc > 0, in->argv: until the next call */
	RESP_ERROR,   /* in->error, to be sent as "-ERR " and this; then the connection ends */
};

struct resp_in {
	const struct resp_limits *limits;
	int argc;
	struct arg *argv;
	const char *error;
	bool over_limit;	     /* it is that of query_len_max */
	struct resp_in_state *state; /* resp_in.c's */
};

/* limits stay the caller's, who may change them between calls. 0 or -ENOMEM. */
int resp_in_init(struct resp_in *in, const struct resp_limits *limits);
void resp_in_fini(struct resp_in *in);
/* data stays the caller's and unchanged until RESP_MORE or RESP_ERROR. */
void resp_in_feed(struct resp_in *in, struct slice data);
enum resp_status resp_in_next(struct resp_in *in);
/* What it holds of a command that has not come to its end. */
size_t resp_in_held(const struct resp_in *in);

#endif
