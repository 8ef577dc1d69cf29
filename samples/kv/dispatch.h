/* What becomes of a command that a client has sent: refused, queued, run here, or routed. */
#ifndef KV_DISPATCH_H
#define KV_DISPATCH_H

#include "kv/command.h"

#include <stdbool.h>

struct session;

/* The command in session->in. False: it has to wait, and is to be dispatched again later. */
bool dispatch(struct session *session);
/* Runs one of COMMAND_SESSION, for router_exec(), too. */
void dispatch_here(struct call *call);

#endif
