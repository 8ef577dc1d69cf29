/*
 * A peer and a program on both sides of the victim's TCP, who do what an input tells them and know
 * what may come of it.
 *
 * The peer's byte at sequence number n is conversation_byte(n), the victim's at place n of its
 * stream likewise, so that bytes can be checked wherever they turn up, however often they were
 * sent.
 */
#ifndef TESTS_FUZZ_CONVERSATION_H
#define TESTS_FUZZ_CONVERSATION_H

#include "bytes.h"
#include "net/tcp_conn.h"
#include "victim.h"

enum { CONVERSATION_CONN_MAX = 6, CONVERSATION_HOARD_MAX = 480 };

/* A connection that the program holds. */
struct held {
	struct tcp_conn *conn;
	uint32_t generation;	 /* a cookie of an earlier one is never seen again */
	uint32_t made, done;	 /* pushes */
	uint32_t pushed, popped; /* bytes */
	bool ended;		 /* popped the FIN */
};

struct conversation {
	struct victim v;
	struct tcp_listener *listener;
	struct held held[CONVERSATION_CONN_MAX];
	struct rte_mbuf *hoard[CONVERSATION_HOARD_MAX];
	unsigned hoard_count;
	uint32_t ts_val;
	bool forged; /* wrong payload went in under a right checksum: what arrives proves nothing */
};

static inline uint8_t conversation_byte(uint32_t at)
{
	return (uint8_t)(at ^ at >> 8 ^ at * 31 >> 5);
}

/* flavour: which of TCP's features are on. */
void conversation_begin(struct conversation *c, uint8_t flavour);
/* The program lets go of everything, the peer is silent, time passes: everything has to end. */
void conversation_end(struct conversation *c);

/* --- the peer's moves --- */
void conversation_segment(struct conversation *c, struct bytes *b);
void conversation_icmp(struct conversation *c, struct bytes *b);
/* Takes some of what the victim sends, and checks it. */
void conversation_take(struct conversation *c, struct bytes *b);

/* --- the program's --- */
void conversation_push(struct conversation *c, struct bytes *b);
void conversation_pop(struct conversation *c, struct bytes *b);
void conversation_accept(struct conversation *c, struct bytes *b);
void conversation_connect(struct conversation *c, struct bytes *b);
void conversation_shutdown(struct conversation *c, struct bytes *b);
void conversation_close(struct conversation *c, struct bytes *b);
/* Takes the pushes that ended, and checks them. */
void conversation_done(struct conversation *c);

/* --- the world's --- */
void conversation_time(struct conversation *c, struct bytes *b);
/* Buffers are taken out of the pools, or given back. */
void conversation_hoard(struct conversation *c, struct bytes *b);

#endif
