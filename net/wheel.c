#include "net/wheel.h"

#include "mem/check.h"

#include <string.h>

/* The first tick that is not before the deadline. */
static uint64_t tick_of(uint64_t deadline_ns)
{
	return (deadline_ns >> WHEEL_TICK_SHIFT) + ((deadline_ns & (WHEEL_TICK_NS - 1)) != 0);
}

static unsigned level_shift(unsigned level)
{
	return level * WHEEL_SLOT_SHIFT;
}

static uint64_t rotate_right(uint64_t bits, unsigned n)
{
	return bits >> n | bits << (-n & (WHEEL_SLOTS - 1));
}

/* A timer belongs to the lowest level that spans the ticks till then. One beyond the span goes to
 * the top level all the same: when its slot comes round too early it is placed again. */
static uint16_t place(const struct wheel *w, uint64_t tick)
{
	uint64_t ahead = tick - w->tick;
	unsigned level = 0;

	while (level < WHEEL_LEVELS - 1 && ahead >> level_shift(level + 1))
		level++;
	return (uint16_t)(level * WHEEL_SLOTS + (tick >> level_shift(level)) % WHEEL_SLOTS);
}

static void link_at(struct wheel_timer **head, struct wheel_timer *t)
{
	t->next = *head;
	t->pprev = head;
	if (*head)
		(*head)->pprev = &t->next;
	*head = t;
}

static void unlink_timer(struct wheel *w, struct wheel_timer *t)
{
	*t->pprev = t->next;
	if (t->next)
		t->next->pprev = t->pprev;
	t->pprev = NULL;
	if (t->slot != WHEEL_NO_SLOT && !w->slots[t->slot])
		w->occupied[t->slot / WHEEL_SLOTS] &= ~(1ull << t->slot % WHEEL_SLOTS);
}

static void link_in_slot(struct wheel *w, struct wheel_timer *t, uint16_t slot)
{
	t->slot = slot;
	link_at(&w->slots[slot], t);
	w->occupied[slot / WHEEL_SLOTS] |= 1ull << slot % WHEEL_SLOTS;
}

void wheel_init(struct wheel *w, uint64_t now_ns)
{
	memset(w, 0, sizeof(*w));
	w->tick = now_ns >> WHEEL_TICK_SHIFT;
}

void wheel_arm(struct wheel *w, struct wheel_timer *t, uint64_t deadline_ns)
{
	uint64_t tick = tick_of(deadline_ns);
	uint16_t slot = tick > w->tick ? place(w, tick) : WHEEL_NO_SLOT;

	if (wheel_armed(t)) {
		if (t->slot == slot && slot != WHEEL_NO_SLOT) {
			t->deadline_ns = deadline_ns;
			return;
		}
		unlink_timer(w, t);
		w->count--;
	}
	t->deadline_ns = deadline_ns;
	w->count++;
	if (slot != WHEEL_NO_SLOT) {
		link_in_slot(w, t, slot);
	} else {
		t->slot = slot;
		link_at(&w->due, t);
	}
}

void wheel_cancel(struct wheel *w, struct wheel_timer *t)
{
	if (!wheel_armed(t))
		return;
	unlink_timer(w, t);
	w->count--;
}

/* Appends a whole list to the one that ends at tail; returns its new end. */
static struct wheel_timer **append(struct wheel_timer **tail, struct wheel_timer *list)
{
	*tail = list;
	if (list)
		list->pprev = tail;
	for (struct wheel_timer *t = list; t; t = t->next) {
		t->slot = WHEEL_NO_SLOT;
		tail = &t->next;
	}
	return tail;
}

/* Takes the level's slots after the one of tick `then` up to the one of w->tick. */
static struct wheel_timer **empty_level(struct wheel *w, unsigned level, uint64_t then,
					struct wheel_timer **tail)
{
	uint64_t from = then >> level_shift(level), to = w->tick >> level_shift(level);
	unsigned first = (from + 1) % WHEEL_SLOTS;
	uint64_t passed = to - from < WHEEL_SLOTS ? (1ull << (to - from)) - 1 : UINT64_MAX;
	uint64_t bits = rotate_right(w->occupied[level], first) & passed;

	for (; bits; bits &= bits - 1) {
		unsigned slot = (first + (unsigned)__builtin_ctzll(bits)) % WHEEL_SLOTS;
		struct wheel_timer **head = &w->slots[level * WHEEL_SLOTS + slot];

		tail = append(tail, *head);
		*head = NULL;
		w->occupied[level] &= ~(1ull << slot);
	}
	return tail;
}

/* What was taken from a slot of a higher level and is not due yet goes to a lower one. */
static void place_again(struct wheel *w)
{
	struct wheel_timer *t, *next;

	for (t = w->firing; t; t = next) {
		uint64_t tick = tick_of(t->deadline_ns);

		next = t->next;
		if (tick <= w->tick)
			continue;
		unlink_timer(w, t);
		link_in_slot(w, t, place(w, tick));
	}
}

static unsigned fire(struct wheel *w, void (*fn)(void *ctx, struct wheel_timer *t), void *ctx)
{
	unsigned count = 0;

	while (w->firing) {
		struct wheel_timer *t = w->firing;

		wheel_cancel(w, t);
		count++;
		fn(ctx, t);
	}
	return count;
}

unsigned wheel_advance(struct wheel *w, uint64_t now_ns,
		       void (*fn)(void *ctx, struct wheel_timer *t), void *ctx)
{
	uint64_t then = w->tick, tick = now_ns >> WHEEL_TICK_SHIFT;
	struct wheel_timer **tail;
	unsigned count;

	if (tick <= then && !w->due)
		return 0;
	CHECK(!w->advancing);
	w->advancing = true;
	tail = append(&w->firing, w->due);
	w->due = NULL;
	if (tick > then) {
		w->tick = tick;
		for (unsigned level = 0; level < WHEEL_LEVELS; level++)
			tail = empty_level(w, level, then, tail);
		place_again(w);
	}
	count = fire(w, fn, ctx);
	w->advancing = false;
	return count;
}

uint64_t wheel_next_deadline(const struct wheel *w)
{
	uint64_t next = UINT64_MAX;

	if (w->due)
		return 0;
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		uint64_t at = w->tick >> level_shift(level), tick;
		uint64_t bits = rotate_right(w->occupied[level], (at + 1) % WHEEL_SLOTS);

		if (!bits)
			continue;
		tick = (at + 1 + (uint64_t)__builtin_ctzll(bits)) << level_shift(level);
		if (tick < next)
			next = tick;
	}
	return next == UINT64_MAX ? next : next << WHEEL_TICK_SHIFT;
}
