/*
 * A closed-loop client for an echo server, on all shards: each shard opens its part of the
 * connections and keeps one request in flight on each, checks every byte that comes back, shuts
 * its side down at the end and expects the server's FIN. Local ports are chosen so that answers
 * come home to the shard that asked. Figures as lines of "name value" pairs. See usage().
 */
#include "histogram.h"
#include "qd_map.h"

#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	RESULT_COUNT = 64,
	CONNECTING_MAX = 128, /* handshakes of one shard in flight */
	SIZE_MAX_LEN = 65535, /* what one sga holds */
	SHARD_MAX = 64,
};

static struct {
	struct sockaddr_in server;
	unsigned conn_count; /* of all shards */
	uint32_t size;
	uint64_t request_count; /* of one connection */
	int limit_s;
	bool help; /* that is all that is wanted */
} options = {.conn_count = 1, .size = 64, .request_count = 1000, .limit_s = 60};

struct conn {
	int qd;
	unsigned number;
	unsigned token_count; /* operations outstanding */
	bool connected, ending, failed;
	uint64_t request_count, asked_ns; /* answered; when the current one was pushed */
	uint32_t got_len;
	uint8_t *message;
};

/* All that a shard has; it shares no cache line with another's. */
struct client {
	_Alignas(128) int shard;
	unsigned conn_count, opened, connecting, over, failed;
	struct conn *conns;
	struct qd_map map;
	uint64_t begun_ns, ended_ns;
	struct histogram latency;
};

static struct client clients[SHARD_MAX];
static int shard_count;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void fail(struct client *client, struct conn *conn, const char *what)
{
	if (!conn->failed && client->failed++ < 10)
		fprintf(stderr, "echo_client: shard %d: connection %u after %llu requests: %s\n",
			client->shard, conn->number, (unsigned long long)conn->request_count, what);
	conn->failed = conn->ending = true;
}

/* Bytes that differ from connection to connection and from request to request. */
static void fill(struct conn *conn)
{
	uint64_t word = conn->number * UINT64_C(0x9e3779b97f4a7c15) +
			conn->request_count * UINT64_C(0xd1342543de82ef95);

	for (uint32_t i = 0; i < options.size; i += sizeof(word)) {
		uint32_t left = options.size - i;

		word ^= word >> 29;
		word *= UINT64_C(0xbf58476d1ce4e5b9);
		memcpy(conn->message + i, &word, left < sizeof(word) ? left : sizeof(word));
	}
}

static void ask(struct client *client, struct conn *conn)
{
	demi_sgarray_t sga;
	demi_qtoken_t qt;
	int error;

	if (conn->request_count == options.request_count) {
		conn->ending = true;
		error = demi_shutdown(conn->qd, SHUT_WR);
		if (error)
			fail(client, conn, demi_strerror(error));
		return;
	}
	sga = demi_sgaalloc(options.size);
	if (!sga.sga_buf) {
		fail(client, conn, "no buffer");
		return;
	}
	fill(conn);
	memcpy(sga.sga_segs[0].sgaseg_buf, conn->message, options.size);
	conn->got_len = 0;
	conn->asked_ns = now_ns();
	error = demi_push(&qt, conn->qd, &sga);
	demi_sgafree(&sga); /* the push has a reference of its own */
	if (error)
		fail(client, conn, demi_strerror(error));
	else
		conn->token_count++;
}

static void pop(struct client *client, struct conn *conn)
{
	demi_qtoken_t qt;
	int error = demi_pop(&qt, conn->qd);

	if (error)
		fail(client, conn, demi_strerror(error));
	else
		conn->token_count++;
}

/* Takes the answer's bytes that have come; len 0 is the server's FIN. */
static void popped(struct client *client, struct conn *conn, const uint8_t *data, uint32_t len)
{
	if (len == 0) {
		if (conn->request_count < options.request_count)
			fail(client, conn, "the server closed the connection");
		return;
	}
	if (conn->ending || len > options.size - conn->got_len ||
	    memcmp(data, conn->message + conn->got_len, len) != 0) {
		fail(client, conn, "the answer is not what was sent");
		return;
	}
	conn->got_len += len;
	if (conn->got_len == options.size) {
		client->ended_ns = now_ns();
		histogram_add(&client->latency, client->ended_ns - conn->asked_ns);
		conn->request_count++;
		ask(client, conn);
	}
	if (!conn->failed)
		pop(client, conn);
}

static void connected(struct client *client, struct conn *conn)
{
	client->connecting--;
	conn->connected = true;
	if (!client->begun_ns)
		client->begun_ns = now_ns();
	ask(client, conn);
	if (!conn->failed)
		pop(client, conn);
}

static void result(struct client *client, demi_qresult_t *result)
{
	struct conn *conn = qd_map_get_or_null(&client->map, result->qr_qd);
	demi_sgarray_t *sga = &result->qr_value.sga;

	if (!conn)
		return;
	conn->token_count--;
	if (result->qr_opcode == DEMI_OPC_CONNECT) {
		connected(client, conn);
	} else if (result->qr_opcode == DEMI_OPC_POP) {
		popped(client, conn, sga->sga_segs[0].sgaseg_buf, sga->sga_segs[0].sgaseg_len);
		demi_sgafree(sga);
	} else if (result->qr_opcode == DEMI_OPC_FAILED) {
		client->connecting -= !conn->connected;
		fail(client, conn, demi_strerror((int)result->qr_ret));
	}
	if (conn->token_count == 0) { /* else results for the descriptor would still come */
		demi_close(conn->qd);
		qd_map_take_or_null(&client->map, conn->qd);
		client->over++;
	}
}

static void open_one(struct client *client)
{
	struct conn *conn = &client->conns[client->opened];
	demi_qtoken_t qt;
	int error;

	conn->number = client->opened++ * (unsigned)demi_shard_count() + (unsigned)client->shard;
	conn->message = malloc(options.size);
	error = conn->message ? demi_socket(&conn->qd, AF_INET, SOCK_STREAM, 0) : ENOMEM;
	if (!error) {
		error = demi_connect(&qt, conn->qd, (struct sockaddr *)&options.server,
				     sizeof(options.server));
		if (!error)
			error = qd_map_put(&client->map, conn->qd, conn);
		if (error)
			demi_close(conn->qd);
	}
	if (error) {
		fail(client, conn, demi_strerror(error));
		client->over++;
		return;
	}
	conn->token_count = 1;
	client->connecting++;
}

/* What is there already, else the next result alone: so nobody waits for a batch to fill up. */
static int wait_some(demi_qresult_t results[RESULT_COUNT], int *n)
{
	static const struct timespec none, period = {.tv_nsec = 100000000};
	int error = demi_wait_next_n(results, RESULT_COUNT, n, &none);

	if (error == ETIMEDOUT && *n == 0)
		error = demi_wait_next_n(results, 1, n, &period);
	return error == ETIMEDOUT ? 0 : error;
}

/* Until every connection is over. 0, or why not. */
static int run(struct client *client)
{
	uint64_t give_up_ns = now_ns() + (uint64_t)options.limit_s * 1000000000u;
	demi_qresult_t results[RESULT_COUNT];
	int error = 0, n;

	while (client->over < client->conn_count) {
		while (client->opened < client->conn_count && client->connecting < CONNECTING_MAX)
			open_one(client);
		error = wait_some(results, &n);
		for (int i = 0; i < n; i++)
			result(client, &results[i]);
		if (error)
			return error;
		if (now_ns() >= give_up_ns)
			return ETIMEDOUT;
	}
	return 0;
}

/* Runs on each shard. What it leaves open the SDK closes. */
static int shard_main(void *arg)
{
	int shard = demi_shard_self(), count = demi_shard_count(), error;
	struct client *client = &clients[shard];

	(void)arg;
	if (shard == 0)
		shard_count = count;
	client->shard = shard;
	client->conn_count = options.conn_count / (unsigned)count +
			     ((unsigned)shard < options.conn_count % (unsigned)count);
	client->conns = calloc(client->conn_count + 1, sizeof(*client->conns));
	error = client->conns ? run(client) : ENOMEM;
	if (error)
		fprintf(stderr, "echo_client: shard %d: %u of %u connections over: %s\n", shard,
			client->over, client->conn_count, demi_strerror(error));
	for (unsigned i = 0; i < client->opened; i++)
		free(client->conns[i].message);
	free(client->conns);
	qd_map_fini(&client->map);
	return error;
}

static void print_line(const char *name, const struct client *client)
{
	double seconds = (double)(client->ended_ns - client->begun_ns) / 1e9;
	const struct histogram *latency = &client->latency;

	printf("%s connections %u failed %u requests %llu rate %.0f p50_us %.1f p99_us %.1f "
	       "p99.9_us %.1f\n",
	       name, client->conn_count, client->failed, (unsigned long long)latency->count,
	       seconds > 0 ? (double)latency->count / seconds : 0,
	       (double)histogram_quantile(latency, 0.5) / 1e3,
	       (double)histogram_quantile(latency, 0.99) / 1e3,
	       (double)histogram_quantile(latency, 0.999) / 1e3);
}

/* How many connections failed. */
static unsigned report(void)
{
	static struct client total;
	char name[32];

	for (int i = 0; i < shard_count; i++) {
		const struct client *client = &clients[i];

		snprintf(name, sizeof(name), "shard %d", i);
		print_line(name, client);
		histogram_merge(&total.latency, &client->latency);
		total.conn_count += client->conn_count;
		total.failed += client->failed;
		if (client->latency.count == 0)
			continue;
		if (!total.begun_ns || client->begun_ns < total.begun_ns)
			total.begun_ns = client->begun_ns;
		if (client->ended_ns > total.ended_ns)
			total.ended_ns = client->ended_ns;
	}
	print_line("total", &total);
	return total.failed;
}

static void on_signal(int number)
{
	static volatile sig_atomic_t asked;

	(void)number;
	if (!asked && demi_shard_stop())
		_exit(1); /* nothing runs yet that could end in order */
	asked = 1;
}

static void usage(FILE *to)
{
	fprintf(to, "usage: echo-client [options] ADDRESS PORT\n"
		    "  --config FILE        the configuration (CONFIG_PATH in the environment)\n"
		    "  --connections COUNT  of all shards together (1)\n"
		    "  --size BYTES         of a request, 1 .. 65535 (64)\n"
		    "  --requests COUNT     of each connection (1000)\n"
		    "  --limit SECONDS      give up after this (60)\n"
		    "  --help               print this\n");
}

static bool parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"connections", required_argument, NULL, 'n'},
		{"size", required_argument, NULL, 's'},
		{"requests", required_argument, NULL, 'r'},
		{"limit", required_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'c')
			setenv("CONFIG_PATH", optarg, 1);
		else if (c == 'n')
			options.conn_count = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 's')
			options.size = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'r')
			options.request_count = strtoull(optarg, NULL, 10);
		else if (c == 'l')
			options.limit_s = atoi(optarg);
		else
			return (options.help = c == 'h');
	}
	if (argc - optind != 2 || options.size < 1 || options.size > SIZE_MAX_LEN ||
	    !options.conn_count)
		return false;
	options.server.sin_family = AF_INET;
	options.server.sin_port = htons((uint16_t)atoi(argv[optind + 1]));
	return inet_pton(AF_INET, argv[optind], &options.server.sin_addr) == 1;
}

int main(int argc, char **argv)
{
	struct demi_args args = {.argc = argc, .argv = argv};
	struct sigaction action = {.sa_handler = on_signal};
	int error;

	if (!parse(argc, argv)) {
		usage(stderr);
		return 2;
	}
	if (options.help) {
		usage(stdout);
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0); /* whole lines, into pipes too */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	error = demi_shard_run(&args, shard_main, NULL);
	if (report())
		return 1;
	if (error)
		fprintf(stderr, "echo_client: %s\n", demi_strerror(error));
	return error ? 1 : 0;
}
