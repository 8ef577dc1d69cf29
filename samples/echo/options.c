#include "echo/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

void options_usage(FILE *to)
{
	fprintf(to,
		"usage: echo [options]\n"
		"  --config FILE    the configuration (CONFIG_PATH in the environment)\n"
		"  --port PORT      to listen on (7)\n"
		"  --udp            echo datagrams too\n"
		"  --pushes N       outstanding on one connection at most (32). A push is a "
		"popped\n"
		"                   packet: so N packets are in flight at most, and a single\n"
		"                   connection over a long way goes faster with more. Each keeps "
		"its\n"
		"                   buffer until the peer acknowledges it\n"
		"  --greet          begin each connection with a line \"shard N of M\"\n"
		"  --stats SECONDS  print a line per shard every so often\n"
		"  --help           print this\n");
}

/* 1 .. max; 0: it is not. */
static unsigned number(const char *text, unsigned max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	return *end == 0 && value <= max ? (unsigned)value : 0;
}

bool options_parse(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'}, {"port", required_argument, NULL, 'p'},
		{"udp", no_argument, NULL, 'u'},	  {"greet", no_argument, NULL, 'g'},
		{"stats", required_argument, NULL, 's'},  {"pushes", required_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},	  {NULL, 0, NULL, 0},
	};
	int c;

	*options = (struct options){.port = 7, .push_count_max = 32};
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'c')
			setenv("CONFIG_PATH", optarg, 1);
		else if (c == 'p')
			options->port = (uint16_t)number(optarg, UINT16_MAX);
		else if (c == 'u')
			options->udp = true;
		else if (c == 'n')
			options->push_count_max = number(optarg, INT_MAX);
		else if (c == 'g')
			options->greet = true;
		else if (c == 's')
			options->stats_ns = (uint64_t)(strtod(optarg, NULL) * 1e9);
		else
			return (options->help = c == 'h');
	}
	return optind == argc && options->port != 0 && options->push_count_max != 0;
}
