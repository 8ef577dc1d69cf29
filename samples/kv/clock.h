/* The time, read once a turn of a shard's loop, the wall's now and then. A seam: tests and worlds
 * link a clock of their own.
 */
#ifndef KV_CLOCK_H
#define KV_CLOCK_H

#include <stdint.h>

uint64_t clock_wall_ms(void);	   /* since 1970 */
uint64_t clock_monotonic_ns(void); /* since some moment */

#endif
