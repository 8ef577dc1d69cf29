#include "kv/rates.h"

void rates_note(struct rates *rates, const struct rates_look *now)
{
	/* A clock that went back does not come to due_ms so soon. */
	if (now->when_ms < rates->due_ms && rates->due_ms - now->when_ms <= RATES_LOOK_MS)
		return;
	rates->looks[rates->next] = *now;
	rates->next = (rates->next + 1) % RATES_LOOK_COUNT;
	rates->due_ms = now->when_ms + RATES_LOOK_MS;
}

static uint64_t a_second(uint64_t before, uint64_t after, uint64_t ms)
{
	/* Counters that were reset meanwhile have gone back. */
	return after < before ? 0 : (after - before) * 1000 / ms;
}

struct rates_look rates_tell(const struct rates *rates, const struct rates_look *now)
{
	struct rates_look told = {.when_ms = now->when_ms};

	for (unsigned i = 0; i < RATES_LOOK_COUNT; i++) {
		const struct rates_look *old = &rates->looks[(rates->next + i) % RATES_LOOK_COUNT];

		if (old->when_ms == 0 || old->when_ms >= now->when_ms)
			continue;
		told.commands = a_second(old->commands, now->commands, now->when_ms - old->when_ms);
		told.received_bytes = a_second(old->received_bytes, now->received_bytes,
					       now->when_ms - old->when_ms);
		told.sent_bytes =
			a_second(old->sent_bytes, now->sent_bytes, now->when_ms - old->when_ms);
		break;
	}
	return told;
}
