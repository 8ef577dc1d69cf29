#include "load/pattern.h"

#include "load/dice.h"

#include <string.h>

enum { WORD_LEN = 8 };

static uint64_t word(uint64_t seed, uint64_t number)
{
	return dice_mix(seed ^ number * UINT64_C(0xd1342543de82ef95));
}

/* What lies before the first whole word, of which there are len bytes. */
static uint32_t part_len(uint64_t offset, uint32_t len)
{
	const uint32_t left = (uint32_t)(-offset % WORD_LEN);

	return left < len ? left : len;
}

static void fill_part(uint64_t seed, uint64_t offset, uint8_t *out, uint32_t len)
{
	const uint64_t w = word(seed, offset / WORD_LEN);

	memcpy(out, (const uint8_t *)&w + offset % WORD_LEN, len);
}

static bool part_is(uint64_t seed, uint64_t offset, const uint8_t *data, uint32_t len)
{
	const uint64_t w = word(seed, offset / WORD_LEN);

	return memcmp(data, (const uint8_t *)&w + offset % WORD_LEN, len) == 0;
}

void pattern_fill(uint64_t seed, uint64_t offset, uint8_t *out, uint32_t len)
{
	const uint32_t first = part_len(offset, len), end = len - (len - first) % WORD_LEN;
	uint64_t w;

	if (first)
		fill_part(seed, offset, out, first);
	for (uint32_t at = first; at < end; at += WORD_LEN) {
		w = word(seed, (offset + at) / WORD_LEN);
		memcpy(out + at, &w, WORD_LEN);
	}
	if (end < len)
		fill_part(seed, offset + end, out + end, len - end);
}

bool pattern_is(uint64_t seed, uint64_t offset, const uint8_t *data, uint32_t len)
{
	const uint32_t first = part_len(offset, len), end = len - (len - first) % WORD_LEN;
	bool same = first == 0 || part_is(seed, offset, data, first);
	uint64_t w;

	for (uint32_t at = first; at < end; at += WORD_LEN) {
		memcpy(&w, data + at, WORD_LEN);
		same &= w == word(seed, (offset + at) / WORD_LEN);
	}
	return same && (end == len || part_is(seed, offset + end, data + end, len - end));
}
