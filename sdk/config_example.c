/*
 * Prints config.toml.example from the list of keys; a program of the build.
 */
#include "mem/check.h"
#include "sdk/config_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 96 };

static const char head[] =
	"# Clowder's configuration, with every key there is. Generated from sdk/config_keys.h.\n"
	"#\n"
	"#     cp config.toml.example config.toml\n"
	"#     build/samples/echo --config config.toml\n"
	"#\n"
	"# Lines that begin with '#' show defaults, or what a line could look like. Other "
	"programs\n"
	"# read the file that CONFIG_PATH in the environment names.\n";

/* The sentence as comment lines of at most WIDTH columns. */
static void print_comment(const char *text)
{
	while (*text != '\0') {
		size_t len = strlen(text);

		if (len > WIDTH - 2) {
			len = WIDTH - 2;
			while (len > 0 && text[len] != ' ')
				len--;
		}
		printf("# %.*s\n", (int)len, text);
		text += len;
		while (*text == ' ')
			text++;
	}
}

static void print_key(const struct config_key *key, bool section_shown)
{
	char allowed[CONFIG_TEXT_LEN], comment[1024];
	const bool shown = section_shown && key->sample[0] != '\0' && key->sample[0] != '#';
	const char *value = key->sample[0] == '\0' ? key->initial : key->sample;
	const bool has_default = key->initial != NULL && key->initial[0] != '\0';

	CHECK(value != NULL); /* a required key has a sample */
	config_value_allowed(key, allowed);
	snprintf(comment, sizeof(comment), "%s Allowed: %s.%s%s%s", key->sentence, allowed,
		 key->initial == NULL ? " Required." : "", has_default && shown ? " Default: " : "",
		 has_default && shown ? key->initial : "");
	putchar('\n');
	print_comment(comment);
	printf("%s%s = %s\n", shown ? "" : "#", key->name, value[0] == '#' ? value + 1 : value);
}

/* A section of an array is there only if one of its keys is. */
static bool is_shown(const struct config_section *section)
{
	if (!section->array)
		return true;
	for (unsigned i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];

		if (strcmp(key->section, section->name) == 0 && key->sample[0] != '\0' &&
		    key->sample[0] != '#')
			return true;
	}
	return false;
}

int main(void)
{
	fputs(head, stdout);
	for (unsigned s = 0; s < config_section_count; s++) {
		const struct config_section *section = &config_sections[s];
		const bool shown = is_shown(section);

		printf("\n");
		print_comment(section->sentence);
		printf(section->array ? "%s[[%s]]\n" : "%s[%s]\n", shown ? "" : "#", section->name);
		for (unsigned i = 0; i < config_key_count; i++) {
			if (strcmp(config_keys[i].section, section->name) == 0)
				print_key(&config_keys[i], shown);
		}
	}
	return ferror(stdout) != 0;
}
