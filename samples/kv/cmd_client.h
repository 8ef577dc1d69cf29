/* What CLIENT has that other commands need: names of clients. */
#ifndef KV_CMD_CLIENT_H
#define KV_CMD_CLIENT_H

#include "kv/command.h"

#include <stdbool.h>

struct session;

/* False: with the error. */
bool cmd_client_name_valid(struct call *call, struct slice name);
/* Replaces *to by a copy of text; NULL if that is empty, or there is no memory. */
void cmd_client_set(char **to, struct slice text);

#endif
