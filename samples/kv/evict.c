#include "kv/evict.h"

#include "kv/access.h"
#include "kv/store_own.h"

enum {
	SAMPLES_MAX = 64,
	VOLATILE_TRIES = 8, /* where few keys may go, so many times as many are looked at */
};

static bool volatile_only(const struct store *store)
{
	enum store_policy policy = store->config.policy;

	return policy == STORE_VOLATILE_LRU || policy == STORE_VOLATILE_LFU ||
	       policy == STORE_VOLATILE_RANDOM;
}

static bool may_go(const struct store *store, const struct entry *entry)
{
	return !volatile_only(store) || entry_expire_ms(entry) != STORE_NEVER;
}

static uint32_t score_of(const struct store *store, const struct entry *entry, uint64_t now_ms)
{
	enum store_policy policy = store->config.policy;

	if (policy == STORE_ALLKEYS_RANDOM || policy == STORE_VOLATILE_RANDOM)
		return 0;
	if (store_policy_is_lfu(policy))
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

/* Up to max that may go; where these are rare, at least the one that is next to expire. */
static unsigned sample(struct store *store, int db, struct entry **found, unsigned max)
{
	unsigned tries = volatile_only(store) ? VOLATILE_TRIES : 1, kept = 0, count;

	for (; tries && kept < max; tries--) {
		unsigned from = kept;

		count = table_sample(&store->dbs[db]->table, &store->dice, found + from,
				     max - from);
		for (unsigned i = from; i < from + count; i++)
			if (may_go(store, found[i]))
				found[kept++] = found[i];
	}
	if (kept == 0 && store_volatile_size(store, db))
		found[kept++] =
			entry_of_link(expiry_first_or_null(store->dbs[db]->expiry, SAMPLES_MAX));
	return kept;
}

static void look_around(struct store *store, int db, uint64_t now_ms)
{
	struct entry *found[SAMPLES_MAX];
	unsigned max = store->config.samples, count;

	if (max == 0)
		max = 1;
	if (max > SAMPLES_MAX)
		max = SAMPLES_MAX;
	count = sample(store, db, found, max);
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

/* NULL: it is gone, was used since, or is to stay for ever. */
static struct entry *candidate_or_null(struct store *store, const struct candidate *candidate,
				       uint64_t now_ms)
{
	struct table *table = store_table_or_null(store, candidate->db);
	struct entry *entry = table ? table_find_hash_or_null(table, candidate->hash) : NULL;

	if (!entry || !may_go(store, entry) || score_of(store, entry, now_ms) < candidate->score)
		return NULL;
	return entry;
}

static bool evict_from_pool(struct store *store, uint64_t now_ms)
{
	struct pool *pool = &store->pool;

	for (int db = 0; db < STORE_DB_COUNT; db++)
		if (volatile_only(store) ? store_volatile_size(store, db) : store_size(store, db))
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

	if (store->config.policy == STORE_NOEVICTION)
		return false;
	if (store->config.policy == STORE_VOLATILE_TTL)
		return evict_first_to_expire(store);
	for (int round = 0; round < ROUNDS_MAX; round++)
		if (evict_from_pool(store, now_ms))
			return true;
	return false;
}
