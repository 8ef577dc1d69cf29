/* A store for a test, and short ways to say what is done with it. */
#ifndef STORE_TEST_H
#define STORE_TEST_H

#include "kv/store.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const uint64_t NOW = UINT64_C(1700000000000);

static inline struct store *store_new(const struct store_config *config,
				      const struct store_events *events)
{
	static const uint8_t seed[16] = "a test's seed...";

	return store_create_or_null(config, events, seed);
}

/* "key:%08u" */
struct name {
	char text[16];
};

static inline struct slice name_of(unsigned i, struct name *name)
{
	int len = snprintf(name->text, sizeof(name->text), "key:%08u", i);

	return (struct slice){name->text, (size_t)len};
}

static inline unsigned number_of(struct slice key)
{
	unsigned number = 0;

	for (size_t i = 4; i < key.len; i++)
		number = number * 10 + (unsigned)(key.data[i] - '0');
	return number;
}

static inline struct entry *set(struct store *store, const char *key, const char *value)
{
	return store_set_or_null(store, 0, slice_of(key), slice_of(value), STORE_NEVER, NOW);
}

static inline struct entry *peek(struct store *store, const char *key)
{
	return store_peek_or_null(store, 0, slice_of(key), NOW);
}

static inline struct store_figures figures_of(const struct store *store)
{
	struct store_figures figures;

	store_figures(store, &figures);
	return figures;
}

#endif
