/* Replies in RESP2 or RESP3, as out->resp says; what RESP2 lacks is written as Redis does there. */
#ifndef KV_REPLY_H
#define KV_REPLY_H

#include "kv/bytes.h"
#include "kv/out.h"
#include "kv/slice.h"

#include <stdint.h>

void reply_status(struct out *out, const char *text); /* "OK" */
/* With its code: "ERR syntax error", "WRONGTYPE Operation against ..." */
void reply_error(struct out *out, const char *text);
void reply_errorf(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void reply_integer(struct out *out, int64_t value);
void reply_bulk(struct out *out, struct slice text);
void reply_text(struct out *out, const char *text); /* a bulk string */
/* A bulk string; by reference if it is long. */
void reply_bulk_bytes(struct out *out, struct bytes *bytes);
void reply_bulk_integer(struct out *out, int64_t value);
void reply_double(struct out *out, double value);
void reply_boolean(struct out *out, bool value);	 /* RESP2: 1, 0 */
void reply_null(struct out *out);			 /* RESP2: $-1 */
void reply_null_array(struct out *out);			 /* RESP2: *-1 */
void reply_verbatim(struct out *out, struct slice text); /* txt; RESP2: a bulk string */
void reply_array(struct out *out, size_t count);	 /* count replies follow */
void reply_map(struct out *out, size_t count);		 /* count pairs follow */
void reply_set(struct out *out, size_t count);
void reply_push(struct out *out, size_t count); /* RESP2: an array */

#endif
