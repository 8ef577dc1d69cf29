/* What a client has queued between MULTI and EXEC: steps for router_exec(). */
#ifndef KV_TRANSACTION_H
#define KV_TRANSACTION_H

#include "kv/args.h"
#include "kv/router.h"

#include <stdbool.h>
#include <stddef.h>

struct transaction {
	bool open;   /* MULTI was said */
	bool failed; /* something could not be queued: EXECABORT */
	int count, room;
	int db;	    /* as SELECTs among them leave it */
	size_t len; /* what is queued takes */
	struct router_step *steps;
	struct args **args; /* of each step */
};

/* Zeros: not open. */
void transaction_open(struct transaction *transaction, int db);
/* Forgets what is queued; not open any more. */
void transaction_clear(struct transaction *transaction);
/* False: no memory, and the transaction has failed. */
bool transaction_add(struct transaction *transaction, const struct command *command, int argc,
		     const struct arg *argv);

#endif
