/* Which key is asked for: numbers 0 .. count - 1, the first ones the more popular. */
#ifndef LOAD_KEYS_H
#define LOAD_KEYS_H

#include "load/dice.h"

#include <stdint.h>

enum keys_kind {
	KEYS_UNIFORM,
	KEYS_ZIPF, /* the k-th most popular one with a weight of 1 / k^exponent */
	KEYS_HOT,  /* always the first */
};

/* Zipf's by rejection from the inverted integral of its hat (Hoermann and Derflinger, 1996): exact,
 * without a table, and a little over one round whatever the count. */
struct keys {
	enum keys_kind kind;
	uint64_t count;
	double exponent;
	double area_begin, area_end, shortcut;
};

/* count: at least 1; exponent: above 0. */
void keys_init(struct keys *keys, enum keys_kind kind, uint64_t count, double exponent);
uint64_t keys_draw(const struct keys *keys, struct dice *dice);

#endif
