/*
 * Who watches which keys of this shard, for WATCH: a watcher is dirty when one of its keys was
 * changed, removed or lost since it was watched. One thread.
 */
#ifndef KV_WATCHES_H
#define KV_WATCHES_H

#include "kv/slice.h"
#include "kv/store.h"

#include <stdbool.h>
#include <stdint.h>

struct watch;
struct watches;

/* Embedded in what stands for a client here. Zeros: it watches nothing. */
struct watcher {
	struct watch *first;
	bool dirty; /* see watches_dirty() */
};

struct watches *watches_create_or_null(struct store *store, const uint8_t seed[16]);
/* Watchers that are left watch nothing then. */
void watches_destroy(struct watches *watches);
/* Watching a key twice is watching it once; one that has expired is as good as none. 0 or -ENOMEM.
 */
int watches_add(struct watches *watches, struct watcher *watcher, int db, struct slice key,
		uint64_t now_ms);
/* It watches nothing, and is not dirty. */
void watches_drop(struct watches *watches, struct watcher *watcher);
/* Also if one of its keys expired meanwhile without anybody looking. */
bool watches_dirty(struct watches *watches, struct watcher *watcher, uint64_t now_ms);

/* --- for the engine --- */

void watches_touch(struct watches *watches, int db, struct slice key);
/* Before store_clear(): keys that are there change. */
void watches_clears(struct watches *watches, int db);
/* After store_swap(): keys that are in either change. */
void watches_swaps(struct watches *watches, int db_a, int db_b);

#endif
