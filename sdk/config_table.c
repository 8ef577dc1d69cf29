#include "sdk/config_keys.h"
#include "sdk/config_value.h"

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
