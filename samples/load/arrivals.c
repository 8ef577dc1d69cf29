#include "load/arrivals.h"

#include <math.h>

void arrivals_init(struct arrivals *arrivals, enum arrivals_kind kind, double rate, uint32_t burst,
		   unsigned number, unsigned count, uint64_t start_ns, uint64_t seed)
{
	*arrivals = (struct arrivals){.kind = kind,
				      .start_ns = start_ns,
				      .gap_ns = 1e9 / rate,
				      .burst = burst,
				      .phase = (number + 0.5) / count};
	dice_init(&arrivals->dice, seed);
}

uint64_t arrivals_next_ns(struct arrivals *arrivals)
{
	const uint64_t number = arrivals->count++;
	double offset_ns;

	if (arrivals->kind == ARRIVALS_POISSON) {
		arrivals->offset_ns += -log(dice_unit(&arrivals->dice)) * arrivals->gap_ns;
		offset_ns = arrivals->offset_ns;
	} else if (arrivals->kind == ARRIVALS_INCAST) {
		offset_ns = (double)(number - number % arrivals->burst) * arrivals->gap_ns;
	} else {
		offset_ns = ((double)number + arrivals->phase) * arrivals->gap_ns;
	}
	return arrivals->start_ns + (uint64_t)offset_ns;
}
