/* Reads replies that other shards of this process have written: RESP of our own making, which is
 * not checked but for its end. */
#ifndef KV_SKIM_H
#define KV_SKIM_H

#include "kv/out.h"
#include "kv/slice.h"

#include <stdint.h>

/* All that is in the answer, taken out, as one block: heap_free(). NULL: no memory. */
char *skim_take_or_null(struct out *answer, struct slice *text);
/* The number at the head of the next reply, which is then behind it: of elements, of bytes, or an
 * integer's own. -1: a null, or the end. */
int64_t skim_head(struct slice *text);
/* The next reply as a whole, with all in it. */
struct slice skim_whole(struct slice *text);

#endif
