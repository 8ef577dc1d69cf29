/* The functions that commands.def names, for the files that they are in. */
#ifndef KV_COMMANDS_H
#define KV_COMMANDS_H

#include "kv/command.h"

#define COMMAND(name, run, ...) void run(struct call *call);
#define SERVER(name, run, ...)	void run(struct call *call);
#define SESSION(name, run, ...) void run(struct call *call);
#define CONTAINER(...)
#include "kv/commands.def"
#undef COMMAND
#undef SESSION
#undef SERVER
#undef CONTAINER

#endif
