#include "sdk/config_keys.h"
#include "sdk/config_value.h"

#include <string.h>

#define SECTION(name, array, sentence) {#name, array, sentence},
const struct config_section config_sections[] = {CONFIG_SECTIONS(SECTION)};
#undef SECTION
const unsigned config_section_count = sizeof(config_sections) / sizeof(config_sections[0]);

#define KEY(section, key, kind, field, companion, initial, sample, min, max, unit, sentence)       \
	{#section,                                                                                 \
	 #key,                                                                                     \
	 CONFIG_##kind,                                                                            \
	 offsetof(CONFIG_STRUCT_##section, field),                                                 \
	 sizeof(((CONFIG_STRUCT_##section *)0)->field),                                            \
	 offsetof(CONFIG_STRUCT_##section, companion),                                             \
	 initial,                                                                                  \
	 sample,                                                                                   \
	 min,                                                                                      \
	 max,                                                                                      \
	 unit,                                                                                     \
	 sentence},
const struct config_key config_keys[] = {CONFIG_KEYS(KEY)};
#undef KEY
const unsigned config_key_count = sizeof(config_keys) / sizeof(config_keys[0]);

/* Levenshtein's distance; words longer than a row are far from everything. */
static unsigned distance(const char *a, const char *b)
{
	enum { LEN_MAX = 32 };
	const size_t a_len = strlen(a), b_len = strlen(b);
	unsigned row[LEN_MAX + 1];

	if (a_len > LEN_MAX || b_len > LEN_MAX)
		return LEN_MAX;
	for (unsigned j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			const unsigned change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
			if (change < row[j])
				row[j] = change;
		}
	}
	return row[b_len];
}

void config_guess(const char *found, const char *candidate, const char **best)
{
	const unsigned far = distance(found, candidate);

	if (far <= 2 + strlen(found) / 4 && (*best == NULL || far < distance(found, *best)))
		*best = candidate;
}

const struct config_section *config_section_or_null(const char *name)
{
	for (unsigned i = 0; i < config_section_count; i++) {
		if (strcmp(config_sections[i].name, name) == 0)
			return &config_sections[i];
	}
	return NULL;
}

const struct config_key *config_key_or_null(const char *section, const char *name)
{
	for (unsigned i = 0; i < config_key_count; i++) {
		if (strcmp(config_keys[i].section, section) == 0 &&
		    strcmp(config_keys[i].name, name) == 0)
			return &config_keys[i];
	}
	return NULL;
}
