/*
 * A conversation that goes wrong: a peer at the open wire end and a program on the host, who both
 * do what a script tells them and know what may come of it. The peer knows of the host what the
 * wire tells, and the program what the demi_* calls do.
 *
 *      script --> peer.c: frames --> open end ~~~~ the host --> demi_* <-- program.c <-- script
 *                 flow.c: what came out of the wire, checked and remembered
 *
 * The peer's byte at sequence number n is conversation_byte(n), the program's at place n of its
 * stream likewise, so that bytes can be checked wherever they turn up, however often they come.
 */
#ifndef TESTS_FUZZ_CONVERSATION_H
#define TESTS_FUZZ_CONVERSATION_H

#include "move.h"
#include "net/tcp_opt.h"
#include "wire.h"

#include <rte_tcp.h>

enum {
	PASSIVE_FLOWS = 3, /* by which the peer connects to WIRE_PORT */
	FLOWS = 5,	   /* the program connects to the ports of the others */
	FLOW_PORT = 5000,  /* the peer's of flow 0 */
	FLOW_RANGES = 3,
	FLOW_QUOTE_LEN = FRAME_IP_LEN + 20,
	SOCKS = 6,
	TOKENS = 200,
};

/* What the peer knows of one of its connections. */
struct flow {
	rte_be32_t addr; /* the peer's, and its port */
	rte_be16_t port, host_port;
	bool passive;
	/* A new one each time the host chooses another initial sequence number; 0: it never did. */
	uint32_t generation, accepted;

	/* What the peer sent, if it did. */
	bool sent;
	uint32_t snd_nxt, snd_max, ack_max;
	uint32_t edge; /* of the widest window that the host was ever offered */
	uint16_t syn_wnd_max;
	uint8_t syns, wscale_max;
	bool scales;	   /* the host may agree to scaled windows */
	uint32_t irs;	   /* the host's name for the peer's first number */
	uint8_t irs_count; /* that it may be; 1: sure */
	bool forged;	   /* wrong bytes went in under a right checksum */
	bool wild;	   /* numbers from anywhere were sent: the edges above say nothing */

	/* What the host sent. */
	uint32_t iss, rcv_nxt;
	struct tcp_range ranges[FLOW_RANGES]; /* beyond a gap */
	unsigned range_count;
	bool timestamps, sack;
	uint32_t ts_recent;
	uint8_t quote[FLOW_QUOTE_LEN]; /* its last segment's head; quote[0] 0: none yet */
	uint32_t pushed_max;	       /* bytes that a program ever had pushed into it */
};

struct sock {
	int qd; /* 0: none */
	uint8_t flow;
	bool connected, ended;
	uint32_t number;     /* tells users of one place apart */
	uint32_t generation; /* of the flow; 0: what arrives proves nothing */
	uint32_t pushed, popped;
	uint32_t pushes, pushes_done;
};

struct token {
	demi_qtoken_t token;
	enum demi_opcode opcode;
	int qd;
	uint8_t sock; /* SOCKS: of the listener */
	uint32_t number, push, push_end;
};

struct conversation {
	struct wire w;
	struct flow flows[FLOWS];
	struct sock socks[SOCKS];
	struct token tokens[TOKENS];
	unsigned token_count;
	uint32_t numbers;
	int listener; /* 0: closed */
	uint16_t ip_id;
	unsigned to_lose; /* of the host's next segments with data the peer gets none */
	bool mute;	  /* the peer answers no ARP request */
	bool forged; /* headers were changed under right checksums: nothing is known any more */
};

static inline uint8_t conversation_byte(uint32_t at)
{
	return (uint8_t)(at ^ at >> 8 ^ at * 31 >> 5);
}

/* --- flow.c --- */
void flows_begin(struct conversation *c, bool scales);
/* Takes all that came out of the wire, checks it, and answers for the peer's address. */
void flows_listen(struct conversation *c);
/* A TCP segment of the peer's goes onto the wire with right checksums. */
void flow_sent(struct flow *flow, const struct rte_tcp_hdr *tcp, const struct tcp_opts *opts,
	       uint32_t len);
/* seq is after at, or there; in sequence space. */
static inline bool flow_reached(uint32_t seq, uint32_t at)
{
	return (int32_t)(seq - at) >= 0;
}

/* --- peer.c: moves --- */
void peer_segment(struct conversation *c, const struct move *m, struct script *script);
void peer_segment_with_options(struct conversation *c, const struct move *m, struct script *script);
void peer_segment_in_fragments(struct conversation *c, const struct move *m, struct script *script);
void peer_icmp(struct conversation *c, const struct move *m, struct script *script);
void peer_arp(struct conversation *c, const struct move *m, struct script *script);
void peer_lose(struct conversation *c, const struct move *m, struct script *script);

/* --- program.c --- */
void program_begin(struct conversation *c);
/* Closes everything. */
void program_end(struct conversation *c);
/* Takes the results that are there, and checks them. */
void program_results(struct conversation *c);
/* Moves. */
void program_listen(struct conversation *c, const struct move *m, struct script *script);
void program_accept(struct conversation *c, const struct move *m, struct script *script);
void program_connect(struct conversation *c, const struct move *m, struct script *script);
void program_push(struct conversation *c, const struct move *m, struct script *script);
void program_pop(struct conversation *c, const struct move *m, struct script *script);
void program_shutdown(struct conversation *c, const struct move *m, struct script *script);
void program_close(struct conversation *c, const struct move *m, struct script *script);
void program_option(struct conversation *c, const struct move *m, struct script *script);

#endif
