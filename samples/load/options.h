/* What the command line asks for. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include "load/plan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct options {
	struct plan plan;
	bool sweep;
	uint64_t p99_limit_ns; /* of a sweep */
	double rate_max;       /* of a sweep; 0: what a closed loop reaches */
	const char *json;      /* a file, "-" for stdout; NULL: none */
	const char *plot;      /* a directory; NULL: none */
	uint64_t live_ns;      /* between lines of the live table; 0: none */
	bool help;	       /* that is all that is wanted: the rest is not there */
};

/* Defaults, then the arguments; --config goes to the environment, where the SDK looks for it.
 * False: not understood, and it was said why. */
bool options_parse(struct options *options, int argc, char **argv);
void options_usage(FILE *to);

#endif
