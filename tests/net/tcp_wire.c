#include "tcp_wire.h"

#include <stdlib.h>

enum { WIRE_LEN_MAX = 4096 };

struct flying {
	uint64_t at_ns;
	struct host_frame frame;
};

void wire_begin(struct wire *w, const struct wire_rules *rules, uint64_t seed)
{
	*w = (struct wire){.rules = *rules, .random = seed * 0x9e3779b97f4a7c15u + 1};
	for (unsigned i = 0; i < 2; i++) {
		w->flying[i] = calloc(WIRE_LEN_MAX, sizeof(struct flying));
		assert_non_null(w->flying[i]);
	}
}

void wire_end(struct wire *w)
{
	for (unsigned i = 0; i < 2; i++)
		free(w->flying[i]);
}

uint32_t wire_dice(struct wire *w, uint32_t sides)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (uint32_t)(w->random >> 11) % sides;
}

static void fly(struct wire *w, unsigned to, const struct host_frame *f, uint64_t at_ns)
{
	struct flying *flying;

	if (w->count[to] == WIRE_LEN_MAX)
		return;
	flying = &w->flying[to][w->count[to]++];
	flying->at_ns = at_ns;
	flying->frame = *f;
	if (wire_dice(w, 1000) < w->rules.corrupt_per_mille)
		flying->frame.bytes[wire_dice(w, f->len)] ^= (uint8_t)(1u << wire_dice(w, 8));
}

void wire_send(struct wire *w, unsigned to, const struct host_frame *f, uint64_t now_ns)
{
	uint64_t at_ns = now_ns + w->rules.delay_ns;

	if (wire_dice(w, 1000) < w->rules.loss_per_mille)
		return;
	if (wire_dice(w, 1000) < w->rules.reorder_per_mille)
		at_ns += wire_dice(w, 5) * MS;
	fly(w, to, f, at_ns);
	if (wire_dice(w, 1000) < w->rules.duplicate_per_mille)
		fly(w, to, f, at_ns + wire_dice(w, 3) * MS);
}

void wire_deliver(struct wire *w, unsigned to, struct host *h)
{
	unsigned kept = 0, n = w->count[to];

	for (unsigned i = 0; i < n; i++) {
		struct flying *flying = &w->flying[to][i];

		if (flying->at_ns <= h->now_ns)
			host_input(h, &flying->frame);
		else
			w->flying[to][kept++] = *flying;
	}
	w->count[to] = kept;
}
