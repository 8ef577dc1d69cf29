/*
 * Random worlds, one for each seed. Bytes of all streams are the right ones, each token completes
 * once, every connection keeps its invariants (in builds that check them), every world ends, and no
 * packet buffer is missing. Seeds that once failed run first.
 *
 *	run --seeds A..B [--seconds N] [--failed FILE] [--drawn]
 *	run --seed N [--draw N] [--trace FILE]
 *
 * --drawn prints how many worlds had what. A line of FILE: a seed, the draw of its time, a text.
 */
#include "world.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	TWICE_EVERY = 64,   /* such a seed runs twice, and alike */
	DRAWN_SEEDS = 1000, /* so many have everything there is */
};

struct options {
	uint64_t first, last;
	unsigned draw;
	bool drawn;
	double seconds;
	const char *failed, *trace;
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void run_failed(const char *path, struct deeds *deeds)
{
	FILE *file = path ? fopen(path, "re") : NULL;
	char line[256];
	unsigned draw;
	uint64_t seed;

	if (path && !file) {
		perror(path);
		exit(2);
	}
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%" SCNu64 " %u", &seed, &draw) == 2)
			world_run(seed, draw, NULL, deeds);
	if (file)
		fclose(file);
}

static uint64_t run_seeds(const struct options *options, double begin_s, struct deeds *deeds)
{
	uint64_t seed = options->first;

	for (; seed <= options->last; seed++) {
		const uint64_t digest = world_run(seed, options->draw, options->trace, deeds);
		struct deeds unseen = {0};

		if (seed % TWICE_EVERY == 0 &&
		    world_run(seed, options->draw, NULL, &unseen) != digest) {
			fprintf(stderr, "seed %" PRIu64 ": two runs differ\n", seed);
			exit(1);
		}
		if (options->seconds > 0 && now_s() - begin_s > options->seconds) {
			seed++;
			break;
		}
	}
	return seed - options->first;
}

static void print_deeds(const struct deeds *d, uint64_t seeds, double took_s)
{
	printf("%" PRIu64 " seeds in %.1f s, %.1f seeds/s; %.0f s of virtual time\n", seeds, took_s,
	       (double)seeds / took_s, (double)d->virtual_ns / 1e9);
	printf("%" PRIu64 " hosts, %" PRIu64 " shards, %" PRIu64 " frames (%" PRIu64
	       " dropped by devices), %" PRIu64 " troubles\n",
	       d->hosts, d->shards, d->frames, d->dropped, d->troubles);
	printf("%" PRIu64 " streams: %" PRIu64 " whole, %" PRIu64 " reset, %" PRIu64
	       " failed; %" PRIu64 " accepted; %" PRIu64 " bytes sent, %" PRIu64
	       " received; %" PRIu64 " tokens\n",
	       d->streams, d->finished, d->reset, d->failed, d->accepted, d->bytes_sent,
	       d->bytes_received, d->tokens);
	printf("%" PRIu64 " streams ended by the server; %" PRIu64 " datagrams, %" PRIu64
	       " came back; %" PRIu64 " were sent in fragments, %" PRIu64 " of them came\n",
	       d->hung_up, d->datagrams, d->datagrams_back, d->fragmented, d->fragmented_came);
}

static void usage(void)
{
	fprintf(stderr, "usage: run --seeds A..B [--seconds N] [--failed FILE] [--drawn]\n"
			"       run --seed N [--draw N] [--trace FILE]\n");
	exit(2);
}

static struct options parse(int argc, char **argv)
{
	static const struct option known[] = {
		{"seeds", required_argument, NULL, 's'},  {"seed", required_argument, NULL, 'o'},
		{"trace", required_argument, NULL, 't'},  {"seconds", required_argument, NULL, 'n'},
		{"failed", required_argument, NULL, 'f'}, {"draw", required_argument, NULL, 'd'},
		{"drawn", no_argument, NULL, 'c'},	  {NULL, 0, NULL, 0}};
	struct options o = {.first = 1, .draw = PLAN_DRAW};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 's' &&
		    sscanf(optarg, "%" SCNu64 "..%" SCNu64, &o.first, &o.last) != 2)
			usage();
		else if (option == 'o')
			o.first = o.last = strtoull(optarg, NULL, 10);
		else if (option == 't')
			o.trace = optarg;
		else if (option == 'n')
			o.seconds = strtod(optarg, NULL);
		else if (option == 'f')
			o.failed = optarg;
		else if (option == 'd')
			o.draw = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'c')
			o.drawn = true;
		else if (option == '?')
			usage();
	}
	if (o.last < o.first)
		usage();
	return o;
}

int main(int argc, char **argv)
{
	const struct options options = parse(argc, argv);
	const double begin_s = now_s();
	struct deeds deeds = {0};
	uint64_t seeds;

	run_failed(options.failed, &deeds);
	seeds = run_seeds(&options, begin_s, &deeds);
	print_deeds(&deeds, seeds, now_s() - begin_s);
	if (seeds >= DRAWN_SEEDS && options.draw > 1 &&
	    (!deeds.hung_up || !deeds.datagrams_back || !deeds.fragmented_came)) {
		fprintf(stderr, "the server ended no stream, or no datagram came: see above\n");
		return 1;
	}
	if (deeds.finished == 0 && seeds > 20) {
		fprintf(stderr, "no stream was whole: this tests nothing\n");
		return 1;
	}
	if (options.drawn && drawn_print(&deeds.drawn, stdout) > 0 && seeds >= DRAWN_SEEDS) {
		fprintf(stderr, "what is 0 was never drawn\n");
		return 1;
	}
	/* One line as cmocka's, for ci/test to count. */
	printf("[       OK ] %" PRIu64 "_random_worlds_end_as_they_should\n", seeds);
	return 0;
}
