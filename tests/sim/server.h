/* The program of a server's shards: it sends back what it gets, or counts it. */
#ifndef TESTS_SIM_SERVER_H
#define TESTS_SIM_SERVER_H

#include "ledger.h"
#include "plan.h"

enum { SERVER_PORT = 7, SERVER_CONN_MAX = 512 };

struct server {
	const struct plan *plan;
	struct demi_sim *sim;
	const unsigned *clients_left; /* the server ends when it is 0 */
	struct deeds *deeds;
	uint64_t seen; /* datagrams of the open end */
};

/* arg: struct server, of all shards. */
int server_main(void *arg);

#endif
