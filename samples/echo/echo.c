/*
 * An echo server on all shards: TCP and UDP, zero-copy (what was popped is what is pushed), any
 * number of connections. Each shard has a listener of its own on the same port and serves the flows
 * that it owns; nothing is shared between shards.
 *
 *      echo.c ..... the program: begins, is told to end, prints what was done
 *      server.c ... a shard's life: listen, wait for results, hand them out
 *      conns.c .... its connections: pop, push what was popped, wait for room
 *      figures.c .. a line about it;  options.c .. the command line
 */
#include "echo/server.h"

#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/shard.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { SHARD_MAX = 64 };

static struct server servers[SHARD_MAX];
static int shard_count;

/* Runs on each shard; arg is the program's options. */
static int shard_main(void *arg)
{
	int shard = demi_shard_self();

	if (shard == 0)
		shard_count = demi_shard_count();
	return server_run(&servers[shard], arg);
}

static void on_signal(int number)
{
	static volatile sig_atomic_t asked;

	(void)number;
	if (!asked && demi_shard_stop())
		_exit(1); /* nothing runs yet that could end in order */
	asked = 1;
}

int main(int argc, char **argv)
{
	struct demi_args args = {.argc = argc, .argv = argv};
	struct sigaction action = {.sa_handler = on_signal};
	struct options options;
	int error;

	if (!options_parse(&options, argc, argv)) {
		options_usage(stderr);
		return 2;
	}
	if (options.help) {
		options_usage(stdout);
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0); /* whole lines, into pipes too */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	error = demi_shard_run(&args, shard_main, &options);
	if (error) {
		fprintf(stderr, "echo: %s\n", demi_strerror(error));
		return 1;
	}
	for (int i = 0; i < shard_count; i++)
		figures_print(&servers[i].figures);
	printf("echo: ended in order, every buffer is back\n");
	return 0;
}
