/*
 * One value of the configuration: what a key allows, and how a value that was found is checked and
 * put into its field.
 */
#ifndef SDK_CONFIG_VALUE_H
#define SDK_CONFIG_VALUE_H

#include "sdk/toml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_kind {
	CONFIG_NUMBER,	/* whole; times the unit it fills an unsigned field */
	CONFIG_SHARDS,	/* a number, or "auto" for 0 */
	CONFIG_CPUS,	/* numbers, different ones */
	CONFIG_FLAG,	/* true or false */
	CONFIG_CHOICE,	/* a word of the unit column; fills an enum */
	CONFIG_TEXT,	/* a char array; min and max bound its length */
	CONFIG_NAME,	/* such a text of letters, digits, '-' and '_' */
	CONFIG_ADDRESS, /* "10.0.0.1" */
	CONFIG_PREFIX,	/* "10.0.0.1/24"; min and max bound the length of the prefix */
	CONFIG_MAC,	/* "02:00:00:00:00:01" */
	CONFIG_HEX,	/* max bytes as hexadecimal digits */
};

enum { CONFIG_TEXT_LEN = 200 };

struct config_key {
	const char *section, *name;
	enum config_kind kind;
	size_t offset, size, companion; /* in the section's struct */
	const char *initial, *sample;
	uint64_t min, max;
	const char *unit, *sentence;
};

struct config_section {
	const char *name;
	bool array;
	const char *sentence;
};

extern const struct config_key config_keys[];
extern const unsigned config_key_count;
extern const struct config_section config_sections[];
extern const unsigned config_section_count;

const struct config_section *config_section_or_null(const char *name);
const struct config_key *config_key_or_null(const char *section, const char *name);
/* *best, NULL at first, becomes the candidate if that is nearer to the word that was found and near
 * enough to be what was meant. */
void config_guess(const char *found, const char *candidate, const char **best);

/* Puts the item into its key's field of the section's struct. False: not allowed. */
bool config_value_set(const struct config_key *key, const struct toml_item *item, void *base);
/* The default into its field, if the key has one. */
void config_value_default(const struct config_key *key, void *base);
/* What the key allows, and an item as it was found, for messages. */
void config_value_allowed(const struct config_key *key, char text[CONFIG_TEXT_LEN]);
void config_value_found(const struct toml_item *item, char text[CONFIG_TEXT_LEN]);

#endif
