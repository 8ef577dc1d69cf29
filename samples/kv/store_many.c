/* A store as a whole: all its keys, and what is to be done with them now and then. */
#include "kv/store_own.h"

#include <string.h>

struct store *store_create_or_null(const struct store_config *config,
				   const struct store_events *events, const uint8_t seed[16])
{
	struct store *store = heap_alloc_or_null(sizeof(*store));

	if (!store)
		return NULL;
	*store = (struct store){.config = *config};
	if (events)
		store->events = *events;
	memcpy(store->hash_key, seed, sizeof(store->hash_key));
	store->dice.state = store_hash(store, SLICE("dice"));
	books_add(&store->books, heap_size(store));
	return store;
}

void store_configure(struct store *store, const struct store_config *config)
{
	store->config = *config;
	store->pool.len = 0; /* its scores were another policy's */
	store->is_evicting = false;
}

void store_mark_new(struct store *store, bool mark)
{
	store->mark_first = mark;
}

uint64_t store_size(const struct store *store, int db)
{
	return store->dbs[db] ? store->dbs[db]->table.count : 0;
}

uint64_t store_volatile_size(const struct store *store, int db)
{
	return store->dbs[db] && store->dbs[db]->expiry ? store->dbs[db]->expiry->count : 0;
}

void store_figures(const struct store *store, struct store_figures *out)
{
	*out = (struct store_figures){
		.used_bytes = store->books.used,
		.used_bytes_peak = store->books.peak,
		.expired = store->expired,
		.evicted = store->evicted,
		.hits = store->hits,
		.misses = store->misses,
	};
	for (int db = 0; db < STORE_DB_COUNT; db++) {
		out->keys += store_size(store, db);
		out->volatile_keys += store_volatile_size(store, db);
	}
}

/* --- the trash --- */

static void drop_entry(void *arg, struct entry *entry)
{
	store_free_entry(arg, entry);
}

/* One bucket, or a database that has none left. How much work that was; 0: there is no trash. */
static unsigned free_some_trash(struct store *store)
{
	struct db *db = store->trash;
	unsigned work;

	if (!db)
		return 0;
	work = table_drop_bucket(&db->table, drop_entry, store);
	if (work)
		return work;
	table_fini(&db->table);
	store->trash = db->next;
	books_sub(&store->books, heap_size(db->expiry) + heap_size(db));
	heap_free(db->expiry);
	heap_free(db);
	return 1;
}

/* As much of it as that takes; returns what is left of the work. */
static unsigned free_trash(struct store *store, unsigned work)
{
	unsigned done;

	for (; work && store->trash; work -= done < work ? done : work)
		done = free_some_trash(store);
	return work;
}

/* Nobody knows the entries any more; it costs the same however many there are. */
static void throw_away(struct store *store, int db)
{
	struct db *thrown = store->dbs[db];

	if (!thrown)
		return;
	store->dbs[db] = NULL;
	thrown->next = store->trash;
	store->trash = thrown;
}

void store_destroy(struct store *store)
{
	if (!store)
		return;
	for (int db = 0; db < STORE_DB_COUNT; db++)
		throw_away(store, db);
	while (free_some_trash(store) > 0)
		;
	heap_free(store);
}

void store_clear(struct store *store, int db)
{
	enum { WORK = 64 };

	if (store->events.clears)
		store->events.clears(store->events.arg, db);
	/* Small ones cleared before go now: a pipeline of them is faster than store_turn(). */
	if (store->dbs[db])
		free_trash(store, WORK);
	throw_away(store, db);
	store->pool.len = 0;
}

void store_swap(struct store *store, int db_a, int db_b)
{
	struct db *a = store->dbs[db_a];

	store->dbs[db_a] = store->dbs[db_b];
	store->dbs[db_b] = a;
	store->pool.len = 0;
	if (store->events.swaps)
		store->events.swaps(store->events.arg, db_a, db_b);
}

uint64_t store_scan(struct store *store, int db, uint64_t cursor,
		    void (*visit)(void *arg, struct entry *entry), void *arg)
{
	struct table *table = store_table_or_null(store, db);

	return table ? table_scan(table, cursor, visit, arg) : 0;
}

struct entry *store_random_or_null(struct store *store, int db, uint64_t now_ms)
{
	struct table *table = store_table_or_null(store, db);
	struct entry *entry;

	while (table && (entry = table_random_or_null(table, &store->dice))) {
		uint64_t expire_ms = entry_expire_ms(entry);

		if (expire_ms == STORE_NEVER || expire_ms > now_ms)
			return entry;
		store_lose(store, db, entry, STORE_EXPIRED);
	}
	return NULL;
}

/* --- now and then --- */

static void expire_some(struct store *store, int db, uint64_t now_ms, unsigned *work)
{
	struct expiry *expiry = store->dbs[db] ? store->dbs[db]->expiry : NULL;
	struct expiry_link *link;

	if (!expiry || !expiry_has_work(expiry, now_ms))
		return;
	while ((link = expiry_take_or_null(expiry, now_ms, work)))
		store_lose(store, db, entry_of_link(link), STORE_EXPIRED);
}

/* All databases in turn, beginning where the last turn had to end. */
static void expire_all(struct store *store, uint64_t now_ms, unsigned *work)
{
	for (int i = 0; i < STORE_DB_COUNT && *work; i++) {
		expire_some(store, store->turn_db, now_ms, work);
		if (*work)
			store->turn_db = (store->turn_db + 1) % STORE_DB_COUNT;
	}
}

static bool over_limit(const struct store *store)
{
	return store->config.maxmemory && store->books.used > store->config.maxmemory;
}

static uint64_t wake_ms(const struct store *store, uint64_t now_ms)
{
	uint64_t wake = store->trash || store->is_evicting ? now_ms : UINT64_MAX;

	for (int db = 0; db < STORE_DB_COUNT; db++) {
		const struct expiry *expiry = store->dbs[db] ? store->dbs[db]->expiry : NULL;

		if (expiry && expiry->wake_ms < wake)
			wake = expiry->wake_ms;
	}
	return wake;
}

/* For what was set since the last turn, as much as it takes to remove as many: else who sets many
 * in a turn would be faster than their removal. */
static unsigned work_for_armed(struct store *store)
{
	enum { STEPS = 4, COUNT_MAX = 2048 }; /* steps of one; those of all take about 2 ms */
	unsigned count = store->armed < COUNT_MAX ? store->armed : COUNT_MAX;

	store->armed = 0;
	return count * STEPS;
}

uint64_t store_tidy(struct store *store, uint64_t now_ms, unsigned work)
{
	work = free_trash(store, work);
	for (; work && store->is_evicting; work--)
		store->is_evicting = over_limit(store) && evict_one(store, now_ms);
	return store->trash || store->is_evicting ? now_ms : UINT64_MAX;
}

uint64_t store_turn(struct store *store, uint64_t now_ms, unsigned work)
{
	unsigned reserved = store->trash || store->is_evicting ? work / 2 : 0;
	unsigned own = work - reserved, left = own + work_for_armed(store);

	expire_all(store, now_ms, &left);
	store_tidy(store, now_ms, (left < own ? left : own) + reserved);
	return wake_ms(store, now_ms);
}

bool store_make_room(struct store *store, uint64_t now_ms)
{
	enum { AT_ONCE_MAX = 1024 }; /* steps: about a millisecond */

	store->is_evicting = false;
	for (int i = 0; over_limit(store); i++) {
		if (i == AT_ONCE_MAX) {
			store->is_evicting = true;
			break;
		}
		if (free_some_trash(store) == 0 && !evict_one(store, now_ms))
			return false;
	}
	return true;
}
