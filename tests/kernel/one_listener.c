/*
 * An echo server whose shards do not all listen. Every SIGUSR1 leads to the next phase; what is
 * open stays open, and a line says when all shards are there:
 *
 *      phase 0   shard 1 listens on port 7000, TCP and UDP
 *      phase 1   shard 0 does so too
 *      phase 2   shard 1 does no longer
 *      phase 3   shard 1 has returned
 *
 * A connection begins with a line that names its shard, as the echo sample's; a datagram is
 * answered with that line. SIGINT ends it.
 */
#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { PORT = 7000, BACKLOG = 256, SHARD_COUNT = 2, PHASE_LAST = 3 };

static atomic_int wanted_phase, there[PHASE_LAST + 1];

struct server {
	int shard, phase;
	int tcp, udp; /* -1: closed */
};

static void must(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "one_listener: shard %d: %s: %s\n", demi_shard_self(), what,
		demi_strerror(error));
	demi_shard_stop();
}

static int open_one(int type)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	demi_qtoken_t qt;
	int qd = -1;

	must(demi_socket(&qd, AF_INET, type, 0), "socket");
	must(demi_bind(qd, (struct sockaddr *)&local, sizeof(local)), "bind");
	if (type == SOCK_STREAM) {
		must(demi_listen(qd, BACKLOG), "listen");
		must(demi_accept(&qt, qd), "accept");
	} else {
		must(demi_pop(&qt, qd), "pop");
	}
	return qd;
}

static void enter_phase(struct server *server)
{
	if (server->phase == 1 - server->shard) {
		server->tcp = open_one(SOCK_STREAM);
		server->udp = open_one(SOCK_DGRAM);
	} else if (server->phase == 2 && server->shard == 1) {
		must(demi_close(server->tcp), "close");
		must(demi_close(server->udp), "close");
		server->tcp = server->udp = -1;
	}
	if (atomic_fetch_add(&there[server->phase], 1) + 1 == SHARD_COUNT)
		printf("one_listener: phase %d\n", server->phase);
	server->phase++;
}

static demi_sgarray_t name_line(const struct server *server)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "shard %d of %d\n", server->shard, SHARD_COUNT);
	demi_sgarray_t sga = demi_sgaalloc((size_t)len);

	must(sga.sga_buf ? 0 : ENOMEM, "sgaalloc");
	if (sga.sga_buf)
		memcpy(sga.sga_segs[0].sgaseg_buf, line, (size_t)len);
	return sga;
}

static void accepted(struct server *server, int qd)
{
	demi_sgarray_t sga = name_line(server);
	demi_qtoken_t qt;

	must(demi_push(&qt, qd, &sga), "push");
	demi_sgafree(&sga);
	must(demi_pop(&qt, qd), "pop");
	must(demi_accept(&qt, server->tcp), "accept");
}

static void answer_datagram(struct server *server, demi_sgarray_t *got)
{
	struct sockaddr_in from = got->sga_addr;
	demi_sgarray_t sga = name_line(server);
	demi_qtoken_t qt;

	demi_sgafree(got);
	must(demi_pushto(&qt, server->udp, &sga, (struct sockaddr *)&from, sizeof(from)), "pushto");
	demi_sgafree(&sga);
	must(demi_pop(&qt, server->udp), "pop");
}

static void echo(int qd, demi_sgarray_t *sga)
{
	demi_qtoken_t qt;

	if (sga->sga_segs[0].sgaseg_len == 0) {
		must(demi_close(qd), "close");
		return;
	}
	must(demi_push(&qt, qd, sga), "push");
	demi_sgafree(sga);
	must(demi_pop(&qt, qd), "pop");
}

static void result(struct server *server, demi_qresult_t *qr)
{
	if (qr->qr_opcode == DEMI_OPC_ACCEPT)
		accepted(server, qr->qr_value.ares.qd);
	else if (qr->qr_opcode == DEMI_OPC_POP && qr->qr_qd == server->udp)
		answer_datagram(server, &qr->qr_value.sga);
	else if (qr->qr_opcode == DEMI_OPC_POP)
		echo(qr->qr_qd, &qr->qr_value.sga);
	else if (qr->qr_opcode == DEMI_OPC_FAILED && qr->qr_ret != ECANCELED)
		must((int)qr->qr_ret, "operation");
}

static int shard_main(void *arg)
{
	static const struct timespec period = {.tv_nsec = 5000000};
	struct server server = {.shard = demi_shard_self(), .tcp = -1, .udp = -1};
	demi_qresult_t qr;
	int error, n;

	(void)arg;
	do {
		while (server.phase <= PHASE_LAST && server.phase <= atomic_load(&wanted_phase))
			enter_phase(&server);
		if (server.phase > PHASE_LAST && server.shard == 1)
			return 0;
		error = demi_wait_next_n(&qr, 1, &n, &period);
		if (n == 1)
			result(&server, &qr);
	} while (!error || error == ETIMEDOUT);
	return error == ECANCELED ? 0 : error;
}

static void on_signal(int number)
{
	if (number == SIGUSR1)
		atomic_fetch_add(&wanted_phase, 1);
	else
		demi_shard_stop();
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct demi_shard_figures f = {.size = sizeof(f)};
	int error;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	error = demi_shard_run(NULL, shard_main, NULL);
	for (int i = 0; i < SHARD_COUNT && demi_shard_figures(i, &f) == 0; i++)
		printf("shard %d accepted %llu handed_in %llu handed_out %llu\n", i,
		       (unsigned long long)f.accepted, (unsigned long long)f.handed_in,
		       (unsigned long long)f.handed_out);
	return error ? 1 : 0;
}
