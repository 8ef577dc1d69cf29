#include "kv/settings.h"

#include "kv/settings_def.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

static const struct setting_choice choices_cluster[] = {
	{"yes", KV_CLUSTER}, {"no", KV_FORWARD}, {NULL, 0}};
static const struct setting_choice choices_policy[] = {
	{"volatile-lru", STORE_VOLATILE_LRU},
	{"volatile-lfu", STORE_VOLATILE_LFU},
	{"volatile-random", STORE_VOLATILE_RANDOM},
	{"volatile-ttl", STORE_VOLATILE_TTL},
	{"allkeys-lru", STORE_ALLKEYS_LRU},
	{"allkeys-lfu", STORE_ALLKEYS_LFU},
	{"allkeys-random", STORE_ALLKEYS_RANDOM},
	{"noeviction", STORE_NOEVICTION},
	{NULL, 0},
};
static const struct setting_choice choices_fsync[] = {
	{"everysec", FSYNC_EVERYSEC}, {"always", FSYNC_ALWAYS}, {"no", FSYNC_NO}, {NULL, 0}};

#define MEMBER(member) offsetof(struct settings, member), sizeof(((struct settings *)NULL)->member)
#define SETTING_BOOL(name, member, initial, change)                                                \
	{name, SETTING_KIND_BOOL, change, MEMBER(member), 0, 0, NULL, initial},
#define SETTING_NUMBER(name, member, initial, min, max, change)                                    \
	{name, SETTING_KIND_NUMBER, change, MEMBER(member), min, max, NULL, initial},
#define SETTING_MEMORY(name, member, initial, min, max, change)                                    \
	{name, SETTING_KIND_MEMORY, change, MEMBER(member), min, max, NULL, initial},
#define SETTING_CHOICE(name, member, initial, choices, change)                                     \
	{name, SETTING_KIND_CHOICE, change, MEMBER(member), 0, 0, choices, initial},
#define SETTING_TEXT(name, member, initial, change)                                                \
	{name, SETTING_KIND_TEXT, change, MEMBER(member), 0, 0, NULL, initial},
#define SETTING_OUT_LIMITS(name, member, initial, change)                                          \
	{name, SETTING_KIND_OUT_LIMITS, change, MEMBER(member), 0, 0, NULL, initial},
#define SETTING_FIXED(name, value, change)                                                         \
	{name, SETTING_KIND_FIXED, change, 0, 0, 0, 0, NULL, value},

static const struct setting table[] = {
#include "kv/settings.def"
};

enum { COUNT = sizeof(table) / sizeof(table[0]) };

static void name_this_run(char run_id[41])
{
	uint8_t bytes[20] = {0};

	/* It only tells one start from another: no harm if there was no chance to be had. */
	(void)!getrandom(bytes, sizeof(bytes), GRND_NONBLOCK);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(run_id + 2 * i, 3, "%02x", bytes[i]);
}

void settings_init(struct settings *settings)
{
	char error[SETTINGS_ERROR_LEN];

	memset(settings, 0, sizeof(*settings));
	for (unsigned i = 0; i < COUNT; i++)
		setting_parse(&table[i], slice_of(table[i].initial),
			      (char *)settings + table[i].offset, error);
	settings->active_expire = true;
	name_this_run(settings->run_id);
	settings_share(settings, 1);
}

int settings_index(struct slice name)
{
	for (unsigned i = 0; i < COUNT; i++)
		if (strlen(table[i].name) == name.len &&
		    strncasecmp(table[i].name, name.data, name.len) == 0)
			return (int)i;
	return -1;
}

const char *settings_refusal_or_null(unsigned i, enum settings_when when)
{
	if (when == SETTINGS_START || table[i].change == ALWAYS)
		return NULL;
	return table[i].change == START ? "can't set immutable config"
					: "can't set protected config";
}

bool settings_set(struct settings *settings, struct slice name, struct slice value,
		  enum settings_when when, char error[SETTINGS_ERROR_LEN])
{
	int i = settings_index(name);
	const char *why;

	if (i < 0) {
		snprintf(error, SETTINGS_ERROR_LEN, "unknown setting '%.*s'",
			 (int)(name.len < 128 ? name.len : 128), name.data);
		return false;
	}
	why = settings_refusal_or_null((unsigned)i, when);
	if (why != NULL) {
		snprintf(error, SETTINGS_ERROR_LEN, "%s", why);
		return false;
	}
	return setting_parse(&table[i], value, (char *)settings + table[i].offset, error);
}

void settings_share(struct settings *settings, int shard_count)
{
	settings->store.maxmemory = settings->maxmemory / (uint64_t)shard_count;
	/* 0 would be no limit. */
	if (settings->maxmemory != 0 && settings->store.maxmemory == 0)
		settings->store.maxmemory = 1;
}

const char *settings_name_or_null(unsigned i)
{
	return i < COUNT ? table[i].name : NULL;
}

struct slice settings_value(const struct settings *settings, unsigned i,
			    char text[SETTINGS_VALUE_LEN])
{
	return setting_print(&table[i], (const char *)settings + table[i].offset, text);
}
