/* The nodes of a Redis Cluster, and which of them has which slot: what CLUSTER SLOTS answers. */
#ifndef LOAD_NODES_H
#define LOAD_NODES_H

#include "kv/slot.h"
#include "load/plan.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

enum { NODES_NONE = 255 }; /* nobody has the slot */

struct nodes {
	unsigned count;
	struct sockaddr_in addresses[PLAN_SERVER_MAX];
	uint8_t of_slot[SLOT_COUNT];
};

/* Reads an answer of `asked`, which stands in for addresses that are left out. 0; EAGAIN: it is not
 * whole; EPROTO: it is not understood. */
int nodes_parse(struct nodes *nodes, const char *text, size_t len, struct in_addr asked);
/* Asks a server. The calling shard, which has no operation outstanding, waits. 0 or errno. */
int nodes_ask(struct nodes *nodes, const struct sockaddr_in *server, uint64_t timeout_ns);

#endif
