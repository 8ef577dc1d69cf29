/*
 * One reply of the Redis protocol, as its bytes come in: simple strings, errors, integers, nulls
 * and bulk strings of RESP2 and RESP3, which is all that GET and SET answer. Sans-IO. The text of a
 * bulk string is not kept: it is handed on where it lies.
 */
#ifndef LOAD_REPLY_H
#define LOAD_REPLY_H

#include <stdint.h>

enum { REPLY_LINE_MAX = 128 }; /* of a longer line the rest is not kept */

enum reply_event {
	REPLY_MORE, /* it goes on */
	REPLY_BULK, /* the next bytes of a bulk string are at data */
	REPLY_DONE,
	REPLY_BAD, /* not the protocol */
};

enum reply_state { REPLY_LINE, REPLY_TEXT, REPLY_END };

struct reply {
	enum reply_state state;
	char type;		       /* '+', '-', ':', '$', '_' */
	int64_t bulk_len;	       /* of a bulk string; -1: there is none */
	uint64_t bulk_got;	       /* bytes of it handed on */
	uint32_t line_len;	       /* with what was not kept */
	uint32_t end_len;	       /* of the line end behind a bulk string */
	char line[REPLY_LINE_MAX + 1]; /* ends with 0 when it is whole */
};

/* What the next bytes are. *used: how many of len belong to it. After REPLY_BULK they are the
 * string's from reply->bulk_got - *used on; after REPLY_DONE the next call begins another reply. */
enum reply_event reply_feed(struct reply *reply, const uint8_t *data, uint32_t len, uint32_t *used);

#endif
