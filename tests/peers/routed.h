/*
 * Clowder on a tap as 10.99.0.2, and Linux machines behind a router, each a namespace:
 *
 *      Clowder --- clowder0 [near, the router, 10.99.0.1] ra --- rb [far, 10.98.0.2]
 *                                      `- more, by routed_attach()
 */
#ifndef TESTS_PEERS_ROUTED_H
#define TESTS_PEERS_ROUTED_H

#include "link.h"

struct routed {
	struct link link; /* link.near is the router */
	int far;
	char config[1024]; /* [[port]], and the route to 10.98.0.0/24 */
};

/* Tests run in link.near then. */
void routed_create(struct routed *routed);
void routed_destroy(struct routed *routed);

/* A new namespace behind the current one, by veths of those names and with 10.subnet.0.2, whose
 * default route leads to 10.subnet.0.1, the current one's end. */
int routed_attach(const char *here, const char *there, unsigned subnet);

#endif
