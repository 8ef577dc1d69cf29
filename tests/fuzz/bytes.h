/* An input as its target reads it: value after value from the front; behind the end are zeros. */
#ifndef TESTS_FUZZ_BYTES_H
#define TESTS_FUZZ_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *at;
	size_t len;
};

/* The next n bytes in place, at most as many as there are; *n says how many. */
static inline const uint8_t *bytes_take(struct bytes *b, size_t *n)
{
	const uint8_t *at = b->at;

	if (*n > b->len)
		*n = b->len;
	b->at = *n ? b->at + *n : at; /* of an input without bytes it may be NULL */
	b->len -= *n;
	return at;
}

static inline uint32_t bytes_number(struct bytes *b, size_t n)
{
	const uint8_t *at = bytes_take(b, &n);
	uint32_t value = 0;

	while (n-- > 0)
		value = value << 8 | at[n];
	return value;
}

static inline uint8_t bytes_u8(struct bytes *b)
{
	return (uint8_t)bytes_number(b, 1);
}

static inline uint16_t bytes_u16(struct bytes *b)
{
	return (uint16_t)bytes_number(b, 2);
}

static inline uint32_t bytes_u32(struct bytes *b)
{
	return bytes_number(b, 4);
}

#endif
