/*
 * The script of a conversation: records of MOVE_LEN bytes, numbers little-endian. The first one is
 * the flavour of the host, each other a move; what is missing at the end is zeros. A move that
 * means nothing at its time is left out, so that every text of bytes is a script.
 */
#ifndef TESTS_FUZZ_MOVE_H
#define TESTS_FUZZ_MOVE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* X(name, function); several segments, so that a random script has more of them. */
#define MOVES(X)                                                                                   \
	X(SEGMENT, peer_segment)                                                                   \
	X(SEGMENT_2, peer_segment)                                                                 \
	X(SEGMENT_3, peer_segment)                                                                 \
	X(SEGMENT_WITH_OPTIONS, peer_segment_with_options)                                         \
	X(SEGMENT_IN_FRAGMENTS, peer_segment_in_fragments)                                         \
	X(ICMP, peer_icmp)                                                                         \
	X(ARP, peer_arp)                                                                           \
	X(LOSE, peer_lose)                                                                         \
	X(LISTEN, program_listen)                                                                  \
	X(ACCEPT, program_accept)                                                                  \
	X(CONNECT, program_connect)                                                                \
	X(PUSH, program_push)                                                                      \
	X(POP, program_pop)                                                                        \
	X(SHUTDOWN, program_shutdown)                                                              \
	X(CLOSE, program_close)                                                                    \
	X(OPTION, program_option)                                                                  \
	X(TIME, world_time)                                                                        \
	X(SQUEEZE, world_squeeze)                                                                  \
	X(STUFF, world_stuff)                                                                      \
	X(JUMP, world_jump)

enum {
#define MOVE_NUMBER(name, function) MOVE_##name,
	MOVES(MOVE_NUMBER) MOVE_KINDS
#undef MOVE_NUMBER
};

enum {
	MOVE_LEN = 12,
	MOVES_MAX = 100,

	/* control, of a segment: in what it is not as it should be */
	MOVE_NEW = 1 << 0,   /* a SYN, of a new connection or in answer to the host's */
	MOVE_SEQ = 1 << 1,   /* seq is added */
	MOVE_ACK = 1 << 2,   /* ack is added */
	MOVE_FLAGS = 1 << 3, /* flags instead of what would be right */
	MOVE_WND = 1 << 4,   /* wnd instead of a large one */
	MOVE_DATA = 1 << 5,  /* len bytes of data */
	MOVE_FLIP = 1 << 6,  /* at wnd a byte of the frame is changed by flags | 1 */
	MOVE_FAR = 1 << 7,   /* what is added is multiplied, so that it leads anywhere */

	/* who, of a segment, behind the number of the flow */
	MOVE_FLOW_MASK = 7,
	MOVE_BURST = 1 << 3,  /* arrives together with the next frame */
	MOVE_BROKEN = 1 << 4, /* with a wrong checksum */
	MOVE_FORGED = 1 << 5, /* its data is not the peer's */
	MOVE_SAME = 1 << 6,   /* the peer forgets that it sent this */
	MOVE_TWICE = 1 << 7,
};

struct move {
	uint8_t kind, who, control, flags;
	int16_t seq, ack;
	uint16_t wnd, len;
};

_Static_assert(sizeof(struct move) == MOVE_LEN, "a move is what the script has");

struct script {
	const uint8_t *at;
	size_t len;
};

static inline struct move script_next(struct script *script)
{
	const size_t len = script->len < MOVE_LEN ? script->len : MOVE_LEN;
	struct move m = {0};

	if (len > 0) {
		memcpy(&m, script->at, len);
		script->at += len;
		script->len -= len;
	}
	return m;
}

#endif
