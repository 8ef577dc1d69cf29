/* Lines as in redis.conf. */
#include "kv/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool blank(char byte)
{
	return isspace((unsigned char)byte) != 0;
}

static int hex_value(char byte)
{
	return isdigit((unsigned char)byte) ? byte - '0' : tolower((unsigned char)byte) - 'a' + 10;
}

/* What stands behind a backslash; returns how much of it was used. */
static size_t unescape(const char *from, char *to)
{
	static const char names[] = "nrtba", bytes[] = "\n\r\t\b\a";
	const char *name = *from == 0 ? NULL : strchr(names, *from);

	if (from[0] == 'x' && isxdigit((unsigned char)from[1]) &&
	    isxdigit((unsigned char)from[2])) {
		*to = (char)(hex_value(from[1]) * 16 + hex_value(from[2]));
		return 3;
	}
	*to = name != NULL ? bytes[name - names] : *from;
	return 1;
}

/* Copies one word without its quotes, which must end before a blank; it never gets longer, so to
 * may be where it comes from. False: the quotes are not balanced. */
static bool take_word(const char **from, char **to)
{
	const char *in = *from;
	char quote = *in == '"' || *in == '\'' ? *in++ : 0;

	while (*in != 0 && (quote != 0 ? *in != quote : !blank(*in))) {
		if (quote == '"' && *in == '\\' && in[1] != 0) {
			in++;
			in += unescape(in, (*to)++);
		} else if (quote == '\'' && *in == '\\' && in[1] == '\'') {
			*(*to)++ = '\'';
			in += 2;
		} else {
			*(*to)++ = *in++;
		}
	}
	if (quote != 0 && (*in++ != quote || (*in != 0 && !blank(*in))))
		return false;
	*from = in;
	return true;
}

/* The line becomes its words, one blank between those of the value. NULL, or what is wrong. */
static const char *unquote(char *line, struct slice *name, struct slice *value)
{
	const char *from = line;
	char *to = line, *value_at = line;
	int words = 0;

	for (;; words++) {
		while (*from != 0 && blank(*from))
			from++;
		if (*from == 0)
			break;
		if (words > 1)
			*to++ = ' ';
		if (!take_word(&from, &to))
			return "unbalanced quotes";
		if (words == 0)
			value_at = to;
	}
	*name = (struct slice){line, (size_t)(value_at - line)};
	*value = (struct slice){value_at, (size_t)(to - value_at)};
	return words >= 2 ? NULL : "wrong number of arguments";
}

static bool set_line(struct settings *settings, char *line, char error[SETTINGS_ERROR_LEN])
{
	struct slice name, value;
	const char *wrong;

	while (blank(*line))
		line++;
	if (*line == 0 || *line == '#')
		return true;
	wrong = unquote(line, &name, &value);
	if (wrong != NULL) {
		snprintf(error, SETTINGS_ERROR_LEN, "%s", wrong);
		return false;
	}
	return settings_set(settings, name, value, SETTINGS_START, error);
}

bool settings_read_file(struct settings *settings, const char *path, char error[SETTINGS_ERROR_LEN])
{
	FILE *file = fopen(path, "re");
	char *line = NULL, why[SETTINGS_ERROR_LEN];
	size_t cap = 0;
	unsigned number = 0;
	bool good = true;

	if (file == NULL) {
		snprintf(error, SETTINGS_ERROR_LEN, "%.128s: %s", path, strerror(errno));
		return false;
	}
	while (good && getline(&line, &cap, file) >= 0) {
		number++;
		good = set_line(settings, line, why);
	}
	if (!good)
		snprintf(error, SETTINGS_ERROR_LEN, "%.80s:%u: %.150s", path, number, why);
	snprintf(settings->file, sizeof(settings->file), "%s", path);
	free(line);
	fclose(file);
	return good;
}
