/*
 * A server as people write them for Demikernel: the five headers and nothing else of ours, one
 * thread, demi_wait_any over an array. Echoes until CONNECTIONS connections were closed.
 *
 *     tcp_echo ADDRESS PORT CONNECTIONS
 */
#include <arpa/inet.h>
#include <assert.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/wait.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_TOKENS 64

static demi_qtoken_t tokens[MAX_TOKENS];
static int num_tokens = 0;

static void add_token(demi_qtoken_t qt)
{
	assert(num_tokens < MAX_TOKENS);
	tokens[num_tokens++] = qt;
}

static void pop(int qd)
{
	demi_qtoken_t qt = 0;

	if (demi_pop(&qt, qd) == 0)
		add_token(qt);
}

static void accept_next(int sockqd)
{
	demi_qtoken_t qt = 0;

	if (demi_accept(&qt, sockqd) != 0)
		abort();
	add_token(qt);
}

static int serve_pop(demi_qresult_t *qr)
{
	demi_qtoken_t qt = 0;
	int closed = 0;

	if (qr->qr_value.sga.sga_segs[0].sgaseg_len == 0) {
		closed = demi_close(qr->qr_qd) == 0;
	} else {
		if (demi_push(&qt, qr->qr_qd, &qr->qr_value.sga) != 0)
			abort();
		add_token(qt);
		pop(qr->qr_qd);
	}
	if (demi_sgafree(&qr->qr_value.sga) != 0)
		abort();
	return closed;
}

static int serve(int sockqd, demi_qresult_t *qr)
{
	switch (qr->qr_opcode) {
	case DEMI_OPC_ACCEPT:
		pop(qr->qr_value.ares.qd);
		accept_next(sockqd);
		return 0;
	case DEMI_OPC_POP:
		return serve_pop(qr);
	case DEMI_OPC_PUSH:
		return 0;
	default:
		fprintf(stderr, "operation failed: %s\n", strerror((int)qr->qr_ret));
		return demi_close(qr->qr_qd) == 0;
	}
}

int main(int argc, char *const argv[])
{
	struct demi_args args = {argc, argv, NULL};
	struct sockaddr_in addr;
	demi_qresult_t qr;
	int sockqd = -1, offset = 0, connections;

	if (argc != 4)
		return EXIT_FAILURE;
	memset(&addr, 0, sizeof(addr));
	addr.sin_family = AF_INET;
	addr.sin_port = htons((unsigned short)atoi(argv[2]));
	if (inet_pton(AF_INET, argv[1], &addr.sin_addr) != 1)
		return EXIT_FAILURE;

	if (demi_init(&args) != 0)
		return EXIT_FAILURE;
	if (demi_socket(&sockqd, AF_INET, SOCK_STREAM, 0) != 0 ||
	    demi_bind(sockqd, (const struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    demi_listen(sockqd, 16) != 0)
		return EXIT_FAILURE;
	accept_next(sockqd);
	printf("listening\n");
	fflush(stdout);

	for (connections = atoi(argv[3]); connections > 0;) {
		if (demi_wait_any(&qr, &offset, tokens, num_tokens, NULL) != 0)
			return EXIT_FAILURE;
		tokens[offset] = tokens[--num_tokens];
		connections -= serve(sockqd, &qr);
	}
	return demi_close(sockqd) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
