/*
 * The tokens of one program: each that was started completes once, and none that was not. And what
 * all programs of a world did, in numbers.
 */
#ifndef TESTS_SIM_LEDGER_H
#define TESTS_SIM_LEDGER_H

#include "drawn.h"

#include <demi/types.h>
#include <stdint.h>

enum { LEDGER_MAX = 4096 };

struct ledger {
	unsigned count;
	demi_qtoken_t tokens[LEDGER_MAX];
};

/* Sums of what happened. */
struct deeds {
	uint64_t worlds, hosts, shards, frames, dropped, troubles;
	uint64_t streams, finished, reset, failed, hung_up; /* of clients */
	uint64_t accepted, bytes_sent, bytes_received, tokens;
	uint64_t datagrams, datagrams_back;
	uint64_t fragmented, fragmented_came; /* sent whole; that came */
	uint64_t virtual_ns;
	struct drawn drawn;
	unsigned kinds, trouble_kinds; /* of the world that runs: sets of bits */
};

/* Says what is wrong, with the seed and the last packets, and ends the process. */
_Noreturn void failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

static inline void ledger_start(struct ledger *ledger, demi_qtoken_t token)
{
	if (ledger->count == LEDGER_MAX)
		failed("a program has too many tokens");
	for (unsigned i = 0; i < ledger->count; i++)
		if (ledger->tokens[i] == token)
			failed("token %#lx was given twice", (unsigned long)token);
	ledger->tokens[ledger->count++] = token;
}

static inline void ledger_end(struct ledger *ledger, demi_qtoken_t token)
{
	for (unsigned i = 0; i < ledger->count; i++) {
		if (ledger->tokens[i] != token)
			continue;
		ledger->tokens[i] = ledger->tokens[--ledger->count];
		return;
	}
	failed("token %#lx completed, and was not pending", (unsigned long)token);
}

#endif
