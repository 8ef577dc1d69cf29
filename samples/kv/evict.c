#include "kv/evict.h"

#include "kv/access.h"
#include "kv/store_own.h"

enum { SAMPLES_MAX = 64 };

static uint32_t score_of(const struct store *store, const struct entry *entry, uint64_t now_ms)
{
	if (store->config.policy == STORE_ALLKEYS_LFU)
		return 255 - access_freq(&store->config, entry->access, now_ms);
	return (uint32_t)access_idle_s(entry->access, now_ms);
}

static bool is_known(const struct pool *pool, uint64_t hash, int db)
{
	for (unsigned i = 0; i < pool->len; i++)
		if (pool->candidates[i].hash == hash && pool->candidates[i].db == db)
			return true;
	return false;
}

/* A full pool loses its lowest. */
static void remember(struct pool *pool, struct candidate candidate)
{
	struct candidate *all = pool->candidates;
	unsigned at = 0;

	while (at < pool->len && all[at].score < candidate.score)
		at++;
	if (pool->len < POOL_LEN) {
		memmove(all + at + 1, all + at, (pool->len - at) * sizeof(*all));
		pool->len++;
	} else if (at == 0) {
		return;
	} else {
		at--;
		memmove(all, all + 1, at * sizeof(*all));
	}
	all[at] = candidate;
}

static void look_around(struct store *store, int db, uint64_t now_ms)
{
	struct entry *found[SAMPLES_MAX];
	unsigned max = store->config.samples, count;

	if (max == 0)
		max = 1;
	if (max > SAMPLES_MAX)
		max = SAMPLES_MAX;
	count = table_sample(&store->dbs[db]->table, &store->dice, found, max);
	for (unsigned i = 0; i < count; i++) {
		struct candidate candidate = {.score = score_of(store, found[i], now_ms), .db = db};

		if (store->pool.len == POOL_LEN &&
		    candidate.score <= store->pool.candidates[0].score)
			continue;
		candidate.hash = table_hash(store->hash_key, entry_name(found[i]));
		if (!is_known(&store->pool, candidate.hash, db))
			remember(&store->pool, candidate);
	}
}

/* NULL: it is gone, or was used since. */
static struct entry *candidate_or_null(struct store *store, const struct candidate *candidate,
				       uint64_t now_ms)
{
	struct table *table = store_table_or_null(store, candidate->db);
	struct entry *entry = table ? table_find_hash_or_null(table, candidate->hash) : NULL;

	return entry && score_of(store, entry, now_ms) >= candidate->score ? entry : NULL;
}

static bool evict_from_pool(struct store *store, uint64_t now_ms)
{
	struct pool *pool = &store->pool;

	for (int db = 0; db < STORE_DB_COUNT; db++)
		if (store_size(store, db))
			look_around(store, db, now_ms);
	while (pool->len) {
		struct candidate best = pool->candidates[--pool->len];
		struct entry *entry = candidate_or_null(store, &best, now_ms);

		if (entry) {
			store_lose(store, best.db, entry, STORE_EVICTED);
			return true;
		}
	}
	return false;
}

/* Of all databases the one whose entry expires first. */
static bool evict_first_to_expire(struct store *store)
{
	struct expiry_link *best = NULL;
	int best_db = 0;

	for (int db = 0; db < STORE_DB_COUNT; db++) {
		struct expiry_link *first = NULL;

		if (store_volatile_size(store, db))
			first = expiry_first_or_null(store->dbs[db]->expiry, store->config.samples);
		if (first && (!best || first->when_ms < best->when_ms)) {
			best = first;
			best_db = db;
		}
	}
	if (best)
		store_lose(store, best_db, entry_of_link(best), STORE_EVICTED);
	return best;
}

bool evict_one(struct store *store, uint64_t now_ms)
{
	enum { ROUNDS_MAX = 16 }; /* each leaves nothing in the pool but what was used since */

	switch (store->config.policy) {
	case STORE_NOEVICTION:
		return false;
	case STORE_VOLATILE_TTL:
		return evict_first_to_expire(store);
	case STORE_ALLKEYS_LRU:
	case STORE_ALLKEYS_LFU:
		break;
	}
	for (int round = 0; round < ROUNDS_MAX; round++)
		if (evict_from_pool(store, now_ms))
			return true;
	return false;
}
