/*
 * A server that speaks Redis's protocol, on all shards: each has a part of the keys, a listener and
 * clients of its own. What they ask each other goes through channels, nothing else is shared.
 *
 *      kv.c ......... the program: options, begins, is told to end
 *      server.c ..... a shard's life: listen, wait for results, hand them out
 *      session.c .... a connection: pop, parse, run, send (send.c), end
 *      dispatch.c ... a command: refused, queued, run here, or given to the router
 *      router.c ..... where its keys are;   engine.c ... runs it;   store.c ... has the data
 */
#include "kv/aof.h"
#include "kv/server.h"

#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SHARD_MAX = 64 };

static struct server servers[SHARD_MAX];
static _Atomic int ready_count;
static int shard_count;

enum logs_state { LOGS_CLOSED, LOGS_OPEN, LOGS_REFUSED };
static struct aof_dir *logs;   /* the first shard's */
static _Atomic int logs_state; /* release and acquire: what it did to the files is done */

/* --- options --- */

static void usage(FILE *to)
{
	fprintf(to,
		"usage: kv [SETTINGS_FILE] [--config FILE] [--NAME VALUE ...]\n"
		"  SETTINGS_FILE    lines of \"name value\" as in redis.conf\n"
		"  --config FILE    the SDK's configuration (CONFIG_PATH in the environment)\n"
		"  --NAME VALUE     a setting, as CONFIG GET '*' lists them:\n"
		"                   --port 6379 --maxmemory 1gb --appendonly yes\n"
		"  --cluster yes    each shard is a node of a Redis Cluster, on port + shard\n");
}

/* The value is all up to the next option, as redis-server has it. Returns where that is. */
static int take_value(int argc, char **argv, int at, char value[SETTINGS_VALUE_LEN])
{
	size_t len = 0;

	value[0] = 0;
	for (; at < argc && strncmp(argv[at], "--", 2) != 0; at++) {
		len += (size_t)snprintf(value + len, SETTINGS_VALUE_LEN - len, "%s%s",
					len ? " " : "", argv[at]);
		if (len >= SETTINGS_VALUE_LEN)
			return -1;
	}
	return at;
}

static bool set(struct settings *settings, const char *name, const char *value)
{
	char error[SETTINGS_ERROR_LEN];

	if (strcmp(name, "config") == 0)
		return setenv("CONFIG_PATH", value, 1) == 0;
	if (strcmp(name, "cluster") == 0)
		name = "cluster-enabled";
	if (settings_set(settings, slice_of(name), slice_of(value), SETTINGS_START, error))
		return true;
	fprintf(stderr, "kv: --%s %s: %s\n", name, value, error);
	return false;
}

static bool parse(struct settings *settings, int argc, char **argv)
{
	char error[SETTINGS_ERROR_LEN], value[SETTINGS_VALUE_LEN];
	const char *name;
	int at = 1;

	settings_init(settings);
	if (at < argc && strncmp(argv[at], "--", 2) != 0 &&
	    !settings_read_file(settings, argv[at++], error)) {
		fprintf(stderr, "kv: %s\n", error);
		return false;
	}
	while (at < argc) {
		if (strncmp(argv[at], "--", 2) != 0) {
			fprintf(stderr, "kv: %s: not an option\n", argv[at]);
			return false;
		}
		name = argv[at++] + 2;
		at = take_value(argc, argv, at, value);
		if (at < 0) {
			fprintf(stderr, "kv: --%s: the value is too long\n", name);
			return false;
		}
		if (!set(settings, name, value))
			return false;
	}
	return true;
}

/* --- shards --- */

static void print_line(const char *text, void *arg)
{
	(void)arg;
	printf("%s\n", text);
}

/* The first shard says what was found and chosen; the last one to be ready says that all are. */
static void say_ready(struct server *server)
{
	const struct settings *settings = &server->settings;
	const int count = demi_shard_count();

	if (server->engine.shard == 0)
		demi_describe(print_line, NULL);
	if (++ready_count < count)
		return;
	if (settings->mode == KV_CLUSTER)
		printf("kv: ready on ports %u to %u, a cluster of %d nodes\n", settings->port,
		       settings->port + (unsigned)count - 1, count);
	else
		printf("kv: ready on port %u, %d shard%s\n", settings->port, count,
		       count == 1 ? "" : "s");
}

/*
 * The logs are made ready for so many shards before any of them opens its own: by the first, while
 * the others wait. 0 or a positive errno.
 */
static int open_logs(const struct settings *settings, int shard)
{
	const struct timespec short_while = {.tv_nsec = 1000000};
	demi_qresult_t result;
	int n;

	if (!settings->appendonly)
		return 0;
	if (shard == 0) {
		logs = aof_dir_open_or_null(settings, shard_count);
		logs_state = logs ? LOGS_OPEN : LOGS_REFUSED;
		if (!logs)
			demi_shard_stop();
	}
	while (logs_state == LOGS_CLOSED) {
		if (demi_wait_next_n(&result, 1, &n, &short_while) == ECANCELED)
			return ECANCELED;
	}
	return logs_state == LOGS_OPEN ? 0 : EIO;
}

/* Runs on each shard; arg is the program's settings. */
static int shard_main(void *arg)
{
	static const struct server_hooks hooks = {.ready = say_ready};
	struct settings settings = *(const struct settings *)arg;
	const int shard = demi_shard_self();
	int error;

	if (shard == 0)
		shard_count = demi_shard_count();
	settings_share(&settings, demi_shard_count());
	error = open_logs(&settings, shard);
	return error ? error : server_run(&servers[shard], &settings, &hooks);
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
	struct settings settings;
	int error;

	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		usage(stdout);
		return 0;
	}
	if (!parse(&settings, argc, argv)) {
		usage(stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0); /* whole lines, into pipes too */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN); /* whoever read what is printed may go before us */
	error = demi_shard_run(&args, shard_main, &settings);
	for (int i = 0; i < shard_count; i++)
		server_fini(&servers[i]);
	if (logs)
		aof_dir_close(logs);
	if (error) {
		fprintf(stderr, "kv: %s\n", demi_strerror(error));
		return 1;
	}
	printf("kv: ended in order, every buffer is back\n");
	return 0;
}
