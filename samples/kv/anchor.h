/*
 * What one connection watches on one shard. It is made on the connection's shard and stays its
 * memory; the shard that owns the keys alone looks at it, from the first WATCH to the UNWATCH,
 * which are errands that it travels with.
 */
#ifndef KV_ANCHOR_H
#define KV_ANCHOR_H

#include "kv/engine.h"
#include "kv/router.h"
#include "kv/watches.h"

#include <stdbool.h>
#include <stdint.h>

struct errand;

struct anchor {
	struct watcher watcher;
	struct errand *unwatch; /* made before, so that letting go never lacks memory */
};

/* --- on the connection's shard --- */

/* NULL: nothing is watched on that shard. */
struct anchor *anchor_or_null(const struct router_watches *watches, int shard);
/* A bit for each shard on which something is. */
uint64_t anchor_shards(const struct router_watches *watches, int shard_count);

/* --- on the owner's --- */

/* The keys that the errand names are watched from now on. False: no memory. */
bool anchor_add(struct anchor *anchor, struct engine *engine, const struct errand *errand);
/* One of them has changed. */
bool anchor_dirty(struct anchor *anchor, struct engine *engine);
void anchor_clear(struct anchor *anchor, struct engine *engine);

#endif
