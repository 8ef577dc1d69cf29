/* What COMMAND INFO says of a command that kv itself does not go by. */
#ifndef KV_COMMAND_FACTS_H
#define KV_COMMAND_FACTS_H

#include "kv/command.h"

/* Words, with a blank between them. */
struct command_facts {
	const char *name;
	const char *flags, *tips;
	const char *first_key,
		*other_keys; /* first_key "": all are read; other_keys "": as the first */
};

/* Those of a command without any, if it has none. */
const struct command_facts *command_facts(const struct command *command);

#endif
