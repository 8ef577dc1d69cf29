/* The program of a client's shard: streams to the server, one after the other and some at a time.
 */
#ifndef TESTS_SIM_CLIENT_H
#define TESTS_SIM_CLIENT_H

#include "ledger.h"
#include "plan.h"

struct client {
	struct plan plan; /* its own: its dice are too */
	uint32_t number;  /* of its first stream */
	unsigned *clients_left;
	struct deeds *deeds;
};

/* arg: struct client. */
int client_main(void *arg);

#endif
