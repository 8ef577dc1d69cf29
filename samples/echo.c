/*
 * An echo server on all shards: TCP and UDP, zero-copy (what was popped is what is pushed), any
 * number of connections. Each shard has a listener of its own on the same port and serves the flows
 * that it owns; nothing is shared between shards. See usage().
 */
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
	BACKLOG = 1024,
	RESULT_COUNT = 64, /* taken from the shard at once */
	ACCEPT_COUNT = 16, /* accepts outstanding */
	UDP_POP_COUNT = 64,
	SHARD_MAX = 64,
};

static struct {
	uint16_t port;
	uint64_t stats_ns;	 /* 0: none */
	unsigned push_count_max; /* of one connection: more are not begun before some end */
	bool udp, greet;
} options = {.port = 7, .push_count_max = 32};

struct conn {
	int qd;
	unsigned push_count; /* pushes outstanding */
	bool popping;	     /* pop_qt is outstanding */
	demi_qtoken_t pop_qt;
	bool ending; /* the peer's FIN was seen, or the connection failed */
	bool held;   /* the send queue was full: this sga waits for room */
	demi_sgarray_t held_sga;
	struct conn *next, **link; /* of all connections of this shard */
};

/* All that a shard has; it shares no cache line with another's. */
struct server {
	_Alignas(128) int shard;
	int listen_qd, udp_qd; /* -1: none */
	struct qd_map map;
	struct conn *conns;
	bool starved; /* a push found no room though its connection has none outstanding */
	uint64_t message_count, lost_count;
	uint64_t printed_count, printed_ns;
	uint32_t mbufs_idle; /* held when it had just begun to listen */
};

static struct server servers[SHARD_MAX];
static int shard_count;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void complain(const struct server *server, const char *what, int error)
{
	fprintf(stderr, "echo: shard %d: %s: %s\n", server->shard, what, demi_strerror(error));
}

/* --- connections --- */

static void close_conn(struct server *server, struct conn *conn)
{
	if (conn->held)
		demi_sgafree(&conn->held_sga);
	demi_close(conn->qd);
	qd_map_take_or_null(&server->map, conn->qd);
	*conn->link = conn->next;
	if (conn->next)
		conn->next->link = conn->link;
	free(conn);
}

/* Hands the sga's bytes back to the peer; the sga is gone afterwards, or held. */
static void push(struct server *server, struct conn *conn, demi_sgarray_t *sga)
{
	demi_qtoken_t qt;
	int error = demi_push(&qt, conn->qd, sga);

	if (error == EAGAIN) {
		conn->held_sga = *sga;
		conn->held = true;
		server->starved |= conn->push_count == 0;
		return;
	}
	demi_sgafree(sga); /* the push has a reference of its own */
	if (error)
		conn->ending = true;
	else
		conn->push_count++;
}

/*
 * What a connection does next. It is closed when nothing is outstanding any more, so no result ever
 * comes for a descriptor that is somebody else's by then.
 */
static void advance(struct server *server, struct conn *conn)
{
	if (conn->held) {
		conn->held = false;
		push(server, conn, &conn->held_sga);
	}
	if (!conn->ending && !conn->held && !conn->popping &&
	    conn->push_count < options.push_count_max) {
		conn->popping = demi_pop(&conn->pop_qt, conn->qd) == 0;
		conn->ending = !conn->popping;
	}
	if (conn->ending && !conn->held && !conn->popping && conn->push_count == 0)
		close_conn(server, conn);
}

/* One line that says who serves the connection, for nc and for clients that count by shard. */
static void greet(struct server *server, struct conn *conn)
{
	demi_sgarray_t sga;
	char line[64];
	int len =
		snprintf(line, sizeof(line), "shard %d of %d\n", server->shard, demi_shard_count());

	sga = demi_sgaalloc((size_t)len);
	if (!sga.sga_buf) {
		conn->ending = true;
		return;
	}
	memcpy(sga.sga_segs[0].sgaseg_buf, line, (size_t)len);
	push(server, conn, &sga);
}

static void accept_next(struct server *server)
{
	demi_qtoken_t qt;
	int error = demi_accept(&qt, server->listen_qd);

	if (error)
		complain(server, "accept", error);
}

static void accepted(struct server *server, int qd)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn || qd_map_put(&server->map, qd, conn)) {
		complain(server, "accept", ENOMEM);
		free(conn);
		demi_close(qd);
		return;
	}
	conn->qd = qd;
	conn->next = server->conns;
	conn->link = &server->conns;
	if (conn->next)
		conn->next->link = &conn->next;
	server->conns = conn;
	if (options.greet)
		greet(server, conn);
	advance(server, conn);
}

/* --- results --- */

static void udp_pop(struct server *server)
{
	demi_qtoken_t qt;
	int error = demi_pop(&qt, server->udp_qd);

	if (error)
		complain(server, "pop of a datagram", error);
}

/* A datagram goes back to its sender; one that finds no room is lost, as datagrams may be. */
static void udp_result(struct server *server, demi_qresult_t *result)
{
	demi_sgarray_t *sga = &result->qr_value.sga;
	struct sockaddr_in sender;
	demi_qtoken_t qt;

	if (result->qr_opcode != DEMI_OPC_POP)
		return;
	server->message_count++;
	sender = sga->sga_addr;
	if (demi_pushto(&qt, server->udp_qd, sga, (struct sockaddr *)&sender, sizeof(sender)))
		server->lost_count++;
	demi_sgafree(sga);
	udp_pop(server);
}

static void conn_result(struct server *server, struct conn *conn, demi_qresult_t *result)
{
	demi_sgarray_t *sga = &result->qr_value.sga;

	switch (result->qr_opcode) {
	case DEMI_OPC_POP:
		conn->popping = false;
		if (sga->sga_segs[0].sgaseg_len == 0) {
			conn->ending = true;
			break;
		}
		server->message_count++;
		push(server, conn, sga);
		break;
	case DEMI_OPC_PUSH:
		conn->push_count--;
		break;
	default: /* failed: so did all others of this connection, and their results come too */
		server->lost_count += !conn->ending;
		conn->ending = true;
		if (conn->held)
			demi_sgafree(&conn->held_sga);
		conn->held = false;
		if (result->qr_qt == conn->pop_qt)
			conn->popping = false;
		else
			conn->push_count--;
		break;
	}
	advance(server, conn);
}

static void result(struct server *server, demi_qresult_t *result)
{
	struct conn *conn;

	if (result->qr_qd == server->udp_qd) {
		udp_result(server, result);
	} else if (result->qr_qd == server->listen_qd) {
		if (result->qr_opcode == DEMI_OPC_ACCEPT)
			accepted(server, result->qr_value.ares.qd);
		else
			server->lost_count++;
		accept_next(server);
	} else {
		conn = qd_map_get_or_null(&server->map, result->qr_qd);
		if (conn)
			conn_result(server, conn, result);
	}
}

/* Room that others took may be free again: nobody's push ends to say so. */
static void retry_starved(struct server *server)
{
	struct conn *next;

	server->starved = false;
	for (struct conn *conn = server->conns; conn; conn = next) {
		next = conn->next;
		if (conn->held)
			advance(server, conn);
	}
}

/* --- figures --- */

static void print_figures(const struct server *server, const char *more)
{
	struct demi_shard_figures f = {.size = sizeof(f)};

	if (demi_shard_figures(server->shard, &f))
		return;
	printf("shard %d cpu %d queue %u connections %u accepted %llu messages %llu lost %llu "
	       "dropped %llu retransmits %llu mbufs %u idle %u%s\n",
	       server->shard, f.cpu, f.queue, f.connections, (unsigned long long)f.accepted,
	       (unsigned long long)server->message_count, (unsigned long long)server->lost_count,
	       (unsigned long long)f.dropped, (unsigned long long)f.retransmits, f.mbufs_used,
	       server->mbufs_idle, more);
}

static void print_stats(struct server *server)
{
	char rate[32];
	uint64_t now = now_ns(), passed = now - server->printed_ns;
	uint64_t count = server->message_count - server->printed_count;

	if (passed < options.stats_ns)
		return;
	snprintf(rate, sizeof(rate), " rate %.0f", (double)count * 1e9 / (double)passed);
	print_figures(server, rate);
	server->printed_count = server->message_count;
	server->printed_ns = now;
}

/* --- a shard's life --- */

static int open_socket(struct server *server, int type, int *qd)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(options.port)};
	int error = demi_socket(qd, AF_INET, type, 0);

	if (!error)
		error = demi_bind(*qd, (struct sockaddr *)&local, sizeof(local));
	if (!error && type == SOCK_STREAM)
		error = demi_listen(*qd, BACKLOG);
	if (error)
		complain(server, type == SOCK_STREAM ? "tcp" : "udp", error);
	return error;
}

static int open_all(struct server *server)
{
	int error = open_socket(server, SOCK_STREAM, &server->listen_qd);

	for (int i = 0; i < ACCEPT_COUNT && !error; i++)
		accept_next(server);
	if (!error && options.udp)
		error = open_socket(server, SOCK_DGRAM, &server->udp_qd);
	for (int i = 0; i < UDP_POP_COUNT && !error && options.udp; i++)
		udp_pop(server);
	return error;
}

static void print_line(const char *text, void *arg)
{
	(void)arg;
	printf("%s\n", text);
}

/* The first shard says what was found and chosen; the last one to be ready says that all are. */
static void say_ready(struct server *server)
{
	static _Atomic int ready_count;
	struct demi_shard_figures f = {.size = sizeof(f)};

	if (demi_shard_figures(server->shard, &f) == 0)
		server->mbufs_idle = f.mbufs_used;
	if (server->shard == 0) {
		shard_count = demi_shard_count();
		demi_describe(print_line, NULL);
	}
	if (++ready_count == demi_shard_count())
		printf("echo: ready on port %u, tcp%s\n", options.port,
		       options.udp ? " and udp" : "");
}

/* What is there already, else the next result alone: so nobody waits for a batch to fill up. */
static int wait_some(demi_qresult_t results[RESULT_COUNT], int *n, const struct timespec *timeout)
{
	static const struct timespec none;
	int error = demi_wait_next_n(results, RESULT_COUNT, n, &none);

	if (error == ETIMEDOUT && *n == 0)
		error = demi_wait_next_n(results, 1, n, timeout);
	return error == ETIMEDOUT ? 0 : error;
}

static void serve(struct server *server)
{
	static const struct timespec short_while = {.tv_nsec = 1000000};
	const struct timespec period = {.tv_sec = (time_t)(options.stats_ns / 1000000000u),
					.tv_nsec = (long)(options.stats_ns % 1000000000u)};
	const struct timespec *timeout = options.stats_ns ? &period : NULL;
	demi_qresult_t results[RESULT_COUNT];
	int error, n;

	do {
		error = wait_some(results, &n, server->starved ? &short_while : timeout);
		for (int i = 0; i < n; i++)
			result(server, &results[i]);
		if (server->starved)
			retry_starved(server);
		if (options.stats_ns)
			print_stats(server);
	} while (!error);
	if (error != ECANCELED)
		complain(server, "wait", error);
}

/* Runs on each shard. What it leaves open the SDK closes, and sees the FINs through. */
static int shard_main(void *arg)
{
	int shard = demi_shard_self(), error;
	struct server *server = &servers[shard];

	(void)arg;
	*server = (struct server){
		.shard = shard, .listen_qd = -1, .udp_qd = -1, .printed_ns = now_ns()};
	error = open_all(server);
	if (error) {
		demi_shard_stop();
	} else {
		say_ready(server);
		serve(server);
	}
	while (server->conns)
		close_conn(server, server->conns);
	qd_map_fini(&server->map);
	return error;
}

static void on_signal(int number)
{
	static volatile sig_atomic_t asked;

	(void)number;
	if (!asked && demi_shard_stop())
		_exit(1); /* nothing runs yet that could end in order */
	asked = 1;
}

static int usage(void)
{
	fprintf(stderr, "usage: echo [options]\n"
			"  --config FILE    the configuration (CONFIG_PATH in the environment)\n"
			"  --port PORT      to listen on (7)\n"
			"  --udp            echo datagrams too\n"
			"  --pushes N       outstanding on one connection at most (32); what is\n"
			"                   in flight is no more than so many packets\n"
			"  --greet          begin each connection with a line \"shard N of M\"\n"
			"  --stats SECONDS  print a line per shard every so often\n");
	return 2;
}

static bool parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"port", required_argument, NULL, 'p'},
		{"udp", no_argument, NULL, 'u'},
		{"greet", no_argument, NULL, 'g'},
		{"stats", required_argument, NULL, 's'},
		{"pushes", required_argument, NULL, 'n'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'c')
			setenv("CONFIG_PATH", optarg, 1);
		else if (c == 'p')
			options.port = (uint16_t)atoi(optarg);
		else if (c == 'u')
			options.udp = true;
		else if (c == 'n')
			options.push_count_max = (unsigned)atoi(optarg);
		else if (c == 'g')
			options.greet = true;
		else if (c == 's')
			options.stats_ns = (uint64_t)(strtod(optarg, NULL) * 1e9);
		else
			return false;
	}
	return optind == argc && options.port != 0 && options.push_count_max != 0;
}

int main(int argc, char **argv)
{
	struct demi_args args = {.argc = argc, .argv = argv};
	struct sigaction action = {.sa_handler = on_signal};
	int error;

	if (!parse(argc, argv))
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0); /* whole lines, into pipes too */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	error = demi_shard_run(&args, shard_main, NULL);
	if (error) {
		fprintf(stderr, "echo: %s\n", demi_strerror(error));
		return 1;
	}
	for (int i = 0; i < shard_count; i++)
		print_figures(&servers[i], "");
	printf("echo: ended in order, every buffer is back\n");
	return 0;
}
