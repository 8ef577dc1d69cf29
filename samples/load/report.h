/* What people read: a table of a step, and a line for each second while it runs. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "load/run.h"
#include "load/summary.h"

#include <stdint.h>
#include <stdio.h>

void report_summary(FILE *out, const struct summary *summary);
/* One line of a sweep; NULL: the heading. */
void report_step(FILE *out, const struct summary *summary);

/* The live table: a thread of its own, that only reads what the shards write. */
struct live;
/* NULL: it could not be started, or period_ns is 0. */
struct live *live_start_or_null(struct run *run, uint64_t period_ns, FILE *out);
void live_stop(struct live *live);

#endif
