/*
 * A TOML document as a flat list of what was written where. Behind it is toml++, in sdk/toml.cpp,
 * the only C++ of Clowder.
 */
#ifndef SDK_TOML_H
#define SDK_TOML_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum toml_type {
	TOML_SECTION, /* a table; key is NULL */
	TOML_STRING,
	TOML_INTEGER,
	TOML_BOOLEAN,
	TOML_INTEGERS, /* an array of integers: text is "1, 2, 3" */
	TOML_OTHER,    /* anything else; text says what */
};

struct toml_item {
	enum toml_type type;
	const char *section; /* "" outside all tables */
	int index;	     /* of an array of tables, from 0; -1: not an array */
	const char *key;
	const char *text; /* the value; a string's without quotes */
	int line, column;
};

/*
 * Calls fn for every table and value in the order of the document; a result that is not 0 ends it
 * and is returned. A text that is not TOML gives -1, where in *line and *column, and what in why.
 * Items are valid during the call only.
 */
int toml_read(const char *text, size_t len, int (*fn)(const struct toml_item *item, void *arg),
	      void *arg, int *line, int *column, char *why, size_t why_len);

#ifdef __cplusplus
}
#endif

#endif
