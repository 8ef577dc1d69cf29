/*
 * A host of a simulated world and the open end of its only wire, which is where every fuzz target
 * of packets stands: 10.0.0.1/24, one shard, on pools whose free and unused bytes are poisoned. The
 * program on it is the target too: between wire_begin() and wire_end() its demi_* calls are that
 * shard's. The world lasts for one input, the EAL for the process.
 */
#ifndef TESTS_FUZZ_WIRE_H
#define TESTS_FUZZ_WIRE_H

#include "frame.h"

#include <demi/sim.h>
#include <demi/types.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	WIRE_PORT = 7, /* where programs listen */
	WIRE_PEERS = 3,
	WIRE_TIMEOUT_S = 20, /* of whatever the host waits for, unless an input says otherwise */
};

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

struct wire {
	struct demi_sim *world;
	int host, end, link;
	bool traced;
};

struct wire_frame {
	uint32_t len;
	uint8_t bytes[FRAME_LEN_MAX];
};

/* Limits are small, so that short inputs reach them. tcp: more lines of [tcp]; peers: the MAC
 * addresses of PEER_ADDR and the next two are known from the beginning. CLOWDER_FUZZ_TRACE in the
 * environment names a file that becomes a capture of the (last) input's frames. */
void wire_begin(struct wire *w, const char *tcp, bool peers);
/* Everything that the program had is closed by now: checks that nothing is left and that no packet
 * buffer is missing. */
void wire_end(struct wire *w);

/* Arrives with the next wire_after(); several before it are one burst. */
void wire_inject(struct wire *w, const uint8_t *bytes, uint32_t len);
/* The next frame that came out, which is checked; false: none. */
bool wire_take(struct wire *w, struct wire_frame *out);
/* Takes and checks all of them. */
void wire_drain(struct wire *w);
void wire_after(struct wire *w, uint64_t ns);
/* The next result of an operation of the program that is there now; false: none. */
bool wire_result(demi_qresult_t *result);
/* The host's device takes no packets until told so again. */
void wire_stuff(struct wire *w, bool stuffed);

#endif
