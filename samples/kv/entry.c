#include "kv/entry.h"

#include "kv/heap.h"
#include "kv/number.h"

enum { EMBSTR_LEN_MAX = 44 };

static uint64_t word_of(const struct entry_value *value)
{
	return value->form == ENTRY_INTEGER ? (uint64_t)value->integer
					    : (uint64_t)(uintptr_t)value->bytes;
}

static size_t inside_len(const struct entry_value *value)
{
	return entry_form_has_word(value->form) ? 0 : value->text.len;
}

static size_t size_of(struct slice key, const struct entry_value *value, bool has_link)
{
	unsigned words = (has_link ? ENTRY_LINK_WORDS : 0) + (key.len >= ENTRY_KEY_LONG) +
			 entry_form_has_word(value->form);

	return sizeof(struct entry) + words * sizeof(uint64_t) + key.len + inside_len(value);
}

/* The text may overlap what is written: it may be the entry's own. */
static void write_value(struct entry *entry, const struct entry_value *value)
{
	entry->form = value->form;
	entry->len = (uint16_t)inside_len(value);
	if (entry_form_has_word(value->form))
		entry->words[entry_word_count(entry) - 1] = word_of(value);
	else if (entry->len)
		memmove(entry_inside(entry), value->text.data, entry->len);
}

struct entry *entry_create_or_null(struct slice key, const struct entry_value *value, bool has_link)
{
	struct entry *entry;

	if (key.len > SIZE_MAX / 2 || inside_len(value) > ENTRY_INSIDE_LEN_MAX)
		return NULL;
	entry = heap_alloc_or_null(size_of(key, value, has_link));
	if (!entry)
		return NULL;
	*entry = (struct entry){.type = VALUE_STRING, .form = value->form, .has_link = has_link};
	if (has_link)
		*entry_link(entry) = (struct expiry_link){0};
	entry->key_len = key.len < ENTRY_KEY_LONG ? (uint16_t)key.len : ENTRY_KEY_LONG;
	if (entry->key_len == ENTRY_KEY_LONG)
		entry->words[has_link ? ENTRY_LINK_WORDS : 0] = key.len;
	if (key.len)
		memcpy(entry->words + entry_word_count(entry), key.data, key.len);
	write_value(entry, value);
	return entry;
}

struct entry *entry_copy_or_null(const struct entry *entry, struct slice key,
				 const struct entry_value *value, bool has_link)
{
	struct entry *copy = entry_create_or_null(key, value, has_link);

	if (copy) {
		copy->access = entry->access;
		copy->mark = entry->mark;
	}
	return copy;
}

void entry_value_of(const struct entry *entry, struct entry_value *out)
{
	*out = (struct entry_value){.form = entry->form};
	if (entry->form == ENTRY_OUTSIDE)
		out->bytes = entry_outside(entry);
	else if (entry->form == ENTRY_INTEGER)
		entry_integer(entry, &out->integer);
	else
		out->text = entry_string(entry, NULL);
}

bool entry_fits(const struct entry *entry, const struct entry_value *value, bool has_link)
{
	size_t size, room;

	if (entry->has_link != has_link ||
	    entry_form_has_word(entry->form) != entry_form_has_word(value->form))
		return false;
	if (entry->len == inside_len(value))
		return true;
	size = size_of(entry_name(entry), value, has_link);
	room = heap_size(entry);
	return size <= room && size >= room / 2;
}

void entry_rewrite(struct entry *entry, const struct entry_value *value)
{
	struct bytes *old = entry_bytes_or_null(entry);

	write_value(entry, value);
	bytes_put(old);
}

void entry_free(struct entry *entry)
{
	bytes_put(entry_bytes_or_null(entry));
	heap_free(entry);
}

void entry_set_outside(struct entry *entry, struct bytes *bytes)
{
	entry->words[entry_word_count(entry) - 1] = (uint64_t)(uintptr_t)bytes;
}

struct slice entry_key(const struct entry *entry)
{
	return entry_name(entry);
}

enum value_type entry_type(const struct entry *entry)
{
	return entry->type;
}

enum value_encoding entry_encoding(const struct entry *entry)
{
	if (entry->form == ENTRY_INTEGER)
		return VALUE_INT;
	return entry->form == ENTRY_INSIDE && entry->len <= EMBSTR_LEN_MAX ? VALUE_EMBSTR
									   : VALUE_RAW;
}

struct slice entry_string(const struct entry *entry, char scratch[ENTRY_SCRATCH_LEN])
{
	struct slice key;
	struct bytes *bytes;

	if (entry->form == ENTRY_INTEGER)
		return (struct slice){
			scratch,
			number_print(scratch, (int64_t)entry->words[entry_word_count(entry) - 1])};
	if (entry->form == ENTRY_OUTSIDE) {
		bytes = entry_outside(entry);
		return (struct slice){bytes->data, bytes->len};
	}
	key = entry_name(entry);
	return (struct slice){key.data + key.len, entry->len};
}

bool entry_integer(const struct entry *entry, int64_t *out)
{
	if (entry->type != VALUE_STRING || entry->form != ENTRY_INTEGER)
		return false;
	*out = (int64_t)entry->words[entry_word_count(entry) - 1];
	return true;
}

struct bytes *entry_bytes_or_null(const struct entry *entry)
{
	return entry->form == ENTRY_OUTSIDE ? entry_outside(entry) : NULL;
}

uint64_t entry_expire_ms(const struct entry *entry)
{
	return entry->has_link ? ((const struct expiry_link *)(const void *)entry->words)->when_ms
			       : STORE_NEVER;
}

size_t entry_size(const struct entry *entry)
{
	return heap_size(entry) + heap_size(entry_bytes_or_null(entry));
}

bool entry_mark(const struct entry *entry)
{
	return entry->mark;
}

void entry_set_mark(struct entry *entry, bool mark)
{
	entry->mark = mark;
}
