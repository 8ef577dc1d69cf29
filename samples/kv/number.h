/* Numbers as text, by Redis's rules: what is taken for one, and how one is written. */
#ifndef KV_NUMBER_H
#define KV_NUMBER_H

#include "kv/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NUMBER_LEN_MAX = 21, /* of an int64_t, and a sign more */
	NUMBER_LONG_DOUBLE_LEN_MAX = 5 * 1024,
};

/* The shortest form of an int64_t and nothing else: no space, no plus, no leading zero, no -0. */
bool number_parse(struct slice text, int64_t *out);
/* Returns its length; no zero comes behind. */
size_t number_print(char to[NUMBER_LEN_MAX], int64_t value);
size_t number_print_unsigned(char to[NUMBER_LEN_MAX], uint64_t value);
/* What strtold() takes, whole: inf among it, but neither NaN nor what is out of range. */
bool number_parse_long_double(struct slice text, long double *out);
/* As INCRBYFLOAT writes it: 17 places at most, never an exponent. Returns its length. */
size_t number_print_long_double(char to[NUMBER_LONG_DOUBLE_LEN_MAX], long double value);

#endif
