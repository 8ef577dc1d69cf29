/* The program of a client's shard: streams to the server, one after the other and some at a time.
 */
#ifndef TESTS_SIM_CLIENT_H
#define TESTS_SIM_CLIENT_H

#include "ledger.h"
#include "plan.h"

struct client {
	struct plan plan; /* its own: its dice are too */
	struct demi_sim *sim;
	uint32_t number; /* of its first stream */
	unsigned *clients_left;
	struct run *run; /* NULL: it has ended */
	struct deeds *deeds;
};

/* arg: struct client. */
int client_main(void *arg);

/* What it waits for, on stderr: for a world that does not end. */
void client_print(const struct client *client);

#endif
