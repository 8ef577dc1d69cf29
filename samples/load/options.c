#include "load/options.h"

#include "load/workload.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CONN_MAX = 4000000, DEPTH_MAX = 65536, SIZE_LIMIT = 512 << 20 };

void options_usage(FILE *to)
{
	fprintf(to,
		"usage: load [options] WORKLOAD ADDRESS PORT[,PORT...]\n"
		"WORKLOAD is what is asked, and each answer is checked:\n"
		"  echo     bytes, and the same ones back\n"
		"  connect  a connection for each echo, closed afterwards\n"
		"  resp     GET and SET of the Redis protocol\n"
		"how:\n"
		"  --config FILE        the SDK's configuration (CONFIG_PATH in the environment)\n"
		"  --connections N      of all shards (64); for connect: at the same time\n"
		"  --depth N            requests in flight on a connection (1); a closed loop "
		"sends\n"
		"                       so many at once\n"
		"  --rate R             open loop: requests a second, of all shards; without it a\n"
		"                       closed loop asks when it was answered\n"
		"  --arrivals KIND      of an open loop: poisson, fixed, or incast, where all\n"
		"                       connections ask at the same moment (poisson)\n"
		"  --reset              connect: end with an RST, which leaves no TIME-WAIT\n"
		"  --size BYTES         of a message or value (64)\n"
		"  --idle N             connections that are held open beside, and tried at the "
		"end (0)\n"
		"  --warmup SECONDS     not counted (1)\n"
		"  --seconds SECONDS    measured (5)\n"
		"  --timeout SECONDS    of a request or connect (5)\n"
		"  --seed N             of everything random (the time)\n"
		"resp:\n"
		"  --keys N             there are (100000)\n"
		"  --popularity KIND    uniform, zipf or hot, which is one key (uniform)\n"
		"  --exponent X         Zipf's (0.99)\n"
		"  --gets SHARE         of all requests, 0 .. 1 (0.9)\n"
		"  --no-preload         do not set each key before\n"
		"  --evicts             a key that was set may be gone\n"
		"  --cluster            a Redis Cluster: the server is asked for its nodes, each\n"
		"                       connection goes to one and asks for keys of its slots\n"
		"results:\n"
		"  --live SECONDS       between lines while it runs (1); 0: none\n"
		"  --json FILE          all figures; -: on stdout\n"
		"  --sweep              rates up to where it is saturated, and the highest whose "
		"p99\n"
		"                       is within the limit\n"
		"  --p99 MICROSECONDS   that limit (1000)\n"
		"  --rate-max R         of the sweep (what a closed loop reaches)\n"
		"  --plot DIR           pictures, by gnuplot\n"
		"  --help               prints this\n");
}

static bool number(const char *text, double least, double most, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return end != text && *end == 0 && *out >= least && *out <= most;
}

static bool choose(const char *text, const char *const names[], unsigned count, unsigned *out)
{
	for (*out = 0; *out < count; ++*out) {
		if (strcmp(text, names[*out]) == 0)
			return true;
	}
	return false;
}

enum {
	CONFIG = 1,
	CONNECTIONS,
	DEPTH,
	RATE,
	ARRIVALS,
	SIZE,
	IDLE,
	WARMUP,
	SECONDS,
	TIMEOUT,
	SEED,
	KEYS,
	POPULARITY,
	EXPONENT,
	GETS,
	NO_PRELOAD,
	EVICTS,
	CLUSTER,
	RESET,
	LIVE,
	JSON,
	SWEEP,
	P99,
	RATE_MAX,
	PLOT,
	HELP = 'h' /* as a letter, too */
};

static const struct option longs[] = {
	{"config", required_argument, NULL, CONFIG},
	{"connections", required_argument, NULL, CONNECTIONS},
	{"depth", required_argument, NULL, DEPTH},
	{"rate", required_argument, NULL, RATE},
	{"arrivals", required_argument, NULL, ARRIVALS},
	{"size", required_argument, NULL, SIZE},
	{"idle", required_argument, NULL, IDLE},
	{"warmup", required_argument, NULL, WARMUP},
	{"seconds", required_argument, NULL, SECONDS},
	{"timeout", required_argument, NULL, TIMEOUT},
	{"seed", required_argument, NULL, SEED},
	{"keys", required_argument, NULL, KEYS},
	{"popularity", required_argument, NULL, POPULARITY},
	{"exponent", required_argument, NULL, EXPONENT},
	{"gets", required_argument, NULL, GETS},
	{"no-preload", no_argument, NULL, NO_PRELOAD},
	{"evicts", no_argument, NULL, EVICTS},
	{"cluster", no_argument, NULL, CLUSTER},
	{"reset", no_argument, NULL, RESET},
	{"live", required_argument, NULL, LIVE},
	{"json", required_argument, NULL, JSON},
	{"sweep", no_argument, NULL, SWEEP},
	{"p99", required_argument, NULL, P99},
	{"rate-max", required_argument, NULL, RATE_MAX},
	{"plot", required_argument, NULL, PLOT},
	{"help", no_argument, NULL, HELP},
	{NULL, 0, NULL, 0},
};

/* How it is asked. */
static bool take_how(struct options *o, int c, const char *text)
{
	static const char *const kinds[] = {"poisson", "fixed", "incast"};
	struct plan *plan = &o->plan;
	double x = 0;
	unsigned i;
	bool ok;

	switch (c) {
	case CONFIG:
		return setenv("CONFIG_PATH", text, 1) == 0;
	case CONNECTIONS:
		ok = number(text, 1, CONN_MAX, &x);
		plan->conn_count = (unsigned)x;
		return ok;
	case DEPTH:
		ok = number(text, 1, DEPTH_MAX, &x);
		plan->depth = (uint32_t)x;
		return ok;
	case RATE:
		return number(text, 1e-3, 1e9, &plan->rate);
	case ARRIVALS:
		ok = choose(text, kinds, 3, &i);
		plan->arrivals = ARRIVALS_POISSON + i;
		return ok;
	case SIZE:
		ok = number(text, 1, SIZE_LIMIT, &x);
		plan->size = (uint32_t)x;
		return ok;
	case RESET:
		plan->reset = true;
		return true;
	case IDLE:
		ok = number(text, 0, CONN_MAX, &x);
		plan->idle_count = (unsigned)x;
		return ok;
	default:
		return false;
	}
}

/* How long. */
static bool take_when(struct options *o, int c, const char *text)
{
	struct plan *plan = &o->plan;
	double x = 0;
	bool ok;

	switch (c) {
	case WARMUP:
		ok = number(text, 0, 1e6, &x);
		plan->warm_ns = (uint64_t)(x * 1e9);
		return ok;
	case SECONDS:
		ok = number(text, 1e-3, 1e6, &x);
		plan->measure_ns = (uint64_t)(x * 1e9);
		return ok;
	case TIMEOUT:
		ok = number(text, 1e-3, 1e6, &x);
		plan->timeout_ns = (uint64_t)(x * 1e9);
		return ok;
	case SEED:
		ok = number(text, 0, 0x1p53, &x);
		plan->seed = (uint64_t)x;
		return ok;
	case LIVE:
		ok = number(text, 0, 1e6, &x);
		o->live_ns = (uint64_t)(x * 1e9);
		return ok;
	default:
		return take_how(o, c, text);
	}
}

/* Of keys and values. */
static bool take_resp(struct options *o, int c, const char *text)
{
	static const char *const kinds[] = {"uniform", "zipf", "hot"};
	struct plan *plan = &o->plan;
	double x = 0;
	unsigned i;
	bool ok;

	switch (c) {
	case KEYS:
		ok = number(text, 1, 1e9, &x);
		plan->key_count = (uint64_t)x;
		return ok;
	case POPULARITY:
		ok = choose(text, kinds, 3, &i);
		plan->keys = i;
		return ok;
	case EXPONENT:
		return number(text, 0.01, 10, &plan->exponent);
	case GETS:
		return number(text, 0, 1, &plan->get_share);
	case NO_PRELOAD:
		plan->preload = false;
		return true;
	case EVICTS:
		plan->missing_allowed = true;
		return true;
	case CLUSTER:
		plan->cluster = true;
		return true;
	default:
		return take_when(o, c, text);
	}
}

static bool take(struct options *o, int c, const char *text)
{
	double x = 0;
	bool ok;

	switch (c) {
	case JSON:
		o->json = text;
		return true;
	case PLOT:
		o->plot = text;
		return true;
	case SWEEP:
		o->sweep = true;
		return true;
	case P99:
		ok = number(text, 1, 1e9, &x);
		o->p99_limit_ns = (uint64_t)(x * 1e3);
		return ok;
	case RATE_MAX:
		return number(text, 1, 1e9, &o->rate_max);
	default:
		return take_resp(o, c, text);
	}
}

static bool take_server(struct plan *plan, const char *address, char *ports)
{
	char *rest = NULL;

	for (char *port = strtok_r(ports, ",", &rest); port; port = strtok_r(NULL, ",", &rest)) {
		struct sockaddr_in *server = &plan->servers[plan->server_count];
		double x;

		if (plan->server_count == PLAN_SERVER_MAX || !number(port, 1, 65535, &x) ||
		    inet_pton(AF_INET, address, &server->sin_addr) != 1)
			return false;
		server->sin_family = AF_INET;
		server->sin_port = htons((uint16_t)x);
		plan->server_count++;
	}
	return plan->server_count > 0;
}

static bool complain(const char *what, const char *value)
{
	fprintf(stderr, "load: %s: %s\n", what, value);
	return false;
}

static bool take_words(struct options *o, int argc, char **argv)
{
	struct plan *plan = &o->plan;

	if (argc != 3)
		return complain("wanted is WORKLOAD ADDRESS PORT", argc ? argv[0] : "nothing");
	plan->workload = workload_find_or_null(argv[0]);
	if (!plan->workload)
		return complain("no such workload", argv[0]);
	if (!take_server(plan, argv[1], argv[2]))
		return complain("not an address and ports", argv[1]);
	if (plan->rate == 0)
		plan->arrivals = ARRIVALS_CLOSED;
	if (plan->workload->conn_per_request && plan->depth > 1)
		return complain("each request has its own connection", "--depth");
	return true;
}

bool options_parse(struct options *o, int argc, char **argv)
{
	struct timespec now;
	int c, at = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	*o = (struct options){.p99_limit_ns = 1000000, .live_ns = 1000000000};
	o->plan = (struct plan){.arrivals = ARRIVALS_POISSON,
				.conn_count = 64,
				.depth = 1,
				.warm_ns = 1000000000,
				.measure_ns = 5000000000,
				.timeout_ns = 5000000000,
				.spin_ns = 200000,
				.seed = (uint64_t)now.tv_sec << 20 ^ (uint64_t)now.tv_nsec,
				.size = 64,
				.key_count = 100000,
				.exponent = 0.99,
				.get_share = 0.9,
				.preload = true};
	while ((c = getopt_long(argc, argv, "h", longs, &at)) != -1) {
		if (c == '?')
			return false;
		if (c == HELP) {
			o->help = true;
			return true;
		}
		if (!take(o, c, optarg))
			return complain(longs[at].name, optarg ? optarg : "");
	}
	return take_words(o, argc - optind, argv + optind);
}
