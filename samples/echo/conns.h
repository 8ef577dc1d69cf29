/*
 * The TCP connections of one shard. Each has one pop outstanding and several pushes: what was
 * popped is what is pushed, so no byte is copied. Room is the SDK's to give: where it has none for
 * one more operation the sga is held, and nothing is popped until it could be pushed.
 */
#ifndef ECHO_CONNS_H
#define ECHO_CONNS_H

#include "echo/figures.h"
#include "qd_map.h"

#include <demi/types.h>
#include <stdbool.h>

struct conn;

struct conns {
	struct qd_map map;
	struct conn *first;
	unsigned push_count_max; /* of one connection: more are not begun before some end */
	const char *greeting;	 /* NULL: none */
	struct figures *figures;
	bool starved; /* a push or pop found no room, and no push of its connection will end */
};

/* A connection was accepted; without memory for it, it is closed. */
void conns_add(struct conns *conns, int qd);
/* What came of an operation on one of them; takes over an sga that was popped. */
void conns_result(struct conns *conns, demi_qresult_t *result);
/* For a while after starved: room that others took may be free again, and nobody's push ends to say
 * so. */
void conns_retry(struct conns *conns);
void conns_close_all(struct conns *conns);

#endif
