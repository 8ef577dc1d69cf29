/* A binary heap of events. */
#include "sim/sim.h"

#include <stdlib.h>

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->number < b->number);
}

bool heap_push(struct sim_heap *heap, const struct sim_event *event)
{
	size_t at = heap->count;

	if (heap->count == heap->room) {
		size_t room = heap->room ? 2 * heap->room : 64;
		struct sim_event *events = realloc(heap->events, room * sizeof(*events));

		if (!events)
			return false;
		heap->events = events;
		heap->room = room;
	}
	for (; at && before(event, &heap->events[(at - 1) / 2]); at = (at - 1) / 2)
		heap->events[at] = heap->events[(at - 1) / 2];
	heap->events[at] = *event;
	heap->count++;
	return true;
}

bool heap_pop(struct sim_heap *heap, struct sim_event *out)
{
	struct sim_event last;
	size_t at = 0, child;

	if (!heap->count)
		return false;
	*out = heap->events[0];
	last = heap->events[--heap->count];
	while ((child = 2 * at + 1) < heap->count) {
		if (child + 1 < heap->count &&
		    before(&heap->events[child + 1], &heap->events[child]))
			child++;
		if (!before(&heap->events[child], &last))
			break;
		heap->events[at] = heap->events[child];
		at = child;
	}
	if (heap->count)
		heap->events[at] = last;
	return true;
}
