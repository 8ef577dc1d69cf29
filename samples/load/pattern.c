#include "load/pattern.h"

#include "load/dice.h"

#include <string.h>

enum { WORD_LEN = 8 };

static uint64_t word(uint64_t seed, uint64_t number)
{
	return dice_mix(seed ^ number * UINT64_C(0xd1342543de82ef95));
}

/* The part of a word that lies in what is left: from its byte `skip` on. */
static uint32_t part_len(uint32_t skip, uint32_t left)
{
	return left < WORD_LEN - skip ? left : WORD_LEN - skip;
}

void pattern_fill(uint64_t seed, uint64_t offset, uint8_t *out, uint32_t len)
{
	while (len > 0) {
		const uint64_t w = word(seed, offset / WORD_LEN);
		const uint32_t skip = (uint32_t)(offset % WORD_LEN), n = part_len(skip, len);

		memcpy(out, (const uint8_t *)&w + skip, n);
		out += n;
		offset += n;
		len -= n;
	}
}

bool pattern_is(uint64_t seed, uint64_t offset, const uint8_t *data, uint32_t len)
{
	bool same = true;

	while (len > 0) {
		const uint64_t w = word(seed, offset / WORD_LEN);
		const uint32_t skip = (uint32_t)(offset % WORD_LEN), n = part_len(skip, len);

		same &= memcmp(data, (const uint8_t *)&w + skip, n) == 0;
		data += n;
		offset += n;
		len -= n;
	}
	return same;
}
