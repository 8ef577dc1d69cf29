/*
 * A conversation that goes wrong. An input is a program of moves: segments that fit one of the
 * host's connections but for what the input changes, ICMP errors about it, what the host's own
 * program does, and time. Whatever happens: the invariants of every connection hold, bytes of both
 * streams are the right ones, each push ends exactly once, and in the end nothing is left.
 */
#include "conversation.h"
#include "target.h"

#include <string.h>

enum { MOVES_MAX = 400 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	victim_setup();
	return 0;
}

static void move(struct conversation *c, struct bytes *b)
{
	static void (*const moves[])(struct conversation *, struct bytes *) = {
		conversation_segment, conversation_segment, conversation_segment,
		conversation_segment, conversation_segment, conversation_icmp,
		conversation_push,    conversation_push,    conversation_pop,
		conversation_accept,  conversation_connect, conversation_shutdown,
		conversation_close,   conversation_time,    conversation_take,
		conversation_hoard,
	};

	moves[bytes_u8(b) % RTE_DIM(moves)](c, b);
	conversation_done(c);
	victim_check(&c->v);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static struct conversation c;
	struct bytes b = {input, len};

	conversation_begin(&c, bytes_u8(&b));
	for (unsigned i = 0; b.len > 0 && i < MOVES_MAX; i++)
		move(&c, &b);
	conversation_end(&c);
	return 0;
}
