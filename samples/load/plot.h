/* Pictures by gnuplot: latency against load, the load of each shard, and percentiles. */
#ifndef LOAD_PLOT_H
#define LOAD_PLOT_H

#include "load/sweep.h"

/* Data and scripts into a directory, which is made if it is not there, and from them SVG and PNG;
 * without gnuplot a line on stderr says so. 0 or errno. */
int plot_write(const char *directory, const struct sweep *sweep);

#endif
