/* What store.c and its neighbours share: databases, and what happens to an entry in them. */
#ifndef KV_STORE_OWN_H
#define KV_STORE_OWN_H

#include "kv/books.h"
#include "kv/dice.h"
#include "kv/entry.h"
#include "kv/evict.h"
#include "kv/expiry.h"
#include "kv/heap.h"
#include "kv/store.h"
#include "kv/table.h"

/* There is one from the first key on; a database that was cleared is put on the trash. */
struct db {
	struct table table;
	struct expiry *expiry; /* NULL: nothing ever expired here */
	struct db *next;       /* on the trash */
};

struct store {
	struct store_config config;
	struct store_events events;
	uint8_t hash_key[16];
	struct books books;
	struct dice dice;
	struct db *dbs[STORE_DB_COUNT]; /* NULL: without keys */
	struct db *trash;		/* to be freed in store_turn() */
	struct pool pool;
	unsigned armed;	 /* expiries set since the last turn */
	int turn_db;	 /* where the last turn ended */
	bool mark_first; /* a new entry's mark */
	bool keep_expired;
	bool is_evicting; /* store_make_room() has left something to do */
	uint64_t expired, evicted, hits, misses;
	struct slice expected; /* see store_expect() */
	uint64_t expected_hash;
};

static inline struct table *store_table_or_null(struct store *store, int db)
{
	return store->dbs[db] ? &store->dbs[db]->table : NULL;
}

/* The entry is about to be changed or removed. */
static inline void store_tell_change(struct store *store, int db, struct entry *entry)
{
	if (store->events.changes)
		store->events.changes(store->events.arg, db, entry);
}

static inline uint64_t store_hash(const struct store *store, struct slice key)
{
	if (key.data && key.data == store->expected.data && key.len == store->expected.len)
		return store->expected_hash;
	return table_hash(store->hash_key, key);
}

/* The entry's block; what is outside of it is booked where it is set. */
static inline void store_book(struct store *store, const struct entry *entry)
{
	books_add(&store->books, heap_size(entry));
}

static inline void store_unbook(struct store *store, const struct entry *entry)
{
	books_sub(&store->books, heap_size(entry));
}

struct db *store_db_ready_or_null(struct store *store, int db);
/* The database is there; false: no memory. */
bool store_expiry_ready(struct store *store, int db);
/* The entry has room for a link, unless expire_ms is STORE_NEVER. */
void store_arm(struct store *store, int db, struct entry *entry, uint64_t expire_ms);
void store_disarm(struct store *store, int db, struct entry *entry);
/* Where the key's entry is; one that has expired is removed. */
struct entry **store_live_or_null(struct store *store, int db, uint64_t hash, struct slice key,
				  uint64_t now_ms);
/* Its block and value leave the books and the heap; it is in no table and not armed. */
void store_free_entry(struct store *store, struct entry *entry);
/* The store itself removes it, which is told. */
void store_lose(struct store *store, int db, struct entry *entry, enum store_loss loss);

#endif
