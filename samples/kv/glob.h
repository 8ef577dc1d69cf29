/*
 * Patterns of KEYS, SCAN, CONFIG GET, PSUBSCRIBE: Redis's own kind of glob. '*' any run, '?' any
 * byte, [a-z] [^a-z] a class, '\' takes the next byte as it is. Bytes, not characters.
 */
#ifndef KV_GLOB_H
#define KV_GLOB_H

#include "kv/slice.h"

#include <stdbool.h>

/* At most pattern.len * text.len steps, no recursion, whatever the pattern. Empty text matches an
 * empty pattern only, as in Redis. */
bool glob_match(struct slice pattern, struct slice text, bool nocase);

#endif
