/*
 * Packet memory that AddressSanitizer can see into. A mempool is one mapping, so that a read behind
 * a packet, or of one that was freed, hits a neighbour and goes unnoticed. From poison_pools() on,
 * a free buffer is poisoned from its mbuf's private area to its end, and poison_behind() does so
 * for what lies behind a packet that is handed in. Without AddressSanitizer all of it does nothing.
 */
#ifndef TESTS_FUZZ_POISON_H
#define TESTS_FUZZ_POISON_H

#include "mem/mem.h"

/*
 * The pools of mem, and whatever is taken from them and given back from now on. All buffers have to
 * be in the pools. This thread gives up its number as an lcore, so that no buffer waits in a cache
 * where its being free would not be noticed. Once a process.
 */
void poison_pools(struct mem *mem);

/* Until m is freed nobody may touch the bytes behind its data. */
void poison_behind(struct rte_mbuf *m);

#endif
