/*
 * A command's arguments that outlive what they came in: queued by MULTI, or on their way to another
 * shard. One block; long arguments that have bytes of their own are kept by reference.
 */
#ifndef KV_ARGS_H
#define KV_ARGS_H

#include "kv/resp_in.h"

#include <stddef.h>

struct args {
	int argc;
	size_t len; /* what all of it takes */
	struct arg argv[];
};

/* NULL: no memory. */
struct args *args_copy_or_null(int argc, const struct arg *argv);
/* Any thread; NULL: nothing. */
void args_free(struct args *args);

#endif
