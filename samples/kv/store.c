/* One key. */
#include "kv/store.h"

#include "kv/access.h"
#include "kv/heap.h"
#include "kv/number.h"
#include "kv/store_own.h"

static void book_bytes(struct store *store, const struct bytes *bytes)
{
	books_add(&store->books, heap_size(bytes));
}

static void unbook_bytes(struct store *store, const struct bytes *bytes)
{
	books_sub(&store->books, heap_size(bytes));
}

void store_free_entry(struct store *store, struct entry *entry)
{
	unbook_bytes(store, entry_bytes_or_null(entry));
	store_unbook(store, entry);
	entry_free(entry);
}

/* --- databases --- */

struct db *store_db_ready_or_null(struct store *store, int db)
{
	struct db *made;

	if (store->dbs[db])
		return store->dbs[db];
	made = heap_alloc_or_null(sizeof(*made));
	if (!made)
		return NULL;
	*made = (struct db){0};
	table_init(&made->table, &store->books, store->hash_key);
	books_add(&store->books, heap_size(made));
	store->dbs[db] = made;
	return made;
}

bool store_expiry_ready(struct store *store, int at)
{
	struct db *db = store->dbs[at];

	if (db->expiry)
		return true;
	db->expiry = heap_alloc_or_null(sizeof(*db->expiry));
	if (!db->expiry)
		return false;
	expiry_init(db->expiry);
	books_add(&store->books, heap_size(db->expiry));
	return true;
}

/* --- an entry in its database --- */

void store_disarm(struct store *store, int db, struct entry *entry)
{
	if (entry_expire_ms(entry) != STORE_NEVER)
		expiry_cancel(store->dbs[db]->expiry, entry_link(entry));
}

void store_arm(struct store *store, int db, struct entry *entry, uint64_t expire_ms)
{
	if (expire_ms == STORE_NEVER) {
		store_disarm(store, db, entry);
	} else if (entry_expire_ms(entry) != expire_ms) {
		expiry_arm(store->dbs[db]->expiry, entry_link(entry), expire_ms);
		store->armed++;
	}
}

static bool has_expired(const struct store *store, const struct entry *entry, uint64_t now_ms)
{
	uint64_t expire_ms = entry_expire_ms(entry);

	return expire_ms != STORE_NEVER && expire_ms <= now_ms && !store->keep_expired;
}

void store_keep_expired(struct store *store, bool keep)
{
	store->keep_expired = keep;
}

static void take_out(struct store *store, int db, uint64_t hash, struct entry *entry)
{
	store_disarm(store, db, entry);
	table_remove(&store->dbs[db]->table, hash, entry);
}

static void touch(struct store *store, struct entry *entry, uint64_t now_ms)
{
	entry->access = access_next(&store->config, &store->dice, entry->access, now_ms) & 0xffffff;
}

static void lose(struct store *store, int db, uint64_t hash, struct entry *entry,
		 enum store_loss loss)
{
	store_tell_change(store, db, entry);
	take_out(store, db, hash, entry);
	*(loss == STORE_EXPIRED ? &store->expired : &store->evicted) += 1;
	if (store->events.lost)
		store->events.lost(store->events.arg, db, entry_name(entry), loss);
	store_free_entry(store, entry);
}

void store_lose(struct store *store, int db, struct entry *entry, enum store_loss loss)
{
	lose(store, db, store_hash(store, entry_name(entry)), entry, loss);
}

struct entry **store_live_or_null(struct store *store, int db, uint64_t hash, struct slice key,
				  uint64_t now_ms)
{
	struct table *table = store_table_or_null(store, db);
	struct entry **place = table ? table_find_or_null(table, hash, key) : NULL;

	if (place && has_expired(store, *place, now_ms)) {
		lose(store, db, hash, *place, STORE_EXPIRED);
		return NULL;
	}
	return place;
}

struct entry *store_peek_or_null(struct store *store, int db, struct slice key, uint64_t now_ms)
{
	struct entry **place = store_live_or_null(store, db, store_hash(store, key), key, now_ms);

	return place ? *place : NULL;
}

struct entry *store_look_or_null(struct store *store, int db, struct slice key, uint64_t now_ms)
{
	struct entry *entry = store_peek_or_null(store, db, key, now_ms);

	*(entry ? &store->hits : &store->misses) += 1;
	return entry;
}

struct entry *store_seize_or_null(struct store *store, int db, struct slice key, uint64_t now_ms)
{
	struct entry *entry = store_peek_or_null(store, db, key, now_ms);

	if (entry)
		touch(store, entry, now_ms);
	return entry;
}

struct entry *store_find_or_null(struct store *store, int db, struct slice key, uint64_t now_ms)
{
	struct entry *entry = store_peek_or_null(store, db, key, now_ms);

	if (!entry) {
		store->misses++;
		return NULL;
	}
	store->hits++;
	touch(store, entry, now_ms);
	return entry;
}

uint64_t store_foresee(const struct store *store, int db, struct slice key)
{
	const uint64_t hash = store_hash(store, key);

	if (store->dbs[db])
		table_foresee(&store->dbs[db]->table, hash);
	return hash;
}

void store_fetch(const struct store *store, int db, uint64_t hash)
{
	if (store->dbs[db])
		table_fetch(&store->dbs[db]->table, hash);
}

void store_expect(struct store *store, struct slice key, uint64_t hash)
{
	store->expected = key;
	store->expected_hash = hash;
}

void entry_touch(struct store *store, struct entry *entry, uint64_t now_ms)
{
	touch(store, entry, now_ms);
}

uint64_t entry_idle_s(const struct store *store, const struct entry *entry, uint64_t now_ms)
{
	(void)store;
	return access_idle_s(entry->access, now_ms);
}

unsigned entry_freq(const struct store *store, const struct entry *entry, uint64_t now_ms)
{
	return access_freq(&store->config, entry->access, now_ms);
}

/* --- setting --- */

/* A new key's. */
static struct entry *add_or_null(struct store *store, int db, uint64_t hash, struct slice key,
				 const struct entry_value *value, bool has_link, uint64_t now_ms)
{
	struct entry *entry = entry_create_or_null(key, value, has_link);

	if (!entry)
		return NULL;
	if (table_add(&store->dbs[db]->table, hash, entry)) {
		heap_free(entry);
		return NULL;
	}
	entry->access = access_first(&store->config, now_ms) & 0xffffff;
	entry->mark = store->mark_first;
	store_book(store, entry);
	return entry;
}

/* In the block it has, if the value fits there, or in another one. */
static struct entry *replace_or_null(struct store *store, int db, struct entry **place,
				     const struct entry_value *value, bool has_link)
{
	struct entry *old = *place, *entry;

	store_tell_change(store, db, old);
	if (entry_fits(old, value, has_link)) {
		unbook_bytes(store, entry_bytes_or_null(old));
		entry_rewrite(old, value);
		return old;
	}
	entry = entry_copy_or_null(old, entry_name(old), value, has_link);
	if (!entry)
		return NULL;
	*place = entry;
	store_book(store, entry);
	store_disarm(store, db, old);
	store_free_entry(store, old);
	return entry;
}

/* Takes over the reference of value->bytes when it succeeds. */
static struct entry *put_or_null(struct store *store, int db, struct slice key,
				 const struct entry_value *value, uint64_t expire_ms,
				 uint64_t now_ms)
{
	uint64_t hash = store_hash(store, key);
	struct entry **place = store_live_or_null(store, db, hash, key, now_ms), *entry;

	if (expire_ms == STORE_KEEP_EXPIRY)
		expire_ms = place ? entry_expire_ms(*place) : STORE_NEVER;
	if (!store_db_ready_or_null(store, db) ||
	    (expire_ms != STORE_NEVER && !store_expiry_ready(store, db)))
		return NULL;
	if (place)
		entry = replace_or_null(store, db, place, value, expire_ms != STORE_NEVER);
	else
		entry = add_or_null(store, db, hash, key, value, expire_ms != STORE_NEVER, now_ms);
	if (!entry)
		return NULL;
	book_bytes(store, entry_bytes_or_null(entry));
	store_arm(store, db, entry, expire_ms);
	if (place)
		touch(store, entry, now_ms);
	return entry;
}

struct entry *store_set_or_null(struct store *store, int db, struct slice key, struct slice value,
				uint64_t expire_ms, uint64_t now_ms)
{
	struct entry_value to = {.form = ENTRY_INSIDE, .text = value};
	struct bytes *bytes;

	if (value.len >= BYTES_LEN_MIN) {
		bytes = bytes_create_or_null(value.len, value.len);
		if (!bytes)
			return NULL;
		memcpy(bytes->data, value.data, value.len);
		return store_set_bytes_or_null(store, db, key, bytes, expire_ms, now_ms);
	}
	if (number_parse(value, &to.integer))
		to.form = ENTRY_INTEGER;
	return put_or_null(store, db, key, &to, expire_ms, now_ms);
}

struct entry *store_set_bytes_or_null(struct store *store, int db, struct slice key,
				      struct bytes *value, uint64_t expire_ms, uint64_t now_ms)
{
	struct entry_value to = {.form = ENTRY_OUTSIDE, .bytes = value};
	struct entry *entry;

	if (value->len < BYTES_LEN_MIN) {
		entry = store_set_or_null(store, db, key, (struct slice){value->data, value->len},
					  expire_ms, now_ms);
		bytes_put(value);
		return entry;
	}
	entry = put_or_null(store, db, key, &to, expire_ms, now_ms);
	if (!entry)
		bytes_put(value);
	return entry;
}

struct entry *store_set_integer_or_null(struct store *store, int db, struct slice key,
					int64_t value, uint64_t expire_ms, uint64_t now_ms)
{
	struct entry_value to = {.form = ENTRY_INTEGER, .integer = value};

	return put_or_null(store, db, key, &to, expire_ms, now_ms);
}
