/* A '*' is tried at each length only until the next '*' is reached: nothing before that one can
 * mend what fails behind it, so one place to go back to is enough. */
#include "kv/glob.h"

#include <stdint.h>

static int fold(char byte, bool nocase)
{
	return nocase && byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte;
}

/* pattern[0] is '['. A class that has no end ends with the pattern. Bytes are signed in a range,
 * as Redis compares them. */
static size_t match_class(struct slice pattern, char byte, bool nocase, bool *matched)
{
	size_t at = 1;
	bool negated = at < pattern.len && pattern.data[at] == '^';
	int c = fold(byte, nocase);
	bool found = false;

	at += negated;
	for (; at < pattern.len && pattern.data[at] != ']'; at++) {
		size_t left = pattern.len - at;
		int low = fold(pattern.data[at], nocase);

		if (left >= 2 && pattern.data[at] == '\\') {
			at++;
			found = found || pattern.data[at] == byte;
		} else if (left >= 3 && pattern.data[at + 1] == '-') {
			int high = fold(pattern.data[at + 2], nocase);

			at += 2;
			found = found ||
				(low <= high ? c >= low && c <= high : c >= high && c <= low);
		} else {
			found = found || low == c;
		}
	}
	*matched = found != negated;
	return at < pattern.len ? at + 1 : pattern.len;
}

/* Whether the pattern's first element, which is no '*', matches the byte; returns its length. */
static size_t match_one(struct slice pattern, char byte, bool nocase, bool *matched)
{
	size_t at = 0;

	switch (pattern.data[0]) {
	case '?':
		*matched = true;
		return 1;
	case '[':
		return match_class(pattern, byte, nocase, matched);
	case '\\':
		at = pattern.len >= 2;
		break;
	default:
		break;
	}
	*matched = fold(pattern.data[at], nocase) == fold(byte, nocase);
	return at + 1;
}

bool glob_match(struct slice pattern, struct slice text, bool nocase)
{
	size_t p = 0, t = 0;
	size_t star_p = SIZE_MAX, star_t = 0; /* behind the last '*', and where its rest is tried */

	if (text.len == 0)
		return pattern.len == 0;
	while (t < text.len) {
		bool matched = false;

		if (p < pattern.len && pattern.data[p] == '*') {
			star_p = ++p;
			star_t = t;
			if (p == pattern.len)
				return true;
			continue;
		}
		if (p < pattern.len) {
			struct slice rest = {pattern.data + p, pattern.len - p};
			size_t used = match_one(rest, text.data[t], nocase, &matched);

			p += matched ? used : 0;
		}
		if (matched) {
			t++;
		} else if (star_p != SIZE_MAX) {
			p = star_p;
			t = ++star_t;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}
