/* The hash of commands' names, any case; command_slots.c finds a seed for which all differ. */
#ifndef KV_COMMAND_HASH_H
#define KV_COMMAND_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { COMMAND_SLOT_BITS = 12 };

static inline uint64_t command_hash(uint64_t hash, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)(text[i] | 0x20)) * UINT64_C(0x9e3779b97f4a7c15);
	return hash;
}

static inline unsigned command_slot(uint64_t hash)
{
	return (unsigned)(hash >> (64 - COMMAND_SLOT_BITS));
}

#endif
