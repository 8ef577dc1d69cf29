/*
 * How libFuzzer changes a script: by whole moves, and inside one. Its own mutations, which know
 * nothing of moves, come last and rarely.
 */
#include "move.h"
#include "target.h"

#include <stdbool.h>
#include <stdlib.h>

enum { RUN_MAX = 6 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t len_max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t len_max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
				 uint8_t *out, size_t out_len_max, unsigned seed);

static unsigned dice(unsigned *seed, size_t sides)
{
	return (unsigned)((unsigned)rand_r(seed) % sides);
}

/* count moves at `at` of a script of *count_all become the ones that `from` has. */
static bool insert(uint8_t *data, size_t *count_all, size_t at, const uint8_t *from, size_t count,
		   size_t count_max)
{
	if (*count_all + count > count_max)
		return false;
	memmove(data + (at + count) * MOVE_LEN, data + at * MOVE_LEN, (*count_all - at) * MOVE_LEN);
	memcpy(data + at * MOVE_LEN, from, count * MOVE_LEN);
	*count_all += count;
	return true;
}

static bool insert_new(uint8_t *data, size_t *count, size_t count_max, unsigned *seed)
{
	static const uint8_t controls[] = {
		0,	  0,	   MOVE_NEW, MOVE_DATA, MOVE_FLAGS, MOVE_SEQ, MOVE_SEQ | MOVE_DATA,
		MOVE_ACK, MOVE_WND};
	uint8_t fresh[MOVE_LEN];

	for (unsigned i = 0; i < MOVE_LEN; i++)
		fresh[i] = (uint8_t)dice(seed, 256);
	fresh[0] = (uint8_t)dice(seed, MOVE_KINDS);
	fresh[1] = (uint8_t)dice(seed, 3);
	fresh[2] = controls[dice(seed, sizeof(controls))];
	return insert(data, count, 1 + dice(seed, *count), fresh, 1, count_max);
}

static bool copy_run(uint8_t *data, size_t *count, size_t count_max, unsigned *seed)
{
	uint8_t run[RUN_MAX * MOVE_LEN];
	size_t from = dice(seed, *count), len = 1 + dice(seed, RUN_MAX);

	if (len > *count - from)
		len = *count - from;
	memcpy(run, data + from * MOVE_LEN, len * MOVE_LEN);
	return insert(data, count, 1 + dice(seed, *count), run, len, count_max);
}

static bool remove_run(uint8_t *data, size_t *count, unsigned *seed)
{
	size_t at = dice(seed, *count), len = 1 + dice(seed, RUN_MAX);

	if (*count < 2)
		return false;
	if (len > *count - at)
		len = *count - at;
	memmove(data + at * MOVE_LEN, data + (at + len) * MOVE_LEN, (*count - at - len) * MOVE_LEN);
	*count -= len;
	return true;
}

static bool swap(uint8_t *data, size_t count, unsigned *seed)
{
	uint8_t *a = data + dice(seed, count) * MOVE_LEN, *b = data + dice(seed, count) * MOVE_LEN;
	uint8_t kept[MOVE_LEN];

	memcpy(kept, a, MOVE_LEN);
	memmove(a, b, MOVE_LEN);
	memcpy(b, kept, MOVE_LEN);
	return a != b;
}

/* A number by a little: edges are where they are off by one. */
static void nudge(uint8_t *number, unsigned *seed)
{
	uint16_t value;

	memcpy(&value, number, sizeof(value));
	value = (uint16_t)(value + dice(seed, 7) - 3);
	memcpy(number, &value, sizeof(value));
}

static bool change(uint8_t *data, size_t count, unsigned *seed)
{
	uint8_t *m = data + dice(seed, count) * MOVE_LEN;

	switch (dice(seed, 5)) {
	case 0:
		m[dice(seed, MOVE_LEN)] ^= (uint8_t)(1u << dice(seed, 8));
		break;
	case 1:
		m[dice(seed, MOVE_LEN)] = (uint8_t)dice(seed, 256);
		break;
	case 2:
		m[0] = (uint8_t)dice(seed, MOVE_KINDS);
		break;
	case 3:
		nudge(m + 4 + 2 * dice(seed, 4), seed);
		break;
	default:
		LLVMFuzzerMutate(m, MOVE_LEN, MOVE_LEN);
	}
	return true;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t len_max, unsigned seed)
{
	size_t count = len / MOVE_LEN;
	const size_t count_max = len_max / MOVE_LEN;
	bool done = false;

	if (count == 0 || count_max < 2 || dice(&seed, 50) == 0)
		return LLVMFuzzerMutate(data, len, len_max);
	for (unsigned tries = 0; !done && tries < 10; tries++) {
		switch (dice(&seed, 8)) {
		case 0:
			done = insert_new(data, &count, count_max, &seed);
			break;
		case 1:
			done = copy_run(data, &count, count_max, &seed);
			break;
		case 2:
			done = remove_run(data, &count, &seed);
			break;
		case 3:
			done = swap(data, count, &seed);
			break;
		default:
			done = change(data, count, &seed);
		}
	}
	return count * MOVE_LEN;
}

/* The beginning of one, and from somewhere on the other. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
				 uint8_t *out, size_t out_len_max, unsigned seed)
{
	size_t a_count = a_len / MOVE_LEN, b_count = b_len / MOVE_LEN, room;
	size_t count = dice(&seed, a_count + 1), from = b_count ? dice(&seed, b_count) : 0;

	room = out_len_max / MOVE_LEN;
	if (count > room)
		count = room;
	room -= count;
	if (a_count == 0)
		count = 0;
	memcpy(out, a, count * MOVE_LEN);
	b_count -= from;
	if (b_count > room)
		b_count = room;
	memcpy(out + count * MOVE_LEN, b + from * MOVE_LEN, b_count * MOVE_LEN);
	return (count + b_count) * MOVE_LEN;
}
