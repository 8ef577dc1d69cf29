/*
 * One connection after another through two shards without copying: shard 0 accepts on port 7000 and
 * passes what it pops over the channel to shard 1, which pushes it into a connection of its own.
 *
 *      forward ADDRESS PORT      where shard 1 connects to
 *
 * The accepted connection begins with the line "shard 0 of 2". When its peer has sent a FIN, so
 * does shard 1, and the program ends with 0 if all of that went well and every buffer came home.
 */
#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT = 7000, PUSH_COUNT_MAX = 32 };

static struct sockaddr_in onward;
static const struct timespec limit = {.tv_sec = 20};

static int wait_for(demi_qtoken_t qt, demi_qresult_t *qr)
{
	int error = demi_wait(qr, qt, &limit);

	return error ? error : qr->qr_opcode == DEMI_OPC_FAILED ? (int)qr->qr_ret : 0;
}

/* Pops from one queue and pushes the same bytes into another, until the zero-length pop. */
static int pump(int from, int to)
{
	bool ended = false, popping = false;
	demi_sgarray_t *sga;
	unsigned pushing = 0;
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int error = 0, n;

	while (!error && !(ended && pushing == 0)) {
		if (!ended && !popping && pushing < PUSH_COUNT_MAX) {
			error = demi_pop(&qt, from);
			popping = true;
		}
		if (!error)
			error = demi_wait_next_n(&qr, 1, &n, &limit);
		if (error)
			break;
		sga = &qr.qr_value.sga;
		if (qr.qr_opcode == DEMI_OPC_PUSH) {
			pushing--;
		} else if (qr.qr_opcode != DEMI_OPC_POP) {
			error = (int)qr.qr_ret;
		} else if (sga->sga_segs[0].sgaseg_len == 0) {
			ended = true;
		} else {
			popping = false;
			error = demi_push(&qt, to, sga);
			demi_sgafree(sga); /* the push has a reference of its own */
			pushing += !error;
		}
	}
	return error;
}

static int greet(int qd)
{
	static const char line[] = "shard 0 of 2\n";
	demi_sgarray_t sga = demi_sgaalloc(strlen(line));
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int error;

	if (!sga.sga_buf)
		return ENOMEM;
	memcpy(sga.sga_segs[0].sgaseg_buf, line, strlen(line));
	error = demi_push(&qt, qd, &sga);
	demi_sgafree(&sga);
	return error ? error : wait_for(qt, &qr);
}

static int take_in(int channel)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int listener, error = demi_socket(&listener, AF_INET, SOCK_STREAM, 0);

	if (!error)
		error = demi_bind(listener, (struct sockaddr *)&local, sizeof(local));
	if (!error)
		error = demi_listen(listener, 1);
	if (!error)
		error = demi_accept(&qt, listener);
	printf("forward: ready\n");
	if (!error)
		error = wait_for(qt, &qr);
	if (!error)
		error = greet(qr.qr_value.ares.qd);
	return error ? error : pump(qr.qr_value.ares.qd, channel);
}

static int pass_on(int channel)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int qd, error = demi_socket(&qd, AF_INET, SOCK_STREAM, 0);

	if (!error)
		error = demi_connect(&qt, qd, (struct sockaddr *)&onward, sizeof(onward));
	if (!error)
		error = wait_for(qt, &qr);
	return error ? error : pump(channel, qd);
}

/* What is open at its end the SDK closes, in order. */
static int shard_main(void *arg)
{
	int self = demi_shard_self(), channel, error = demi_shard_channel(&channel, 1 - self);

	(void)arg;
	if (!error)
		error = self == 0 ? take_in(channel) : pass_on(channel);
	if (error)
		demi_shard_stop();
	return error;
}

int main(int argc, char **argv)
{
	int error;

	if (argc != 3 || inet_pton(AF_INET, argv[1], &onward.sin_addr) != 1)
		return 2;
	onward.sin_family = AF_INET;
	onward.sin_port = htons((uint16_t)atoi(argv[2]));
	setvbuf(stdout, NULL, _IOLBF, 0);
	error = demi_shard_run(NULL, shard_main, NULL);
	if (error)
		fprintf(stderr, "forward: %s\n", demi_strerror(error));
	return error ? 1 : 0;
}
