/*
 * When entries expire: a hierarchical timing wheel with a resolution of 1 ms over all of 64 bits,
 * eleven levels of 64 slots. Arming and cancelling cost O(1), an entry is moved at most once a
 * level. The clock may jump, forth or back: what has expired is then found late at worst, by who
 * looks at it. A link lies in its entry; entries without an expiry have none.
 */
#ifndef KV_EXPIRY_H
#define KV_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXPIRY_LEVELS = 11, EXPIRY_SLOTS = 64 };

struct expiry_link {
	struct expiry_link *next, *prev; /* NULL: not armed */
	uint64_t when_ms;		 /* 0: not armed */
};

struct expiry {
	uint64_t elapsed_ms; /* up to there nothing is in the slots */
	uint64_t wake_ms;    /* nothing is to be done before */
	uint64_t count;	     /* armed links */
	/* To be looked at: of a slot whose time has come, or armed for a time that has passed. */
	struct expiry_link due;
	uint64_t occupied[EXPIRY_LEVELS]; /* a bit a slot; one that is set may be empty */
	struct expiry_link slots[EXPIRY_LEVELS][EXPIRY_SLOTS];
};

void expiry_init(struct expiry *expiry);
/* when_ms is not 0. A link that is armed is armed anew. */
void expiry_arm(struct expiry *expiry, struct expiry_link *link, uint64_t when_ms);
/* The link may be not armed. */
void expiry_cancel(struct expiry *expiry, struct expiry_link *link);
/*
 * A link whose time has come; it is to be cancelled before the next is asked for. NULL: there is
 * none now, or *work is used up. expiry-> wake_ms is right when it has returned NULL.
 */
struct expiry_link *expiry_take_or_null(struct expiry *expiry, uint64_t now_ms, unsigned *work);
static inline bool expiry_has_work(const struct expiry *expiry, uint64_t now_ms)
{
	/* A clock that went back may want all placed anew. */
	return now_ms >= expiry->wake_ms || now_ms < expiry->elapsed_ms;
}

/* The first to expire of so many that are in the first slot; NULL: there are none at all. */
struct expiry_link *expiry_first_or_null(struct expiry *expiry, unsigned samples);

#endif
