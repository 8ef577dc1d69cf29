/*
 * One shard's keys: 16 databases, what they take, when they expire, and what goes first when there
 * is no more room. Sans-IO: the time comes in as now_ms (milliseconds since 1970), randomness as a
 * seed. One thread.
 *
 * A value is a tagged union. Strings are an integer, bytes inside the entry, or bytes outside of it
 * (see bytes.h); other types are to come. Entries move when they change: a pointer is good until
 * the next call that may change the store. Changes are told to the events below, before or after
 * they are made, whoever makes them.
 */
#ifndef KV_STORE_H
#define KV_STORE_H

#include "kv/bytes.h"
#include "kv/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_DB_COUNT = 16 };

enum value_type { VALUE_STRING }; /* and in a later step: list, set, zset, hash, stream */

enum value_encoding { VALUE_INT, VALUE_EMBSTR, VALUE_RAW }; /* Redis's words */

enum store_policy {
	STORE_NOEVICTION,
	STORE_ALLKEYS_LRU,
	STORE_ALLKEYS_LFU,
	STORE_VOLATILE_TTL,
	STORE_ALLKEYS_RANDOM,
	STORE_VOLATILE_LRU,
	STORE_VOLATILE_LFU,
	STORE_VOLATILE_RANDOM,
};

/* Accesses are counted, and not their times kept. */
static inline bool store_policy_is_lfu(enum store_policy policy)
{
	return policy == STORE_ALLKEYS_LFU || policy == STORE_VOLATILE_LFU;
}

struct store_config {
	uint64_t maxmemory; /* bytes; 0: no limit */
	enum store_policy policy;
	unsigned samples; /* entries looked at for one to evict: maxmemory-samples */
	unsigned lfu_log_factor, lfu_decay_minutes;
};

enum store_loss { STORE_EXPIRED, STORE_EVICTED };

struct entry;

/* Each may be NULL. They must not change the store. */
struct store_events {
	/* The entry is about to be changed or removed, for whatever reason (a snapshot under way
	 * writes it first). */
	void (*changes)(void *arg, int db, struct entry *entry);
	/* The store removed a key by itself. It is gone already; key is valid during the call. */
	void (*lost)(void *arg, int db, struct slice key, enum store_loss loss);
	/* store_clear() is about to empty a database; its entries are not told one by one. */
	void (*clears)(void *arg, int db);
	/* store_swap() has swapped them; nor are their entries told. */
	void (*swaps)(void *arg, int db_a, int db_b);
	void *arg;
};

struct store_figures {
	uint64_t keys, volatile_keys;
	uint64_t used_bytes, used_bytes_peak; /* entries, values, tables, by true size */
	uint64_t expired, evicted;	      /* so far */
	uint64_t hits, misses;
};

struct store;

/* config is copied; events too. seed keys the hash. NULL: no memory. */
struct store *store_create_or_null(const struct store_config *config,
				   const struct store_events *events, const uint8_t seed[16]);
void store_destroy(struct store *store);
/* From now on; nothing is evicted before store_make_room(). */
void store_configure(struct store *store, const struct store_config *config);
/* From now on what has expired is found all the same, or no longer: while a log is replayed each
 * command finds what it found when it ran. */
void store_keep_expired(struct store *store, bool keep);
void store_figures(const struct store *store, struct store_figures *out);
uint64_t store_size(const struct store *store, int db);		 /* keys, expired ones that are
								    not yet removed among them */
uint64_t store_volatile_size(const struct store *store, int db); /* of them with an expiry */

/* --- one key --- */

/* NULL: there is none, or it has expired (and is removed then). A hit or a miss, and an access. */
struct entry *store_find_or_null(struct store *store, int db, struct slice key, uint64_t now_ms);
/* Likewise, a hit or a miss, but is no access: OBJECT, TTL. */
struct entry *store_look_or_null(struct store *store, int db, struct slice key, uint64_t now_ms);
/* An access, but neither a hit nor a miss: what is to be changed. */
struct entry *store_seize_or_null(struct store *store, int db, struct slice key, uint64_t now_ms);
/* Nothing of it. */
struct entry *store_peek_or_null(struct store *store, int db, struct slice key, uint64_t now_ms);

/* What one look will wait for, several can wait for together: the first begins to fetch the key's
 * bucket from memory, and later the second, with what the first returned, the entry. */
uint64_t store_foresee(const struct store *store, int db, struct slice key);
void store_fetch(const struct store *store, int db, uint64_t hash);
/* Until it is told otherwise, a key at just this place is the one that has this hash; a key that is
 * NULL: none is. */
void store_expect(struct store *store, struct slice key, uint64_t hash);

struct slice entry_key(const struct entry *entry);
enum value_type entry_type(const struct entry *entry);
enum value_encoding entry_encoding(const struct entry *entry);
/* A string's bytes. An integer is printed into scratch. Valid until the store changes. */
enum { ENTRY_SCRATCH_LEN = 24 };
struct slice entry_string(const struct entry *entry, char scratch[ENTRY_SCRATCH_LEN]);
/* The value is kept as an integer. */
bool entry_integer(const struct entry *entry, int64_t *out);
/* A string's bytes outside of the entry, whose reference is the entry's; NULL: they are not. */
struct bytes *entry_bytes_or_null(const struct entry *entry);
uint64_t entry_expire_ms(const struct entry *entry); /* 0: never */
size_t entry_size(const struct entry *entry);	     /* what key and value take, by true size */
uint64_t entry_idle_s(const struct store *store, const struct entry *entry, uint64_t now_ms);
unsigned entry_freq(const struct store *store, const struct entry *entry, uint64_t now_ms);
void entry_touch(struct store *store, struct entry *entry, uint64_t now_ms);
/* A mark that means nothing to the store; it survives changes, moves and swaps. New entries have
 * the one of store_mark_new(), false at first. For a snapshot: what has not the new mark is of the
 * time before it, and not yet written. */
bool entry_mark(const struct entry *entry);
void store_mark_new(struct store *store, bool mark);
void entry_set_mark(struct entry *entry, bool mark);

/* expire_ms of what is set: a time, or */
#define STORE_NEVER	  UINT64_C(0)
#define STORE_KEEP_EXPIRY UINT64_MAX /* as it was; never for a new key */

/*
 * Sets a string, whatever was there. Text that is the shortest form of an int64_t is kept as one.
 * The entry, or NULL: no memory, and nothing has changed.
 */
struct entry *store_set_or_null(struct store *store, int db, struct slice key, struct slice value,
				uint64_t expire_ms, uint64_t now_ms);
/* Likewise; takes over the caller's reference, also when it fails. */
struct entry *store_set_bytes_or_null(struct store *store, int db, struct slice key,
				      struct bytes *value, uint64_t expire_ms, uint64_t now_ms);
struct entry *store_set_integer_or_null(struct store *store, int db, struct slice key,
					int64_t value, uint64_t expire_ms, uint64_t now_ms);
/*
 * Makes the string of *entry len bytes long, zeros at its end if it grew, and writable at the
 * pointer that is returned: APPEND, SETRANGE, SETBIT. Its encoding is raw then. NULL: no memory.
 */
char *store_edit_or_null(struct store *store, int db, struct entry **entry, size_t len);

void store_remove(struct store *store, int db, struct entry *entry);
/* expire_ms: STORE_NEVER, or a time, which may have passed: then the next look removes it. False:
 * no memory. */
bool store_expire(struct store *store, int db, struct entry *entry, uint64_t expire_ms);
/* Under another name or in another database, with expiry; what was there is removed. False: no
 * memory, and nothing has changed. */
bool store_move(struct store *store, int db, struct entry *entry, int to_db, struct slice to_key,
		uint64_t now_ms);

/* --- many keys --- */

void store_clear(struct store *store, int db);
void store_swap(struct store *store, int db_a, int db_b);
/*
 * Visits some entries and returns where to go on; 0 is the beginning and the end. What is there
 * from beginning to end is visited at least once, however the table is resized meanwhile, as SCAN
 * promises. visit may remove the entry that it is given and change no other. Expired ones are
 * visited, too.
 */
uint64_t store_scan(struct store *store, int db, uint64_t cursor,
		    void (*visit)(void *arg, struct entry *entry), void *arg);
struct entry *store_random_or_null(struct store *store, int db, uint64_t now_ms);

/* --- what is to be done now and then --- */

/*
 * Removes what has expired, and what was cleared, work steps at most (an entry or a bucket each),
 * but for expiries that were set since the last turn some more each. Returns when there is more to
 * do, in ms since 1970; UINT64_MAX: not before the next change.
 */
uint64_t store_turn(struct store *store, uint64_t now_ms, unsigned work);
/* Likewise, but what has expired stays. */
uint64_t store_tidy(struct store *store, uint64_t now_ms, unsigned work);
/* Before a command that may grow: evicts until used_bytes <= maxmemory, or so much that it takes a
 * millisecond; store_turn() goes on with it then. False: over the limit, and the policy has nothing
 * to evict (Redis's -OOM). */
bool store_make_room(struct store *store, uint64_t now_ms);

#endif
