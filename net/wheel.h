/*
 * A hierarchical timing wheel (Varghese and Lauck, 1987): timers embedded in their objects, armed
 * and cancelled in O(1). Four levels of 64 slots; a slot of level 0 is a tick of 2^20 ns (about
 * 1 ms), of each level above 64 slots of the one below, so the wheel spans 4.9 hours. What is due
 * later waits in the top level and is placed anew whenever its slot comes round.
 *
 *      level 0  |.|.|x|.| ... |   64 ticks, 67 ms
 *      level 1  |.|x|.|.| ... |   a slot empties into level 0 when its first tick begins
 *      level 2, level 3
 *
 * A timer never fires early, and at the first wheel_advance() a tick or more after its deadline.
 */
#ifndef NET_WHEEL_H
#define NET_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WHEEL_TICK_SHIFT = 20, /* a tick is 2^20 ns */
	WHEEL_SLOT_SHIFT = 6,
	WHEEL_SLOTS = 1 << WHEEL_SLOT_SHIFT,
	WHEEL_LEVELS = 4,
	WHEEL_NO_SLOT = 0xffff, /* timer.slot: on the list of due timers */
};

#define WHEEL_TICK_NS (1ull << WHEEL_TICK_SHIFT)

/* Zeroed it is idle. Its object must not move or go while it is armed. */
struct wheel_timer {
	struct wheel_timer *next;
	struct wheel_timer **pprev; /* NULL: idle */
	uint64_t deadline_ns;
	uint16_t slot; /* level * WHEEL_SLOTS + slot, or WHEEL_NO_SLOT */
};

struct wheel {
	uint64_t tick; /* every slot up to this tick was emptied */
	uint32_t count;
	bool advancing;
	struct wheel_timer *due;	 /* armed for a time that had passed: next advance */
	struct wheel_timer *firing;	 /* being fired by wheel_advance() */
	uint64_t occupied[WHEEL_LEVELS]; /* bit i: slot i holds a timer */
	struct wheel_timer *slots[WHEEL_LEVELS * WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, uint64_t now_ns);

/* Arms, or moves, a timer. A deadline that has passed fires at the next wheel_advance(). O(1). */
void wheel_arm(struct wheel *w, struct wheel_timer *t, uint64_t deadline_ns);
/* An idle timer stays idle. O(1). */
void wheel_cancel(struct wheel *w, struct wheel_timer *t);

/*
 * Calls fn for each timer due at now_ns, idle by then, in roughly the order of deadlines; returns
 * how many. fn may arm and cancel any timer, this one too, and free its object; what it arms for a
 * time up to now_ns fires at the next call, so a callback cannot keep this one busy for ever. Time
 * that goes backwards does nothing. The cost is of order timers touched, however far time jumps.
 */
unsigned wheel_advance(struct wheel *w, uint64_t now_ns,
		       void (*fn)(void *ctx, struct wheel_timer *t), void *ctx);

/*
 * When wheel_advance() next has something to do: never later than the first deadline's tick, maybe
 * earlier (a far slot is to be spread out); UINT64_MAX if no timer is armed. O(levels).
 */
uint64_t wheel_next_deadline(const struct wheel *w);

static inline bool wheel_armed(const struct wheel_timer *t)
{
	return t->pprev != NULL;
}

static inline uint32_t wheel_count(const struct wheel *w)
{
	return w->count;
}

#endif
