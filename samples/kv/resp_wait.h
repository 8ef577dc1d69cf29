/* What a request that has not come whole is made of: resp_in.c's and resp_wait.c's own. */
#ifndef KV_RESP_WAIT_H
#define KV_RESP_WAIT_H

#include "kv/resp_in.h"

#include <stdbool.h>

enum phase {
	PHASE_START,  /* the first byte of a command tells which kind it is */
	PHASE_INLINE, /* to its newline */
	PHASE_COUNT,  /* "*3\r\n" */
	PHASE_LEN,    /* "$5\r\n" */
	PHASE_BODY,   /* the argument */
	PHASE_BEHIND, /* its "\r\n" */
	PHASE_FAILED,
};

/*
 * A command that does not lie whole in what was fed waits in kept: its arguments, then the line or
 * the argument that is not whole yet.
 *
 *      kept: | GET | key-1 | key-2 | ke            fed: | y-3\r\n$5\r\n...
 *            '-- argv[0 .. argv_kept) --'  '- part -'
 */
struct resp_in_state {
	enum phase phase;
	bool done;	      /* the command was taken; the next call forgets it */
	const char *at, *end; /* what was fed, from where it goes on */
	int32_t arg_count;    /* announced */
	int32_t argv_cap, argv_kept;
	uint64_t arg_len;     /* announced, of the argument that is read */
	struct bytes *body;   /* of a long one, what has come; NULL: it is in kept */
	unsigned owned_count; /* arguments with bytes */
	uint64_t held_bytes;  /* by them and body */
	char *kept;
	size_t kept_len, kept_cap;
	size_t part_len; /* at the end of kept: of a line or an argument that is not whole */
	size_t skip;	 /* of what is behind an argument, not yet come */
	char error[64];
};

/* Forgets the command; nothing is read any more. Returns RESP_ERROR. */
enum resp_status resp_fail(struct resp_in *in, const char *error);
enum resp_status resp_fail_no_memory(struct resp_in *in);
/* Room in kept for len bytes more. Arguments in it move with it. False: no memory. */
bool resp_reserve(struct resp_in *in, size_t len);
/* Behind what is kept; there is room. */
char *resp_keep(struct resp_in_state *state, const char *data, size_t len);
/* All that was fed is used up, or becomes part of what waits. RESP_MORE, or RESP_ERROR. */
enum resp_status resp_wait(struct resp_in *in);
/*
 * Takes a line to its last byte, which is not in *line: RESP_COMMAND. Lines end with '\r' and any
 * byte, as in Redis, and inline commands with '\n'. RESP_MORE: it is not whole.
 */
enum resp_status resp_take_line(struct resp_in *in, char last, struct slice *line,
				const char *too_big);

#endif
