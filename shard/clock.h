/*
 * Monotonic time from the TSC. The one clock of Clowder: nothing below shard/ reads any. The
 * simulator links another implementation of this header, with virtual time.
 */
#ifndef SHARD_CLOCK_H
#define SHARD_CLOCK_H

#include <stdint.h>

/* Measures the TSC; once, after the EAL has started, before any other call. */
void clock_start(void);
/* Nanoseconds since some time before clock_start(). Any thread. */
uint64_t clock_now_ns_mt(void);

/* start + length, or the end of time. */
static inline uint64_t clock_after(uint64_t start_ns, uint64_t length_ns)
{
	return length_ns > UINT64_MAX - start_ns ? UINT64_MAX : start_ns + length_ns;
}

#endif
