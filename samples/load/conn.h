/*
 * A connection of the generator: what was asked on it and not answered yet, in order.
 *
 *      requests    answered . . . . . sent . . . . . asked
 *                  the oldest         goes out       the next one's place
 *                  unanswered         next
 */
#ifndef LOAD_CONN_H
#define LOAD_CONN_H

#include "load/reply.h"
#include "load/results.h"

#include <demi/types.h>
#include <stdbool.h>
#include <stdint.h>

struct generator;

struct request {
	uint64_t due_ns;   /* when it should have been sent: latency counts from here */
	uint64_t asked_ns; /* when it was given to a connection */
	uint64_t number;   /* of the connection's requests */
	uint32_t len;	   /* bytes that it has */
	bool counted;	   /* due after the warm-up, and before the end */
	/* RESP only. */
	bool is_set;
	uint32_t sequence; /* of a SET: its version; of a GET: the oldest that is right */
	uint64_t key;
};

enum conn_state {
	CONN_CLOSED,
	CONN_CONNECTING,
	CONN_OPEN,
	CONN_LEAVING, /* closed by us; results of it are still to come */
};

struct conn {
	int qd;
	enum conn_state state;
	unsigned number;      /* of all the program's connections */
	unsigned server;      /* which one it goes to */
	unsigned token_count; /* operations outstanding */
	bool idle;	      /* is held open, and asked nothing */
	bool waiting;	      /* in the generator's list of connections with room */
	bool unflushed;	      /* in its list of those with something to send */
	bool blocked;	      /* the send queue was full */
	uint64_t seed;	      /* of its bytes; another one each time it is opened */
	uint64_t open_count;
	uint64_t since_ns;     /* when it began to connect */
	uint64_t reopen_ns;    /* not before */
	uint64_t unsent_len;   /* bytes of what was asked */
	uint32_t request_mask; /* of the ring */
	struct request *requests;
	uint64_t asked, sent, answered;
	uint32_t sent_len; /* of request number `sent` */
	uint32_t got_len;  /* of the answer to request number `answered` */
	struct reply reply;
	struct {
		uint8_t tag[8]; /* the value's first bytes: who wrote it, and when */
		uint64_t seed;	/* of the rest */
		bool foreign;	/* somebody else wrote it, before */
	} value;
	struct conn *next_waiting;
};

/* 0 or ENOMEM. depth: requests in flight at most. */
int conn_init(struct conn *conn, unsigned number, uint32_t depth);
void conn_fini(struct conn *conn);
static inline uint64_t conn_in_flight(const struct conn *conn)
{
	return conn->asked - conn->answered;
}
/* Begins to connect. */
void conn_open(struct generator *generator, struct conn *conn);
/* A place for one more request, to be filled in, with number and asked_ns set; then conn_ask(). */
struct request *conn_next_request(struct generator *generator, struct conn *conn);
void conn_ask(struct generator *generator, struct conn *conn);
/* Sends what was asked, as far as there is room. */
void conn_flush(struct generator *generator, struct conn *conn);
/* What came of an operation on it; takes over an sga that was popped. */
void conn_result(struct generator *generator, struct conn *conn, demi_qresult_t *result);
/* It is over, with what is in flight. text may be NULL. */
void conn_fail(struct generator *generator, struct conn *conn, enum fault fault, const char *text);
/* In order, with nothing in flight. */
void conn_leave(struct generator *generator, struct conn *conn);

#endif
