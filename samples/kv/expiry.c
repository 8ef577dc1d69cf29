#include "kv/expiry.h"

/*
 *  when_ms, 6 bits a level:   [10] ... [2] [1] [0]
 *                              same   ^ the highest digit in which it differs from elapsed_ms names
 *                                       the level, its value there the slot
 *
 * So on each level all occupied slots come after elapsed_ms's own digit, and all of a lower level
 * expires before anything of a higher one.
 */
enum {
	LEVEL_BITS = 6,
	SLOT_MASK = EXPIRY_SLOTS - 1,
	/* A clock that went back by less is waited for. */
	REWIND_MS = 1000,
};

static void list_init(struct expiry_link *head)
{
	head->next = head->prev = head;
	head->when_ms = 0;
}

static bool list_empty(const struct expiry_link *head)
{
	return head->next == head;
}

static void list_add(struct expiry_link *head, struct expiry_link *link)
{
	link->next = head;
	link->prev = head->prev;
	head->prev->next = link;
	head->prev = link;
}

/* All of from comes behind to; from is empty then. */
static void list_splice(struct expiry_link *to, struct expiry_link *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

static void unlink_link(struct expiry_link *link)
{
	link->next->prev = link->prev;
	link->prev->next = link->next;
	link->next = link->prev = NULL;
}

void expiry_init(struct expiry *expiry)
{
	*expiry = (struct expiry){.wake_ms = UINT64_MAX};
	list_init(&expiry->due);
	for (int level = 0; level < EXPIRY_LEVELS; level++)
		for (int slot = 0; slot < EXPIRY_SLOTS; slot++)
			list_init(&expiry->slots[level][slot]);
}

static uint64_t digit(uint64_t ms, int level)
{
	return ms >> level * LEVEL_BITS & SLOT_MASK;
}

/* at_ms > elapsed_ms. */
static void place(struct expiry *expiry, struct expiry_link *link, uint64_t at_ms)
{
	int level = (63 - __builtin_clzll(at_ms ^ expiry->elapsed_ms)) / LEVEL_BITS;
	uint64_t slot = digit(at_ms, level);

	expiry->occupied[level] |= UINT64_C(1) << slot;
	list_add(&expiry->slots[level][slot], link);
}

void expiry_arm(struct expiry *expiry, struct expiry_link *link, uint64_t when_ms)
{
	expiry_cancel(expiry, link);
	link->when_ms = when_ms;
	if (when_ms <= expiry->elapsed_ms)
		list_add(&expiry->due, link);
	else
		place(expiry, link, when_ms);
	if (when_ms < expiry->wake_ms)
		expiry->wake_ms = when_ms;
	expiry->count++;
}

void expiry_cancel(struct expiry *expiry, struct expiry_link *link)
{
	if (link->when_ms == 0)
		return;
	unlink_link(link);
	link->when_ms = 0;
	expiry->count--;
}

/* The first slot that is not empty, and when it begins; NULL: all are. */
static struct expiry_link *first_slot_or_null(struct expiry *expiry, uint64_t *begin_ms)
{
	for (int level = 0; level < EXPIRY_LEVELS; level++) {
		while (expiry->occupied[level]) {
			uint64_t slot = (uint64_t)__builtin_ctzll(expiry->occupied[level]);
			int shift = level * LEVEL_BITS;
			uint64_t below =
				shift + LEVEL_BITS < 64 ? ~UINT64_C(0) << (shift + LEVEL_BITS) : 0;

			if (!list_empty(&expiry->slots[level][slot])) {
				*begin_ms = (expiry->elapsed_ms & below) | slot << shift;
				return &expiry->slots[level][slot];
			}
			expiry->occupied[level] &= expiry->occupied[level] - 1;
		}
	}
	return NULL;
}

/* All is placed anew, as fast as there is work to spend. */
static void rewind_to(struct expiry *expiry, uint64_t now_ms)
{
	for (int level = 0; level < EXPIRY_LEVELS; level++) {
		for (; expiry->occupied[level];
		     expiry->occupied[level] &= expiry->occupied[level] - 1)
			list_splice(
				&expiry->due,
				&expiry->slots[level][__builtin_ctzll(expiry->occupied[level])]);
	}
	expiry->elapsed_ms = now_ms;
}

/* The first of due is either what is looked for, or goes where it belongs. */
static struct expiry_link *settle_or_null(struct expiry *expiry, uint64_t now_ms)
{
	struct expiry_link *link = expiry->due.next;
	uint64_t at_ms = link->when_ms;

	__builtin_prefetch(link->next);
	if (at_ms <= now_ms)
		return link;
	if (at_ms <= expiry->elapsed_ms) /* the clock went back a little */
		at_ms = expiry->elapsed_ms + 1;
	unlink_link(link);
	place(expiry, link, at_ms);
	return NULL;
}

struct expiry_link *expiry_take_or_null(struct expiry *expiry, uint64_t now_ms, unsigned *work)
{
	struct expiry_link *slot, *link;
	uint64_t begin_ms;

	if (now_ms < expiry->elapsed_ms && expiry->elapsed_ms - now_ms > REWIND_MS)
		rewind_to(expiry, now_ms);
	for (;;) {
		while (!list_empty(&expiry->due)) {
			if (*work == 0) {
				expiry->wake_ms = now_ms;
				return NULL;
			}
			--*work;
			link = settle_or_null(expiry, now_ms);
			if (link)
				return link;
		}
		slot = first_slot_or_null(expiry, &begin_ms);
		if (!slot || begin_ms > now_ms)
			break;
		list_splice(&expiry->due, slot);
		expiry->elapsed_ms = begin_ms;
	}
	if (now_ms > expiry->elapsed_ms)
		expiry->elapsed_ms = now_ms;
	expiry->wake_ms = slot ? begin_ms : UINT64_MAX;
	return NULL;
}

struct expiry_link *expiry_first_or_null(struct expiry *expiry, unsigned samples)
{
	struct expiry_link *head = &expiry->due, *best = NULL;
	uint64_t begin_ms;

	if (list_empty(head))
		head = first_slot_or_null(expiry, &begin_ms);
	if (!head)
		return NULL;
	for (struct expiry_link *link = head->next; link != head && samples; samples--) {
		if (!best || link->when_ms < best->when_ms)
			best = link;
		link = link->next;
	}
	return best;
}
