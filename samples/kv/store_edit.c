/* Changing an entry that is there. */
#include "kv/heap.h"
#include "kv/store_own.h"

#include <string.h>

enum {
	EAGER_LEN = 1024 * 1024
}; /* below, what grows gets twice what it needs, above a quarter more */

/* Another block, with the value given and the expiry and all else of the old one. */
static struct entry *rebuild_or_null(struct store *store, int db, struct entry *old,
				     const struct entry_value *value, bool has_link)
{
	uint64_t hash = store_hash(store, entry_name(old)), expire_ms = entry_expire_ms(old);
	struct entry **place = table_place_or_null(&store->dbs[db]->table, hash, old), *entry;

	entry = place ? entry_copy_or_null(old, entry_name(old), value, has_link) : NULL;
	if (!entry)
		return NULL;
	*place = entry;
	store_disarm(store, db, old);
	if (has_link)
		store_arm(store, db, entry, expire_ms);
	store_book(store, entry);
	store_unbook(store, old);
	heap_free(old);
	return entry;
}

static size_t eager_cap(size_t len)
{
	return len + (len < EAGER_LEN ? len : len / 4);
}

/* Of the only reference there is. */
static int grow_bytes(struct bytes **bytes, size_t len)
{
	if (len <= (*bytes)->cap || bytes_reserve(bytes, eager_cap(len)) == 0)
		return 0;
	return bytes_reserve(bytes, len);
}

static struct bytes *copy_of_or_null(struct slice text, size_t len)
{
	struct bytes *bytes = bytes_create_or_null(len, eager_cap(len));

	if (!bytes)
		bytes = bytes_create_or_null(len, len);
	if (bytes && text.len)
		memcpy(bytes->data, text.data, text.len < len ? text.len : len);
	return bytes;
}

/* The bytes outside, which nobody else holds. */
static struct bytes *edit_in_place_or_null(struct store *store, struct entry *entry, size_t len)
{
	struct bytes *bytes = entry_outside(entry);
	int error;

	books_sub(&store->books, heap_size(bytes));
	error = grow_bytes(&bytes, len);
	books_add(&store->books, heap_size(bytes));
	entry_set_outside(entry, bytes);
	return error ? NULL : bytes;
}

/* The bytes outside are new ones, with what text says at their beginning. */
static struct bytes *edit_copy_or_null(struct store *store, int db, struct entry **entry,
				       struct slice text, size_t len)
{
	struct bytes *bytes = copy_of_or_null(text, len);
	struct entry_value value = {.form = ENTRY_OUTSIDE, .bytes = bytes};
	struct entry *old = *entry;

	if (!bytes)
		return NULL;
	if (entry_form_has_word(old->form)) {
		books_sub(&store->books, heap_size(entry_bytes_or_null(old)));
		entry_rewrite(old, &value);
	} else {
		*entry = rebuild_or_null(store, db, old, &value, old->has_link);
		if (!*entry) {
			*entry = old;
			bytes_put(bytes);
			return NULL;
		}
	}
	books_add(&store->books, heap_size(bytes));
	return bytes;
}

static char *edit_outside_or_null(struct store *store, int db, struct entry **entry, size_t len)
{
	char scratch[ENTRY_SCRATCH_LEN];
	struct slice text = entry_string(*entry, scratch);
	struct bytes *bytes = entry_bytes_or_null(*entry);

	if (bytes && !bytes_shared(bytes))
		bytes = edit_in_place_or_null(store, *entry, len);
	else
		bytes = edit_copy_or_null(store, db, entry, text, len);
	if (!bytes)
		return NULL;
	if (len > text.len)
		memset(bytes->data + text.len, 0, len - text.len);
	bytes->len = len;
	return bytes->data;
}

static char *edit_inside_or_null(struct store *store, int db, struct entry **entry, size_t len)
{
	char scratch[ENTRY_SCRATCH_LEN], text[BYTES_LEN_MIN];
	struct entry_value value = {.form = ENTRY_EDITED, .text = {text, len}};
	struct slice was = entry_string(*entry, scratch);
	struct entry *old = *entry, *rebuilt;
	struct bytes *bytes = entry_bytes_or_null(old);

	if (entry_fits(old, &value, old->has_link)) {
		if (len > was.len)
			memset(entry_inside(old) + was.len, 0, len - was.len);
		old->len = (uint16_t)len;
		old->form = ENTRY_EDITED;
		return entry_inside(old);
	}
	memset(text, 0, len);
	if (was.len)
		memcpy(text, was.data, was.len < len ? was.len : len);
	rebuilt = rebuild_or_null(store, db, old, &value, old->has_link);
	if (!rebuilt)
		return NULL;
	*entry = rebuilt;
	books_sub(&store->books, heap_size(bytes));
	bytes_put(bytes);
	return entry_inside(rebuilt);
}

char *store_edit_or_null(struct store *store, int db, struct entry **entry, size_t len)
{
	store_tell_change(store, db, *entry);
	if (len < BYTES_LEN_MIN)
		return edit_inside_or_null(store, db, entry, len);
	return edit_outside_or_null(store, db, entry, len);
}

bool store_expire(struct store *store, int db, struct entry *entry, uint64_t expire_ms)
{
	struct entry_value value;

	if (expire_ms != STORE_NEVER && !store_expiry_ready(store, db))
		return false;
	store_tell_change(store, db, entry);
	if (expire_ms != STORE_NEVER && !entry->has_link) {
		entry_value_of(entry, &value);
		entry = rebuild_or_null(store, db, entry, &value, true);
	}
	if (!entry)
		return false;
	store_arm(store, db, entry, expire_ms);
	return true;
}

void store_remove(struct store *store, int db, struct entry *entry)
{
	uint64_t hash = store_hash(store, entry_name(entry));

	store_tell_change(store, db, entry);
	store_disarm(store, db, entry);
	table_remove(&store->dbs[db]->table, hash, entry);
	store_free_entry(store, entry);
}

/* Puts it where the key's entry is, if there is one, or else into the table. */
static bool settle(struct store *store, int db, uint64_t hash, struct entry *entry,
		   struct entry **place)
{
	struct entry *old;

	if (!place)
		return table_add(&store->dbs[db]->table, hash, entry) == 0;
	old = *place;
	store_tell_change(store, db, old);
	store_disarm(store, db, old);
	*place = entry;
	store_free_entry(store, old);
	return true;
}

/* To another database: the block stays. */
static bool move_block(struct store *store, int db, struct entry *entry, int to_db, uint64_t now_ms)
{
	struct slice key = entry_name(entry);
	uint64_t hash = store_hash(store, key), expire_ms = entry_expire_ms(entry);

	if (!settle(store, to_db, hash, entry, store_live_or_null(store, to_db, hash, key, now_ms)))
		return false;
	store_disarm(store, db, entry);
	table_remove(&store->dbs[db]->table, hash, entry);
	store_arm(store, to_db, entry, expire_ms);
	return true;
}

static bool move_copy(struct store *store, int db, struct entry *entry, int to_db,
		      struct slice to_key, uint64_t now_ms)
{
	uint64_t hash = store_hash(store, to_key), expire_ms = entry_expire_ms(entry);
	struct entry_value value;
	struct entry *copy;

	entry_value_of(entry, &value);
	copy = entry_copy_or_null(entry, to_key, &value, expire_ms != STORE_NEVER);
	if (!copy)
		return false;
	if (!settle(store, to_db, hash, copy,
		    store_live_or_null(store, to_db, hash, to_key, now_ms))) {
		heap_free(copy);
		return false;
	}
	store_book(store, copy);
	store_arm(store, to_db, copy, expire_ms);
	store_disarm(store, db, entry);
	table_remove(&store->dbs[db]->table, store_hash(store, entry_name(entry)), entry);
	store_unbook(store, entry);
	heap_free(entry);
	return true;
}

bool store_move(struct store *store, int db, struct entry *entry, int to_db, struct slice to_key,
		uint64_t now_ms)
{
	bool same_key = slice_equal(entry_name(entry), to_key);

	if (same_key && db == to_db)
		return true;
	if (!store_db_ready_or_null(store, to_db))
		return false;
	if (entry_expire_ms(entry) != STORE_NEVER && !store_expiry_ready(store, to_db))
		return false;
	store_tell_change(store, db, entry);
	return same_key ? move_block(store, db, entry, to_db, now_ms)
			: move_copy(store, db, entry, to_db, to_key, now_ms);
}
