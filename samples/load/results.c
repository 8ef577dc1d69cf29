#include "load/results.h"

#include <string.h>

const char *fault_key(enum fault fault)
{
	static const char *const keys[] = {
#define X(name, key, text) key,
		FAULTS(X)
#undef X
	};

	return keys[fault];
}

const char *fault_text(enum fault fault)
{
	static const char *const texts[] = {
#define X(name, key, text) text,
		FAULTS(X)
#undef X
	};

	return texts[fault];
}

void results_merge(struct results *all, const struct results *from)
{
	if (from->until_ns > all->until_ns)
		all->until_ns = from->until_ns;
	histogram_merge(&all->latency, &from->latency);
	histogram_merge(&all->lag, &from->lag);
	histogram_merge(&all->connect, &from->connect);
	all->asked += from->asked;
	all->answered += from->answered;
	all->due_counted += from->due_counted;
	all->completed_counted += from->completed_counted;
	all->held_back += from->held_back;
	all->unfinished += from->unfinished;
	all->lost += from->lost;
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		all->faults[i] += from->faults[i];
	if (!all->fault_text[0])
		memcpy(all->fault_text, from->fault_text, sizeof(all->fault_text));
	all->window_ns += from->window_ns;
	all->busy_ns += from->busy_ns;
	all->paused_ns += from->paused_ns;
	if (from->pause_ns_max > all->pause_ns_max)
		all->pause_ns_max = from->pause_ns_max;
	all->idle_conns_lost += from->idle_conns_lost;
	all->conn_count += from->conn_count;
	all->idle_count += from->idle_count;
}
