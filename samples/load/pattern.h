/*
 * Bytes that nobody would send by mistake: each depends on a seed and on its place, so that bytes
 * of another connection, another value or another place are told from the right ones.
 */
#ifndef LOAD_PATTERN_H
#define LOAD_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

/* Writes the bytes offset .. offset + len - 1 of the seed's endless pattern. */
void pattern_fill(uint64_t seed, uint64_t offset, uint8_t *out, uint32_t len);
/* These are they. */
bool pattern_is(uint64_t seed, uint64_t offset, const uint8_t *data, uint32_t len);

#endif
