/*
 * The bytes that go to and fro. A stream begins with its kind and number, so that the server knows
 * what to do with the first byte already, and what to expect; each further byte follows from the
 * number and its place.
 */
#ifndef TESTS_SIM_STREAM_H
#define TESTS_SIM_STREAM_H

#include <demi/wait.h>
#include <stdint.h>
#include <string.h>

enum { STREAM_HEADER_LEN = 8 };

static inline uint8_t stream_byte(uint32_t number, uint8_t kind, uint64_t at)
{
	if (at >= 1 && at <= 4)
		return (uint8_t)(number >> 8 * (at - 1));
	if (at < STREAM_HEADER_LEN)
		return kind;
	return (uint8_t)((number + at) * 0x9e3779b97f4a7c15u >> 56);
}

static inline void stream_fill(uint8_t *bytes, uint32_t len, uint32_t number, uint8_t kind,
			       uint64_t at)
{
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = stream_byte(number, kind, at + i);
}

/* The place of the first wrong byte, or len. */
static inline uint32_t stream_compare(const uint8_t *bytes, uint32_t len, uint32_t number,
				      uint8_t kind, uint64_t at)
{
	uint32_t i = 0;

	while (i < len && bytes[i] == stream_byte(number, kind, at + i))
		i++;
	return i;
}

/* A slow reader: the stack lives on, and nobody asks for results. */
static inline void stream_pause(uint64_t pause_ns)
{
	const struct timespec pause = {0, (long)pause_ns};
	const demi_qtoken_t none = 0;
	demi_qresult_t result;
	int offset;

	(void)demi_wait_any(&result, &offset, &none, 0, &pause);
}

#endif
