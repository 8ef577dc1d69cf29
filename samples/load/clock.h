/* The time, as the generator sees it: a seam, so that a world may give its own. */
#ifndef LOAD_CLOCK_H
#define LOAD_CLOCK_H

#include <stdint.h>

/* Nanoseconds since some moment, the same one for all shards; never goes back. */
uint64_t clock_ns(void);

#endif
