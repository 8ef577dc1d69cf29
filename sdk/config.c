#include "sdk/config.h"

#include "sdk/config_check.h"
#include "sdk/config_value.h"
#include "sdk/toml.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOUND_LINE_MAX = 4096 }; /* lines that are remembered for later complaints */

/* Where a key, or with NULL a section, was written. */
struct line {
	const struct config_section *section;
	const struct config_key *key;
	int index, line;
};

struct reader {
	const char *name; /* of the file */
	struct runtime_config *config;
	char *why;
	struct line lines[FOUND_LINE_MAX];
	unsigned line_count;
};

/* The [[port]] of a file that has none. */
static const char builtin[] = "[[port]]\n"
			      "device = \"net_tap0,iface=clowder0\"\n"
			      "address = \"10.99.0.2/24\"\n"
			      "kernel_address = \"10.99.0.1/24\"\n";

static int refuse(struct reader *reader, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct reader *reader, int line, const char *fmt, ...)
{
	int used = snprintf(reader->why, RUNTIME_WHY_LEN, "%.160s:%d: ", reader->name, line);
	va_list args;

	va_start(args, fmt);
	vsnprintf(reader->why + used, (size_t)(RUNTIME_WHY_LEN - used), fmt, args);
	va_end(args);
	for (char *c = reader->why; *c != '\0'; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?'; /* one line, whatever was found */
	}
	return -EINVAL;
}

static int refuse_section(struct reader *reader, const struct toml_item *item)
{
	char allowed[CONFIG_TEXT_LEN] = "";
	const char *best = NULL;
	size_t used = 0;

	for (unsigned i = 0; i < config_section_count; i++) {
		const struct config_section *section = &config_sections[i];

		config_guess(item->section, section->name, &best);
		used += (size_t)snprintf(allowed + used, sizeof(allowed) - used,
					 section->array ? "%s[[%s]]" : "%s[%s]", i ? ", " : "",
					 section->name);
	}
	return refuse(reader, item->line, "[%.40s]: unknown section%s%s%s; allowed: %s",
		      item->section, best ? ", did you mean \"" : "", best ? best : "",
		      best ? "\"?" : "", allowed);
}

/* "[tcp] ttl" or "[[port]] mtu". */
static void place_text(const struct config_section *section, const char *key, char text[80])
{
	snprintf(text, 80, section->array ? "[[%s]]%s%.40s" : "[%s]%s%.40s", section->name,
		 key ? " " : "", key ? key : "");
}

static int refuse_key(struct reader *reader, const struct toml_item *item,
		      const struct config_section *section)
{
	char allowed[RUNTIME_WHY_LEN] = "", place[80];
	const char *best = NULL;
	size_t used = 0;

	for (unsigned i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];

		if (strcmp(key->section, section->name) != 0)
			continue;
		config_guess(item->key, key->name, &best);
		if (used < sizeof(allowed))
			used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
						 used ? ", " : "", key->name);
	}
	place_text(section, item->key, place);
	if (best != NULL)
		return refuse(reader, item->line,
			      "%s: unknown key, did you mean \"%s\"? allowed: %s", place, best,
			      allowed);
	return refuse(reader, item->line, "%s: unknown key; allowed: %s", place, allowed);
}

/* --- taking over what was written --- */

static void remember(struct reader *reader, const struct config_section *section,
		     const struct config_key *key, const struct toml_item *item)
{
	if (reader->line_count < FOUND_LINE_MAX)
		reader->lines[reader->line_count++] =
			(struct line){section, key, item->index, item->line};
}

/* Where the key was written, else its section, else the first line. */
static int line_of(const struct reader *reader, const char *section, int index, const char *key)
{
	int line = 1;

	for (unsigned i = 0; i < reader->line_count; i++) {
		const struct line *at = &reader->lines[i];

		if (strcmp(at->section->name, section) != 0 || at->index != index)
			continue;
		if (at->key == NULL)
			line = at->line;
		else if (key != NULL && strcmp(at->key->name, key) == 0)
			return at->line;
	}
	return line;
}

/* Where the sections that may come more than once are kept. */
static const struct list {
	const char *section;
	size_t offset, element_size, count_offset; /* the count is a uint16_t */
	int count_max;
} lists[] = {
#define LIST(section, field, count)                                                                \
	{                                                                                          \
		section, offsetof(struct runtime_config, field),                                   \
			sizeof(((struct runtime_config *)0)->field[0]),                            \
			offsetof(struct runtime_config, count),                                    \
			sizeof(((struct runtime_config *)0)->field) /                              \
				sizeof(((struct runtime_config *)0)->field[0])                     \
	}
	LIST("port", ports, port_count),
	LIST("route", routes, route_count),
	LIST("neighbour", neighbours, neighbour_count),
#undef LIST
};

static const struct list *list_or_null(const char *section)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (strcmp(lists[i].section, section) == 0)
			return &lists[i];
	}
	return NULL;
}

/* The struct that the section's keys lie in; NULL: index is beyond the most there can be. */
static void *base_or_null(struct runtime_config *config, const char *section, int index)
{
	const struct list *list = list_or_null(section);

	if (list == NULL)
		return config;
	if (index < 0 || index >= list->count_max)
		return NULL;
	return (char *)config + list->offset + (size_t)index * list->element_size;
}

static void count_up(struct runtime_config *config, const char *section)
{
	(*(uint16_t *)((char *)config + list_or_null(section)->count_offset))++;
}

static void set_defaults(const char *section, void *base)
{
	for (unsigned i = 0; i < config_key_count; i++) {
		if (strcmp(config_keys[i].section, section) == 0)
			config_value_default(&config_keys[i], base);
	}
}

static int take_section(struct reader *reader, const struct toml_item *item,
			const struct config_section *section)
{
	void *base;

	if (section->array != (item->index >= 0))
		return refuse(reader, item->line, "%s: found %s%s%s; allowed: %s%s%s",
			      section->name, section->array ? "[" : "[[", section->name,
			      section->array ? "]" : "]]", section->array ? "[[" : "[",
			      section->name, section->array ? "]]" : "]");
	remember(reader, section, NULL, item);
	if (!section->array)
		return 0;
	base = base_or_null(reader->config, section->name, item->index);
	if (base == NULL)
		return refuse(reader, item->line, "[[%s]]: found %d of them; allowed: at most %d",
			      section->name, item->index + 1, item->index);
	count_up(reader->config, section->name);
	set_defaults(section->name, base);
	return 0;
}

static int take_key(struct reader *reader, const struct toml_item *item,
		    const struct config_section *section)
{
	const struct config_key *key = config_key_or_null(section->name, item->key);
	char found[CONFIG_TEXT_LEN], allowed[CONFIG_TEXT_LEN], place[80];

	if (key == NULL)
		return refuse_key(reader, item, section);
	remember(reader, section, key, item);
	if (config_value_set(key, item, base_or_null(reader->config, section->name, item->index)))
		return 0;
	config_value_found(item, found);
	config_value_allowed(key, allowed);
	place_text(section, key->name, place);
	return refuse(reader, item->line, "%s: found %s; allowed: %s", place, found, allowed);
}

static int take(const struct toml_item *item, void *arg)
{
	struct reader *reader = arg;
	const struct config_section *section = config_section_or_null(item->section);

	if (section == NULL && item->section[0] == '\0' && item->type != TOML_SECTION)
		return refuse(
			reader, item->line,
			"%.40s: found outside all sections; allowed: keys below a line such as "
			"[runtime]",
			item->key);
	if (section == NULL)
		return refuse_section(reader, item);
	return item->type == TOML_SECTION ? take_section(reader, item, section)
					  : take_key(reader, item, section);
}

static int take_all(struct reader *reader, const char *text, size_t len)
{
	char why[CONFIG_TEXT_LEN];
	int line = 0, column = 0;
	const int rc = toml_read(text, len, take, reader, &line, &column, why, sizeof(why));

	if (rc != -1)
		return rc;
	return refuse(reader, line, "found at column %d what is not TOML: %s", column, why);
}

/* --- the whole --- */

static bool was_written(const struct reader *reader, const struct config_key *key, int index)
{
	for (unsigned i = 0; i < reader->line_count; i++) {
		if (reader->lines[i].key == key && reader->lines[i].index == index)
			return true;
	}
	return false;
}

static int check_required(struct reader *reader)
{
	char allowed[CONFIG_TEXT_LEN], place[80];

	for (unsigned i = 0; i < reader->line_count; i++) {
		const struct line *at = &reader->lines[i];

		if (at->key != NULL)
			continue;
		for (unsigned k = 0; k < config_key_count; k++) {
			const struct config_key *key = &config_keys[k];

			if (strcmp(key->section, at->section->name) != 0 || key->initial != NULL ||
			    was_written(reader, key, at->index))
				continue;
			place_text(at->section, key->name, place);
			config_value_allowed(key, allowed);
			return refuse(reader, at->line,
				      "%s: found nothing, it is required; "
				      "allowed: %s",
				      place, allowed);
		}
	}
	return 0;
}

static int check_all(struct reader *reader)
{
	char found[RUNTIME_WHY_LEN], text[80];
	struct config_place place;
	const char *allowed;

	if (config_check(reader->config, &place, found, &allowed))
		return 0;
	place_text(config_section_or_null(place.section), place.key, text);
	return refuse(reader, line_of(reader, place.section, place.index, place.key),
		      "%s: found %.160s; allowed: %s", text, found, allowed);
}

static int read_all(struct reader *reader, const struct config_base *base, const char *text,
		    size_t len)
{
	int rc;

	for (unsigned i = 0; i < config_section_count; i++) {
		if (!config_sections[i].array)
			set_defaults(config_sections[i].name, reader->config);
	}
	rc = take_all(reader, base->keys, strlen(base->keys));
	if (rc == 0)
		rc = take_all(reader, text, len);
	if (rc == 0)
		rc = check_required(reader);
	if (rc == 0 && reader->config->port_count == 0)
		rc = take_all(reader, base->port, strlen(base->port));
	return rc != 0 ? rc : check_all(reader);
}

int config_parse_over(const struct config_base *base, const char *name, const char *text,
		      size_t len, struct runtime_config *config, char why[RUNTIME_WHY_LEN])
{
	struct reader *reader = calloc(1, sizeof(*reader));
	int rc;

	if (reader == NULL) {
		snprintf(why, RUNTIME_WHY_LEN, "%.160s: out of memory", name);
		return -ENOMEM;
	}
	memset(config, 0, sizeof(*config));
	reader->name = name;
	reader->config = config;
	reader->why = why;
	rc = read_all(reader, base, text, len);
	free(reader);
	return rc;
}

int config_parse(const char *name, const char *text, size_t len, struct runtime_config *config,
		 char why[RUNTIME_WHY_LEN])
{
	const struct config_base base = {.keys = "", .port = builtin};

	return config_parse_over(&base, name, text, len, config, why);
}
