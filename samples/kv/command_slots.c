/*
 * Run when kv is built: writes the table by which a command is found at one look, as C. A seed is
 * searched for which no two names share a slot.
 */
#include "kv/command_hash.h"

#include <stdio.h>
#include <string.h>

#define COMMAND(name, ...)   name,
#define SESSION(name, ...)   name,
#define SERVER(name, ...)    name,
#define CONTAINER(name, ...) name,
static const char *const names[] = {
#include "kv/commands.def"
};

enum { COUNT = sizeof(names) / sizeof(names[0]), TRIES_MAX = 10000000 };

static unsigned slots[1 << COMMAND_SLOT_BITS]; /* 0: none, else the index and one */

static int fill(uint64_t seed)
{
	memset(slots, 0, sizeof(slots));
	for (unsigned i = 0; i < COUNT; i++) {
		unsigned *slot =
			&slots[command_slot(command_hash(seed, names[i], strlen(names[i])))];

		if (*slot)
			return 0;
		*slot = i + 1;
	}
	return 1;
}

static int write_table(FILE *file, uint64_t seed)
{
	fprintf(file, "#define COMMAND_SEED UINT64_C(%llu)\n", (unsigned long long)seed);
	fputs("static const uint16_t slots[1 << COMMAND_SLOT_BITS] = {\n", file);
	for (unsigned i = 0; i < 1 << COMMAND_SLOT_BITS; i++)
		if (slots[i])
			fprintf(file, "\t[%u] = %u,\n", i, slots[i]);
	fputs("};\n", file);
	return fclose(file);
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "we") : NULL;
	uint64_t seed = 0;

	if (!file) {
		fputs("usage: kv_command_slots <header to write>\n", stderr);
		return 2;
	}
	for (unsigned i = 0; i < COUNT; i++)
		for (unsigned j = 0; j < i; j++)
			if (strcmp(names[i], names[j]) == 0) {
				fprintf(stderr, "commands.def: %s is there twice\n", names[i]);
				return 1;
			}
	while (!fill(++seed))
		if (seed == TRIES_MAX) {
			fputs("commands.def: too many for COMMAND_SLOT_BITS\n", stderr);
			return 1;
		}
	return write_table(file, seed) ? 1 : 0;
}
