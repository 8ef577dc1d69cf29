#include "kv/split.h"

#include <ctype.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that is written with a backslash at *at, which moves to the last byte of it. */
static char take_escape(const char **at, const char *end)
{
	const char *c = *at + 1;

	if (*c == 'x' && end - c > 2 && hex_digit(c[1]) >= 0 && hex_digit(c[2]) >= 0) {
		*at = c + 2;
		return (char)(hex_digit(c[1]) << 4 | hex_digit(c[2]));
	}
	*at = c;
	switch (*c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'b':
		return '\b';
	case 'a':
		return '\a';
	default:
		return *c;
	}
}

/* From behind a quote to behind the one that closes it, which must end the word. */
static bool take_quoted(const char **from, const char *end, char quote, char **to)
{
	for (const char *at = *from; at < end; at++) {
		const bool backslash = *at == '\\' && at + 1 < end;

		if (*at == quote) {
			*from = at + 1;
			return *from == end || isspace((unsigned char)**from);
		}
		if (backslash && quote == '"')
			*(*to)++ = take_escape(&at, end);
		else if (backslash && at[1] == quote)
			*(*to)++ = *++at;
		else
			*(*to)++ = *at;
	}
	return false;
}

enum split_status split_next(const char **from, const char *end, char **to, struct slice *word)
{
	const char *at = *from;

	while (at < end && isspace((unsigned char)*at))
		at++;
	*from = at;
	if (at == end)
		return SPLIT_END;
	word->data = *to;
	for (; at < end; at++) {
		if (*at == '"' || *at == '\'') {
			const char quote = *at++;

			if (!take_quoted(&at, end, quote, to))
				return SPLIT_UNBALANCED;
			break;
		}
		if (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
			break;
		*(*to)++ = *at;
	}
	*from = at;
	word->len = (size_t)(*to - word->data);
	return SPLIT_WORD;
}
