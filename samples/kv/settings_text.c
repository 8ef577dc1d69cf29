/* A setting's value, to and from text. */
#include "kv/settings_def.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORD_LEN = 32 };

/* Of Redis's classes of clients; "replica" is taken, too, and "slave" printed. */
static const char *const client_names[SETTINGS_CLIENT_COUNT] = {"normal", "slave", "pubsub"};

__attribute__((format(printf, 2, 3))) static bool fail(char error[SETTINGS_ERROR_LEN],
						       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, SETTINGS_ERROR_LEN, format, args);
	va_end(args);
	return false;
}

static bool is(struct slice text, const char *word)
{
	return strlen(word) == text.len && strncasecmp(word, text.data, text.len) == 0;
}

/* As a string that ends; false: it is empty, too long, or holds a zero. */
static bool word_of(struct slice text, char word[WORD_LEN])
{
	if (text.len == 0 || text.len >= WORD_LEN || memchr(text.data, 0, text.len) != NULL)
		return false;
	memcpy(word, text.data, text.len);
	word[text.len] = 0;
	return true;
}

/* No blank, no '+', no zeros in front: what Redis takes for an integer. */
static bool parse_integer(struct slice text, int64_t *out)
{
	char word[WORD_LEN], again[WORD_LEN];

	if (!word_of(text, word))
		return false;
	errno = 0;
	*out = strtoll(word, NULL, 10);
	snprintf(again, sizeof(again), "%" PRId64, *out);
	return errno == 0 && strcmp(word, again) == 0;
}

/* Digits and a unit: k is 1000, kb 1024. */
static bool parse_memory(struct slice text, uint64_t *out)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} units[] = {
		{"", 1},	{"b", 1},	 {"k", 1000},	    {"kb", 1 << 10},
		{"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30},
	};
	char word[WORD_LEN], *end;
	uint64_t count;

	if (!word_of(text, word) || !isdigit((unsigned char)word[0]))
		return false;
	errno = 0;
	count = strtoull(word, &end, 10);
	if (errno != 0)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcasecmp(end, units[i].name) == 0)
			return !__builtin_mul_overflow(count, units[i].bytes, out);
	return false;
}

static void put(const struct setting *setting, void *member, uint64_t value)
{
	/* Little-endian, as all machines that DPDK runs on here: the low bytes come first. */
	memcpy(member, &value, setting->size);
}

static uint64_t get(const struct setting *setting, const void *member)
{
	uint64_t value = 0;

	memcpy(&value, member, setting->size);
	return value;
}

static bool parse_number(const struct setting *setting, struct slice text, void *member,
			 char error[SETTINGS_ERROR_LEN])
{
	int64_t value;

	if (!parse_integer(text, &value))
		return fail(error, "argument couldn't be parsed into an integer");
	if (value < setting->min || value > (int64_t)setting->max)
		return fail(error, "argument must be between %" PRId64 " and %" PRIu64 " inclusive",
			    setting->min, setting->max);
	put(setting, member, (uint64_t)value);
	return true;
}

static bool parse_bytes(const struct setting *setting, struct slice text, void *member,
			char error[SETTINGS_ERROR_LEN])
{
	uint64_t value;

	if (!parse_memory(text, &value))
		return fail(error, "argument must be a memory value");
	if (value < (uint64_t)setting->min || value > setting->max)
		return fail(error, "argument must be between %" PRId64 " and %" PRIu64 " inclusive",
			    setting->min, setting->max);
	put(setting, member, value);
	return true;
}

static bool parse_choice(const struct setting *setting, struct slice text, void *member,
			 char error[SETTINGS_ERROR_LEN])
{
	const struct setting_choice *choice;
	size_t len;

	for (choice = setting->choices; choice->name != NULL; choice++) {
		if (is(text, choice->name)) {
			put(setting, member, choice->value);
			return true;
		}
	}
	len = (size_t)snprintf(error, SETTINGS_ERROR_LEN,
			       "argument(s) must be one of the following: ");
	for (choice = setting->choices; choice->name != NULL && len < SETTINGS_ERROR_LEN; choice++)
		len += (size_t)snprintf(error + len, SETTINGS_ERROR_LEN - len, "%s%s",
					choice == setting->choices ? "" : ", ", choice->name);
	return false;
}

static bool parse_text(const struct setting *setting, struct slice text, char *member,
		       char error[SETTINGS_ERROR_LEN])
{
	if (text.len >= setting->size || memchr(text.data, 0, text.len) != NULL)
		return fail(error, "argument must be at most %zu bytes, none of them zero",
			    setting->size - 1);
	memcpy(member, text.data, text.len);
	member[text.len] = 0;
	return true;
}

static struct slice next_word(struct slice *text)
{
	struct slice word;

	while (text->len > 0 && text->data[0] == ' ')
		*text = (struct slice){text->data + 1, text->len - 1};
	word = (struct slice){text->data, 0};
	while (word.len < text->len && word.data[word.len] != ' ')
		word.len++;
	*text = (struct slice){text->data + word.len, text->len - word.len};
	return word;
}

static int client_index(struct slice name)
{
	for (int i = 0; i < SETTINGS_CLIENT_COUNT; i++)
		if (is(name, client_names[i]))
			return i;
	return is(name, "replica") ? SETTINGS_REPLICA : -1;
}

/* Fours of class, hard, soft, seconds; classes that are not named stay as they are. */
static bool parse_out_limits(struct slice text, struct settings_out_limit *member,
			     char error[SETTINGS_ERROR_LEN])
{
	struct settings_out_limit limits[SETTINGS_CLIENT_COUNT];
	struct slice rest = text, word;
	int count = 0, seconds_bad = 0;

	while (next_word(&rest).len > 0)
		count++;
	if (count == 0 || count % 4 != 0)
		return fail(error, "Wrong number of arguments in buffer limit configuration.");
	memcpy(limits, member, sizeof(limits));
	while ((word = next_word(&text)).len > 0) {
		int class = client_index(word);
		struct settings_out_limit *limit = &limits[class < 0 ? 0 : class];
		int64_t seconds;

		if (class < 0)
			return fail(
				error,
				"Invalid client class specified in buffer limit configuration.");
		seconds_bad = !parse_memory(next_word(&text), &limit->hard) ||
			      !parse_memory(next_word(&text), &limit->soft) ||
			      !parse_integer(next_word(&text), &seconds) || seconds < 0;
		if (seconds_bad)
			return fail(error, "Error in hard, soft or soft_seconds setting in buffer "
					   "limit configuration.");
		limit->soft_s = (uint64_t)seconds;
	}
	memcpy(member, limits, sizeof(limits));
	return true;
}

bool setting_parse(const struct setting *setting, struct slice value, void *member,
		   char error[SETTINGS_ERROR_LEN])
{
	switch (setting->kind) {
	case SETTING_KIND_BOOL:
		if (!is(value, "yes") && !is(value, "no"))
			return fail(error, "argument must be 'yes' or 'no'");
		*(bool *)member = is(value, "yes");
		return true;
	case SETTING_KIND_NUMBER:
		return parse_number(setting, value, member, error);
	case SETTING_KIND_MEMORY:
		return parse_bytes(setting, value, member, error);
	case SETTING_KIND_CHOICE:
		return parse_choice(setting, value, member, error);
	case SETTING_KIND_TEXT:
		return parse_text(setting, value, member, error);
	case SETTING_KIND_OUT_LIMITS:
		return parse_out_limits(value, member, error);
	case SETTING_KIND_FIXED:
		if (is(value, setting->initial))
			return true;
		return fail(error, "this server knows '%s' only", setting->initial);
	}
	return false;
}

static size_t print_out_limits(const struct settings_out_limit *limits,
			       char text[SETTINGS_VALUE_LEN])
{
	size_t len = 0;

	for (int i = 0; i < SETTINGS_CLIENT_COUNT; i++)
		len += (size_t)snprintf(text + len, SETTINGS_VALUE_LEN - len,
					"%s%s %" PRIu64 " %" PRIu64 " %" PRIu64, i == 0 ? "" : " ",
					client_names[i], limits[i].hard, limits[i].soft,
					limits[i].soft_s);
	return len;
}

struct slice setting_print(const struct setting *setting, const void *member,
			   char text[SETTINGS_VALUE_LEN])
{
	const struct setting_choice *choice = setting->choices;

	switch (setting->kind) {
	case SETTING_KIND_BOOL:
		return *(const bool *)member ? SLICE("yes") : SLICE("no");
	case SETTING_KIND_NUMBER:
		snprintf(text, SETTINGS_VALUE_LEN, "%" PRId64, (int64_t)get(setting, member));
		return slice_of(text);
	case SETTING_KIND_MEMORY:
		snprintf(text, SETTINGS_VALUE_LEN, "%" PRIu64, get(setting, member));
		return slice_of(text);
	case SETTING_KIND_CHOICE:
		while (choice->name != NULL && choice->value != get(setting, member))
			choice++;
		return choice->name != NULL ? slice_of(choice->name) : SLICE("");
	case SETTING_KIND_TEXT:
		return slice_of(member);
	case SETTING_KIND_OUT_LIMITS:
		return (struct slice){text, print_out_limits(member, text)};
	case SETTING_KIND_FIXED:
		return slice_of(setting->initial);
	}
	return SLICE("");
}
