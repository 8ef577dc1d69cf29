/* What the commands on strings share: finding, answering and replacing them, as Redis does. */
#ifndef KV_CMD_STRING_H
#define KV_CMD_STRING_H

#include "kv/command.h"
#include "kv/engine.h"
#include "kv/slice.h"
#include "kv/store.h"

#include <stdbool.h>
#include <stdint.h>

#define STRING_WRONG_TYPE "WRONGTYPE Operation against a key holding the wrong kind of value"

/* The string of argument i, or NULL: there is none. False: it is no string, which is the reply. */
bool string_find(struct call *call, int i, struct entry **entry);
/* Likewise, to change it: in Redis that is no hit and no miss. */
bool string_seize(struct call *call, int i, struct entry **entry);
/* Its value; NULL: that there is none. */
void string_reply(struct out *out, const struct entry *entry);
/* Sets key argument i to value argument j, which is kept if it came in bytes of its own. False: no
 * memory, which is the reply. */
bool string_set(struct call *call, int i, int j, uint64_t expire_ms);
/* The string of key argument i, which entry is (NULL: there is none yet), made len bytes long and
 * writable, zeros where it grew; the data counts as changed. NULL: no memory, which is the reply.
 */
char *string_edit(struct call *call, int i, struct entry *entry, size_t len);
/* What was to be changed could not be, for want of memory: that is the reply. */
void string_fail(struct call *call);
/* A string of so many bytes, and more added, is longer than proto-max-bulk-len: that is the reply.
 */
bool string_too_long(struct call *call, uint64_t len, uint64_t more);
/* Both from the end, the wrong way round: nothing for most commands, even of the shortest string.
 */
static inline bool string_range_inverted(int64_t first, int64_t last)
{
	return first < 0 && last < 0 && first > last;
}

/* Negative ones count from the end, and what is beyond an end is at it. False: none is in it. */
bool string_range(int64_t *first, int64_t *last, uint64_t len);

/* --- options of SET and GETEX --- */

enum string_option {
	STRING_NX = 1 << 0,
	STRING_XX = 1 << 1,
	STRING_GET = 1 << 2,
	STRING_KEEPTTL = 1 << 3,
	STRING_PERSIST = 1 << 4,
	STRING_EX = 1 << 5,
	STRING_PX = 1 << 6,
	STRING_EXAT = 1 << 7,
	STRING_PXAT = 1 << 8,
	STRING_EXPIRY = STRING_EX | STRING_PX | STRING_EXAT | STRING_PXAT,
};

struct string_options {
	unsigned set;
	int expiry; /* which argument tells, if one of STRING_EXPIRY is set */
};

/* Arguments from the first one on, of those allowed. False: a syntax error, which is the reply. */
bool string_options(struct call *call, int first, unsigned allowed, struct string_options *options);
/* When a key expires for argument i, in the unit of one of STRING_EXPIRY. False: it cannot be,
 * which is the reply. */
bool string_expiry(struct call *call, int i, unsigned unit, uint64_t *expire_ms);

#endif
