/* One seed, from the making of its world to the last check. */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "ledger.h"

/* trace: a pcap file, or NULL. Adds to deeds; returns the world's digest. Ends the process if
 * anything is wrong. */
uint64_t world_run(uint64_t seed, unsigned draw, const char *trace, struct deeds *deeds);

#endif
