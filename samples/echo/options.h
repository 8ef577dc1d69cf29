/* What the command line asks for. */
#ifndef ECHO_OPTIONS_H
#define ECHO_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct options {
	uint16_t port;
	uint64_t stats_ns;	 /* 0: no figures while it runs */
	unsigned push_count_max; /* outstanding on one connection */
	bool udp, greet;
	bool help; /* that is all that is wanted */
};

/* Defaults, then the arguments; --config goes to the environment, where the SDK looks for it.
 * False: not understood. */
bool options_parse(struct options *options, int argc, char **argv);
void options_usage(FILE *to);

#endif
