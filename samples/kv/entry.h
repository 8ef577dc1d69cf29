/*
 * An entry: one block of the heap with the key and a short value in it.
 *
 *   header 8 | expiry's link 24 | length of a long key 8 | number or reference 8 | key | value
 *
 * What is not needed is not there; a value is either the number or reference, or follows the key.
 */
#ifndef KV_ENTRY_H
#define KV_ENTRY_H

#include "kv/expiry.h"
#include "kv/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Where a value is. Those of a string; other types are to have their own four. */
enum entry_form {
	ENTRY_INTEGER, /* in the word */
	ENTRY_INSIDE,  /* behind the key */
	ENTRY_EDITED,  /* behind the key, and once changed in place: raw in Redis's words */
	ENTRY_OUTSIDE, /* struct bytes, which the word points to */
};

enum {
	ENTRY_KEY_LONG = UINT16_MAX,	   /* key_len: the length is in a word of its own */
	ENTRY_INSIDE_LEN_MAX = UINT16_MAX, /* what header.len can tell */
	ENTRY_LINK_WORDS = sizeof(struct expiry_link) / sizeof(uint64_t),
};

struct entry {
	uint32_t access : 24; /* see access.h */
	uint32_t type : 3;
	uint32_t form : 2;
	uint32_t has_link : 1; /* room for an expiry; it is armed if when_ms is not 0 */
	uint32_t mark : 1;
	uint16_t key_len;
	uint16_t len; /* of a value behind the key */
	uint64_t words[];
};

/* A value that is to be set. */
struct entry_value {
	enum entry_form form;
	int64_t integer;
	struct slice text;
	struct bytes *bytes;
};

static inline struct expiry_link *entry_link(struct entry *entry)
{
	return (struct expiry_link *)(void *)entry->words;
}

static inline struct entry *entry_of_link(struct expiry_link *link)
{
	return (struct entry *)(void *)((char *)link - offsetof(struct entry, words));
}

static inline bool entry_form_has_word(enum entry_form form)
{
	return form == ENTRY_INTEGER || form == ENTRY_OUTSIDE;
}

/* Words before the key; the value's own is the last of them. */
static inline unsigned entry_word_count(const struct entry *entry)
{
	return (entry->has_link ? ENTRY_LINK_WORDS : 0) + (entry->key_len == ENTRY_KEY_LONG) +
	       entry_form_has_word(entry->form);
}

static inline struct slice entry_name(const struct entry *entry)
{
	const char *data = (const char *)(entry->words + entry_word_count(entry));

	if (entry->key_len != ENTRY_KEY_LONG)
		return (struct slice){data, entry->key_len};
	return (struct slice){data, entry->words[entry->has_link ? ENTRY_LINK_WORDS : 0]};
}

/* The value behind the key. */
static inline char *entry_inside(struct entry *entry)
{
	struct slice key = entry_name(entry);

	return (char *)(uintptr_t)key.data + key.len;
}

static inline struct bytes *entry_outside(const struct entry *entry)
{
	return (struct bytes *)(uintptr_t)entry->words[entry_word_count(entry) - 1];
}

/* Takes over the reference of value->bytes when it succeeds. With has_link the link is not armed.
 */
struct entry *entry_create_or_null(struct slice key, const struct entry_value *value,
				   bool has_link);
/* Likewise, with the access and mark of another one, which it takes the place of. */
struct entry *entry_copy_or_null(const struct entry *entry, struct slice key,
				 const struct entry_value *value, bool has_link);
/* The value as it is; a reference outside is not counted again. */
void entry_value_of(const struct entry *entry, struct entry_value *out);
/* Whether the value fits into the block as it is, without wasting half of it. */
bool entry_fits(const struct entry *entry, const struct entry_value *value, bool has_link);
/* Only if it fits. Takes over the reference of value->bytes, and gives back the old one. */
void entry_rewrite(struct entry *entry, const struct entry_value *value);
/* The same bytes, moved. */
void entry_set_outside(struct entry *entry, struct bytes *bytes);
/* The block and the reference outside; the link must not be armed. */
void entry_free(struct entry *entry);

#endif
