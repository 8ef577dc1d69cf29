#include "tcp_link.h"

#include <stdlib.h>

enum { LINK_FRAMES_MAX = 8192 }; /* a power of two */

struct link_frame {
	uint64_t sent_ns, arrives_ns, tag;
	struct host_frame frame;
};

static struct link_frame *at(const struct link *l, uint64_t i)
{
	return &l->frames[i & (LINK_FRAMES_MAX - 1)];
}

void link_begin(struct link *l, const struct link_rules *rules, uint64_t seed)
{
	*l = (struct link){.rules = *rules, .random = seed * 0x9e3779b97f4a7c15u + 1};
	l->frames = calloc(LINK_FRAMES_MAX, sizeof(*l->frames));
	assert_non_null(l->frames);
	for (unsigned i = 0; i < 100; i++) { /* neighbouring seeds part */
		l->random ^= l->random << 13;
		l->random ^= l->random >> 7;
		l->random ^= l->random << 17;
	}
}

void link_end(struct link *l)
{
	free(l->frames);
}

static bool is_lost(struct link *l)
{
	l->random ^= l->random << 13;
	l->random ^= l->random >> 7;
	l->random ^= l->random << 17;
	return (uint32_t)(l->random >> 11) % 100000 < l->rules.loss_per_100k;
}

bool link_send(struct link *l, const struct host_frame *f, uint64_t now_ns)
{
	struct link_frame *frame;

	while (l->sent < l->last && at(l, l->sent)->sent_ns <= now_ns)
		l->sent++;
	if (l->last - l->sent >= l->rules.queue_max || l->last - l->first == LINK_FRAMES_MAX) {
		l->full_count++;
		return false;
	}
	l->free_ns = RTE_MAX(l->free_ns, now_ns) +
		     (uint64_t)f->len * 8 * 1000000000 / l->rules.bits_per_second;
	if (is_lost(l)) {
		l->lost_count++;
		return false;
	}
	frame = at(l, l->last++);
	frame->sent_ns = l->free_ns;
	frame->arrives_ns = l->free_ns + l->rules.delay_ns;
	frame->tag = l->tag;
	frame->frame = *f;
	return true;
}

const struct host_frame *link_take_or_null(struct link *l, uint64_t now_ns)
{
	if (link_next_ns(l) > now_ns)
		return NULL;
	l->sent = RTE_MAX(l->sent, l->first + 1);
	l->taken_tag = at(l, l->first)->tag;
	return &at(l, l->first++)->frame;
}

uint64_t link_next_ns(const struct link *l)
{
	return l->first == l->last ? UINT64_MAX : at(l, l->first)->arrives_ns;
}
