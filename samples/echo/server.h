/* One shard's server: it listens, echoes what comes, and ends when the program is told to. */
#ifndef ECHO_SERVER_H
#define ECHO_SERVER_H

#include "echo/conns.h"
#include "echo/figures.h"
#include "echo/options.h"

/* All that a shard has; it shares no cache line with another's. */
struct server {
	_Alignas(128) const struct options *options;
	int listen_qd, udp_qd; /* -1: none */
	/* That could not be begun, for want of operations; they are tried again. */
	unsigned missing_accepts, missing_udp_pops;
	char greeting[64];
	struct conns conns;
	struct figures figures;
};

/* On the calling shard, until the program is told to end. 0, or an errno of opening what it serves:
 * then it has told all shards to end. */
int server_run(struct server *server, const struct options *options);

#endif
