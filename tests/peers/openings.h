/*
 * Many connections of the kernel's, opened one after another at a steady pace whatever becomes of
 * those before, each to send a few bytes and get them back: which share comes through, and how long
 * it takes from the connect to the echo.
 */
#ifndef TESTS_PEERS_OPENINGS_H
#define TESTS_PEERS_OPENINGS_H

struct openings {
	unsigned begun, opened, echoed;
	double p50_ms, p99_ms, max_ms; /* of those that were echoed */
};

/* Opens count connections to the echo server, one in every pace_ms, and waits for the last of them
 * as long as it takes, at most give_up_ms each. The server must not greet. */
void openings_run(struct openings *openings, unsigned count, unsigned pace_ms, unsigned give_up_ms);

#endif
