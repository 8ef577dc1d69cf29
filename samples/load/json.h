/* All figures of a program as JSON. */
#ifndef LOAD_JSON_H
#define LOAD_JSON_H

#include "load/plan.h"
#include "load/sweep.h"

/* Into a file, "-" for stdout. 0 or errno. */
int json_write(const char *path, const struct plan *plan, const struct sweep *sweep);

#endif
