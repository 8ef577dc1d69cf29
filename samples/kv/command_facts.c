#include "kv/command_facts.h"

#include <string.h>

#define FACT(name, flags, tips, first_key, other_keys) {name, flags, tips, first_key, other_keys},
static const struct command_facts table[] = {
#include "kv/command_facts.def"
};

const struct command_facts *command_facts(const struct command *command)
{
	static const struct command_facts none = {"", "", "", "", ""};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].name, command->name) == 0)
			return &table[i];
	return &none;
}
