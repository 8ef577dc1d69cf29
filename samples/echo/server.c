#include "echo/server.h"

#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

enum {
	BACKLOG = 1024,
	RESULT_COUNT = 32, /* taken from the shard at once */
	ACCEPT_COUNT = 16, /* accepts outstanding */
	UDP_POP_COUNT = 64,
};

static void complain(const struct server *server, const char *what, int error)
{
	fprintf(stderr, "echo: shard %d: %s: %s\n", server->figures.shard, what,
		demi_strerror(error));
}

/* --- results --- */

static void accept_next(struct server *server)
{
	demi_qtoken_t qt;
	int error = demi_accept(&qt, server->listen_qd);

	server->missing_accepts += error == EAGAIN;
	if (error && error != EAGAIN)
		complain(server, "accept", error);
}

static void accept_result(struct server *server, const demi_qresult_t *result)
{
	if (result->qr_opcode == DEMI_OPC_ACCEPT)
		conns_add(&server->conns, result->qr_value.ares.qd);
	else
		server->figures.lost_count++;
	accept_next(server);
}

static void udp_pop(struct server *server)
{
	demi_qtoken_t qt;
	int error = demi_pop(&qt, server->udp_qd);

	server->missing_udp_pops += error == EAGAIN;
	if (error && error != EAGAIN)
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
	server->figures.message_count++;
	sender = sga->sga_addr;
	if (demi_pushto(&qt, server->udp_qd, sga, (struct sockaddr *)&sender, sizeof(sender)))
		server->figures.lost_count++;
	demi_sgafree(sga);
	udp_pop(server);
}

static void handle(struct server *server, demi_qresult_t *result)
{
	if (result->qr_qd == server->udp_qd)
		udp_result(server, result);
	else if (result->qr_qd == server->listen_qd)
		accept_result(server, result);
	else
		conns_result(&server->conns, result);
}

/* As many operations as there may be were outstanding: once more. */
static void begin_missing(struct server *server)
{
	unsigned accepts = server->missing_accepts, udp_pops = server->missing_udp_pops;

	server->missing_accepts = server->missing_udp_pops = 0;
	for (; accepts > 0; accepts--)
		accept_next(server);
	for (; udp_pops > 0; udp_pops--)
		udp_pop(server);
}

/* --- a shard's life --- */

static int open_socket(struct server *server, int type, int *qd)
{
	struct sockaddr_in local = {.sin_family = AF_INET,
				    .sin_port = htons(server->options->port)};
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
	const bool udp = server->options->udp;
	int error = open_socket(server, SOCK_STREAM, &server->listen_qd);

	for (int i = 0; i < ACCEPT_COUNT && !error; i++)
		accept_next(server);
	if (!error && udp)
		error = open_socket(server, SOCK_DGRAM, &server->udp_qd);
	for (int i = 0; i < UDP_POP_COUNT && !error && udp; i++)
		udp_pop(server);
	return error;
}

static void print_line(const char *text, void *arg)
{
	(void)arg;
	printf("%s\n", text);
}

/* The first shard says what was found and chosen; the last one to be ready says that all are. */
static void say_ready(const struct server *server)
{
	static _Atomic int ready_count;

	if (server->figures.shard == 0)
		demi_describe(print_line, NULL);
	if (++ready_count == demi_shard_count())
		printf("echo: ready on port %u, tcp%s\n", server->options->port,
		       server->options->udp ? " and udp" : "");
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
	const uint64_t stats_ns = server->options->stats_ns;
	const struct timespec short_while = {.tv_nsec = 1000000};
	const struct timespec period = {.tv_sec = (time_t)(stats_ns / 1000000000u),
					.tv_nsec = (long)(stats_ns % 1000000000u)};
	const struct timespec *timeout = stats_ns ? &period : NULL;
	demi_qresult_t results[RESULT_COUNT];
	int error, n;
	bool starved;

	do {
		starved = server->conns.starved || server->missing_accepts ||
			  server->missing_udp_pops;
		error = wait_some(results, &n, starved ? &short_while : timeout);
		for (int i = 0; i < n; i++)
			handle(server, &results[i]);
		if (server->conns.starved)
			conns_retry(&server->conns);
		begin_missing(server);
		if (stats_ns)
			figures_print_every(&server->figures, stats_ns);
	} while (!error);
	if (error != ECANCELED)
		complain(server, "wait", error);
}

/* What it leaves open the SDK closes, and sees the FINs through. */
int server_run(struct server *server, const struct options *options)
{
	int error;

	*server = (struct server){.options = options, .listen_qd = -1, .udp_qd = -1};
	figures_init(&server->figures, demi_shard_self());
	/* Says who serves the connection, to nc and to clients that count by shard. */
	snprintf(server->greeting, sizeof(server->greeting), "shard %d of %d\n", demi_shard_self(),
		 demi_shard_count());
	server->conns = (struct conns){.push_count_max = options->push_count_max,
				       .greeting = options->greet ? server->greeting : NULL,
				       .figures = &server->figures};
	error = open_all(server);
	if (error) {
		demi_shard_stop();
	} else {
		figures_idle(&server->figures);
		say_ready(server);
		serve(server);
	}
	conns_close_all(&server->conns);
	return error;
}
