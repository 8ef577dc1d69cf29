/*
 * A client as people write them for Demikernel: one operation at a time, each waited for. Sends
 * ROUNDS messages of SIZE bytes and checks what comes back.
 *
 *     tcp_client ADDRESS PORT SIZE ROUNDS
 */
#include <arpa/inet.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/wait.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void must(const char *what, int error)
{
	if (error == 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(error));
	exit(EXIT_FAILURE);
}

static void wait_for(demi_qtoken_t qt, enum demi_opcode opcode, demi_qresult_t *qr)
{
	const struct timespec timeout = {20, 0};

	must("wait", demi_wait(qr, qt, &timeout));
	if (qr->qr_opcode == opcode)
		return;
	must("operation", (int)qr->qr_ret);
	exit(EXIT_FAILURE);
}

static void send_message(int sockqd, size_t size, int round)
{
	demi_sgarray_t sga = demi_sgaalloc(size);
	demi_qtoken_t qt = 0;
	demi_qresult_t qr;

	if (sga.sga_buf == NULL || sga.sga_segs[0].sgaseg_len != size)
		exit(EXIT_FAILURE);
	memset(sga.sga_segs[0].sgaseg_buf, 'a' + round % 26, size);
	must("push", demi_push(&qt, sockqd, &sga));
	wait_for(qt, DEMI_OPC_PUSH, &qr);
	must("sgafree", demi_sgafree(&sga));
}

static void receive_message(int sockqd, size_t size, int round)
{
	demi_qtoken_t qt = 0;
	demi_qresult_t qr;
	size_t received = 0;

	while (received < size) {
		const char *bytes;
		uint32_t i, len;

		must("pop", demi_pop(&qt, sockqd));
		wait_for(qt, DEMI_OPC_POP, &qr);
		bytes = qr.qr_value.sga.sga_segs[0].sgaseg_buf;
		len = qr.qr_value.sga.sga_segs[0].sgaseg_len;
		if (len == 0)
			exit(EXIT_FAILURE);
		for (i = 0; i < len; i++) {
			if (bytes[i] != 'a' + round % 26)
				exit(EXIT_FAILURE);
		}
		received += len;
		must("sgafree", demi_sgafree(&qr.qr_value.sga));
	}
}

int main(int argc, char *const argv[])
{
	struct demi_args args = {argc, argv, NULL};
	struct sockaddr_in addr;
	demi_qtoken_t qt = 0;
	demi_qresult_t qr;
	int sockqd = -1, round;

	if (argc != 5)
		return EXIT_FAILURE;
	memset(&addr, 0, sizeof(addr));
	addr.sin_family = AF_INET;
	addr.sin_port = htons((unsigned short)atoi(argv[2]));
	if (inet_pton(AF_INET, argv[1], &addr.sin_addr) != 1)
		return EXIT_FAILURE;

	must("init", demi_init(&args));
	must("socket", demi_socket(&sockqd, AF_INET, SOCK_STREAM, 0));
	must("connect", demi_connect(&qt, sockqd, (const struct sockaddr *)&addr, sizeof(addr)));
	wait_for(qt, DEMI_OPC_CONNECT, &qr);
	for (round = 0; round < atoi(argv[4]); round++) {
		send_message(sockqd, (size_t)atoi(argv[3]), round);
		receive_message(sockqd, (size_t)atoi(argv[3]), round);
	}
	must("close", demi_close(sockqd));
	printf("done\n");
	return EXIT_SUCCESS;
}
