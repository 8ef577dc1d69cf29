/* One setting as settings.def describes it: settings.c's and settings_text.c's own. */
#ifndef KV_SETTINGS_DEF_H
#define KV_SETTINGS_DEF_H

#include "kv/settings.h"

#include <stddef.h>

enum setting_kind {
	SETTING_KIND_BOOL,
	SETTING_KIND_NUMBER,
	SETTING_KIND_MEMORY,
	SETTING_KIND_CHOICE,
	SETTING_KIND_TEXT,
	SETTING_KIND_OUT_LIMITS,
	SETTING_KIND_FIXED,
};

enum setting_change { ALWAYS, START, PROTECTED };

struct setting_choice {
	const char *name; /* NULL: the end */
	unsigned value;
};

struct setting {
	const char *name;
	enum setting_kind kind;
	enum setting_change change;
	size_t offset, size; /* of the member in struct settings */
	int64_t min;
	uint64_t max;
	const struct setting_choice *choices;
	const char *initial; /* as text */
};

/* Into the member, which is setting->size bytes. False: error says why. */
bool setting_parse(const struct setting *setting, struct slice value, void *member,
		   char error[SETTINGS_ERROR_LEN]);
struct slice setting_print(const struct setting *setting, const void *member,
			   char text[SETTINGS_VALUE_LEN]);

#endif
