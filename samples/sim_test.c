/*
 * How to test a server of your own: an echo server, as its program has it, is put into a simulated
 * world and has to get every byte back to its client through 5 % loss and a partition of two
 * seconds. Takes milliseconds; a failure comes back by its seed.
 *
 *	sim-test [seed]
 */
#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/sim.h>
#include <demi/wait.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT = 7, MESSAGE_COUNT = 200, MESSAGE_LEN = 1000 };

#define MS UINT64_C(1000000)

static struct sockaddr_in address(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(PORT)};

	inet_pton(AF_INET, "10.0.0.1", &in.sin_addr); /* the first host of a world */
	return in;
}

/* The server under test: nothing in it knows of simulations. */
static int server(void *arg)
{
	const struct sockaddr_in in = address();
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int listener, qd;

	(void)arg;
	if (demi_socket(&listener, AF_INET, SOCK_STREAM, 0) != 0 ||
	    demi_bind(listener, (const struct sockaddr *)&in, sizeof(in)) != 0 ||
	    demi_listen(listener, 16) != 0 || demi_accept(&qt, listener) != 0 ||
	    demi_wait(&qr, qt, NULL) != 0 || qr.qr_opcode != DEMI_OPC_ACCEPT)
		return 1;
	qd = qr.qr_value.ares.qd;
	for (;;) {
		demi_sgarray_t *sga = &qr.qr_value.sga;

		if (demi_pop(&qt, qd) != 0 || demi_wait(&qr, qt, NULL) != 0 ||
		    qr.qr_opcode != DEMI_OPC_POP)
			return 2;
		if (sga->sga_segs[0].sgaseg_len == 0)
			return demi_close(qd);
		if (demi_push(&qt, qd, sga) != 0 || demi_sgafree(sga) != 0)
			return 3;
		if (demi_wait(&qr, qt, NULL) != 0 || qr.qr_opcode != DEMI_OPC_PUSH)
			return 4;
	}
}

/* One message there and back. */
static int exchange(int qd, int number)
{
	demi_sgarray_t sga = demi_sgaalloc(MESSAGE_LEN);
	demi_qtoken_t pushed, popped;
	size_t got = 0;
	demi_qresult_t qr;

	if (sga.sga_buf == NULL)
		return 11;
	memset(sga.sga_segs[0].sgaseg_buf, number, MESSAGE_LEN);
	if (demi_push(&pushed, qd, &sga) != 0 || demi_sgafree(&sga) != 0)
		return 12;
	for (; got < MESSAGE_LEN; demi_sgafree(&qr.qr_value.sga)) {
		if (demi_pop(&popped, qd) != 0 || demi_wait(&qr, popped, NULL) != 0 ||
		    qr.qr_opcode != DEMI_OPC_POP)
			return 13;
		if (*(unsigned char *)qr.qr_value.sga.sga_segs[0].sgaseg_buf != number)
			return 14;
		got += qr.qr_value.sga.sga_segs[0].sgaseg_len;
	}
	return demi_wait(&qr, pushed, NULL);
}

static int client(struct demi_sim *world, int link)
{
	struct demi_sim_path lossy = {
		.size = sizeof(lossy), .loss_ppm = 50000, .delay_ns = 2 * MS, .jitter_ns = MS};
	struct demi_sim_path cut = lossy;
	const struct sockaddr_in in = address();
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int qd, rc = 0;

	cut.cut = 1;
	demi_sim_link_set(world, link, DEMI_SIM_BOTH, &lossy);
	if (demi_socket(&qd, AF_INET, SOCK_STREAM, 0) != 0 ||
	    demi_connect(&qt, qd, (const struct sockaddr *)&in, sizeof(in)) != 0 ||
	    demi_wait(&qr, qt, NULL) != 0 || qr.qr_opcode != DEMI_OPC_CONNECT)
		return 10;
	for (int i = 0; i < MESSAGE_COUNT && rc == 0; i++) {
		if (i == MESSAGE_COUNT / 2) {
			demi_sim_link_set(world, link, DEMI_SIM_BOTH, &cut);
			demi_sim_advance(world, 2000 * MS);
			demi_sim_link_set(world, link, DEMI_SIM_BOTH, &lossy);
		}
		rc = exchange(qd, i);
	}
	return rc != 0 ? rc : demi_close(qd);
}

static void print(const char *text, void *arg)
{
	(void)arg;
	puts(text);
}

int main(int argc, char **argv)
{
	const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	int server_host, client_host, link, result = -1, rc;
	struct demi_sim *world;

	if (demi_sim_create(&world, seed) != 0 || demi_sim_host(world, NULL, &server_host) != 0 ||
	    demi_sim_host(world, NULL, &client_host) != 0 ||
	    demi_sim_link(world, server_host, 0, client_host, 0, &link) != 0 ||
	    demi_sim_program(world, server_host, 0, server, NULL) != 0)
		return 1;
	demi_sim_enter(world, client_host, 0);
	rc = client(world, link);
	demi_sim_leave(world);
	if (rc == 0 && demi_sim_run(world, 60000 * MS) == 0)
		demi_sim_result(world, server_host, 0, &result);
	if (rc != 0 || result != 0)
		demi_sim_recent(world, print, NULL);
	printf("seed %llu: client %d, server %d, %.3f virtual seconds, digest %016llx\n",
	       (unsigned long long)seed, rc, result, (double)demi_sim_now(world) / 1e9,
	       (unsigned long long)demi_sim_digest(world));
	if (demi_sim_destroy(world) != 0)
		rc = 1;
	return rc != 0 || result != 0;
}
