/*
 * UDP in a random world. A client's shard sends datagrams one after the other and gets each back
 * from the server; an open wire end sends some in fragments, which the server only looks at. A
 * datagram may be lost, in a calm world a few in a row, never altered, and comes once unless a wire
 * duplicates frames.
 */
#ifndef TESTS_SIM_DATAGRAM_H
#define TESTS_SIM_DATAGRAM_H

#include "ledger.h"
#include "plan.h"

enum {
	DATAGRAM_PORT = 9,
	DATAGRAM_HEADER_LEN = 8, /* sender, number among the sender's, length */
	DATAGRAM_MAX = 64,	 /* of one sender */
	DATAGRAM_LEN_MAX = 8192,
	DATAGRAM_OPEN_END = 999, /* that sender gets no answer */
};

/* Fills in len bytes, at least a header. */
void datagram_fill(uint8_t *bytes, uint32_t len, uint32_t sender, uint32_t number);

/* The side of a server's shard. */
struct datagram_server {
	const struct plan *plan;
	struct deeds *deeds;
	struct ledger *ledger;
	uint64_t *seen; /* of the open end's, by all shards */
	int qd;		/* -1: none */
};

void datagram_serve(struct datagram_server *s);
/* A result of its queue. */
void datagram_serve_take(struct datagram_server *s, demi_qresult_t *result);

/* The side of a client's shard. */
struct datagram_client {
	struct plan *plan;
	struct demi_sim *sim;
	struct deeds *deeds;
	struct ledger *ledger;
	uint32_t sender;
	int qd;		     /* -1: none */
	unsigned sent, lost; /* the last of them is waited for if ... */
	bool waiting, must_come_back;
	uint64_t sent_ns, seen;
};

void datagram_client_begin(struct datagram_client *c);
/* Sends the next if it is time to; false: there is none any more, and the queue is closed. */
bool datagram_client_turn(struct datagram_client *c);
void datagram_client_take(struct datagram_client *c, demi_qresult_t *result);

#endif
