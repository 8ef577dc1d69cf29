#include "kv/watches.h"

#include "kv/heap.h"

#include <errno.h>
#include <sodium/crypto_shorthash.h>
#include <sys/queue.h>

enum { BUCKET_COUNT_MIN = 16 };

/* One watcher's watch of one key: in its bucket, and in the list of all that the watcher has. */
struct watch {
	LIST_ENTRY(watch) link;
	struct watch *next; /* of the same watcher */
	struct watcher *watcher;
	uint64_t hash;
	int db;
	size_t key_len;
	char key[];
};
LIST_HEAD(bucket, watch);

struct watches {
	struct store *store;
	uint8_t seed[crypto_shorthash_KEYBYTES];
	size_t count, bucket_count; /* a power of two, or 0: nothing was ever watched */
	struct bucket *buckets;
};

struct watches *watches_create_or_null(struct store *store, const uint8_t seed[16])
{
	struct watches *watches = heap_alloc_or_null(sizeof(*watches));

	if (!watches)
		return NULL;
	*watches = (struct watches){.store = store};
	memcpy(watches->seed, seed, sizeof(watches->seed));
	return watches;
}

void watches_destroy(struct watches *watches)
{
	struct watch *watch;

	for (size_t i = 0; i < watches->bucket_count; i++)
		while ((watch = LIST_FIRST(&watches->buckets[i])))
			watches_drop(watches, watch->watcher);
	heap_free(watches->buckets);
	heap_free(watches);
}

/* Keyed: who does not know the seed cannot make keys collide. */
static uint64_t hash_of(const struct watches *watches, int db, struct slice key)
{
	uint64_t hash;

	crypto_shorthash((uint8_t *)&hash, (const uint8_t *)key.data, key.len, watches->seed);
	return hash + (uint64_t)db * UINT64_C(0x9e3779b97f4a7c15);
}

static struct bucket *bucket_of(const struct watches *watches, uint64_t hash)
{
	return &watches->buckets[hash & (watches->bucket_count - 1)];
}

static bool is(const struct watch *watch, uint64_t hash, int db, struct slice key)
{
	return watch->hash == hash && watch->db == db &&
	       slice_equal((struct slice){watch->key, watch->key_len}, key);
}

static bool grow(struct watches *watches)
{
	const size_t count = watches->bucket_count ? watches->bucket_count * 2 : BUCKET_COUNT_MIN;
	const struct watches old = *watches;
	struct bucket *buckets = heap_alloc_or_null(count * sizeof(*buckets));
	struct watch *watch;

	if (!buckets)
		return false;
	for (size_t i = 0; i < count; i++)
		LIST_INIT(&buckets[i]);
	watches->buckets = buckets;
	watches->bucket_count = count;
	for (size_t i = 0; i < old.bucket_count; i++)
		while ((watch = LIST_FIRST(&old.buckets[i]))) {
			LIST_REMOVE(watch, link);
			LIST_INSERT_HEAD(bucket_of(watches, watch->hash), watch, link);
		}
	heap_free(old.buckets);
	return true;
}

static struct watch *find_or_null(const struct watches *watches, const struct watcher *watcher,
				  uint64_t hash, int db, struct slice key)
{
	struct watch *watch;

	LIST_FOREACH (watch, bucket_of(watches, hash), link)
		if (watch->watcher == watcher && is(watch, hash, db, key))
			return watch;
	return NULL;
}

int watches_add(struct watches *watches, struct watcher *watcher, int db, struct slice key,
		uint64_t now_ms)
{
	const uint64_t hash = hash_of(watches, db, key);
	struct watch *watch;

	/* What has expired goes now, so that its going is no change later. */
	store_peek_or_null(watches->store, db, key, now_ms);
	if (watches->count >= watches->bucket_count && !grow(watches))
		return -ENOMEM;
	if (find_or_null(watches, watcher, hash, db, key))
		return 0;
	watch = heap_alloc_or_null(sizeof(*watch) + key.len);
	if (!watch)
		return -ENOMEM;
	*watch = (struct watch){.next = watcher->first,
				.watcher = watcher,
				.hash = hash,
				.db = db,
				.key_len = key.len};
	if (key.len > 0)
		memcpy(watch->key, key.data, key.len);
	LIST_INSERT_HEAD(bucket_of(watches, hash), watch, link);
	watcher->first = watch;
	watches->count++;
	return 0;
}

void watches_drop(struct watches *watches, struct watcher *watcher)
{
	struct watch *watch;

	while ((watch = watcher->first)) {
		watcher->first = watch->next;
		LIST_REMOVE(watch, link);
		heap_free(watch);
		watches->count--;
	}
	watcher->dirty = false;
}

bool watches_dirty(struct watches *watches, struct watcher *watcher, uint64_t now_ms)
{
	for (struct watch *watch = watcher->first; watch && !watcher->dirty; watch = watch->next)
		store_peek_or_null(watches->store, watch->db,
				   (struct slice){watch->key, watch->key_len}, now_ms);
	return watcher->dirty;
}

void watches_touch(struct watches *watches, int db, struct slice key)
{
	struct watch *watch;
	uint64_t hash;

	if (watches->count == 0)
		return;
	hash = hash_of(watches, db, key);
	LIST_FOREACH (watch, bucket_of(watches, hash), link)
		if (is(watch, hash, db, key))
			watch->watcher->dirty = true;
}

/* Nothing has expired at the time 0: the store does not change. */
static bool is_there(const struct watches *watches, int db, const struct watch *watch)
{
	return store_peek_or_null(watches->store, db, (struct slice){watch->key, watch->key_len},
				  0) != NULL;
}

/* Watches of keys in database db become dirty if there is such a key in it or in the other one. */
static void touch_all(struct watches *watches, int db, int other_db)
{
	struct watch *watch;

	if (watches->count == 0)
		return;
	for (size_t i = 0; i < watches->bucket_count; i++)
		LIST_FOREACH (watch, &watches->buckets[i], link)
			if (watch->db == db &&
			    (is_there(watches, db, watch) || is_there(watches, other_db, watch)))
				watch->watcher->dirty = true;
}

void watches_clears(struct watches *watches, int db)
{
	touch_all(watches, db, db);
}

void watches_swaps(struct watches *watches, int db_a, int db_b)
{
	touch_all(watches, db_a, db_b);
	touch_all(watches, db_b, db_a);
}
