/* How much a shard did of late, a second: what it had done is looked at from time to time, and
 * told is the difference to the oldest look. One thread. */
#ifndef KV_RATES_H
#define KV_RATES_H

#include <stdint.h>

enum { RATES_LOOK_COUNT = 16, RATES_LOOK_MS = 100 };

struct rates_look {
	uint64_t when_ms; /* 0: none */
	uint64_t commands, received_bytes, sent_bytes;
};

/* Zeros: nothing was looked at. */
struct rates {
	struct rates_look looks[RATES_LOOK_COUNT]; /* a ring */
	unsigned next;
	uint64_t due_ms;
};

/* As often as one likes: takes a look when it is time to. now is what has been done so far. */
void rates_note(struct rates *rates, const struct rates_look *now);
/* All of it but when_ms is a second's. */
struct rates_look rates_tell(const struct rates *rates, const struct rates_look *now);

#endif
