#include "kv/latency.h"

#include <stddef.h>

void latency_note(struct latency *latency, uint64_t threshold_ms, uint64_t now_ms, uint64_t ms)
{
	unsigned last = (latency->next + LATENCY_SAMPLE_COUNT - 1) % LATENCY_SAMPLE_COUNT;
	uint64_t now_s = now_ms / 1000;

	if (threshold_ms == 0 || ms < threshold_ms)
		return;
	if (ms > latency->ms_max)
		latency->ms_max = ms;
	if (latency->samples[last].when_s == now_s && now_s != 0) {
		if (ms > latency->samples[last].ms)
			latency->samples[last].ms = ms;
		return;
	}
	latency->samples[latency->next] = (struct latency_sample){now_s, ms};
	latency->next = (latency->next + 1) % LATENCY_SAMPLE_COUNT;
}

const struct latency_sample *latency_at_or_null(const struct latency *latency, unsigned i)
{
	for (unsigned age = LATENCY_SAMPLE_COUNT; age > 0; age--) {
		const struct latency_sample *sample =
			&latency->samples[(latency->next + LATENCY_SAMPLE_COUNT - age) %
					  LATENCY_SAMPLE_COUNT];

		if (sample->when_s == 0)
			continue;
		if (i == 0)
			return sample;
		i--;
	}
	return NULL;
}
